import type { MachineConfig } from '../../bindings/config.ts';
import type { VirtualOutputs } from '../../bindings/hardware.ts';
import { lowestBit, place } from './bits.ts';
import type { Counters } from './counters.ts';
import { hypervisorType } from './identification.ts';
import { decodeListRegister, type ListRegister, State } from './list_register.ts';
import { FIRST_LPI } from './lpi_tables.ts';

export type Group = 0 | 1;

/** What is presented to the virtual CPU interface. */
export interface VirtualCandidate {
  /** A list register by its number, or a direct injection. */
  readonly source: number | 'vlpi' | 'vsgi';
  readonly vIntid: number;
  readonly priority: number;
  readonly group: Group;
}

/** What the virtual CPU interface asks of its PE's redistributor. */
export interface VirtualInterfacePort {
  /** The best VLPI of the resident vPE, whether its group is forwarded or not. */
  bestVlpi(): VirtualCandidate | undefined;
  /** What the resident vPE has for the virtual CPU interface: its best vSGI, then its best VLPI, where forwarded. */
  direct(): readonly VirtualCandidate[];
  /** Clears the pending state of a direct injection. */
  acknowledge(candidate: VirtualCandidate): void;
  /** Deactivates a physical interrupt, as a physical ICC_DIR_EL1 would. */
  deactivatePhysical(intid: number): void;
}

const SPURIOUS = 1023;
const IDLE_PRIORITY = 0xff;
const isSpecial = (intid: number): boolean => intid >= 1020 && intid <= 1023;

/** The virtual CPU interface of one PE: sections 8.4 to 8.9. Its registers by name are in `virtual_registers.ts`. */
export class VirtualInterface {
  readonly config: MachineConfig;
  readonly #port: VirtualInterfacePort;
  readonly #counters: Counters;
  /** ICH_VTR_EL2.DVIM. */
  readonly #hasDvim: boolean;

  // ICH_HCR_EL2
  enabled = false;
  eoiCount = 0;
  dvim = false;
  vsgiEoiCount = false;
  /** ICH_HCR_EL2 bits [7:1]: which conditions raise the maintenance interrupt. */
  maintenanceEnables = 0n;
  /** ICH_HCR_EL2.TDIR, TALL1, TALL0, TC, in place. */
  traps = 0n;

  // ICH_VMCR_EL2
  priorityMask = 0;
  binaryPoints: [number, number] = [0, 0];
  eoiMode = false;
  cbpr = false;
  groupEnables: [boolean, boolean] = [false, false];

  /** One bit for each preemption level, the most urgent one lowest: ICH_AP0R<n> and ICH_AP1R<n>. */
  activePriorities: [bigint, bigint] = [0n, 0n];
  listRegisters: ListRegister[] = [];

  constructor(config: MachineConfig, port: VirtualInterfacePort, counters: Counters) {
    this.config = config;
    this.#port = port;
    this.#counters = counters;
    this.#hasDvim = ((hypervisorType(config) >> 18n) & 1n) === 1n;
    this.reset();
  }

  get hasDvim(): boolean {
    return this.#hasDvim;
  }

  reset(): void {
    this.enabled = false;
    this.eoiCount = 0;
    this.dvim = false;
    this.vsgiEoiCount = false;
    this.maintenanceEnables = 0n;
    this.traps = 0n;
    this.priorityMask = 0;
    this.binaryPoints = [this.minimumBinaryPoint(0), this.minimumBinaryPoint(1)];
    this.eoiMode = false;
    this.cbpr = false;
    this.groupEnables = [false, false];
    this.activePriorities = [0n, 0n];
    this.listRegisters = Array.from({ length: this.config.listRegisters }, () =>
      decodeListRegister(this.config, 0n),
    );
  }

  outputs(): VirtualOutputs {
    const winner = this.#highestPending();
    const bestVlpi = this.#port.bestVlpi();
    return {
      winner: winner?.source,
      bestVlpi: bestVlpi && { vIntid: bestVlpi.vIntid, priority: bestVlpi.priority },
      virq: winner !== undefined && winner.group === 1 && this.#canSignal(winner),
      vfiq: winner !== undefined && winner.group === 0 && this.#canSignal(winner),
      maintenance: this.maintenance,
    };
  }

  minimumBinaryPoint(group: Group): number {
    return 7 - this.config.virtualPreemptionBits + group;
  }

  /** The group priority of the highest active priority, 0xFF when idle. */
  runningPriority(): number {
    const level = lowestBit(this.activePriorities[0] | this.activePriorities[1]);
    return level === undefined ? IDLE_PRIORITY : level << this.#levelShift();
  }

  /** ICV_IAR<group>: a better candidate of the other group hides ours. */
  acknowledge(group: Group): number {
    const winner = this.#highestPending();
    if (winner?.group !== group || !this.#canSignal(winner)) {
      this.#counters.virtualAcknowledged.spurious++;
      return SPURIOUS;
    }
    const { source, vIntid } = winner;
    this.#counters.virtualAcknowledged[typeof source === 'number' ? 'listRegister' : source]++;
    if (typeof source === 'number') {
      this.listRegisters[source]!.state = isSpecial(vIntid) ? State.INVALID : State.ACTIVE;
    } else {
      this.#port.acknowledge(winner);
    }
    if (!isSpecial(vIntid)) {
      this.activePriorities[group] |= place(1, this.#groupPriority(winner) >> this.#levelShift());
    }
    return vIntid;
  }

  /** ICV_HPPIR<group>. */
  highestPendingOf(group: Group): number {
    const winner = this.#highestPending();
    return winner?.group === group ? winner.vIntid : SPURIOUS;
  }

  /** ICV_EOIR<group>. */
  endOfInterrupt(group: Group, vIntid: number): void {
    if (isSpecial(vIntid)) return;
    const dropped = this.#dropPriority();
    if (dropped === undefined && this.config.policy.virtualEoiWithoutActive === 'ignore') return;
    const found = this.#activeListRegister(vIntid);
    if (!found) {
      if (!this.eoiMode || this.config.policy.eoiCountInEoiMode1) this.#countEoi(vIntid);
      return;
    }
    if (found.group !== group) return;
    if (dropped !== undefined && this.#groupPriority(found) !== dropped) return;
    if (!this.eoiMode || vIntid >= FIRST_LPI) this.#deactivate(found);
  }

  /** ICV_DIR. */
  deactivate(vIntid: number): void {
    if (!this.eoiMode || vIntid >= FIRST_LPI || isSpecial(vIntid)) return;
    const found = this.#activeListRegister(vIntid);
    if (found) this.#deactivate(found);
    else this.#countEoi(vIntid);
  }

  /** ICH_EISR_EL2. */
  get eisr(): bigint {
    return this.#listRegisterBits(({ state, hw, eoi }) => state === State.INVALID && !hw && eoi);
  }

  /** ICH_ELRSR_EL2. */
  get elrsr(): bigint {
    return this.#listRegisterBits(({ state, hw, eoi }) => state === State.INVALID && (hw || !eoi));
  }

  /** ICH_MISR_EL2: section 8.8. */
  get misr(): bigint {
    const valid = this.listRegisters.filter(({ state }) => state !== State.INVALID).length;
    const pending = this.listRegisters.some(({ state }) => state === State.PENDING);
    const conditions =
      place(valid <= 1, 1) |
      place(this.eoiCount !== 0, 2) |
      place(!pending, 3) |
      place(this.groupEnables[0], 4) |
      place(!this.groupEnables[0], 5) |
      place(this.groupEnables[1], 6) |
      place(!this.groupEnables[1], 7);
    return place(this.eisr !== 0n, 0) | (conditions & this.maintenanceEnables);
  }

  get maintenance(): boolean {
    return this.enabled && this.misr !== 0n;
  }

  /** HPPVI: at equal priority the lowest list register, then the vSGI, then the VLPI. */
  #highestPending(): VirtualCandidate | undefined {
    const listed = this.listRegisters.flatMap((entry, source) =>
      entry.state === State.PENDING ? [{ source, ...entry }] : [],
    );
    const direct = this.dvim ? [] : this.#port.direct();
    let best: VirtualCandidate | undefined;
    for (const candidate of [...listed, ...direct]) {
      if (!this.groupEnables[candidate.group] || candidate.priority === IDLE_PRIORITY) continue;
      if (!best || candidate.priority < best.priority) best = candidate;
    }
    return best;
  }

  #canSignal(candidate: Pick<VirtualCandidate, 'priority' | 'group'>): boolean {
    if (!this.enabled || candidate.priority >= this.priorityMask) return false;
    const running = this.runningPriority();
    const mask = this.#groupPriorityMask(candidate.group);
    return running === IDLE_PRIORITY || (candidate.priority & mask) < (running & mask);
  }

  #groupPriority({ priority, group }: Pick<VirtualCandidate, 'priority' | 'group'>): number {
    return priority & this.#groupPriorityMask(group);
  }

  #groupPriorityMask(group: Group): number {
    const shift = group === 0 || this.cbpr ? this.binaryPoints[0] + 1 : this.binaryPoints[1];
    return (0xff << shift) & 0xff;
  }

  #levelShift(): number {
    return 8 - this.config.virtualPreemptionBits;
  }

  /** Clears the highest active priority, of Group 0 where both groups have it; the one dropped, if any. */
  #dropPriority(): number | undefined {
    const level = lowestBit(this.activePriorities[0] | this.activePriorities[1]);
    if (level === undefined) return undefined;
    const bit = place(1, level);
    const group = this.activePriorities[0] & bit ? 0 : 1;
    this.activePriorities[group] &= ~bit;
    return level << this.#levelShift();
  }

  #activeListRegister(vIntid: number): ListRegister | undefined {
    return this.listRegisters.find((entry) => entry.vIntid === vIntid && (entry.state & State.ACTIVE) !== 0);
  }

  #deactivate(entry: ListRegister): void {
    entry.state &= ~State.ACTIVE;
    if (entry.hw) this.#port.deactivatePhysical(entry.pIntid);
  }

  /** An interrupt below 8192 that no list register has; vSGIs do not count with ICH_HCR_EL2.vSGIEOICount. */
  #countEoi(vIntid: number): void {
    if (vIntid >= FIRST_LPI || (this.vsgiEoiCount && vIntid < 16)) return;
    this.eoiCount = (this.eoiCount + 1) % 32;
  }

  #listRegisterBits(test: (entry: ListRegister) => boolean): bigint {
    return this.listRegisters.reduce((bits, entry, n) => bits | place(test(entry), n), 0n);
  }
}
