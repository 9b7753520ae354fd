import type { MachineConfig } from '../../bindings/config.ts';
import { GicError } from '../../bindings/errors.ts';
import type { HighestPending } from '../../bindings/hardware.ts';
import { field, lowestBit, numberField, ones, place } from './bits.ts';
import type { Counters } from './counters.ts';
import { cpuInterfaceType } from './identification.ts';
import { FIRST_LPI } from './lpi_tables.ts';

type Group = 0 | 1;

const SPURIOUS = 1023;
const IDLE_PRIORITY = 0xff;
/** ICC_SRE_EL1 and ICC_SRE_EL2 of a machine with system registers only: DIB, DFB, SRE, and Enable at EL2. */
const SRE_EL1 = 0x7n;
const SRE_EL2 = 0xfn;

/** What the CPU interface asks of the rest of the GIC, for its own PE. */
export interface CpuInterfacePort {
  highestPending(): HighestPending | undefined;
  /** Whether an INTID below 8192 names an SGI, PPI or SPI. */
  exists(intid: number): boolean;
  /** Pending to active; an LPI is simply pending no more. */
  acknowledge(intid: number): void;
  deactivate(intid: number): void;
  generateSgi(value: bigint, group: Group): void;
}

/** The physical CPU interface of one PE: sections 1.5 and 8.1 to 8.3. */
export class CpuInterface {
  readonly #config: MachineConfig;
  readonly #port: CpuInterfacePort;
  readonly #counters: Counters;
  #priorityMask = 0;
  #groupEnables: [boolean, boolean] = [false, false];
  #binaryPoints: [number, number] = [0, 0];
  #eoiMode = false;
  #cbpr = false;
  /** One bit for each preemption level of Group 0 and Group 1, level 0 the most urgent. */
  #activePriorities: [bigint, bigint] = [0n, 0n];

  constructor(config: MachineConfig, port: CpuInterfacePort, counters: Counters) {
    this.#config = config;
    this.#port = port;
    this.#counters = counters;
    this.reset();
  }

  /** Reset values: sections 1.5 and 8.2; the binary points, UNKNOWN there, are the minimum. */
  reset(): void {
    this.#priorityMask = 0;
    this.#groupEnables = [false, false];
    this.#binaryPoints = [this.#minimumBinaryPoint(0), this.#minimumBinaryPoint(1)];
    this.#eoiMode = false;
    this.#cbpr = false;
    this.#activePriorities = [0n, 0n];
  }

  /** ICC_IGRPEN<group>_EL1. */
  groupEnabled(group: Group): boolean {
    return this.#groupEnables[group];
  }

  /** The priority of the highest active group priority, 0xFF when idle: section 8.3. */
  runningPriority(): number {
    const level = lowestBit(this.#activePriorities[0] | this.#activePriorities[1]);
    return level === undefined ? IDLE_PRIORITY : level << this.#levelShift();
  }

  /** The level of the FIQ (Group 0) or IRQ (Group 1) output. */
  signalled(group: Group): boolean {
    const highest = this.#port.highestPending();
    return highest?.group === group && this.#canSignal(highest);
  }

  /** Reads a register by name. Write-only registers read as zero. */
  read(name: string): bigint {
    const active = activePriorityRegister(name);
    if (active) return this.#readActivePriority(active.group, active.n);
    switch (name) {
      case 'ICC_PMR_EL1':
        return BigInt(this.#priorityMask);
      case 'ICC_IAR0_EL1':
        return BigInt(this.#acknowledge(0));
      case 'ICC_IAR1_EL1':
        return BigInt(this.#acknowledge(1));
      case 'ICC_HPPIR0_EL1':
        return BigInt(this.#highestPendingOf(0));
      case 'ICC_HPPIR1_EL1':
        return BigInt(this.#highestPendingOf(1));
      case 'ICC_BPR0_EL1':
        return BigInt(this.#binaryPoints[0]);
      case 'ICC_BPR1_EL1':
        return BigInt(this.#cbpr ? Math.min(this.#binaryPoints[0] + 1, 7) : this.#binaryPoints[1]);
      case 'ICC_RPR_EL1':
        return BigInt(this.runningPriority());
      case 'ICC_CTLR_EL1':
        return cpuInterfaceType(this.#config) | place(this.#eoiMode, 1) | place(this.#cbpr, 0);
      case 'ICC_IGRPEN0_EL1':
        return BigInt(this.#groupEnables[0]);
      case 'ICC_IGRPEN1_EL1':
        return BigInt(this.#groupEnables[1]);
      case 'ICC_SRE_EL1':
        return SRE_EL1;
      case 'ICC_SRE_EL2':
        return SRE_EL2;
      case 'ICC_EOIR0_EL1':
      case 'ICC_EOIR1_EL1':
      case 'ICC_DIR_EL1':
      case 'ICC_SGI0R_EL1':
      case 'ICC_SGI1R_EL1':
      case 'ICC_ASGI1R_EL1':
        return 0n;
      default:
        throw unknownRegister(name);
    }
  }

  /** Writes a register by name. Read-only registers, and ICC_SRE, ignore it. */
  write(name: string, value: bigint): void {
    const active = activePriorityRegister(name);
    if (active) {
      this.#writeActivePriority(active.group, active.n, value);
      return;
    }
    switch (name) {
      case 'ICC_PMR_EL1':
        this.#priorityMask = numberField(value, 7, 0) & (0xff << (8 - this.#config.priorityBits));
        break;
      case 'ICC_BPR0_EL1':
        this.#binaryPoints[0] = Math.max(numberField(value, 2, 0), this.#minimumBinaryPoint(0));
        break;
      case 'ICC_BPR1_EL1':
        if (!this.#cbpr)
          this.#binaryPoints[1] = Math.max(numberField(value, 2, 0), this.#minimumBinaryPoint(1));
        break;
      case 'ICC_CTLR_EL1':
        // PMHE is RAZ/WI: ICC_PMR has no part in the choice of a PE for 1-of-N SPIs.
        this.#cbpr = field(value, 0) === 1n;
        this.#eoiMode = field(value, 1) === 1n;
        break;
      case 'ICC_IGRPEN0_EL1':
        this.#groupEnables[0] = field(value, 0) === 1n;
        break;
      case 'ICC_IGRPEN1_EL1':
        this.#groupEnables[1] = field(value, 0) === 1n;
        break;
      case 'ICC_EOIR0_EL1':
        this.#endOfInterrupt(0, numberField(value, 23, 0));
        break;
      case 'ICC_EOIR1_EL1':
        this.#endOfInterrupt(1, numberField(value, 23, 0));
        break;
      case 'ICC_DIR_EL1':
        if (this.#eoiMode) this.#deactivate(numberField(value, 23, 0));
        break;
      // With one Security state ICC_SGI1R makes Group 1 SGIs; ICC_ASGI1R, which is for the other state, reaches
      // those of Group 0 as ICC_SGI0R does (section 8.2).
      case 'ICC_SGI1R_EL1':
        this.#port.generateSgi(value, 1);
        break;
      case 'ICC_SGI0R_EL1':
      case 'ICC_ASGI1R_EL1':
        this.#port.generateSgi(value, 0);
        break;
      case 'ICC_IAR0_EL1':
      case 'ICC_IAR1_EL1':
      case 'ICC_HPPIR0_EL1':
      case 'ICC_HPPIR1_EL1':
      case 'ICC_RPR_EL1':
      case 'ICC_SRE_EL1':
      case 'ICC_SRE_EL2':
        break;
      default:
        throw unknownRegister(name);
    }
  }

  #acknowledge(group: Group): number {
    const highest = this.#port.highestPending();
    if (highest?.group !== group || !this.#canSignal(highest)) {
      this.#counters.spurious++;
      return SPURIOUS;
    }
    this.#counters.acknowledged[kindOf(highest.intid)]++;
    const level = (highest.priority & this.#groupPriorityMask(group)) >> this.#levelShift();
    this.#activePriorities[group] |= place(1, level);
    this.#port.acknowledge(highest.intid);
    return highest.intid;
  }

  /**
   * Section 8.3. As in QEMU (UNPREDICTABLE otherwise) nothing happens without an active priority, for an INTID that
   * does not exist, and where the highest active priority belongs to the other group.
   */
  #endOfInterrupt(group: Group, intid: number): void {
    const isLpi = intid >= FIRST_LPI && intid < 2 ** this.#config.intidBits;
    if (!isLpi && !this.#port.exists(intid)) return;
    if (this.#highestActiveGroup() !== group) return;
    const bits = this.#activePriorities[group];
    this.#activePriorities[group] = bits & (bits - 1n);
    this.#counters.priorityDrops++;
    if (!this.#eoiMode) this.#deactivate(intid);
  }

  /** LPIs have no active state; special INTIDs name no interrupt. */
  #deactivate(intid: number): void {
    if (this.#port.exists(intid)) this.#port.deactivate(intid);
  }

  /** The group of the highest active priority. The same level active in both is UNPREDICTABLE: Group 0, as in QEMU. */
  #highestActiveGroup(): Group | undefined {
    const [level0, level1] = this.#activePriorities.map(lowestBit);
    if (level0 === undefined && level1 === undefined) return undefined;
    return (level0 ?? Infinity) <= (level1 ?? Infinity) ? 0 : 1;
  }

  #highestPendingOf(group: Group): number {
    const highest = this.#port.highestPending();
    return highest?.group === group && this.#groupEnables[group] ? highest.intid : SPURIOUS;
  }

  #canSignal({ priority, group }: HighestPending): boolean {
    if (!this.#groupEnables[group] || priority >= this.#priorityMask) return false;
    const running = this.runningPriority();
    const mask = this.#groupPriorityMask(group);
    return running === IDLE_PRIORITY || (priority & mask) < (running & mask);
  }

  /** The bits of a priority that decide preemption: section 1.5. */
  #groupPriorityMask(group: Group): number {
    const shift = group === 0 || this.#cbpr ? this.#binaryPoints[0] + 1 : this.#binaryPoints[1];
    return (0xff << shift) & 0xff;
  }

  #minimumBinaryPoint(group: Group): number {
    return 7 - this.#config.preemptionBits + group;
  }

  /** From a group priority to its preemption level. */
  #levelShift(): number {
    return 8 - this.#config.preemptionBits;
  }

  #readActivePriority(group: Group, n: number): bigint {
    return field(this.#activePriorities[group], 32 * n + 31, 32 * n);
  }

  /** Levels that are not implemented stay zero, in registers beyond the last one too. */
  #writeActivePriority(group: Group, n: number, value: bigint): void {
    const word = ones(32 * n + 31, 32 * n);
    const levels = ones(2 ** this.#config.preemptionBits - 1, 0);
    this.#activePriorities[group] =
      ((this.#activePriorities[group] & ~word) | ((value & 0xffff_ffffn) << BigInt(32 * n))) & levels;
  }
}

function activePriorityRegister(name: string): { group: Group; n: number } | undefined {
  const match = /^ICC_AP([01])R([0-3])_EL1$/.exec(name);
  return match ? { group: match[1] === '0' ? 0 : 1, n: Number(match[2]) } : undefined;
}

function kindOf(intid: number): 'sgi' | 'ppi' | 'spi' | 'lpi' {
  if (intid >= FIRST_LPI) return 'lpi';
  if (intid < 16) return 'sgi';
  return intid < 32 || (intid >= 1056 && intid < 1120) ? 'ppi' : 'spi';
}

function unknownRegister(name: string): GicError {
  return new GicError(
    'UNKNOWN_NAME',
    'name',
    name,
    'a system register of the CPU interface, such as ICC_IAR1_EL1',
  );
}
