import { SystemRegister } from '../../../assembly/abi.ts';
import { IrqChip } from '../../irqchip/irqchip.ts';
import { AssignedInterrupt } from '../../kvm/irqfd.ts';
import { VirtualIts } from '../../kvm/its.ts';
import { Kvm } from '../../kvm/kvm.ts';
import type { Vcpu } from '../../kvm/vcpu.ts';
import type { GuestVm } from '../../kvm/vm.ts';
import { Machine } from '../../machine.ts';
import type { BenchCase, MakeGic } from '../case.ts';
import { expectEqual } from '../check.ts';

const VALID = 1n << 63n;
const PTZ = 1n << 62n;
/** Where the guest has its tables. */
const RAM = 0x4000_0000;
const DEVICE_TABLE = RAM + 0x1_0000;
const COLLECTION_TABLE = RAM + 0x2_0000;
const PROPERTY_TABLE = RAM + 0x3_0000;
const PENDING_TABLE = RAM + 0x4_0000;
const ITT = RAM + 0x5_0000;
const RAM_BYTES = 0x10_0000;

const HOST_DEVICE = 0x10;
const GUEST_DEVICE = 3;
const LPI = 8200;

/** The guest's driver brings its ITS up and maps one event. */
function setUpGuest(vm: GuestVm): VirtualIts {
  const its = new VirtualIts(vm);
  vm.write(vm.distributor, 2);
  vm.memory(PROPERTY_TABLE, 0x1_0000).fill(0xa1);
  its.write('GITS_BASER0', VALID | BigInt(DEVICE_TABLE));
  its.write('GITS_BASER1', VALID | BigInt(COLLECTION_TABLE));
  its.write('GITS_CBASER', VALID | BigInt(RAM) | 15n);
  vm.write(vm.redistributors + 0x70, BigInt(PROPERTY_TABLE) | 15n, 8);
  vm.write(vm.redistributors + 0x78, BigInt(PENDING_TABLE) | PTZ, 8);
  vm.write(vm.redistributors, 1);
  its.write('GITS_CTLR', 1);
  its.command({ command: 'MAPC', icid: 0, rdBase: 0, valid: true });
  its.command({ command: 'MAPD', deviceId: GUEST_DEVICE, size: 4, ittAddress: ITT, valid: true });
  its.command({ command: 'MAPTI', deviceId: GUEST_DEVICE, eventId: 0, pIntid: LPI, icid: 0 });
  return its;
}

/** A running guest with a device of the host's, whose event 0 is the guest's LPI 8200. */
function bootGuest(make: MakeGic, architecture: 'GICv3' | 'GICv4.0'): { machine: Machine; vcpu: Vcpu } {
  const machine = make({ architecture, cpus: 2 });
  if (!(machine instanceof Machine)) throw new TypeError('KVM runs on machines of the engine');
  const chip = new IrqChip(machine);
  const vm = new Kvm(chip).createVm({ ram: { base: RAM, size: RAM_BYTES } }).init();
  const its = setUpGuest(vm);
  const irq = chip.createDevice({ deviceId: HOST_DEVICE, events: 2 }).irqs[0];
  if (!irq) throw new TypeError('a device has interrupts');
  const message = { address: its.translater, data: 0, deviceId: GUEST_DEVICE };
  new AssignedInterrupt(vm, { gsi: 0, irq, message }).enable(0);
  const vcpu = (vm.vcpus[0] as Vcpu).run(0);
  vcpu.guest.writeRegister('ICC_PMR_EL1', 0xff);
  vcpu.guest.writeRegister('ICC_IGRPEN1_EL1', 1);
  return { machine, vcpu };
}

/** From the device's write to the guest's end of interrupt. `exits`: of the guest, for each interrupt. */
function roundTrip(architecture: 'GICv3' | 'GICv4.0', how: string): BenchCase {
  return {
    name: `kvm: device's MSI, acknowledged and ended by a running guest, ${how}`,
    needs: architecture,
    engineOnly: true,
    prepare(make, batch) {
      const { machine, vcpu } = bootGuest(make, architecture);
      const { engine } = machine;
      const { number } = vcpu;
      let wrong = 0;
      return {
        ops: batch,
        reset() {
          wrong = 0;
        },
        run() {
          for (let n = 0; n < batch; n++) {
            engine.sendMsi(0, HOST_DEVICE, 0);
            engine.kvmServe();
            if (engine.kvmGuestReadRegister(number, SystemRegister.ICC_IAR1_EL1) !== LPI) wrong++;
            engine.kvmGuestWriteRegister(number, SystemRegister.ICC_EOIR1_EL1, LPI, 0);
          }
        },
        verify() {
          expectEqual('acknowledged INTIDs that are not the LPI', wrong, 0);
        },
      };
    },
  };
}

export const passthroughCases: readonly BenchCase[] = [
  roundTrip('GICv3', 'by software'),
  roundTrip('GICv4.0', 'direct'),
];
