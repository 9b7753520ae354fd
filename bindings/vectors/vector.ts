/** A store by a PE, 1, 4 or 8 bytes wide. */
export interface WriteStep {
  /** What it is, as the file of the vector has it. */
  readonly op: 'writeb' | 'writel' | 'writeq';
  /** Physical address. */
  readonly address: number;
  /** What is written. */
  readonly value: bigint;
}

/** Bytes put into memory; `commands` tells in words which ITS commands they are. */
export interface WriteBytesStep {
  /** What it is, as the file of the vector has it. */
  readonly op: 'write';
  /** Physical address. */
  readonly address: number;
  /** What is written. */
  readonly bytes: Uint8Array;
  /** What the bytes are, in words. */
  readonly commands: readonly string[];
}

/** `size` bytes of memory set to `value`. */
export interface FillStep {
  /** What it is, as the file of the vector has it. */
  readonly op: 'memset';
  /** Physical address. */
  readonly address: number;
  /** Bytes. */
  readonly size: number;
  /** What is written. */
  readonly value: number;
}

/** What reads have in common. */
export interface Expectation {
  /** What is read, in words. */
  readonly what?: string;
  /** The choice of the recorded implementation on which alone the expected value rests. */
  readonly quirk?: string;
}

/** A load by a PE. */
export interface ReadStep extends Expectation {
  /** What it is, as the file of the vector has it. */
  readonly op: 'readb' | 'readl' | 'readq';
  /** Physical address. */
  readonly address: number;
  /** What was recorded. */
  readonly expect: bigint;
  /** The bits that count, when not all do. */
  readonly mask?: bigint;
}

/** A comparison of memory; `firstIntid` is the INTID of its first bit when it is part of a pending table. */
export interface ReadBytesStep extends Expectation {
  /** What it is, as the file of the vector has it. */
  readonly op: 'read';
  /** Physical address. */
  readonly address: number;
  /** What was recorded. */
  readonly expect: Uint8Array;
  /** The INTID of the first bit, where it is a pending table. */
  readonly firstIntid?: number;
}

/** A device's write of `eventId` to GITS_TRANSLATER. */
export interface MsiStep {
  /** What it is, as the file of the vector has it. */
  readonly op: 'msi';
  /** The DeviceID. */
  readonly deviceId: number;
  /** What is written. */
  readonly eventId: number;
}

/** A device drives the wire of an SPI. */
export interface SpiStep {
  /** What it is, as the file of the vector has it. */
  readonly op: 'spi_line';
  /** The INTID. */
  readonly intid: number;
  /** High. */
  readonly level: boolean;
}

/** A device drives the wire of a PPI. */
export interface PpiStep {
  /** What it is, as the file of the vector has it. */
  readonly op: 'ppi_line';
  /** The PE, from 0. */
  readonly cpu: number;
  /** The INTID. */
  readonly intid: number;
  /** High. */
  readonly level: boolean;
}

/** Where a system register is accessed: EL2, or EL1 with HCR_EL2.IMO=FMO=1, where ICC_* names reach ICV_*. */
export type ExceptionLevel = 1 | 2;

/** A write of a system register. */
export interface SystemRegisterWriteStep {
  /** What it is, as the file of the vector has it. */
  readonly op: 'sysreg_write';
  /** The PE, from 0. */
  readonly cpu: number;
  /** The architectural name. */
  readonly register: string;
  /** What is written. */
  readonly value: bigint;
  /** From which exception level. */
  readonly el: ExceptionLevel;
}

/** A read of a system register. */
export interface SystemRegisterReadStep extends Expectation {
  /** What it is, as the file of the vector has it. */
  readonly op: 'sysreg_read';
  /** The PE, from 0. */
  readonly cpu: number;
  /** The architectural name. */
  readonly register: string;
  /** What was recorded. */
  readonly expect: bigint;
  /** The bits that count, when not all do. */
  readonly mask?: bigint;
  /** From which exception level. */
  readonly el: ExceptionLevel;
}

/** A remark, for people. */
export interface NoteStep {
  /** What it is, as the file of the vector has it. */
  readonly op: 'note';
  /** The remark. */
  readonly text: string;
}

/** A step of a vector. */
export type Step =
  | WriteStep
  | WriteBytesStep
  | FillStep
  | ReadStep
  | ReadBytesStep
  | MsiStep
  | SpiStep
  | PpiStep
  | SystemRegisterWriteStep
  | SystemRegisterReadStep
  | NoteStep;

/** The machine that a vector was recorded on. Absent values are those of the preset `qemu-virt`. */
export interface VectorMachine {
  /** The architecture. */
  readonly arch?: 'GICv3' | 'GICv4.0';
  /** Number of PEs. */
  readonly cpus?: number;
  /** Physical address of RAM. */
  readonly ramBase?: number;
  /** Bytes of RAM. */
  readonly ramSize?: number;
  /** Physical address of the distributor. */
  readonly gicd?: number;
  /** Physical address of the first redistributor. */
  readonly gicr?: number;
  /** Physical address of the ITS. */
  readonly gits?: number;
  /** Number of SPIs. */
  readonly spis?: number;
  /** Width of an INTID. */
  readonly intidBits?: number;
  /** Width of a DeviceID. */
  readonly deviceIdBits?: number;
  /** Width of an EventID. */
  readonly eventIdBits?: number;
  /** Width of an ICID. */
  readonly collectionIdBits?: number;
  /** Priority bits of the CPU interface. */
  readonly priorityBits?: number;
  /** GITS_TYPER.PTA. */
  readonly physicalTargetAddresses?: boolean;
}

/** A conformance vector: a recorded sequence of accesses with the results that an implementation gave. */
export interface Vector {
  /** What it is called. */
  readonly name: string;
  /** What it is about, in words. */
  readonly description: string;
  /** 0 (reset values) to 5 (mixed random traffic). */
  readonly level: number;
  /** What it was recorded on. */
  readonly machine: VectorMachine;
  /** What is done, in order. */
  readonly steps: readonly Step[];
}
