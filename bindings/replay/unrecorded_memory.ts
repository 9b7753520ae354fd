import type { ItsCommand } from '../commands/command.ts';
import { type Frames, GICR_CTLR, GICR_PROPBASER, GITS_BASER0 } from './frames.ts';
import type { Tally } from './report.ts';

/** RAM that a replay of a raw log needs for itself, at the end of the RAM window. */
export const SPARE_RAM = 64 * 2 ** 20;

const FIRST_LPI = 8192;
const TABLE_ADDRESS = 0x000f_ffff_ffff_f000n;
const HIGH_TABLE_ADDRESS = 0x0000_ffff_ffff_0000n;
const VALID = 1n << 63n;
const INDIRECT = 1n << 62n;
const DEVICE_TABLE = 1;
const COLLECTION_TABLE = 4;
const PAGE_SIZES = [0x1000, 0x4000, 0x1_0000, 0x1_0000] as const;
/** Linux gives every LPI this priority, until told otherwise. */
const ASSUMED_PRIORITY = 0xa0;
const ENABLED = 1;
const ENABLE_LPIS = 1;

/**
 * Supplies what a raw log does not tell: the contents of memory. Level 1 entries of two-level tables are made up.
 * LPI configuration is assumed, and corrected where a recorded result contradicts it for the first time since the
 * driver could have changed it: such a result is evidence of the configuration, so it cannot check the model.
 */
export class UnrecordedMemory {
  readonly #frames: Frames;
  readonly #tally: Tally;
  readonly #filled = new Set<number>();
  /** LPIs whose configuration a result has shown since the driver last could have changed it. */
  readonly #shown = new Set<number>();
  #spareEnd: number;

  constructor(frames: Frames, tally: Tally) {
    this.#frames = frames;
    this.#tally = tally;
    const { base, size } = frames.machine.ram;
    this.#spareEnd = base + size;
  }

  /** To be called before GICR_CTLR.EnableLPIs of a PE is set: fills the property table. */
  beforeLpisAreEnabled(cpu: number): void {
    const propbaser = this.#frames.readDoubleword('GICR', cpu, GICR_PROPBASER);
    const address = Number(propbaser & TABLE_ADDRESS);
    if (this.#filled.has(address)) return;
    this.#filled.add(address);
    const intidBits = Math.min(Number(propbaser & 0x1fn) + 1, 24);
    const bytes = Math.max(0, 2 ** intidBits - FIRST_LPI);
    this.#frames.hardware.writeMemory(address, new Uint8Array(bytes).fill(ASSUMED_PRIORITY | ENABLED));
    this.#tally.skip('property-table');
  }

  /** To be called before a command runs. */
  beforeCommand(command: ItsCommand): void {
    switch (command.command) {
      case 'MAPD':
        this.#provideLevel2(DEVICE_TABLE, command.deviceId);
        break;
      case 'MAPC':
        this.#provideLevel2(COLLECTION_TABLE, command.icid);
        break;
      // The driver writes the configuration before these.
      case 'INV':
      case 'INVALL':
      case 'MAPTI':
      case 'MAPI':
        this.#shown.clear();
        break;
    }
  }

  /** A result shows an LPI pending as the model has it: its configuration is as assumed. */
  confirm(lpi: number): void {
    this.#shown.add(lpi);
  }

  /**
   * Corrects the configuration of an LPI. Returns false where it has been shown already: then the contradiction
   * is one of the model.
   */
  correct(lpi: number, priority: number | 'disabled'): boolean {
    if (this.#shown.has(lpi)) return false;
    this.#shown.add(lpi);
    const byte = priority === 'disabled' ? ASSUMED_PRIORITY : priority | ENABLED;
    for (const table of this.#filled) {
      this.#frames.hardware.writeMemory(table + lpi - FIRST_LPI, Uint8Array.of(byte));
    }
    this.#rereadConfiguration();
    return true;
  }

  /** Without an ITS command of the driver's, only enabling LPIs anew makes a redistributor read its tables. */
  #rereadConfiguration(): void {
    for (let cpu = 0; cpu < this.#frames.machine.cpus; cpu++) {
      const ctlr = this.#frames.readWord('GICR', cpu, GICR_CTLR);
      if ((ctlr & ENABLE_LPIS) === 0) continue;
      this.#frames.write('GICR', cpu, GICR_CTLR, 4, ctlr & ~ENABLE_LPIS);
      this.#frames.write('GICR', cpu, GICR_CTLR, 4, ctlr);
    }
  }

  /** Makes the level 1 entry of `id` point to a page, where the table of that type has two levels. */
  #provideLevel2(type: number, id: number): void {
    for (let n = 0; n < 8; n++) {
      const baser = this.#frames.readDoubleword('GITS', 0, GITS_BASER0 + 8 * n);
      if (Number((baser >> 56n) & 7n) !== type || (baser & VALID) === 0n || (baser & INDIRECT) === 0n)
        continue;
      const pageBytes = PAGE_SIZES[Number((baser >> 8n) & 3n)] ?? PAGE_SIZES[0];
      const entryBytes = Number((baser >> 48n) & 0x1fn) + 1;
      const slot = Math.floor(id / Math.floor(pageBytes / entryBytes));
      if (slot >= ((Number(baser & 0xffn) + 1) * pageBytes) / 8) return;
      const entryAddress = tableAddress(baser, pageBytes) + 8 * slot;
      const { hardware } = this.#frames;
      if ((hardware.read(entryAddress, 8) & VALID) !== 0n) return;
      this.#spareEnd -= pageBytes;
      hardware.write(entryAddress, 8, VALID | BigInt(this.#spareEnd));
      this.#tally.skip('level-1-entry');
    }
  }
}

/** With 64 KiB pages, bits [15:12] hold bits [51:48] of the address. */
function tableAddress(baser: bigint, pageBytes: number): number {
  if (pageBytes < 0x1_0000) return Number(baser & 0x0000_ffff_ffff_f000n);
  return Number((baser & HIGH_TABLE_ADDRESS) | (((baser >> 12n) & 0xfn) << 48n));
}
