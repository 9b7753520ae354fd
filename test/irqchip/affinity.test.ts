// Which PE an interrupt goes to, how vPE tables follow affinity, and how an ITS of the D05 names redistributors.
import { describe, expect, it } from 'vitest';
import { createMachine, type MachineOptions } from '../../bindings/index.ts';
import { DEVICE, EVENT, errnoOf, first, System, start, VINTID } from './system.ts';

describe('its_select_cpu: of several PEs the one with the fewest device interrupts', () => {
  it('at activation, among all by default', async () => {
    const { chip } = await start('v4');
    const { irqs } = chip.createDevice({ deviceId: DEVICE, events: 8 });
    for (const irq of irqs) irq.activate();
    expect(irqs.map(({ cpu }) => cpu)).toEqual([0, 1, 2, 3, 0, 1, 2, 3]);
    irqs[2]?.deactivate();
    irqs[2]?.activate([0, 2, 3]);
    expect(irqs[2]?.cpu).toBe(2);
  });

  it('when the affinity changes, its own place counted as free', async () => {
    const system = await start('v4');
    const { irqs } = system.chip.createDevice({ deviceId: DEVICE, events: 4 });
    for (const irq of irqs) irq.activate([1, 2]);
    system.steps();
    first(irqs).setAffinity([1, 2]);
    expect([first(irqs).cpu, system.steps()]).toEqual([1, []]);
    first(irqs).setAffinity([1, 3]);
    expect(first(irqs).cpu).toBe(3);
    expect(errnoOf(() => first(irqs).setAffinity([]))).toBe('EINVAL');
    expect(errnoOf(() => first(irqs).setAffinity([4, 511]))).toBe('EINVAL');
    expect(errnoOf(() => first(irqs).setAffinity(512))).toBe('INVALID_ARGUMENT');
    expect(first(irqs).cpu).toBe(3);
  });

  it('2017: the first PE', async () => {
    const { chip } = await start('v4', '2017');
    const { irqs } = chip.createDevice({ deviceId: DEVICE, events: 4 });
    for (const irq of irqs) irq.activate([2, 3]);
    expect(irqs.map(({ cpu }) => cpu)).toEqual([2, 2, 2, 2]);
  });
});

/** Sixteen PEs in four clusters; redistributors of a cluster share their tables, the ITS with the first cluster. */
const clusters: MachineOptions = {
  architecture: 'GICv4.1',
  cpus: 16,
  affinities: Array.from({ length: 16 }, (_, cpu) => (cpu & 3) | ((cpu >> 2) << 8)),
  commonLpiAffinity: 3,
  sharedVpeTable: 3,
};

describe('GICv4.1: vPE tables by affinity (allocate_vpe_l1_table)', () => {
  it('the ITS and the first cluster share one, each other cluster has its own', async () => {
    const machine = await createMachine(clusters);
    new System(machine, '5.6');
    const tables = Array.from({ length: 16 }, (_, cpu) => machine.redistributor(cpu).read('GICR_VPROPBASER'));
    expect(new Set(tables).size).toBe(4);
    for (const [cpu, table] of tables.entries()) expect(table).toBe(tables[cpu - (cpu % 4)]);
    const address = (value: number | bigint | undefined) => BigInt(value ?? 0) & 0xffff_ffff_0000n;
    expect(address(machine.its(0).read('GITS_BASER2'))).toBe(address(tables[0]));
    expect(machine.takeDiagnostics()).toEqual([]);
  });

  it('a vPE keeps its state on its way from one cluster to another', async () => {
    const machine = await createMachine(clusters);
    const system = new System(machine, '5.6');
    const { vpe } = system.forwarded();
    for (const cpu of [5, 15, 0]) {
      vpe.doorbell.setAffinity(cpu);
      machine.sendMsi(DEVICE, EVENT);
      vpe.schedule(cpu);
      expect(machine.virtualOutputs(cpu).bestVlpi?.vIntid).toBe(VINTID);
      vpe.deschedule();
    }
    expect(machine.takeDiagnostics()).toEqual([]);
  });

  it('ITSs that share no table have one each', async () => {
    const machine = await createMachine({ architecture: 'GICv4.1', cpus: 2, itsCount: 2, sharedVpeTable: 0 });
    const system = new System(machine, '5.6');
    const [one, other] = [0, 1].map((its) => machine.its(its).read('GITS_BASER2'));
    expect(one).not.toBe(other);
    const { vpe } = system.forwarded({ its: 1 });
    vpe.doorbell.setAffinity(1);
    machine.sendMsi(DEVICE, EVENT, 1);
    vpe.schedule(1);
    expect(machine.virtualOutputs(1).bestVlpi?.vIntid).toBe(VINTID);
    expect(machine.takeDiagnostics()).toEqual([]);
  });

  it('of several PEs a vPE stays where it is, else prefers one that shares its table, else takes the first', async () => {
    const system = new System(await createMachine(clusters), '5.6');
    const vpe = first(system.vm().vpes);
    vpe.doorbell.setAffinity(6);
    const goes = (...cpus: number[]) => {
      vpe.doorbell.setAffinity(cpus);
      return vpe.cpu;
    };
    expect([goes(1, 6), goes(1, 7, 12), goes(12, 13)]).toEqual([6, 7, 12]);
  });

  it('GICv4.0: the first', async () => {
    const system = await start('v4');
    const vpe = first(system.vm().vpes);
    vpe.doorbell.setAffinity([1, 3]);
    vpe.doorbell.setAffinity([3, 2, 1]);
    expect(vpe.cpu).toBe(1);
  });
});

describe('59: the D05 names redistributors by their VLPI frames in VMAPP and VMOVP', () => {
  const d05: MachineOptions = {
    architecture: 'GICv4.0',
    cpus: 4,
    physicalTargetAddresses: true,
    vlpiTargetOffset: 0x2_0000,
  };
  const targets = (system: System) =>
    system.steps().flatMap((line) => {
      const [, name, address] = / (VMAPP|VMOVP|SYNC|MAPTI|MOVI|VSYNC) .*RDbase (\w+)/.exec(line) ?? [];
      return name ? [[name, Number(address) * 0x1_0000]] : [];
    });

  it('128 KiB beyond the address that SYNC names', async () => {
    const system = new System(await createMachine(d05), '5.6');
    const { irq } = system.device();
    const vm = system.chip.createVm(1);
    vm.activate();
    first(vm.vpes).doorbell.setAffinity(2);
    irq.setPending(false);
    const rd = (cpu: number) => system.machine.config.addressMap.gicr + cpu * 0x4_0000;
    expect(targets(system)).toEqual([
      ['VMAPP', rd(0) + 0x2_0000],
      ['VMOVP', rd(2) + 0x2_0000],
      ['SYNC', rd(1)],
    ]);
    expect(system.machine.takeDiagnostics()).toEqual([]);
  });

  it('and VLPIs arrive', async () => {
    const system = new System(await createMachine(d05), '5.6');
    const { vpe } = system.forwarded();
    vpe.doorbell.setAffinity(3);
    vpe.schedule(3);
    system.machine.sendMsi(DEVICE, EVENT);
    expect(system.machine.virtualOutputs(3).bestVlpi?.vIntid).toBe(VINTID);
  });

  it('hardware that wants the offset takes no address without it', async () => {
    const plain = await createMachine({ ...d05, identification: { GITS_IIDR: 0x43b } });
    const system = new System(plain, '5.6');
    system.chip.createVm(1).activate();
    expect(plain.takeDiagnostics().map(({ code }) => code)).toContain('COMMAND_ERROR');
  });
});
