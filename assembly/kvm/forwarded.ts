// Forwarded physical interrupts: a virtual interrupt tied to one of the host's distributor, whose active state the guest's
// deactivation clears (kvm_vgic_map_phys_irq and vgic_irq_set_phys_active).
import { readBus, writeBus } from '../gic/bus';
import { rdAddress } from '../irqchip/redistributor';
import { machine } from '../memory/machine';
import { timerLine } from './arch_timer';
import { Cost, spend } from './costs';
import { LAST_PPI, NONE } from './limits';
import { vcpuOf } from './state';
import { LINE_TIMER, LINE_UNKNOWN, VgicIrq } from './vgic_irq';

const GICR_SGI_FRAME: u32 = 0x10000;
const ISPENDR: u32 = 0x200;
const ICPENDR: u32 = 0x280;
const ISACTIVER: u32 = 0x300;
const ICACTIVER: u32 = 0x380;

/** kvm_vgic_map_phys_irq: ties an interrupt to the host's `hostIntid`; `line` tells who knows its level. */
export function mapPhysical(irq: VgicIrq, hostIntid: u32, line: u32): void {
  irq.hw = true;
  irq.hwintid = hostIntid;
  irq.line = <u8>line;
}

export function unmapPhysical(irq: VgicIrq): void {
  irq.hw = false;
  irq.hwintid = 0;
  irq.line = <u8>LINE_UNKNOWN;
}

/** vgic_get_phys_line_level. */
export function physicalLine(irq: VgicIrq): bool {
  if (irq.line == LINE_TIMER) return timerLine(ownerOf(irq), irq.intid);
  return (readBit(irq, ISPENDR) & 1) != 0;
}

/** vgic_irq_set_phys_active. Of a PPI the state is the PE's that the vCPU is loaded on. */
export function setPhysicalActive(irq: VgicIrq, active: bool): void {
  writeBit(irq, active ? ISACTIVER : ICACTIVER);
}

/** Takes the latch back; a line that is high stays pending. */
export function clearPhysicalPending(irq: VgicIrq): void {
  writeBit(irq, ICPENDR);
}

/** vCPU that a PPI is of; of an SPI the one whose PE is used, where it matters at all. */
function ownerOf(irq: VgicIrq): u32 {
  return irq.target != NONE ? irq.target : irq.vcpu;
}

/** Address of the word of a bitmap that the host's interrupt is in. */
function wordAddress(irq: VgicIrq, bitmap: u32): u64 {
  const word = (irq.hwintid >> 5) << 2;
  if (irq.hwintid > LAST_PPI) return machine().gicdBase + bitmap + word;
  const cpu = vcpuOf(ownerOf(irq)).loadedOn;
  return rdAddress(cpu == NONE ? 0 : cpu, GICR_SGI_FRAME + bitmap);
}

/** A PPI of a vCPU that no PE has loaded has no physical state to change. */
function hasPhysicalState(irq: VgicIrq): bool {
  return irq.hwintid > LAST_PPI || vcpuOf(ownerOf(irq)).loadedOn != NONE;
}

function readBit(irq: VgicIrq, bitmap: u32): u32 {
  if (!hasPhysicalState(irq)) return 0;
  spend(Cost.RD_READ, 1);
  return <u32>readBus(wordAddress(irq, bitmap), 4) >> (irq.hwintid & 31);
}

function writeBit(irq: VgicIrq, bitmap: u32): void {
  if (!hasPhysicalState(irq)) return;
  spend(Cost.RD_WRITE, 1);
  writeBus(wordAddress(irq, bitmap), 4, (<u32>1) << (irq.hwintid & 31));
}
