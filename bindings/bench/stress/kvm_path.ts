import { SystemRegister } from '../../../assembly/abi.ts';
import type { ItsCommand } from '../../commands/command.ts';
import type { Engine } from '../../engine.ts';
import { IrqChip } from '../../irqchip/irqchip.ts';
import { msiResults, VirtualIts } from '../../kvm/its.ts';
import { Kvm } from '../../kvm/kvm.ts';
import type { GuestVm } from '../../kvm/vm.ts';
import { Machine } from '../../machine.ts';
import { CheckError } from '../check.ts';
import { FIRST_LPI, perEvent } from '../rig.ts';
import type { InjectionCounts, StressPath } from './path.ts';
import { eventBits, type StressShape, takenByEach } from './shape.ts';

const RAM = 0x4000_0000;
const AREA = 0x1_0000;
const [QUEUE, DEVICE_TABLE, COLLECTION_TABLE, PROPERTY_TABLE, PENDING_TABLES] = [0, 1, 2, 3, 4].map(
  (n) => RAM + n * AREA,
) as [number, number, number, number, number];
const QUEUE_PAGES = 16;
/** Commands at a time: fewer than the queue has room for. */
const PORTION = 1024;
const VALID = 1n << 63n;
/** 16 bits of INTIDs. */
const ID_BITS = 15n;
const PENDING_TABLE_ZERO = 1n << 62n;
const GICD_CTLR_GROUP1 = 2;
const [GICR_CTLR, GICR_PROPBASER, GICR_PENDBASER] = [0, 0x70, 0x78] as const;
const REDISTRIBUTOR_BYTES = 0x2_0000;
/** Enabled, of the priority that the selftest gives. */
const PROPERTY = 0xa1;
const SPURIOUS = 1023;
/** An MSI comes with a DeviceID: KVM_MSI_VALID_DEVID. */
const HAS_DEVICE_ID = 1;

/** KVM_SIGNAL_MSI to the virtual ITS of a guest, LPIs that its vCPUs take from list registers. */
export function kvmPath(engine: Engine, shape: StressShape): StressPath {
  const { vcpus, devices, events } = shape;
  const machine = new Machine(engine, { cpus: vcpus });
  const its = bootGuest(machine, shape);
  mapAll(its, shape);
  const { vm, translater } = its;
  for (const vcpu of vm.vcpus) {
    vcpu.run(vcpu.index);
    vcpu.guest.writeRegister('ICC_PMR_EL1', 0xff);
    vcpu.guest.writeRegister('ICC_IGRPEN1_EL1', 1);
  }
  const before = msiResults(vm);
  return {
    name: 'KVM_SIGNAL_MSI -> vITS -> list register',
    inject() {
      for (let deviceId = 0; deviceId < devices; deviceId++) {
        for (let eventId = 0; eventId < events; eventId++) {
          machine.engine.vitsSignalMsi(vm.index, translater, eventId, deviceId, HAS_DEVICE_ID);
        }
      }
    },
    deliver: taker(vm, shape),
    counts(): InjectionCounts {
      const now = msiResults(vm);
      const total = (of: typeof now) => Object.values(of).reduce((sum, count) => sum + count, 0);
      const pending = now.INJECTED - before.INJECTED;
      const coalesced = now.COALESCED - before.COALESCED;
      return { pending, coalesced, dropped: total(now) - total(before) - pending - coalesced };
    },
  };
}

/** A guest whose LPIs are enabled on every vCPU, which takes an ITS. */
function bootGuest(machine: Machine, shape: StressShape): VirtualIts {
  const { vcpus, devices } = shape;
  const itts = devices * ittBytes(shape);
  const size = Math.ceil((PENDING_TABLES - RAM + vcpus * AREA + itts) / AREA) * AREA;
  const vm = new Kvm(new IrqChip(machine)).createVm({ vcpus, ram: { base: RAM, size } }).init();
  const its = new VirtualIts(vm);
  vm.write(vm.distributor, GICD_CTLR_GROUP1);
  vm.memory(PROPERTY_TABLE, AREA).fill(PROPERTY);
  for (let vcpu = 0; vcpu < vcpus; vcpu++) {
    const frame = vm.redistributors + vcpu * REDISTRIBUTOR_BYTES;
    vm.write(frame + GICR_PROPBASER, BigInt(PROPERTY_TABLE) | ID_BITS, 8);
    vm.write(frame + GICR_PENDBASER, BigInt(PENDING_TABLES + vcpu * AREA) | PENDING_TABLE_ZERO, 8);
    vm.write(frame + GICR_CTLR, 1n, 4);
  }
  return its;
}

function mapAll(its: VirtualIts, shape: StressShape): void {
  const { vcpus, devices, events } = shape;
  its.write('GITS_BASER0', VALID | BigInt(DEVICE_TABLE));
  its.write('GITS_BASER1', VALID | BigInt(COLLECTION_TABLE));
  its.write('GITS_CBASER', VALID | BigInt(QUEUE) | BigInt(QUEUE_PAGES - 1));
  its.write('GITS_CTLR', 1);
  const itts = PENDING_TABLES + vcpus * AREA;
  const bits = eventBits(shape);
  const commands: ItsCommand[] = [
    ...perEvent(vcpus, (vcpu): ItsCommand => ({ command: 'MAPC', icid: vcpu, rdBase: vcpu, valid: true })),
    ...perEvent(devices, (deviceId): ItsCommand => {
      const ittAddress = itts + deviceId * ittBytes(shape);
      return { command: 'MAPD', deviceId, size: bits - 1, ittAddress, valid: true };
    }),
    ...perEvent(devices * events, (n): ItsCommand => {
      const [deviceId, eventId] = [Math.floor(n / events), n % events];
      return { command: 'MAPTI', deviceId, eventId, pIntid: FIRST_LPI + n, icid: n % vcpus };
    }),
  ];
  for (let first = 0; first < commands.length; first += PORTION) {
    its.command(...commands.slice(first, first + PORTION));
  }
  const [error] = its.takeErrors();
  if (error) throw new CheckError(`${error.command}: ${error.outcome}`);
}

/** Entries of 8 bytes, 256-byte aligned. */
function ittBytes(shape: StressShape): number {
  return Math.max(256, 8 * 2 ** eventBits(shape));
}

function taker(vm: GuestVm, shape: StressShape): () => number {
  const { engine } = vm.kvm.chip.machine;
  const expected = takenByEach(shape);
  return () => {
    let taken = 0;
    for (const { number, index } of vm.vcpus) {
      for (let n = expected[index] as number; n > 0; n--) {
        const intid = engine.kvmGuestReadRegister(number, SystemRegister.ICC_IAR1_EL1);
        if (intid === SPURIOUS) throw new CheckError(`vCPU ${index}: an LPI did not arrive`);
        engine.kvmGuestWriteRegister(number, SystemRegister.ICC_EOIR1_EL1, intid, 0);
        taken++;
      }
    }
    return taken;
  };
}
