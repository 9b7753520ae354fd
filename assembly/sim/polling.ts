// PEs whose vCPU polls before it sleeps. A poll reads memory over and over; here it looks once after each event that could
// have changed what it reads.
import { nextPending } from '../kvm/arch_timer';
import { changedPes } from '../kvm/changes';
import { addPe, hasPe, removePe } from '../kvm/pe_set';
import { machine } from '../memory/machine';
import { NEVER } from './limits';
import { peOf, Sim, sim } from './state';
import { checkPoll } from './wfi';

function pollingPes(): usize {
  return changetype<usize>(sim()) + offsetof<Sim>('polling0');
}

export function beginPolling(cpu: u32): void {
  addPe(pollingPes(), cpu);
  sim().polling += 1;
  lookAtPoll(cpu);
}

export function endPolling(cpu: u32): void {
  if (!hasPe(pollingPes(), cpu)) return;
  removePe(pollingPes(), cpu);
  sim().polling -= 1;
}

/** Another thread wants the PE. */
export function lookAtPoll(cpu: u32): void {
  addPe(changedPes(), cpu);
}

/** The host may have changed anything. */
export function lookAtAllPolls(): void {
  sim().pollsUntil = 0;
}

export function checkPolls(): void {
  const self = sim();
  if (self.polling == 0) return;
  const all = machine().counter >= self.pollsUntil;
  if (all) self.pollsUntil = NEVER;
  for (let word: u32 = 0; word << 6 < machine().cpuCount; word++) {
    const changedAt = changedPes() + (word << 3);
    const changed = all ? ~(<u64>0) : load<u64>(changedAt);
    if (changed == 0) continue;
    store<u64>(changedAt, 0);
    const polling = load<u64>(pollingPes() + (word << 3));
    for (let bits = polling & changed; bits; bits &= bits - 1) check((word << 6) | <u32>ctz(bits));
  }
}

function check(cpu: u32): void {
  const pe = peOf(cpu);
  if (!checkPoll(pe)) return;
  sim().pollsUntil = min<u64>(sim().pollsUntil, nextPending(pe.thread));
}
