// Bugs that the driver had once: rows 8.1 to 8.55 of the list in test/README.md. Without a switch the outcome that the
// fix brought; with it the bug, and what the hardware makes of it.
import { describe, expect, it } from 'vitest';
import { createMachine, type HistoricalBugName, historicalBugs, IrqChip } from '../../bindings/index.ts';
import { DEVICE, EVENT, errnoOf, first, System, start, VINTID } from './system.ts';

const MAP = { vIntid: VINTID, properties: { priority: 0xa0, enabled: true }, doorbell: true };

/** Codes of what software did that the architecture does not define, or that failed. */
const complaints = (system: System): string[] => system.machine.takeDiagnostics().map(({ code }) => code);
const withText = (system: System, text: string) => system.steps().filter((line) => line.includes(text));

describe('bugs: the option', () => {
  it('a name that is no bug is refused, and names those that are', async () => {
    const machine = await createMachine({ cpus: 1 });
    const bugs = ['vmovp-itslist-all', 'vmovp-everywhere'] as HistoricalBugName[];
    expect(() => new IrqChip(machine, { bugs })).toThrow(
      /bugs\[1\]: "vmovp-everywhere".*vmovp-itslist-all, /,
    );
    expect(errnoOf(() => new IrqChip(machine, { bugs }))).toBe('UNKNOWN_NAME');
    expect(errnoOf(() => new IrqChip(machine, { bugs: 'vmovp-itslist-all' as never }))).toBe(
      'INVALID_ARGUMENT',
    );
  });

  it('a driver has the bugs that it was given; that of 2017 has those that its kernel had', async () => {
    expect((await start('v4')).chip.bugs).toEqual([]);
    expect((await start('v4', '6.19', ['poll-at-schedule'])).chip.bugs).toEqual(['poll-at-schedule']);
    expect((await start('v4', '2017')).chip.bugs).toEqual([
      'vmovp-itslist-all',
      'vlpi-inv-synced-on-collection',
      'no-doorbell-retrigger',
      'vmovp-on-dying-vpe',
      'put-while-parsing',
    ]);
  });

  it('each one tells its row, its fix and its effect', () => {
    for (const [name, { row, fixed, effect }] of Object.entries(historicalBugs)) {
      expect(row, name).toMatch(/^8\.\d+$/);
      expect(fixed, name).toMatch(/20\d\d/);
      expect(effect.length, name).toBeGreaterThan(40);
    }
  });
});

describe('8.1 VMOVP names only ITSs that map the vPE (8424312516e5)', () => {
  it('one command, and the vPE has moved', async () => {
    const system = await start('v4ItsList');
    const { vpe } = system.forwarded({ its: 0 });
    vpe.doorbell.setAffinity(2);
    const moves = withText(system, 'VMOVP');
    expect(moves).toEqual([expect.stringContaining('ITSList 0x1')]);
    expect([vpe.cpu, complaints(system)]).toEqual([2, []]);
  });

  it('vmovp-itslist-all: the other ITS refuses it, and the first one waits for it for ever', async () => {
    const system = await start('v4ItsList', '5.6', ['vmovp-itslist-all']);
    const { irq, vpe } = system.forwarded({ its: 0 });
    expect(errnoOf(() => vpe.doorbell.setAffinity(2))).toBe('ETIMEDOUT');
    const moves = withText(system, 'VMOVP').map((line) => line.slice(0, 4));
    expect(moves.slice(0, 2)).toEqual(['ITS0', 'ITS1']);
    expect(complaints(system)).toContain('COMMAND_ERROR');
    expect(errnoOf(() => irq.setPending(true))).toBe('ETIMEDOUT');
  });
});

describe('8.2 INV, INT and CLEAR of a VLPI are complete when its vPE is', () => {
  const syncs = async (bugs: HistoricalBugName[]) => {
    const system = await start('v4', '5.6', bugs);
    const { irq } = system.forwarded();
    irq.setPending(true);
    irq.setPending(false);
    irq.unmask();
    return system.steps().filter((line) => /ITS0: V?SYNC/.test(line));
  };

  it('VSYNC of the vPE', async () => {
    expect(await syncs([])).toEqual(Array(3).fill('ITS0: VSYNC vPEID 0'));
  });

  it('vlpi-inv-synced-on-collection: SYNC of the PE that the LPI had', async () => {
    expect(await syncs(['vlpi-inv-synced-on-collection'])).toEqual(Array(3).fill('ITS0: SYNC RDbase 1'));
  });
});

describe('8.3 GET_VLPI after the last VLPI of a device was unmapped (046b5054f566)', () => {
  it('EINVAL, and of a later map never the old one', async () => {
    const system = await start('v4');
    const { device, irq, vm } = system.forwarded();
    const copy = irq.setVcpuAffinity({ type: 'GET_VLPI' });
    irq.unmapVlpi();
    expect(errnoOf(() => irq.setVcpuAffinity({ type: 'GET_VLPI' }))).toBe('EINVAL');
    const other = device.irqs[0] as typeof irq;
    other.activate(0);
    other.mapVlpi({ ...MAP, vpe: first(vm.vpes), vIntid: VINTID + 1 });
    expect(errnoOf(() => irq.setVcpuAffinity({ type: 'GET_VLPI' }))).toBe('EINVAL');
    expect(other.setVcpuAffinity({ type: 'GET_VLPI' }).vIntid).toBe(VINTID + 1);
    expect(copy.vIntid).toBe(VINTID);
  });
});

describe('8.5 a doorbell that is found pending is sent again', () => {
  it.each([
    ['v4', 'SETLPIR'],
    ['v4Proxy', 'INT'],
  ] as const)('%s: set pending by the chip of the vPEs, with %s', async (name, how) => {
    const system = await start(name);
    const vpe = first(system.vm().vpes);
    vpe.doorbell.unmask();
    system.steps();
    vpe.doorbell.retrigger();
    expect(system.steps().join('\n')).toContain(how);
    expect(system.machine.cpu(0).acknowledge()).toBe(vpe.doorbell.intid);
  });

  it('no-doorbell-retrigger: ENOSYS, and nothing happens', async () => {
    const system = await start('v4', '5.6', ['no-doorbell-retrigger']);
    const vpe = first(system.vm().vpes);
    vpe.doorbell.unmask();
    system.steps();
    expect(errnoOf(() => vpe.doorbell.retrigger())).toBe('ENOSYS');
    expect([system.steps(), system.machine.cpu(0).irq]).toEqual([[], false]);
  });
});

describe('8.6 register accesses for a vPE follow it (f3a059219bc7, 926846a703cb)', () => {
  it('INVALLR, INVLPIR and VSGIR go to where the last VMOVP sent it', async () => {
    const system = await start('v4_1');
    const { irq, vpe } = system.forwarded();
    const sgi = first(vpe.createSgis());
    sgi.activate();
    for (const cpu of [3, 1]) {
      vpe.doorbell.setAffinity(cpu);
      system.steps();
      vpe.invall();
      irq.mask();
      expect(sgi.pending).toBe(false);
      const writes = system.steps().filter((line) => / GICR_\w+ = /.test(line));
      expect(writes.map((line) => line.split(' = ')[0])).toEqual([
        `RD${cpu}: GICR_INVALLR`,
        `RD${cpu}: GICR_INVLPIR`,
        `RD${cpu}: GICR_VSGIR`,
      ]);
    }
    expect(complaints(system)).toEqual([]);
  });
});

describe('8.7 GICv4.1: no VSYNC names a vPE that is not mapped any more (80e9963fb3b5)', () => {
  it('VMAPP with V=0 stands alone', async () => {
    const system = await start('v4_1');
    const vm = system.vm(2);
    vm.deactivate();
    vm.free();
    expect(withText(system, 'VSYNC')).toEqual([]);
    expect(complaints(system)).toEqual([]);
  });

  it('vsync-after-last-unmap: a command error', async () => {
    const system = await start('v4_1', '5.6', ['vsync-after-last-unmap']);
    const vm = system.vm();
    vm.deactivate();
    expect(withText(system, 'VSYNC')).toEqual(['ITS0: VSYNC vPEID 0']);
    expect(complaints(system)).toEqual(['COMMAND_ERROR']);
  });
});

describe('8.8 a vPE that is being torn down is not moved (1442ee001198)', () => {
  it.each(['v4', 'v4_1'] as const)('%s: EINVAL, no command', async (name) => {
    const system = await start(name);
    const vm = system.vm();
    vm.deactivate();
    system.steps();
    expect(errnoOf(() => first(vm.vpes).doorbell.setAffinity(1))).toBe('EINVAL');
    expect(system.steps()).toEqual([]);
  });

  it.each(['v4', 'v4_1'] as const)('%s, vmovp-on-dying-vpe: VMOVP of an unmapped vPE', async (name) => {
    const system = await start(name, '5.6', ['vmovp-on-dying-vpe']);
    const vm = system.vm();
    vm.deactivate();
    system.steps();
    complaints(system);
    first(vm.vpes).doorbell.setAffinity(1);
    expect(withText(system, 'VMOVP').length).toBe(1);
    expect(complaints(system)).toContain('COMMAND_ERROR');
  });
});

describe('8.9 a vPE moves by VMOVP also within a shared vPE table (af9acbfc2c4b)', () => {
  /** A vPE of GICv4.1 is moved from PE 0 to PE 2 and blocks; then a VLPI comes. Which PEs are interrupted? */
  const ring = async (bugs: HistoricalBugName[]) => {
    const system = await start('v4_1', '5.6', bugs);
    const { vpe } = system.forwarded();
    vpe.doorbell.unmask();
    vpe.doorbell.setAffinity(2);
    vpe.schedule(2);
    vpe.deschedule({ doorbell: true });
    system.machine.sendMsi(DEVICE, EVENT);
    return [0, 1, 2, 3].filter((cpu) => system.machine.cpu(cpu).irq);
  };

  it('the doorbell rings where the vPE is', async () => {
    expect(await ring([])).toEqual([2]);
  });

  it('vmovp-skipped-in-shared-table: it rings where the vPE was, though that PE may be offline', async () => {
    expect(await ring(['vmovp-skipped-in-shared-table'])).toEqual([0]);
  });
});

describe('8.10, 8.11, 8.13 vPEs that are mapped with the first VLPI of their VM', () => {
  it('8.10 VMAPP names where the vPE is at that moment, a later VMOVP follows (a84a07fa3100)', async () => {
    const system = await start('v4ItsList');
    const { irq } = system.device();
    const vpe = first(system.vm().vpes);
    vpe.doorbell.setAffinity(2);
    irq.mapVlpi({ ...MAP, vpe });
    vpe.doorbell.setAffinity(1);
    const targets = system.steps().filter((line) => /VMAPP|VMOVP/.test(line));
    expect(targets.map((line) => /RDbase (\d)/.exec(line)?.[1])).toEqual(['2', '1']);
  });

  /** A vCPU is loaded on PE 3, then its VM gets its first VLPI, which is made pending. */
  const firstVlpi = async (bugs: HistoricalBugName[]) => {
    const system = await start('v4ItsList', '5.6', bugs);
    const { irq } = system.device();
    const vpe = first(system.vm().vpes);
    vpe.doorbell.setAffinity(3);
    vpe.schedule(3);
    irq.mapVlpi({ ...MAP, vpe });
    system.machine.sendMsi(DEVICE, EVENT);
    return { system, irq, vpe, delivered: system.machine.virtualOutputs(3).bestVlpi?.vIntid };
  };

  it('8.11 not to the first PE: the resident vPE sees the VLPI (7d2c2048a864)', async () => {
    const { system, irq, vpe, delivered } = await firstVlpi([]);
    expect(withText(system, 'VMAPP')).toEqual([expect.stringContaining('RDbase 3')]);
    expect([vpe.cpu, delivered]).toEqual([3, VINTID]);
    irq.unmapVlpi();
    irq.mapVlpi({ ...MAP, vpe });
    expect(withText(system, 'VMAPP')[1]).toContain('RDbase 3');
  });

  it('8.11 lazy-map-resets-affinity: the VLPI waits while its vPE runs', async () => {
    const { system, vpe, delivered } = await firstVlpi(['lazy-map-resets-affinity']);
    expect(withText(system, 'VMAPP')).toEqual([expect.stringContaining('RDbase 0')]);
    expect([vpe.cpu, delivered]).toEqual([0, undefined]);
  });

  it('8.13 a VM without VLPIs can be moved, without a command', async () => {
    const system = await start('v4ItsList');
    const vpe = first(system.vm().vpes);
    vpe.doorbell.setAffinity(2);
    expect([vpe.cpu, system.steps()]).toEqual([2, []]);
  });

  it('8.13 no-affinity-for-unmapped: EINVAL, so that its vCPU cannot be loaded', async () => {
    const system = await start('v4ItsList', '5.6', ['no-affinity-for-unmapped']);
    const vpe = first(system.vm().vpes);
    expect(errnoOf(() => vpe.doorbell.setAffinity(2))).toBe('EINVAL');
    expect(vpe.cpu).toBe(0);
  });
});

describe('8.16, 8.17 a pending table that is being parsed', () => {
  const parsing = async (bugs: HistoricalBugName[]) => {
    const dirtyReads = { scheduleIn: 5, scheduleOut: 0 };
    const machine = await createMachine({ cpus: 2, architecture: 'GICv4.1', dirtyReads });
    const system = new System(machine, '5.6', bugs);
    return { system, vpe: first(system.vm().vpes) };
  };

  it('8.16 a vPE leaves when its table is parsed', async () => {
    const { system, vpe } = await parsing([]);
    vpe.schedule(0);
    system.steps();
    vpe.deschedule();
    expect(system.steps()[0]).toBe('RD0: poll GICR_VPENDBASER');
    expect(complaints(system)).toEqual([]);
  });

  it('8.16 put-while-parsing: Valid changes while Dirty is 1', async () => {
    const { system, vpe } = await parsing(['put-while-parsing']);
    vpe.schedule(0);
    system.steps();
    vpe.deschedule();
    expect(system.steps()[0]).toContain('GICR_VPENDBASER = ');
    expect(complaints(system)).toEqual(['VPENDBASER_WRITE_WHILE_DIRTY']);
  });

  it('8.17 schedule does not wait, commit does, once (57e3cebd022f)', async () => {
    const { system, vpe } = await parsing([]);
    const polls = () => withText(system, 'poll GICR_VPENDBASER').length;
    vpe.schedule(0);
    expect(polls()).toBe(0);
    vpe.commit();
    expect(polls()).toBe(1);
    vpe.commit();
    expect(polls()).toBe(0);
  });

  it('8.17 poll-at-schedule: schedule waits', async () => {
    const { system, vpe } = await parsing(['poll-at-schedule']);
    vpe.schedule(0);
    expect(withText(system, 'poll GICR_VPENDBASER').length).toBe(1);
  });
});

describe('8.51, 8.52 what boot does for vPEs', () => {
  const vpropbaser = async (bugs: HistoricalBugName[]) => {
    const { machine } = await start('v4', '5.6', bugs);
    return machine.redistributor(2).read('GICR_VPROPBASER');
  };

  it('8.51 VLPIs that come before any vPE was scheduled are within IDbits', async () => {
    expect(await vpropbaser([])).toBe(15n);
    const system = await start('v4');
    const { vpe } = system.forwarded();
    expect(system.machine.sendMsi(DEVICE, EVENT)).toBe('pending');
    vpe.schedule(0);
    expect(system.machine.virtualOutputs(0).bestVlpi?.vIntid).toBe(VINTID);
  });

  it('8.51 idbits-zero-until-schedule: IDbits is 0', async () => {
    expect(await vpropbaser(['idbits-zero-until-schedule'])).toBe(0n);
  });

  /** An earlier kernel left a vPE resident on PE 1; its pending table is at the start of RAM. */
  const afterKexec = async (bugs: HistoricalBugName[]) => {
    const machine = await createMachine({ cpus: 2, architecture: 'GICv4.0' });
    const rd = machine.redistributor(1);
    rd.write('GICR_VPROPBASER', 15n | BigInt(machine.config.ram.base + 0x1_0000));
    rd.write('GICR_VPENDBASER', (1n << 63n) | BigInt(machine.config.ram.base));
    const system = new System(machine, '5.6', bugs);
    return { system, valid: (rd.read('GICR_VPENDBASER') as bigint) >> 63n };
  };

  it('8.52 a vPE that was left resident is thrown out', async () => {
    const { system, valid } = await afterKexec([]);
    expect(valid).toBe(0n);
    complaints(system);
    const vpe = first(system.vm().vpes);
    vpe.doorbell.setAffinity(1);
    vpe.schedule(1);
    expect(complaints(system)).toEqual([]);
  });

  it('8.52 stale-vpe-kept: it stays, and no other vPE comes in', async () => {
    const { system, valid } = await afterKexec(['stale-vpe-kept']);
    expect(valid).toBe(1n);
    complaints(system);
    const vpe = first(system.vm().vpes);
    vpe.doorbell.setAffinity(1);
    vpe.schedule(1);
    expect(complaints(system)).toContain('VPE_CHANGED_WHILE_RESIDENT');
  });
});
