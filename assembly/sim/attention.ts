// PEs whose outputs changed: physical interrupts reach the host, virtual ones the guest, after their time on the way.
import { Cost, SimEvent, SimExit, SimUse } from '../abi';
import { cpuInterfaceOf, NOTHING_PENDING } from '../gic/cpu_interface';
import { isLpi } from '../gic/intid';
import { priceOf, takeSpent } from '../irqchip/costs';
import { expireSoftTimer, timersOf } from '../kvm/arch_timer';
import { NONE } from '../kvm/limits';
import { OUTSIDE_GUEST_MODE } from '../kvm/state';
import { machine } from '../memory/machine';
import { virtualInterfaceOf } from '../virt/virtual_cpu_interface';
import { insertUse, use } from './accounting';
import { now } from './clock';
import { isScheduled, SIGNAL, STEP, schedule, timeOf, VECTOR } from './event_queue';
import { hasVirq, takeVector, watchesInterrupts } from './guest';
import { removeFromIdle } from './idle';
import { NEVER } from './limits';
import { lookAtPoll } from './polling';
import { leaveGuest, takeHostInterrupts } from './run_loop';
import { ASLEEP, Pe, Phase, peOf, sim, threadOf, vcpuOfPe } from './state';
import { proceed } from './step';
import { record } from './trace';
import { armSoftTimer } from './wfi';

const IRQ: u32 = 1;
const INTID: u32 = 0x7fffff;
const FIRST_PPI: u32 = 16;
/** The winner is not a list register. */
const FIRST_DIRECT: u32 = 16;

/** Looks at all PEs whose outputs changed. */
export function attend(): void {
  const m = machine();
  const words = (m.cpuCount + 63) >> 6;
  for (let word: u32 = 0; word < words; word++) {
    const at = m.attention + (word << 3);
    let bits = load<u64>(at);
    if (bits == 0) continue;
    store<u64>(at, 0);
    for (; bits; bits &= bits - 1) attendPe(peOf((word << 6) | <u32>ctz(bits)));
  }
}

function attendPe(pe: Pe): void {
  const cpu = pe.cpu;
  if (cpuInterfaceOf(cpu).outputs & IRQ) {
    const lead = cpu == sim().actor ? 0 : sim().lead;
    const at = now() + lead + latencyOf(cpuInterfaceOf(cpu).highestPending);
    if (at < timeOf(SIGNAL + cpu)) schedule(SIGNAL + cpu, at);
  }
  if (pe.phase != Phase.GUEST) return;
  if (vcpuOfPe(pe).mode == OUTSIDE_GUEST_MODE) leaveGuest(pe, SimExit.IRQ);
  else if (hasVirq(cpu) && !isScheduled(VECTOR + cpu) && watchesInterrupts(threadOf(pe.thread))) {
    const isDirect = virtualInterfaceOf(cpu).winner >= FIRST_DIRECT;
    schedule(VECTOR + cpu, now() + (isDirect ? priceOf(Cost.VLPI) : 0));
  }
}

/** From an interrupt that becomes pending until the PE notices. */
function latencyOf(highestPending: u32): u64 {
  if (highestPending == NOTHING_PENDING) return 0;
  const intid = highestPending & INTID;
  if (isLpi(intid)) return priceOf(Cost.DOORBELL);
  return intid < FIRST_PPI ? priceOf(Cost.IPI) : 0;
}

/** A virtual interrupt reaches its PE. */
export function vectorPe(cpu: u32): void {
  if (peOf(cpu).phase == Phase.GUEST) takeVector(peOf(cpu));
}

/** The host has its interrupts off: from the flush to the sync. */
function isMasked(phase: u32): bool {
  return phase == Phase.FINAL_CHECK || phase == Phase.ENTERING || phase == Phase.SYNC;
}

/** A physical interrupt reaches its PE. */
export function signalPe(cpu: u32): void {
  const pe = peOf(cpu);
  if ((cpuInterfaceOf(cpu).outputs & IRQ) != 0) interrupt(pe);
}

/** What runs on a PE is interrupted: a guest is left, the host handles it at once or when its interrupts are on. */
function interrupt(pe: Pe): void {
  sim().actor = pe.cpu;
  if (pe.phase == Phase.GUEST) return leaveGuest(pe, SimExit.IRQ);
  if (isMasked(pe.phase)) return;
  const isIdle = pe.phase == Phase.IDLE;
  if (isIdle) {
    use(pe, SimUse.HOST_IRQ);
    removeFromIdle(pe.cpu);
  }
  record(SimEvent.SIGNAL, pe.cpu, pe.thread, takeHostInterrupts(pe), 0);
  if (isIdle) proceed(pe, Phase.SCHEDULE);
  else putOff(pe);
}

/** Handlers take their time from the step that they came into. */
function putOff(pe: Pe): void {
  const spent = takeSpent();
  insertUse(pe, SimUse.HOST_IRQ, spent);
  pe.busyUntil = max<u64>(pe.busyUntil, now()) + spent;
  if (pe.phase != Phase.POLL) schedule(STEP + pe.cpu, pe.busyUntil);
}

/** The slice of the running thread is over. */
export function endSlice(cpu: u32): void {
  const pe = peOf(cpu);
  if (pe.thread == NONE || pe.queued == 0) return;
  record(SimEvent.SLICE, cpu, pe.thread, 0, 0);
  pe.needsResched = true;
  lookAtPoll(pe.cpu);
  tick(pe);
}

/** A timer of the host fires on a PE. */
function tick(pe: Pe): void {
  pe.tick = true;
  interrupt(pe);
}

/** The soft timer of a sleeping vCPU: the PE that it slept on takes the interrupt. */
export function fireSoftTimer(n: u32): void {
  const thread = threadOf(n);
  if (thread.state != ASLEEP) return;
  record(SimEvent.SOFT_TIMER, thread.cpu, n, 0, 0);
  sim().actor = thread.cpu;
  expireSoftTimer(n);
  if (timersOf(n).softTimer != NEVER) armSoftTimer(n);
  tick(peOf(thread.cpu));
}
