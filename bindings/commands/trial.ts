import { createMachine } from '../create_machine.ts';
import type { Machine } from '../machine.ts';
import { decodeDoublewords } from './codec.ts';
import type { CommandOptions, Doublewords, ItsCommand } from './command.ts';
import { commandErrors } from './errors.ts';

const TABLE_BASE = 0x8000_0000;
const PAGE = 0x1_0000;
const PES = 256;
const INTID_BITS = 18;
const RAM_BYTES = 1024 * 2 ** 20;
/** DeviceIDs that a second-level page of the device table holds. */
const DEVICES_A_PAGE = PAGE / 8;
const VALID = 1n << 63n;
const INDIRECT = 1n << 62n;
const PAGES_OF_64K = 0x200n;
const VPE_PAGES_OF_64K = 2n << 53n;

/**
 * An ITS of our own, with nothing mapped at first, that commands of another are tried on in their order. Tables lie
 * elsewhere than the commands say: what was in the memory of the machine that they were for is not known.
 */
export class CommandTrial {
  readonly #machine: Machine;
  readonly #options: CommandOptions;
  readonly #placed = new Map<string, number>();
  readonly #redistributors = new Map<number, number>();
  readonly #devicePages = new Set<number>();
  readonly #deviceTable: number;
  #free = TABLE_BASE;

  static async create(options: CommandOptions): Promise<CommandTrial> {
    const machine = await createMachine(
      {
        architecture: options.vmappLayout === '4.1' ? 'GICv4.1' : 'GICv4.0',
        cpus: PES,
        intidBits: INTID_BITS,
        deviceIdBits: 32,
        eventIdBits: 16,
        ram: { base: TABLE_BASE, size: RAM_BYTES },
      },
      'single',
    );
    return new CommandTrial(machine, options);
  }

  private constructor(machine: Machine, options: CommandOptions) {
    this.#machine = machine;
    this.#options = options;
    const its = machine.its(0);
    const table = (pages: number): bigint =>
      VALID | PAGES_OF_64K | BigInt(this.#take(pages * PAGE)) | BigInt(pages - 1);
    this.#deviceTable = this.#free;
    its.write('GITS_BASER0', INDIRECT | table(64));
    its.write('GITS_BASER1', table(8));
    const vpeTable = table(options.vmappLayout === '4.1' ? 32 : 8);
    its.write('GITS_BASER2', vpeTable);
    its.write('GITS_CBASER', VALID | BigInt(this.#take(PAGE)) | 15n);
    its.write('GITS_CTLR', 1);
    const properties = BigInt(this.#take(2 ** INTID_BITS)) | BigInt(INTID_BITS - 1);
    for (let cpu = 0; cpu < PES; cpu++) {
      const redistributor = machine.redistributor(cpu);
      redistributor.write('GICR_PROPBASER', properties);
      redistributor.write('GICR_PENDBASER', BigInt(this.#take(2 ** INTID_BITS / 8)));
      redistributor.write('GICR_CTLR', 1);
      // GICv4.1 has the vPE table in common with the ITS.
      if (options.vmappLayout === '4.1') {
        redistributor.write('GICR_VPROPBASER', (vpeTable & ~PAGES_OF_64K) | VPE_PAGES_OF_64K);
      }
    }
    machine.takeDiagnostics();
  }

  /** `ok`, or the names of what the command did wrong, such as `MAPTI_UNMAPPED_DEVICE`. */
  outcomeOf(words: Doublewords): string {
    const command = this.#here(decodeDoublewords(words, this.#options));
    if (command === undefined) return 'not tried: its tables need too much memory';
    this.#machine.its(0).command(command);
    const names = this.#machine.takeDiagnostics().map(({ code, operands }) => {
      if (code !== 'COMMAND_ERROR') return code;
      const error = operands.error as number;
      return commandErrors.get(error)?.name ?? `${command.command} error 0x${error.toString(16)}`;
    });
    return names.length === 0 ? 'ok' : names.join(', ');
  }

  /** The command with our addresses in the place of those that it has; undefined where no memory is left. */
  #here(command: ItsCommand): ItsCommand | undefined {
    const here = { ...command };
    if ('rdBase' in here) here.rdBase = this.#redistributor(here.rdBase);
    if ('rdBase1' in here) here.rdBase1 = this.#redistributor(here.rdBase1);
    if ('rdBase2' in here) here.rdBase2 = this.#redistributor(here.rdBase2);
    if (here.command === 'MAPD' && here.valid) {
      const page = Math.floor(here.deviceId / DEVICES_A_PAGE);
      if (!this.#hasDevicePage(page)) return undefined;
      const address = this.#place('ITT', here.ittAddress, 2 ** (here.size + 1) * 8);
      if (address === undefined) return undefined;
      here.ittAddress = address;
    }
    if (here.command === 'VMAPP' && here.valid) {
      const intids = 2 ** (here.vptSize + 1);
      const address = this.#place('VPT', here.vptAddress, intids / 8);
      if (address === undefined) return undefined;
      here.vptAddress = address;
      if (here.layout === '4.1') {
        const config = this.#place('configuration', here.vconfAddress, intids);
        if (config === undefined) return undefined;
        here.vconfAddress = config;
      }
    }
    return here;
  }

  /** Physical addresses of redistributors are numbered in the order in which they appear. */
  #redistributor(rdBase: number): number {
    if (!this.#options.physicalTargetAddresses) return rdBase;
    const known = this.#redistributors.get(rdBase) ?? this.#redistributors.size;
    this.#redistributors.set(rdBase, known);
    return known;
  }

  #hasDevicePage(page: number): boolean {
    if (this.#devicePages.has(page)) return true;
    const address = this.#place('page', page, PAGE);
    if (address === undefined) return false;
    this.#machine.write(this.#deviceTable + 8 * page, 8, VALID | BigInt(address));
    this.#devicePages.add(page);
    return true;
  }

  /** Where the table of a kind and recorded address is; undefined where no memory is left for a new one. */
  #place(kind: string, address: number, bytes: number): number | undefined {
    const key = `${kind} ${address} ${bytes}`;
    const known = this.#placed.get(key);
    if (known !== undefined) return known;
    if (this.#free + bytes > TABLE_BASE + RAM_BYTES) return undefined;
    const place = this.#take(bytes);
    this.#placed.set(key, place);
    return place;
  }

  #take(bytes: number): number {
    const at = this.#free;
    this.#free += Math.ceil(bytes / PAGE) * PAGE;
    return at;
  }
}
