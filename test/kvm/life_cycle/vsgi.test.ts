import { beforeEach, describe, expect, it } from 'vitest';
import { CTLR, ERAS, type Lab, lab } from '../system.ts';

const SGI = 3;
const DIRECT = CTLR.EnableGrp1 | CTLR.nASSGIreq;

function control(host: Lab, value: number, by = 1): void {
  host.vcpu(by).guest.store(host.vm.distributor, value);
}

/** GICD_CTLR.nASSGIreq changes while the distributor is off. */
function switchTo(host: Lab, value: number): void {
  control(host, 0);
  control(host, value);
}

describe.each(ERAS.filter((kvm) => kvm !== '2017'))('3.9 SGI as vSGI (GICv4.1), kernel %s', (kvm) => {
  let host: Lab;
  const v = (n: number) => host.vcpu(n).guest;
  const rise = () => v(1).sgi(SGI, [0]);
  const isPending = () => host.get('ISPENDR', SGI, { owner: 0, by: 1 });

  beforeEach(async () => {
    host = await lab({ architecture: 'GICv4.1', cpus: 3, kvm });
    switchTo(host, DIRECT);
  });

  it('rise with the target resident: traps at the sender, delivered in hardware, no list, no kick', () => {
    host.chip.takeLog();
    const exits = host.exitsOf(() => expect(host.exitsOf(rise)).toBe(0), 1);
    expect(exits).toBe(1);
    expect(host.chip.takeLogLines()).toEqual(['ITS0: [0x20020] = 0x3']);
    expect(host.picture(SGI)).toEqual({ memory: '-', lr: undefined, list: undefined });
    expect(v(0).ack()).toBe(SGI);
  });

  it('acknowledge and end: in hardware, no exit, no active state', () => {
    rise();
    const exits = host.exitsOf(() => {
      expect(v(0).ack()).toBe(SGI);
      v(0).eoi(SGI);
      expect(v(0).ack()).toBe(1023);
    });
    expect(exits).toBe(0);
    rise();
    v(0).ack();
    expect(host.get('ISACTIVER', SGI, { owner: 0, by: 1 })).toBe(false);
  });

  it('rise while the target sleeps: pending in the vPE, the doorbell wakes it', () => {
    v(0).wfi();
    expect(host.vcpu(0).state).toBe('asleep');
    rise();
    expect(host.vcpu(0).state).toBe('in-guest');
    expect(v(0).ack()).toBe(SGI);
  });

  it('rise while the target is preempted: pending in the vPE, delivered when it is loaded anywhere', () => {
    host.vcpu(0).stop();
    rise();
    expect(isPending()).toBe(true);
    expect(host.vcpu(0).state).toBe('outside');
    host.vcpu(0).run(2);
    expect(v(0).ack()).toBe(SGI);
  });

  it('disabled while pending: the hardware keeps the pending bit', () => {
    host.set('ICENABLER', SGI, { owner: 0, by: 1 });
    rise();
    expect([v(0).ack(), isPending()]).toEqual([1023, true]);
    host.set('ISENABLER', SGI, { owner: 0, by: 1 });
    expect(v(0).ack()).toBe(SGI);
  });

  it('pending is read from and written to the hardware', () => {
    host.vcpu(0).stop();
    expect(isPending()).toBe(false);
    host.set('ISPENDR', SGI, { owner: 0, by: 1 });
    expect([isPending(), host.irq(SGI).pendingLatch]).toEqual([true, false]);
    host.set('ICPENDR', SGI, { owner: 0, by: 1 });
    expect(isPending()).toBe(false);
  });

  it('ISACTIVER: active stays 0', () => {
    host.set('ISACTIVER', SGI, { owner: 0, by: 1 });
    expect([host.irq(SGI).active, host.lr(SGI)]).toEqual([false, undefined]);
  });

  it('IPRIORITYR, IGROUPR: PROP_UPDATE_VSGI', () => {
    host.chip.takeLog();
    v(1).store(host.address('IPRIORITYR', SGI) + SGI, 0x40, 1);
    expect(host.chip.takeLogLines()[0]).toContain(
      'VSGI vPEID 0, vINTID 3, Enable 1, Group 1, Priority 0x40, Clear 0',
    );
    v(1).store(host.address('IGROUPR', SGI), 0xfff7);
    expect(
      host.chip.takeLogLines().some((line) => line.includes('vINTID 3, Enable 1, Group 0, Priority 0x40')),
    ).toBe(true);
  });

  it('a group that does not match: ICC_SGI0R and ICC_ASGI1R reach Group 0 alone', () => {
    v(1).writeRegister('ICC_SGI0R_EL1', (BigInt(SGI) << 24n) | 1n);
    v(1).writeRegister('ICC_ASGI1R_EL1', (BigInt(SGI) << 24n) | 1n);
    expect(isPending()).toBe(false);
  });

  it('back to software SGIs: what is pending comes along, the irq is deactivated', () => {
    host.set('ICENABLER', SGI, { owner: 0, by: 1 });
    rise();
    host.chip.takeLog();
    switchTo(host, CTLR.EnableGrp1);
    expect(host.chip.takeLogLines().filter((line) => line.includes('vPEID 0, vINTID 3'))).toHaveLength(2);
    expect([host.irq(SGI).hw, host.irq(SGI).pendingLatch]).toEqual([false, true]);
    host.set('ISENABLER', SGI, { owner: 0, by: 1 });
    expect([host.lr(SGI), v(0).ack()]).toEqual(['pending', SGI]);
  });

  it('to vSGIs: what is pending comes along, what was active is not any more', () => {
    switchTo(host, CTLR.EnableGrp1);
    rise();
    expect(v(0).ack()).toBe(SGI);
    host.set('ISPENDR', SGI, { owner: 0, by: 1 });
    control(host, 0);
    control(host, CTLR.nASSGIreq);
    expect([host.irq(SGI).hw, host.irq(SGI).active, host.irq(SGI).pendingLatch]).toEqual([
      true,
      false,
      false,
    ]);
    expect([isPending(), host.lr(SGI)]).toEqual([true, undefined]);
  });

  it('GICD_CTLR.nASSGIreq keeps what it has while the distributor is on', () => {
    control(host, CTLR.EnableGrp1);
    expect(Number(v(1).load(host.vm.distributor)) & DIRECT).toBe(DIRECT);
    expect(host.irq(SGI).hw).toBe(true);
    // A write that switches the distributor off may change it.
    control(host, 0);
    expect([Number(v(1).load(host.vm.distributor)) & DIRECT, host.irq(SGI).hw]).toEqual([0, false]);
  });
});

it('GICv4.0 has no vSGIs: nASSGIreq reads as zero, SGIs stay with the list registers', async () => {
  const host = await lab({ architecture: 'GICv4.0' });
  switchTo(host, DIRECT);
  expect(Number(host.vcpu().guest.load(host.vm.distributor)) & CTLR.nASSGIreq).toBe(0);
  host.vcpu(1).guest.sgi(SGI, [0]);
  expect(host.lr(SGI)).toBe('pending');
});

it('GICv4.1 without vSGIs in the redistributors: SGIs stay with the list registers', async () => {
  const host = await lab({ architecture: 'GICv4.1', virtualSgis: false });
  switchTo(host, DIRECT);
  host.vcpu(1).guest.sgi(SGI, [0]);
  expect(host.lr(SGI)).toBe('pending');
});
