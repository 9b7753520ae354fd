import type { MachineConfig } from '../../bindings/config.ts';
import { field, merge, numberField, ones, place } from './bits.ts';
import { BadAccess, Frame } from './frame.ts';
import { DEFAULT_IIDR, defineIdentification, itsType, PartNumber } from './identification.ts';
import { type CommandWords, commands } from './its_commands.ts';
import { CommandQueue } from './its_queue.ts';
import { TableFault } from './its_tables.ts';
import { Failure, Reason, Translation } from './its_translation.ts';
import type { LpiUnit } from './lpi.ts';
import type { Memory } from './memory.ts';

/** GITS_BASER<n>.Type: section 5.9. */
const TABLE_TYPES = { devices: 1, vpes: 2, collections: 4 } as const;
const BASER_RESET = 2n << 8n;

/** GITS_STATUSR.Syndrome of an unmapped MSI: section 5.6. */
const syndromes: Partial<Record<Reason, number>> = {
  [Reason.DEVICE_OUT_OF_RANGE]: 2,
  [Reason.DEVICE_UNMAPPED]: 3,
  [Reason.EVENT_OUT_OF_RANGE]: 4,
  [Reason.INTERRUPT_UNMAPPED]: 5,
  [Reason.COLLECTION_UNMAPPED]: 7,
};
const UMSI = ones(4);
const OVERFLOW = ones(5);
const SYNDROME = ones(9, 6);

/** A command error that was met. */
export interface CommandErrorRecord {
  readonly its: number;
  /** Section 6.1; 0 where no code is known (SYNC, and commands that do not exist). */
  readonly code: number;
  readonly words: CommandWords;
}

/** An Interrupt Translation Service: sections 5 and 6. */
export class Its {
  readonly control: Frame;
  readonly translation: Frame;
  readonly #config: MachineConfig;
  readonly #number: number;
  readonly #lpis: readonly LpiUnit[];
  readonly #errors: CommandErrorRecord[];
  readonly #basers: bigint[];
  readonly #queue: CommandQueue;
  readonly #tables: Translation;
  #enabled = false;
  #status = 0n;
  #umsir = 0n;

  /** @param errors gets a record of each command error */
  constructor(
    config: MachineConfig,
    memory: Memory,
    number: number,
    lpis: readonly LpiUnit[],
    errors: CommandErrorRecord[],
  ) {
    this.#config = config;
    this.#number = number;
    this.#lpis = lpis;
    this.#errors = errors;
    this.#queue = new CommandQueue(memory, config.policy);
    this.#basers = [0, 1, 2].map(() => BASER_RESET);
    this.#tables = new Translation(config, memory, (n) => this.#basers[n]!);
    const report = (bit: bigint): void => {
      if (config.statusRegisters) this.#status |= bit;
    };
    this.control = new Frame(report);
    this.translation = new Frame(report);
    this.#defineControl();
    this.#defineStatus();
    this.#defineQueue();
    this.#defineTables();
    defineIdentification(this.control, config, PartNumber.its);
    // The DeviceID comes with a device's transaction, and a PE has none: its store to GITS_TRANSLATER is ignored.
    this.translation.define(0x0040, { width: 32, narrow: 2, write: () => {} });
  }

  /** An MSI: a device's write of an EventID to GITS_TRANSLATER (section 5.11). */
  message(deviceId: number, written: number): void {
    if (!this.#enabled) return;
    const { eventIdBits, policy } = this.#config;
    const eventId = policy.eventIdHighBits === 'ignore-bits' ? written % 2 ** eventIdBits : written;
    try {
      const { intid, icid } = this.#tables.lookup(deviceId, eventId);
      const cpu = this.#tables.collections.read(icid);
      if (cpu === undefined) throw new Failure(Reason.COLLECTION_UNMAPPED);
      this.#lpis[cpu]!.setPending(intid);
    } catch (problem) {
      if (problem instanceof Failure) this.#reportUnmapped(deviceId, written, syndromes[problem.reason]!);
      else if (!(problem instanceof TableFault)) throw problem;
    }
  }

  /** Processes at most `limit` commands of the queue; returns how many it took from it. */
  process(limit: number): number {
    let done = 0;
    while (done < limit && this.#enabled) {
      const next = this.#queue.next();
      if (!next) break;
      const outcome = next.words ? this.#execute(next.words) : this.#config.policy.queueFault;
      if (outcome === 'stall') {
        this.#queue.stall();
        break;
      }
      this.#queue.advance();
      done++;
    }
    return done;
  }

  #execute(words: CommandWords): 'stall' | 'skip' | 'done' {
    const { commandError, tableFault } = this.#config.policy;
    const command = commands.get(numberField(words[0], 7, 0));
    let code = 0;
    if (command) {
      try {
        command.run({ config: this.#config, translation: this.#tables, lpis: this.#lpis }, words);
        return 'done';
      } catch (problem) {
        if (problem instanceof TableFault) return tableFault === 'stall' ? 'stall' : 'skip';
        if (!(problem instanceof Failure)) throw problem;
        if (command.errorClass !== 0) code = 0x01_0000 | (command.errorClass << 8) | problem.reason;
      }
    }
    this.#errors.push({ its: this.#number, code, words });
    return commandError === 'stall' ? 'stall' : 'skip';
  }

  /** GITS_STATUSR and GITS_UMSIR: section 5.6. The INT command is not reported there. */
  #reportUnmapped(deviceId: number, eventId: number, syndrome: number): void {
    if (!this.#config.unmappedMsiReporting) return;
    if (this.#status & UMSI) {
      this.#status |= OVERFLOW;
      return;
    }
    this.#status = (this.#status & ~SYNDROME) | UMSI | place(syndrome, 6);
    this.#umsir = place(deviceId, 32) | BigInt(eventId);
  }

  #processIfImmediate(): void {
    if (this.#config.policy.commandExecution === 'immediate') this.process(Infinity);
  }

  /** Sections 5.2 to 5.5. ITS_Number and ImDe are RES0: VMOVP on one ITS is enough, and ImDe is IMPDEF. */
  #defineControl(): void {
    const config = this.#config;
    this.control.define(0x0000, {
      width: 32,
      read: () => {
        const quiescent = !this.#enabled || config.policy.quiescentWhileEnabled === 1;
        return place(quiescent, 31) | place(this.#enabled, 0);
      },
      write: (value) => {
        const enable = field(value, 0) === 1n;
        if (enable && !this.#enabled && !this.#mayEnable()) return;
        this.#enabled = enable;
        this.#processIfImmediate();
      },
    });
    this.control.constant(0x0004, BigInt(config.identification.GITS_IIDR ?? DEFAULT_IIDR));
    this.control.constant(0x0008, itsType(config), 64);
    this.control.constant(0x0010, 0n);
    this.control.zero(0x0014);
    this.control.constant(0x0018, 0n);
  }

  /** Whether CBASER and the needed BASERs are valid; without Collection table the hardware collections serve. */
  #mayEnable(): boolean {
    if (this.#config.policy.enableWithInvalidTables === 'drop-traffic') return true;
    const { collections, devices } = this.#tables;
    return this.#queue.valid && devices.valid && (collections.valid || this.#config.hardwareCollections > 0);
  }

  #defineStatus(): void {
    const { statusRegisters, unmappedMsiReporting } = this.#config;
    const access = BadAccess.RRD | BadAccess.WRD | BadAccess.RWOD | BadAccess.WROD;
    const legal = (statusRegisters ? access : 0n) | (unmappedMsiReporting ? UMSI | OVERFLOW | SYNDROME : 0n);
    this.control.define(0x0040, {
      width: 32,
      read: () => this.#status & legal,
      write: (value) => {
        this.#status &= ~value;
      },
    });
    if (unmappedMsiReporting) this.control.define(0x0048, { width: 64, read: () => this.#umsir });
  }

  #defineQueue(): void {
    const queue = this.#queue;
    this.control.define(0x0080, {
      width: 64,
      read: () => queue.readCbaser(),
      write: (value, written) => {
        if (!this.#tablesWritable()) return;
        queue.writeCbaser(value, written);
        this.#processIfImmediate();
      },
    });
    this.control.define(0x0088, {
      width: 64,
      read: () => queue.readCwriter(),
      write: (value, written) => {
        queue.writeCwriter(value, written);
        this.#processIfImmediate();
      },
    });
    const creadr = { width: 64, read: () => queue.readCreadr() } as const;
    this.control.define(
      0x0090,
      this.#config.policy.creadrWritable
        ? { ...creadr, write: (value, written) => queue.writeCreadr(value, written) }
        : creadr,
    );
  }

  /** GITS_BASER0 to 7 in the recommended order; GICv3 has no vPE table. */
  #defineTables(): void {
    const { architecture, indirectTables, tableEntryBytes } = this.#config;
    const types: number[] = [TABLE_TYPES.devices, TABLE_TYPES.collections];
    if (architecture === 'GICv4.0') types.push(TABLE_TYPES.vpes);
    const legal = ones(63) | (indirectTables ? ones(62) : 0n) | ones(61, 59) | ones(55, 53) | ones(47, 0);
    for (let n = 0; n < 8; n++) {
      const type = types[n];
      if (type === undefined) {
        this.control.zero(0x0100 + 8 * n, 64);
        continue;
      }
      const fixed = place(type, 56) | place(tableEntryBytes - 1, 48);
      this.control.define(0x0100 + 8 * n, {
        width: 64,
        read: () => this.#basers[n]! | fixed,
        write: (value, written) => {
          if (this.#tablesWritable()) this.#basers[n] = merge(this.#basers[n]!, value, written) & legal;
        },
      });
    }
  }

  #tablesWritable(): boolean {
    return !this.#enabled || this.#config.policy.tableWriteWhileEnabled === 'accept';
  }
}
