// Physical CPUs, the threads of vCPUs, the guests that run in them, devices.
import { Vcpu, vcpuOf } from '../kvm/state';
import { areaAt, PES_AT, simTables } from './areas';

@unmanaged
export class Sim {
  /** ns since the beginning, and the counter of the generic timers then. */
  now: u64;
  origin: u64;
  /** Events scheduled so far, and processed. */
  sequence: u64;
  processed: u64;
  digest: u64;
  /** Places of the queue that are taken, the first of them perhaps vacant; records of the trace. */
  events: u32;
  vacant: bool;
  records: u32;
  devices: u32;
  /** PE whose code runs, NONE for a device or user space elsewhere. */
  actor: u32;
  /** How long the step of this event takes: other PEs see at its end what it did. */
  lead: u64;
  /** Threads that wait for a PE. */
  queued: u32;
  /** ns that devices' back ends were busy. */
  backEnd: u64;
  /** `SimParameter`. */
  slice: u64;
  wakeupGranularity: u64;
  haltPoll: u64;
  haltPollGrowStart: u64;
  haltPollGrow: u64;
  haltPollShrink: u64;
  trapWfi: u64;
  seed: u64;
  /** A bit for each PE that is idle. */
  idle0: u64;
  idle1: u64;
  idle2: u64;
  idle3: u64;
  idle4: u64;
  idle5: u64;
  idle6: u64;
  idle7: u64;
  /** A bit for each PE that polls, and how many they are. */
  polling0: u64;
  polling1: u64;
  polling2: u64;
  polling3: u64;
  polling4: u64;
  polling5: u64;
  polling6: u64;
  polling7: u64;
  polling: u32;
  ready: u32;
  /** Value of the counter before which time alone ends no poll. */
  pollsUntil: u64;
}

/** What a PE does next. */
export enum Phase {
  IDLE = 0,
  /** Takes a thread, or becomes idle. */
  SCHEDULE = 1,
  RUN = 2,
  LOAD = 3,
  CHECK = 4,
  FLUSH = 5,
  FINAL_CHECK = 6,
  /** The world switch is under way. */
  ENTERING = 7,
  GUEST = 8,
  SYNC = 9,
  HANDLE_EXIT = 10,
  USER = 11,
  WFI = 12,
  POLL = 13,
  SLEEP = 14,
  WAKE_CHECK = 15,
  WFI_END = 16,
}

@unmanaged
export class Pe {
  cpu: u32;
  phase: u32;
  /** vCPU whose thread it runs, NONE while there is none. */
  thread: u32;
  /** Threads that wait for it. */
  first: u32;
  last: u32;
  queued: u32;
  needsResched: bool;
  /** WFI of the loaded vCPU traps. */
  trapsWfi: bool;
  /** The timer of the slice has fired: a host interrupt that is still to be taken. */
  tick: bool;
  /** `SimExit`, and what `switchOut` gave. */
  exitReason: u32;
  ended: u32;
  /** `SimUse` of the time since `since`. */
  use: u32;
  since: u64;
  /** When the thread got the PE. */
  started: u64;
  minimumRuntime: u64;
  /** End of what the PE does with interrupts on; interrupts that it takes meanwhile put it off. */
  busyUntil: u64;
  time0: u64;
  time1: u64;
  time2: u64;
  time3: u64;
  time4: u64;
  time5: u64;
  time6: u64;
  time7: u64;
}

export const OFF: u32 = 0;
export const RUNNING: u32 = 1;
export const RUNNABLE: u32 = 2;
export const ASLEEP: u32 = 3;

@unmanaged
export class Thread {
  state: u32;
  /** PE that it runs on, waits for, or ran on last. */
  cpu: u32;
  /** PE that it is bound to, NONE for any. */
  pinned: u32;
  /** Next in the queue of its PE. */
  next: u32;
  /** `Phase` that it goes on with when it gets a PE. */
  resume: u32;
  /** `Cost` of that switch. */
  switchCost: u32;
  /** CPU time, in the fair scheduler's terms. */
  runtime: u64;
  /** Since when it waits or sleeps. */
  since: u64;
  waited: u64;
  slept: u64;
  migrations: u64;
  preemptions: u64;
  wakeups: u64;
  /** halt_poll_ns of the vCPU, and when the halt began. */
  haltPoll: u64;
  haltStart: u64;
  polls: u64;
  pollsSuccessful: u64;
  /** Exits by `SimExit`. */
  exits0: u64;
  exits1: u64;
  exits2: u64;
  exits3: u64;
  exits4: u64;
  exits5: u64;
  exits6: u64;
  /** ns by `SimUse`. */
  time0: u64;
  time1: u64;
  time2: u64;
  time3: u64;
  time4: u64;
  time5: u64;
  time6: u64;
  time7: u64;

  /** `Activity` of the guest, and how much of its time is left. */
  activity: u32;
  remaining: u64;
  /** What an interrupt handler came into. */
  savedActivity: u32;
  savedRemaining: u64;
  /** Interrupt that is handled. */
  intid: u32;
  /** Operands of what trapped. */
  operand: u64;
  /** Operations done. */
  operations: u64;
  spurious: u64;
  /** When the virtual timer fires next, as a value of the physical counter. */
  timerCompare: u64;
  /** Device whose line user space lowers, and one; 0 for none. */
  lowers: u32;
  /** `SimGuestParameter`. */
  manual: u64;
  wfi: u64;
  handler: u64;
  eoiMode: u64;
  timer: u64;
  work: u64;
  operation: u64;
  operationOperand: u64;
  times: u64;

  sleep(): void {
    this.state = ASLEEP;
  }
}

@unmanaged
export class Device {
  /** `SimDeviceParameter`. */
  kind: u64;
  vm: u64;
  intid: u64;
  its: u64;
  deviceId: u64;
  eventId: u64;
  arrival: u64;
  period: u64;
  burst: u64;
  gap: u64;
  start: u64;
  limit: u64;
  hostSpi: u64;
  irqfd: u64;

  /** When it fires next; its random numbers; how many of a burst are left. */
  next: u64;
  random: u64;
  burstLeft: u64;
  fired: u64;
  /** The line is high. */
  line: bool;
  /** MSIs by `Outcome`. */
  outcomes0: u64;
  outcomes1: u64;
  outcomes2: u64;
  outcomes3: u64;
  outcomes4: u64;
  outcomes5: u64;
  outcomes6: u64;
  outcomes7: u64;
  outcomes8: u64;
  outcomes9: u64;
  outcomes10: u64;
  outcomes11: u64;
  outcomes12: u64;
}

export function sim(): Sim {
  return changetype<Sim>(areaAt(0));
}

export function peOf(cpu: u32): Pe {
  return changetype<Pe>(areaAt(PES_AT) + <usize>cpu * offsetof<Pe>());
}

/** The thread of a vCPU. */
export function threadOf(vcpu: u32): Thread {
  return changetype<Thread>(simTables().threads + <usize>vcpu * offsetof<Thread>());
}

export function deviceOf(n: u32): Device {
  return changetype<Device>(simTables().devices + <usize>n * offsetof<Device>());
}

export function vcpuOfPe(pe: Pe): Vcpu {
  return vcpuOf(pe.thread);
}

/** Adds to one of several counters in a row. */
export function addAt(first: usize, n: u32, value: u64): void {
  const at = first + (n << 3);
  store<u64>(at, load<u64>(at) + value);
}
