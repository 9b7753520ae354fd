import type { MachineConfig } from '../../bindings/config.ts';
import type { Policy } from '../../bindings/policy.ts';
import { field, merge, numberField, ones, place } from './bits.ts';
import { Frame } from './frame.ts';
import {
  DEFAULT_IIDR,
  defineIdentification,
  hasLpis,
  PartNumber,
  redistributorType,
} from './identification.ts';
import { InterruptBank } from './interrupt.ts';
import { defineStateRegisters, type StateRules, stateOffsets } from './interrupt_registers.ts';
import { LpiUnit, legalizeTable } from './lpi.ts';
import type { Memory } from './memory.ts';

/** VPROPBASER and VPENDBASER of GICv4.0: sections 3.11 and 3.12. VPENDBASER.Dirty is never set. */
const VPROPBASER_LEGAL = ones(58, 56) | ones(51, 12) | ones(11, 7) | ones(4, 0);
const VPENDBASER_LEGAL = ones(63, 61) | ones(58, 56) | ones(51, 16) | ones(11, 7);

/** One PE's Redistributor: section 3. */
export class Redistributor {
  /** RD_base, SGI_base and, in GICv4, VLPI_base and a reserved frame. */
  readonly frames: readonly Frame[];
  /** SGIs, PPIs and Extended PPIs. */
  readonly interrupts = new InterruptBank();
  readonly lpis: LpiUnit;
  readonly #config: MachineConfig;
  readonly #cpu: number;
  #processorSleep = true;
  /** GICR_CTLR.DPG1NS and DPG0 in bits 25 and 24. */
  #dpg = 0n;
  #status = 0n;

  constructor(config: MachineConfig, memory: Memory, cpu: number) {
    this.#config = config;
    this.#cpu = cpu;
    this.lpis = new LpiUnit(config, memory);
    this.interrupts.add(0, 16, true);
    this.interrupts.add(16, 16);
    this.interrupts.add(1056, config.extendedPpis);
    const report = (bit: bigint): void => {
      if (config.statusRegisters) this.#status |= bit;
    };
    const rd = new Frame(report);
    const sgi = new Frame(report);
    this.#defineControl(rd);
    if (hasLpis(config)) this.#defineLpiTables(rd);
    if (hasLpis(config) && config.directLpi) this.#defineDirectLpis(rd);
    defineIdentification(rd, config, PartNumber.redistributor);
    this.#defineState(sgi);
    if (config.architecture === 'GICv3') {
      this.frames = [rd, sgi];
    } else {
      const vlpi = new Frame(report);
      if (hasLpis(config)) {
        storage(vlpi, config.policy, 0x0070, VPROPBASER_LEGAL);
        storage(vlpi, config.policy, 0x0078, VPENDBASER_LEGAL);
      }
      this.frames = [rd, sgi, vlpi, new Frame(report)];
    }
  }

  /** False while GICR_WAKER.ProcessorSleep holds the PE's interrupts back: section 1.3 item 5. */
  get awake(): boolean {
    return !this.#processorSleep || !this.#config.policy.sleepHoldsInterrupts;
  }

  /** GICR_CTLR.DPG: the PE takes no 1-of-N SPIs of this group. */
  excludedFromOneOfN(group: 0 | 1): boolean {
    return field(this.#dpg, 24 + group) === 1n;
  }

  #defineControl(rd: Frame): void {
    const config = this.#config;
    const lpis = hasLpis(config);
    // UWP and RWP are never seen set: writes take effect at once.
    const fixed = place(lpis && config.policy.enableLpisClearable, 1) | place(lpis && config.directLpi, 2);
    rd.define(0x0000, {
      width: 32,
      read: () => fixed | place(this.lpis.enabled, 0) | this.#dpg,
      write: (value) => {
        if (config.oneOfN) this.#dpg = value & ones(25, 24);
        if (lpis) this.lpis.writeEnable(field(value, 0) === 1n);
      },
    });
    rd.constant(0x0004, BigInt(config.identification.GICR_IIDR ?? DEFAULT_IIDR));
    rd.constant(0x0008, redistributorType(config, this.#cpu), 64);
    rd.define(0x0010, {
      width: 32,
      read: () => this.#status,
      write: (value) => {
        this.#status &= ~value;
      },
    });
    // ChildrenAsleep follows ProcessorSleep at once: section 3.4.
    rd.define(0x0014, {
      width: 32,
      read: () => (this.#processorSleep ? ones(2, 1) : 0n),
      write: (value) => {
        this.#processorSleep = field(value, 1) === 1n;
      },
    });
  }

  #defineLpiTables(rd: Frame): void {
    rd.define(0x0070, {
      width: 64,
      read: () => this.lpis.readPropbaser(),
      write: (value, written) => this.lpis.writePropbaser(value, written),
    });
    rd.define(0x0078, {
      width: 64,
      read: () => this.lpis.readPendbaser(),
      write: (value, written) => this.lpis.writePendbaser(value, written),
    });
  }

  /** Sections 3.5 and 3.8. A write of the upper half alone carries INTID 0, which is no LPI. */
  #defineDirectLpis(rd: Frame): void {
    const define = (offset: number, apply: (intid: number) => void): void => {
      rd.define(offset, { width: 64, write: (value) => apply(numberField(value, 31, 0)) });
    };
    define(0x0040, (intid) => this.lpis.setPending(intid));
    define(0x0048, (intid) => this.lpis.clearPending(intid));
    define(0x00a0, (intid) => this.lpis.invalidate(intid));
    define(0x00b0, () => this.lpis.invalidateAll());
    rd.constant(0x00c0, 0n);
  }

  #defineState(sgi: Frame): void {
    const { extendedPpis, policy, storedPriorityBits } = this.#config;
    const rules: StateRules = {
      priorityMask: (0xff << (8 - storedPriorityBits)) & 0xff,
      configurable: (intid) => intid >= 16 && policy.ppiConfigWritable,
    };
    defineStateRegisters(sgi, this.interrupts, stateOffsets, 0, 0, rules);
    for (let block = 1; block <= extendedPpis / 32; block++) {
      defineStateRegisters(sgi, this.interrupts, stateOffsets, block, 1056 + 32 * (block - 1), rules);
    }
    // IGRPMODR0 and NSACR have no effect with one Security state.
    sgi.zero(0x0d00);
    sgi.zero(0x0e00);
  }
}

/** A 64-bit table register that keeps its legal bits and does nothing. */
function storage(frame: Frame, policy: Policy, offset: number, legal: bigint): void {
  let stored = 0n;
  frame.define(offset, {
    width: 64,
    read: () => stored,
    write: (value, written) => {
      stored = legalizeTable(policy, merge(stored, value, written), legal);
    },
  });
}
