/** A store by a PE, 1, 4 or 8 bytes wide. */
export interface WriteStep {
  readonly op: 'writeb' | 'writel' | 'writeq';
  readonly address: number;
  readonly value: bigint;
}

/** Bytes put into memory; `commands` tells in words which ITS commands they are. */
export interface WriteBytesStep {
  readonly op: 'write';
  readonly address: number;
  readonly bytes: Uint8Array;
  readonly commands: readonly string[];
}

/** `size` bytes of memory set to `value`. */
export interface FillStep {
  readonly op: 'memset';
  readonly address: number;
  readonly size: number;
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
  readonly op: 'readb' | 'readl' | 'readq';
  readonly address: number;
  readonly expect: bigint;
  /** The bits that count, when not all do. */
  readonly mask?: bigint;
}

/** A comparison of memory; `firstIntid` is the INTID of its first bit when it is part of a pending table. */
export interface ReadBytesStep extends Expectation {
  readonly op: 'read';
  readonly address: number;
  readonly expect: Uint8Array;
  readonly firstIntid?: number;
}

/** A device's write of `eventId` to GITS_TRANSLATER. */
export interface MsiStep {
  readonly op: 'msi';
  readonly deviceId: number;
  readonly eventId: number;
}

export interface SpiStep {
  readonly op: 'spi_line';
  readonly intid: number;
  readonly level: boolean;
}

export interface PpiStep {
  readonly op: 'ppi_line';
  readonly cpu: number;
  readonly intid: number;
  readonly level: boolean;
}

/** Where a system register is accessed: EL2, or EL1 with HCR_EL2.IMO=FMO=1, where ICC_* names reach ICV_*. */
export type ExceptionLevel = 1 | 2;

export interface SystemRegisterWriteStep {
  readonly op: 'sysreg_write';
  readonly cpu: number;
  readonly register: string;
  readonly value: bigint;
  readonly el: ExceptionLevel;
}

export interface SystemRegisterReadStep extends Expectation {
  readonly op: 'sysreg_read';
  readonly cpu: number;
  readonly register: string;
  readonly expect: bigint;
  /** The bits that count, when not all do. */
  readonly mask?: bigint;
  readonly el: ExceptionLevel;
}

export interface NoteStep {
  readonly op: 'note';
  readonly text: string;
}

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
  readonly arch?: 'GICv3' | 'GICv4.0';
  readonly cpus?: number;
  readonly ramBase?: number;
  readonly ramSize?: number;
  readonly gicd?: number;
  readonly gicr?: number;
  readonly gits?: number;
  readonly spis?: number;
  readonly intidBits?: number;
  readonly deviceIdBits?: number;
  readonly eventIdBits?: number;
  readonly collectionIdBits?: number;
  readonly priorityBits?: number;
  readonly physicalTargetAddresses?: boolean;
}

/** A conformance vector: a recorded sequence of accesses with the results that an implementation gave. */
export interface Vector {
  readonly name: string;
  readonly description: string;
  /** 0 (reset values) to 5 (mixed random traffic). */
  readonly level: number;
  readonly machine: VectorMachine;
  readonly steps: readonly Step[];
}
