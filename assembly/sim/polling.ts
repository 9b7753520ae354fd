// PEs whose vCPU polls before it sleeps. A poll reads memory over and over; here it looks once after each event that could
// have changed what it reads.
import { nextPending } from '../kvm/arch_timer';
import { NONE } from '../kvm/limits';
import { kvm } from '../kvm/state';
import { machine } from '../memory/machine';
import { NEVER } from './limits';
import { addPe, hasPe, nextPe, removePe } from './pe_set';
import { peOf, Sim, sim } from './state';
import { checkPoll } from './wfi';

function pollingPes(): usize {
  return changetype<usize>(sim()) + offsetof<Sim>('polling0');
}

export function beginPolling(cpu: u32): void {
  addPe(pollingPes(), cpu);
  sim().polling += 1;
  lookAtPolls();
}

export function endPolling(cpu: u32): void {
  if (!hasPe(pollingPes(), cpu)) return;
  removePe(pollingPes(), cpu);
  sim().polling -= 1;
}

/** Something happened that `Kvm.changes` does not tell of. */
export function lookAtPolls(): void {
  sim().changesSeen = NEVER;
}

export function checkPolls(): void {
  const self = sim();
  if (self.polling == 0) return;
  if (self.changesSeen == kvm().changes && machine().counter < self.pollsUntil) return;
  self.changesSeen = kvm().changes;
  self.pollsUntil = NEVER;
  for (let cpu = nextPe(pollingPes(), 0); cpu != NONE; cpu = nextPe(pollingPes(), cpu + 1)) {
    const pe = peOf(cpu);
    checkPoll(pe);
    self.pollsUntil = min<u64>(self.pollsUntil, nextPending(pe.thread));
  }
}
