// What the host calls of the simulation. Times are ns, exact below 2^53.
import { Cost, Outcome, SimFlow, SimThread, SimUse } from '../abi';
import { priceOf, setPrice, takeSpent, timesOf } from '../irqchip/costs';
import { EINVAL, ENOMEM } from '../irqchip/errno';
import { NONE } from '../kvm/limits';
import { guestWrite } from '../kvm/mmio/dispatch';
import { vcpuOf, vmOf } from '../kvm/state';
import { machine } from '../memory/machine';
import { accountFor } from './accounting';
import { setOwner } from './delivery';
import { startDevice } from './devices';
import { deviceFlow, Flow, sgiFlow, timerFlow } from './flow';
import { hasVirq } from './guest';
import { histogramAt } from './histogram';
import { NEVER } from './limits';
import { awaitsCommand, command } from './manual';
import { setDeviceParameter, setGuestParameter, setSimParameter } from './parameters';
import { lookAtAllPolls } from './polling';
import { follow, runUntil } from './run';
import { addThread, setUpSim } from './set_up';
import { Device, deviceOf, Pe, peOf, RUNNING, sim, Thread, threadOf } from './state';
import { recordAt } from './trace';

/** A limit at or beyond this is none. */
const FOREVER: f64 = 9007199254740992.0;

export function simSetUp(seed: f64): i32 {
  return setUpSim(<u64>seed);
}

export function simSetParameter(parameter: u32, value: f64): i32 {
  return setSimParameter(sim(), parameter, <u64>value) ? 0 : EINVAL;
}

export function simSetPrice(cost: Cost, nanoseconds: u32): void {
  if (<u32>cost < <u32>Cost.COUNT) setPrice(cost, nanoseconds);
}

export function simPrice(cost: Cost): u32 {
  return <u32>cost < <u32>Cost.COUNT ? priceOf(cost) : 0;
}

/** How often an operation happened. */
export function simTimes(cost: Cost): f64 {
  return <u32>cost < <u32>Cost.COUNT ? <f64>timesOf(cost) : 0;
}

export function simSetGuest(vcpu: u32, parameter: u32, value: f64): i32 {
  return vcpu < machine().vcpuLimit && setGuestParameter(threadOf(vcpu), parameter, <u64>value) ? 0 : EINVAL;
}

/** Starts the thread of a vCPU, bound to a PE or, with all ones, to none. */
export function simStart(vcpu: u32, pinned: u32): i32 {
  if (!sim().ready) return EINVAL;
  fromOutside();
  const failed = addThread(vcpu, pinned);
  if (failed == 0) follow();
  return failed;
}

/** What follows is done by nobody on a PE, and takes no time. */
function fromOutside(): void {
  sim().actor = NONE;
  sim().lead = 0;
  lookAtAllPolls();
}

/** A new device; its number. */
export function simAddDevice(): i32 {
  if (!sim().ready) return EINVAL;
  const n = sim().devices;
  if (n == machine().deviceLimit) return ENOMEM;
  sim().devices = n + 1;
  return <i32>n;
}

export function simSetDevice(device: u32, parameter: u32, value: f64): i32 {
  return device < sim().devices && setDeviceParameter(deviceOf(device), parameter, <u64>value) ? 0 : EINVAL;
}

export function simStartDevice(device: u32): i32 {
  if (device >= sim().devices) return EINVAL;
  const vm = <u32>deviceOf(device).vm;
  if (vm >= machine().vmLimit || !vmOf(vm).used) return EINVAL;
  setOwner(vm, <u32>deviceOf(device).intid, device);
  startDevice(device);
  return 0;
}

/** User space's access to a frame of the VGIC, outside of simulated time. */
export function simUserWrite(vcpu: u32, address: f64, size: u32, low: u32, high: u32): i32 {
  if (vcpu >= machine().vcpuLimit || !vcpuOf(vcpu).used) return EINVAL;
  fromOutside();
  guestWrite(vcpu, <u64>address, size, ((<u64>high) << 32) | low);
  takeSpent();
  follow();
  return 0;
}

/** Processes events up to and with a time, at most so many; how many it were. */
export function simRun(until: f64, events: f64): f64 {
  if (!sim().ready) return 0;
  return <f64>runUntil(until >= FOREVER ? NEVER : <u64>until, <u64>events);
}

/** A command to a guest by hand: a result, or an errno. */
export function simCommand(vcpu: u32, what: u32, operand: f64): i32 {
  return vcpu < machine().vcpuLimit && sim().ready ? command(vcpu, what, <u64>operand) : EINVAL;
}

// --- inspection ---

export function simNow(): f64 {
  return <f64>sim().now;
}

export function simProcessed(): f64 {
  return <f64>sim().processed;
}

/** The digest of all that happened; the upper half is left as the result's. */
export function simDigest(): u32 {
  machine().resultHigh = <u32>(sim().digest >> 32);
  return <u32>sim().digest;
}

export function simRecords(): u32 {
  return sim().records;
}

export function simRecordAt(n: u32): usize {
  return recordAt(n);
}

/** Histogram of a device (kind 0), a vCPU's timer (1) or a vCPU's SGIs (2); 0 where there is none. */
export function simHistogramAt(kind: u32, n: u32): usize {
  return isFlow(kind, n) ? histogramAt(flowOf(kind, n, 0).histogram) : 0;
}

export function simFlow(kind: u32, n: u32, sgi: u32, field: SimFlow): f64 {
  if (!isFlow(kind, n)) return -1;
  const flow = flowOf(kind, n, sgi);
  switch (field) {
    case SimFlow.INJECTED:
      return <f64>flow.injected;
    case SimFlow.DELIVERED:
      return <f64>flow.delivered;
    case SimFlow.COALESCED:
      return <f64>flow.coalesced;
    case SimFlow.DROPPED:
      return <f64>flow.dropped;
    case SimFlow.PENDING:
      return flow.pending;
    case SimFlow.REPEATED:
      return <f64>flow.repeated;
    default:
      return -1;
  }
}

function isFlow(kind: u32, n: u32): bool {
  return n < (kind == 0 ? machine().deviceLimit : machine().vcpuLimit);
}

function flowOf(kind: u32, n: u32, sgi: u32): Flow {
  if (kind == 0) return deviceFlow(n);
  return kind == 1 ? timerFlow(n) : sgiFlow(n, sgi & 15);
}

/** How many interrupts of a device had an outcome. */
export function simOutcome(device: u32, outcome: Outcome): f64 {
  if (device >= machine().deviceLimit || <u32>outcome >= <u32>Outcome.COUNT) return -1;
  const first = changetype<usize>(deviceOf(device)) + offsetof<Device>('outcomes0');
  return <f64>load<u64>(first + ((<usize>outcome) << 3));
}

/** ns that a PE was used in a way, up to now. */
export function simPeTime(cpu: u32, use: SimUse): f64 {
  if (!sim().ready || cpu >= machine().cpuCount) return -1;
  accountFor(peOf(cpu));
  return <f64>load<u64>(changetype<usize>(peOf(cpu)) + offsetof<Pe>('time0') + ((<usize>use) << 3));
}

/** The vCPU whose thread a PE runs, -1 for none. */
export function simThreadOn(cpu: u32): i32 {
  return sim().ready && cpu < machine().cpuCount ? <i32>peOf(cpu).thread : -1;
}

export function simBackEnd(): f64 {
  return <f64>sim().backEnd;
}

export function simThread(vcpu: u32, field: SimThread): f64 {
  if (vcpu >= machine().vcpuLimit) return -1;
  const thread = threadOf(vcpu);
  if (thread.state == RUNNING) accountFor(peOf(thread.cpu));
  const base = changetype<usize>(thread);
  if (field >= SimThread.TIME) {
    return <f64>load<u64>(base + offsetof<Thread>('time0') + ((<usize>(field - SimThread.TIME)) << 3));
  }
  if (field >= SimThread.EXITS) {
    return <f64>load<u64>(base + offsetof<Thread>('exits0') + ((<usize>(field - SimThread.EXITS)) << 3));
  }
  return threadField(vcpu, thread, field);
}

function threadField(vcpu: u32, thread: Thread, field: SimThread): f64 {
  switch (field) {
    case SimThread.STATE:
      return thread.state;
    case SimThread.CPU:
      return thread.cpu;
    case SimThread.WAITED:
      return <f64>thread.waited;
    case SimThread.SLEPT:
      return <f64>thread.slept;
    case SimThread.MIGRATIONS:
      return <f64>thread.migrations;
    case SimThread.PREEMPTIONS:
      return <f64>thread.preemptions;
    case SimThread.WAKEUPS:
      return <f64>thread.wakeups;
    case SimThread.POLLS:
      return <f64>thread.polls;
    case SimThread.POLLS_SUCCESSFUL:
      return <f64>thread.pollsSuccessful;
    case SimThread.OPERATIONS:
      return <f64>thread.operations;
    case SimThread.SPURIOUS:
      return <f64>thread.spurious;
    case SimThread.AWAITS:
      return awaitsCommand(vcpu) ? 1 : 0;
    case SimThread.VIRQ:
      return thread.state == RUNNING && peOf(thread.cpu).thread != NONE && hasVirq(thread.cpu) ? 1 : 0;
    default:
      return -1;
  }
}
