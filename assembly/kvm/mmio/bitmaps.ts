// Registers with one, two or eight bits for each interrupt, of the distributor and of a redistributor's SGI frame alike.
import { irqOf, isNull, VgicIrq } from '../vgic_irq';
import {
  clearIrqPending,
  disableIrq,
  enableIrq,
  isIrqPending,
  setIrqActive,
  setIrqGroup,
  setIrqPending,
  setIrqPriority,
  setIrqTrigger,
} from './irq_state';

export const IGROUPR: u32 = 0x080;
const ISENABLER: u32 = 0x100;
const ICENABLER: u32 = 0x180;
export const ISPENDR: u32 = 0x200;
export const ICPENDR: u32 = 0x280;
export const ISACTIVER: u32 = 0x300;
export const ICACTIVER: u32 = 0x380;
const IPRIORITYR: u32 = 0x400;
const ITARGETSR: u32 = 0x800;
const ICFGR: u32 = 0xc00;
const IGRPMODR: u32 = 0xd00;

const BITMAP_BYTES: u32 = 0x80;

/** The registers of these kinds end here. */
export const BITMAPS_END: u32 = IGRPMODR;

/** Which register a byte offset belongs to. */
function kindOf(offset: u32): u32 {
  if (offset < IPRIORITYR) return offset & ~(BITMAP_BYTES - 1);
  if (offset < ITARGETSR) return IPRIORITYR;
  return offset < ICFGR ? ITARGETSR : ICFGR;
}

/** The first interrupt of a word, and how many bits each has there. */
function firstIntid(kind: u32, offset: u32): u32 {
  if (kind == IPRIORITYR || kind == ITARGETSR) return offset - kind;
  return (offset - kind) << (kind == ICFGR ? 2 : 3);
}

function bitsOf(kind: u32): u32 {
  if (kind == IPRIORITYR) return 8;
  return kind == ICFGR ? 2 : 1;
}

/** Words, and of the registers with a byte for each interrupt single bytes; everything else is RAZ/WI. */
function isAccess(kind: u32, offset: u32, size: u32): bool {
  return size == 4 ? (offset & 3) == 0 : size == 1 && kind == IPRIORITYR;
}

/** A read of `size` bytes; `vcpu` has the SGIs and PPIs, NONE for the distributor. Interrupts that are absent are 0. */
export function readBitmap(vm: u32, vcpu: u32, offset: u32, size: u32): u32 {
  const kind = kindOf(offset);
  if (kind == ITARGETSR || !isAccess(kind, offset, size)) return 0;
  const first = firstIntid(kind, offset);
  const bits = bitsOf(kind);
  let value: u32 = 0;
  for (let n: u32 = 0; n < (size << 3) / bits; n++) {
    const irq = irqHere(vm, vcpu, first + n);
    if (!isNull(irq)) value |= stateOf(irq, kind) << (n * bits);
  }
  return value;
}

export function writeBitmap(vm: u32, vcpu: u32, offset: u32, size: u32, value: u32): void {
  const kind = kindOf(offset);
  if (kind == ITARGETSR || !isAccess(kind, offset, size)) return;
  const first = firstIntid(kind, offset);
  const bits = bitsOf(kind);
  const mask: u32 = (1 << bits) - 1;
  for (let n: u32 = 0; n < (size << 3) / bits; n++) {
    const irq = irqHere(vm, vcpu, first + n);
    if (!isNull(irq)) change(irq, kind, (value >> (n * bits)) & mask);
  }
}

/** The distributor has SPIs alone: SGIs and PPIs are the redistributors'. */
export function irqHere(vm: u32, vcpu: u32, intid: u32): VgicIrq {
  const isPrivate = intid < 32;
  const here = isPrivate == (vcpu != 0xffffffff) && intid < 1020;
  return here ? irqOf(vm, vcpu, intid) : changetype<VgicIrq>(0);
}

function stateOf(irq: VgicIrq, kind: u32): u32 {
  switch (kind) {
    case IGROUPR:
      return irq.group;
    case ISENABLER:
    case ICENABLER:
      return irq.enabled ? 1 : 0;
    case ISPENDR:
    case ICPENDR:
      return isIrqPending(irq) ? 1 : 0;
    case ISACTIVER:
    case ICACTIVER:
      return irq.active ? 1 : 0;
    case IPRIORITYR:
      return irq.priority;
    default:
      return irq.isLevel ? 0 : 2;
  }
}

function change(irq: VgicIrq, kind: u32, bits: u32): void {
  switch (kind) {
    case IGROUPR:
      return setIrqGroup(irq, bits);
    case IPRIORITYR:
      return setIrqPriority(irq, bits);
    case ICFGR:
      return setIrqTrigger(irq, (bits & 2) != 0);
    default:
      if (bits) changeBit(irq, kind);
  }
}

function changeBit(irq: VgicIrq, kind: u32): void {
  switch (kind) {
    case ISENABLER:
      return enableIrq(irq);
    case ICENABLER:
      return disableIrq(irq);
    case ISPENDR:
      return setIrqPending(irq);
    case ICPENDR:
      return clearIrqPending(irq);
    case ISACTIVER:
      return setIrqActive(irq, true);
    default:
      return setIrqActive(irq, false);
  }
}
