// The run loop without time: after each action everything that follows from it happens at once. vCPUs leave the guest for
// the host's interrupts and come back, sleeping ones that were woken continue on their PE. Where time matters the
// simulation calls the same steps one by one.
import { cpuInterfaceOf } from '../gic/cpu_interface';
import { settle } from '../gic/outputs';
import { machine } from '../memory/machine';
import { handleHostInterrupts } from './host';
import { wake } from './kick';
import { NONE } from './limits';
import { loadedVcpu } from './loaded';
import {
  beginWfi,
  endWfi,
  enterGuest,
  exitGuest,
  fallAsleep,
  isRunnable,
  loadVcpu,
  putVcpu,
  takeRequests,
} from './run';
import { EXITING_GUEST_MODE, kvm, OUTSIDE_GUEST_MODE, Vcpu, vcpuOf } from './state';
import { dropWoken, pushWoken, takeWoken } from './woken';

/** Rounds after which a machine that never comes to rest is left alone: an interrupt that nobody can take away. */
const MOST_ROUNDS: u32 = 1000;

/** Lets everything happen that is due; whether it came to an end. */
export function serveAll(): bool {
  for (let round: u32 = 0; round < MOST_ROUNDS; round++) {
    if (!serveRound()) return true;
  }
  return false;
}

function serveRound(): bool {
  settle();
  let busy = resumeWoken();
  for (let cpu: u32 = 0; cpu < machine().cpuCount; cpu++) {
    if (serveCpu(cpu)) busy = true;
  }
  return busy;
}

function isSignalled(cpu: u32): bool {
  return (cpuInterfaceOf(cpu).outputs & 1) != 0;
}

function serveCpu(cpu: u32): bool {
  const n = loadedVcpu(cpu);
  if (n != NONE && vcpuOf(n).mode != OUTSIDE_GUEST_MODE) return serveGuest(vcpuOf(n));
  if (n != NONE && vcpuOf(n).running && enter(vcpuOf(n))) return true;
  return isSignalled(cpu) && handleHostInterrupts(cpu) > 0;
}

function serveGuest(vcpu: Vcpu): bool {
  if (!isSignalled(vcpu.loadedOn) && vcpu.mode != EXITING_GUEST_MODE) return false;
  exitGuest(vcpu);
  return true;
}

/** Into the guest, in the next round where a request came in between; false where it is held outside. */
function enter(vcpu: Vcpu): bool {
  if (!takeRequests(vcpu)) return false;
  enterGuest(vcpu);
  return true;
}

/** Threads that were woken go on where they slept, as soon as their PE is free. */
function resumeWoken(): bool {
  const last = kvm().lastWoken;
  let resumed = false;
  // Who has to wait for its PE queues up again, behind the last one.
  for (let n = takeWoken(); n != NONE; n = n == last ? NONE : takeWoken()) {
    if (resume(vcpuOf(n))) resumed = true;
  }
  return resumed;
}

function resume(vcpu: Vcpu): bool {
  // It runs already, on a PE that user space chose.
  if (vcpu.loadedOn != NONE) return false;
  if (!isRunnable(vcpu)) vcpu.asleep = true;
  else if (loadedVcpu(vcpu.lastCpu) != NONE) pushWoken(vcpu);
  else {
    loadVcpu(vcpu, vcpu.lastCpu);
    endWfi(vcpu);
    vcpu.running = true;
    return true;
  }
  return false;
}

/** KVM_RUN on a PE that is free. */
export function runVcpu(vcpu: Vcpu, cpu: u32): i32 {
  const failed = loadVcpu(vcpu, cpu);
  if (failed) return failed;
  if (vcpu.inWfi) endWfi(vcpu);
  vcpu.running = true;
  serveAll();
  return 0;
}

/** The thread loses its PE: preempted, or back to user space. A signal does so for one that sleeps. */
export function stopVcpu(vcpu: Vcpu): i32 {
  vcpu.running = false;
  if (vcpu.loadedOn == NONE) {
    vcpu.asleep = false;
    dropWoken(vcpu);
    return 0;
  }
  if (vcpu.mode != OUTSIDE_GUEST_MODE) exitGuest(vcpu);
  const failed = putVcpu(vcpu);
  serveAll();
  return failed;
}

/** The guest's WFI, trapped: nothing to do means that the thread sleeps. */
export function waitForInterrupt(vcpu: Vcpu): void {
  exitGuest(vcpu);
  beginWfi(vcpu);
  if (isRunnable(vcpu)) endWfi(vcpu);
  else {
    vcpu.running = false;
    fallAsleep(vcpu);
    // A doorbell or a kick may have come while it went.
    if (isRunnable(vcpu)) wake(vcpu);
  }
  serveAll();
}
