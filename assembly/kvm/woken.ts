// vCPUs whose threads were woken and have not run since, in the order in which they were woken.
import { NONE } from './limits';
import { kvm, numberOfVcpu, Vcpu, vcpuOf } from './state';

/** Puts a vCPU at the end. */
export function pushWoken(vcpu: Vcpu): void {
  const n = numberOfVcpu(vcpu);
  const last = kvm().lastWoken;
  vcpu.nextWoken = NONE;
  if (last == NONE) kvm().firstWoken = n;
  else vcpuOf(last).nextWoken = n;
  kvm().lastWoken = n;
}

/** The vCPU that was woken first and was not taken yet, NONE for none. */
export function takeWoken(): u32 {
  const first = kvm().firstWoken;
  if (first == NONE) return NONE;
  kvm().firstWoken = vcpuOf(first).nextWoken;
  if (kvm().firstWoken == NONE) kvm().lastWoken = NONE;
  return first;
}

/** A vCPU that does not wait for its PE any more. */
export function dropWoken(vcpu: Vcpu): void {
  const last = kvm().lastWoken;
  for (let n = takeWoken(); n != NONE; n = n == last ? NONE : takeWoken()) {
    if (n != numberOfVcpu(vcpu)) pushWoken(vcpuOf(n));
  }
}
