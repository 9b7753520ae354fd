import fc from 'fast-check';
import type { ItsCommand } from '../../bindings/commands/command.ts';
import {
  type CommandName,
  commandDefinitions,
  commandOfNumber,
  type Field,
  vmapp41Fields,
} from '../../bindings/commands/definitions.ts';

function anyValue(field: Field, unit: number): fc.Arbitrary<number | boolean> {
  if (field.kind === 'flag') return fc.boolean();
  return fc.integer({ min: 0, max: 2 ** (field.high - field.low + 1) - 1 }).map((bits) => bits * unit);
}

function commandWith(
  head: Record<string, string>,
  fields: Readonly<Record<string, Field>>,
  physicalTargetAddresses: boolean,
): fc.Arbitrary<ItsCommand> {
  const values = Object.fromEntries(
    Object.entries(fields).map(([property, field]) => {
      const inPlace = field.kind === 'address' || (field.kind === 'rdBase' && physicalTargetAddresses);
      const isPriority = field.label === 'Priority';
      return [property, anyValue(field, inPlace ? 2 ** field.low : isPriority ? 16 : 1)];
    }),
  );
  return fc.record(values).map((record) => ({ ...head, ...record }) as unknown as ItsCommand);
}

const unknownCommand: fc.Arbitrary<ItsCommand> = fc
  .tuple(
    fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).filter((word) => !commandOfNumber.has(Number(word & 0xffn))),
    fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  )
  .map((raw) => ({ command: 'UNKNOWN', number: Number(raw[0] & 0xffn), raw }));

/** Any command of any value that fits, of every kind. */
export function anyCommand(physicalTargetAddresses: boolean): fc.Arbitrary<ItsCommand> {
  const plain = (Object.keys(commandDefinitions) as CommandName[])
    .filter((name) => name !== 'VMAPP')
    .map((command) => commandWith({ command }, commandDefinitions[command].fields, physicalTargetAddresses));
  return fc.oneof(
    ...plain,
    commandWith(
      { command: 'VMAPP', layout: '4.0' },
      commandDefinitions.VMAPP.fields,
      physicalTargetAddresses,
    ),
    commandWith({ command: 'VMAPP', layout: '4.1' }, vmapp41Fields, physicalTargetAddresses),
    unknownCommand,
  );
}
