import { describe, expect, it } from 'vitest';
import { createMachine } from '../../bindings/index.ts';
import { errnoOf, first, System, start, VINTID } from './system.ts';

const MAP = { vIntid: VINTID, properties: { priority: 0xa0, enabled: true }, doorbell: true };

describe('bugs that the driver had once', () => {
  it('a vPE that is mapped late is mapped to where it is, not to the first PE (7d2c2048a864)', async () => {
    const system = await start('v4ItsList');
    const { irq } = system.device();
    const vpe = first(system.vm().vpes);
    vpe.doorbell.setAffinity(3);
    expect(system.steps()).toEqual([]);
    irq.mapVlpi({ ...MAP, vpe });
    expect(system.steps()[0]).toBe('ITS0: VMAPP vPEID 0, RDbase 3, VPT_size 15, VPT_addr table, V 1');
    irq.unmapVlpi();
    irq.mapVlpi({ ...MAP, vpe });
    expect(system.steps().filter((line) => line.includes('VMAPP') && line.includes('V 1'))).toEqual([
      'ITS0: VMAPP vPEID 0, RDbase 3, VPT_size 15, VPT_addr table, V 1',
    ]);
  });

  it('VMOVP names only ITSs that map the vPE (8424312516e5)', async () => {
    const system = await start('v4ItsList');
    const { vpe } = system.forwarded({ its: 0 });
    vpe.doorbell.setAffinity(2);
    const moves = system.steps().filter((line) => line.includes('VMOVP'));
    expect(moves.length).toBe(1);
    expect(moves[0]).toContain('ITSList 0x1');
  });

  it('GICv4.1: no VSYNC names a vPE that is unmapped (80e9963fb3b5)', async () => {
    const system = await start('v4_1');
    const vm = system.vm(2);
    for (const { doorbell } of vm.vpes) doorbell.deactivate();
    vm.free();
    expect(system.steps().filter((line) => line.includes('VSYNC'))).toEqual([]);
    expect(system.machine.takeDiagnostics()).toEqual([]);
  });

  it('a vPE that is being torn down is not moved (1442ee001198)', async () => {
    for (const name of ['v4', 'v4_1'] as const) {
      const system = await start(name);
      const { doorbell } = first(system.vm().vpes);
      doorbell.deactivate();
      system.steps();
      expect(
        errnoOf(() => doorbell.setAffinity(1)),
        name,
      ).toBe('EINVAL');
      expect(system.steps(), name).toEqual([]);
    }
  });

  it('an allocation that fails part way frees what it had, once (280bef512933, c26591afd33a)', async () => {
    const machine = await createMachine({ cpus: 4, architecture: 'GICv4.0', vpeIdBits: 3 });
    const system = new System(machine, '5.6');
    const kept = system.chip.createVm(6);
    const free = system.chip.freeLpis;
    expect(errnoOf(() => system.chip.createVm(4))).toBe('ENOMEM');
    expect(system.chip.freeLpis).toBe(free);
    expect(system.chip.createVm(2).vpes.map((vpe) => vpe.vpeId)).toEqual([6, 7]);
    kept.free();
    expect(system.chip.createVm(6).vpes.map((vpe) => vpe.vpeId)).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('a vPE leaves only when its pending table has been parsed; schedule does not wait, commit does', async () => {
    const system = await start('v4_1');
    const vpe = first(system.vm().vpes);
    const polls = () => system.steps().map((line) => line.includes('poll GICR_VPENDBASER'));
    vpe.schedule(0);
    expect(polls()).toEqual([false]);
    vpe.commit();
    expect(polls()).toEqual([true]);
    vpe.commit();
    expect(polls()).toEqual([]);
    vpe.deschedule();
    expect(polls()).toEqual([true, false, true]);
  });

  it('a VLPI that comes before any vPE was scheduled is not out of range', async () => {
    const system = await start('v4');
    const { irq, vpe } = system.forwarded();
    expect(system.machine.sendMsi(0x10, irq.eventId)).toBe('pending');
    vpe.schedule(0);
    expect(system.machine.virtualOutputs(0).bestVlpi?.vIntid).toBe(VINTID);
  });
});
