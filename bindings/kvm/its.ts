import { Frame, ItsField } from '../../assembly/abi.ts';
import { commandBytes, encodeCommand } from '../commands/codec.ts';
import type { ItsCommand } from '../commands/command.ts';
import { type CommandName, commandDefinitions } from '../commands/definitions.ts';
import { GicError, requireInteger } from '../errors.ts';
import { succeed } from '../irqchip/errors.ts';
import { gitsRegisters } from '../registers/gits.ts';
import {
  type ItsOutcomeName,
  itsErrorCodes,
  type MsiResultName,
  msiResultName,
  msiResultNames,
  outcomeName,
  outcomeNames,
} from './its_outcomes.ts';
import type { GuestVm } from './vm.ts';

/** A message of a device. Without a DeviceID it is dropped: KVM's ITS needs one. */
export interface MsiMessage {
  /** Guest physical address: `VirtualIts.translater`. */
  readonly address: number;
  /** The EventID. */
  readonly data: number;
  /** The DeviceID that comes with it. */
  readonly deviceId?: number;
}

/** A command that failed. The guest is told nothing of it. */
export interface ItsCommandError {
  /** UNKNOWN for a number without a command, and for one that could not be read. */
  readonly command: CommandName | 'UNKNOWN';
  /** Why. */
  readonly outcome: ItsOutcomeName;
  /** The kernel's internal code: 0x01ccee as in the architecture, or a negative errno. */
  readonly code: number;
  /** Where it was in the queue, in bytes. */
  readonly offset: number;
}

/** A device as a virtual ITS knows it. */
export interface VirtualDevice {
  /** Width of its EventIDs. */
  readonly eventIdBits: number;
  /** Guest physical address of the ITT that MAPD gave. */
  readonly ittAddress: number;
  /** Events that are mapped. */
  readonly events: number;
}

/** An event of a device as a virtual ITS knows it. */
export interface VirtualEvent {
  /** The guest's LPI. */
  readonly intid: number;
  /** Undefined where MAPC took the collection away. */
  readonly icid: number | undefined;
  /** Linux irq that is forwarded to this LPI. */
  readonly hostIrq: number | undefined;
}

const names = new Map(
  Object.entries(commandDefinitions).map(([name, { number }]) => [number, name as CommandName]),
);
const registers = new Map(
  gitsRegisters.filter(({ frame }) => frame === Frame.GITS).map((register) => [register.name, register]),
);
const ERRORS_KEPT = 256;
const ERROR_WORDS = 4;
const ADDRESS = 0x000f_ffff_ffff_0000n;

/** An ITS that KVM emulates for a guest (vgic-its). */
export class VirtualIts {
  /** The VM that it is for. */
  readonly vm: GuestVm;
  /** Number among all virtual ITSs. */
  readonly index: number;
  /** Guest physical address of its two frames of 64 KiB. */
  readonly base: number;
  #errorsTaken: number;

  /** Makes the vITS (KVM_DEV_TYPE_ARM_VGIC_ITS) and puts it at a guest physical address, a multiple of 64 KiB. */
  constructor(vm: GuestVm, base = 0x0808_0000) {
    requireInteger('INVALID_ARGUMENT', 'base', base, 0, 2 ** 48 - 1);
    const { engine } = vm.kvm.chip.machine;
    this.vm = vm;
    this.base = base;
    this.index = succeed(engine.vitsCreate(vm.index, base), 'createIts', {
      EINVAL: 'base is no multiple of 64 KiB, or the frames overlap guest RAM',
      EEXIST: 'the frames overlap others of the VGIC',
    });
    this.#errorsTaken = engine.vitsErrorCount() >>> 0;
  }

  /** Guest physical address of GITS_TRANSLATER, which devices write. */
  get translater(): number {
    return this.base + 0x1_0040;
  }

  /** The guest's read of a register by its architectural name: a number for 32 bits, a bigint for 64. */
  read(name: string): number | bigint {
    const { offset, width } = definition(name);
    return width === 64 ? this.readAt(offset, 8) : Number(this.readAt(offset, 4));
  }

  /** The guest's write of a register by its architectural name. */
  write(name: string, value: number | bigint): void {
    const { offset, width } = definition(name);
    this.writeAt(offset, width === 64 ? 8 : 4, BigInt(value));
  }

  /** The guest's read of 4 or 8 bytes at an offset from `base`; others read as zero. */
  readAt(offset: number, size: 1 | 2 | 4 | 8): bigint {
    const { machine } = this.vm.kvm.chip;
    return machine.wide(machine.engine.vitsRead(this.index, offset, size));
  }

  /** The guest's write of 4 or 8 bytes at an offset from `base`; others have no effect. */
  writeAt(offset: number, size: 1 | 2 | 4 | 8, value: bigint): void {
    const { engine } = this.vm.kvm.chip.machine;
    engine.vitsWrite(this.index, offset, size, Number(value & 0xffff_ffffn), Number(value >> 32n));
  }

  /**
   * User space's write of a register (KVM_DEV_ARM_VGIC_GRP_ITS_REGS): as the guest's, but GITS_CREADR can be written and
   * GITS_IIDR.Revision selects the ABI of the tables, of which 0 is the only one.
   */
  restoreRegister(name: string, value: number | bigint): void {
    const { offset } = definition(name);
    const wide = BigInt(value);
    const [low, high] = [Number(wide & 0xffff_ffffn), Number(wide >> 32n)];
    succeed(
      this.vm.kvm.chip.machine.engine.vitsRestoreRegister(this.index, offset, low, high),
      `restoreRegister ${name}`,
      {
        EINVAL: 'an offset outside the queue, or an unknown ABI',
        EBUSY: 'a vCPU is in KVM_RUN, or of GITS_CREADR, the vITS is on',
      },
    );
  }

  /**
   * Puts commands into the guest's queue, in guest RAM, and writes GITS_CWRITER: when it returns they have been handled,
   * unless the vITS is off. Throws a `GicError`, before anything is written, where the queue is not in guest RAM or
   * has no room for them.
   */
  command(...commands: readonly ItsCommand[]): void {
    const encoded = commands.map((command) => encodeCommand(command));
    const cbaser = this.read('GITS_CBASER') as bigint;
    const bytes = (Number(cbaser & 0xffn) + 1) * 4096;
    const base = Number(cbaser & ADDRESS);
    const { ram } = this.vm;
    if (cbaser >> 63n === 0n || base < ram.base || base + bytes > ram.base + ram.size) {
      throw new GicError('INVALID_ARGUMENT', 'GITS_CBASER', cbaser, 'a valid command queue in guest RAM');
    }
    const queue = this.vm.memory(base, bytes);
    const writer = Number(this.read('GITS_CWRITER'));
    const reader = Number(this.read('GITS_CREADR'));
    const room = ((reader - writer - commandBytes + bytes) % bytes) / commandBytes;
    if (commands.length > room) {
      throw new GicError('INVALID_ARGUMENT', 'commands', commands.length, `at most ${room}`);
    }
    encoded.forEach((raw, n) => {
      queue.set(raw, (writer + n * commandBytes) % bytes);
    });
    this.write('GITS_CWRITER', BigInt((writer + commands.length * commandBytes) % bytes));
  }

  /** What became of the last command that was handled. */
  get lastOutcome(): ItsOutcomeName {
    return outcomeName(this.#field(ItsField.LAST_OUTCOME));
  }

  /** How often commands had each outcome. */
  outcomes(): Record<ItsOutcomeName, number> {
    const { engine } = this.vm.kvm.chip.machine;
    const counts = outcomeNames.map((name, n) => [name, engine.vitsOutcomes(this.index, n) >>> 0]);
    return Object.fromEntries(counts) as Record<ItsOutcomeName, number>;
  }

  /** Commands that failed since the last call, in order; of all vITSs together the last 256 are kept. */
  takeErrors(): ItsCommandError[] {
    const { engine, memory } = this.vm.kvm.chip.machine;
    const count = engine.vitsErrorCount() >>> 0;
    const first = Math.max(this.#errorsTaken, count - ERRORS_KEPT);
    this.#errorsTaken = count;
    const words = new Uint32Array(memory.buffer);
    const records = Array.from({ length: count - first }, (_, n) => {
      const at = (engine.vitsErrorAt(first + n) >>> 0) / 4;
      return [...words.subarray(at, at + ERROR_WORDS)] as [number, number, number, number];
    });
    return records.filter(([its]) => its === this.index).map(([, ...record]) => commandError(...record));
  }

  /** A device that MAPD mapped. */
  device(deviceId: number): VirtualDevice | undefined {
    const { engine } = this.vm.kvm.chip.machine;
    const events = engine.vitsDeviceEvents(this.index, deviceId);
    if (events < 0) return undefined;
    return {
      eventIdBits: engine.vitsDeviceBits(this.index, deviceId),
      ittAddress: engine.vitsDeviceItt(this.index, deviceId),
      events,
    };
  }

  /** The vCPU of a collection, null where it has none; undefined for an unknown collection. */
  collection(icid: number): number | null | undefined {
    const target = this.vm.kvm.chip.machine.engine.vitsCollection(this.index, icid);
    if (target === -1) return undefined;
    return target < 0 ? null : target;
  }

  /** What an event is mapped to. */
  event(deviceId: number, eventId: number): VirtualEvent | undefined {
    const { engine } = this.vm.kvm.chip.machine;
    const intid = engine.vitsEventIntid(this.index, deviceId, eventId);
    if (intid < 0) return undefined;
    const icid = engine.vitsEventIcid(this.index, deviceId, eventId);
    const hostIrq = engine.vitsEventHostIrq(this.index, deviceId, eventId);
    return { intid, icid: icid < 0 ? undefined : icid, hostIrq: hostIrq < 0 ? undefined : hostIrq };
  }

  /** Devices that are mapped. */
  get devices(): number {
    return this.#field(ItsField.DEVICES);
  }

  /** Collections that are mapped. */
  get collections(): number {
    return this.#field(ItsField.COLLECTIONS);
  }

  /** The translation cache: up to 6.9 the VM's, which all its vITSs share. Hits and misses are the VM's. */
  get cache(): {
    /** Translations that it holds. */
    readonly entries: number;
    /** Messages that were found in it. */
    readonly hits: number;
    /** Messages that were not. */
    readonly misses: number;
  } {
    return {
      entries: this.#field(ItsField.CACHED),
      hits: this.#field(ItsField.CACHE_HITS),
      misses: this.#field(ItsField.CACHE_MISSES),
    };
  }

  /** KVM_DEV_ARM_ITS_CTRL_RESET. */
  reset(): void {
    this.#control('reset', this.vm.kvm.chip.machine.engine.vitsReset(this.index));
  }

  /** KVM_DEV_ARM_ITS_SAVE_TABLES: devices, events and collections into the guest's tables, ABI revision 0. */
  saveTables(): void {
    this.#control('saveTables', this.vm.kvm.chip.machine.engine.vitsSaveTables(this.index));
  }

  /** KVM_DEV_ARM_ITS_RESTORE_TABLES: what the guest's tables hold is mapped, all of it or nothing. */
  restoreTables(): void {
    this.#control('restoreTables', this.vm.kvm.chip.machine.engine.vitsRestoreTables(this.index));
  }

  #control(operation: string, result: number): void {
    succeed(result, `vITS ${this.index}.${operation}`, {
      EACCES: 'an LPI is forwarded, and the pending state of VLPIs cannot be read before GICv4.1',
      EBUSY: 'a vCPU is running or asleep in KVM_RUN',
      EEXIST: 'a device or collection is in the tables twice, or mapped already',
      EFAULT: 'a table is outside guest RAM',
      EINVAL: 'a table is too small, or an entry is out of range',
    });
  }

  #field(field: ItsField): number {
    return this.vm.kvm.chip.machine.engine.vitsField(this.index, field);
  }
}

/** KVM_SIGNAL_MSI: a device that user space emulates sends a message. */
export function signalMsi(vm: GuestVm, { address, data, deviceId }: MsiMessage): MsiResultName {
  requireMessage({ address, data, deviceId: deviceId ?? 0 });
  const flags = deviceId === undefined ? 0 : 1;
  const result = vm.kvm.chip.machine.engine.vitsSignalMsi(vm.index, address, data, deviceId ?? 0, flags);
  return msiResultName(succeed(result, 'signalMsi'));
}

/** Throws a `GicError` for a message that has no such form. */
export function requireMessage({ address, data, deviceId = 0 }: MsiMessage): void {
  requireInteger('INVALID_ARGUMENT', 'address', address, 0, 2 ** 52);
  requireInteger('INVALID_ARGUMENT', 'data', data, 0, 0xffff_ffff);
  requireInteger('INVALID_ARGUMENT', 'deviceId', deviceId, 0, 0xffff_ffff);
}

/** What became of a VM's messages. */
export function msiResults(vm: GuestVm): Record<MsiResultName, number> {
  const { engine, memory } = vm.kvm.chip.machine;
  const at = engine.vitsMsiCounts(vm.index) >>> 0;
  const counts = new BigUint64Array(memory.buffer, at, msiResultNames.length);
  return Object.fromEntries(msiResultNames.map((name, n) => [name, Number(counts[n])])) as Record<
    MsiResultName,
    number
  >;
}

/** KVM_DEV_ARM_VGIC_SAVE_PENDING_TABLES: the pending bits of all LPIs into the guest's pending tables. */
export function savePendingTables(vm: GuestVm): void {
  succeed(vm.kvm.chip.machine.engine.vitsSavePending(vm.index), 'savePendingTables', {
    ENXIO: 'the VGIC is not initialised',
    EBUSY: 'a vCPU is running or asleep in KVM_RUN',
    EFAULT: 'a pending table is outside guest RAM',
  });
}

function commandError(number: number, outcome: number, offset: number): ItsCommandError {
  const name = outcomeName(outcome);
  return { command: names.get(number) ?? 'UNKNOWN', outcome: name, code: itsErrorCodes[name], offset };
}

function definition(name: string): { readonly offset: number; readonly width: 32 | 64 } {
  const found = registers.get(name);
  if (found) return found;
  throw new GicError('UNKNOWN_NAME', 'name', name, 'a register of the ITS, such as GITS_CTLR');
}
