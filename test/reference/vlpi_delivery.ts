import type { MachineConfig } from '../../bindings/config.ts';
import type { MsiOutcome } from '../../bindings/outcomes.ts';
import type { Counters } from './counters.ts';
import type { LpiUnit } from './lpi.ts';
import { FIRST_LPI, lpiLimit, readConfiguration, testPendingBit, writePendingBit } from './lpi_tables.ts';
import type { Memory } from './memory.ts';
import { TableFault } from './table.ts';
import { type ConfiguredVpe, NO_DOORBELL, type Vpe, type Vpes } from './vpe.ts';

/** VLPIs and vSGIs of vPEs wherever they are, and the doorbells of those that are not resident: section 7. */
export class VlpiDelivery {
  readonly #config: MachineConfig;
  readonly #memory: Memory;
  readonly #lpis: readonly LpiUnit[];
  readonly #vpes: Vpes;
  readonly #counters: Counters;

  constructor(
    config: MachineConfig,
    memory: Memory,
    lpis: readonly LpiUnit[],
    vpes: Vpes,
    counters: Counters,
  ) {
    this.#config = config;
    this.#memory = memory;
    this.#lpis = lpis;
    this.#vpes = vpes;
    this.#counters = counters;
  }

  /** First INTID beyond the VLPIs of a vPE. */
  limit({ size }: Vpe): number {
    return lpiLimit(Math.min(size + 1, this.#config.intidBits));
  }

  /**
   * Section 7.3. A VPT that is not wholly in RAM throws a `TableFault`. A VLPI that moves here from another vPE was counted
   * when it became pending.
   */
  setPending(vpe: Vpe, vIntid: number, doorbell: number, { moves = false } = {}): MsiOutcome {
    const tables = this.#vpes.residence(vpe)?.tables;
    if (vIntid < FIRST_LPI || vIntid >= Math.min(this.limit(vpe), tables?.limit ?? Infinity)) {
      return 'intid-out-of-range';
    }
    this.requireTable(vpe);
    const already = testPendingBit(this.#memory, vpe.vpt, vIntid);
    if (!already) {
      if (tables) tables.set(vIntid);
      else writePendingBit(this.#memory, vpe.vpt, vIntid, true);
      if (!moves) this.#counters.vlpis[tables ? 'direct' : 'waiting']++;
    }
    if (!tables) {
      const again = this.#config.policy.doorbellOfPendingVlpi === 'repeat';
      if (doorbell !== NO_DOORBELL && (!already || again)) this.#ring(vpe.cpu, doorbell);
      this.#wakeForVlpi(vpe, vIntid);
    }
    return already ? 'coalesced' : 'pending';
  }

  /** What the VPT says; outside RAM nothing is pending. */
  isPending(vpe: Vpe, vIntid: number): boolean {
    return vIntid < this.limit(vpe) && testPendingBit(this.#memory, vpe.vpt, vIntid);
  }

  /** Whether it was pending. */
  clearPending(vpe: Vpe, vIntid: number): boolean {
    if (!this.isPending(vpe, vIntid)) return false;
    this.#vpes.residence(vpe)?.tables?.clear(vIntid);
    writePendingBit(this.#memory, vpe.vpt, vIntid, false);
    return true;
  }

  /** The configuration of one VLPI is read again; that of a vPE that is not resident is not held. */
  invalidate(vpe: Vpe, vIntid: number): void {
    const residence = this.#vpes.residence(vpe);
    if (residence) residence.tables?.reread(vIntid);
    else this.#wakeForVlpi(vpe, vIntid);
  }

  invalidateAll(vpe: Vpe): void {
    const residence = this.#vpes.residence(vpe);
    if (residence) residence.tables?.rereadAll();
    else if (requestOf(vpe)) {
      for (let vIntid = FIRST_LPI; vIntid < this.limit(vpe); vIntid++) this.#wakeForVlpi(vpe, vIntid);
    }
  }

  /** GITS_SGIR; whether the vSGI was not pending yet. */
  setVsgiPending(vpe: ConfiguredVpe, vIntid: number): boolean {
    const vsgi = vpe.vsgis[vIntid]!;
    const fresh = !vsgi.pending;
    vsgi.pending = true;
    this.wakeForVsgi(vpe, vIntid);
    return fresh;
  }

  /** Rings the default doorbell if it is wanted and the vSGI is pending and enabled. */
  wakeForVsgi(vpe: ConfiguredVpe, vIntid: number): void {
    const { pending, enabled, group } = vpe.vsgis[vIntid]!;
    if (pending && enabled) this.#wake(vpe, group);
  }

  /** Throws a `TableFault` for a vPE whose VPT is not wholly in RAM. */
  requireTable(vpe: Vpe): void {
    if (!this.#memory.contains(vpe.vpt, this.limit(vpe) / 8)) throw new TableFault();
  }

  #wakeForVlpi(vpe: Vpe, vIntid: number): void {
    const request = requestOf(vpe);
    if (!request || vIntid < FIRST_LPI || !this.isPending(vpe, vIntid)) return;
    const configured = vpe as ConfiguredVpe;
    const places = { configTable: configured.configTable, limit: this.limit(vpe) };
    if (readConfiguration(this.#memory, places, vIntid) & 1) this.#wake(configured, 1);
  }

  /** Section 7.6: once for each request. */
  #wake(vpe: ConfiguredVpe, group: 0 | 1): void {
    if (!vpe.request?.[group]) return;
    vpe.request = undefined;
    if (vpe.defaultDoorbell !== NO_DOORBELL) this.#ring(vpe.cpu, vpe.defaultDoorbell);
  }

  #ring(cpu: number, intid: number): void {
    const outcome = this.#lpis[cpu]!.setPending(intid);
    const { doorbells } = this.#counters;
    if (outcome === 'pending') doorbells.rung++;
    else if (outcome === 'coalesced') doorbells.coalesced++;
    else doorbells.dropped++;
  }
}

function requestOf(vpe: Vpe): ConfiguredVpe['request'] {
  return 'request' in vpe ? (vpe as ConfiguredVpe).request : undefined;
}
