import type { MachineConfig } from '../../bindings/config.ts';
import type { MsiOutcome } from '../../bindings/outcomes.ts';
import { field, merge, numberField, ones, place } from './bits.ts';
import type { Counters } from './counters.ts';
import { outcomeOf, targetOf, type VirtualSide } from './event_target.ts';
import { BadAccess, Frame } from './frame.ts';
import { DEFAULT_IIDR, defineIdentification, hasVirtualSgis, itsType, PartNumber } from './identification.ts';
import type { CommandContext, CommandWords } from './its_commands.ts';
import { CommandExecution } from './its_execution.ts';
import { CommandQueue } from './its_queue.ts';
import { Failure, Reason, Translation } from './its_translation.ts';
import type { LpiUnit } from './lpi.ts';
import type { Memory } from './memory.ts';
import { TableFault } from './table.ts';
import type { ConfiguredVpe } from './vpe.ts';

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
  [Reason.VPE_UNMAPPED]: 9,
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

/** What the ITSs of a machine have in common. */
export interface ItsSurroundings {
  readonly memory: Memory;
  /** The LPIs of each PE's redistributor. */
  readonly lpis: readonly LpiUnit[];
  readonly counters: Counters;
  /** Gets a record of each command error. */
  readonly errors: CommandErrorRecord[];
  /** All ITSs of the machine. */
  readonly itses: readonly Its[];
  /** Undefined in GICv3. */
  readonly virtual: () => VirtualSide | undefined;
}

/** An Interrupt Translation Service: sections 5 and 6. */
export class Its {
  readonly control: Frame;
  readonly translation: Frame;
  /** The frame that GICv4.1 adds. */
  readonly vsgi: Frame;
  readonly #context: CommandContext;
  readonly #config: MachineConfig;
  readonly #number: number;
  readonly #basers: bigint[];
  readonly #queue: CommandQueue;
  readonly #tables: Translation;
  readonly #surroundings: ItsSurroundings;
  readonly #execution: CommandExecution;
  #enabled = false;
  #status = 0n;
  #umsir = 0n;

  constructor(config: MachineConfig, number: number, surroundings: ItsSurroundings) {
    const { memory, counters, lpis } = surroundings;
    this.#config = config;
    this.#number = number;
    this.#surroundings = surroundings;
    this.#queue = new CommandQueue(memory, config.policy);
    this.#basers = [0, 1, 2].map(() => BASER_RESET);
    this.#tables = new Translation(config, memory, (n) => this.#basers[n]!);
    const report = (bit: bigint): void => {
      if (config.statusRegisters) this.#status |= bit;
    };
    const context: CommandContext = {
      config,
      its: number,
      counters,
      translation: this.#tables,
      lpis,
      get virtual() {
        return surroundings.virtual();
      },
    };
    this.#context = context;
    this.#execution = new CommandExecution(context, this.#queue, surroundings);
    this.control = new Frame(report);
    this.vsgi = new Frame(report);
    this.translation = new Frame(report);
    this.#defineControl();
    this.#defineStatus();
    this.#defineQueue();
    this.#defineTables();
    defineIdentification(this.control, config, PartNumber.its);
    // The DeviceID comes with a device's transaction, and a PE has none: its store to GITS_TRANSLATER is ignored.
    this.translation.define(0x0040, { width: 32, narrow: 2, write: () => {} });
    if (hasVirtualSgis(config)) {
      this.vsgi.define(0x0020, { width: 64, whole: true, write: (value) => this.#sendVsgi(value) });
    }
  }

  /** GITS_CTLR.Enabled. */
  get enabled(): boolean {
    return this.#enabled;
  }

  /** GITS_BASER<n>. */
  baser(n: number): bigint {
    return this.#basers[n]!;
  }

  /** From the base of the ITS on: control, translation and, in GICv4.1, the frame for vSGIs. */
  get frames(): readonly Frame[] {
    const common = [this.control, this.translation];
    return this.#config.architecture === 'GICv4.1' ? [...common, this.vsgi] : common;
  }

  get execution(): CommandExecution {
    return this.#execution;
  }

  get tables(): Translation {
    return this.#tables;
  }

  /** An MSI: a device's write of an EventID to GITS_TRANSLATER (section 5.11). */
  message(deviceId: number, written: number): MsiOutcome {
    const outcome = this.#enabled ? this.#translate(deviceId, written) : 'its-disabled';
    this.#surroundings.counters.msi.add(outcome);
    return outcome;
  }

  #translate(deviceId: number, written: number): MsiOutcome {
    const { eventIdBits, policy } = this.#config;
    const eventId = policy.eventIdHighBits === 'ignore-bits' ? written % 2 ** eventIdBits : written;
    try {
      return targetOf(this.#context, this.#tables.lookup(deviceId, eventId)).setPending();
    } catch (problem) {
      const outcome = outcomeOf(problem);
      if (problem instanceof Failure) this.#reportUnmapped(deviceId, written, syndromes[problem.reason]!);
      return outcome;
    }
  }

  /** GITS_SGIR: section 5.12. While the ITS is disabled, as for a vPE that it has not mapped, it is dropped. */
  #sendVsgi(value: bigint): void {
    const { counters, virtual } = this.#surroundings;
    const { vpes, delivery } = virtual()!;
    let vpe: ConfiguredVpe | undefined;
    try {
      const vpeId = numberField(value, 47, 32);
      vpe = this.#enabled ? (vpes.find(this.#number, vpeId) as ConfiguredVpe | undefined) : undefined;
    } catch (problem) {
      if (!(problem instanceof TableFault)) throw problem;
    }
    if (!vpe) counters.vsgis.dropped++;
    else if (delivery.setVsgiPending(vpe, numberField(value, 3, 0))) counters.vsgis.sent++;
    else counters.vsgis.coalesced++;
  }

  /** Processes at most `limit` commands of the queue; returns how many it took from it. */
  process(limit: number): number {
    let done = 0;
    while (done < limit && this.#enabled && this.#execution.takeCommand()) done++;
    return done;
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

  /** Sections 5.2 to 5.5. ITS_Number is RES0 where VMOVP on one ITS is enough; ImDe, which is IMPDEF, always. */
  #defineControl(): void {
    const config = this.#config;
    const v4 = config.architecture !== 'GICv3';
    const itsNumber = v4 && !config.vmovpOnAnyIts ? this.#number : 0;
    const shared = config.architecture === 'GICv4.1' && config.sharedVpeTable > 0;
    this.control.define(0x0000, {
      width: 32,
      read: () => {
        const quiescent = !this.#enabled || config.policy.quiescentWhileEnabled === 1;
        return place(quiescent, 31) | place(itsNumber, 4) | place(this.#enabled, 0);
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
    this.control.constant(0x0018, shared ? BigInt(config.itsAffinity) : 0n);
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
    if (architecture !== 'GICv3') types.push(TABLE_TYPES.vpes);
    const legal = ones(63) | (indirectTables ? ones(62) : 0n) | ones(61, 59) | ones(55, 53) | ones(47, 0);
    for (let n = 0; n < 8; n++) {
      const type = types[n];
      if (type === undefined) {
        this.control.zero(0x0100 + 8 * n, { width: 64 });
        continue;
      }
      const wide = type === TABLE_TYPES.vpes && architecture === 'GICv4.1';
      const fixed = place(type, 56) | place((wide ? 32 : tableEntryBytes) - 1, 48);
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
