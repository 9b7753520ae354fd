// The same step may go by other names in two runs: where a table stands, which LPI an event has, which slot a doorbell.
import { formatCommand, type ItsCommand } from '../../../bindings/index.ts';
import { NO_DOORBELL, PROXY } from './owners.ts';
import type { DriverStep } from './steps.ts';

/** What each run chooses for itself. */
export type NameSpace = 'table address' | 'LPI' | 'vPEID' | 'proxy slot';

export interface Name {
  readonly space: NameSpace;
  readonly value: number;
}

/** A step without the names in it, and the names in order. */
export interface NamedStep {
  readonly text: string;
  readonly names: readonly Name[];
}

const ADDRESS_BITS = 0x000f_ffff_ffff_f000n;
const PAGE_64K_BITS = 0x0000_ffff_ffff_0000n;

/** Bits of each register that hold the address of a table. */
const addressBits: ReadonlyMap<string, bigint> = new Map([
  ['GITS_CBASER', ADDRESS_BITS],
  ...[0, 1, 2, 3, 4, 5, 6, 7].map((n) => [`GITS_BASER${n}`, PAGE_64K_BITS] as const),
  ['GICR_PROPBASER', ADDRESS_BITS],
  ['GICR_PENDBASER', PAGE_64K_BITS],
  ['GICR_VPROPBASER', ADDRESS_BITS],
  ['GICR_VPENDBASER', PAGE_64K_BITS],
]);

/** Operands of commands that are names. */
const nameSpaces: ReadonlyMap<string, NameSpace> = new Map([
  ['ittAddress', 'table address'],
  ['vptAddress', 'table address'],
  ['pIntid', 'LPI'],
  ['doorbell', 'LPI'],
  ['vpeId', 'vPEID'],
]);

class Names {
  readonly names: Name[] = [];

  /** Zero addresses and "no doorbell" mean the same everywhere. */
  take(space: NameSpace, value: number): number {
    const common = space === 'table address' ? value === 0 : space === 'LPI' && value === NO_DOORBELL;
    if (common) return value;
    this.names.push({ space, value });
    return 0;
  }

  command(command: ItsCommand): string {
    if (command.command === 'UNKNOWN') return formatCommand(command);
    const isProxy = 'deviceId' in command && command.deviceId === PROXY;
    const operands = Object.entries(command).map(([operand, value]) => {
      const space = operand === 'eventId' && isProxy ? 'proxy slot' : nameSpaces.get(operand);
      return [operand, space ? this.take(space, value as number) : value];
    });
    return formatCommand(Object.fromEntries(operands) as ItsCommand);
  }
}

export function namedStep(step: DriverStep): NamedStep {
  const names = new Names();
  return { text: textOf(step, names), names: names.names };
}

function textOf(step: DriverStep, names: Names): string {
  switch (step.kind) {
    case 'command': {
      const text = names.command(step.command);
      return step.sync ? `${text}; ${names.command(step.sync)}` : text;
    }
    case 'register': {
      const bits = addressBits.get(step.register) ?? 0n;
      names.take('table address', Number(step.value & bits));
      const where = step.cpu === undefined ? '' : `RD${step.cpu}: `;
      return `${where}${step.register} = 0x${(step.value & ~bits).toString(16)} | table`;
    }
    case 'byte': {
      const intid = step.table === 'physical' ? names.take('LPI', step.intid) : step.intid;
      return `${step.table} configuration [${intid}] = 0x${step.value.toString(16)}`;
    }
  }
}

/** A one-to-one correspondence of the names of two runs. An ITT's address is free again when its device is unmapped. */
export class Renaming {
  readonly #ours = new Map<string, number>();
  readonly #recorded = new Map<string, number>();
  /** Recorded names that are others in our run. */
  readonly renamed: Name[] = [];

  /** Whether two names correspond; names that are new to both sides do from now on. */
  pair(recorded: Name, ours: Name): boolean {
    if (recorded.space !== ours.space) return false;
    const [there, here] = [key(recorded), key(ours)];
    const known = this.#ours.get(there);
    if (known !== undefined || this.#recorded.has(here))
      return known === ours.value && this.#recorded.get(here) === recorded.value;
    this.#ours.set(there, ours.value);
    this.#recorded.set(here, recorded.value);
    if (recorded.value !== ours.value) this.renamed.push(recorded);
    return true;
  }

  release(recorded: Name, ours: Name): void {
    this.#ours.delete(key(recorded));
    this.#recorded.delete(key(ours));
  }
}

function key({ space, value }: Name): string {
  return `${space} ${value}`;
}
