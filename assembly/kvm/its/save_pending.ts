// The pending bits of a guest's LPIs into its pending tables (KVM_DEV_ARM_VGIC_SAVE_PENDING_TABLES). Those of VLPIs are
// in the vPEs' tables, which GICv4.1 writes back when the vPEs are unmapped.
import { activate, deactivate, mask } from '../../irqchip/api';
import { EBUSY, EFAULT, ENXIO } from '../../irqchip/errno';
import { vpeOf } from '../../irqchip/state';
import { ramAt } from '../../memory/ram';
import { FIRST_LPI, MAX_LPI_INTID, NONE } from '../limits';
import { kvm, VgicVm, vcpuOf, vmOf } from '../state';
import { isNull, lpiOf, VgicIrq } from '../vgic_irq';
import { isStopped } from './its';
import { pendingBit, pendingByteAt } from './lpi_tables';

export function savePendingTables(n: u32): i32 {
  const vm = vmOf(n);
  if (!vm.initialized) return ENXIO;
  if (!isStopped(n)) return EBUSY;
  const unmapped = kvm().hasGicv4_1 ? unmapVpes(vm) : 0;
  if (unmapped) return unmapped;
  const failed = saveBits(n, vm);
  const mapped = kvm().hasGicv4_1 ? mapVpes(vm) : 0;
  return failed ? failed : mapped;
}

/** Each LPI has its bit in the table of the vCPU that it targets; a byte is only written where it changes. */
function saveBits(n: u32, vm: VgicVm): i32 {
  let left = vm.lpis;
  for (let intid = FIRST_LPI; left > 0 && intid <= MAX_LPI_INTID; intid++) {
    const irq = lpiOf(n, intid);
    if (isNull(irq)) continue;
    left--;
    if (irq.target == NONE) continue;
    const at = pendingByteAt(irq.target, intid);
    if (at == 0) return EFAULT;
    const byte: u32 = load<u8>(at);
    const bit = pendingBit(intid);
    const saved = isPendingAnywhere(irq) ? byte | bit : byte & ~bit;
    if (saved != byte) store<u8>(at, <u8>saved);
  }
  return 0;
}

function isPendingAnywhere(irq: VgicIrq): bool {
  if (!irq.hw || !kvm().hasGicv4_1) return irq.pendingLatch;
  const table = vpeOf(vcpuOf(irq.target).vpe).pendingTable;
  const at = ramAt(table + (irq.intid >> 3), 1);
  return (<u32>load<u8>(at) & pendingBit(irq.intid)) != 0;
}

/** free_irq of the doorbells: VMAPP with V=0 writes the pending tables back. */
function unmapVpes(vm: VgicVm): i32 {
  for (let i: u32 = 0; i < vm.vcpus; i++) {
    const failed = deactivate(vpeOf(vcpuOf(vm.firstVcpu + i).vpe).irq);
    if (failed) return failed;
  }
  return 0;
}

/** request_irq: VMAPP without PTZ, as the tables hold something, and VINVALL. */
function mapVpes(vm: VgicVm): i32 {
  for (let i: u32 = 0; i < vm.vcpus; i++) {
    const doorbell = vpeOf(vcpuOf(vm.firstVcpu + i).vpe).irq;
    const failed = activate(doorbell);
    if (failed) return failed;
    mask(doorbell, false);
  }
  return 0;
}
