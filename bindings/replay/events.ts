import type { Doublewords } from '../commands/command.ts';

/** A register's contents: a `number` below 2^53, a `bigint` from there on. */
export type Value = number | bigint;

/** What every event of a recording has. */
interface Placed {
  /** Line of the recording, from 1. */
  readonly line: number;
  /** Nanoseconds from the first event. */
  readonly time: number;
}

export type RegisterBlock = 'GICD' | 'GICR' | 'GITS';
export type SystemInterface = 'ICC' | 'ICH' | 'ICV';

/** A PE's load from a register. GICR offsets count from RD_base of `cpu`; for GICD and GITS `cpu` is -1. */
export interface RegisterRead extends Placed {
  readonly kind: 'register-read';
  readonly block: RegisterBlock;
  readonly cpu: number;
  readonly offset: number;
  readonly size: AccessSize;
  readonly value: Value;
}

/** A PE's store to a register. */
export interface RegisterWrite extends Placed {
  readonly kind: 'register-write';
  readonly block: RegisterBlock;
  readonly cpu: number;
  readonly offset: number;
  readonly size: AccessSize;
  readonly value: Value;
}

/** A load that the recorded hardware refused: it returned zero. */
export interface RefusedRead extends Placed {
  readonly kind: 'refused-read';
  readonly block: RegisterBlock;
  readonly cpu: number;
  readonly offset: number;
  readonly size: AccessSize;
}

/** A store that the recorded hardware refused: nothing changed. */
export interface RefusedWrite extends Placed {
  readonly kind: 'refused-write';
  readonly block: RegisterBlock;
  readonly cpu: number;
  readonly offset: number;
  readonly size: AccessSize;
  readonly value: Value;
}

export type AccessSize = 1 | 2 | 4 | 8;

/** A read of a system register other than an acknowledge. `register` is the architectural name. */
export interface SystemRead extends Placed {
  readonly kind: 'system-read';
  readonly interface: SystemInterface;
  readonly cpu: number;
  readonly register: string;
  readonly value: Value;
}

/** A write of a system register, ICC_EOIR<n>_EL1 and ICC_DIR_EL1 included. */
export interface SystemWrite extends Placed {
  readonly kind: 'system-write';
  readonly interface: SystemInterface;
  readonly cpu: number;
  readonly register: string;
  readonly value: Value;
}

/** A read of ICC_IAR<n>_EL1 or ICV_IAR<n>_EL1. */
export interface Acknowledge extends Placed {
  readonly kind: 'acknowledge';
  readonly interface: SystemInterface;
  readonly cpu: number;
  readonly register: string;
  readonly value: Value;
}

/** A write of ICC_SGI1R_EL1, ICC_SGI0R_EL1 or ICC_ASGI1R_EL1, by its fields. */
export interface SgiRequest extends Placed {
  readonly kind: 'sgi-request';
  readonly cpu: number;
  readonly intid: number;
  /** Interrupt_Routing_Mode: all PEs but the requesting one. */
  readonly allOthers: boolean;
  /** Aff3.Aff2.Aff1 of the targets, Aff3 in [23:16]. */
  readonly cluster: number;
  readonly targetList: number;
}

/** The level of an SPI's input wire. */
export interface SpiLine extends Placed {
  readonly kind: 'spi-line';
  readonly intid: number;
  readonly level: boolean;
}

/** The level of a PPI's input wire. */
export interface PpiLine extends Placed {
  readonly kind: 'ppi-line';
  readonly cpu: number;
  readonly intid: number;
  readonly level: boolean;
}

/** A device's write to GITS_TRANSLATER. */
export interface Msi extends Placed {
  readonly kind: 'msi';
  readonly deviceId: number;
  readonly eventId: number;
}

/** An ITS command that the recorded hardware executed. */
export interface CommandRun extends Placed {
  readonly kind: 'command';
  readonly name: string;
  /** Offset of its slot in the queue, in bytes. */
  readonly offset: number;
  /** The slot's contents; undefined where the recording lacks them. */
  readonly raw: Doublewords | undefined;
  /** QEMU's decoding, under QEMU's names. */
  readonly fields: QemuFields;
}

export type QemuFields = Readonly<Record<string, number>>;

/** A memory range that a register has just pointed at, and its contents then. */
export interface MemoryRange extends Placed {
  readonly kind: 'memory-range';
  readonly table: string;
  readonly address: number;
  readonly length: number;
  /** Run lengths: `hexcount*hexbyte,...`. */
  readonly contents: string;
}

/** A PE's store into a table in memory. */
export interface MemoryStore extends Placed {
  readonly kind: 'memory-store';
  readonly cpu: number;
  readonly table: string;
  readonly address: number;
  readonly size: AccessSize;
  readonly value: Value;
}

/** Result: the highest priority pending interrupt of a PE became this. */
export interface PendingResult extends Placed {
  readonly kind: 'pending';
  readonly cpu: number;
  readonly intid: number;
  readonly group: 0 | 1;
  /** 255 for none; `intid` and `group` mean nothing then. */
  readonly priority: number;
}

/** Result: the interrupt outputs to a PE became this. */
export interface WiresResult extends Placed {
  readonly kind: 'wires';
  readonly cpu: number;
  readonly fiq: boolean;
  readonly irq: boolean;
}

/** Result: the highest priority pending virtual interrupt of a PE became this. */
export interface VirtualPendingResult extends Placed {
  readonly kind: 'virtual-pending';
  readonly cpu: number;
  /** The list register that wins, 16 for the vLPI, -1 for none. */
  readonly winner: number;
  /** The best pending vLPI of the resident vPE, whatever wins. */
  readonly vlpi: number;
  readonly group: 0 | 1;
  /** Priority of that vLPI, 255 for none. */
  readonly priority: number;
}

/** Result: the virtual interrupt outputs to a PE became this. */
export interface VirtualWiresResult extends Placed {
  readonly kind: 'virtual-wires';
  readonly cpu: number;
  readonly fiq: boolean;
  readonly irq: boolean;
}

/** Result: the maintenance interrupt of a PE became this. */
export interface MaintenanceResult extends Placed {
  readonly kind: 'maintenance';
  readonly cpu: number;
  readonly level: boolean;
}

/** Result: an SGI became pending at a PE. */
export interface SgiArrival extends Placed {
  readonly kind: 'sgi-arrival';
  readonly cpu: number;
  readonly intid: number;
}

/** Result: the ITS wrote an entry of a table of its own. */
export interface TableWrite extends Placed {
  readonly kind: 'table-write';
  readonly table: 'device' | 'collection' | 'interrupt' | 'vpe';
  readonly fields: QemuFields;
}

/** A message for people. */
export interface Message extends Placed {
  readonly kind: 'message';
  readonly text: string;
}

/** One thing that happened at recorded hardware: an input, a value that was read, or a result. */
export type CaptureEvent =
  | RegisterRead
  | RegisterWrite
  | RefusedRead
  | RefusedWrite
  | SystemRead
  | SystemWrite
  | Acknowledge
  | SgiRequest
  | SpiLine
  | PpiLine
  | Msi
  | CommandRun
  | MemoryRange
  | MemoryStore
  | PendingResult
  | WiresResult
  | VirtualPendingResult
  | VirtualWiresResult
  | MaintenanceResult
  | SgiArrival
  | TableWrite
  | Message;

export type EventKind = CaptureEvent['kind'];

/** The PE that an event belongs to, undefined for those of the distributor and the ITS. */
export function cpuOf(event: CaptureEvent): number | undefined {
  return 'cpu' in event && event.cpu >= 0 ? event.cpu : undefined;
}
