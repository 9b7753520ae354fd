import { describe, expect, it } from 'vitest';
import { DEVICE, EVENT, errnoOf, first, type System, start, VINTID } from './system.ts';

const v4Systems = ['v4', 'v4Proxy', 'v4TwoIts', 'v4ItsList', 'v4_1'] as const;
const ENABLED = { priority: 0xa0, enabled: true };

/** The PE takes its best interrupt and completes it; undefined if it has none. */
function take(system: System, cpu: number): number | undefined {
  if (!system.machine.irq(cpu)) return undefined;
  const unit = system.machine.cpu(cpu);
  const intid = unit.acknowledge();
  unit.endOfInterrupt(intid);
  return intid;
}

/** The best VLPI that the vPE resident on a PE sees. */
function vlpi(system: System, cpu: number): number | undefined {
  return system.machine.virtualOutputs(cpu).bestVlpi?.vIntid;
}

const msi = (system: System) => system.machine.sendMsi(DEVICE, EVENT);

describe('17: an event is an LPI or a VLPI, never both', () => {
  for (const name of v4Systems) {
    it(`an MSI arrives as the LPI, as the VLPI, and as the LPI again: ${name}`, async () => {
      const system = await start(name);
      const { irq } = system.device();
      const vpe = first(system.vm().vpes);
      irq.unmask();
      vpe.schedule(0);
      msi(system);
      expect([take(system, 1), vlpi(system, 0)]).toEqual([irq.intid, undefined]);
      irq.mapVlpi({ vpe, vIntid: VINTID, properties: ENABLED, doorbell: false });
      if (!vpe.resident) vpe.schedule(0);
      msi(system);
      expect([take(system, 1), vlpi(system, 0)]).toEqual([undefined, VINTID]);
      irq.setPending(false);
      expect(vlpi(system, 0)).toBeUndefined();
      irq.unmapVlpi();
      msi(system);
      expect([take(system, 1), vlpi(system, 0)]).toEqual([irq.intid, undefined]);
    });
  }

  it('unmapping brings the LPI back on its PE, enabled at priority 0xa0 even if it was masked before', async () => {
    const system = await start('v4');
    const { irq } = system.device();
    irq.setAffinity(2);
    irq.unmask();
    irq.mask();
    const vpe = first(system.vm().vpes);
    irq.mapVlpi({ vpe, vIntid: VINTID, properties: ENABLED, doorbell: false });
    irq.unmapVlpi();
    expect([irq.cpu, irq.masked]).toEqual([2, false]);
    msi(system);
    expect(system.machine.highestPending(2)).toMatchObject({ intid: irq.intid, priority: 0xa0 });
    expect(take(system, 2)).toBe(irq.intid);
  });

  it('a VLPI that is moved to another vPE arrives there only', async () => {
    const system = await start('v4');
    const { irq, vm } = system.forwarded({ vpes: 2 });
    const [from, to] = vm.vpes as [(typeof vm.vpes)[number], (typeof vm.vpes)[number]];
    from.schedule(0);
    to.schedule(1);
    to.doorbell.setAffinity(1);
    irq.mapVlpi({ vpe: to, vIntid: VINTID, properties: ENABLED, doorbell: true });
    msi(system);
    expect([vlpi(system, 0), vlpi(system, 1)]).toEqual([undefined, VINTID]);
  });
});

describe('26: the doorbell rings where the vPE is not resident', () => {
  for (const name of ['v4', 'v4Proxy', 'v4TwoIts', 'v4ItsList'] as const) {
    it(`once it is unmasked, on the PE of the vPE: ${name}`, async () => {
      const system = await start(name);
      const { vpe } = system.forwarded();
      vpe.doorbell.setAffinity(2);
      msi(system);
      expect(take(system, 2)).toBeUndefined();
      vpe.doorbell.unmask();
      expect(take(system, 2)).toBe(vpe.doorbell.intid);
    });

    it(`not while it is resident: ${name}`, async () => {
      const system = await start(name);
      const { vpe } = system.forwarded();
      vpe.schedule(0);
      msi(system);
      vpe.doorbell.unmask();
      expect([take(system, 0), vlpi(system, 0)]).toEqual([undefined, VINTID]);
    });

    it(`a guest that went to sleep is woken: ${name}`, async () => {
      const system = await start(name);
      const { vpe } = system.forwarded();
      vpe.schedule(0);
      vpe.deschedule({ doorbell: true });
      expect(take(system, 0)).toBeUndefined();
      msi(system);
      expect(take(system, 0)).toBe(vpe.doorbell.intid);
      vpe.schedule(0);
      expect([vpe.doorbell.masked, vlpi(system, 0)]).toEqual([true, VINTID]);
    });
  }

  it('not for a VLPI without doorbell, and not for a disabled one', async () => {
    const system = await start('v4');
    const { irq, vpe } = system.forwarded({ doorbell: false });
    vpe.doorbell.unmask();
    msi(system);
    expect(take(system, 0)).toBeUndefined();
    irq.updateVlpi({ priority: 0xa0, enabled: true });
    irq.updateVlpi({ priority: 0xa0, enabled: false });
    irq.setPending(false);
    msi(system);
    expect(take(system, 0)).toBeUndefined();
  });

  it('GICv4.1: the default doorbell rings when the vPE left with a request, else not', async () => {
    const system = await start('v4_1');
    const { irq, vpe } = system.forwarded();
    vpe.doorbell.unmask();
    vpe.schedule(0);
    vpe.deschedule({ doorbell: true });
    msi(system);
    expect(take(system, 0)).toBe(vpe.doorbell.intid);
    vpe.schedule(0);
    irq.setPending(false);
    vpe.deschedule();
    msi(system);
    expect(take(system, 0)).toBeUndefined();
  });
});

describe('07, 28: pending state through irq_set_irqchip_state', () => {
  it('of an LPI: set, it is taken; set and cleared, it is not', async () => {
    const system = await start('v4');
    const { irq } = system.device();
    irq.unmask();
    irq.setPending(true);
    expect(take(system, 1)).toBe(irq.intid);
    irq.setPending(true);
    irq.setPending(false);
    expect(take(system, 1)).toBeUndefined();
  });

  it('42: of a VLPI: the guest has it, the host does not', async () => {
    for (const name of v4Systems) {
      const system = await start(name);
      const { irq, vpe } = system.forwarded();
      vpe.schedule(0);
      irq.setPending(true);
      expect([vlpi(system, 0), take(system, 1)], name).toEqual([VINTID, undefined]);
      irq.setPending(false);
      expect(vlpi(system, 0), name).toBeUndefined();
    }
  });

  it('of a doorbell: it rings without a VLPI, or is silent again', async () => {
    for (const name of ['v4', 'v4Proxy'] as const) {
      const system = await start(name);
      const { doorbell } = first(system.vm().vpes);
      doorbell.unmask();
      doorbell.setPending(true);
      expect(take(system, 0), name).toBe(doorbell.intid);
      doorbell.setPending(true);
      doorbell.setPending(false);
      expect(take(system, 0), name).toBeUndefined();
    }
  });

  it('only of a vSGI it can be read', async () => {
    const system = await start('v4_1');
    const sgi = first(first(system.vm().vpes).createSgis());
    sgi.activate();
    sgi.unmask();
    expect(sgi.pending).toBe(false);
    sgi.setPending(true);
    expect(sgi.pending).toBe(true);
  });
});

describe('18: mask and unmask while forwarded', () => {
  for (const name of v4Systems) {
    it(`a masked VLPI waits, unmasked it arrives: ${name}`, async () => {
      const system = await start(name);
      const { irq, vpe } = system.forwarded();
      vpe.schedule(0);
      irq.mask();
      expect(msi(system)).toBe('pending');
      expect(vlpi(system, 0)).toBeUndefined();
      irq.unmask();
      expect(vlpi(system, 0)).toBe(VINTID);
    });
  }

  it('the affinity is not its own', async () => {
    const system = await start('v4');
    const { irq } = system.forwarded();
    expect(errnoOf(() => irq.setAffinity(2))).toBe('EINVAL');
    expect([irq.cpu, system.steps()]).toEqual([1, []]);
  });
});
