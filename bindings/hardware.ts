/** The best pending interrupt of a PE, before ICC_PMR and the running priority are considered. */
export interface HighestPending {
  /** Its INTID. */
  readonly intid: number;
  /** 0 (most urgent) to 254. */
  readonly priority: number;
  /** Its group. */
  readonly group: 0 | 1;
}

/** What a PE's virtual CPU interface presents to its guest. */
export interface VirtualOutputs {
  /** Who would be acknowledged next: a list register, the best VLPI, the best vSGI, or nothing. */
  readonly winner: number | 'vlpi' | 'vsgi' | undefined;
  /** The best pending and enabled VLPI of the resident vPE. */
  readonly bestVlpi:
    | {
        /** Its INTID in the guest. */
        readonly vIntid: number;
        /** 0 (most urgent) to 254. */
        readonly priority: number;
      }
    | undefined;
  /** The virtual IRQ. */
  readonly virq: boolean;
  /** The virtual FIQ. */
  readonly vfiq: boolean;
  /** The maintenance interrupt. */
  readonly maintenance: boolean;
}

/**
 * A GIC as the software and the devices around it see it. The engine's `Machine` implements it; so does any other
 * model that recordings and vectors are to be run against.
 */
export interface GicHardware {
  /** How many PEs there are. */
  readonly cpus: number;

  /** A PE's load of 1, 2 or 4 bytes from a register frame or from RAM. Reserved locations read as zero. */
  read(address: number, size: 1 | 2 | 4): number;
  /** A PE's 64-bit load. */
  read(address: number, size: 8): bigint;
  /** A PE's load of any size. */
  read(address: number, size: 1 | 2 | 4 | 8): number | bigint;

  /** A PE's store to a register frame or to RAM. */
  write(address: number, size: 1 | 2 | 4 | 8, value: number | bigint): void;

  /** A device's write of `eventId` to GITS_TRANSLATER of ITS number `its` (default 0). */
  sendMsi(deviceId: number, eventId: number, its?: number): void;

  /** Drives the input wire of an SPI. */
  setSpi(intid: number, level: boolean): void;
  /** Drives the input wire of a PPI of one PE. */
  setPpi(cpu: number, intid: number, level: boolean): void;

  /**
   * Reads a system register by its architectural name, such as `ICC_IAR1_EL1`, with its side effects. An access from
   * EL1 reaches ICV_* instead of ICC_* where HCR_EL2.IMO or FMO says so; the default is EL2.
   */
  readSystemRegister(cpu: number, name: string, el?: 1 | 2): bigint;
  /** Writes a system register, as `readSystemRegister` reads it. */
  writeSystemRegister(cpu: number, name: string, value: number | bigint, el?: 1 | 2): void;

  /** A copy of RAM contents, without side effects. */
  readMemory(address: number, length: number): Uint8Array;
  /** Stores bytes into RAM, as a PE or a device would. */
  writeMemory(address: number, bytes: Uint8Array): void;

  /** Undefined when nothing is pending. */
  highestPending(cpu: number): HighestPending | undefined;
  /** Whether a PE's IRQ input is asserted. */
  irq(cpu: number): boolean;
  /** Whether a PE's FIQ input is asserted. */
  fiq(cpu: number): boolean;
  /** Absent in a model without virtual CPU interfaces. */
  virtualOutputs?(cpu: number): VirtualOutputs;

  /** Power-on reset of one PE's CPU interface; its redistributor keeps its state. */
  resetCpuInterface(cpu: number): void;
}
