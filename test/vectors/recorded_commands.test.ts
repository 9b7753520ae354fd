import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { commandBytes, decodeCommand, encodeCommand } from '../../bindings/commands/codec.ts';
import type { ItsCommand } from '../../bindings/commands/command.ts';
import { findVectorFiles, readVectorFile } from '../../bindings/vectors/files.ts';

const fixtures = fileURLToPath(new URL('../fixtures/vectors', import.meta.url));

/** The vectors' names for fields, where they are not those of the codec. */
const properties: Readonly<Record<string, string>> = {
  dev: 'deviceId',
  ev: 'eventId',
  pint: 'pIntid',
  rd: 'rdBase',
  rd1: 'rdBase1',
  rd2: 'rdBase2',
  itt: 'ittAddress',
  v: 'valid',
  vpe: 'vpeId',
  vpt: 'vptAddress',
  vint: 'vIntid',
  db: 'doorbell',
  d: 'doorbellValid',
  seq: 'sequenceNumber',
  lst: 'itsList',
};

function operandsOf(words: readonly string[], command: ItsCommand): Record<string, unknown> {
  return Object.fromEntries(
    words.map((word) => {
      const [name = '', value] = word.split('=');
      const property =
        name === 'size' && command.command === 'VMAPP' ? 'vptSize' : (properties[name] ?? name);
      const number = Number(value);
      return [property, property === 'valid' || property === 'doorbellValid' ? number === 1 : number];
    }),
  );
}

const queues = findVectorFiles([fixtures])
  .map((file) => ({
    name: basename(file),
    writes: readVectorFile(file).steps.flatMap((step) =>
      step.op === 'write' && step.commands.length > 0 ? [step] : [],
    ),
  }))
  .filter(({ writes }) => writes.length > 0);

it.each(queues)('$name holds the commands that it names', ({ writes }) => {
  for (const { bytes, commands } of writes) {
    expect(bytes.length).toBe(commandBytes * commands.length);
    commands.forEach((text, index) => {
      const [name = '', ...operands] = text.split(' ');
      const slot = bytes.subarray(index * commandBytes, (index + 1) * commandBytes);
      const command = decodeCommand(slot);
      if (name === 'RAW') {
        expect(Buffer.from(slot).toString('hex')).toBe(operands[0]);
        return;
      }
      expect(command.command).toBe(name);
      expect(command).toMatchObject(operandsOf(operands, command));
      expect(encodeCommand(command)).toEqual(new Uint8Array(slot));
    });
  }
});
