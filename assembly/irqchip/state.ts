// What the driver knows: the kernel's its_node, its_device, irq descriptors, its_vm and its_vpe, in fixed tables. The
// names are the kernel's. None of it is visible to the hardware.
import { IrqChipBug } from '../abi';
import { machine } from '../memory/machine';

/** No VM, vPE, device or slot. */
export const NONE: u32 = 0xffffffff;

/** Behaviour of which kernel: as posted in 2017, 5.6 to 6.18, 6.19 on. */
export const ERA_S: u32 = 0;
export const ERA_M: u32 = 1;

/** The driver as a whole. */
@unmanaged
export class IrqChip {
  ready: u32;
  era: u32;
  /** A set of `IrqChipBug`. */
  bugs: u32;
  /** All redistributors have VLPIs, and DirectLPI. */
  hasVlpis: u32;
  hasDirectLpi: u32;
  hasRvpeid: u32;
  /** At least one ITS is a GICv4 ITS: the vPE domain is published. */
  v4: u32;
  /** Bit n: an ITS has ITS_Number n (GITS_TYPER.VMOVP=0). */
  itsListMap: u32;
  vmovpSequence: u32;
  idBits: u32;
  vpeIdBits: u32;
  /** Proxy device of doorbells without DirectLPI: its slots, and who is evicted next. */
  proxyDevice: u32;
  proxySlots: u32;
  proxyNextVictim: u32;
  /** Polls before a wait is given up. */
  pollLimit: u32;
  /** The last command came into a queue; and how many operations are being undone. */
  posted: u32;
  undoing: u32;
  /** Commands that were posted and completed. */
  commands: u32;
  logCount: u32;
  /** Physical LPI configuration table. */
  propertyTable: u64;
  /** RAM of the driver. */
  ramBase: u64;
  ramPages: u32;
  /** Free ranges of LPIs. */
  lpiRanges: u32;
}

@unmanaged
export class ItsNode {
  /** It failed to probe: another ITS has its ITS_Number. It is left as it was. */
  failed: u32;
  /** Physical address of the command queue and the driver's write offset. */
  queue: u64;
  writer: u32;
  isV4: u32;
  isV4_1: u32;
  /** ITS_Number, or NONE where VMOVP needs no list. */
  listNumber: u32;
  deviceIdBits: u32;
  ittEntryBytes: u32;
  pta: u32;
  /** What an ITS wants added to the address of a redistributor that a vPE is mapped to. */
  vlpiRedistOffset: u64;
}

@unmanaged
export class Device {
  its: u32;
  deviceId: u32;
  events: u32;
  /** First irq of its events, which are consecutive. */
  firstIrq: u32;
  /** Its block of LPIs, one for each irq. */
  lpiBase: u32;
  lpis: u32;
  itt: u64;
  ittPages: u32;
  /** VM that its VLPIs belong to, and how many it has. */
  vm: u32;
  vlpis: u32;
  /** Events that are in use. */
  allocated: u32;
  used: u32;
}

export const KIND_FREE: u32 = 0;
export const KIND_DEVICE: u32 = 1;
export const KIND_DOORBELL: u32 = 2;
export const KIND_SGI: u32 = 3;

/** A Linux interrupt. */
@unmanaged
export class Irq {
  kind: u32;
  /** Device and event, or vPE and SGI. */
  owner: u32;
  event: u32;
  intid: u32;
  /** Collection, that is PE, of a device interrupt. */
  cpu: u32;
  activated: u32;
  masked: u32;
  /** Mapped to a VLPI. */
  forwarded: u32;
  /** its_vlpi_map. */
  vpe: u32;
  vintid: u32;
  properties: u32;
  doorbellEnabled: u32;
}

@unmanaged
export class Vm {
  used: u32;
  vpes: u32;
  firstVpe: u32;
  doorbellBase: u32;
  doorbells: u32;
  /** VLPIs of this VM on each ITS. */
  vlpis0: u64;
  vlpis1: u64;
  vlpis2: u64;
  vlpis3: u64;
  vlpis4: u64;
  vlpis5: u64;
  vlpis6: u64;
  vlpis7: u64;
  /** Virtual property table. */
  propertyTable: u64;
  propertyPages: u32;

  vlpisOn(its: u32): u32 {
    return load<u32>(this.counterOf(its));
  }

  addVlpis(its: u32, change: i32): void {
    store<u32>(this.counterOf(its), load<u32>(this.counterOf(its)) + change);
  }

  private counterOf(its: u32): usize {
    return changetype<usize>(this) + offsetof<Vm>('vlpis0') + (its << 2);
  }
}

@unmanaged
export class Vpe {
  used: u32;
  vm: u32;
  vpeId: u32;
  /** Doorbell irq and LPI. */
  irq: u32;
  doorbell: u32;
  /** PE whose redistributor the vPE is mapped to. */
  cpu: u32;
  resident: u32;
  ready: u32;
  /** PE that it is resident on. */
  residentCpu: u32;
  proxySlot: u32;
  /** Collection of that slot's event. */
  proxyCpu: u32;
  idai: u32;
  pendingLast: u32;
  /** ITSs that map it. */
  vmapps: u32;
  vlpis: u32;
  firstSgiIrq: u32;
  pendingTable: u64;
  pendingPages: u32;
  /** Per vSGI: [7:4] priority, [1] group, [0] enabled. */
  sgis0: u64;
  sgis1: u64;

  sgiConfig(n: u32): u32 {
    return load<u8>(changetype<usize>(this) + offsetof<Vpe>('sgis0') + n);
  }

  setSgiConfig(n: u32, config: u32): void {
    store<u8>(changetype<usize>(this) + offsetof<Vpe>('sgis0') + n, <u8>config);
  }
}

/** Capacities; the host sizes the areas by them. */
export const MAX_DEVICES: u32 = 512;
export const MAX_IRQS: u32 = 32768;
export const MAX_VMS: u32 = 256;
export const MAX_VPES: u32 = 4096;
export const MAX_LPI_RANGES: u32 = 4096;
export const MAX_RAM_PAGES: u32 = 65536;
export const MAX_PROXY_SLOTS: u32 = 512;
export const MAX_CPUS: u32 = 512;
export const LOG_CAPACITY: u32 = 16384;

/** Where each table stands in the driver's area. */
const ITS_AT: usize = (offsetof<IrqChip>() + 63) & ~63;
const DEVICES_AT: usize = ITS_AT + ((16 * offsetof<ItsNode>() + 63) & ~63);
const IRQS_AT: usize = DEVICES_AT + ((<usize>MAX_DEVICES * offsetof<Device>() + 63) & ~63);
const VMS_AT: usize = IRQS_AT + ((<usize>MAX_IRQS * offsetof<Irq>() + 63) & ~63);
const VPES_AT: usize = VMS_AT + ((<usize>MAX_VMS * offsetof<Vm>() + 63) & ~63);
const LPI_RANGES_AT: usize = VPES_AT + ((<usize>MAX_VPES * offsetof<Vpe>() + 63) & ~63);
const VPE_IDS_AT: usize = LPI_RANGES_AT + (((<usize>MAX_LPI_RANGES + 1) * 8 + 63) & ~63);
const RAM_MAP_AT: usize = VPE_IDS_AT + 8192;
const PROXY_AT: usize = RAM_MAP_AT + (MAX_RAM_PAGES >> 3);
const MASK_AT: usize = PROXY_AT + <usize>MAX_PROXY_SLOTS * 4;
const LOADS_AT: usize = MASK_AT + (MAX_CPUS >> 3);
const COSTS_AT: usize = LOADS_AT + <usize>MAX_CPUS * 4;
const COSTS_BYTES: usize = 576;
const LOG_AT: usize = COSTS_AT + COSTS_BYTES;

/** Bytes of a log record: kind, unit, four doublewords. */
export const LOG_RECORD_BYTES: usize = 40;

/** Bytes of the driver's area. */
export const IRQCHIP_BYTES: usize = LOG_AT + <usize>LOG_CAPACITY * LOG_RECORD_BYTES;

export function chip(): IrqChip {
  return changetype<IrqChip>(machine().irqchip);
}

/** Whether a bug of the driver's history is brought back. */
export function hasBug(bug: IrqChipBug): bool {
  return (chip().bugs & bug) != 0;
}

export function itsNode(n: u32): ItsNode {
  return changetype<ItsNode>(machine().irqchip + ITS_AT + <usize>n * offsetof<ItsNode>());
}

export function deviceOf(n: u32): Device {
  return changetype<Device>(machine().irqchip + DEVICES_AT + <usize>n * offsetof<Device>());
}

export function irqOf(n: u32): Irq {
  return changetype<Irq>(machine().irqchip + IRQS_AT + <usize>n * offsetof<Irq>());
}

export function vmOf(n: u32): Vm {
  return changetype<Vm>(machine().irqchip + VMS_AT + <usize>n * offsetof<Vm>());
}

export function vpeOf(n: u32): Vpe {
  return changetype<Vpe>(machine().irqchip + VPES_AT + <usize>n * offsetof<Vpe>());
}

export function lpiRangesAt(): usize {
  return machine().irqchip + LPI_RANGES_AT;
}

export function vpeIdsAt(): usize {
  return machine().irqchip + VPE_IDS_AT;
}

export function ramMapAt(): usize {
  return machine().irqchip + RAM_MAP_AT;
}

export function proxySlotAt(slot: u32): usize {
  return machine().irqchip + PROXY_AT + ((<usize>slot) << 2);
}

/** The affinity mask of the next operation that takes one: a bit for each PE. */
export function affinityMaskAt(): usize {
  return machine().irqchip + MASK_AT;
}

/** How many device interrupts a PE has. */
export function lpiLoadAt(cpu: u32): usize {
  return machine().irqchip + LOADS_AT + ((<usize>cpu) << 2);
}

/** Prices and counts of operations, see costs.ts. */
export function costsAt(): usize {
  return machine().irqchip + COSTS_AT;
}

export function logRecordAt(n: u32): usize {
  return machine().irqchip + LOG_AT + <usize>(n % LOG_CAPACITY) * LOG_RECORD_BYTES;
}
