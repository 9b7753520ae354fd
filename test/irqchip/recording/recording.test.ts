import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Comparison, compare } from './compare.ts';
import { differences } from './differences.ts';
import { interleaved, type Operation, type OperationName, operationsOf } from './operations.ts';
import { ownerKey } from './owners.ts';
import { recordedSteps } from './recorded_steps.ts';
import { commandsOf, type DriverStep, isDriverStep, type Step, wordsOf } from './steps.ts';

const file = fileURLToPath(
  new URL('../../fixtures/irqchip/linux-6.1-kvm-direct-injection-driver.jsonl.gz', import.meta.url),
);
const steps = await recordedSteps(file);
const operations = operationsOf(steps);
const COMMANDS = 59_705;

const isExcused = (operation: OperationName, step: DriverStep): boolean =>
  differences.some((difference) => difference.operation === operation && difference.covers(step));

function count(table: Record<string, Record<string, number>>, row: string, column: string): void {
  const counts = table[row] ?? {};
  table[row] = counts;
  counts[column] = (counts[column] ?? 0) + 1;
}

function commandCount(list: readonly Step[]): number {
  return list.reduce((sum, step) => sum + commandsOf(step), 0);
}

describe('the recording of Linux 6.1 and KVM, as operations', () => {
  it('every command belongs to exactly one operation', () => {
    expect(commandCount(steps)).toBe(COMMANDS);
    expect(operations.filter(({ name }) => name === 'unexplained')).toEqual([]);
    const places = operations.flatMap((operation) => operation.places);
    expect(new Set(places).size).toBe(places.length);
    expect(commandCount(operations.flatMap((operation) => operation.steps))).toBe(COMMANDS);
  });

  it('what the driver does for each operation, and how often', () => {
    const found: Record<string, Record<string, number>> = {};
    for (const { name, steps: taken } of operations.slice(1)) {
      count(found, name, taken.filter(isDriverStep).map(wordsOf).join(', '));
    }
    expect(operations[0]?.name).toBe('boot');
    expect(found).toEqual({
      createDevice: { MAPD: 11 },
      freeDevice: { MAPD: 9 },
      activate: { 'MAPTI SYNC': 58 },
      deactivate: { 'DISCARD SYNC': 50 },
      mask: { 'CFG, INV SYNC': 47 },
      unmask: { 'CFG, INV SYNC': 55 },
      setAffinity: { 'MOVI SYNC': 2 },
      mapVlpi: { 'VCFG, DISCARD SYNC, VMAPTI VSYNC': 15 },
      updateAndInvalidateVlpi: { 'VCFG, INV VSYNC': 15 },
      remapVlpi: { 'VMOVI VSYNC': 46 },
      unmapVlpi: { 'DISCARD SYNC, MAPTI SYNC, CFG, INV SYNC': 15 },
      activateVpe: { 'VMAPP VSYNC, VINVALL VSYNC': 2 },
      // A doorbell's first use takes a slot of the proxy device.
      moveVpe: { 'VMOVP VSYNC, MOVI SYNC': 78, 'VMOVP VSYNC, MAPTI SYNC, MOVI SYNC': 1 },
      clearDoorbell: { 'CLEAR SYNC': 19_164, 'MAPTI SYNC, CLEAR SYNC': 1 },
      // A doorbell that was left ringing is masked first.
      schedule: { 'VPROPBASER, VPENDBASER': 14_131, 'CFG, INV SYNC, VPROPBASER, VPENDBASER': 5034 },
      deschedule: { VPENDBASER: 14_090 },
      descheduleAndRing: { 'CFG, INV SYNC, VPENDBASER': 5075 },
      handleDoorbell: { 'CFG, INV SYNC': 41 },
      invallVpe: { 'VINVALL VSYNC': 3 },
      deactivateVpe: { 'VMAPP VSYNC': 2 },
      freeVm: { 'DISCARD SYNC, DISCARD SYNC': 1 },
    });
  });

  it('what KVM does with a vPE, one after the other', () => {
    const found: Record<string, Record<string, number>> = {};
    const before = new Map<string, OperationName>();
    for (const { name, owner } of operations) {
      if (owner.kind !== 'vpe' || name === 'invallVpe') continue;
      const key = ownerKey(owner);
      count(found, before.get(key) ?? 'nothing', name);
      before.set(key, name);
    }
    expect(found).toEqual({
      nothing: { activateVpe: 2 },
      activateVpe: { schedule: 1, moveVpe: 1 },
      schedule: { clearDoorbell: 19_165 },
      clearDoorbell: { deschedule: 14_090, descheduleAndRing: 5075 },
      deschedule: { schedule: 14_026, moveVpe: 62, deactivateVpe: 2 },
      descheduleAndRing: { schedule: 5019, handleDoorbell: 40, moveVpe: 16 },
      handleDoorbell: { schedule: 41 },
      moveVpe: { schedule: 78, handleDoorbell: 1 },
    });
  });
});

describe('the same operations on our layer', () => {
  let comparison: Comparison;
  beforeAll(async () => {
    comparison = await compare(operations, isExcused);
  });

  it('give the recorded commands, register writes and configuration bytes, one by one', () => {
    expect(comparison.mismatches).toEqual([]);
    expect(comparison.equalCommands).toBe(COMMANDS);
    expect(comparison.equalWrites).toBe(67_822);
  });

  it('with the same LPIs, vPEIDs and proxy slots; only tables stand elsewhere', () => {
    expect(new Set(comparison.renamed.map(({ space }) => space))).toEqual(new Set(['table address']));
  });

  it('in the recorded order, but for operations of several PEs at the same time', () => {
    const overlapping = interleaved(operations);
    expect([overlapping.length, operations.length]).toEqual([505, 57_947]);
  });

  it('each known difference explains as many steps as it says', () => {
    for (const difference of differences) {
      const explained = operations
        .filter(({ name }) => name === difference.operation)
        .flatMap((operation) => operation.steps.filter(isDriverStep).filter(difference.covers));
      expect(explained.length, difference.what).toBe(difference.count);
    }
  });
});

describe('the comparison', () => {
  it('sees a changed step in an operation of each kind', async () => {
    const last = new Map(operations.map((operation) => [operation.name, operation]));
    const changed = new Map([...last.values()].map((operation) => [operation, withAnError(operation)]));
    const { mismatches } = await compare(
      operations.map((operation) => changed.get(operation) ?? operation),
      isExcused,
    );
    expect(mismatches.map(({ place }) => place)).toEqual(
      [...last.values()].map(({ places }) => places[0]).sort((a, b) => Number(a) - Number(b)),
    );
  });

  it('a step that belongs to no operation is shown', () => {
    const stray: Step = {
      kind: 'command',
      command: { command: 'INT', deviceId: 8, eventId: 0 },
      sync: undefined,
    };
    const found = operationsOf([...steps, stray]).filter(({ name }) => name === 'unexplained');
    expect(found.map((operation) => operation.steps)).toEqual([[stray]]);
  });
});

/** The operation with a sync too many or too few behind its last command, or another value in its last write. */
function withAnError(operation: Operation): Operation {
  const at = operation.steps.length - 1;
  return { ...operation, steps: operation.steps.with(at, spoilt(operation.steps[at] as Step)) };
}

function spoilt(step: Step): Step {
  if (step.kind === 'register') return { ...step, value: step.value ^ (1n << 58n) };
  if (step.kind !== 'command') throw new Error(`no operation ends with ${step.kind}`);
  if (step.sync) return { ...step, sync: undefined };
  return { ...step, sync: { command: 'SYNC', rdBase: 0 } };
}
