// A guest's RAM: one block of guest physical addresses, backed by pages of the host.
import { ramAt } from '../memory/ram';
import { VgicVm } from './state';

/** Where guest memory stands in linear memory, 0 where the guest has none there. */
export function guestMemory(vm: VgicVm, address: u64, bytes: u64): usize {
  const offset = address - vm.ramBase;
  if (offset >= vm.ramSize || bytes > vm.ramSize - offset) return 0;
  return ramAt(vm.ramAt + offset, bytes);
}

/** kvm_is_visible_gfn: the page of an address is guest memory. */
export function isVisible(vm: VgicVm, address: u64): bool {
  return address - vm.ramBase < vm.ramSize;
}
