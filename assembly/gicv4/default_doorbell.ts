// GICv4.1 default doorbells: one LPI per vPE, rung at most once for each request (section 7.6).
import { Counter, Event, Outcome } from '../abi';
import { emit } from '../diag/events';
import { SPURIOUS } from '../gic/intid';
import { setPendingLpi } from '../gic/lpi';
import { Redistributor, redistributorOf } from '../gic/redistributor';
import { vpeCpu } from '../its/tables';
import { count } from '../memory/counters';
import { VpeConfiguration } from './vpe_configuration';

/** A doorbell that rings nowhere. */
export const NO_DOORBELL: u32 = SPURIOUS;

/** Makes a doorbell LPI pending. */
export function ringDoorbell(rd: Redistributor, doorbell: u32): void {
  if (doorbell == NO_DOORBELL) return;
  const outcome = setPendingLpi(rd, doorbell);
  emit(Event.DOORBELL, rd.cpu, doorbell);
  if (outcome == Outcome.PENDING) count(Counter.DOORBELLS);
  else count(outcome == Outcome.COALESCED ? Counter.DOORBELLS_COALESCED : Counter.DOORBELLS_DROPPED);
}

/**
 * An interrupt of `group` is pending and enabled for a vPE that is not resident. Its doorbell rings, where it was
 * requested for that group, on the redistributor that the vPE is mapped to: that of VMAPP or VMOVP, not that of its
 * last residence (section 11, item 6). From then on it is an ordinary LPI, which making the vPE resident does not take
 * back; with EnableLPIs=0 it is lost, and the request with it.
 */
export function ringDefaultDoorbell(entry: VpeConfiguration, group: u32): void {
  if (!entry.armedFor(group) || !entry.disarm()) return;
  ringDoorbell(redistributorOf(vpeCpu(entry.mapping)), entry.defaultDoorbell);
}
