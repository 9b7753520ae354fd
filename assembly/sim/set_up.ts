// The beginning of a simulation: idle PEs, no threads, time zero.
import { Layer } from '../abi';
import { EBUSY, EINVAL, ENODEV } from '../irqchip/errno';
import { NONE } from '../kvm/limits';
import { kvm, vcpuOf, vmOf } from '../kvm/state';
import { machine } from '../memory/machine';
import { Activity } from './guest';
import { addToIdle } from './idle';
import { MAX_CPUS } from './limits';
import { startThread } from './scheduler';
import { OFF, peOf, sim, threadOf } from './state';

export function setUpSim(seed: u64): i32 {
  if (machine().layers < <u32>Layer.SIMULATION) return ENODEV;
  if (!kvm().ready || machine().cpuCount > MAX_CPUS) return EINVAL;
  const self = sim();
  if (self.ready) return EBUSY;
  self.origin = machine().counter;
  self.seed = seed;
  self.digest = seed;
  self.actor = NONE;
  for (let cpu: u32 = 0; cpu < machine().cpuCount; cpu++) {
    const pe = peOf(cpu);
    pe.cpu = cpu;
    pe.thread = NONE;
    pe.first = NONE;
    pe.last = NONE;
    addToIdle(cpu);
    store<u64>(machine().attention + ((cpu >> 6) << 3), 0);
  }
  self.ready = 1;
  return 0;
}

/** The thread of a vCPU calls KVM_RUN, bound to a PE or not. Its guest's parameters were set before. */
export function addThread(n: u32, pinned: u32): i32 {
  if (!sim().ready || n >= machine().vcpuLimit || !vcpuOf(n).used || !vmOf(vcpuOf(n).vm).initialized)
    return EINVAL;
  if (pinned != NONE && pinned >= machine().cpuCount) return EINVAL;
  const thread = threadOf(n);
  if (thread.state != OFF) return EBUSY;
  thread.pinned = pinned;
  thread.cpu = pinned == NONE ? n % machine().cpuCount : pinned;
  thread.activity = Activity.BOOT;
  startThread(n);
  return 0;
}
