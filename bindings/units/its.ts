import { encodeCommand } from '../commands/codec.ts';
import type { ItsCommand } from '../commands/command.ts';
import { GicError } from '../errors.ts';
import type { Machine } from '../machine.ts';
import type { MsiOutcome } from '../outcomes.ts';
import type { DeviceEntry, InterruptEntry, VpeEntry } from '../table_entries.ts';
import { RegisterUnit } from './registers.ts';

const COMMAND_BYTES = 32;
const QUEUE_ADDRESS = 0x000f_ffff_ffff_0000n;
const CREADR_STALLED = 1n;
const CREADR_OFFSET = 0xf_ffe0n;

/** One Interrupt Translation Service. */
export class ItsUnit extends RegisterUnit {
  constructor(machine: Machine, its: number) {
    super(machine, its, 'GITS_');
  }

  /** A device's write of `eventId` to this ITS's GITS_TRANSLATER; tells what became of it. */
  sendMsi(deviceId: number, eventId: number): MsiOutcome {
    return this.machine.sendMsi(deviceId, eventId, this.unit);
  }

  /** MSIs to this ITS together: see `Machine.sendMsis`. */
  sendMsis(msis: Uint32Array): number {
    return this.machine.sendMsis(msis, this.unit);
  }

  /**
   * Puts commands into the command queue, as software does, and writes GITS_CWRITER. Throws a `GicError`, before
   * anything is written, when the queue is not set up, is not inside RAM or has no room for them.
   */
  command(...commands: readonly ItsCommand[]): void {
    const cbaser = this.#wide('GITS_CBASER');
    if (cbaser >> 63n === 0n) {
      throw new GicError('INVALID_ARGUMENT', 'GITS_CBASER', cbaser, 'a command queue with Valid=1');
    }
    const base = Number(cbaser & QUEUE_ADDRESS);
    const bytes = (Number(cbaser & 0xffn) + 1) * 4096;
    const queue = this.machine.ram(base, bytes);
    const writer = Number(this.#wide('GITS_CWRITER'));
    if (writer >= bytes) {
      throw new GicError(
        'INVALID_ARGUMENT',
        'GITS_CWRITER',
        writer,
        `an offset below ${bytes}, inside the queue`,
      );
    }
    const reader = Number(this.#wide('GITS_CREADR') & CREADR_OFFSET);
    const room = ((reader - writer - COMMAND_BYTES + bytes) % bytes) / COMMAND_BYTES;
    if (commands.length > room) {
      throw new GicError(
        'INVALID_ARGUMENT',
        'commands',
        commands.length,
        `at most ${room}: the queue is full then`,
      );
    }
    const options = {
      physicalTargetAddresses: this.machine.config.physicalTargetAddresses,
      vmappLayout: this.machine.config.architecture === 'GICv4.1' ? '4.1' : '4.0',
    } as const;
    const encoded = commands.map((command) => encodeCommand(command, options));
    let at = writer;
    for (const raw of encoded) {
      queue.set(raw, at);
      at = (at + COMMAND_BYTES) % bytes;
    }
    this.write('GITS_CWRITER', BigInt(at));
  }

  /** GITS_CREADR.Stalled. */
  get stalled(): boolean {
    return (this.#wide('GITS_CREADR') & CREADR_STALLED) !== 0n;
  }

  /** Executes up to `commands` queued commands where the policy `commandExecution` is `stepped`; how many it were. */
  step(commands = 1): number {
    return this.machine.stepIts(this.unit, commands);
  }

  /** The device table's entry of a device; undefined where it is not mapped. */
  device(deviceId: number): DeviceEntry | undefined {
    return this.machine.deviceEntry(this.unit, deviceId);
  }

  /** The PE that a collection is mapped to; undefined where it is not mapped. */
  collection(icid: number): number | undefined {
    return this.machine.collectionEntry(this.unit, icid);
  }

  /** What an event is mapped to; undefined where it is not mapped. */
  interrupt(deviceId: number, eventId: number): InterruptEntry | undefined {
    return this.machine.interruptEntry(this.unit, deviceId, eventId);
  }

  /** The vPE table's entry of a vPE; undefined where it is not mapped. */
  vpe(vpeId: number): VpeEntry | undefined {
    return this.machine.vpeEntry(this.unit, vpeId);
  }

  /**
   * A vPE's pending table in RAM, in place: bit n % 8 of byte n / 8 stands for vINTID n. Empty where the vPE is not
   * mapped. Throws a `GicError` when the table is not inside RAM.
   */
  vpePendingTable(vpeId: number): Uint8Array {
    const entry = this.vpe(vpeId);
    return entry ? this.machine.ram(entry.vptAddress, 2 ** (entry.size + 1) / 8) : new Uint8Array();
  }

  #wide(name: string): bigint {
    return BigInt(this.read(name));
  }
}
