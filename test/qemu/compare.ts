import type { Machine } from '../../bindings/machine.ts';
import { runVector, type VectorFailure } from '../../bindings/vectors/runner.ts';
import type { Step } from '../../bindings/vectors/vector.ts';
import type { LiveStep, Outputs } from './recorder.ts';

/** The first result of a recording that a machine does not share. */
export interface Difference {
  /** Index into the steps. */
  readonly step: number;
  readonly text: string;
}

export interface Comparison {
  /** Results compared until the difference, or to the end. */
  readonly compared: number;
  readonly difference?: Difference;
}

/** Does the steps of a recording on a machine fresh from reset, up to the first difference. */
export function compare(steps: readonly LiveStep[], machine: Machine): Comparison {
  let compared = 0;
  for (const [index, step] of steps.entries()) {
    const text = step.op === 'outputs' ? compareOutputs(step.expect, machine) : compareStep(step, machine);
    if (text !== undefined) return { compared, difference: { step: index, text } };
    if ('expect' in step) compared++;
  }
  return { compared };
}

function compareStep(step: Step, machine: Machine): string | undefined {
  const { failures } = runVector(
    { name: '', description: '', level: 0, machine: {}, steps: [step] },
    machine,
  );
  return failures[0] && describe(failures[0]);
}

function describe({ op, what, address, cpu, register, expected, got, mask }: VectorFailure): string {
  const place = [op, what, cpu !== undefined && `PE ${cpu}`, register, address].filter(Boolean).join(' ');
  return `${place}: QEMU ${expected}, engine ${got}${mask === undefined ? '' : `, compared in ${mask}`}`;
}

function compareOutputs(expected: readonly Outputs[], machine: Machine): string | undefined {
  const differences = expected.flatMap((outputs, cpu) => {
    const virtual = machine.virtualOutputs(cpu);
    const got = { irq: machine.irq(cpu), fiq: machine.fiq(cpu), virq: virtual.virq, vfiq: virtual.vfiq };
    const names = ['irq', 'fiq', 'virq', 'vfiq'] as const;
    return names
      .filter((name) => got[name] !== outputs[name])
      .map((name) => `${name} of PE ${cpu}: QEMU ${level(outputs[name])}, engine ${level(got[name])}`);
  });
  return differences.length > 0 ? differences.join('; ') : undefined;
}

function level(high: boolean): string {
  return high ? 'high' : 'low';
}
