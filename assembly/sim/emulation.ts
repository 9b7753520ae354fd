// What the hypervisor does for a guest that trapped, and what a guest's operations are to it.
import { SimExit, SimOperation, SystemRegister } from '../abi';
import { affinityOfIndex } from '../kvm/affinity';
import { deactivateByDir } from '../kvm/dir';
import { guestRead, guestWrite } from '../kvm/mmio/dispatch';
import { dispatchSgi } from '../kvm/sgi';
import { numberOfVcpu, Vcpu, vmOf } from '../kvm/state';
import { privateIrq } from '../kvm/vgic_irq';
import { now } from './clock';
import { sgiFlow } from './flow';
import { Thread } from './state';

const WORD: u32 = 4;
const OFFSET: u64 = 0xffffffff;
const VALUE_SHIFT: u64 = 32;
/** In the operand of an access: it is a store. */
const STORES: u64 = 1 << 63;

/** R12: the emulation of an exit that neither blocks nor leaves the kernel. */
export function emulate(reason: u32, vcpu: Vcpu, thread: Thread): void {
  switch (reason) {
    case SimExit.SGI:
      return dispatchSgi(vcpu, SystemRegister.ICC_SGI1R_EL1, thread.operand);
    case SimExit.MMIO:
      return access(vcpu, thread.operand);
    case SimExit.DIR:
      return deactivateByDir(vcpu, <u32>thread.operand);
    default:
  }
}

/** A load, or a store, of a word at an offset from the distributor. */
function access(vcpu: Vcpu, operand: u64): void {
  const address = vmOf(vcpu.vm).distributorBase + (operand & OFFSET);
  if (operand & STORES) guestWrite(numberOfVcpu(vcpu), address, WORD, (operand & ~STORES) >> VALUE_SHIFT);
  else guestRead(numberOfVcpu(vcpu), address, WORD);
}

/** The exit that an operation causes; its operand in the form that the emulation takes. */
export function prepareOperation(vcpu: Vcpu, thread: Thread, operation: u32, operand: u64): u32 {
  switch (operation) {
    case SimOperation.SGI:
      thread.operand = sgiValue(<u32>operand & 0xffff, <u32>(operand >> 16) & 15);
      fireSgi(vmOf(vcpu.vm).firstVcpu + (<u32>operand & 0xffff), <u32>(operand >> 16) & 15);
      return SimExit.SGI;
    case SimOperation.MMIO:
      thread.operand = operand & OFFSET;
      return SimExit.MMIO;
    case SimOperation.STORE:
      thread.operand = operand | STORES;
      return SimExit.MMIO;
    case SimOperation.USER:
      return SimExit.USER;
    default:
      return SimExit.HYPERCALL;
  }
}

/** ICC_SGI1R_EL1 for one vCPU. */
function sgiValue(index: u32, sgi: u32): u64 {
  const affinity = affinityOfIndex(index);
  const cluster =
    ((<u64>((affinity >> 8) & 0xff)) << 16) |
    ((<u64>((affinity >> 16) & 0xff)) << 32) |
    ((<u64>(affinity >> 24)) << 48);
  return cluster | ((<u64>sgi) << 24) | ((<u64>1) << (affinity & 0xf));
}

/** A vSGI that is pending waits in one place only, the hardware. */
function fireSgi(target: u32, sgi: u32): void {
  const flow = sgiFlow(target, sgi);
  flow.reconcile(privateIrq(target, sgi));
  const merges = privateIrq(target, sgi).hw && flow.pending != 0;
  flow.fire(now());
  if (merges) flow.coalesce();
}
