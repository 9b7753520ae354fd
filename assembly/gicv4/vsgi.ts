// GICv4.1 virtual SGIs: their state, and what of it the virtual CPU interface sees (sections 6.22, 5.12, 7.6). They are
// kept in the vPE's configuration entry, so they outlast a deschedule; an entry that is released leaves them in the
// vPE's pending table (section 11, item 18).
import { Choice, Counter, Event, Policy } from '../abi';
import { emit } from '../diag/events';
import { NO_CPU } from '../gic/bank';
import { Redistributor } from '../gic/redistributor';
import { count } from '../memory/counters';
import { machine, policy } from '../memory/machine';
import { touchVirtual } from '../virt/outputs';
import { ringDefaultDoorbell } from './default_doorbell';
import { VpeConfiguration } from './vpe_configuration';

/** No vSGI is a candidate. */
export const NO_VSGI: u32 = 0xffffffff;

/** Makes a vSGI pending. */
export function setPendingVsgi(entry: VpeConfiguration, vpeId: u32, intid: u32): void {
  const bit: u32 = (<u32>1) << intid;
  const pending = entry.pendingSgis;
  count(pending & bit ? Counter.VSGIS_COALESCED : Counter.VSGIS_SENT);
  entry.pendingSgis = pending | bit;
  emit(Event.VSGI_PENDING, vpeId, intid);
  present(entry, vpeId, intid);
}

export function clearPendingVsgi(entry: VpeConfiguration, vpeId: u32, intid: u32): void {
  entry.pendingSgis = entry.pendingSgis & ~((<u32>1) << intid);
  present(entry, vpeId, intid);
}

export function configureVsgi(
  entry: VpeConfiguration,
  vpeId: u32,
  intid: u32,
  enable: bool,
  group: u32,
  priority: u32,
): void {
  entry.configureSgi(intid, enable, group, priority);
  present(entry, vpeId, intid);
}

/** What a change of a vSGI leads to: its PE looks again or, where the vPE has none, its doorbell may ring. */
function present(entry: VpeConfiguration, vpeId: u32, intid: u32): void {
  const cpu = entry.residentCpu(vpeId);
  if (cpu != NO_CPU) touchVirtual(cpu);
  else if (((entry.pendingSgis & entry.enabledSgis) >> intid) & 1)
    ringDefaultDoorbell(entry, (entry.sgiGroups >> intid) & 1);
}

/**
 * The best pending and enabled vSGI of the resident vPE among the groups that are on (bit 0: Group 0, bit 1:
 * Group 1) as priority << 8 | group << 4 | INTID, or NO_VSGI.
 */
export function bestVsgi(rd: Redistributor, groups: u32): u32 {
  if (rd.residentEntry == 0) return NO_VSGI;
  const entry = changetype<VpeConfiguration>(rd.residentEntry);
  const implemented = (0xff << (8 - machine().virtualPriorityBits)) & 0xff;
  let best = NO_VSGI;
  for (let bits = entry.pendingSgis & entry.enabledSgis; bits; bits &= bits - 1) {
    const intid = <u32>ctz(bits);
    const group = (entry.sgiGroups >> intid) & 1;
    if (((groups >> group) & 1) == 0) continue;
    const candidate = ((entry.sgiPriority(intid) & implemented) << 8) | (group << 4) | intid;
    const tie = candidate >> 8 == best >> 8 && policy(Policy.tieBreak) == Choice.TIE_HIGHEST;
    if (tie || candidate >> 8 < best >> 8) best = candidate;
  }
  return best;
}
