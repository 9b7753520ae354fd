import { type GuestVm, VirtualIts } from '../../bindings/index.ts';

const VALID = 1n << 63n;
export const RAM = 0x4000_0000;
const PROPERTY_TABLE = RAM + 0x3_0000;
export const GUEST_DEVICE = 3;
export const EMULATED_DEVICE = 4;
export const ASSIGNED = 8200;
export const EMULATED = 8300;

/** The guest's driver brings its ITS up: a collection for each vCPU, two devices with an event for each. */
export function bootIts(vm: GuestVm): VirtualIts {
  const its = new VirtualIts(vm);
  vm.memory(PROPERTY_TABLE, 0x1_0000).fill(0xa1);
  its.write('GITS_BASER0', VALID | BigInt(RAM + 0x1_0000));
  its.write('GITS_BASER1', VALID | BigInt(RAM + 0x2_0000));
  its.write('GITS_CBASER', VALID | BigInt(RAM) | 15n);
  for (let n = 0; n < vm.vcpus.length; n++) {
    const frame = vm.redistributors + n * 0x2_0000;
    vm.write(frame + 0x70, BigInt(PROPERTY_TABLE) | 15n, 8);
    vm.write(frame + 0x78, BigInt(RAM + 0x8_0000 + n * 0x1_0000) | (1n << 62n), 8);
    vm.write(frame, 1);
  }
  its.write('GITS_CTLR', 1);
  [GUEST_DEVICE, EMULATED_DEVICE].forEach((deviceId, n) => {
    its.command({ command: 'MAPD', deviceId, size: 4, ittAddress: RAM + 0x5_0000 + n * 0x1000, valid: true });
  });
  for (let n = 0; n < vm.vcpus.length; n++) {
    its.command({ command: 'MAPC', icid: n, rdBase: n, valid: true });
    its.command({ command: 'MAPTI', deviceId: GUEST_DEVICE, eventId: n, pIntid: ASSIGNED + n, icid: n });
    its.command({ command: 'MAPTI', deviceId: EMULATED_DEVICE, eventId: n, pIntid: EMULATED + n, icid: n });
  }
  return its;
}
