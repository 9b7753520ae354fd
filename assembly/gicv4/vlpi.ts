// Delivery of VLPIs to a vPE, resident or not, and the doorbells of those that are not (sections 7.3, 7.6). A vPE is
// named by its table entry and its vPEID: GICv4.0 finds its residence by the former, GICv4.1 by the latter.
import { Choice, Counter, Event, Feature, Outcome, Policy } from '../abi';
import { emit } from '../diag/events';
import { NO_CPU } from '../gic/bank';
import { FIRST_LPI } from '../gic/intid';
import { redistributorOf } from '../gic/redistributor';
import { vpeCpu, vpeEnd, vpePendingTable } from '../its/tables';
import { count } from '../memory/counters';
import { machine, policy } from '../memory/machine';
import { ramAt } from '../memory/ram';
import { ringDefaultDoorbell, ringDoorbell } from './default_doorbell';
import { configurationOf } from './vpe_configuration';

const CONFIG_ENABLE: u32 = 1;

/** The PE that a vPE is resident on, where its VLPIs find it; NO_CPU for none (section 7.1). */
export function residence(vte: u64, vpeId: u32): u32 {
  const cpu = vpeCpu(vte);
  if (!machine().has(Feature.GICV4_1)) {
    const rd = redistributorOf(cpu);
    return rd.resident && rd.residentTable == vpePendingTable(vte) ? cpu : NO_CPU;
  }
  const entry = configurationOf(vte, vpeId);
  return changetype<usize>(entry) ? entry.residentCpu(vpeId) : NO_CPU;
}

/** Makes a VLPI pending for a vPE. */
export function setPendingVlpi(vte: u64, vpeId: u32, intid: u32, doorbell: u32): Outcome {
  if (intid < FIRST_LPI || intid >= vpeEnd(vte)) return Outcome.INTID_OUT_OF_RANGE;
  const resident = residence(vte, vpeId);
  if (resident != NO_CPU) {
    const outcome = redistributorOf(resident).virtualLpis.setPending(intid);
    if (outcome == Outcome.PENDING) count(Counter.VLPIS_DIRECT);
    return outcome;
  }
  const at = pendingWord(vte, intid);
  if (at == 0) return Outcome.TABLE_FAULT;
  const word = load<u64>(at);
  const bit = (<u64>1) << (intid & 63);
  const coalesced = (word & bit) != 0;
  store<u64>(at, word | bit);
  if (!coalesced) {
    count(Counter.VLPIS_WAITING);
    emit(Event.VLPI_WAITING, vpeCpu(vte), intid, vpeId);
  }
  if (!coalesced || policy(Policy.doorbellOfPendingVlpi) == Choice.DOORBELL_REPEATED) {
    ringDoorbell(redistributorOf(vpeCpu(vte)), doorbell);
    if (machine().has(Feature.GICV4_1)) ringIfEnabled(vte, vpeId, intid);
  }
  return coalesced ? Outcome.COALESCED : Outcome.PENDING;
}

/** GICv4.1: the default doorbell rings for enabled VLPIs only; they are all Group 1. */
function ringIfEnabled(vte: u64, vpeId: u32, intid: u32): void {
  const entry = configurationOf(vte, vpeId);
  if (changetype<usize>(entry) == 0 || !entry.armedFor(1)) return;
  const config = ramAt(entry.configTable + (intid - FIRST_LPI), 1);
  if (config && load<u8>(config) & CONFIG_ENABLE) ringDefaultDoorbell(entry, 1);
}

/** Removes the pending state of a VLPI; tells whether there was any. A doorbell that rang for it stays. */
export function clearPendingVlpi(vte: u64, vpeId: u32, intid: u32): bool {
  if (intid < FIRST_LPI || intid >= vpeEnd(vte)) return false;
  const resident = residence(vte, vpeId);
  if (resident != NO_CPU) return redistributorOf(resident).virtualLpis.clearPending(intid);
  const at = pendingWord(vte, intid);
  if (at == 0) return false;
  const word = load<u64>(at);
  const bit = (<u64>1) << (intid & 63);
  store<u64>(at, word & ~bit);
  return (word & bit) != 0;
}

/** INV of a VLPI: only a resident vPE has cached configuration. */
export function invalidateVlpi(vte: u64, vpeId: u32, intid: u32): void {
  const resident = residence(vte, vpeId);
  if (resident != NO_CPU) redistributorOf(resident).virtualLpis.invalidate(intid);
  else if (machine().has(Feature.GICV4_1) && isWaiting(vte, intid)) ringIfEnabled(vte, vpeId, intid);
}

/** VINVALL. */
export function invalidateVpe(vte: u64, vpeId: u32): void {
  const resident = residence(vte, vpeId);
  if (resident != NO_CPU) redistributorOf(resident).virtualLpis.invalidateAll();
}

/** Whether a VLPI is pending in the table of a vPE that is not resident. */
function isWaiting(vte: u64, intid: u32): bool {
  if (intid < FIRST_LPI || intid >= vpeEnd(vte)) return false;
  const at = pendingWord(vte, intid);
  return at != 0 && ((load<u64>(at) >> (intid & 63)) & 1) != 0;
}

/** The word of a vPE's pending table, 0 outside RAM. */
function pendingWord(vte: u64, intid: u32): usize {
  return ramAt(vpePendingTable(vte) + ((<u64>intid >> 6) << 3), 8);
}
