// The architected timers of a vCPU: the hardware's EL1 timers belong to the vCPU that a PE has loaded, and their PPIs
// are forwarded to it (kvm/arch_timer.c, on a host with VHE).
import { SystemRegister as Register } from '../abi';
import { chip, ERA_S } from '../irqchip/state';
import { machine } from '../memory/machine';
import { readTimerRegister, writeTimerRegister } from '../timer/system_registers';
import { PHYSICAL_TIMER, VIRTUAL_TIMER } from '../timer/timers';
import { kvmTables } from './areas';
import { mapPhysical, setPhysicalActive } from './forwarded';
import { injectIrq } from './inject';
import { wake } from './kick';
import { NONE } from './limits';
import { loadedVcpu } from './loaded';
import { numberOfVcpu, Vcpu, vcpuOf } from './state';
import { LINE_TIMER, privateIrq } from './vgic_irq';

/** Timers of a vCPU: the virtual and the physical one of EL1. */
export const VCPU_TIMERS: u32 = 2;
/** Owner of the timers' lines. */
export const OWNER_TIMER: u32 = 1;
/** No timer can fire. */
export const NEVER: u64 = 0xffffffffffffffff;

const CTL_ENABLE: u32 = 1;
const CTL_IMASK: u32 = 2;
const CTL_ISTATUS: u32 = 4;
const REGISTERS_APART: u32 = 4;
const CTL: u32 = Register.CNTV_CTL_EL0;
const CVAL: u32 = Register.CNTV_CVAL_EL0;
const DEFAULT_VIRTUAL_PPI: u32 = 27;
const DEFAULT_PHYSICAL_PPI: u32 = 30;

/** struct arch_timer_context. */
@unmanaged
export class TimerContext {
  /** CNT*_CTL and CNT*_CVAL while they are not in the hardware. */
  control: u32;
  /** PPI of the guest. */
  ppi: u32;
  compare: u64;
  /** What the guest's counter lags behind the physical one: CNTVOFF. */
  offset: u64;
  /** Level of the line as it was last injected. */
  level: bool;
  loaded: bool;
}

/** struct arch_timer_cpu: the contexts, and the soft timer of a sleeping vCPU. */
@unmanaged
export class VcpuTimers {
  /** When the soft timer fires, as a value of the physical counter; NEVER while it is off. */
  softTimer: u64;
  /** Deadline of WFIT, NEVER for none. */
  wfitDeadline: u64;
  contexts: u64;
}

export const VCPU_TIMERS_BYTES: usize =
  offsetof<VcpuTimers>('contexts') + <usize>VCPU_TIMERS * offsetof<TimerContext>();

export function timersOf(vcpu: u32): VcpuTimers {
  return changetype<VcpuTimers>(kvmTables().timers + <usize>vcpu * VCPU_TIMERS_BYTES);
}

export function contextOf(vcpu: u32, timer: u32): TimerContext {
  const first = changetype<usize>(timersOf(vcpu)) + offsetof<VcpuTimers>('contexts');
  return changetype<TimerContext>(first + <usize>timer * offsetof<TimerContext>());
}

/** kvm_timer_vcpu_init: off, nothing pending; the guest's counter starts at zero now. */
export function resetTimers(vcpu: u32): void {
  const timers = timersOf(vcpu);
  memory.fill(changetype<usize>(timers), 0, VCPU_TIMERS_BYTES);
  timers.softTimer = NEVER;
  timers.wfitDeadline = NEVER;
  contextOf(vcpu, VIRTUAL_TIMER).ppi = DEFAULT_VIRTUAL_PPI;
  contextOf(vcpu, VIRTUAL_TIMER).offset = machine().counter;
  contextOf(vcpu, PHYSICAL_TIMER).ppi = DEFAULT_PHYSICAL_PPI;
}

/** kvm_timer_enable, at the first run: the guest's PPIs are tied to the host's. */
export function enableTimers(vcpu: u32): void {
  for (let timer: u32 = 0; timer < VCPU_TIMERS; timer++) {
    const irq = privateIrq(vcpu, contextOf(vcpu, timer).ppi);
    mapPhysical(irq, hostPpi(timer), LINE_TIMER);
    irq.owner = OWNER_TIMER;
  }
}

function hostPpi(timer: u32): u32 {
  return (machine().timerPpis >> (timer << 3)) & 0xff;
}

/** A PPI of the host that is a timer's which guests use. */
export function isTimerPpi(intid: u32): bool {
  return intid == hostPpi(VIRTUAL_TIMER) || intid == hostPpi(PHYSICAL_TIMER);
}

// --- whether a timer fires ---

function canFire(control: u32): bool {
  return (control & (CTL_ENABLE | CTL_IMASK)) == CTL_ENABLE;
}

/** kvm_timer_should_fire. */
export function shouldFire(vcpu: u32, timer: u32): bool {
  const context = contextOf(vcpu, timer);
  if (context.loaded) {
    const control = <u32>readTimerRegister(vcpuOf(vcpu).loadedOn, CTL + timer * REGISTERS_APART);
    return (control & (CTL_ENABLE | CTL_IMASK | CTL_ISTATUS)) == (CTL_ENABLE | CTL_ISTATUS);
  }
  return canFire(context.control) && machine().counter - context.offset >= context.compare;
}

/** CNT*_CTL: ENABLE and IMASK, wherever the timer is. */
export function timerControl(vcpu: u32, timer: u32): u32 {
  const context = contextOf(vcpu, timer);
  if (!context.loaded) return context.control;
  const control = <u32>readTimerRegister(vcpuOf(vcpu).loadedOn, CTL + timer * REGISTERS_APART);
  return control & (CTL_ENABLE | CTL_IMASK);
}

/** CNT*_CVAL, wherever the timer is. */
export function timerCompare(vcpu: u32, timer: u32): u64 {
  const context = contextOf(vcpu, timer);
  return context.loaded
    ? readTimerRegister(vcpuOf(vcpu).loadedOn, CVAL + timer * REGISTERS_APART)
    : context.compare;
}

/** kvm_arch_timer_get_input_level: the level of the line behind a PPI of the guest. */
export function timerLine(vcpu: u32, intid: u32): bool {
  for (let timer: u32 = 0; timer < VCPU_TIMERS; timer++) {
    if (contextOf(vcpu, timer).ppi == intid) return shouldFire(vcpu, timer);
  }
  return false;
}

/** kvm_timer_is_pending: a timer of the vCPU has expired, or the deadline of its WFIT. */
export function isTimerPending(vcpu: Vcpu): bool {
  const n = numberOfVcpu(vcpu);
  if (timersOf(n).wfitDeadline <= machine().counter) return true;
  for (let timer: u32 = 0; timer < VCPU_TIMERS; timer++) {
    if (shouldFire(n, timer)) return true;
  }
  return false;
}

/** When time alone makes a timer of the vCPU pend that does not yet: a value of the physical counter, or NEVER. */
export function nextPending(n: u32): u64 {
  let next = timersOf(n).wfitDeadline;
  for (let timer: u32 = 0; timer < VCPU_TIMERS; timer++) {
    if (!canFire(timerControl(n, timer))) continue;
    next = min<u64>(next, timerCompare(n, timer) + contextOf(n, timer).offset);
  }
  return next;
}

/** The wait of WFIT is over. */
export function clearWfit(vcpu: Vcpu): void {
  timersOf(numberOfVcpu(vcpu)).wfitDeadline = NEVER;
}

/** kvm_timer_earliest_exp: a value of the physical counter, or NEVER. */
export function earliestExpiry(vcpu: u32): u64 {
  let earliest = timersOf(vcpu).wfitDeadline;
  for (let timer: u32 = 0; timer < VCPU_TIMERS; timer++) {
    const context = contextOf(vcpu, timer);
    if (canFire(context.control)) earliest = min<u64>(earliest, context.compare + context.offset);
  }
  return earliest;
}

// --- lines ---

/** kvm_timer_update_irq. */
function updateLine(vcpu: u32, timer: u32, level: bool): void {
  const context = contextOf(vcpu, timer);
  context.level = level;
  injectIrq(vcpuOf(vcpu).vm, vcpu, context.ppi, level, OWNER_TIMER);
}

/** kvm_arch_timer_handler, on the PE whose PPI was taken. Late, after the vCPU was put, it does nothing. */
export function handleTimer(cpu: u32, intid: u32): void {
  const vcpu = loadedVcpu(cpu);
  if (vcpu == NONE) return;
  const timer = intid == hostPpi(VIRTUAL_TIMER) ? VIRTUAL_TIMER : PHYSICAL_TIMER;
  if (shouldFire(vcpu, timer)) updateLine(vcpu, timer, true);
}

/** kvm_timer_vcpu_load_gic: the line is evaluated, and the PPI of this PE made active if the guest has it. */
function loadLine(vcpu: u32, timer: u32): void {
  updateLine(vcpu, timer, shouldFire(vcpu, timer));
  const context = contextOf(vcpu, timer);
  const irq = privateIrq(vcpu, context.ppi);
  // Pending by software counts as well: no list register with the HW bit without the active state.
  if (irq.hw) setPhysicalActive(irq, irq.active || irq.pendingLatch || context.level);
}

// --- context switch ---

function restore(vcpu: u32, timer: u32): void {
  const context = contextOf(vcpu, timer);
  if (context.loaded) return;
  const cpu = vcpuOf(vcpu).loadedOn;
  if (timer == VIRTUAL_TIMER) writeTimerRegister(cpu, Register.CNTVOFF_EL2, context.offset);
  writeTimerRegister(cpu, CVAL + timer * REGISTERS_APART, context.compare);
  writeTimerRegister(cpu, CTL + timer * REGISTERS_APART, context.control);
  context.loaded = true;
}

function save(vcpu: u32, timer: u32): void {
  const context = contextOf(vcpu, timer);
  if (!context.loaded) return;
  const cpu = vcpuOf(vcpu).loadedOn;
  context.control = <u32>readTimerRegister(cpu, CTL + timer * REGISTERS_APART) & (CTL_ENABLE | CTL_IMASK);
  context.compare = readTimerRegister(cpu, CVAL + timer * REGISTERS_APART);
  writeTimerRegister(cpu, CTL + timer * REGISTERS_APART, 0);
  if (timer == VIRTUAL_TIMER) writeTimerRegister(cpu, Register.CNTVOFF_EL2, 0);
  context.loaded = false;
}

function restoreAll(vcpu: u32): void {
  for (let timer: u32 = 0; timer < VCPU_TIMERS; timer++) loadLine(vcpu, timer);
  for (let timer: u32 = 0; timer < VCPU_TIMERS; timer++) restore(vcpu, timer);
}

function saveAll(vcpu: u32): void {
  for (let timer: u32 = 0; timer < VCPU_TIMERS; timer++) save(vcpu, timer);
}

/** The kernels of 2017 switched the timers at each entry and exit, later ones when a vCPU is loaded and put. */
function switchesAtEntry(): bool {
  return chip().era == ERA_S;
}

/** kvm_timer_vcpu_load. */
export function timerLoad(vcpu: Vcpu): void {
  const n = numberOfVcpu(vcpu);
  if (!switchesAtEntry()) restoreAll(n);
  timersOf(n).softTimer = NEVER;
}

/** kvm_timer_vcpu_put: a vCPU that goes to sleep gets a soft timer. */
export function timerPut(vcpu: Vcpu): void {
  const n = numberOfVcpu(vcpu);
  saveAll(n);
  if (vcpu.blocking) timersOf(n).softTimer = earliestExpiry(n);
}

/** kvm_timer_flush_hwstate, with interrupts off before each entry. */
export function timerEntry(vcpu: Vcpu): void {
  if (switchesAtEntry()) restoreAll(numberOfVcpu(vcpu));
}

/**
 * kvm_timer_sync_hwstate of 2017: the timer is off before the host's interrupts are on again, so the host never takes
 * its interrupt; what it would have told is found in memory.
 */
export function timerExit(vcpu: Vcpu): void {
  if (!switchesAtEntry()) return;
  const n = numberOfVcpu(vcpu);
  saveAll(n);
  for (let timer: u32 = 0; timer < VCPU_TIMERS; timer++) {
    const level = shouldFire(n, timer);
    if (level != contextOf(n, timer).level) updateLine(n, timer, level);
  }
}

/** When the first soft timer fires, NEVER for none. */
export function nextSoftTimer(): u64 {
  let next = NEVER;
  for (let n: u32 = 0; n < machine().vcpuLimit; n++) {
    if (vcpuOf(n).used) next = min<u64>(next, timersOf(n).softTimer);
  }
  return next;
}

export function expireSoftTimers(): void {
  const now = machine().counter;
  for (let n: u32 = 0; n < machine().vcpuLimit; n++) {
    if (vcpuOf(n).used && timersOf(n).softTimer <= now) expireSoftTimer(n);
  }
}

/** kvm_bg_timer_expire: wakes the vCPU, or starts over where the counter is not there yet. */
export function expireSoftTimer(n: u32): void {
  const expiry = earliestExpiry(n);
  if (expiry > machine().counter) {
    timersOf(n).softTimer = expiry;
    return;
  }
  timersOf(n).softTimer = NEVER;
  wake(vcpuOf(n));
}
