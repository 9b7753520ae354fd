// What fails leaves nothing half done: neither in what the driver has, nor, once the ITS goes on, in what the hardware
// does. Each operation, on each kind of system, with an ITS that does not complete and with a queue that is full.
import { describe, expect, it } from 'vitest';
import { createMachine, type DeviceIrq, IrqChip } from '../../bindings/index.ts';
import { DEVICE, EVENT, errnoOf, type System, type SystemName, start, VINTID } from './system.ts';

const GITS_STRIDE = 0x4_0000;
const MAP = { vIntid: VINTID, properties: { priority: 0xa0, enabled: true }, doorbell: true };

function enable({ machine }: System, on: boolean): void {
  for (let its = 0; its < machine.config.itsCount; its++) {
    machine.write(machine.config.addressMap.gits + its * GITS_STRIDE, 4, on ? 3 : 0);
  }
}

/** A device with an LPI, a VLPI and an event that is not activated; a VM of two vPEs that are mapped. */
async function scene(name: SystemName) {
  const system = await start(name, '5.6', [], 10);
  const { device, irq: vlpi } = system.device();
  const [idle, lpi] = device.irqs as [DeviceIrq, DeviceIrq];
  lpi.activate(2);
  const vm = system.vm(2);
  const [vpe, other] = vm.vpes as [(typeof vm.vpes)[0], (typeof vm.vpes)[0]];
  vlpi.mapVlpi({ ...MAP, vpe });
  vpe.doorbell.unmask();
  return { system, device, idle, lpi, vlpi, vm, vpe, other, unmapped: system.chip.createVm(1) };
}

type Scene = Awaited<ReturnType<typeof scene>>;

/** What the driver says. */
function driverState({ system, idle, lpi, vlpi, vm, unmapped }: Scene) {
  const irqs = [idle, lpi, vlpi].map((irq) => [irq.activated, irq.masked, irq.activated && irq.cpu]);
  const vpes = [...vm.vpes, ...unmapped.vpes].map(({ cpu, resident, doorbell }) => {
    return [cpu, resident, doorbell.activated, doorbell.masked];
  });
  const { vpe, ...map } = vlpi.getVlpi() ?? {};
  const { freePages: _, ...facts } = system.chip.facts;
  return { irqs, vpes, map, on: vpe?.index, lpi: lpi.getVlpi()?.vIntid, facts };
}

/** What the hardware does: its tables, and what becomes of MSIs. */
function hardwareState({ system, lpi, vpe, other }: Scene) {
  const { machine } = system;
  const entries = [0, 1, EVENT].map((event) => machine.interruptEntry(0, DEVICE, event));
  const vpes = [vpe, other].map(({ vpeId }) => machine.vpeEntry(0, vpeId));
  const outcome = machine.sendMsi(DEVICE, lpi.eventId);
  const taken = [0, 1, 2, 3].map((cpu) => machine.cpu(cpu).irq);
  lpi.setPending(false);
  return { device: machine.deviceEntry(0, DEVICE), entries, vpes, outcome, taken };
}

type Operation = readonly [what: string, act: (scene: Scene) => void];

const everywhere: Operation[] = [
  ['createDevice', ({ system }) => void system.chip.createDevice({ deviceId: 0x99, events: 4 })],
  ['activate', ({ idle }) => idle.activate(3)],
  ['deactivate', ({ lpi }) => lpi.deactivate()],
  ['setAffinity of an LPI', ({ lpi }) => lpi.setAffinity(0)],
  ['mapVlpi', ({ lpi, vpe }) => lpi.mapVlpi({ ...MAP, vpe, vIntid: VINTID + 1 })],
  ['mapVlpi to another vPE', ({ vlpi, other }) => vlpi.mapVlpi({ ...MAP, vpe: other })],
  ['unmapVlpi', ({ vlpi }) => vlpi.unmapVlpi()],
  ['setAffinity of a doorbell', ({ vpe }) => vpe.doorbell.setAffinity(2)],
];

/** GICv4.1 changes VLPIs by a redistributor's registers. */
const v40: Operation[] = [
  ['updateVlpi', ({ vlpi }) => vlpi.updateVlpi({ priority: 0x40, enabled: false })],
  ['mask of a VLPI', ({ vlpi }) => vlpi.mask()],
];

/** Direct LPIs do it by a redistributor's registers. */
const doorbells: Operation[] = [
  ['mask of a doorbell', ({ vpe }) => vpe.doorbell.mask()],
  ['unmask of a doorbell', ({ other }) => other.doorbell.unmask()],
];

/** With an ITSList vPEs are mapped later. */
const eager: Operation[] = [['activate of a doorbell', ({ unmapped }) => unmapped.activate()]];

const bySystem: [SystemName, Operation[]][] = [
  ['v4', [...everywhere, ...v40, ...eager]],
  ['v4TwoIts', [...everywhere, ...v40, ...eager]],
  ['v4ItsList', [...everywhere, ...v40]],
  ['v4Proxy', [...everywhere, ...v40, ...doorbells, ...eager]],
  ['v4_1', [...everywhere, ...doorbells, ...eager]],
];

const cases = bySystem.flatMap(([name, operations]) =>
  operations.map(([what, act]) => [name, what, act] as const),
);

describe('its_wait_for_range_completion: an ITS that does not complete', () => {
  it.each(cases)('%s: %s: ETIMEDOUT, nothing has changed, and it can be done later', async (name, _, act) => {
    const now = await scene(name);
    const hardware = hardwareState(now);
    const driver = driverState(now);
    enable(now.system, false);
    expect(errnoOf(() => act(now))).toBe('ETIMEDOUT');
    expect(driverState(now)).toEqual(driver);
    enable(now.system, true);
    expect(hardwareState(now)).toEqual(hardware);
    expect(driverState(now)).toEqual(driver);
    act(now);
    expect(driverState(now)).not.toEqual(driver);
  });
});

describe('its_allocate_entry: a queue that is full', () => {
  it.each(cases)('%s: %s: ETIMEDOUT, not one command, and it can be done later', async (name, _, act) => {
    const now = await scene(name);
    const hardware = hardwareState(now);
    const driver = driverState(now);
    enable(now.system, false);
    const { engine } = now.system.machine;
    for (let n = 0; n < 1023; n++) engine.irqchipSetPending(now.lpi.number, 0);
    // Without SYNC: the last slot that is not kept for undoing.
    errnoOf(() => now.system.chip.createDevice({ deviceId: 0x98, events: 2 }));
    now.system.steps();
    expect(errnoOf(() => act(now))).toBe('ETIMEDOUT');
    expect(now.system.steps().filter((line) => line.startsWith('ITS'))).toEqual([]);
    expect(driverState(now)).toEqual(driver);
    enable(now.system, true);
    expect(now.system.machine.deviceEntry(0, 0x98)).toBeUndefined();
    expect(hardwareState(now)).toEqual(hardware);
    act(now);
    expect(driverState(now)).not.toEqual(driver);
  });
});

describe('teardown goes through, whatever one ITS does', () => {
  it('its_vpe_irq_domain_deactivate: the vPE goes from all ITSs when they go on', async () => {
    const now = await scene('v4TwoIts');
    now.system.machine.write(now.system.machine.config.addressMap.gits, 4, 0);
    expect(errnoOf(() => now.other.doorbell.deactivate())).toBe('ETIMEDOUT');
    expect(now.system.machine.vpeEntry(1, now.other.vpeId)).toBeUndefined();
    enable(now.system, true);
    expect(now.system.machine.vpeEntry(0, now.other.vpeId)).toBeUndefined();
    expect(now.other.doorbell.activated).toBe(false);
  });

  it('Vm.activate: all doorbells, or none', async () => {
    const system = await start('v4');
    const vm = system.chip.createVm(3);
    const { machine } = system;
    vm.vpes[1]?.doorbell.activate();
    enable(system, false);
    expect(errnoOf(() => vm.activate())).toBe('ETIMEDOUT');
    expect(vm.vpes.map(({ doorbell }) => doorbell.activated)).toEqual([false, true, false]);
    enable(system, true);
    expect(vm.vpes.map(({ vpeId }) => machine.vpeEntry(0, vpeId) !== undefined)).toEqual([
      false,
      true,
      false,
    ]);
    vm.activate();
    vm.deactivate();
    vm.free();
  });
});

describe('what is used up', () => {
  /** RAM of 1 MiB in which only `pages` pages are left, the last ones. */
  async function nearlyFull(pages: number) {
    const machine = await createMachine({ cpus: 1, architecture: 'GICv4.0' });
    const { base, size } = machine.config.ram;
    const chip = new IrqChip(machine, { ram: { base: base + size - 2 ** 20, size: 2 ** 20 } });
    for (let deviceId = 1; chip.facts.freePages > pages; deviceId++)
      chip.createDevice({ deviceId, events: 2 });
    chip.takeLog();
    return chip;
  }

  it.each([0, 1, 13, 14, 16, 30, 31, 32, 47])('RAM, %i pages left: a VM is refused whole', async (pages) => {
    const chip = await nearlyFull(pages);
    const before = chip.facts;
    expect(errnoOf(() => chip.createVm(1))).toBe('ENOMEM');
    expect([chip.facts, chip.takeLog()]).toEqual([before, []]);
  });

  it('RAM: a device whose translation table does not fit is refused, a smaller one fits', async () => {
    const chip = await nearlyFull(3);
    const before = chip.facts;
    expect(errnoOf(() => chip.createDevice({ deviceId: 0xf000, events: 2048 }))).toBe('ENOMEM');
    expect([chip.facts, chip.takeLog()]).toEqual([before, []]);
    chip.createDevice({ deviceId: 0x800, events: 1024 });
    expect(chip.facts.freePages).toBe(1);
  });

  it('RAM: a DeviceID that needs a new page of the device table is refused without it', async () => {
    const chip = await nearlyFull(3);
    const before = chip.facts;
    expect(errnoOf(() => chip.createDevice({ deviceId: 0xf000, events: 2 }))).toBe('ENOMEM');
    expect([chip.facts, chip.takeLog()]).toEqual([before, []]);
  });

  it('vPEIDs: each VM that is refused leaves room for the next smaller one', async () => {
    const machine = await createMachine({ cpus: 1, architecture: 'GICv4.0', vpeIdBits: 4 });
    const chip = new IrqChip(machine);
    chip.createVm(3).free();
    const before = chip.facts;
    for (let vpes = 20; vpes > 16; vpes--) {
      expect(errnoOf(() => chip.createVm(vpes))).toBe('ENOMEM');
      expect(chip.facts).toEqual(before);
    }
    const vm = chip.createVm(16);
    expect(chip.facts.freeVpeIds).toBe(0);
    vm.free();
    expect(chip.facts).toEqual(before);
  });

  it('irqs: a device is refused whole', async () => {
    const machine = await createMachine({ cpus: 1, architecture: 'GICv4.0' });
    const chip = new IrqChip(machine);
    for (let deviceId = 0; deviceId < 15; deviceId++) chip.createDevice({ deviceId, events: 2048 });
    const before = chip.facts;
    expect(errnoOf(() => chip.createDevice({ deviceId: 15, events: 2048 }))).toBe('ENOMEM');
    expect(chip.facts).toEqual(before);
    expect(chip.createDevice({ deviceId: 15, events: 1024 }).irqs.length).toBe(1024);
  });
});
