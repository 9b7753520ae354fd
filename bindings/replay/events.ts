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

/** Memory-mapped registers: the distributor's, a redistributor's, an ITS's. */
export type RegisterBlock = 'GICD' | 'GICR' | 'GITS';
/** System registers: the physical CPU interface, the hypervisor's control of the virtual one, the virtual one. */
export type SystemInterface = 'ICC' | 'ICH' | 'ICV';

/** A PE's load from a register. GICR offsets count from RD_base of `cpu`; for GICD and GITS `cpu` is -1. */
export interface RegisterRead extends Placed {
  /** What it is. */
  readonly kind: 'register-read';
  /** Whose register. */
  readonly block: RegisterBlock;
  /** The PE, from 0. */
  readonly cpu: number;
  /** From the base of the frame, in bytes. */
  readonly offset: number;
  /** Bytes. */
  readonly size: AccessSize;
  /** What was read or written. */
  readonly value: Value;
}

/** A PE's store to a register. */
export interface RegisterWrite extends Placed {
  /** What it is. */
  readonly kind: 'register-write';
  /** Whose register. */
  readonly block: RegisterBlock;
  /** The PE, from 0. */
  readonly cpu: number;
  /** From the base of the frame, in bytes. */
  readonly offset: number;
  /** Bytes. */
  readonly size: AccessSize;
  /** What was read or written. */
  readonly value: Value;
}

/** A load that the recorded hardware refused: it returned zero. */
export interface RefusedRead extends Placed {
  /** What it is. */
  readonly kind: 'refused-read';
  /** Whose register. */
  readonly block: RegisterBlock;
  /** The PE, from 0. */
  readonly cpu: number;
  /** From the base of the frame, in bytes. */
  readonly offset: number;
  /** Bytes. */
  readonly size: AccessSize;
}

/** A store that the recorded hardware refused: nothing changed. */
export interface RefusedWrite extends Placed {
  /** What it is. */
  readonly kind: 'refused-write';
  /** Whose register. */
  readonly block: RegisterBlock;
  /** The PE, from 0. */
  readonly cpu: number;
  /** From the base of the frame, in bytes. */
  readonly offset: number;
  /** Bytes. */
  readonly size: AccessSize;
  /** What was read or written. */
  readonly value: Value;
}

/** Bytes of an access. */
export type AccessSize = 1 | 2 | 4 | 8;

/** A read of a system register other than an acknowledge. `register` is the architectural name. */
export interface SystemRead extends Placed {
  /** What it is. */
  readonly kind: 'system-read';
  /** The physical interface, its hypervisor control, or the virtual one. */
  readonly interface: SystemInterface;
  /** The PE, from 0. */
  readonly cpu: number;
  /** The architectural name. */
  readonly register: string;
  /** What was read or written. */
  readonly value: Value;
}

/** A write of a system register, ICC_EOIR<n>_EL1 and ICC_DIR_EL1 included. */
export interface SystemWrite extends Placed {
  /** What it is. */
  readonly kind: 'system-write';
  /** The physical interface, its hypervisor control, or the virtual one. */
  readonly interface: SystemInterface;
  /** The PE, from 0. */
  readonly cpu: number;
  /** The architectural name. */
  readonly register: string;
  /** What was read or written. */
  readonly value: Value;
}

/** A read of ICC_IAR<n>_EL1 or ICV_IAR<n>_EL1. */
export interface Acknowledge extends Placed {
  /** What it is. */
  readonly kind: 'acknowledge';
  /** The physical interface, its hypervisor control, or the virtual one. */
  readonly interface: SystemInterface;
  /** The PE, from 0. */
  readonly cpu: number;
  /** The architectural name. */
  readonly register: string;
  /** What was read or written. */
  readonly value: Value;
}

/** A write of ICC_SGI1R_EL1, ICC_SGI0R_EL1 or ICC_ASGI1R_EL1, by its fields. */
export interface SgiRequest extends Placed {
  /** What it is. */
  readonly kind: 'sgi-request';
  /** The PE, from 0. */
  readonly cpu: number;
  /** The INTID. */
  readonly intid: number;
  /** Interrupt_Routing_Mode: all PEs but the requesting one. */
  readonly allOthers: boolean;
  /** Aff3.Aff2.Aff1 of the targets, Aff3 in [23:16]. */
  readonly cluster: number;
  /** Bit n: the PE of Aff0 n. */
  readonly targetList: number;
}

/** The level of an SPI's input wire. */
export interface SpiLine extends Placed {
  /** What it is. */
  readonly kind: 'spi-line';
  /** The INTID. */
  readonly intid: number;
  /** High. */
  readonly level: boolean;
}

/** The level of a PPI's input wire. */
export interface PpiLine extends Placed {
  /** What it is. */
  readonly kind: 'ppi-line';
  /** The PE, from 0. */
  readonly cpu: number;
  /** The INTID. */
  readonly intid: number;
  /** High. */
  readonly level: boolean;
}

/** A device's write to GITS_TRANSLATER. */
export interface Msi extends Placed {
  /** What it is. */
  readonly kind: 'msi';
  /** The DeviceID. */
  readonly deviceId: number;
  /** What is written. */
  readonly eventId: number;
}

/** An ITS command that the recorded hardware executed. */
export interface CommandRun extends Placed {
  /** What it is. */
  readonly kind: 'command';
  /** The mnemonic. */
  readonly name: string;
  /** Offset of its slot in the queue, in bytes. */
  readonly offset: number;
  /** The slot's contents; undefined where the recording lacks them. */
  readonly raw: Doublewords | undefined;
  /** QEMU's decoding, under QEMU's names. */
  readonly fields: QemuFields;
}

/** Numbers that QEMU's trace gives, by its names. */
export type QemuFields = Readonly<Record<string, number>>;

/** A memory range that a register has just pointed at, and its contents then. */
export interface MemoryRange extends Placed {
  /** What it is. */
  readonly kind: 'memory-range';
  /** What is there. */
  readonly table: string;
  /** Physical address. */
  readonly address: number;
  /** Bytes. */
  readonly length: number;
  /** Run lengths: `hexcount*hexbyte,...`. */
  readonly contents: string;
}

/** A PE's store into a table in memory. */
export interface MemoryStore extends Placed {
  /** What it is. */
  readonly kind: 'memory-store';
  /** The PE, from 0. */
  readonly cpu: number;
  /** What is there. */
  readonly table: string;
  /** Physical address. */
  readonly address: number;
  /** Bytes. */
  readonly size: AccessSize;
  /** What was read or written. */
  readonly value: Value;
}

/** Result: the highest priority pending interrupt of a PE became this. */
export interface PendingResult extends Placed {
  /** What it is. */
  readonly kind: 'pending';
  /** The PE, from 0. */
  readonly cpu: number;
  /** The INTID. */
  readonly intid: number;
  /** 0 or 1. */
  readonly group: 0 | 1;
  /** 255 for none; `intid` and `group` mean nothing then. */
  readonly priority: number;
}

/** Result: the interrupt outputs to a PE became this. */
export interface WiresResult extends Placed {
  /** What it is. */
  readonly kind: 'wires';
  /** The PE, from 0. */
  readonly cpu: number;
  /** The FIQ wire. */
  readonly fiq: boolean;
  /** The IRQ wire. */
  readonly irq: boolean;
}

/** Result: the highest priority pending virtual interrupt of a PE became this. */
export interface VirtualPendingResult extends Placed {
  /** What it is. */
  readonly kind: 'virtual-pending';
  /** The PE, from 0. */
  readonly cpu: number;
  /** The list register that wins, 16 for the vLPI, -1 for none. */
  readonly winner: number;
  /** The best pending vLPI of the resident vPE, whatever wins. */
  readonly vlpi: number;
  /** 0 or 1. */
  readonly group: 0 | 1;
  /** Priority of that vLPI, 255 for none. */
  readonly priority: number;
}

/** Result: the virtual interrupt outputs to a PE became this. */
export interface VirtualWiresResult extends Placed {
  /** What it is. */
  readonly kind: 'virtual-wires';
  /** The PE, from 0. */
  readonly cpu: number;
  /** The FIQ wire. */
  readonly fiq: boolean;
  /** The IRQ wire. */
  readonly irq: boolean;
}

/** Result: the maintenance interrupt of a PE became this. */
export interface MaintenanceResult extends Placed {
  /** What it is. */
  readonly kind: 'maintenance';
  /** The PE, from 0. */
  readonly cpu: number;
  /** High. */
  readonly level: boolean;
}

/** Result: an SGI became pending at a PE. */
export interface SgiArrival extends Placed {
  /** What it is. */
  readonly kind: 'sgi-arrival';
  /** The PE, from 0. */
  readonly cpu: number;
  /** The INTID. */
  readonly intid: number;
}

/** Result: the ITS wrote an entry of a table of its own. */
export interface TableWrite extends Placed {
  /** What it is. */
  readonly kind: 'table-write';
  /** What is there. */
  readonly table: 'device' | 'collection' | 'interrupt' | 'vpe';
  /** QEMU's names and values. */
  readonly fields: QemuFields;
}

/** A message for people. */
export interface Message extends Placed {
  /** What it is. */
  readonly kind: 'message';
  /** The message. */
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

/** What tells the events apart. */
export type EventKind = CaptureEvent['kind'];

/** The PE that an event belongs to, undefined for those of the distributor and the ITS. */
export function cpuOf(event: CaptureEvent): number | undefined {
  return 'cpu' in event && event.cpu >= 0 ? event.cpu : undefined;
}
