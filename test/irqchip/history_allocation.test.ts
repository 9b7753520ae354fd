// Bugs that the driver had once in the error paths of its allocations: rows 8.14, 8.15 and 8.55.
import { describe, expect, it } from 'vitest';
import { createMachine, type HistoricalBugName, IrqChip } from '../../bindings/index.ts';
import { errnoOf, System } from './system.ts';

/** Four vPEs are asked for where there are vPEIDs for two more: the third one fails. */
async function failAtThird(bugs: HistoricalBugName[]) {
  const machine = await createMachine({ cpus: 4, architecture: 'GICv4.0', vpeIdBits: 3 });
  const { chip } = new System(machine, '5.6', bugs);
  chip.createVm(6);
  const before = chip.facts;
  expect(errnoOf(() => chip.createVm(4))).toBe('ENOMEM');
  return { chip, before };
}

describe('8.14 an allocation that fails part way gives its vPEs back (280bef512933)', () => {
  it('all of them', async () => {
    const { chip, before } = await failAtThird([]);
    expect(chip.facts).toEqual(before);
    expect(chip.createVm(2).vpes.map((vpe) => vpe.vpeId)).toEqual([6, 7]);
  });

  it('vpe-leak-on-error: the last complete one keeps its vPEID and its pending table', async () => {
    const { chip, before } = await failAtThird(['vpe-leak-on-error']);
    expect(chip.facts).toEqual({ ...before, freeVpeIds: 1, freePages: before.freePages - 16 });
    expect(errnoOf(() => chip.createVm(2))).toBe('ENOMEM');
  });
});

describe('8.15 an allocation that fails is freed once (c26591afd33a)', () => {
  /** Doorbells of two VMs that are made after a failure. */
  const doorbells = async (bugs: HistoricalBugName[]) => {
    const { chip } = await failAtThird(bugs);
    return [chip.createVm(1), chip.createVm(1)].map((vm) => vm.vpes[0]?.doorbell.intid);
  };

  it('no LPI has two owners', async () => {
    const [one, other] = await doorbells([]);
    expect(one).not.toBe(other);
  });

  it('vm-freed-twice: more LPIs are free than there are, and vPEs share a doorbell', async () => {
    const { chip, before } = await failAtThird(['vm-freed-twice']);
    expect(chip.freeLpis).toBe(before.freeLpis + 4);
    const taken = new Set<number>();
    const lpis: number[] = [];
    for (let deviceId = 0; deviceId < 4; deviceId++) {
      for (const { intid } of chip.createDevice({ deviceId, events: 2 }).irqs) {
        lpis.push(intid);
        taken.add(intid);
      }
    }
    expect(taken.size).toBeLessThan(lpis.length);
  });
});

describe('8.55 a vPE without room in the vPE tables', () => {
  /** RAM lasts for a VM's tables and a pending table, 32 pages, but not for level 2 of the vPE table behind them. */
  async function withoutLevel2(bugs: HistoricalBugName[]) {
    const machine = await createMachine({ cpus: 1, architecture: 'GICv4.0' });
    const { base, size } = machine.config.ram;
    const chip = new IrqChip(machine, { ram: { base: base + size - 2 ** 20, size: 2 ** 20 }, bugs });
    for (let deviceId = 0; chip.facts.freePages > 32; deviceId++) chip.createDevice({ deviceId, events: 2 });
    const before = chip.facts;
    expect(errnoOf(() => chip.createVm(1))).toBe('ENOMEM');
    return { before, after: chip.facts };
  }

  it('its new pending table is freed, and nothing else', async () => {
    const { before, after } = await withoutLevel2([]);
    expect(after).toEqual(before);
  });

  it('vpt-freed-of-unfilled-vpe: the pending table is lost', async () => {
    const { before, after } = await withoutLevel2(['vpt-freed-of-unfilled-vpe']);
    expect(after).toEqual({ ...before, freePages: before.freePages - 16 });
  });
});
