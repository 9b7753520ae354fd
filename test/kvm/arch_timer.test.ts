import { beforeEach, describe, expect, it } from 'vitest';
import { ERAS, type Lab, lab, PTIMER, VTIMER } from './system.ts';

describe.each(ERAS)('4 the architected timer, kernel %s', (kvm) => {
  let host: Lab;
  const guest = () => host.vcpu().guest;
  const switchOff = () => guest().writeRegister('CNTV_CTL_EL0', 0);
  const hardware = (register: string, cpu = 0) => host.machine.cpu(cpu).read(register);

  beforeEach(async () => {
    host = await lab({ cpus: 3, kvm });
    host.enable(VTIMER);
    host.enable(PTIMER);
  });

  it('4.1 the PPIs are 27 and 30, level triggered, tied to the host’s', () => {
    for (const intid of [VTIMER, PTIMER]) {
      const { hw, hwIntid, trigger } = host.irq(intid);
      expect([hw, hwIntid, trigger]).toEqual([true, intid, 'level']);
    }
  });

  it('4.1 nobody but the timer drives its line', () => {
    host.vcpu().setPpi(VTIMER, true);
    expect(host.picture(VTIMER)).toEqual({ memory: '-', lr: undefined, list: undefined });
  });

  it('4.1 the virtual counter starts with the VM; the physical one is the host’s', async () => {
    host.advance(500);
    const late = host.kvm.createVm();
    const vcpu = late.vcpus[0]?.run(2);
    host.advance(7);
    expect([guest().readRegister('CNTVCT_EL0'), vcpu?.guest.readRegister('CNTVCT_EL0')]).toEqual([507n, 7n]);
    expect(vcpu?.guest.readRegister('CNTPCT_EL0')).toBe(507n);
  });

  it('4.2 put: CTL and CVAL to memory, CTL=0, CNTVOFF=0; load on another PE: all back', () => {
    host.armTimer(1000);
    const compare = guest().readRegister('CNTV_CVAL_EL0');
    host.vcpu().stop();
    expect([hardware('CNTV_CTL_EL0'), hardware('CNTVOFF_EL2')]).toEqual([0n, 0n]);
    host.vcpu().run(2);
    expect([hardware('CNTV_CTL_EL0', 2), hardware('CNTV_CVAL_EL0', 2)]).toEqual([1n, compare]);
  });

  it('4.2 each vCPU of a PE has its own timer', () => {
    host.armTimer(100, 0);
    host.vcpu(0).stop();
    host.vcpu(1).stop();
    host.vcpu(1).run(0);
    expect(host.vcpu(1).guest.readRegister('CNTV_CTL_EL0')).toBe(0n);
    host.advance(200);
    expect([host.lr(VTIMER, 1), host.irq(VTIMER, 0).pending]).toEqual([undefined, false]);
    host.vcpu(1).stop();
    host.vcpu(0).run(0);
    expect(guest().ack()).toBe(VTIMER);
  });

  it('4.3 between the soft timer and the guest’s handler the host takes no timer interrupt', () => {
    host.armTimer(100);
    guest().wfi();
    expect([host.vcpu().state, host.kvm.nextSoftTimer]).toEqual(['asleep', host.machine.counter + 100n]);
    const taken = host.hostInterrupts(VTIMER, () => host.advance(100));
    expect([taken, host.vcpu().state, host.lr(VTIMER), host.physical(VTIMER)]).toEqual([
      0,
      'in-guest',
      'pending hw',
      'pending active',
    ]);
    expect(guest().ack()).toBe(VTIMER);
    host.armTimer(100);
    guest().eoi(VTIMER);
    expect(host.physical(VTIMER)).toBe('-');
  });

  it('4.4 one exit for each expiry, and none for the end of the interrupt', () => {
    for (let n = 0; n < 5; n++) {
      host.armTimer(100);
      expect(host.exitsOf(() => host.advance(99))).toBe(0);
      expect(host.exitsOf(() => host.advance(1))).toBe(1);
      const exits = host.exitsOf(() => {
        expect(guest().ack()).toBe(VTIMER);
        switchOff();
        guest().eoi(VTIMER);
      });
      expect(exits).toBe(0);
    }
  });

  it('4.4 after the end with the line low: no host interrupt', () => {
    host.armTimer(10);
    host.advance(10);
    guest().ack();
    switchOff();
    const taken = host.hostInterrupts(VTIMER, () => {
      guest().eoi(VTIMER);
      host.advance(1000);
      guest().hvc();
    });
    expect([taken, host.picture(VTIMER)]).toEqual([0, { memory: '-', lr: undefined, list: undefined }]);
  });

  it('4.4 ended without touching the timer: a second virtual interrupt', () => {
    host.armTimer(10);
    host.advance(10);
    guest().ack();
    expect(host.exitsOf(() => guest().eoi(VTIMER))).toBe(1);
    expect(guest().ack()).toBe(VTIMER);
  });

  it('4.5 should_fire, loaded and not: IMASK and ENABLE count', () => {
    for (const [control, fires] of [
      [0, false],
      [1, true],
      [2, false],
      [3, false],
    ] as const) {
      guest().writeRegister('CNTV_CVAL_EL0', 0);
      guest().writeRegister('CNTV_CTL_EL0', control);
      host.kvm.serve();
      expect([control, host.lr(VTIMER) !== undefined]).toEqual([control, fires]);
      host.vcpu().stop();
      expect([control, host.vcpu().runnable]).toEqual([control, fires]);
      host.vcpu().run(0);
      switchOff();
      guest().hvc();
    }
  });

  it('4.5 the earliest of the timers that can fire', () => {
    host.armTimer(300);
    guest().writeRegister('CNTP_CVAL_EL0', host.machine.counter + 200n);
    guest().writeRegister('CNTP_CTL_EL0', 1);
    guest().wfi();
    expect(host.kvm.nextSoftTimer).toBe(host.machine.counter + 200n);
    host.advance(200);
    expect(guest().ack()).toBe(PTIMER);
  });

  it('4.5 no soft timer if none can fire', () => {
    guest().writeRegister('CNTV_CVAL_EL0', 50);
    guest().writeRegister('CNTV_CTL_EL0', 3);
    guest().wfi();
    host.advance(1000);
    expect([host.kvm.nextSoftTimer, host.vcpu().state]).toEqual([undefined, 'asleep']);
  });

  it('4.5 a vCPU that is put and does not sleep has no soft timer', () => {
    host.armTimer(100);
    host.vcpu().stop();
    expect(host.kvm.nextSoftTimer).toBe(undefined);
  });

  it('4.5 WFI with an expired timer does not sleep, even with its PPI disabled', () => {
    host.set('ICENABLER', VTIMER);
    host.armTimer(0);
    guest().wfi();
    expect(host.vcpu().state).toBe('in-guest');
  });

  it('4.5 the guest masks the PPI with the line high: the host stays quiet; unmasked, the line is sampled', () => {
    host.armTimer(10);
    host.advance(10);
    host.set('ICENABLER', VTIMER);
    const taken = host.hostInterrupts(VTIMER, () => {
      for (let n = 0; n < 3; n++) guest().hvc();
    });
    expect([taken, host.lr(VTIMER), guest().ack()]).toEqual([0, undefined, 1023]);
    if (kvm !== '2017') expect(host.physical(VTIMER)).toBe('pending active');
    switchOff();
    host.set('ISENABLER', VTIMER);
    expect([host.physical(VTIMER), host.picture(VTIMER).memory]).toEqual(['-', '-']);
  });

  it('4.5 preempted with P in the list register: the new PE’s active state is set', () => {
    host.armTimer(10);
    host.advance(10);
    host.vcpu().stop();
    expect(host.picture(VTIMER)).toMatchObject({ memory: 'L', list: 0 });
    host.vcpu().run(2);
    expect([host.lr(VTIMER), host.physical(VTIMER, 2)]).toEqual(['pending hw', 'pending active']);
  });

  it('4.5 what stays active on the old PE does no harm: the next load overwrites it', () => {
    host.armTimer(10);
    host.advance(10);
    guest().ack();
    host.vcpu(0).stop();
    host.vcpu(1).stop();
    host.vcpu(1).run(0);
    host.vcpu(0).run(2);
    expect(host.physical(VTIMER, 0)).toBe('-');
    host.enable(VTIMER, 1);
    host.armTimer(5, 1);
    host.advance(5);
    expect(host.vcpu(1).guest.ack()).toBe(VTIMER);
  });

  it('4.5 a late interrupt of the host, after the vCPU was put, is ignored', () => {
    host.vcpu().stop();
    host.machine.setPpi(0, VTIMER, true);
    host.kvm.serve();
    host.machine.setPpi(0, VTIMER, false);
    expect(host.picture(VTIMER)).toEqual({ memory: '-', lr: undefined, list: undefined });
    host.vcpu().run(0);
    expect(host.physical(VTIMER)).toBe('-');
  });
});
