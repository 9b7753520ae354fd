// kvm_vgic_sync_hwstate, at each exit: the list registers go back into the interrupts' states (vgic_v3_fold_lr_state).

import { SystemRegister } from '../abi';
import { writePhysicalRegister } from '../gic/system_registers';
import { firstActive, nextActive, touch } from './ap_list';
import { EMPTY } from './ap_list_buckets';
import { listRegisterOf } from './flush';
import { physicalLine, setPhysicalActive } from './forwarded';
import { pruneList } from './prune';
import { notifyAcked } from './resample';
import { numberOfVcpu, Vcpu } from './state';
import { irqAt, irqOf, isNewEra, isNull, VgicIrq } from './vgic_irq';

const STATE: u64 = (<u64>3) << 62;
const PENDING: u64 = (<u64>1) << 62;
const ACTIVE: u64 = (<u64>1) << 63;
const HW: u64 = (<u64>1) << 61;
const EOI: u64 = (<u64>1) << 41;

/** Takes the list registers in memory, `ended` ends of interrupts that found none, and prunes the list. */
export function syncLists(vcpu: Vcpu, ended: u32): void {
  if (isNewEra() && ended) deactivateUnloaded(vcpu, ended);
  for (let n: u32 = 0; n < vcpu.usedLrs; n++) foldOne(vcpu, vcpu.lr(n));
  vcpu.usedLrs = 0;
  pruneList(vcpu);
}

function foldOne(vcpu: Vcpu, value: u64): void {
  const intid = <u32>value;
  // Telling the device comes first and may change the line.
  if (isEndTold(value)) notifyAcked(vcpu.vm, intid);
  const irq = irqOf(vcpu.vm, numberOfVcpu(vcpu), intid);
  // An LPI may have been unmapped while it was loaded.
  if (isNull(irq) || !irq.onLr) return;
  foldInto(irq, value);
}

/** vgic_v3_fold_lr: what a list register held becomes the interrupt's state. */
function foldInto(irq: VgicIrq, value: u64): void {
  irq.onLr = false;
  const isPending = (value & PENDING) != 0;
  const isActive = (value & ACTIVE) != 0;
  const deactivated = irq.active && !isActive;
  irq.active = isActive && !(isNewEra() && irq.isLpi);
  if (!irq.isLevel && isPending) irq.latch();
  if (irq.isLevel && (value & STATE) == 0) irq.pendingLatch = false;
  resample(irq, deactivated, isPending);
  touch(irq);
}

/** lr_signals_eoi_mi. */
function isEndTold(value: u64): bool {
  return (value & STATE) == 0 && (value & EOI) != 0 && (value & HW) == 0;
}

/** vgic_irq_handle_resampling. */
function resample(irq: VgicIrq, deactivated: bool, isPending: bool): void {
  if (!irq.isMappedLevel) return;
  let low = false;
  if (irq.softwareResample) low = !(irq.active || irq.pendingLatch);
  else if (isPending || (deactivated && irq.lineLevel)) {
    irq.lineLevel = physicalLine(irq);
    low = !irq.lineLevel;
  }
  if (low) setPhysicalActive(irq, false);
}

/** 6.19: ends of interrupts that no list register held were of the first active ones that had to stay outside. */
function deactivateUnloaded(vcpu: Vcpu, ended: u32): void {
  let left = ended;
  let n = firstActive(vcpu);
  while (n != EMPTY && left > 0) {
    const irq = irqAt(n);
    n = nextActive(vcpu, irq);
    if (irq.onLr) continue;
    deactivateInMemory(irq, vcpu);
    left--;
  }
}

/**
 * Deactivates an interrupt that no list register holds, as if one had held it: where it is a host's, that one too, and what
 * became of its line meanwhile is seen. A timer's line that was high when it was loaded elsewhere may be low.
 */
export function deactivateInMemory(irq: VgicIrq, vcpu: Vcpu): void {
  const value = listRegisterOf(irq) & ~ACTIVE;
  if (value & HW) writePhysicalRegister(vcpu.loadedOn, SystemRegister.ICC_DIR_EL1, irq.hwintid);
  if (isEndTold(value)) notifyAcked(irq.vm, irq.intid);
  foldInto(irq, value);
}
