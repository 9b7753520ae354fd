// Stopping all vCPUs of a VM for a moment (halt_guest and resume_guest): state that list registers hold can then be
// changed in memory.
import { noteChange } from './changes';
import { kick, request, wake } from './kick';
import { exitGuest } from './run';
import { OUTSIDE_GUEST_MODE, REQ_SLEEP, VgicVm, vcpuOf } from './state';

/** All vCPUs leave the guest, and stay out until the halt is over. */
export function haltGuest(vm: VgicVm): void {
  for (let i: u32 = 0; i < vm.vcpus; i++) {
    const vcpu = vcpuOf(vm.firstVcpu + i);
    vcpu.paused++;
    request(vcpu, REQ_SLEEP);
    kick(vcpu);
    // The IPI takes it out; whoever asked waits for that.
    if (vcpu.mode != OUTSIDE_GUEST_MODE) exitGuest(vcpu);
  }
}

export function resumeGuest(vm: VgicVm): void {
  for (let i: u32 = 0; i < vm.vcpus; i++) {
    const vcpu = vcpuOf(vm.firstVcpu + i);
    vcpu.paused--;
    noteChange(vcpu);
    if (vcpu.paused == 0) wake(vcpu);
  }
}
