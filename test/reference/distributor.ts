import type { MachineConfig } from '../../bindings/config.ts';
import { field, merge, numberField, ones, place } from './bits.ts';
import { Frame } from './frame.ts';
import {
  DEFAULT_IIDR,
  defineIdentification,
  distributorType,
  distributorType2,
  PartNumber,
} from './identification.ts';
import { InterruptBank } from './interrupt.ts';
import {
  defineStateRegisters,
  extendedSpiOffsets,
  type StateRules,
  stateOffsets,
} from './interrupt_registers.ts';

const ENABLE_GROUPS = ones(1, 0);
/** One Security state (DS), affinity routing always (ARE): both read as one. */
const CTLR_FIXED = ones(6) | ones(4);

/** The Distributor: section 2. */
export class Distributor {
  readonly frame: Frame;
  readonly spis = new InterruptBank();
  readonly #config: MachineConfig;
  readonly #routers = new Map<number, bigint>();
  #enables = 0n;
  #status = 0n;
  #sgisWithoutActive = false;

  constructor(config: MachineConfig) {
    this.#config = config;
    this.spis.add(32, config.spis);
    this.spis.add(4096, config.extendedSpis);
    this.frame = new Frame((bit) => {
      if (config.statusRegisters) this.#status |= bit;
    });
    this.#defineControl();
    this.#defineState();
    this.#defineRouters();
    this.#defineWithoutEffect();
    if (config.messageBasedSpis) this.#defineMessages();
    defineIdentification(this.frame, config, PartNumber.distributor);
  }

  /** GICD_CTLR.EnableGrp<group>; that of Group 1 gates LPIs too. */
  groupEnabled(group: 0 | 1): boolean {
    return field(this.#enables, group) === 1n;
  }

  /** GICD_CTLR.nASSGIreq of GICv4.1: SGIs have no active state. */
  get sgisWithoutActive(): boolean {
    return this.#sgisWithoutActive;
  }

  /** GICD_IROUTER of an implemented SPI. */
  router(intid: number): bigint {
    return this.#routers.get(intid) ?? 0n;
  }

  #defineControl(): void {
    const config = this.#config;
    // E1NWF is RAZ/WI, which section 2.2 allows. RWP is never seen set: writes take effect at once.
    this.frame.define(0x0000, {
      width: 32,
      read: () => CTLR_FIXED | this.#enables | place(this.#sgisWithoutActive, 8),
      write: (value) => {
        if (config.architecture === 'GICv4.1' && this.#enables === 0n) {
          this.#sgisWithoutActive = field(value, 8) === 1n;
        }
        this.#enables = value & ENABLE_GROUPS;
      },
    });
    this.frame.constant(0x0004, distributorType(config));
    if (config.architecture === 'GICv4.1') this.frame.constant(0x000c, distributorType2(config));
    this.frame.constant(0x0008, BigInt(config.identification.GICD_IIDR ?? DEFAULT_IIDR));
    this.frame.define(0x0010, {
      width: 32,
      read: () => this.#status,
      write: (value) => {
        this.#status &= ~value;
      },
    });
  }

  #defineState(): void {
    const { extendedSpis, storedPriorityBits } = this.#config;
    const rules: StateRules = {
      priorityMask: (0xff << (8 - storedPriorityBits)) & 0xff,
      configurable: () => true,
    };
    // Block 0 (SGIs and PPIs) belongs to the redistributors: with affinity routing it reads as zero here.
    for (let block = 0; block < 32; block++) {
      defineStateRegisters(this.frame, this.spis, stateOffsets, block, 32 * block, rules);
      if (extendedSpis > 0) {
        defineStateRegisters(this.frame, this.spis, extendedSpiOffsets, block, 4096 + 32 * block, rules);
      }
    }
  }

  #defineRouters(): void {
    for (let intid = 32; intid < 1020; intid++) this.#defineRouter(0x6000 + 8 * intid, intid);
    if (this.#config.extendedSpis === 0) return;
    for (let n = 0; n < 1024; n++) this.#defineRouter(0x8000 + 8 * n, 4096 + n);
  }

  #defineRouter(offset: number, intid: number): void {
    if (!this.spis.get(intid)) {
      this.frame.zero(offset, { width: 64 });
      return;
    }
    const { oneOfN, policy } = this.#config;
    const legal =
      ones(39, 32) |
      (oneOfN || policy.routingModeWithoutOneOfN === 'first-pe' ? ones(31) : 0n) |
      (policy.routerReservedBits === 'keep' ? ones(30, 24) : 0n) |
      ones(23, 0);
    this.frame.define(offset, {
      width: 64,
      read: () => this.router(intid),
      write: (value, written) => {
        this.#routers.set(intid, merge(this.router(intid), value, written) & legal);
      },
    });
  }

  /** Registers that affinity routing and the single Security state leave without effect: section 2.1. */
  #defineWithoutEffect(): void {
    const arrays: { name: string; offset: number; count: number; bytes?: boolean }[] = [
      { name: 'ITARGETSR', offset: 0x0800, count: 255, bytes: true },
      { name: 'IGRPMODR', offset: 0x0d00, count: 32 },
      { name: 'NSACR', offset: 0x0e00, count: 64 },
      { name: 'SGIR', offset: 0x0f00, count: 1 },
      { name: 'CPENDSGIR', offset: 0x0f10, count: 4, bytes: true },
      { name: 'SPENDSGIR', offset: 0x0f20, count: 4, bytes: true },
    ];
    if (this.#config.extendedSpis > 0) {
      arrays.push(
        { name: 'IGRPMODR<n>E', offset: 0x3400, count: 32 },
        { name: 'NSACR<n>E', offset: 0x3600, count: 64 },
      );
    }
    for (const { offset, count, bytes } of arrays) {
      for (let n = 0; n < count; n++) this.frame.zero(offset + 4 * n, bytes ? { narrow: 1 } : {});
    }
  }

  /** SETSPI_NSR and CLRSPI_NSR: section 2.5. Their Secure aliases are reserved with one Security state. */
  #defineMessages(): void {
    const define = (offset: number, apply: (intid: number) => void): void => {
      this.frame.define(offset, {
        width: 32,
        narrow: 2,
        write: (value, written) => {
          if (field(written, 0) === 1n) apply(numberField(value, 12, 0));
        },
      });
    };
    define(0x0040, (intid) => {
      const spi = this.spis.get(intid);
      if (!spi || spi.pending) return;
      if (spi.edge) spi.latch = true;
      else spi.line = true;
    });
    define(0x0048, (intid) => {
      const spi = this.spis.get(intid);
      if (!spi) return;
      if (spi.edge) spi.latch = false;
      else spi.line = false;
    });
  }
}
