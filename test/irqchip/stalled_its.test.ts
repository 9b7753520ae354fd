import { describe, expect, it } from 'vitest';
import { createMachine, IrqChip } from '../../bindings/index.ts';
import { DEVICE, errnoOf, first, type System, start, VINTID } from './system.ts';

const MAP = { vIntid: VINTID, properties: { priority: 0xa0, enabled: true }, doorbell: true };
const GITS_CTLR = 0;

function enable(system: System, its: number, on: boolean): void {
  const { addressMap } = system.machine.config;
  system.machine.write(addressMap.gits + its * 0x4_0000 + GITS_CTLR, 4, on ? 3 : 0);
}

describe('its_wait_for_range_completion: an ITS that does not complete', () => {
  it('from the start: ETIMEDOUT instead of a driver', async () => {
    const machine = await createMachine({ architecture: 'GICv4.0', policy: { commandExecution: 'stepped' } });
    expect(errnoOf(() => new IrqChip(machine, { pollLimit: 10 }))).toBe('ETIMEDOUT');
  });

  it('its_create_device: ETIMEDOUT, and the LPIs are free again', async () => {
    const system = await start('v4');
    const free = system.chip.freeLpis;
    enable(system, 0, false);
    expect(errnoOf(() => system.chip.createDevice({ deviceId: DEVICE, events: 8 }))).toBe('ETIMEDOUT');
    expect(system.chip.freeLpis).toBe(free);
  });

  it('MAP_VLPI: ETIMEDOUT, and the interrupt is still an LPI', async () => {
    const system = await start('v4');
    const { irq } = system.device();
    const vm = system.vm();
    enable(system, 0, false);
    expect(errnoOf(() => irq.mapVlpi({ ...MAP, vpe: first(vm.vpes) }))).toBe('ETIMEDOUT');
    expect(irq.getVlpi()).toBeUndefined();
    enable(system, 0, true);
    irq.setPending(true);
    first(vm.vpes).doorbell.deactivate();
    vm.free();
  });

  it('unmapping: ETIMEDOUT, and the interrupt is still a VLPI', async () => {
    const system = await start('v4');
    const { irq } = system.forwarded();
    enable(system, 0, false);
    expect(errnoOf(() => irq.unmapVlpi())).toBe('ETIMEDOUT');
    expect(irq.getVlpi()?.vIntid).toBe(VINTID);
  });

  it('its_vpe_set_affinity: ETIMEDOUT, and the vPE is where it was', async () => {
    const system = await start('v4');
    const vpe = first(system.vm().vpes);
    enable(system, 0, false);
    expect(errnoOf(() => vpe.doorbell.setAffinity(3))).toBe('ETIMEDOUT');
    expect(vpe.cpu).toBe(0);
  });

  it('activation on the second of two ITSs: ETIMEDOUT, and the first one is unmapped again', async () => {
    const system = await start('v4TwoIts');
    const vpe = first(system.chip.createVm(1).vpes);
    enable(system, 1, false);
    expect(errnoOf(() => vpe.doorbell.activate())).toBe('ETIMEDOUT');
    expect(system.steps().slice(-2)).toEqual([
      'ITS0: VMAPP vPEID 0, RDbase 0, VPT_size 0, VPT_addr 0x0, V 0',
      'ITS0: VSYNC vPEID 0',
    ]);
    expect(errnoOf(() => vpe.schedule(0))).toBe('EINVAL');
  });

  it('its_allocate_entry: a queue that is full takes no more: ETIMEDOUT without a command', async () => {
    const system = await start('v4');
    const { irq } = system.device();
    enable(system, 0, false);
    for (let n = 0; n < 1023; n++) expect(errnoOf(() => irq.setPending(true))).toBe('ETIMEDOUT');
    system.steps();
    expect(errnoOf(() => irq.setPending(true))).toBe('ETIMEDOUT');
    expect(system.steps()).toEqual([]);
    enable(system, 0, true);
    irq.setPending(true);
    expect(system.steps().length).toBe(2);
  });
});
