// Systems in which not every ITS or redistributor has what GICv4 needs: patches 03, 05, 16, 19, 34, 35.
import { describe, expect, it } from 'vitest';
import { createMachine, IrqChip, type MachineOptions } from '../../bindings/index.ts';
import { DEVICE, errnoOf, first, System, VINTID } from './system.ts';

const MAP = { vIntid: VINTID, properties: { priority: 0xa0, enabled: true }, doorbell: true };

async function boot(options: MachineOptions): Promise<System> {
  return new System(
    await createMachine({ cpus: 4, architecture: 'GICv4.0', itsCount: 2, ...options }),
    '5.6',
  );
}

describe('03, 35: what holds for the system holds for all redistributors', () => {
  it('all have VLPIs and DirectLPI', async () => {
    const { chip } = await boot({});
    expect(chip.facts).toMatchObject({
      hasVlpis: true,
      hasDirectLpi: true,
      hasRvpeid: false,
      hasV4: true,
      proxySlots: 0,
    });
  });

  it('one without DirectLPI: none counts, and doorbells go through the proxy device', async () => {
    const machine = await createMachine({
      cpus: 4,
      architecture: 'GICv4.0',
      redistributorsWithoutDirectLpi: [3],
    });
    const system = new System(machine, '5.6');
    expect(system.chip.facts).toMatchObject({ hasDirectLpi: false, hasV4: true, proxySlots: 4 });
    first(system.vm().vpes).doorbell.unmask();
    expect(system.steps().slice(1)).toEqual([
      'ITS0: MAPTI DeviceID 0xffff, EventID 0x0, pINTID 8192, ICID 0',
      'ITS0: SYNC RDbase 0',
      'ITS0: INV DeviceID 0xffff, EventID 0x0',
      'ITS0: SYNC RDbase 0',
    ]);
    expect(machine.takeDiagnostics()).toEqual([]);
  });

  it.each(['GICv4.0', 'GICv4.1'] as const)(
    '%s: one without VLPIs: no GICv4, LPIs as ever',
    async (architecture) => {
      const system = await boot({ architecture, redistributorsWithoutVlpis: [2] });
      expect(system.chip.facts).toMatchObject({ hasVlpis: false, hasRvpeid: false, hasV4: false });
      expect(errnoOf(() => system.chip.createVm(1))).toBe('ENOSYS');
      const { irq } = system.device();
      irq.unmask();
      irq.setAffinity(2);
      expect(system.machine.sendMsi(DEVICE, irq.eventId)).toBe('pending');
      expect(system.machine.cpu(2).acknowledge()).toBe(irq.intid);
      expect(system.machine.takeDiagnostics()).toEqual([]);
    },
  );
});

describe('05, 19, 34: GICv3 ITSs', () => {
  it.each(['GICv4.0', 'GICv4.1'] as const)('%s: only GICv3 ITSs: no vPE domain', async (architecture) => {
    const system = await boot({ architecture, itsWithoutVlpis: [0, 1] });
    expect(system.chip.facts).toMatchObject({
      hasVlpis: true,
      hasRvpeid: false,
      hasV4: false,
      proxySlots: 0,
    });
    expect(errnoOf(() => system.chip.createVm(1))).toBe('ENOSYS');
    expect(system.machine.takeDiagnostics()).toEqual([]);
  });

  it.each(['GICv4.0', 'GICv4.1'] as const)(
    '%s: beside a GICv4 ITS: no vPE is mapped there or moved there',
    async (architecture) => {
      const system = await boot({ architecture, itsCount: 3, itsWithoutVlpis: [0] });
      expect(system.chip.facts.hasV4).toBe(true);
      const vm = system.chip.createVm(2);
      vm.activate();
      first(vm.vpes).doorbell.setAffinity(2);
      first(vm.vpes).invall();
      const units = system
        .steps()
        .flatMap((line) => /ITS(\d): (VMAPP|VMOVP|VINVALL)/.exec(line)?.slice(1) ?? []);
      expect(units.length).toBeGreaterThan(6);
      expect(units).not.toContain('0');
      expect(units.filter((unit) => unit === 'VMOVP').length).toBe(1);
      expect(system.machine.takeDiagnostics()).toEqual([]);
      vm.deactivate();
      vm.free();
      expect(system.steps().filter((line) => /ITS0: V/.test(line))).toEqual([]);
    },
  );

  it('ITSList: its number is free, and it is in no list', async () => {
    const system = await boot({ itsCount: 3, itsWithoutVlpis: [1], vmovpOnAnyIts: false });
    expect(system.chip.facts.itsListMap).toBe(0b101);
    const vpe = first(system.vm().vpes);
    for (const its of [0, 2]) {
      const irq = first(system.chip.createDevice({ its, deviceId: DEVICE, events: 1 }).irqs);
      irq.activate(0);
      irq.mapVlpi({ ...MAP, vpe, vIntid: VINTID + its });
    }
    system.steps();
    vpe.doorbell.setAffinity(3);
    const moves = system.steps().filter((line) => line.includes('VMOVP'));
    expect(moves.map((line) => [line.slice(0, 4), /ITSList \w+/.exec(line)?.[0]])).toEqual([
      ['ITS0', 'ITSList 0x5'],
      ['ITS2', 'ITSList 0x5'],
    ]);
    expect([vpe.cpu, system.machine.takeDiagnostics()]).toEqual([3, []]);
  });
});

describe('16: a device behind a GICv3 ITS has no VLPIs', () => {
  it('every call of irq_set_vcpu_affinity: EINVAL, no command', async () => {
    const system = await boot({ itsWithoutVlpis: [1] });
    const { irq } = system.device(1);
    const vpe = first(system.vm().vpes);
    for (const info of [
      { type: 'MAP_VLPI', ...MAP, vpe },
      { type: 'GET_VLPI' },
      { type: 'PROP_UPDATE_VLPI', ...MAP.properties },
      { type: 'PROP_UPDATE_AND_INV_VLPI', ...MAP.properties },
      null,
    ] as const) {
      expect(
        errnoOf(() => irq.setVcpuAffinity(info)),
        info?.type,
      ).toBe('EINVAL');
    }
    expect(system.steps()).toEqual([]);
    irq.setAffinity(2);
    expect(system.steps()[0]).toContain('ITS1: MOVI');
  });

  it('29: GITS_CTLR of a GICv3 ITS is written without the IMPLEMENTATION DEFINED bit', async () => {
    const machine = await createMachine({
      cpus: 1,
      architecture: 'GICv4.0',
      itsCount: 2,
      itsWithoutVlpis: [1],
    });
    const writes = new IrqChip(machine).takeLogLines().filter((line) => line.includes('[0x0] ='));
    expect(writes).toEqual(['ITS0: [0x0] = 0x80000003', 'ITS1: [0x0] = 0x80000001']);
  });
});
