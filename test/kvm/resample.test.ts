import { describe, expect, it } from 'vitest';
import { createMachine, IrqChip, type KernelEra, Kvm, type Vcpu } from '../../bindings/index.ts';

const SPI = 32;

describe.each(['2017', '5.6', '6.19'] as readonly KernelEra[])(
  '3.6 resample eventfds, kernel %s',
  (kernel) => {
    async function boot() {
      const vm = new Kvm(new IrqChip(await createMachine({ cpus: 1 }), { kvm: kernel })).createVm();
      const vcpu = (vm.vcpus[0] as Vcpu).run(0);
      vcpu.guest.store(vm.distributor, 2);
      vcpu.guest.store(vm.distributor + 0x104, 1);
      vcpu.guest.writeRegister('ICC_PMR_EL1', 0xf8);
      vcpu.guest.writeRegister('ICC_IGRPEN1_EL1', 1);
      return { vm, vcpu };
    }

    it('each end of a level SPI is told once, and with the line still high the SPI comes again', async () => {
      const { vm, vcpu } = await boot();
      vm.watchEnds(SPI);
      vm.setSpi(SPI, true);
      expect([vcpu.guest.ack(), vm.ends(SPI)]).toEqual([SPI, 0]);
      vcpu.guest.eoi(SPI);
      expect([vm.ends(SPI), vcpu.guest.ack()]).toEqual([1, SPI]);
      vm.setSpi(SPI, false);
      vcpu.guest.eoi(SPI);
      expect([vm.ends(SPI), vcpu.guest.ack()]).toEqual([2, 1023]);
    });

    it('nobody is told of an SPI that nobody watches', async () => {
      const { vm, vcpu } = await boot();
      vm.setSpi(SPI, true);
      vcpu.guest.ack();
      vm.setSpi(SPI, false);
      vcpu.guest.eoi(SPI);
      expect(vm.ends(SPI)).toBe(0);
    });

    it('an INTID that is no SPI of the VM is refused', async () => {
      const { vm } = await boot();
      expect(() => vm.watchEnds(31)).toThrow('intid: 31');
      expect(() => vm.ends(96)).toThrow('intid: 96');
    });
  },
);
