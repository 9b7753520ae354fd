import { createMachine, type MachineOptions } from '../../bindings/index.ts';
import type { CommandDoublewords } from './driver.ts';
import {
  DEVICE,
  DOORBELL,
  EVENT,
  PRIORITY,
  VINTID,
  VPE_RAM,
  type Vpe,
  VpeDriver,
  type VpeDriverOptions,
  virtualCommands,
} from './vpe_driver.ts';

/** A vPE with its default doorbell, an LPI or 1023 for none. */
export interface Vpe41 extends Vpe {
  readonly doorbell: number;
}

export interface Vpe41Settings {
  /** PE that the vPE is mapped to, default 0. */
  cpu?: number;
  /** INTID bits - 1, default 15. */
  size?: number;
  vpt?: number;
  configTable?: number;
  /** Default 1023. */
  doorbell?: number;
}

/** A VMAPP with V=1. */
export interface Mapping {
  cpu?: number;
  its?: number;
  /** Default true. */
  alloc?: boolean;
  ptz?: boolean;
}

/** GICR_VPROPBASER and GICR_VPENDBASER: sections 3.11 and 3.12, GICv4.1 layouts. */
export const VPROPBASER = {
  VALID: 1n << 63n,
  INDIRECT: 1n << 55n,
  PAGE_4K: 0n << 53n,
  PAGE_16K: 1n << 53n,
  PAGE_64K: 2n << 53n,
  Z: 1n << 52n,
} as const;
export const VPENDBASER = {
  VALID: 1n << 63n,
  DOORBELL: 1n << 62n,
  PENDING_LAST: 1n << 61n,
  DIRTY: 1n << 60n,
  GROUP0: 1n << 59n,
  GROUP1: 1n << 58n,
} as const;

const GICR_INVLPIR = 0x00a0;
const GICR_INVALLR = 0x00b0;
const GICR_VSGIR = 0x0080;
const GICR_VSGIPENDR = 0x0088;
const GITS_SGIR = 0x2_0020;
const VALID = 1n << 63n;
const PAGE = 0x1_0000;
const NONE = 1023;

/** A hypervisor's driver for GICv4.1. Each group of redistributors shares one vPE table, with the ITSs where SVPET says. */
export class Vpe41Driver extends VpeDriver {
  readonly #tables = new Map<number, number>();

  override start(): this {
    for (let cpu = 0; cpu < this.config.cpus; cpu++) this.setVpropbaser(cpu, this.groupTable(cpu));
    return super.start();
  }

  // Tables

  /** The part of a PE's affinity that its group has in common (section 3.3). */
  groupOf(cpu: number): number {
    return common(this.config.affinities[cpu] as number, this.config.commonLpiAffinity);
  }

  /** GICR_VPROPBASER for the flat table of a PE's group: one 64 KiB page, room for vPEIDs below 2048. */
  groupTable(cpu: number): bigint {
    return VALID | VPROPBASER.PAGE_64K | BigInt(this.groupTableAddress(this.groupOf(cpu)));
  }

  groupTableAddress(group: number): number {
    const address = this.#tables.get(group) ?? this.allocate(PAGE, PAGE);
    this.#tables.set(group, address);
    return address;
  }

  /** A GITS_BASER2 value: the table that the ITSs share with a group, else a new one. */
  override vpeTable(pages = 1): bigint {
    const { sharedVpeTable, itsAffinity } = this.config;
    const shared = sharedVpeTable ? this.#tables.get(common(itsAffinity, sharedVpeTable)) : undefined;
    return shared === undefined ? super.vpeTable(pages) : VALID | (2n << 8n) | BigInt(shared);
  }

  // vPEs

  newVpe41(id: number, settings: Vpe41Settings = {}): Vpe41 {
    const { size = 15, doorbell = NONE } = settings;
    const configTable = settings.configTable ?? this.allocate(Math.max(2 ** (size + 1), PAGE), PAGE);
    return { ...this.newVpe(id, { ...settings, configTable }), doorbell };
  }

  /** Maps a new vPE at ITS 0, the first mapping. */
  mapVpe41(id: number, settings: Vpe41Settings = {}): Vpe41 {
    const vpe = this.newVpe41(id, settings);
    this.map(vpe, { cpu: settings.cpu ?? 0 });
    return vpe;
  }

  map(vpe: Vpe41, { its = 0, ...mapping }: Mapping = {}): void {
    this.command(this.vmapp41(vpe, mapping), its);
  }

  vmapp41(vpe: Vpe41, { cpu = 0, alloc = true, ptz = false }: Omit<Mapping, 'its'> = {}): CommandDoublewords {
    return commands41.vmapp(vpe, this.rdbase(cpu), { alloc, ptz });
  }

  /** VMAPP with V=0. */
  unmap(vpe: Vpe41, { its = 0, alloc = true } = {}): void {
    this.command(commands41.unmap(vpe.id, alloc), its);
  }

  vmovp41(
    vpe: Vpe41,
    cpu: number,
    options: { its?: number; doorbell?: number; together?: { sequence: number; list: number } } = {},
  ): void {
    const { its = 0, doorbell, together } = options;
    this.command(commands41.vmovp(vpe.id, this.rdbase(cpu), doorbell, together), its);
  }

  invdb(vpe: Vpe41, its = 0): void {
    this.command(commands41.invdb(vpe.id), its);
  }

  // Residency

  /** Makes a vPE resident; both groups are forwarded unless `groups` (bit 0: Group 0, bit 1: Group 1) says less. */
  load(cpu: number, vpe: Pick<Vpe, 'id'>, groups = 0b11): void {
    this.setVpendbaser(cpu, VPENDBASER.VALID | groupEnables(groups) | BigInt(vpe.id));
  }

  /** Takes the resident vPE off, waits until Dirty=0, and tells PendingLast. */
  put(cpu: number, { doorbell = false, pendingLast = false } = {}): boolean {
    const kept = this.vpendbaser(cpu) & (VPENDBASER.GROUP0 | VPENDBASER.GROUP1 | 0xffffn);
    const asked = (doorbell ? VPENDBASER.DOORBELL : 0n) | (pendingLast ? VPENDBASER.PENDING_LAST : 0n);
    this.setVpendbaser(cpu, kept | asked);
    for (;;) {
      const value = this.vpendbaser(cpu);
      if (!(value & VPENDBASER.DIRTY)) return (value & VPENDBASER.PENDING_LAST) !== 0n;
    }
  }

  /** GICR_INVLPIR with V=1. */
  invalidateVlpi(cpu: number, vpe: Pick<Vpe, 'id'>, vIntid: number): void {
    this.machine.write(this.gicr(cpu, GICR_INVLPIR), 8, VALID | (BigInt(vpe.id) << 32n) | BigInt(vIntid));
  }

  /** GICR_INVALLR with V=1. */
  invalidateVpe(cpu: number, vpe: Pick<Vpe, 'id'>): void {
    this.machine.write(this.gicr(cpu, GICR_INVALLR), 8, VALID | (BigInt(vpe.id) << 32n));
  }

  // Virtual SGIs

  configureVsgi(
    vpe: Vpe41,
    intid: number,
    { enable = true, group = 1, priority = PRIORITY, its = 0 }: VsgiSettings & { its?: number } = {},
  ): void {
    this.command(commands41.vsgi(vpe.id, intid, { enable, group, priority }), its);
  }

  clearVsgi(vpe: Vpe41, intid: number, its = 0): void {
    this.command(commands41.clearVsgi(vpe.id, intid), its);
  }

  /** GITS_SGIR. */
  sendVsgi(vpe: Pick<Vpe, 'id'>, intid: number, its = 0): void {
    this.machine.write(this.gits(GITS_SGIR, its), 8, (BigInt(vpe.id) << 32n) | BigInt(intid));
  }

  /** GICR_VSGIR and VSGIPENDR: the INTIDs of the pending vSGIs as a bitmap. */
  pendingVsgis(cpu: number, vpe: Pick<Vpe, 'id'>): number {
    this.machine.write(this.gicrVlpi(cpu, GICR_VSGIR), 4, vpe.id);
    return this.machine.read(this.gicrVlpi(cpu, GICR_VSGIPENDR), 4);
  }

  /** The codes of what was diagnosed since the last call. */
  codes(): string[] {
    return this.diagnosed().map(({ code }) => code);
  }
}

interface VsgiSettings {
  enable?: boolean;
  group?: number;
  /** [7:4] count. */
  priority?: number;
}

/** The leading levels of an affinity: 0 none, 1 Aff3, 2 Aff3.Aff2, 3 Aff3.Aff2.Aff1. */
function common(affinity: number, levels: number): number {
  return levels === 0 ? 0 : Math.floor(affinity / 2 ** (32 - 8 * levels));
}

export function groupEnables(groups: number): bigint {
  return (groups & 1 ? VPENDBASER.GROUP0 : 0n) | (groups & 2 ? VPENDBASER.GROUP1 : 0n);
}

const vpeOperand = (vpeId: number): bigint => BigInt(vpeId) << 32n;

/** The encodings of the commands that GICv4.1 adds or changes: sections 6.15, 6.19, 6.22, 6.23. */
export const commands41 = {
  vmapp: (vpe: Vpe41, rdbase: bigint, { alloc = true, ptz = false } = {}): CommandDoublewords => [
    0x29n | (alloc ? 1n << 8n : 0n) | (ptz ? 1n << 9n : 0n) | BigInt(vpe.configTable),
    vpeOperand(vpe.id) | BigInt(vpe.doorbell),
    VALID | rdbase,
    BigInt(vpe.vpt) | BigInt(vpe.size),
  ],
  unmap: (vpeId: number, alloc: boolean): CommandDoublewords => [
    0x29n | (alloc ? 1n << 8n : 0n),
    vpeOperand(vpeId),
    0n,
    0n,
  ],
  vmovp: (
    vpeId: number,
    rdbase: bigint,
    doorbell?: number,
    together?: { sequence: number; list: number },
  ): CommandDoublewords => {
    const [first, second, third] = virtualCommands.vmovp(vpeId, rdbase, together);
    return doorbell === undefined
      ? [first, second, third, 0n]
      : [first, second, third | VALID, BigInt(doorbell)];
  },
  vsgi: (
    vpeId: number,
    intid: number,
    { enable, group, priority }: Required<VsgiSettings>,
  ): CommandDoublewords => [
    0x23n |
      (enable ? 1n << 8n : 0n) |
      (BigInt(group) << 10n) |
      (BigInt(priority >> 4) << 20n) |
      (BigInt(intid) << 32n),
    vpeOperand(vpeId),
    0n,
    0n,
  ],
  clearVsgi: (vpeId: number, intid: number): CommandDoublewords => [
    0x23n | (1n << 9n) | (BigInt(intid) << 32n),
    vpeOperand(vpeId),
    0n,
    0n,
  ],
  invdb: (vpeId: number): CommandDoublewords => [0x2en, vpeOperand(vpeId), 0n, 0n],
} as const;

/** A GICv4.1 driver with everything on, the diagnostics of the start taken. */
export async function startVpe41Driver(
  options: MachineOptions = {},
  driverOptions: VpeDriverOptions = {},
): Promise<Vpe41Driver> {
  const machine = await createMachine({ architecture: 'GICv4.1', ram: VPE_RAM, ...options });
  const driver = new Vpe41Driver(machine, driverOptions);
  driver.start();
  driver.diagnosed();
  return driver;
}

/** Affinities of four PEs in two groups of two, for CommonLPIAff=3: 0.0.0.0, 0.0.0.1, 0.0.1.0, 0.0.1.1. */
export const TWO_GROUPS: MachineOptions = {
  cpus: 4,
  affinities: [0x000, 0x001, 0x100, 0x101],
  commonLpiAffinity: 3,
  sharedVpeTable: 3,
};

/**
 * A driver whose device 0x10 has 32 events at ITS 0; event 5 is VLPI 8193 of vPE 7 on PE 0, whose default doorbell is
 * LPI 9000. VLPIs 8193 to 8200 and LPIs 9000 to 9003 are enabled at priority 0xA0, guests are open on all PEs.
 */
export async function startMapped41(
  options: MachineOptions = {},
  settings: Vpe41Settings = {},
): Promise<Vpe41Driver & { readonly vpe: Vpe41 }> {
  const driver = await startVpe41Driver(options);
  for (let doorbell = DOORBELL; doorbell < DOORBELL + 4; doorbell++) {
    driver.setConfig(doorbell, PRIORITY, true);
  }
  driver.mapd(DEVICE, 5);
  const vpe = driver.mapVpe41(7, { doorbell: DOORBELL, ...settings });
  for (let vIntid = VINTID; vIntid < VINTID + 8; vIntid++) {
    driver.setVirtualConfig(vpe, vIntid, PRIORITY, true);
  }
  driver.vmapti(DEVICE, EVENT, vpe, VINTID);
  for (let cpu = 0; cpu < driver.config.cpus; cpu++) driver.openGuest(cpu);
  return Object.assign(driver, { vpe });
}
