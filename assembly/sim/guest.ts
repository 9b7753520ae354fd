// What runs in a vCPU: a program that takes interrupts, computes, does its operations and waits, or a guest that is told
// what to do. Interrupts do not nest.
import { Cost, SimEvent, SimExit, SimOperation, SimUse, SystemRegister } from '../abi';
import { cpuInterfaceOf } from '../gic/cpu_interface';
import { settle } from '../gic/outputs';
import { priceOf } from '../irqchip/costs';
import { OUTSIDE_GUEST_MODE } from '../kvm/state';
import { routeRegister } from '../virt/routing';
import { readVirtualRegister, writeVirtualRegister } from '../virt/system_registers';
import { virtualInterfaceOf } from '../virt/virtual_cpu_interface';
import { use } from './accounting';
import { now } from './clock';
import { acknowledged, finishDevice } from './delivery';
import { prepareOperation } from './emulation';
import { cancel, isScheduled, SIGNAL, STEP, schedule, timeOf, VECTOR } from './event_queue';
import { startTimer } from './guest_timer';
import { NEVER } from './limits';
import { leaveGuest } from './run_loop';
import { Pe, Thread, threadOf, vcpuOfPe } from './state';
import { record } from './trace';

/** What a guest is doing. */
export enum Activity {
  BOOT = 0,
  /** The next round of the program begins. */
  NEXT = 1,
  WORK = 2,
  WAIT = 3,
  /** In a WFI that does not trap. */
  SLEEP = 4,
  COMPUTE = 5,
  ACKNOWLEDGE = 6,
  HANDLE = 7,
  END = 8,
  DEACTIVATE = 9,
  RETURN = 10,
  /** By hand: busy with a command, or waiting for one. */
  MANUAL = 11,
}

const IRQ: u32 = 1;
const VIRQ: u32 = 1;
const SPURIOUS: u32 = 1023;
const PRIORITY_MASK: u64 = 0xf0;
const CTLR_EOIMODE: u64 = 2;

export function hasVirq(cpu: u32): bool {
  return (virtualInterfaceOf(cpu).outputs & VIRQ) != 0;
}

/** A handler runs with interrupts masked; a guest by hand takes none by itself. */
function takesInterrupts(thread: Thread): bool {
  return thread.activity != Activity.BOOT && thread.activity <= <u32>Activity.COMPUTE;
}

/** The vCPU is in the guest. */
export function beginGuest(pe: Pe): void {
  const thread = threadOf(pe.thread);
  const interrupted = (cpuInterfaceOf(pe.cpu).outputs & IRQ) != 0 && !isScheduled(SIGNAL + pe.cpu);
  if (interrupted || vcpuOfPe(pe).mode == OUTSIDE_GUEST_MODE) leaveGuest(pe, SimExit.IRQ);
  else if (!vectorIfDue(pe, thread)) resume(pe, thread);
}

function resume(pe: Pe, thread: Thread): void {
  if (thread.remaining != NEVER) schedule(STEP + pe.cpu, now() + thread.remaining);
}

/** The guest is left: it goes on where it was. A WFI in the PE is over then. */
export function suspendGuest(pe: Pe): void {
  const thread = threadOf(pe.thread);
  if (isScheduled(STEP + pe.cpu)) thread.remaining = timeOf(STEP + pe.cpu) - now();
  if (thread.activity == Activity.SLEEP) wakeInPlace(thread);
}

function wakeInPlace(thread: Thread): void {
  thread.activity = thread.manual ? Activity.MANUAL : Activity.NEXT;
  thread.remaining = thread.manual ? NEVER : 0;
}

/** Begins something that takes a while. */
function start(pe: Pe, thread: Thread, activity: Activity, duration: u64): void {
  thread.activity = activity;
  thread.remaining = duration;
  if (duration == NEVER) cancel(STEP + pe.cpu);
  else schedule(STEP + pe.cpu, now() + duration);
}

/** The time of what the guest is doing is over. */
export function stepGuest(pe: Pe): void {
  const thread = threadOf(pe.thread);
  thread.remaining = 0;
  switch (thread.activity) {
    case Activity.BOOT:
      return boot(pe, thread);
    case Activity.NEXT:
      return nextRound(pe, thread);
    case Activity.WORK:
      return hasOperation(thread) ? operate(pe, thread) : wait(pe, thread);
    case Activity.WAIT:
      return wait(pe, thread);
    case Activity.SLEEP:
      return wakeUp(pe, thread);
    case Activity.ACKNOWLEDGE:
      return acknowledge(pe, thread);
    case Activity.HANDLE:
      return handled(pe, thread);
    case Activity.END:
      return end(pe, thread);
    case Activity.DEACTIVATE:
      return deactivate(pe, thread);
    case Activity.RETURN:
      return leaveHandler(pe, thread);
    case Activity.MANUAL:
      thread.remaining = NEVER;
      return;
    default:
  }
}

// --- the program ---

/** The CPU interface as Linux sets it up, and the timer. */
function boot(pe: Pe, thread: Thread): void {
  const cpu = pe.cpu;
  record(SimEvent.BOOT, cpu, pe.thread, 0, 0);
  writeVirtualRegister(cpu, SystemRegister.ICV_PMR_EL1, PRIORITY_MASK);
  writeVirtualRegister(cpu, SystemRegister.ICV_CTLR_EL1, thread.eoiMode ? CTLR_EOIMODE : 0);
  writeVirtualRegister(cpu, SystemRegister.ICV_IGRPEN1_EL1, 1);
  if (thread.timer) startTimer(cpu, thread);
  settle();
  nextRound(pe, thread);
}

function hasOperation(thread: Thread): bool {
  if (thread.operation == SimOperation.NONE) return false;
  return thread.times == 0 || thread.operations < thread.times;
}

function nextRound(pe: Pe, thread: Thread): void {
  if (thread.manual) start(pe, thread, Activity.MANUAL, NEVER);
  else if (vectorIfDue(pe, thread)) return;
  else if (hasOperation(thread) || (thread.wfi && thread.work)) start(pe, thread, Activity.WORK, thread.work);
  else if (thread.wfi) wait(pe, thread);
  else start(pe, thread, Activity.COMPUTE, NEVER);
}

function operate(pe: Pe, thread: Thread): void {
  thread.operations++;
  thread.activity = thread.wfi ? Activity.WAIT : Activity.NEXT;
  trap(pe, thread, <u32>thread.operation, thread.operationOperand);
}

/** Something that traps; the guest goes on behind it. */
export function trap(pe: Pe, thread: Thread, operation: u32, operand: u64): void {
  record(SimEvent.OPERATION, pe.cpu, pe.thread, operation, <u32>operand);
  leaveGuest(pe, prepareOperation(vcpuOfPe(pe), thread, operation, operand));
}

/** WFI. With a virtual interrupt pending it does nothing; with one on its way to the PE it ends when that arrives. */
export function wait(pe: Pe, thread: Thread): void {
  thread.activity = thread.manual ? Activity.MANUAL : Activity.NEXT;
  thread.remaining = thread.manual ? NEVER : 0;
  const comes = isScheduled(VECTOR + pe.cpu);
  if (hasVirq(pe.cpu) && !comes) {
    record(SimEvent.WAIT, pe.cpu, pe.thread, 0, 0);
    resume(pe, thread);
  } else if (pe.trapsWfi && !comes) {
    record(SimEvent.WAIT, pe.cpu, pe.thread, 1, 0);
    leaveGuest(pe, SimExit.WFI);
  } else {
    record(SimEvent.WAIT, pe.cpu, pe.thread, 2, 0);
    use(pe, SimUse.GUEST_WAIT);
    start(pe, thread, Activity.SLEEP, NEVER);
  }
}

function wakeUp(pe: Pe, thread: Thread): void {
  use(pe, SimUse.GUEST);
  wakeInPlace(thread);
  resume(pe, thread);
}

// --- interrupts ---

/** A virtual interrupt reaches the PE. */
export function takeVector(pe: Pe): void {
  const thread = threadOf(pe.thread);
  if (!hasVirq(pe.cpu)) return;
  if (thread.manual && thread.activity == Activity.SLEEP) wakeUp(pe, thread);
  else if (takesInterrupts(thread)) vector(pe, thread);
}

/** A virtual interrupt that is there and not on its way is taken. */
function vectorIfDue(pe: Pe, thread: Thread): bool {
  if (!hasVirq(pe.cpu) || isScheduled(VECTOR + pe.cpu) || !takesInterrupts(thread)) return false;
  vector(pe, thread);
  return true;
}

/** Whether the guest would see a virtual interrupt that comes now. */
export function watchesInterrupts(thread: Thread): bool {
  return takesInterrupts(thread) || thread.activity == Activity.SLEEP;
}

function vector(pe: Pe, thread: Thread): void {
  if (isScheduled(STEP + pe.cpu)) thread.remaining = timeOf(STEP + pe.cpu) - now();
  if (thread.activity == Activity.SLEEP) {
    use(pe, SimUse.GUEST);
    wakeInPlace(thread);
  }
  thread.savedActivity = thread.activity;
  thread.savedRemaining = thread.remaining;
  record(SimEvent.VECTOR, pe.cpu, pe.thread, 0, 0);
  start(pe, thread, Activity.ACKNOWLEDGE, priceOf(Cost.GUEST_GIC));
}

function acknowledge(pe: Pe, thread: Thread): void {
  thread.intid = readIar(pe, thread);
  if (thread.intid == SPURIOUS) leaveHandler(pe, thread);
  else start(pe, thread, Activity.HANDLE, thread.handler);
}

/** ICC_IAR1_EL1. */
export function readIar(pe: Pe, thread: Thread): u32 {
  const intid = <u32>readVirtualRegister(pe.cpu, SystemRegister.ICV_IAR1_EL1);
  if (intid == SPURIOUS) thread.spurious++;
  const latency = intid == SPURIOUS ? 0 : acknowledged(pe, thread, intid);
  record(SimEvent.ACKNOWLEDGE, pe.cpu, pe.thread, intid, <u32>min<u64>(latency, 0xffffffff));
  settle();
  return intid;
}

/** The handler's work is done; a device with a line lowers it now, an emulated one by an exit to user space. */
function handled(pe: Pe, thread: Thread): void {
  const leaves = finishDevice(pe, thread);
  thread.activity = Activity.END;
  thread.remaining = priceOf(Cost.GUEST_GIC);
  if (leaves) leaveGuest(pe, SimExit.USER);
  else resume(pe, thread);
}

function end(pe: Pe, thread: Thread): void {
  writeEoir(pe, thread.intid);
  if (thread.eoiMode) start(pe, thread, Activity.DEACTIVATE, priceOf(Cost.GUEST_GIC));
  else leaveHandler(pe, thread);
}

/** ICC_EOIR1_EL1. */
export function writeEoir(pe: Pe, intid: u32): void {
  writeVirtualRegister(pe.cpu, SystemRegister.ICV_EOIR1_EL1, intid);
  record(SimEvent.END_OF_INTERRUPT, pe.cpu, pe.thread, intid, 0);
  settle();
}

function deactivate(pe: Pe, thread: Thread): void {
  thread.activity = Activity.RETURN;
  if (writeDir(pe, thread, thread.intid)) leaveHandler(pe, thread);
}

/** ICC_DIR_EL1; false where it traps. */
export function writeDir(pe: Pe, thread: Thread, intid: u32): bool {
  record(SimEvent.DEACTIVATE, pe.cpu, pe.thread, intid, 0);
  if (routeRegister(pe.cpu, SystemRegister.ICC_DIR_EL1) < 0) {
    thread.operand = intid;
    leaveGuest(pe, SimExit.DIR);
    return false;
  }
  writeVirtualRegister(pe.cpu, SystemRegister.ICV_DIR_EL1, intid);
  settle();
  return true;
}

function leaveHandler(pe: Pe, thread: Thread): void {
  thread.activity = thread.savedActivity;
  thread.remaining = thread.savedRemaining;
  if (vectorIfDue(pe, thread)) return;
  if (thread.remaining == NEVER) cancel(STEP + pe.cpu);
  resume(pe, thread);
}
