// Delivery of VLPIs to a vPE, resident or not, and the doorbells of those that are not (sections 7.3, 7.6). A vPE is
// named by its table entry and its vPEID: GICv4.0 finds its residence by the former, GICv4.1 by the latter, in the
// vPE's configuration, which is null before GICv4.1.
import { Choice, Counter, Event, Feature, Outcome, Policy } from '../abi';
import { emit } from '../diag/events';
import { NO_CPU } from '../gic/bank';
import { FIRST_LPI } from '../gic/intid';
import { LpiSet } from '../gic/lpi_set';
import { NOT_RESIDENT, redistributorOf } from '../gic/redistributor';
import { vpeCpu, vpeEnd, vpePendingTable } from '../its/tables';
import { count } from '../memory/counters';
import { machine, policy } from '../memory/machine';
import { ramAt } from '../memory/ram';
import { clearBits, loadShared, setBits } from '../memory/shared_words';
import { ringDefaultDoorbell, ringDoorbell } from './default_doorbell';
import { VpeConfiguration } from './vpe_configuration';

const CONFIG_ENABLE: u32 = 1;

/** The first INTID beyond those that the resident vPE takes which `residence` found. */
let residentEnd: u32 = 0;

/** The PE that a vPE is resident on, where its VLPIs find it; NO_CPU for none (section 7.1). */
export function residence(vte: u64, vpeId: u32, configuration: VpeConfiguration): u32 {
  residentEnd = vpeEnd(vte);
  if (changetype<usize>(configuration)) return configuration.residentCpu(vpeId);
  if (machine().has(Feature.GICV4_1)) return NO_CPU;
  const cpu = vpeCpu(vte);
  residentEnd = redistributorOf(cpu).residentEnd(vpePendingTable(vte));
  return residentEnd == NOT_RESIDENT ? NO_CPU : cpu;
}

/** Makes a VLPI pending for a vPE. One that `moves` to it from another vPE was counted when it became pending there. */
export function setPendingVlpi(
  vte: u64,
  vpeId: u32,
  configuration: VpeConfiguration,
  intid: u32,
  doorbell: u32,
  moves: bool,
): Outcome {
  if (intid < FIRST_LPI || intid >= vpeEnd(vte)) return Outcome.INTID_OUT_OF_RANGE;
  const before = residence(vte, vpeId, configuration);
  if (before != NO_CPU) {
    if (intid >= residentEnd) return Outcome.INTID_OUT_OF_RANGE;
    if (ramAt(vpePendingTable(vte), residentEnd >> 3) == 0) return Outcome.TABLE_FAULT;
  }
  const at = pendingWord(vte, intid);
  if (at == 0) return Outcome.TABLE_FAULT;
  const bit = (<u64>1) << (intid & 63);
  const coalesced = (setBits(at, bit) & bit) != 0;
  // Looked at again with the bit set: a vPE that another thread schedules in or out meanwhile either has it found in
  // its table, or is found here.
  const resident = ASC_FEATURE_THREADS ? residence(vte, vpeId, configuration) : before;
  if (resident != NO_CPU) {
    if (coalesced) return Outcome.COALESCED;
    redistributorOf(resident).virtualLpis.hasBecomePending(intid);
    if (!moves) count(Counter.VLPIS_DIRECT);
    return Outcome.PENDING;
  }
  if (!coalesced) {
    if (!moves) count(Counter.VLPIS_WAITING);
    emit(Event.VLPI_WAITING, vpeCpu(vte), intid, vpeId);
  }
  if (!coalesced || policy(Policy.doorbellOfPendingVlpi) == Choice.DOORBELL_REPEATED)
    ringDoorbell(redistributorOf(vpeCpu(vte)), doorbell);
  ringIfEnabled(configuration, intid);
  return coalesced ? Outcome.COALESCED : Outcome.PENDING;
}

/** Whether PendingLast counts the VLPIs of the resident vPE: one that is pending and enabled or, by policy, any. */
export function countsForPendingLast(vlpis: LpiSet): bool {
  return !vlpis.best.isEmpty || (policy(Policy.pendingLastCountsDisabled) != 0 && vlpis.anyPending());
}

/** Whether the pending state of a VLPI has a place: the vPE's pending table is in RAM. */
export function canHoldVlpi(vte: u64, vpeId: u32, configuration: VpeConfiguration, intid: u32): bool {
  const resident = residence(vte, vpeId, configuration);
  if (resident != NO_CPU) return redistributorOf(resident).virtualLpis.pendingTable != 0;
  return pendingWord(vte, intid) != 0;
}

/** Removes the pending state of a VLPI; tells whether there was any. A doorbell that rang for it stays. */
export function clearPendingVlpi(vte: u64, vpeId: u32, configuration: VpeConfiguration, intid: u32): bool {
  if (intid < FIRST_LPI || intid >= vpeEnd(vte)) return false;
  const resident = residence(vte, vpeId, configuration);
  // One beyond GICR_VPROPBASER.IDbits became pending while the vPE was not resident.
  if (resident != NO_CPU && intid < redistributorOf(resident).virtualLpis.end)
    return redistributorOf(resident).virtualLpis.clearPending(intid);
  const at = pendingWord(vte, intid);
  if (at == 0) return false;
  const bit = (<u64>1) << (intid & 63);
  return (clearBits(at, bit) & bit) != 0;
}

/**
 * INV of a VLPI: only a resident vPE has cached configuration. In GICv4.1 a default doorbell rings for a VLPI that was
 * pending and is found enabled now: PendingLast told that no interrupt was waiting, and now one is.
 */
export function invalidateVlpi(vte: u64, vpeId: u32, configuration: VpeConfiguration, intid: u32): void {
  const resident = residence(vte, vpeId, configuration);
  if (resident != NO_CPU) redistributorOf(resident).virtualLpis.invalidate(intid);
  else if (isWaiting(vte, intid)) ringIfEnabled(configuration, intid);
}

/** VINVALL: as INV of each VLPI of the vPE. */
export function invalidateVpe(vte: u64, vpeId: u32, configuration: VpeConfiguration): void {
  const resident = residence(vte, vpeId, configuration);
  if (resident != NO_CPU) redistributorOf(resident).virtualLpis.invalidateAll();
  else ringForAnyEnabled(vte, configuration);
}

/** VLPIs are all Group 1. A configuration table outside RAM reads as disabled. */
function ringIfEnabled(configuration: VpeConfiguration, intid: u32): void {
  if (changetype<usize>(configuration) == 0 || !configuration.armedFor(1)) return;
  const config = ramAt(configuration.configTable + (intid - FIRST_LPI), 1);
  if (config && load<u8>(config) & CONFIG_ENABLE) ringDefaultDoorbell(configuration, 1);
}

function ringForAnyEnabled(vte: u64, configuration: VpeConfiguration): void {
  if (changetype<usize>(configuration) == 0) return;
  for (let first = FIRST_LPI; first < vpeEnd(vte) && configuration.armedFor(1); first += 64) {
    const at = pendingWord(vte, first);
    if (at == 0) return;
    for (let word = loadShared(at); word; word &= word - 1) {
      ringIfEnabled(configuration, first | <u32>ctz(word));
    }
  }
}

/** Whether a VLPI is pending in the table of a vPE that is not resident. */
function isWaiting(vte: u64, intid: u32): bool {
  if (intid < FIRST_LPI || intid >= vpeEnd(vte)) return false;
  const at = pendingWord(vte, intid);
  return at != 0 && ((loadShared(at) >> (intid & 63)) & 1) != 0;
}

/** The word of a vPE's pending table, 0 outside RAM. */
function pendingWord(vte: u64, intid: u32): usize {
  return ramAt(vpePendingTable(vte) + ((<u64>intid >> 6) << 3), 8);
}
