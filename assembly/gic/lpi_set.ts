// A set of pending LPIs with their configuration: the physical LPIs of a redistributor, or the VLPIs of the vPE that
// is resident there. Pending bits live in the architected pending table in RAM and are always current; configuration
// bytes are cached at first use, as hardware caches them. The index holds exactly the LPIs that are pending and whose
// cached configuration enables them. (Sections 4.1 to 4.4.)
//
// Where whole words of the pending table come into use at once, as a rule all their LPIs have the same configuration:
// it is kept once for the word, so that what a vPE with many pending VLPIs costs when it becomes resident is to read
// its tables.
import { Counter, Event, Outcome, Policy } from '../abi';
import { emit } from '../diag/events';
import { anyOf64, areAlike, EACH_BYTE, equalBytes, fill64, lanesOf } from '../memory/bytes';
import { countMany } from '../memory/counters';
import { machine, policy } from '../memory/machine';
import { initIndex, PriorityIndex } from '../memory/priority_index';
import { clearBits, exchange, loadShared, setBits } from '../memory/shared_words';
import { noteArrival } from '../threads/arrivals';
import { injects, laneLimit, STRETCH_SHIFT } from '../threads/lane';
import { touchForVlpi, touchVirtual, touchWithoutVlpi } from '../virt/outputs';
import { FIRST_LPI } from './intid';
import { touchForLpi, touchLpis, touchWithoutLpi } from './outputs';

const CONFIG_ENABLE: u32 = 1;
/** Bit 1 of a configuration byte is RES1 and has no effect: in the cache it tells a cached byte from none. */
const CONFIG_CACHED: u32 = 2;
const CONFIG_PRIORITY: u32 = 0xfc;
/** In place of the configuration that a word's LPIs have in common: what is cached of them stands with each. */
const EACH_ITS_OWN: u32 = 1;

/** LPIs that are looked at together where few are pending; a pending table holds a multiple of it. */
const STRIDE: u32 = 1 << STRETCH_SHIFT;

/** LPIs that are looked at together where none may be: their bits come from memory at the same time. */
const SPAN: u32 = 4 * STRIDE;

/** A word of the pending table with all bits set. */
const ALL_PENDING: u64 = 0xffffffffffffffff;

@unmanaged
export class LpiSet {
  /** PE whose outputs depend on the set: the physical ones, or those to its guest. */
  cpu: u32;
  isVirtual: u32;
  /** The first INTID beyond the set; FIRST_LPI or less for an empty range. */
  end: u32;
  /** Linear addresses of the tables; 0 where a table is not wholly inside RAM. */
  configTable: usize;
  pendingTable: usize;
  /** A byte per INTID: the cached configuration, 0 where none is cached or its word has one in common. */
  configCache: usize;
  /** A byte per 64 INTIDs: 0 where none is cached, EACH_ITS_OWN, or the cached configuration of all of them. */
  commonConfigs: usize;
  /** Whether anything is cached. */
  caches: u32;
  /** Pending and enabled. */
  index: usize;
  /** A bit for each 512 LPIs of which other threads have made one pending. */
  arrivals: usize;
  /** Bits of a configuration byte that matter: implemented priority bits and Enable. */
  configMask: u32;

  get best(): PriorityIndex {
    return changetype<PriorityIndex>(this.index);
  }

  /** Makes an LPI pending. One that is pending already stays as it is. */
  setPending(intid: u32): Outcome {
    if (intid < FIRST_LPI || intid >= this.end) return Outcome.INTID_OUT_OF_RANGE;
    if (this.pendingTable == 0) return Outcome.TABLE_FAULT;
    const bit = (<u64>1) << (intid & 63);
    if (setBits(this.pendingWord(intid), bit) & bit) return Outcome.COALESCED;
    this.hasBecomePending(intid);
    return Outcome.PENDING;
  }

  /** The pending bit of an LPI has just been set. */
  hasBecomePending(intid: u32): void {
    if (injects()) {
      noteArrival(this.arrivals, intid, this.cpu, this.isVirtual != 0);
      return;
    }
    this.indexOne(intid);
    emit(this.isVirtual ? Event.VLPI_DIRECT : Event.LPI_PENDING, this.cpu, intid);
  }

  /** Removes the pending state of an LPI; tells whether there was any. */
  clearPending(intid: u32): bool {
    if (!this.isPending(intid)) return false;
    this.take(intid);
    return true;
  }

  isPending(intid: u32): bool {
    if (intid < FIRST_LPI || intid >= this.end || this.pendingTable == 0) return false;
    return ((loadShared(this.pendingWord(intid)) >> (intid & 63)) & 1) != 0;
  }

  /** Acknowledge: an LPI that was found in the index stops being pending. */
  take(intid: u32): void {
    clearBits(this.pendingWord(intid), (<u64>1) << (intid & 63));
    this.unindex(intid);
  }

  /** The configuration of one LPI is read again and takes effect. */
  invalidate(intid: u32): void {
    if (intid < FIRST_LPI || intid >= this.end) return;
    const isPending = this.isPending(intid);
    if (isPending && this.readConfig(intid) == this.cachedConfig(intid)) return;
    this.forget(intid);
    if (isPending) this.indexOne(intid);
  }

  /** The configuration of all LPIs is read again and takes effect. */
  invalidateAll(): void {
    this.forgetAll();
    this.indexPending();
  }

  /** Drops what is cached of one LPI. */
  forget(intid: u32): void {
    if (intid < FIRST_LPI || intid >= machine().lpiLimit) return;
    this.unindex(intid);
    const common: u32 = load<u8>(this.commonConfigs + (intid >> 6));
    if (common & CONFIG_CACHED) {
      fill64(this.configCache + (intid & ~63), common * EACH_BYTE);
      store<u8>(this.commonConfigs + (intid >> 6), <u8>EACH_ITS_OWN);
    }
    store<u8>(this.configCache + intid, 0);
  }

  /** Every pending LPI that `to` has room for becomes pending there instead; those that are so already count as cleared. */
  moveAll(to: LpiSet): void {
    if (this.pendingTable == 0 || to.pendingTable == 0) return;
    const end = min<u32>(this.end, to.end);
    for (let first = FIRST_LPI; first < end; first += STRIDE) {
      if (!ASC_FEATURE_SIMD || !this.nothingPending(first)) this.moveStride(first, to);
    }
    this.invalidateAll();
  }

  /** Removes all pending state; tells of how many LPIs. */
  clearAll(): u32 {
    if (this.pendingTable == 0) return 0;
    let cleared: u32 = 0;
    this.forgetAll();
    for (let first = FIRST_LPI; first < this.end; first += 64) {
      const at = this.pendingWord(first);
      if (loadShared(at)) cleared += <u32>popcnt(exchange(at, 0));
    }
    return cleared;
  }

  /** Indexes what other threads have made pending. */
  takeArrivals(): void {
    const stretches = this.end >> STRETCH_SHIFT;
    for (let first: u32 = 0; first < stretches; first += 64) {
      const at = this.arrivals + (first >> 3);
      if (loadShared(at) == 0) continue;
      for (let marked = exchange(at, 0); marked; marked &= marked - 1) {
        this.indexAgain((first | <u32>ctz(marked)) << STRETCH_SHIFT);
      }
    }
  }

  /** Indexes all that is pending, where other threads may have made anything so. */
  takeAllArrivals(): void {
    if (laneLimit() == 0) return;
    for (let first = FIRST_LPI; first < this.end; first += STRIDE) this.indexAgain(first);
  }

  private indexAgain(stretch: u32): void {
    if (this.pendingTable == 0 || stretch < FIRST_LPI || stretch >= this.end) return;
    for (let first = stretch; first < stretch + STRIDE; first += 64) {
      const word = loadShared(this.pendingWord(first));
      if (word) this.indexWord(first, word);
    }
  }

  /** Whether any LPI is pending, enabled or not. */
  anyPending(): bool {
    if (this.pendingTable == 0) return false;
    for (let first = FIRST_LPI; first < this.end; first += 64) {
      if (load<u64>(this.pendingWord(first))) return true;
    }
    return false;
  }

  /** Takes tables into use, with what is pending in them. */
  attach(end: u32, configTable: usize, pendingTable: usize): void {
    this.end = end;
    this.configTable = configTable;
    this.pendingTable = pendingTable;
    this.indexPending();
    this.touch();
  }

  /** Lets go of the tables; pending bits stay in theirs. */
  detach(): void {
    this.forgetAll();
    this.end = 0;
    this.configTable = 0;
    this.pendingTable = 0;
    this.touch();
  }

  /** Differences between the index and what it is derived from. */
  check(): u32 {
    let differences: u32 = 0;
    for (let intid = FIRST_LPI; intid < this.end; intid++) {
      const config = this.cachedConfig(intid);
      const expected = this.isPending(intid) && (config & CONFIG_ENABLE) != 0;
      const indexed = (config & CONFIG_CACHED) != 0 && this.best.has(intid, config & CONFIG_PRIORITY);
      if (expected != indexed) differences++;
    }
    return differences;
  }

  /** The cached configuration byte, 0 for none. */
  cachedConfig(intid: u32): u32 {
    const own: u32 = load<u8>(this.configCache + intid);
    if (own) return own;
    const common: u32 = load<u8>(this.commonConfigs + (intid >> 6));
    return common & CONFIG_CACHED ? common : 0;
  }

  private touch(): void {
    if (this.isVirtual) touchVirtual(this.cpu);
    else touchLpis(this.cpu);
  }

  private forgetAll(): void {
    this.best.clear();
    if (this.caches) this.forgetConfigs();
    this.caches = 0;
    this.touch();
  }

  private forgetConfigs(): void {
    for (let first = FIRST_LPI; first < this.end; first += STRIDE) {
      const at = this.commonConfigs + (first >> 6);
      const commons = load<u64>(at);
      if (commons == 0) continue;
      store<u64>(at, 0);
      // Bytes of which bit 0 is set and bit 1 is not; 64 LPIs stand 8 bits from the next.
      const own = commons & ~(commons >> 1) & EACH_BYTE;
      for (let rest = own; rest; rest &= rest - 1)
        fill64(this.configCache + first + ((<u32>ctz(rest)) << 3), 0);
    }
  }

  /** Indexes everything pending of a set that has nothing cached. */
  private indexPending(): void {
    if (this.pendingTable == 0) return;
    for (let first = FIRST_LPI; first < this.end; first += SPAN) {
      if (ASC_FEATURE_SIMD && this.emptySpan(first)) continue;
      for (let next = first; next < first + SPAN; next += STRIDE) {
        if (!ASC_FEATURE_SIMD || !this.nothingPending(next)) this.indexStride(next);
      }
    }
    this.touch();
  }

  /** Indexes what is pending of STRIDE LPIs of which nothing is cached. */
  private indexStride(first: u32): void {
    if (this.allPending(first) && this.haveCommonConfig(first, STRIDE)) {
      const config = this.readConfig(first);
      this.caches = 1;
      store<u64>(this.commonConfigs + (first >> 6), config * EACH_BYTE);
      if (config & CONFIG_ENABLE) this.best.addEight(first >> 6, config & CONFIG_PRIORITY);
      this.touch();
      return;
    }
    for (let next = first; next < first + STRIDE; next += 64) {
      const word = load<u64>(this.pendingWord(next));
      if (word) this.indexWord(next, word);
    }
  }

  private moveStride(first: u32, to: LpiSet): void {
    const fresh = load<u64>(to.commonConfigs + (first >> 6)) == 0;
    for (let next = first; next < first + STRIDE; next += 64) {
      const from = this.pendingWord(next);
      if (load<u64>(from) == 0) continue;
      const moved = exchange(from, 0);
      const old = setBits(to.pendingWord(next), moved);
      // Counted here, since a sum to hand on would cost time where nothing merges.
      if (moved & old) countMany(Counter.LPIS_CLEARED, <u32>popcnt(moved & old));
      if (!fresh) to.indexWord(next, moved & ~old);
    }
    if (fresh) to.indexStride(first);
  }

  /** Whether none of the next STRIDE LPIs is pending. */
  private nothingPending(first: u32): bool {
    return !v128.any_true(anyOf64(this.pendingWord(first)));
  }

  /** Whether none of the next SPAN LPIs is pending. */
  private emptySpan(first: u32): bool {
    const at = this.pendingWord(first);
    const low = v128.or(anyOf64(at), anyOf64(at + 64));
    const high = v128.or(anyOf64(at + 128), anyOf64(at + 192));
    return !v128.any_true(v128.or(low, high));
  }

  /** Whether all of the next STRIDE LPIs are pending. */
  private allPending(first: u32): bool {
    const at = this.pendingWord(first);
    const low = load<u64>(at) & load<u64>(at, 8) & load<u64>(at, 16) & load<u64>(at, 24);
    const high = load<u64>(at, 32) & load<u64>(at, 40) & load<u64>(at, 48) & load<u64>(at, 56);
    return (low & high) == ALL_PENDING;
  }

  /** Whether the configuration table has the same for all of the next LPIs, a multiple of 64. */
  private haveCommonConfig(first: u32, count: u32): bool {
    return this.configTable == 0 || areAlike(this.configTable + (first - FIRST_LPI), count, this.configMask);
  }

  private indexOne(intid: u32): void {
    const config = this.configOf(intid);
    if ((config & CONFIG_ENABLE) == 0) return;
    const priority = config & CONFIG_PRIORITY;
    this.best.add(intid, priority);
    if (this.isVirtual) touchForVlpi(this.cpu, intid, priority);
    else touchForLpi(this.cpu, intid, priority);
  }

  private unindex(intid: u32): void {
    const config = this.cachedConfig(intid);
    if ((config & CONFIG_ENABLE) == 0) return;
    this.best.remove(intid, config & CONFIG_PRIORITY);
    if (this.isVirtual) touchWithoutVlpi(this.cpu, intid);
    else touchWithoutLpi(this.cpu, intid);
  }

  /** Indexes the LPIs of one word of the pending table, those with equal configuration at once. */
  private indexWord(first: u32, members: u64): void {
    if ((members & (members - 1)) == 0) {
      if (members) this.indexOne(first | <u32>ctz(members));
      return;
    }
    const at = this.commonConfigs + (first >> 6);
    if (members == ALL_PENDING && load<u8>(at) == 0 && this.haveCommonConfig(first, 64)) {
      this.caches = 1;
      store<u8>(at, <u8>this.readConfig(first));
    }
    const common: u32 = load<u8>(at);
    if ((common & CONFIG_CACHED) == 0) {
      this.cacheWord(first, members);
      this.indexAlike(first, members);
    } else if (common & CONFIG_ENABLE) {
      this.best.addWord(first >> 6, members, common & CONFIG_PRIORITY);
    }
    this.touch();
  }

  /** Adds members of a word whose configuration is cached. */
  private indexAlike(first: u32, members: u64): void {
    let rest = members;
    while (rest) {
      const config: u32 = load<u8>(this.configCache + (first | <u32>ctz(rest)));
      const alike = rest & equalBytes(this.configCache + first, config);
      if (config & CONFIG_ENABLE) this.best.addWord(first >> 6, alike, config & CONFIG_PRIORITY);
      rest &= ~alike;
    }
  }

  /** Reads the configuration of those members of a word, which has none in common, that have none cached. */
  private cacheWord(first: u32, members: u64): void {
    if (ASC_FEATURE_SIMD && this.configTable) {
      this.caches = 1;
      store<u8>(this.commonConfigs + (first >> 6), <u8>EACH_ITS_OWN);
      const kept = i8x16.splat(<i8>this.configMask);
      const cachedBit = i8x16.splat(<i8>CONFIG_CACHED);
      const table = this.configTable + (first - FIRST_LPI);
      for (let lane: usize = 0; lane < 64; lane += 16) {
        const cached = v128.load(this.configCache + first + lane);
        const read = v128.or(v128.and(v128.load(table + lane), kept), cachedBit);
        const missing = v128.and(i8x16.eq(cached, i8x16.splat(0)), lanesOf(<u16>(members >> lane)));
        v128.store(this.configCache + first + lane, v128.bitselect(read, cached, missing));
      }
      return;
    }
    for (let rest = members; rest; rest &= rest - 1) this.configOf(first | <u32>ctz(rest));
  }

  /** The cached configuration byte, read from the table at first use. */
  private configOf(intid: u32): u32 {
    const cached = this.cachedConfig(intid);
    if (cached) return cached;
    const config = this.readConfig(intid);
    this.caches = 1;
    store<u8>(this.commonConfigs + (intid >> 6), <u8>EACH_ITS_OWN);
    store<u8>(this.configCache + intid, <u8>config);
    return config;
  }

  /** What is to be cached of an LPI. A table outside RAM reads as disabled. */
  private readConfig(intid: u32): u32 {
    const byte: u32 = this.configTable ? load<u8>(this.configTable + (intid - FIRST_LPI)) : 0;
    return (byte & this.configMask) | CONFIG_CACHED;
  }

  private pendingWord(intid: u32): usize {
    return this.pendingTable + ((intid >> 6) << 3);
  }
}

/** Bytes of a set with its index, without the planes. */
export const LPI_SET_BYTES: usize = ((offsetof<LpiSet>() + 7) & ~7) + ((offsetof<PriorityIndex>() + 7) & ~7);

/**
 * Memory for the cached configuration of a set. A cache line is left out, lest the sets of all PEs compete for the same
 * few places in the host's caches.
 */
export function lpiConfigBytes(intidBits: u32): u32 {
  return (1 << intidBits) + (1 << (intidBits - 6)) + 64;
}

/** Prepares an empty set. */
export function initLpiSet(
  set: LpiSet,
  cpu: u32,
  isVirtual: bool,
  planes: usize,
  configCache: usize,
  arrivals: usize,
): void {
  const m = machine();
  set.cpu = cpu;
  set.isVirtual = isVirtual ? 1 : 0;
  set.configCache = configCache;
  set.arrivals = arrivals;
  set.commonConfigs = configCache + ((<usize>1) << m.intidBits);
  set.index = changetype<usize>(set) + ((offsetof<LpiSet>() + 7) & ~7);
  // A guest's interface may tell more priorities apart than the distributor stores.
  const implemented = isVirtual
    ? max<u32>(m.storedPriorityBits, m.virtualPriorityBits)
    : m.storedPriorityBits;
  set.configMask = (CONFIG_PRIORITY & (0xff << (8 - implemented))) | CONFIG_ENABLE;
  // LPI priorities are bits [7:2] of a configuration byte.
  const bits = min<u32>(implemented, 6);
  initIndex(set.best, planes, (<u32>1) << m.intidBits, bits, policy(Policy.tieBreak) != 0);
}
