// Bringing the GIC up as Linux does: ITSs with their tables and queues, what the vPE domain of GICv4 needs, and then PE
// by PE its LPI tables and its collection on each ITS (its_init, its_init_v4, its_cpu_init).
import { IrqChipBug } from '../abi';
import { readBus, writeBus } from '../gic/bus';
import { machine } from '../memory/machine';
import { ramAt } from '../memory/ram';
import { sendInvall, sendMapc } from './commands';
import { createDevice } from './device';
import { EINVAL, ENOMEM } from './errno';
import { LOG_ITS_WRITE, log } from './log';
import { initLpis } from './lpi_allocator';
import { itsAddress, QUEUE_BYTES } from './queue';
import { allocatePages, PAGE_64K, pagesOf } from './ram';
import {
  GICR_CTLR,
  GICR_PENDBASER,
  GICR_PROPBASER,
  GICR_TYPER,
  GICR_VPENDBASER,
  GICR_VPROPBASER,
  GICR_WAKER,
  readRd,
  writeRd,
} from './redistributor';
import {
  chip,
  ERA_S,
  hasBug,
  IRQCHIP_BYTES,
  itsNode,
  MAX_PROXY_SLOTS,
  MAX_RAM_PAGES,
  NONE,
  proxySlotAt,
} from './state';
import { setUpTable } from './tables';
import { setUpItsVpeTable, setUpRdVpeTable } from './vpe_tables';

const VALID: u64 = 1 << 63;
const PENDING_LAST: u64 = 1 << 61;
const INNER_SHAREABLE: u64 = 1 << 10;
const RA_WA_WB: u64 = 7 << 7;
const FIRST_LPI: u32 = 8192;
/** Linux uses at most 16 bits of LPI numbers. */
const MAX_ID_BITS: u32 = 16;
/** Initial byte of a property table: priority 0xa0, Group 1, disabled. */
export const DEFAULT_PROPERTY: u32 = 0xa2;

const GITS_CTLR: u64 = 0x00;
const GITS_IIDR: u64 = 0x04;
const GITS_TYPER: u64 = 0x08;
/** The HiSilicon D05 wants the VLPI frames of a redistributor named instead of RD_base. */
const IIDR_D05: u32 = 4;
const D05_OFFSET: u64 = 0x20000;
const GITS_CBASER: u64 = 0x80;
const GITS_CWRITER: u64 = 0x88;
/** GITS_CBASER.InnerCache: read-allocate, write-allocate, write-back. */
const CBASER_RA_WA_WB: u64 = 7 << 59;
const CTLR_ENABLED: u32 = 1;
const CTLR_IMDE: u32 = 2;
const CTLR_ITS_NUMBER: u64 = 0xf << 4;
const TYPER_VIRTUAL: u64 = 1 << 1;
const TYPER_VMOVP: u64 = 1 << 37;
const TYPER_VMAPP: u64 = 1 << 40;

const WAKER_PROCESSOR_SLEEP: u64 = 2;
const RD_CTLR_ENABLE_LPIS: u64 = 1;
const TYPER_VLPIS: u64 = 1 << 1;
const TYPER_DIRECT_LPI: u64 = 1 << 3;
const TYPER_RVPEID: u64 = 1 << 7;

/** Bugs that no kernel of 2017 was without, where they show in what it does to the hardware. */
const BUGS_OF_2017: u32 =
  IrqChipBug.VMOVP_ITSLIST_ALL |
  IrqChipBug.VLPI_INV_SYNCED_ON_COLLECTION |
  IrqChipBug.NO_DOORBELL_RETRIGGER |
  IrqChipBug.VMOVP_ON_DYING_VPE |
  IrqChipBug.PUT_WHILE_PARSING;

/** Brings the driver up with `ramPages` 4 KiB pages at `ramBase` for itself; 0 or an errno. `bugs`: of `IrqChipBug`. */
export function boot(era: u32, ramBase: u64, ramPages: u32, pollLimit: u32, bugs: u32): i32 {
  const m = machine();
  if (m.itsCount == 0 || m.lpiLimit == 0 || ramPages > MAX_RAM_PAGES) return EINVAL;
  if (ramAt(ramBase, (<u64>ramPages) << 12) == 0) return EINVAL;
  memory.fill(m.irqchip, 0, IRQCHIP_BYTES);
  const self = chip();
  self.era = era;
  self.bugs = era == ERA_S ? bugs | BUGS_OF_2017 : bugs;
  self.ramBase = ramBase;
  self.ramPages = ramPages;
  self.pollLimit = pollLimit;
  self.proxyDevice = NONE;
  self.idBits = min<u32>(m.intidBits, MAX_ID_BITS);
  self.vpeIdBits = m.vpeIdBits;
  initLpis((<u32>1) << self.idBits);
  probeRedistributors();
  writeBus(m.gicdBase, 4, 2);
  wake(0);
  let failed = allocatePropertyTable();
  for (let its: u32 = 0; its < m.itsCount && failed == 0; its++) failed = setUpIts(its);
  if (failed == 0) initV4();
  for (let cpu: u32 = 0; cpu < m.cpuCount && failed == 0; cpu++) failed = setUpPe(cpu);
  if (failed == 0) self.ready = 1;
  return failed;
}

/** A feature counts only where all redistributors have it. */
function probeRedistributors(): void {
  let common: u64 = 0xffffffffffffffff;
  for (let cpu: u32 = 0; cpu < machine().cpuCount; cpu++) common &= readRd(cpu, GICR_TYPER, 8);
  chip().hasVlpis = (common & TYPER_VLPIS) != 0 ? 1 : 0;
  chip().hasDirectLpi = (common & TYPER_DIRECT_LPI) != 0 ? 1 : 0;
  chip().hasRvpeid = (common & TYPER_RVPEID) != 0 ? 1 : 0;
}

function wake(cpu: u32): void {
  writeRd(cpu, GICR_WAKER, 4, readRd(cpu, GICR_WAKER, 4) & ~WAKER_PROCESSOR_SLEEP);
}

function allocatePropertyTable(): i32 {
  const self = chip();
  const bytes = ((<u32>1) << self.idBits) - FIRST_LPI;
  self.propertyTable = allocatePages(pagesOf(bytes), PAGE_64K);
  if (self.propertyTable == 0) return ENOMEM;
  memory.fill(ramAt(self.propertyTable, bytes), <u8>DEFAULT_PROPERTY, bytes);
  return 0;
}

/** its_cpu_init: the PE's LPI tables, then its collection on each ITS. */
function setUpPe(cpu: u32): i32 {
  const self = chip();
  const pending = allocatePages(PAGE_64K, PAGE_64K);
  if (pending == 0) return ENOMEM;
  if (cpu != 0) wake(cpu);
  writeRd(cpu, GICR_PROPBASER, 8, self.propertyTable | INNER_SHAREABLE | RA_WA_WB | (self.idBits - 1));
  writeRd(cpu, GICR_PENDBASER, 8, pending | INNER_SHAREABLE | RA_WA_WB);
  writeRd(cpu, GICR_CTLR, 4, readRd(cpu, GICR_CTLR, 4) | RD_CTLR_ENABLE_LPIS);
  const failed = self.hasVlpis ? setUpVlpis(cpu) : 0;
  if (failed) return failed;
  for (let its: u32 = 0; its < machine().itsCount; its++) {
    const failed = mapCollection(its, cpu);
    if (failed) return failed;
  }
  return 0;
}

/** A vPE that an earlier kernel left resident is thrown out. GICv4.0: early VLPIs are not out of range. */
function setUpVlpis(cpu: u32): i32 {
  const keepsStale = hasBug(IrqChipBug.STALE_VPE_KEPT);
  if (chip().hasRvpeid) {
    if (!keepsStale) evictVpe(cpu);
    return setUpRdVpeTable(cpu);
  }
  if (!hasBug(IrqChipBug.IDBITS_ZERO_UNTIL_SCHEDULE)) writeRd(cpu, GICR_VPROPBASER, 8, chip().idBits - 1);
  if (!keepsStale) writeRd(cpu, GICR_VPENDBASER, 8, readRd(cpu, GICR_VPENDBASER, 8) & ~VALID);
  return 0;
}

/** GICv4.1: an earlier kernel's resident vPE goes before the vPE table does. */
function evictVpe(cpu: u32): void {
  const value = readRd(cpu, GICR_VPENDBASER, 8);
  if (value & VALID) writeRd(cpu, GICR_VPENDBASER, 8, (value & ~VALID) | PENDING_LAST);
}

function setUpIts(its: u32): i32 {
  const node = itsNode(its);
  const typer = readBus(itsAddress(its) + GITS_TYPER, 8);
  node.deviceIdBits = (<u32>(typer >> 13) & 31) + 1;
  node.ittEntryBytes = (<u32>(typer >> 4) & 15) + 1;
  node.pta = <u32>(typer >> 19) & 1;
  node.isV4 = (typer & TYPER_VIRTUAL) != 0 ? 1 : 0;
  node.isV4_1 = (typer & TYPER_VMAPP) != 0 ? 1 : 0;
  node.vlpiRedistOffset = <u32>readBus(itsAddress(its) + GITS_IIDR, 4) == IIDR_D05 ? D05_OFFSET : 0;
  node.listNumber = NONE;
  if (node.isV4 && (typer & TYPER_VMOVP) == 0) {
    if (!takeListNumber(its)) {
      node.failed = 1;
      node.isV4 = 0;
      node.isV4_1 = 0;
      return 0;
    }
  }
  node.queue = allocatePages(QUEUE_BYTES >> 12, PAGE_64K);
  if (node.queue == 0) return ENOMEM;
  let failed = setUpTable(its, 0, node.deviceIdBits);
  if (failed == 0) failed = setUpTable(its, 1, collectionBits());
  if (failed == 0 && node.isV4) failed = setUpItsVpeTable(its);
  if (failed) return failed;
  const queue = VALID | node.queue | CBASER_RA_WA_WB | INNER_SHAREABLE | ((QUEUE_BYTES >> 12) - 1);
  writeIts(its, GITS_CBASER, 8, queue);
  writeIts(its, GITS_CWRITER, 8, 0);
  const control = <u32>readBus(itsAddress(its) + GITS_CTLR, 4) | CTLR_ENABLED | (node.isV4 ? CTLR_IMDE : 0);
  writeIts(its, GITS_CTLR, 4, control);
  return 0;
}

/** The lowest ITS_Number that is free is offered; an ITS whose number is fixed keeps its own. False if another has it. */
function takeListNumber(its: u32): bool {
  const control = itsAddress(its) + GITS_CTLR;
  const others = readBus(control, 4) & ~CTLR_ITS_NUMBER;
  writeIts(its, GITS_CTLR, 4, others | (ctz(~chip().itsListMap) << 4));
  const taken = (<u32>readBus(control, 4) >> 4) & 15;
  if (chip().itsListMap & ((<u32>1) << taken)) return false;
  chip().itsListMap |= (<u32>1) << taken;
  itsNode(its).listNumber = taken;
  return true;
}

/** Collections are numbered by PE. */
function collectionBits(): u32 {
  return min<u32>(machine().collectionIdBits, 32 - clz((machine().cpuCount - 1) | 1));
}

function mapCollection(its: u32, cpu: u32): i32 {
  if (itsNode(its).failed) return 0;
  const failed = sendMapc(its, cpu);
  return failed ? failed : sendInvall(its, cpu);
}

/**
 * its_init_v4: what is published to hypervisors, where redistributors have VLPIs and an ITS is GICv4. GICv4.1
 * redistributors beside no GICv4.1 ITS count as GICv4.0. Without the proxy device that they may need there are no VLPIs.
 */
function initV4(): void {
  const self = chip();
  let v4 = false;
  let v4_1 = false;
  for (let its: u32 = 0; its < machine().itsCount; its++) {
    v4 = v4 || itsNode(its).isV4 != 0;
    v4_1 = v4_1 || itsNode(its).isV4_1 != 0;
  }
  if (!v4_1) self.hasRvpeid = 0;
  if (!v4 || !self.hasVlpis) return;
  if (createProxy() == 0) self.v4 = 1;
  else self.hasVlpis = 0;
}

/** The proxy device carries doorbells where redistributors have no direct LPI registers. */
function createProxy(): i32 {
  const self = chip();
  if (self.hasDirectLpi || self.hasRvpeid) return 0;
  self.proxySlots = min<u32>(roundUp(machine().cpuCount), MAX_PROXY_SLOTS);
  for (let slot: u32 = 0; slot < self.proxySlots; slot++) store<u32>(proxySlotAt(slot), NONE);
  const bits = itsNode(0).deviceIdBits;
  const deviceId = bits >= 32 ? 0xffffffff : ((<u32>1) << bits) - 1;
  const device = createDevice(0, deviceId, self.proxySlots, false);
  if (device < 0) {
    self.proxySlots = 0;
    return device;
  }
  self.proxyDevice = <u32>device;
  return 0;
}

/** The next power of two. */
export function roundUp(n: u32): u32 {
  return n <= 1 ? 1 : (<u32>1) << (32 - clz(n - 1));
}

function writeIts(its: u32, offset: u64, size: u32, value: u64): void {
  log(LOG_ITS_WRITE, its, offset, value);
  writeBus(itsAddress(its) + offset, size, value);
}
