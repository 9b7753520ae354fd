import type { MachineConfig } from '../../bindings/config.ts';
import { field, numberField, ones, place } from './bits.ts';
import type { Counters } from './counters.ts';
import type { VirtualSide } from './event_target.ts';
import { Frame } from './frame.ts';
import {
  DEFAULT_IIDR,
  defineIdentification,
  hasInvalidationRegisters,
  hasLpis,
  hasVirtualSgis,
  hasVpeConfigurations,
  PartNumber,
  redistributorType,
} from './identification.ts';
import { InterruptBank } from './interrupt.ts';
import { defineStateRegisters, type StateRules, stateOffsets } from './interrupt_registers.ts';
import { LpiUnit } from './lpi.ts';
import type { Memory } from './memory.ts';
import type { Residency } from './residency.ts';
import type { ConfiguredVpe } from './vpe.ts';
import type { Vpes41 } from './vpes41.ts';

/** GICv4 at one redistributor. */
export interface VirtualRedistributor {
  readonly residency: Residency;
  readonly side: () => VirtualSide;
}

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
  /** GICR_VSGIPENDR: the answer to the last query. */
  #pendingVsgis = 0n;
  readonly #counters: Counters;
  readonly #virtual: VirtualRedistributor | undefined;

  constructor(
    config: MachineConfig,
    memory: Memory,
    cpu: number,
    counters: Counters,
    virtual: VirtualRedistributor | undefined,
  ) {
    this.#config = config;
    this.#cpu = cpu;
    this.#counters = counters;
    this.#virtual = virtual;
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
    if (hasInvalidationRegisters(config)) this.#defineInvalidation(rd);
    defineIdentification(rd, config, PartNumber.redistributor);
    this.#defineState(sgi);
    if (config.architecture === 'GICv3') {
      this.frames = [rd, sgi];
    } else {
      const vlpi = new Frame(report);
      if (virtual) this.#defineResidency(vlpi, virtual.residency);
      if (hasVirtualSgis(config)) this.#defineVsgis(vlpi);
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
    const fixed =
      place(lpis && config.policy.enableLpisClearable, 1) | place(hasInvalidationRegisters(config), 2);
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

  /** Section 3.5. A write of the upper half alone carries INTID 0, which is no LPI. */
  #defineDirectLpis(rd: Frame): void {
    rd.define(0x0040, {
      width: 64,
      write: (value) => this.#counters.setlpir.add(this.lpis.setPending(numberField(value, 31, 0))),
    });
    rd.define(0x0048, {
      width: 64,
      write: (value) => {
        if (this.lpis.clearPending(numberField(value, 31, 0))) this.#counters.cleared.lpi++;
      },
    });
  }

  /** Section 3.8: GICR_INVLPIR and INVALLR, in GICv4.1 with V=1 for VLPIs. */
  #defineInvalidation(rd: Frame): void {
    const isVirtual = (value: bigint): boolean =>
      hasVpeConfigurations(this.#config) && field(value, 63) === 1n;
    rd.define(0x00a0, {
      width: 64,
      write: (value) => {
        const intid = numberField(value, 31, 0);
        if (!isVirtual(value)) this.lpis.invalidate(intid);
        else this.#forVpe(value, (vpe, { delivery }) => delivery.invalidate(vpe, intid));
      },
    });
    rd.define(0x00b0, {
      width: 64,
      write: (value) => {
        if (!isVirtual(value)) this.lpis.invalidateAll();
        else this.#forVpe(value, (vpe, { delivery }) => delivery.invalidateAll(vpe));
      },
    });
    rd.constant(0x00c0, 0n);
  }

  /** The vPE of bits [47:32], as this redistributor's vPE Configuration table has it; without one nothing is done. */
  #forVpe(value: bigint, act: (vpe: ConfiguredVpe, side: VirtualSide) => void): void {
    const side = this.#virtual!.side();
    const vpe = this.#configured(numberField(value, 47, 32));
    if (vpe) act(vpe, side);
  }

  #configured(vpeId: number): ConfiguredVpe | undefined {
    return (this.#virtual!.side().vpes as Vpes41).configuredIfInRam(this.#cpu, vpeId);
  }

  /** Sections 3.11 and 3.12. */
  #defineResidency(vlpi: Frame, residency: Residency): void {
    vlpi.define(0x0070, {
      width: 64,
      read: () => residency.readVpropbaser(),
      write: (value, written) => residency.writeVpropbaser(value, written),
    });
    vlpi.define(0x0078, {
      width: 64,
      read: () => residency.readVpendbaser(),
      write: (value, written) => residency.writeVpendbaser(value, written),
    });
  }

  /** Section 3.13: the answer is there at once, and stays until the next query. */
  #defineVsgis(vlpi: Frame): void {
    vlpi.define(0x0080, {
      width: 32,
      write: (value) => {
        const vsgis = this.#configured(numberField(value, 15, 0))?.vsgis ?? [];
        this.#pendingVsgis = vsgis.reduce((bits, { pending }, n) => bits | place(pending, n), 0n);
      },
    });
    vlpi.define(0x0088, { width: 32, read: () => this.#pendingVsgis });
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
