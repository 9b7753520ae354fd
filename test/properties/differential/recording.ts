import type { Engine, MachineOptions } from '../../../bindings/index.ts';
import { Machine } from '../../../bindings/index.ts';
import { outcome, type Step } from './pair.ts';
import { type Model, Side } from './side.ts';

/** What is done to a model, and what is asked of it with side effects. */
const recorded: ReadonlySet<string | symbol> = new Set([
  'read',
  'write',
  'sendMsi',
  'setSpi',
  'setPpi',
  'readSystemRegister',
  'writeSystemRegister',
  'writeMemory',
  'stepIts',
  'resetCpuInterface',
  'advanceCounter',
  'nextTimerDeadline',
]);

/** The model, each call of which is written down as code. */
function recording(model: Model, calls: string[]): Model {
  return new Proxy(model, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== 'function') return member;
      return (...given: unknown[]): unknown => {
        if (recorded.has(name)) calls.push(`gic.${String(name)}(${given.map(code).join(', ')})`);
        return member.apply(target, given);
      };
    },
  });
}

function code(value: unknown): string {
  if (typeof value === 'bigint') return `0x${value.toString(16)}n`;
  if (typeof value === 'number') return value > 9 ? `0x${value.toString(16)}` : String(value);
  if (typeof value === 'string') return `'${value}'`;
  if (value instanceof Uint8Array) return `new Uint8Array([${[...value].join(', ')}])`;
  return JSON.stringify(value);
}

/** A test file for this folder's parent that performs the steps on both models, with literal addresses and values. */
export function runnableTest(engine: Engine, options: MachineOptions, steps: readonly Step[]): string {
  const machine = new Machine(engine, options);
  const calls: string[] = [];
  const side = new Side(recording(machine, calls), machine.config);
  const entries = steps.map((step) => {
    calls.length = 0;
    outcome(step, side);
    const text = JSON.stringify(step.text);
    return `    [${text}, (gic) => [\n${calls.map((call) => `      ${call},\n`).join('')}    ]],`;
  });
  return [
    "import { it } from 'vitest';",
    "import { expectAgreement } from './differential/agreement.ts';",
    '',
    "it('the engine does what the reference model does', async () => {",
    `  await expectAgreement(${literal(options)}, [`,
    ...entries,
    '  ]);',
    '});',
  ].join('\n');
}

/** Options as code: bigints have no JSON. */
function literal(options: MachineOptions): string {
  const text = JSON.stringify(options, (_, value: unknown) =>
    typeof value === 'bigint' ? `bigint:${value}` : value,
  );
  return text.replaceAll(/"bigint:(\d+)"/g, '$1n');
}
