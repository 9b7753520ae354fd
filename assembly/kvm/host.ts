// The host's own interrupts on a PE: Linux's gic_handle_irq with EOImode=1. Acknowledge, priority drop, handler; then
// deactivation, except where that is left to a guest.
import { SystemRegister as Register } from '../abi';
import { writeBus } from '../gic/bus';
import { settle } from '../gic/outputs';
import { readPhysicalRegister, writePhysicalRegister } from '../gic/system_registers';
import { GICR_TYPER, rdAddress, readRd } from '../irqchip/redistributor';
import { machine } from '../memory/machine';
import { handleTimer, isTimerPpi } from './arch_timer';
import { areaAt, HOST_LPIS_AT, HOST_SPIS_AT } from './areas';
import { Cost, spend } from './costs';
import { injectIrq } from './inject';
import { handleDeviceLpi } from './irqfd';
import { FIRST_LPI, LAST_PPI, NONE } from './limits';
import { kvm } from './state';
import { irqAt, numberOf, VgicIrq } from './vgic_irq';
import { handleDoorbell } from './vgic_v4';

const PRIORITY_MASK: u64 = 0xf0;
const CTLR_EOIMODE: u64 = 2;
const SPURIOUS: u32 = 1023;
const IGROUPR: u32 = 0x080;
const ISENABLER: u32 = 0x100;
const ICENABLER: u32 = 0x180;
const IPRIORITYR: u32 = 0x400;
const IROUTER: u32 = 0x6000;
const SGI_FRAME: u32 = 0x10000;
const DEFAULT_PRIORITIES: u32 = 0xa0a0a0a0;
/** SGIs that Linux uses between its PEs. */
const IPIS: u32 = 0xff;

/** What an LPI of the host means: nothing, a vPE's doorbell, an assigned device's interrupt; the number above. */
const KIND_SHIFT: u32 = 28;
const NUMBER_MASK: u32 = 0x0fffffff;
export const LPI_DOORBELL: u32 = 1;
export const LPI_DEVICE: u32 = 2;

/** Bytes of the tables of handlers. */
export const HOST_LPIS_BYTES: usize = 65536 * 4;
export const HOST_SPIS_BYTES: usize = 1024 * 4;

/** SPIs, redistributors and CPU interfaces as Linux sets them up (gic_dist_init, gic_cpu_init). */
export function setUpHost(): void {
  const m = machine();
  for (let intid: u32 = 32; intid < m.spiSlots; intid += 32) {
    writeBus(m.gicdBase + IGROUPR + (intid >> 3), 4, 0xffffffff);
    setDefaultPriorities(m.gicdBase + IPRIORITYR + intid);
  }
  for (let cpu: u32 = 0; cpu < m.cpuCount; cpu++) {
    const frame = rdAddress(cpu, SGI_FRAME);
    writeBus(frame + IGROUPR, 4, 0xffffffff);
    setDefaultPriorities(frame + IPRIORITYR);
    writeBus(frame + ISENABLER, 4, hostPpis() | IPIS);
    writePhysicalRegister(cpu, Register.ICC_PMR_EL1, PRIORITY_MASK);
    writePhysicalRegister(cpu, Register.ICC_CTLR_EL1, CTLR_EOIMODE);
    writePhysicalRegister(cpu, Register.ICC_IGRPEN1_EL1, 1);
  }
  settle();
}

/** Four bytes an access, 32 interrupts. */
function setDefaultPriorities(address: u64): void {
  for (let at: u64 = 0; at < 32; at += 4) writeBus(address + at, 4, DEFAULT_PRIORITIES);
}

/** The maintenance interrupt and the timers of EL1. */
function hostPpis(): u32 {
  const m = machine();
  return ppi(m.maintenancePpi) | ppi(m.timerPpis & 0xff) | ppi((m.timerPpis >> 8) & 0xff);
}

function ppi(intid: u32): u32 {
  return intid ? (<u32>1) << intid : 0;
}

/** Routes an SPI of the host to a PE and enables it (request_irq). */
export function requestSpi(intid: u32, cpu: u32): void {
  const m = machine();
  const affinity = readRd(cpu, GICR_TYPER, 8) >> 32;
  writeBus(m.gicdBase + IROUTER + (intid << 3), 8, ((affinity >> 24) << 32) | (affinity & 0xffffff));
  writeBus(m.gicdBase + ISENABLER + ((intid >> 5) << 2), 4, (<u32>1) << (intid & 31));
}

/** Disables an SPI of the host (free_irq). */
export function releaseSpi(intid: u32): void {
  writeBus(machine().gicdBase + ICENABLER + ((intid >> 5) << 2), 4, (<u32>1) << (intid & 31));
}

export function handleLpi(intid: u32, kind: u32, number: u32): void {
  store<u32>(areaAt(HOST_LPIS_AT) + ((<usize>intid) << 2), kind ? (kind << KIND_SHIFT) | number : 0);
}

/** Ties an SPI of the host to a virtual interrupt, or unties it: its deactivation is the guest's. */
export function handleSpi(intid: u32, irq: VgicIrq): void {
  const number = changetype<usize>(irq) ? numberOf(irq) + 1 : 0;
  store<u32>(areaAt(HOST_SPIS_AT) + ((<usize>intid) << 2), number);
}

export function isSpiHandled(intid: u32): bool {
  return load<u32>(areaAt(HOST_SPIS_AT) + ((<usize>intid) << 2)) != 0;
}

/** Interrupts in a row after which the PE goes on: one that nobody takes away. */
const MOST_IN_A_ROW: u32 = 100;

/** Takes everything that a PE signals to the host; how many interrupts it were. */
export function handleHostInterrupts(cpu: u32): u32 {
  const outer = kvm().currentCpu;
  kvm().currentCpu = cpu;
  let taken: u32 = 0;
  while (taken < MOST_IN_A_ROW) {
    settle();
    const intid = <u32>readPhysicalRegister(cpu, Register.ICC_IAR1_EL1);
    if (intid == SPURIOUS) break;
    writePhysicalRegister(cpu, Register.ICC_EOIR1_EL1, intid);
    spend(Cost.HOST_IRQ, 1);
    taken++;
    if (!dispatch(cpu, intid)) writePhysicalRegister(cpu, Register.ICC_DIR_EL1, intid);
  }
  kvm().currentCpu = outer;
  return taken;
}

/** Runs the handler; whether the interrupt stays active until a guest deactivates it. */
function dispatch(cpu: u32, intid: u32): bool {
  if (intid >= FIRST_LPI) {
    handleByLpi(intid);
    return true;
  }
  if (intid > LAST_PPI) return forwardSpi(intid);
  if (!isTimerPpi(intid)) return false;
  handleTimer(cpu, intid);
  return true;
}

/** LPIs have no active state. */
function handleByLpi(intid: u32): void {
  if (intid >= 65536) return;
  const handler = load<u32>(areaAt(HOST_LPIS_AT) + ((<usize>intid) << 2));
  const number = handler & NUMBER_MASK;
  if (handler >> KIND_SHIFT == LPI_DOORBELL) handleDoorbell(number);
  else if (handler >> KIND_SHIFT == LPI_DEVICE) handleDeviceLpi(number);
}

/** A passthrough device's SPI: the virtual interrupt becomes pending, the physical one stays active. */
function forwardSpi(intid: u32): bool {
  if (intid >= 1024) return false;
  const number = load<u32>(areaAt(HOST_SPIS_AT) + ((<usize>intid) << 2));
  if (number == 0) return false;
  const irq = irqAt(number - 1);
  injectIrq(irq.vm, NONE, irq.intid, true, irq.owner);
  return true;
}
