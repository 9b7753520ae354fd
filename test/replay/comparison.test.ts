import { describe, expect, it } from 'vitest';
import { type Difference, OutputComparison } from '../../bindings/replay/comparison.ts';

function differences(comparison: OutputComparison): Difference[] {
  const found: Difference[] = [];
  comparison.compare((difference) => found.push(difference));
  return found;
}

describe('OutputComparison', () => {
  it('finds nothing where the same changes come in the same order', () => {
    const comparison = new OutputComparison([0, 0]);
    comparison.produce(0, 5, 1);
    comparison.produce(0, 7, 4);
    comparison.record(0, 5, 2);
    comparison.record(0, 7, 3);
    expect(differences(comparison)).toEqual([]);
  });

  it('takes a value that stays as it is for no change', () => {
    const comparison = new OutputComparison([0]);
    comparison.produce(0, 0, 1);
    expect(comparison.hasChanges).toBe(false);
  });

  it('accepts a first recorded value that tells what the output is already, once', () => {
    const comparison = new OutputComparison([255]);
    expect(comparison.record(0, 255, 1)).toBe(true);
    expect(differences(comparison)).toEqual([]);
    expect(comparison.record(0, 255, 2)).toBe(false);
    expect(differences(comparison)).toMatchObject([{ stream: 0, recorded: [255], produced: [], line: 2 }]);
  });

  it('names the line of the first recorded value that differs', () => {
    const comparison = new OutputComparison([0]);
    for (const [value, line] of [
      [5, 11],
      [6, 12],
      [7, 13],
    ] as const)
      comparison.record(0, value, line);
    for (const [value, line] of [
      [5, 1],
      [9, 2],
      [7, 3],
    ] as const)
      comparison.produce(0, value, line);
    expect(differences(comparison)).toMatchObject([{ at: 1, line: 12, lastRecorded: 7 }]);
  });

  it('names the line of the action that produced a change that is not recorded', () => {
    const comparison = new OutputComparison([0]);
    comparison.produce(0, 5, 8);
    expect(differences(comparison)).toMatchObject([{ at: 0, line: 8, recorded: [], produced: [5] }]);
  });

  it('forgets what it has compared', () => {
    const comparison = new OutputComparison([0]);
    comparison.produce(0, 5, 8);
    differences(comparison);
    expect(differences(comparison)).toEqual([]);
  });

  it('counts the longer of both lists as compared', () => {
    const comparison = new OutputComparison([0, 0]);
    comparison.produce(1, 5, 8);
    comparison.produce(1, 6, 8);
    comparison.record(1, 5, 9);
    const counts: number[][] = [];
    comparison.compare(
      () => {},
      (stream, count) => counts.push([stream, count]),
    );
    expect(counts).toEqual([[1, 2]]);
  });
});
