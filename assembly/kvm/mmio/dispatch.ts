// A guest's access to memory that is not RAM: which frame of its interrupt controller it hits.
import { Cost, spend } from '../costs';
import { itsAtAddress } from '../its/its';
import { readItsRegister, writeItsRegister } from '../its/registers';
import { NONE } from '../limits';
import { vcpuOf, vmOf } from '../state';
import { readDistributor, writeDistributor } from './distributor';
import { readRedistributor, writeRedistributor } from './redistributor';

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
