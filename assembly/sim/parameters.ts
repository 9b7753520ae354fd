// Parameters by number, for the host.
import { SimDeviceParameter, SimGuestParameter, SimParameter } from '../abi';
import { Device, Sim, Thread } from './state';

const SIM_PARAMETERS: u32 = SimParameter.TRAP_WFI + 1;
const GUEST_PARAMETERS: u32 = SimGuestParameter.TIMES + 1;
const DEVICE_PARAMETERS: u32 = SimDeviceParameter.IRQFD + 1;

export function setSimParameter(sim: Sim, n: u32, value: u64): bool {
  return setAt(changetype<usize>(sim) + offsetof<Sim>('slice'), n, SIM_PARAMETERS, value);
}

export function setGuestParameter(thread: Thread, n: u32, value: u64): bool {
  return setAt(changetype<usize>(thread) + offsetof<Thread>('manual'), n, GUEST_PARAMETERS, value);
}

export function setDeviceParameter(device: Device, n: u32, value: u64): bool {
  return setAt(changetype<usize>(device) + offsetof<Device>('kind'), n, DEVICE_PARAMETERS, value);
}

function setAt(first: usize, n: u32, count: u32, value: u64): bool {
  if (n >= count) return false;
  store<u64>(first + (n << 3), value);
  return true;
}
