// Physical LPIs of one redistributor (sections 3.5-3.8, 4.1-4.3). Pending bits live in the architected pending
// table in RAM and are always current; configuration bytes are cached at first use, as hardware caches them. The
// index holds exactly the LPIs that are pending and whose cached configuration enables them.
import { Choice, Diagnostic, Outcome, Policy } from '../abi';
import { report } from '../diag/diagnostics';
import { machine, policy } from '../memory/machine';
import { ramAt } from '../memory/ram';
import { FIRST_LPI } from './intid';
import { touchCpu } from './outputs';
import { Redistributor } from './redistributor';

const CONFIG_ENABLE: u32 = 1;
/** Bit 1 of a configuration byte is RES1 and has no effect: in the cache it tells a cached byte from none. */
const CONFIG_CACHED: u32 = 2;
const CONFIG_PRIORITY: u32 = 0xfc;

const TABLE_ADDRESS: u64 = 0x000ffffffffff000;
const PENDING_ADDRESS: u64 = 0x000fffffffff0000;

/** GICR_CTLR.EnableLPIs 0 -> 1: section 3.2. */
export function enableLpis(rd: Redistributor): void {
  const end = tableEnd(rd);
  rd.lpiEnd = end;
  if (end == 0) {
    // IDbits below 13: every LPI is out of range, yet the redistributor counts as enabled.
    rd.lpiEnd = FIRST_LPI;
  }
  attachTables(rd);
  touchCpu(rd.cpu);
}

/** GICR_CTLR.EnableLPIs 1 -> 0. The pending table is current already. */
export function disableLpis(rd: Redistributor): void {
  detachTables(rd);
  rd.lpiEnd = 0;
  touchCpu(rd.cpu);
}

/** GICR_PROPBASER or GICR_PENDBASER accepted while EnableLPIs=1: the new tables count from now on. */
export function reloadLpiTables(rd: Redistributor): void {
  detachTables(rd);
  enableLpis(rd);
}

/** Makes an LPI pending. An LPI that is pending already stays as it is. */
export function setPendingLpi(rd: Redistributor, intid: u32): Outcome {
  if (!rd.lpisEnabled) return Outcome.LPIS_DISABLED;
  if (intid < FIRST_LPI || intid >= rd.lpiEnd) return Outcome.INTID_OUT_OF_RANGE;
  if (rd.pendingTable == 0) return Outcome.TABLE_FAULT;
  const at = pendingWord(rd, intid);
  const word = load<u64>(at);
  const bit = (<u64>1) << (intid & 63);
  if (word & bit) return Outcome.COALESCED;
  store<u64>(at, word | bit);
  const config = configOf(rd, intid);
  if (config & CONFIG_ENABLE) {
    rd.lpiIndex.add(intid, config & CONFIG_PRIORITY);
    touchCpu(rd.cpu);
  }
  return Outcome.PENDING;
}

/** Removes the pending state of an LPI; tells whether there was any. */
export function clearPendingLpi(rd: Redistributor, intid: u32): bool {
  if (!isPendingLpi(rd, intid)) return false;
  const at = pendingWord(rd, intid);
  store<u64>(at, load<u64>(at) & ~((<u64>1) << (intid & 63)));
  unindex(rd, intid);
  return true;
}

export function isPendingLpi(rd: Redistributor, intid: u32): bool {
  if (intid < FIRST_LPI || intid >= rd.lpiEnd || rd.pendingTable == 0) return false;
  return ((load<u64>(pendingWord(rd, intid)) >> (intid & 63)) & 1) != 0;
}

/** Acknowledge: the LPI stops being pending. */
export function takePendingLpi(rd: Redistributor, intid: u32): void {
  const at = pendingWord(rd, intid);
  store<u64>(at, load<u64>(at) & ~((<u64>1) << (intid & 63)));
  unindex(rd, intid);
}

/** INV, GICR_INVLPIR: the configuration of one LPI is read again and takes effect. */
export function invalidateLpi(rd: Redistributor, intid: u32): void {
  if (intid < FIRST_LPI || intid >= rd.lpiEnd) return;
  forgetConfig(rd, intid);
  if (isPendingLpi(rd, intid)) index(rd, intid);
}

/** INVALL, GICR_INVALLR: the configuration of all LPIs of this redistributor. */
export function invalidateAllLpis(rd: Redistributor): void {
  if (!rd.lpisEnabled) return;
  rd.lpiIndex.clear();
  memory.fill(rd.configCache, 0, rd.lpiEnd);
  indexPending(rd);
  touchCpu(rd.cpu);
}

/** Drops what is cached of an LPI. */
export function forgetConfig(rd: Redistributor, intid: u32): void {
  if (intid < FIRST_LPI || intid >= machine().lpiLimit) return;
  unindex(rd, intid);
  store<u8>(rd.configCache + intid, 0);
}

/** MOVALL: every pending LPI of `from` becomes pending at `to`. */
export function moveAllLpis(from: Redistributor, to: Redistributor): void {
  if (from.pendingTable == 0 || to.pendingTable == 0) return;
  for (let first = FIRST_LPI; first < from.lpiEnd; first += 64) {
    const at = pendingWord(from, first);
    let word = load<u64>(at);
    while (word) {
      const intid = first | <u32>ctz(word);
      word &= word - 1;
      if (intid >= to.lpiEnd) continue;
      clearPendingLpi(from, intid);
      setPendingLpi(to, intid);
    }
  }
}

/** MOVALL towards a redistributor that has LPIs disabled, by the policy that drops them. */
export function dropAllLpis(rd: Redistributor): void {
  if (rd.pendingTable == 0) return;
  rd.lpiIndex.clear();
  memory.fill(pendingWord(rd, FIRST_LPI), 0, (rd.lpiEnd - FIRST_LPI) >> 3);
  touchCpu(rd.cpu);
}

/** Checks the index against the pending table and the cached configuration; the number of differences. */
export function checkLpiIndex(rd: Redistributor): u32 {
  let differences: u32 = 0;
  if (rd.pendingTable == 0) return 0;
  for (let intid = FIRST_LPI; intid < rd.lpiEnd; intid++) {
    const config: u32 = load<u8>(rd.configCache + intid);
    const expected = isPendingLpi(rd, intid) && (config & CONFIG_ENABLE) != 0;
    const indexed = (config & CONFIG_CACHED) != 0 && rd.lpiIndex.has(intid, config & CONFIG_PRIORITY);
    if (expected != indexed) differences++;
  }
  return differences;
}

/** The first INTID beyond the LPIs that GICR_PROPBASER.IDbits and GICD_TYPER.IDbits allow; 0 where there are none. */
function tableEnd(rd: Redistributor): u32 {
  const bits = (<u32>rd.propbaser & 31) + 1;
  const effective = bits < machine().intidBits ? bits : machine().intidBits;
  return effective < 14 ? 0 : (<u32>1) << effective;
}

function attachTables(rd: Redistributor): void {
  const lpis = rd.lpiEnd - FIRST_LPI;
  rd.configTable = 0;
  rd.pendingTable = 0;
  if (lpis == 0) return;
  rd.configTable = ramAt(rd.propbaser & TABLE_ADDRESS, lpis);
  rd.pendingTable = ramAt(rd.pendbaser & PENDING_ADDRESS, rd.lpiEnd >> 3);
  if (rd.configTable == 0 || rd.pendingTable == 0) report(Diagnostic.LPI_TABLE_OUTSIDE_RAM, rd.cpu);
  if (rd.pendingTable == 0) return;
  const honoured = policy(Policy.pendingTableZero) != Choice.PENDING_TABLE_ZERO_IGNORE;
  if (honoured && rd.pendingTableZero) takeTableForZero(rd);
  else indexPending(rd);
}

function detachTables(rd: Redistributor): void {
  rd.lpiIndex.clear();
  if (rd.lpiEnd) memory.fill(rd.configCache, 0, rd.lpiEnd);
  rd.configTable = 0;
  rd.pendingTable = 0;
}

/** GICR_PENDBASER.PTZ promised an all-zero table; what is there all the same is not looked at and gets lost. */
function takeTableForZero(rd: Redistributor): void {
  const bytes = (rd.lpiEnd - FIRST_LPI) >> 3;
  const first = pendingWord(rd, FIRST_LPI);
  for (let offset: usize = 0; offset < bytes; offset += 8) {
    if (load<u64>(first + offset)) {
      report(Diagnostic.PENDING_TABLE_NOT_ZERO, rd.cpu);
      memory.fill(first, 0, bytes);
      return;
    }
  }
}

function indexPending(rd: Redistributor): void {
  if (rd.pendingTable == 0) return;
  for (let first = FIRST_LPI; first < rd.lpiEnd; first += 64) {
    let word = load<u64>(pendingWord(rd, first));
    while (word) {
      index(rd, first | <u32>ctz(word));
      word &= word - 1;
    }
  }
}

function index(rd: Redistributor, intid: u32): void {
  const config = configOf(rd, intid);
  if ((config & CONFIG_ENABLE) == 0) return;
  rd.lpiIndex.add(intid, config & CONFIG_PRIORITY);
  touchCpu(rd.cpu);
}

function unindex(rd: Redistributor, intid: u32): void {
  const config: u32 = load<u8>(rd.configCache + intid);
  if ((config & CONFIG_ENABLE) == 0) return;
  rd.lpiIndex.remove(intid, config & CONFIG_PRIORITY);
  touchCpu(rd.cpu);
}

/** The cached configuration byte, read from the table at first use. A table outside RAM reads as disabled. */
function configOf(rd: Redistributor, intid: u32): u32 {
  const cache = rd.configCache + intid;
  const cached: u32 = load<u8>(cache);
  if (cached) return cached;
  const implemented = 0xff << (8 - machine().storedPriorityBits);
  const byte: u32 = rd.configTable ? load<u8>(rd.configTable + (intid - FIRST_LPI)) : 0;
  const config = (byte & ((CONFIG_PRIORITY & implemented) | CONFIG_ENABLE)) | CONFIG_CACHED;
  store<u8>(cache, <u8>config);
  return config;
}

function pendingWord(rd: Redistributor, intid: u32): usize {
  return rd.pendingTable + ((intid >> 6) << 3);
}
