import { fuzzArchitectures } from './fuzzer.ts';
import { ORDERLY, operationAt, operationCount } from './input.ts';

/** Kinds of operations, in the numbers of the fuzz build. */
const kinds = [
  'MSI',
  'MSI',
  'ITS command',
  'ITS command',
  'ITS command',
  'acknowledge and end',
  'acknowledge and end, by the guest',
  'wire',
  'write of an ICC register',
  'write of a list register',
  'write of a configuration byte',
  'write of a distributor or SGI register',
  'residency of a vPE',
  'write of an ICH or ICV register',
  'counter moved on',
  'read of a register, or write of a timer',
  'write of any register',
  'write of any register',
  'write of any register',
  'write of any address',
  'read of any address',
  'write into tables, queues and pending bits',
  'write of GITS_CWRITER',
  'write of any system register',
  'read of any system register',
  'reset of a PE, or the command queue again',
] as const;

/** Kinds that orderly inputs have. */
const ORDERLY_KINDS = 16;

/** What an input does, a line for each operation. */
export function inputText(input: Uint8Array): string[] {
  const heading = input[0] ?? 0;
  const orderly = (heading & ORDERLY) !== 0;
  const architecture = fuzzArchitectures[(heading & 0x7f) % fuzzArchitectures.length];
  const view = new DataView(input.buffer, input.byteOffset, input.byteLength);
  const lines = Array.from({ length: operationCount(input) }, (_, n) => {
    const at = operationAt(n);
    const kind = view.getUint8(at) % (orderly ? ORDERLY_KINDS : kinds.length);
    const operands = [view.getUint8(at + 1), view.getUint16(at + 2, true), view.getUint32(at + 4, true)];
    const [a, b, c] = operands.map((operand) => `0x${operand.toString(16)}`);
    return `${String(n).padStart(3)}  ${kinds[kind]}: a ${a}, b ${b}, c ${c}`;
  });
  return [`${architecture}, ${orderly ? 'within the rules' : 'anything'}`, ...lines];
}
