import { GicError, requireInteger } from '../errors.ts';
import type { Machine } from '../machine.ts';
import { Device } from './device.ts';
import { succeed } from './errors.ts';
import { actionText, type DriverAction, decodeAction } from './log.ts';
import { Vm, Vpe } from './vm.ts';

/** Which kernel: as posted in 2017, 5.6 to 6.18, or 6.19 on. */
export type KernelEra = '2017' | '5.6' | '6.19';

export interface IrqChipOptions {
  /** Default `5.6`. */
  readonly kvm?: KernelEra;
  /** RAM that the driver may use: 64 KiB aligned. Default: the upper half of the machine's RAM, at most 256 MiB. */
  readonly ram?: { readonly base: number; readonly size: number };
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
 * Guest MAPD, MAPC and SYNC are not offered: device tables of a guest exist in its virtual ITS alone, the affinity of a
 * vPE replaces collections, and each virtual command is followed by its own VSYNC.
 */
export class IrqChip {
  readonly machine: Machine;
  #taken = 0;

  /** Brings the GIC up: LPI tables, ITSs, collections, and for GICv4 what the vPE domain needs. */
  constructor(machine: Machine, options: IrqChipOptions = {}) {
    const { kvm = '5.6', ram = defaultRam(machine), pollLimit = 1000 } = options;
    if (!eras.includes(kvm)) throw new GicError('INVALID_ARGUMENT', 'kvm', kvm, `one of ${eras.join(', ')}`);
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
    const result = machine.engine.irqchipBoot(eras.indexOf(kvm), ram.base, ram.size / PAGE, pollLimit);
    succeed(result, 'boot', { EINVAL: 'the machine has no ITS or no LPIs, or two ITSs have one ITS_Number' });
  }

  /** `its_create_device`: MAPD, an ITT, a block of LPIs, an interrupt for each event. */
  createDevice(options: { its?: number; deviceId: number; events: number }): Device {
    const { its = 0, deviceId, events } = options;
    requireInteger('INVALID_ARGUMENT', 'its', its, 0, this.machine.config.itsCount - 1);
    requireInteger('INVALID_ARGUMENT', 'deviceId', deviceId, 0, 0xffff_ffff);
    requireInteger('INVALID_ARGUMENT', 'events', events, 1, 2048);
    return new Device(this, its, deviceId, events);
  }

  /** `its_alloc_vcpu_irqs`: a VM with its vPEs and their doorbells. */
  createVm(vpes: number): Vm {
    requireInteger('INVALID_ARGUMENT', 'vpes', vpes, 1, 4096);
    return new Vm(this, vpes);
  }

  /** The vPE of a number. */
  vpe(index: number): Vpe {
    return new Vpe(this, index);
  }

  /** LPIs that are not allocated. */
  get freeLpis(): number {
    return this.machine.engine.irqchipFreeLpis() >>> 0;
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
