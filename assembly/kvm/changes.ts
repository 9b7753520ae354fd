// Who polls for a vCPU to become runnable need look again only after something that may have made it so: a change of its
// list, of an enable or a request, which is noted here, or the time of a timer.
import { NONE } from './limits';
import { addPe } from './pe_set';
import { Kvm, kvm, Vcpu } from './state';

/** The PEs of whose vCPU something changed; whoever looks takes them out. */
export function changedPes(): usize {
  return changetype<usize>(kvm()) + offsetof<Kvm>('changed0');
}

export function noteChange(vcpu: Vcpu): void {
  if (vcpu.loadedOn != NONE) addPe(changedPes(), vcpu.loadedOn);
}
