import { describe, expect, it } from 'vitest';
import type { KernelEra } from '../../../bindings/index.ts';
import { GuestIts } from '../guest_its.ts';

const KERNELS: readonly KernelEra[] = ['2017', '5.6', '6.19'];
const LPI = 8200;

async function running(kvm: KernelEra, hardware: 'v3' | 'v4' = 'v3') {
  const guest = await GuestIts.start({ hardware, kvm });
  guest.mapDevice(3);
  guest.map(3, 0, LPI);
  const vcpu = guest.vm.vcpus[0]!.run(0);
  vcpu.guest.writeRegister('ICC_PMR_EL1', 0xff);
  vcpu.guest.writeRegister('ICC_IGRPEN1_EL1', 1);
  return { guest, vcpu };
}

describe.each(KERNELS)(
  'F6 an LPI in a list register has no physical interrupt behind it, kernel %s',
  (kvm) => {
    it('an emulated device', async () => {
      const { guest, vcpu } = await running(kvm);
      guest.msi(3, 0);
      expect(vcpu.listRegisters).toMatchObject([{ vIntid: LPI, state: 'pending', hw: false, eoi: false }]);
      expect(vcpu.guest.ack()).toBe(LPI);
      vcpu.guest.eoi(LPI);
      vcpu.guest.hvc();
      expect(vcpu.listRegisters).toEqual([]);
    });

    it('a passthrough device without direct injection: the vCPU is preempted to load it', async () => {
      const { guest, vcpu } = await running(kvm);
      const irq = guest.hostDevice().irqs[0]!;
      guest.assign(irq, 3, 0).enable(1);
      const { exits } = vcpu;
      guest.chip.machine.sendMsi(0x10, 0);
      guest.kvm.serve();
      expect(vcpu.exits).toBeGreaterThan(exits);
      expect(vcpu.listRegisters).toMatchObject([{ vIntid: LPI, state: 'pending', hw: false }]);
    });

    it('an LPI that becomes a VLPI while a list register has it', async () => {
      const { guest, vcpu } = await running(kvm, 'v4');
      guest.msi(3, 0);
      const irq = guest.hostDevice().irqs[0]!;
      guest.assign(irq, 3, 0).enable(1);
      vcpu.guest.hvc();
      for (const { hw } of vcpu.listRegisters) expect(hw).toBe(false);
      expect(vcpu.guest.ack()).toBe(LPI);
    });
  },
);
