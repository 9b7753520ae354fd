// Delivery of VLPIs to a vPE, resident or not, and the doorbells of those that are not (section 7.3).
import { Choice, Counter, Outcome, Policy } from '../abi';
import { FIRST_LPI, SPURIOUS } from '../gic/intid';
import { setPendingLpi } from '../gic/lpi';
import { Redistributor, redistributorOf } from '../gic/redistributor';
import { vpeCpu, vpeEnd, vpePendingTable } from '../its/tables';
import { count } from '../memory/counters';
import { policy } from '../memory/machine';
import { ramAt } from '../memory/ram';

/** A doorbell that rings nowhere. */
export const NO_DOORBELL: u32 = SPURIOUS;

/** Whether the vPE of a table entry is resident on the redistributor that it is mapped to: section 7.1. */
export function isResident(rd: Redistributor, vte: u64): bool {
  return rd.resident != 0 && rd.residentTable == vpePendingTable(vte);
}

/** Makes a VLPI pending for a vPE. */
export function setPendingVlpi(vte: u64, intid: u32, doorbell: u32): Outcome {
  if (intid < FIRST_LPI || intid >= vpeEnd(vte)) return Outcome.INTID_OUT_OF_RANGE;
  const rd = redistributorOf(vpeCpu(vte));
  if (isResident(rd, vte)) {
    const outcome = rd.virtualLpis.setPending(intid);
    if (outcome == Outcome.PENDING) count(Counter.VLPIS_DIRECT);
    return outcome;
  }
  const at = pendingWord(vte, intid);
  if (at == 0) return Outcome.TABLE_FAULT;
  const word = load<u64>(at);
  const bit = (<u64>1) << (intid & 63);
  const coalesced = (word & bit) != 0;
  store<u64>(at, word | bit);
  if (!coalesced) count(Counter.VLPIS_WAITING);
  if (!coalesced || policy(Policy.doorbellOfPendingVlpi) == Choice.DOORBELL_REPEATED)
    ringDoorbell(rd, doorbell);
  return coalesced ? Outcome.COALESCED : Outcome.PENDING;
}

/** Removes the pending state of a VLPI; tells whether there was any. A doorbell that rang for it stays. */
export function clearPendingVlpi(vte: u64, intid: u32): bool {
  if (intid < FIRST_LPI || intid >= vpeEnd(vte)) return false;
  const rd = redistributorOf(vpeCpu(vte));
  if (isResident(rd, vte)) return rd.virtualLpis.clearPending(intid);
  const at = pendingWord(vte, intid);
  if (at == 0) return false;
  const word = load<u64>(at);
  const bit = (<u64>1) << (intid & 63);
  store<u64>(at, word & ~bit);
  return (word & bit) != 0;
}

/** INV of a VLPI: only a resident vPE has cached configuration. */
export function invalidateVlpi(vte: u64, intid: u32): void {
  const rd = redistributorOf(vpeCpu(vte));
  if (isResident(rd, vte)) rd.virtualLpis.invalidate(intid);
}

/** VINVALL. */
export function invalidateVpe(vte: u64): void {
  const rd = redistributorOf(vpeCpu(vte));
  if (isResident(rd, vte)) rd.virtualLpis.invalidateAll();
}

function ringDoorbell(rd: Redistributor, doorbell: u32): void {
  if (doorbell == NO_DOORBELL) return;
  const outcome = setPendingLpi(rd, doorbell);
  if (outcome == Outcome.PENDING) count(Counter.DOORBELLS);
  else count(outcome == Outcome.COALESCED ? Counter.DOORBELLS_COALESCED : Counter.DOORBELLS_DROPPED);
}

/** The word of a vPE's pending table, 0 outside RAM. */
function pendingWord(vte: u64, intid: u32): usize {
  return ramAt(vpePendingTable(vte) + ((<u64>intid >> 6) << 3), 8);
}
