import { describe, expect, it } from 'vitest';
import { createMachine, IrqChip } from '../../bindings/index.ts';
import { DEVICE, errnoOf, first, System, start, VINTID } from './system.ts';

const MAP = { vIntid: VINTID, properties: { priority: 0xa0, enabled: true }, doorbell: true };

describe('34: what the driver needs', () => {
  it('its_init: a machine without ITS, or without LPIs: EINVAL', async () => {
    const noIts = await createMachine({ architecture: 'GICv3', itsCount: 0 });
    expect(errnoOf(() => new IrqChip(noIts))).toBe('EINVAL');
  });

  it('its_alloc_vcpu_irqs without GICv4: ENOSYS, and nothing has happened', async () => {
    const system = await start('v3');
    const free = system.chip.freeLpis;
    expect(errnoOf(() => system.chip.createVm(1))).toBe('ENOSYS');
    expect([system.chip.freeLpis, system.steps()]).toEqual([free, []]);
  });

  it('arguments that no kernel has are refused before the driver sees them', async () => {
    const machine = await createMachine({ cpus: 1 });
    expect(errnoOf(() => new IrqChip(machine, { kvm: '4.19' as never }))).toBe('INVALID_ARGUMENT');
    expect(errnoOf(() => new IrqChip(machine, { pollLimit: 0 }))).toBe('INVALID_ARGUMENT');
    const chip = new IrqChip(machine);
    expect(errnoOf(() => chip.createDevice({ deviceId: 1, events: 0 }))).toBe('INVALID_ARGUMENT');
    expect(errnoOf(() => chip.createDevice({ its: 1, deviceId: 1, events: 1 }))).toBe('INVALID_ARGUMENT');
    expect(errnoOf(() => chip.createVm(0))).toBe('INVALID_ARGUMENT');
  });
});

describe('11, 20: exhaustion gives everything back', () => {
  const small = async (options = {}) =>
    new System(await createMachine({ cpus: 2, architecture: 'GICv4.0', intidBits: 14, ...options }), '5.6');

  it('LPIs for a device: half as many until they fit, ENOMEM when there are none', async () => {
    const system = await small();
    const devices = [0, 1, 2].map((deviceId) => system.chip.createDevice({ deviceId, events: 2048 }));
    system.chip.createDevice({ deviceId: 3, events: 1024 });
    system.steps();
    expect(system.chip.freeLpis).toBe(1024);
    const halved = system.chip.createDevice({ deviceId: 4, events: 2048 });
    expect(halved.irqs.length).toBe(1024);
    expect(system.steps()[0]).toContain('Size 10,');
    expect(errnoOf(() => system.chip.createDevice({ deviceId: 5, events: 1 }))).toBe('ENOMEM');
    expect([system.chip.freeLpis, system.steps()]).toEqual([0, []]);
    halved.free();
    first(devices).free();
    expect(system.chip.createDevice({ deviceId: 6, events: 2048 }).irqs.length).toBe(2048);
    expect(system.chip.freeLpis).toBe(1024);
  });

  it('LPIs for a device in 2017: a chunk of 32 less until they fit', async () => {
    const machine = await createMachine({ cpus: 2, architecture: 'GICv4.0', intidBits: 14 });
    const { chip } = new System(machine, '2017');
    for (const deviceId of [0, 1, 2]) chip.createDevice({ deviceId, events: 2048 });
    chip.createDevice({ deviceId: 3, events: 512 });
    expect(chip.createDevice({ deviceId: 4, events: 2048 }).irqs.length).toBe(1536);
    expect(chip.freeLpis).toBe(0);
  });

  it('LPIs for doorbells: ENOMEM', async () => {
    const system = await small();
    for (const deviceId of [0, 1, 2, 3]) system.chip.createDevice({ deviceId, events: 2048 });
    system.steps();
    expect(errnoOf(() => system.chip.createVm(1))).toBe('ENOMEM');
    expect([system.chip.freeLpis, system.steps()]).toEqual([0, []]);
  });

  it('vPEIDs: ENOMEM, and a smaller VM still fits', async () => {
    const system = await small({ vpeIdBits: 2 });
    const free = system.chip.freeLpis;
    expect(errnoOf(() => system.chip.createVm(5))).toBe('ENOMEM');
    expect([system.chip.freeLpis, system.steps()]).toEqual([free, []]);
    const vm = system.chip.createVm(4);
    expect(vm.vpes.map((vpe) => vpe.vpeId)).toEqual([0, 1, 2, 3]);
    expect(errnoOf(() => system.chip.createVm(1))).toBe('ENOMEM');
  });

  it('RAM for pending tables: ENOMEM', async () => {
    const machine = await createMachine({ cpus: 1, architecture: 'GICv4.0' });
    const { base, size } = machine.config.ram;
    const chip = new IrqChip(machine, { ram: { base: base + size - 2 ** 20, size: 2 ** 20 } });
    const free = chip.freeLpis;
    chip.takeLog();
    expect(errnoOf(() => chip.createVm(64))).toBe('ENOMEM');
    expect([chip.freeLpis, chip.takeLog()]).toEqual([free, []]);
    chip.createVm(1);
  });

  it('doorbells come as a power of two; in 2017 in chunks of 32', async () => {
    for (const [kvm, taken] of [
      ['5.6', 4],
      ['2017', 32],
    ] as const) {
      const system = await start('v4', kvm);
      const free = system.chip.freeLpis;
      const vm = system.chip.createVm(3);
      expect(free - system.chip.freeLpis, kvm).toBe(taken);
      vm.free();
      expect(system.chip.freeLpis, kvm).toBe(free);
    }
  });
});

describe('devices', () => {
  it('its_create_device: a DeviceID that exists is EBUSY, one beyond the ITS EINVAL', async () => {
    const system = await start('v4');
    system.device();
    const free = system.chip.freeLpis;
    expect(errnoOf(() => system.chip.createDevice({ deviceId: DEVICE, events: 1 }))).toBe('EBUSY');
    const deviceId = 2 ** system.machine.config.deviceIdBits;
    expect(errnoOf(() => system.chip.createDevice({ deviceId, events: 1 }))).toBe('EINVAL');
    expect([system.chip.freeLpis, system.steps()]).toEqual([free, []]);
  });

  it('an interrupt that is not activated can do nothing: EINVAL', async () => {
    const system = await start('v4');
    const irq = first(system.chip.createDevice({ deviceId: DEVICE, events: 1 }).irqs);
    const vpe = first(system.vm().vpes);
    system.steps();
    for (const operation of [
      () => irq.mask(),
      () => irq.unmask(),
      () => irq.setAffinity(1),
      () => irq.setPending(true),
      () => irq.deactivate(),
      () => irq.mapVlpi({ ...MAP, vpe }),
      () => irq.unmapVlpi(),
      () => irq.activate(99),
    ]) {
      expect(errnoOf(operation), String(operation)).toBe('EINVAL');
    }
    expect(system.steps()).toEqual([]);
  });

  it('what is in use is not freed: EBUSY', async () => {
    const system = await start('v4');
    const { device, irq, vm } = system.forwarded();
    expect(errnoOf(() => irq.deactivate())).toBe('EBUSY');
    expect(errnoOf(() => device.free())).toBe('EBUSY');
    expect(errnoOf(() => vm.free())).toBe('EBUSY');
    expect(system.steps()).toEqual([]);
  });
});

describe('17: VLPIs that cannot be', () => {
  it('a device belongs to one VM at a time: EINVAL', async () => {
    const system = await start('v4');
    const { device, irq } = system.forwarded();
    const other = system.vm();
    const second = first(device.irqs);
    second.activate(0);
    system.steps();
    const map = { ...MAP, vpe: first(other.vpes) };
    expect(errnoOf(() => second.mapVlpi(map))).toBe('EINVAL');
    expect(errnoOf(() => irq.mapVlpi(map))).toBe('EINVAL');
    expect(system.steps()).toEqual([]);
    irq.unmapVlpi();
    second.mapVlpi(map);
    expect(second.getVlpi()?.vpe.index).toBe(map.vpe.index);
  });

  it('a vINTID that is no LPI, or a vPE whose doorbell is not activated: EINVAL', async () => {
    const system = await start('v4');
    const { irq } = system.device();
    const vpe = first(system.vm().vpes);
    const asleep = first(system.chip.createVm(1).vpes);
    for (const vIntid of [0, 8191, 65_536]) {
      expect(
        errnoOf(() => irq.mapVlpi({ ...MAP, vpe, vIntid })),
        String(vIntid),
      ).toBe('EINVAL');
    }
    expect(errnoOf(() => irq.mapVlpi({ ...MAP, vpe: asleep }))).toBe('EINVAL');
    expect([irq.getVlpi(), system.steps()]).toEqual([undefined, []]);
  });
});

describe('31: vPEs', () => {
  it('residency that cannot be: EINVAL', async () => {
    const system = await start('v4');
    const vpe = first(system.vm().vpes);
    const asleep = first(system.chip.createVm(1).vpes);
    expect(errnoOf(() => vpe.deschedule())).toBe('EINVAL');
    expect(errnoOf(() => vpe.commit())).toBe('EINVAL');
    expect(errnoOf(() => vpe.schedule(99))).toBe('EINVAL');
    expect(errnoOf(() => asleep.schedule(0))).toBe('EINVAL');
    expect(system.steps()).toEqual([]);
    vpe.schedule(0);
    system.steps();
    expect(errnoOf(() => vpe.schedule(1))).toBe('EINVAL');
    expect(errnoOf(() => vpe.doorbell.deactivate())).toBe('EINVAL');
    expect(system.steps()).toEqual([]);
  });

  it('the error names the operation and the reason', async () => {
    const system = await start('v3');
    expect(() => system.chip.createVm(1)).toThrow(/createVm: ENOSYS: no GICv4 ITS/);
  });
});
