// Requests to a vCPU, and what makes it see them: an IPI while it is in the guest, a wake-up while it sleeps.

import { SystemRegister } from '../abi';
import { writePhysicalRegister } from '../gic/system_registers';
import { GICR_TYPER, readRd } from '../irqchip/redistributor';
import { noteChange } from './changes';
import { Cost, tally } from './costs';
import { NONE } from './limits';
import { EXITING_GUEST_MODE, IN_GUEST_MODE, kvm, REQ_IRQ_PENDING, Vcpu } from './state';
import { pushWoken } from './woken';

/** SGI that Linux reschedules PEs with; its handler does nothing, what counts is the exit. */
export const IPI_RESCHEDULE: u32 = 0;

/** kvm_make_request. */
export function request(vcpu: Vcpu, requests: u32): void {
  noteChange(vcpu);
  vcpu.requests |= requests;
}

/** kvm_vcpu_kick: a sleeping vCPU is woken, one in the guest is forced out, any other will see the request by itself. */
export function kick(vcpu: Vcpu): void {
  if (vcpu.asleep) {
    wake(vcpu);
    return;
  }
  if (vcpu.mode != IN_GUEST_MODE) return;
  vcpu.mode = EXITING_GUEST_MODE;
  if (vcpu.loadedOn != kvm().currentCpu) sendIpi(vcpu.loadedOn);
}

/** The thread becomes runnable; whoever runs threads takes it from the list of those that were woken. */
export function wake(vcpu: Vcpu): void {
  if (!vcpu.asleep) return;
  vcpu.asleep = false;
  pushWoken(vcpu);
}

/** A reschedule IPI. It is sent by the PE whose host code runs; for an action from outside, by the target itself. */
export function sendIpi(cpu: u32): void {
  const sender = kvm().currentCpu == NONE ? cpu : kvm().currentCpu;
  const affinity = affinityOf(cpu);
  const value =
    ((<u64>(affinity >> 24)) << 48) |
    ((<u64>((affinity >> 16) & 0xff)) << 32) |
    ((<u64>IPI_RESCHEDULE) << 24) |
    ((<u64>((affinity >> 8) & 0xff)) << 16) |
    ((<u64>((affinity & 0xff) >> 4)) << 44) |
    ((<u64>1) << (affinity & 15));
  writePhysicalRegister(sender, SystemRegister.ICC_SGI1R_EL1, value);
  tally(Cost.IPI, 1);
}

/** Affinity of a PE as GICR_TYPER tells it. */
function affinityOf(cpu: u32): u32 {
  return <u32>(readRd(cpu, GICR_TYPER, 8) >> 32);
}

/** An interrupt may have become deliverable: the vCPU goes through its flush once more. */
export function requestInterrupt(vcpu: Vcpu): void {
  request(vcpu, REQ_IRQ_PENDING);
  kick(vcpu);
}
