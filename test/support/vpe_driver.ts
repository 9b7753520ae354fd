import { createMachine, type Diagnostic, type Machine, type MachineOptions } from '../../bindings/index.ts';
import { type CommandDoublewords, Driver, type DriverOptions } from './driver.ts';

/** A vPE as a hypervisor knows it. */
export interface Vpe {
  readonly id: number;
  /** Address of its virtual pending table (VPT). */
  readonly vpt: number;
  /** Address of its VM's configuration table. */
  readonly configTable: number;
  /** INTID bits - 1: VMAPP.VPT_size and GICR_VPROPBASER.IDbits. */
  readonly size: number;
}

export interface VpeSettings {
  /** PE that the vPE is mapped to, default 0. */
  cpu?: number;
  /** INTID bits - 1, default 15. */
  size?: number;
  /** Default a new table. */
  vpt?: number;
  /** Default a new table; vPEs of one VM share theirs. */
  configTable?: number;
  /** ITSs that it is mapped in, default all. */
  itses?: readonly number[];
}

export interface VpeDriverOptions extends DriverOptions {
  /** GITS_BASER2 of each ITS; default a new flat table of one 64 KiB page. */
  vpeTable?: bigint;
}

/** GICR_VPENDBASER: section 3.12, GICv4.0 layout. */
export const VPENDBASER = {
  VALID: 1n << 63n,
  IDAI: 1n << 62n,
  PENDING_LAST: 1n << 61n,
  DIRTY: 1n << 60n,
} as const;

/** Offset of the VLPI_base frame from RD_base (section 0), and of its registers (section 3.10). */
const VLPI_FRAME = 0x2_0000;
const GICR_VPROPBASER = 0x0070;
const GICR_VPENDBASER = 0x0078;
const GICR_INVLPIR = 0x00a0;
const GITS_BASER2 = 0x0110;

const FIRST_LPI = 8192;
const SPURIOUS = 1023;
const VALID = 1n << 63n;

/** ICH_VMCR_EL2 of section 8.6's example with both groups: VPMR 0xF8, VBPR0 2, VBPR1 3, VFIQEn, VENG1, VENG0. */
export const OPEN_VMCR = 0xf84c_000b;

/** The address space of a machine for these tests; every table has its own 64 KiB. */
export const VPE_RAM = { base: 0x8000_0000, size: 0x200_0000 };

/** A hypervisor's driver: vPEs, their tables and residency, and the virtual CPU interface, beside what `Driver` does. */
export class VpeDriver extends Driver {
  readonly machine: Machine;
  readonly #vpeTable: bigint | undefined;

  constructor(machine: Machine, options: VpeDriverOptions = {}) {
    super(machine, machine.config, options);
    this.machine = machine;
    this.#vpeTable = options.vpeTable;
  }

  /** As `Driver.enableIts`, with a vPE table in GITS_BASER2. */
  override enableIts(its = 0): void {
    this.writeVpeTable(this.#vpeTable ?? this.vpeTable(), its);
    super.enableIts(its);
  }

  writeVpeTable(baser: bigint, its = 0): void {
    this.machine.write(this.gits(GITS_BASER2, its), 8, baser);
  }

  /** A GITS_BASER2 value for a new flat table with 64 KiB pages. */
  vpeTable(pages = 1): bigint {
    return VALID | BigInt(this.allocate(pages * 0x1_0000, 0x1_0000)) | (2n << 8n) | BigInt(pages - 1);
  }

  // vPEs

  /** A vPE with its tables, not mapped yet. */
  newVpe(id: number, settings: VpeSettings = {}): Vpe {
    const { size = 15 } = settings;
    const bytes = Math.max(2 ** (size + 1), FIRST_LPI);
    const vpt = settings.vpt ?? this.allocate(bytes / 8, 0x1_0000);
    const configTable = settings.configTable ?? this.allocate(bytes, 0x1000);
    return { id, vpt, configTable, size };
  }

  /** Maps a new vPE to a PE's redistributor. */
  mapVpe(id: number, settings: VpeSettings = {}): Vpe {
    const { cpu = 0, itses = [...Array(this.config.itsCount).keys()] } = settings;
    const vpe = this.newVpe(id, settings);
    for (const its of itses) this.vmapp(vpe, cpu, its);
    return vpe;
  }

  /** Writes a VLPI's configuration byte; it counts once it is read: at first use, or after an invalidation. */
  setVirtualConfig(vpe: Vpe, vIntid: number, priority: number, enabled: boolean): void {
    this.machine.write(vpe.configTable + vIntid - FIRST_LPI, 1, (priority & 0xfc) | (enabled ? 0b11 : 0b10));
  }

  /** Whether a VLPI's bit in its vPE's pending table is set. */
  isVirtualPending(vpe: Vpe, vIntid: number): boolean {
    return ((this.machine.read(vpe.vpt + (vIntid >> 3), 1) >> (vIntid & 7)) & 1) === 1;
  }

  /** The VLPIs whose bits in the vPE's pending table are set, in ascending order. */
  pendingVlpis(vpe: Vpe): number[] {
    const first = FIRST_LPI / 8;
    const table = this.machine.readMemory(vpe.vpt + first, Math.max(0, 2 ** (vpe.size + 1) / 8 - first));
    const pending: number[] = [];
    table.forEach((byte, i) => {
      for (let bit = 0; bit < 8; bit++) if ((byte >> bit) & 1) pending.push(FIRST_LPI + 8 * i + bit);
    });
    return pending;
  }

  /** Writes a bit of a VPT, as software may while the vPE is not mapped. */
  storeVirtualPendingBit(vpe: Vpe, vIntid: number): void {
    const address = vpe.vpt + (vIntid >> 3);
    this.machine.write(address, 1, this.machine.read(address, 1) | (1 << (vIntid & 7)));
  }

  // Residency: sections 7.4 and 7.5

  /** Address of a register in a PE's VLPI_base frame. */
  gicrVlpi(cpu: number, offset: number): number {
    return this.gicr(cpu, VLPI_FRAME + offset);
  }

  vpropbaser(cpu: number): bigint {
    return this.machine.read(this.gicrVlpi(cpu, GICR_VPROPBASER), 8);
  }

  setVpropbaser(cpu: number, value: bigint): void {
    this.machine.write(this.gicrVlpi(cpu, GICR_VPROPBASER), 8, value);
  }

  vpendbaser(cpu: number): bigint {
    return this.machine.read(this.gicrVlpi(cpu, GICR_VPENDBASER), 8);
  }

  setVpendbaser(cpu: number, value: bigint): void {
    this.machine.write(this.gicrVlpi(cpu, GICR_VPENDBASER), 8, value);
  }

  /** Makes a vPE resident: its VM's table, then the one write of GICR_VPENDBASER. */
  scheduleIn(cpu: number, vpe: Vpe, { idai = false } = {}): void {
    this.setVpropbaser(cpu, BigInt(vpe.configTable) | BigInt(vpe.size));
    this.setVpendbaser(
      cpu,
      VPENDBASER.VALID | VPENDBASER.PENDING_LAST | (idai ? VPENDBASER.IDAI : 0n) | BigInt(vpe.vpt),
    );
  }

  /** Takes the resident vPE off, waits until Dirty=0, and tells PendingLast. */
  scheduleOut(cpu: number): boolean {
    this.setVpendbaser(cpu, this.vpendbaser(cpu) & ~VPENDBASER.VALID);
    for (;;) {
      const value = this.vpendbaser(cpu);
      if (!(value & VPENDBASER.DIRTY)) return (value & VPENDBASER.PENDING_LAST) !== 0n;
    }
  }

  /** Writes GICR_INVLPIR. */
  invalidateLpi(cpu: number, intid: number): void {
    this.machine.write(this.gicr(cpu, GICR_INVLPIR), 8, BigInt(intid));
  }

  // Commands

  vmapp(vpe: Vpe, cpu = 0, its = 0): void {
    this.command(virtualCommands.vmapp(vpe.id, this.rdbase(cpu), vpe.vpt, vpe.size), its);
  }

  unmapVpe(vpe: Vpe, its = 0): void {
    this.command(virtualCommands.unmapVpe(vpe.id), its);
  }

  /** `doorbell` 1023 is none. */
  vmapti(deviceId: number, eventId: number, vpe: Vpe, vIntid: number, doorbell = SPURIOUS, its = 0): void {
    this.command(virtualCommands.vmapti(deviceId, eventId, vpe.id, vIntid, doorbell), its);
  }

  vmapi(deviceId: number, eventId: number, vpe: Vpe, doorbell = SPURIOUS, its = 0): void {
    this.command(virtualCommands.vmapi(deviceId, eventId, vpe.id, doorbell), its);
  }

  /** Without `doorbell` the event keeps its own (D=0). */
  vmovi(deviceId: number, eventId: number, vpe: Vpe, doorbell?: number, its = 0): void {
    this.command(virtualCommands.vmovi(deviceId, eventId, vpe.id, doorbell), its);
  }

  /** With `together`, the sequence number and ITSList of GITS_TYPER.VMOVP=0. */
  vmovp(vpe: Vpe, cpu: number, its = 0, together?: { sequence: number; list: number }): void {
    this.command(virtualCommands.vmovp(vpe.id, this.rdbase(cpu), together), its);
  }

  vinvall(vpe: Vpe, its = 0): void {
    this.command(virtualCommands.vinvall(vpe.id), its);
  }

  vsync(vpe: Vpe, its = 0): void {
    this.command(virtualCommands.vsync(vpe.id), its);
  }

  /** Queues commands at an ITS; how many command errors came of them. */
  errors(commands: readonly CommandDoublewords[], its = 0): number {
    const before = this.machine.counters().commandErrors;
    for (const words of commands) this.queue(words, its);
    this.ring(its);
    return this.machine.counters().commandErrors - before;
  }

  // The virtual CPU interface

  /** Routes EL1 to the virtual interface (HCR_EL2.IMO, FMO) and opens it: ICH_HCR_EL2.En and `vmcr`. */
  openGuest(cpu = 0, vmcr = OPEN_VMCR): void {
    this.machine.writeSystemRegister(cpu, 'HCR_EL2', (1 << 3) | (1 << 4));
    this.setIch(cpu, 'HCR', 1);
    this.setIch(cpu, 'VMCR', vmcr);
  }

  /** An ICH_* register without its prefix and `_EL2`. */
  ich(cpu: number, name: string): bigint {
    return this.machine.readSystemRegister(cpu, `ICH_${name}_EL2`);
  }

  setIch(cpu: number, name: string, value: number | bigint): void {
    this.machine.writeSystemRegister(cpu, `ICH_${name}_EL2`, value);
  }

  /** What the guest reads from an ICC_* register, without its prefix and `_EL1`. */
  guest(cpu: number, name: string): number {
    return Number(this.machine.readSystemRegister(cpu, `ICC_${name}_EL1`, 1));
  }

  setGuest(cpu: number, name: string, value: number): void {
    this.machine.writeSystemRegister(cpu, `ICC_${name}_EL1`, value, 1);
  }

  /** The guest takes and completes its best Group 1 interrupt; undefined if there is none. */
  guestTake(cpu: number): number | undefined {
    const intid = this.guest(cpu, 'IAR1');
    if (intid === SPURIOUS) return undefined;
    this.setGuest(cpu, 'EOIR1', intid);
    return intid;
  }

  /** The guest takes Group 1 interrupts until there are no more. */
  guestTakeAll(cpu: number): number[] {
    const taken: number[] = [];
    for (let intid = this.guestTake(cpu); intid !== undefined; intid = this.guestTake(cpu)) taken.push(intid);
    return taken;
  }

  virq(cpu: number): boolean {
    return this.machine.virtualOutputs(cpu).virq;
  }

  vfiq(cpu: number): boolean {
    return this.machine.virtualOutputs(cpu).vfiq;
  }

  maintenance(cpu: number): boolean {
    return this.machine.virtualOutputs(cpu).maintenance;
  }

  /** What was diagnosed since the last call, of one kind or of all. */
  diagnosed(code?: Diagnostic['code']): Diagnostic[] {
    return this.machine.takeDiagnostics().filter((diagnostic) => !code || diagnostic.code === code);
  }
}

const command = (
  number: number,
  deviceId: number,
  eventId: number,
  vpeId: number,
  ...rest: bigint[]
): CommandDoublewords => [
  BigInt(number) | (BigInt(deviceId) << 32n),
  BigInt(eventId) | (BigInt(vpeId) << 32n),
  rest[0] ?? 0n,
  rest[1] ?? 0n,
];

/** The encodings of the GICv4.0 commands: sections 6.14 and 6.16 to 6.21. RDbase stands in its place, bits [51:16]. */
export const virtualCommands = {
  vmapp: (vpeId: number, rdbase: bigint, vpt: number, size: number) =>
    command(0x29, 0, 0, vpeId, VALID | rdbase, BigInt(vpt) | BigInt(size)),
  unmapVpe: (vpeId: number) => command(0x29, 0, 0, vpeId),
  vmapti: (deviceId: number, eventId: number, vpeId: number, vIntid: number, doorbell: number) =>
    command(0x2a, deviceId, eventId, vpeId, BigInt(vIntid) | (BigInt(doorbell) << 32n)),
  vmapi: (deviceId: number, eventId: number, vpeId: number, doorbell: number) =>
    command(0x2b, deviceId, eventId, vpeId, BigInt(doorbell) << 32n),
  vmovi: (deviceId: number, eventId: number, vpeId: number, doorbell?: number) =>
    command(0x21, deviceId, eventId, vpeId, doorbell === undefined ? 0n : 1n | (BigInt(doorbell) << 32n)),
  vmovp: (vpeId: number, rdbase: bigint, { sequence, list } = { sequence: 0, list: 0 }) =>
    command(0x22, sequence, list, vpeId, rdbase),
  vinvall: (vpeId: number) => command(0x2d, 0, 0, vpeId),
  vsync: (vpeId: number) => command(0x25, 0, 0, vpeId),
} as const;

/** A GICv4.0 driver with everything on, the diagnostics of the start taken. */
export async function startVpeDriver(
  options: MachineOptions = {},
  driverOptions: VpeDriverOptions = {},
): Promise<VpeDriver> {
  const machine = await createMachine({ architecture: 'GICv4.0', ram: VPE_RAM, ...options });
  const driver = new VpeDriver(machine, driverOptions);
  driver.start();
  driver.diagnosed();
  return driver;
}

/** The device, its event and the doorbell that `startMappedVpe` maps. */
export const DEVICE = 0x10;
export const EVENT = 5;
export const VINTID = 8193;
export const DOORBELL = 9000;
export const PRIORITY = 0xa0;

/**
 * A driver whose device 0x10 has 32 events at ITS 0; event 5 is VLPI 8193 of vPE 7 on PE 0 with doorbell 9000, both
 * enabled at priority 0xA0. Physical LPIs 9000 to 9003 are enabled, guests are open on all PEs.
 */
export async function startMappedVpe(
  options: MachineOptions = {},
  driverOptions: VpeDriverOptions = {},
  settings: VpeSettings = {},
): Promise<VpeDriver & { readonly vpe: Vpe }> {
  const driver = await startVpeDriver(options, driverOptions);
  for (let doorbell = DOORBELL; doorbell < DOORBELL + 4; doorbell++) {
    driver.setConfig(doorbell, PRIORITY, true);
  }
  driver.mapd(DEVICE, 5);
  const vpe = driver.mapVpe(7, settings);
  for (let vIntid = VINTID; vIntid < VINTID + 8; vIntid++) {
    driver.setVirtualConfig(vpe, vIntid, PRIORITY, true);
  }
  driver.vmapti(DEVICE, EVENT, vpe, VINTID, DOORBELL);
  for (let cpu = 0; cpu < driver.config.cpus; cpu++) driver.openGuest(cpu);
  return Object.assign(driver, { vpe });
}

/** A list register: sections 8.7. Defaults: pending, Group 1, priority 0xA0, no EOI maintenance, HW=0. */
export function listRegister(
  vIntid: number,
  fields: {
    state?: 0 | 1 | 2 | 3;
    group?: 0 | 1;
    priority?: number;
    /** Makes HW=1. */
    pIntid?: number;
    eoi?: boolean;
  } = {},
): bigint {
  const { state = 1, group = 1, priority = 0xa0, pIntid, eoi = false } = fields;
  const link = pIntid === undefined ? (eoi ? 1n << 41n : 0n) : (1n << 61n) | (BigInt(pIntid) << 32n);
  return (BigInt(state) << 62n) | (BigInt(group) << 60n) | (BigInt(priority) << 48n) | link | BigInt(vIntid);
}

/** A machine whose guests are open (`openGuest`); physical interrupts and LPIs are on. */
export async function startGuest(options: MachineOptions = {}): Promise<VpeDriver> {
  const driver = await startVpeDriver(options);
  for (let cpu = 0; cpu < driver.config.cpus; cpu++) driver.openGuest(cpu);
  return driver;
}

/** Fields of ICH_VMCR_EL2: section 8.6. Defaults: everything is let through, both groups, EOImode 0. */
export function vmcr(
  fields: {
    priorityMask?: number;
    binaryPoint0?: number;
    binaryPoint1?: number;
    eoiMode?: 0 | 1;
    commonBinaryPoint?: boolean;
    /** Bits 0 and 1: VENG0 and VENG1. */
    groups?: number;
  } = {},
): number {
  const { priorityMask = 0xff, binaryPoint0 = 0, binaryPoint1 = 0, eoiMode = 0, groups = 3 } = fields;
  const low = (binaryPoint0 << 21) | (binaryPoint1 << 18) | (eoiMode << 9) | groups;
  return priorityMask * 2 ** 24 + (low | (fields.commonBinaryPoint ? 1 << 4 : 0));
}
