// What a guest does, as the PE that it runs on sees it: an access goes to the virtual interface or traps to the
// hypervisor, which emulates it and goes back in.
import { SystemRegister as Register, VirtualView } from '../abi';
import { readTimerRegister, writeTimerRegister } from '../timer/system_registers';
import { routeRegister } from '../virt/routing';
import { readVirtualRegister, writeVirtualRegister } from '../virt/system_registers';
import { deactivateByDir } from './dir';
import { guestRead, guestWrite } from './mmio/dispatch';
import { exitGuest } from './run';
import { serveAll } from './service';
import { dispatchSgi } from './sgi';
import { IN_GUEST_MODE, numberOfVcpu, Vcpu } from './state';

export function isInGuest(vcpu: Vcpu): bool {
  return vcpu.mode == IN_GUEST_MODE;
}

/** MRS of a vCPU in the guest; what traps reads as zero. */
export function readRegister(vcpu: Vcpu, register: u32): u64 {
  const cpu = vcpu.loadedOn;
  let value: u64 = 0;
  if (isTimer(register)) value = readTimerRegister(cpu, register);
  else {
    const reached = routeRegister(cpu, register);
    if (reached >= 0 && isVirtual(<u32>reached)) value = readVirtualRegister(cpu, <u32>reached);
    else exitGuest(vcpu);
  }
  serveAll();
  return value;
}

/** MSR of a vCPU in the guest. */
export function writeRegister(vcpu: Vcpu, register: u32, value: u64): void {
  const cpu = vcpu.loadedOn;
  if (isTimer(register)) writeTimerRegister(cpu, register, value);
  else {
    const reached = routeRegister(cpu, register);
    if (reached >= 0 && isVirtual(<u32>reached)) writeVirtualRegister(cpu, <u32>reached, value);
    else emulateWrite(vcpu, register, value);
  }
  serveAll();
}

function emulateWrite(vcpu: Vcpu, register: u32, value: u64): void {
  exitGuest(vcpu);
  switch (register) {
    case Register.ICC_SGI0R_EL1:
    case Register.ICC_SGI1R_EL1:
    case Register.ICC_ASGI1R_EL1:
      return dispatchSgi(vcpu, register, value);
    case Register.ICC_DIR_EL1:
      return deactivateByDir(vcpu, <u32>value);
    default:
  }
}

/** Timers of EL1 and their counters: the guest's own. */
function isTimer(register: u32): bool {
  return register >= <u32>Register.CNTFRQ_EL0 && register < <u32>Register.CNTHP_CTL_EL2;
}

function isVirtual(register: u32): bool {
  return register >= <u32>Register.ICC_PMR_EL1 + <u32>VirtualView.STEP;
}

/** A load from memory that traps. */
export function loadMmio(vcpu: Vcpu, address: u64, size: u32): u64 {
  exitGuest(vcpu);
  const value = guestRead(numberOfVcpu(vcpu), address, size);
  serveAll();
  return value;
}

export function storeMmio(vcpu: Vcpu, address: u64, size: u32, value: u64): void {
  exitGuest(vcpu);
  guestWrite(numberOfVcpu(vcpu), address, size, value);
  serveAll();
}

/** An exit for no other reason: HVC. */
export function hypercall(vcpu: Vcpu): void {
  exitGuest(vcpu);
  serveAll();
}
