import { IrqChipFact as Fact } from '../../assembly/abi.ts';
import { GicError, requireInteger } from '../errors.ts';
import type { Machine } from '../machine.ts';
import { bugNames, bugSet, type HistoricalBugName } from './bugs.ts';
import { Device } from './device.ts';
import { succeed } from './errors.ts';
import { type IrqChipFacts, readFacts } from './facts.ts';
import { actionText, type DriverAction, decodeAction } from './log.ts';
import { type NotProvided, refuseGuestCommand } from './not_provided.ts';
import { Vm, Vpe } from './vm.ts';

/**
 * Which kernel the driver behaves as.
 *
 * - `2017`: the series as posted. INV, INT and CLEAR of a VLPI are followed by SYNC, invalidation is always by command,
 *   MAP_VLPI leaves the VM's configuration byte alone, vPEs are always mapped with their doorbell, VMOVP goes to all
 *   numbered ITSs, LPIs come in chunks of 32 and go to the first PE, VMAPPs of several ITSs come before their VINVALLs,
 *   the caller masks doorbells itself, and COMMIT_VPE and the retrigger of doorbells do not exist.
 * - `5.6`, up to 6.18: the state that is best documented, with the fixes that came within it. `bugs` takes some back.
 * - `6.19`: for this layer as `5.6`. The two differ in the layers above, in what KVM does with list registers.
 */
export type KernelEra = '2017' | '5.6' | '6.19';

/** Which driver, and what it may use. */
export interface IrqChipOptions {
  /** Default `5.6`. */
  readonly kvm?: KernelEra;
  /** Bugs of the driver's history to bring back; see `historicalBugs`. */
  readonly bugs?: readonly HistoricalBugName[];
  /** RAM that the driver may use: 64 KiB aligned. Default: the upper half of the machine's RAM, at most 256 MiB. */
  readonly ram?: {
    /** Physical address. */
    readonly base: number;
    /** Bytes: 1 MiB to 256 MiB. */
    readonly size: number;
  };
  /** Reads of GITS_CREADR and the like before a wait is given up. Default 1000. */
  readonly pollLimit?: number;
}

const eras: readonly KernelEra[] = ['2017', '5.6', '6.19'];
const PAGE = 4096;
const LARGEST = 256 * 2 ** 20;
const LOG_CAPACITY = 16_384;

/**
 * Linux's ITS driver and GICv4 irqchip layer on a machine. It drives the hardware through the command queues, the
 * redistributors' registers and the property tables only, as Linux does.
 *
 * A guest's MAPD, MAPC and SYNC are not provided; `guestCommand` tells why.
 */
export class IrqChip {
  /** The hardware that it drives. */
  readonly machine: Machine;
  #taken = 0;

  /** Brings the GIC up: LPI tables, ITSs, collections, and for GICv4 what the vPE domain needs. */
  constructor(machine: Machine, options: IrqChipOptions = {}) {
    const { kvm = '5.6', ram = defaultRam(machine), pollLimit = 1000, bugs = [] } = options;
    if (!eras.includes(kvm)) throw new GicError('INVALID_ARGUMENT', 'kvm', kvm, `one of ${eras.join(', ')}`);
    const set = bugSet(bugs);
    requireInteger('INVALID_ARGUMENT', 'pollLimit', pollLimit, 1, 1_000_000);
    const { base, size } = machine.config.ram;
    requireInteger('INVALID_ARGUMENT', 'ram.base', ram.base, base, base + size);
    requireInteger(
      'INVALID_ARGUMENT',
      'ram.size',
      ram.size,
      2 ** 20,
      Math.min(LARGEST, base + size - ram.base),
    );
    this.machine = machine;
    const result = machine.engine.irqchipBoot(eras.indexOf(kvm), ram.base, ram.size / PAGE, pollLimit, set);
    succeed(result, 'boot', { EINVAL: 'the machine has no ITS or no LPIs' });
    machine.onRestore(() => {
      this.#taken = machine.engine.irqchipLogCount() >>> 0;
    });
  }

  /**
   * `its_create_device`: MAPD, an ITT, a block of LPIs, an interrupt for each event. `its` counts from 0, the default;
   * `events` is 1 to 2048. Throws an `IrqChipError`: EBUSY for a DeviceID that has a device, EINVAL for one that the ITS
   * does not know, ENOMEM where LPIs or RAM are used up.
   */
  createDevice(options: { its?: number; deviceId: number; events: number }): Device {
    const { its = 0, deviceId, events } = options;
    requireInteger('INVALID_ARGUMENT', 'its', its, 0, this.machine.config.itsCount - 1);
    requireInteger('INVALID_ARGUMENT', 'deviceId', deviceId, 0, 0xffff_ffff);
    requireInteger('INVALID_ARGUMENT', 'events', events, 1, 2048);
    return new Device(this, its, deviceId, events);
  }

  /**
   * `its_alloc_vcpu_irqs`: a VM with its 1 to 4096 vPEs and their doorbells. Throws an `IrqChipError`: ENOSYS without a
   * GICv4 ITS, ENOMEM where vPEIDs, LPIs or RAM are used up.
   */
  createVm(vpes: number): Vm {
    requireInteger('INVALID_ARGUMENT', 'vpes', vpes, 1, 4096);
    return new Vm(this, vpes);
  }

  /** The vPE of a number. */
  vpe(index: number): Vpe {
    return new Vpe(this, index);
  }

  /** What the driver found out about the hardware, and what it has left. */
  get facts(): IrqChipFacts {
    return readFacts(this.machine.engine);
  }

  /** LPIs that are not allocated. */
  get freeLpis(): number {
    return this.facts.freeLpis;
  }

  /** The bugs of its history that this driver has: those that were asked for, and those of its kernel. */
  get bugs(): HistoricalBugName[] {
    return bugNames(this.machine.engine.irqchipFact(Fact.BUGS));
  }

  /**
   * What a guest may ask of its virtual ITS, but this layer does not provide: always an `IrqChipError` with ENOSYS, whose
   * reason tells why. See `notProvided`.
   */
  guestCommand(command: NotProvided): never {
    return refuseGuestCommand(command);
  }

  /** What the driver did to the hardware since the last call, in order. */
  takeLog(): DriverAction[] {
    const { engine, memory, config } = this.machine;
    const count = engine.irqchipLogCount() >>> 0;
    const first = Math.max(this.#taken, count - LOG_CAPACITY);
    this.#taken = count;
    const view = new DataView(memory.buffer);
    const layout = config.architecture === 'GICv4.1' ? '4.1' : '4.0';
    return Array.from({ length: count - first }, (_, i) => {
      const at = engine.irqchipLogAt(first + i) >>> 0;
      const word = (n: number): bigint => view.getBigUint64(at + 8 + 8 * n, true);
      const words = [word(0), word(1), word(2), word(3)] as const;
      return decodeAction(view.getUint32(at, true), view.getUint32(at + 4, true), words, layout);
    });
  }

  /** `takeLog` as lines for people. */
  takeLogLines(): string[] {
    return this.takeLog().map(actionText);
  }
}

function defaultRam({ config }: Machine): { base: number; size: number } {
  const { base, size } = config.ram;
  const half = Math.min(LARGEST, Math.floor(size / 2 / 0x1_0000) * 0x1_0000);
  return { base: base + size - half, size: half };
}
