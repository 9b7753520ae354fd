import { describe, expect, it } from 'vitest';
import { createMachine, IrqChip, Kvm, type Vcpu } from '../../bindings/index.ts';

async function boot(): Promise<{ kvm: Kvm; vcpu: Vcpu }> {
  const kvm = new Kvm(new IrqChip(await createMachine({ cpus: 1 })));
  const vm = kvm.createVm();
  const vcpu = (vm.vcpus[0] as Vcpu).run(0);
  vcpu.guest.store(vm.distributor, 2);
  vcpu.guest.store(vm.redistributors + 0x1_0100, 1 << 27);
  return { kvm, vcpu };
}

describe('what a vCPU shows of itself', () => {
  it('its timers, in the hardware and in memory', async () => {
    const { kvm, vcpu } = await boot();
    expect(vcpu.timers.map(({ enabled, line }) => [enabled, line])).toEqual([
      [false, false],
      [false, false],
    ]);
    vcpu.guest.writeRegister('CNTV_CVAL_EL0', 500);
    vcpu.guest.writeRegister('CNTV_CTL_EL0', 1);
    const armed = { name: 'virtual', enabled: true, masked: false, compare: 500n, line: false };
    expect(vcpu.timers[0]).toEqual(armed);
    vcpu.stop();
    expect(vcpu.timers[0]).toEqual(armed);
    kvm.advanceCounter(500);
    expect(vcpu.timers[0]).toEqual({ ...armed, line: true });
  });

  it('all of it in some lines of text', async () => {
    const { kvm, vcpu } = await boot();
    vcpu.guest.writeRegister('CNTV_CVAL_EL0', 500);
    vcpu.guest.writeRegister('CNTV_CTL_EL0', 1);
    kvm.advanceCounter(500);
    expect(String(vcpu)).toBe(
      [
        'vCPU 0: in-guest on PE 0',
        '  timers',
        '    virtual    at 500, line high',
        '  list',
        '    PPI 27     priority 0x00  line low, hw 27',
        '  list registers',
        '    LR0 PPI 27     priority 0x00  pending  hw 27',
      ].join('\n'),
    );
  });
});
