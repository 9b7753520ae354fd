// A guest's access to memory that is not RAM: which frame of its interrupt controller it hits.
import { Cost, spend } from '../costs';
import { itsAtAddress } from '../its/its';
import { readItsRegister, writeItsRegister } from '../its/registers';
import { NONE } from '../limits';
import { vcpuOf, vmOf } from '../state';
import { readDistributor, writeDistributor } from './distributor';
import { readRedistributor, SGI_FRAME, writeRedistributor } from './redistributor';
import { isPendingRegister, userReadPending, userWritePending } from './user_access';

const DISTRIBUTOR_BYTES: u64 = 0x10000;
const REDISTRIBUTOR_BYTES: u64 = 0x20000;
const FRAME_MASK: u64 = 0x1ffff;

const NOWHERE: u32 = 0;
const DISTRIBUTOR: u32 = 1;
const REDISTRIBUTOR: u32 = 2;
const ITS: u32 = 3;

/** An access belongs to user space instead. */
export function isEmulated(vm: u32, address: u64): bool {
  return frameOf(vm, address) != NOWHERE;
}

function frameOf(vm: u32, address: u64): u32 {
  const self = vmOf(vm);
  if (address - self.distributorBase < DISTRIBUTOR_BYTES) return DISTRIBUTOR;
  if (address - self.redistributorBase < REDISTRIBUTOR_BYTES * self.vcpus) return REDISTRIBUTOR;
  return itsAtAddress(vm, address) != NONE ? ITS : NOWHERE;
}

/** Redistributor frames follow one another in the order of the vCPUs, whoever accesses them. */
function redistributorOf(vm: u32, address: u64): u32 {
  return vmOf(vm).firstVcpu + <u32>((address - vmOf(vm).redistributorBase) / REDISTRIBUTOR_BYTES);
}

export function guestRead(vcpu: u32, address: u64, size: u32): u64 {
  const vm = vcpuOf(vcpu).vm;
  const offset = <u32>(address & FRAME_MASK);
  spend(Cost.EMULATED_MMIO, 1);
  switch (frameOf(vm, address)) {
    case DISTRIBUTOR:
      return readDistributor(vm, offset & 0xffff, size);
    case REDISTRIBUTOR:
      return readRedistributor(redistributorOf(vm, address), offset, size);
    case ITS:
      return readItsRegister(itsAtAddress(vm, address), offset, size);
    default:
      return 0;
  }
}

export function guestWrite(vcpu: u32, address: u64, size: u32, value: u64): void {
  const vm = vcpuOf(vcpu).vm;
  const offset = <u32>(address & FRAME_MASK);
  spend(Cost.EMULATED_MMIO, 1);
  switch (frameOf(vm, address)) {
    case DISTRIBUTOR:
      return writeDistributor(vm, offset & 0xffff, size, value);
    case REDISTRIBUTOR:
      return writeRedistributor(redistributorOf(vm, address), offset, size, value);
    case ITS:
      return writeItsRegister(itsAtAddress(vm, address), offset, size, value);
    default:
  }
}

/** KVM_DEV_ARM_VGIC_GRP_DIST_REGS and GRP_REDIST_REGS: as a guest's read, but for what is pending. */
export function userRead(vcpu: u32, address: u64, size: u32): u64 {
  const vm = vcpuOf(vcpu).vm;
  const at = pendingOffset(vm, address);
  return at == NONE || size != 4
    ? guestRead(vcpu, address, size)
    : userReadPending(vm, ownerAt(vm, address), at);
}

export function userWrite(vcpu: u32, address: u64, size: u32, value: u64): void {
  const vm = vcpuOf(vcpu).vm;
  const at = pendingOffset(vm, address);
  if (at == NONE || size != 4) guestWrite(vcpu, address, size, value);
  else userWritePending(vm, ownerAt(vm, address), at, <u32>value);
}

/** Offset in the distributor or an SGI frame of a register that tells what is pending, else NONE. */
function pendingOffset(vm: u32, address: u64): u32 {
  const frame = frameOf(vm, address);
  const first: u32 = frame == DISTRIBUTOR ? 0 : SGI_FRAME;
  const offset = (<u32>(address & FRAME_MASK) & (frame == DISTRIBUTOR ? 0xffff : <u32>FRAME_MASK)) - first;
  return (frame == DISTRIBUTOR || frame == REDISTRIBUTOR) && isPendingRegister(offset) ? offset : NONE;
}

/** The vCPU whose redistributor an address is in, NONE for the distributor. */
function ownerAt(vm: u32, address: u64): u32 {
  return frameOf(vm, address) == REDISTRIBUTOR ? redistributorOf(vm, address) : NONE;
}
