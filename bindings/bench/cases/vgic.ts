import { SystemRegister } from '../../../assembly/abi.ts';
import { IrqChip } from '../../irqchip/irqchip.ts';
import { Kvm } from '../../kvm/kvm.ts';
import type { Vcpu } from '../../kvm/vcpu.ts';
import type { GuestVm } from '../../kvm/vm.ts';
import { Machine } from '../../machine.ts';
import type { BenchCase, MakeGic } from '../case.ts';
import { expectEqual } from '../check.ts';

/** The most SPIs that a VM has. */
const SPIS = 988;
/** SGIs that stand in for a thousand interrupts. */
const SGIS = 12;
const FIRST_SPI = 32;
const GICD_CTLR = 0;
const GICD_ISENABLER = 0x100;
const GICD_ICFGR = 0xc00;
const GICD_IPRIORITYR = 0x400;

interface Guest {
  readonly machine: Machine;
  readonly vm: GuestVm;
  readonly vcpu: Vcpu;
}

/** A VM of one vCPU whose SPIs are enabled, edge-triggered and of 32 priorities. */
function bootGuest(make: MakeGic, listRegisters: number): Guest {
  const machine = make({ architecture: 'GICv3', cpus: 1, listRegisters });
  if (!(machine instanceof Machine)) throw new TypeError('KVM runs on machines of the engine');
  const vm = new Kvm(new IrqChip(machine)).createVm({ spis: SPIS }).init();
  const gicd = (offset: number, value: number) => vm.write(vm.distributor + offset, value);
  gicd(GICD_CTLR, 2);
  for (let intid = FIRST_SPI; intid < FIRST_SPI + SPIS; intid++) {
    if (intid % 32 === 0) gicd(GICD_ISENABLER + intid / 8, 0xffff_ffff);
    if (intid % 16 === 0) gicd(GICD_ICFGR + intid / 4, 0xaaaa_aaaa);
    if (intid % 4 === 0) gicd(GICD_IPRIORITYR + intid, 0x0101_0101 * ((intid % 32) * 4));
  }
  return { machine, vm, vcpu: vm.vcpus[0] as Vcpu };
}

function makePending({ machine, vm, vcpu }: Guest, count: number): void {
  for (let n = 0; n < Math.min(count, SPIS); n++) vm.setSpi(FIRST_SPI + n, true);
  for (let sgi = 0; sgi < Math.min(count - SPIS, SGIS); sgi++) {
    machine.engine.kvmInject(vm.index, vcpu.index, sgi, 1, 0);
  }
}

/** An entry with nothing that the guest would do, and an exit: choose, write, read back, fold. */
function flushAndFold(listRegisters: number, pending: number): BenchCase {
  return {
    name: `kvm: flush + fold, ${pending} pending, ${listRegisters} list registers`,
    needs: 'GICv3',
    engineOnly: true,
    prepare(make, batch) {
      const guest = bootGuest(make, listRegisters);
      const { machine, vcpu } = guest;
      machine.engine.kvmLoad(vcpu.number, 0);
      makePending(guest, pending);
      return {
        ops: batch,
        run() {
          for (let n = 0; n < batch; n++) {
            if (machine.engine.kvmEnter(vcpu.number) === 0) machine.engine.kvmEnter(vcpu.number);
            machine.engine.kvmExit(vcpu.number);
          }
        },
        verify() {
          expectEqual('interrupts on the list', vcpu.apList.length, pending);
          if (machine.engine.kvmEnter(vcpu.number) === 0) machine.engine.kvmEnter(vcpu.number);
          expectEqual('list registers', vcpu.listRegisters.length, Math.min(listRegisters, pending));
          machine.engine.kvmExit(vcpu.number);
        },
      };
    },
  };
}

/** An SPI that a device raises while the guest runs: kick, exit, entry, acknowledge, end. */
const roundTrip: BenchCase = {
  name: 'kvm: SPI injected, acknowledged and ended by a running guest',
  needs: 'GICv3',
  engineOnly: true,
  prepare(make, batch) {
    const guest = bootGuest(make, 4);
    const { machine, vm, vcpu } = guest;
    const { engine } = machine;
    vcpu.run(0);
    vcpu.guest.writeRegister('ICC_PMR_EL1', 0xff);
    vcpu.guest.writeRegister('ICC_IGRPEN1_EL1', 1);
    let last = 0;
    return {
      ops: batch,
      run() {
        for (let n = 0; n < batch; n++) {
          engine.kvmInject(vm.index, 0, FIRST_SPI, 1, 0);
          last = engine.kvmGuestReadRegister(vcpu.number, SystemRegister.ICC_IAR1_EL1);
          engine.kvmGuestWriteRegister(vcpu.number, SystemRegister.ICC_EOIR1_EL1, FIRST_SPI, 0);
        }
      },
      verify() {
        expectEqual('the interrupt acknowledged last', last, FIRST_SPI);
        vcpu.guest.hvc();
        expectEqual('interrupts on the list', vcpu.apList.length, 0);
      },
    };
  },
};

export const vgicCases: readonly BenchCase[] = [
  ...[4, 16].flatMap((listRegisters) =>
    [16, 256, 1000].map((pending) => flushAndFold(listRegisters, pending)),
  ),
  roundTrip,
];
