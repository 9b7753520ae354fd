// A set of pending LPIs with their configuration: the physical LPIs of a redistributor, or the VLPIs of the vPE that
// is resident there. Pending bits live in the architected pending table in RAM and are always current; configuration
// bytes are cached at first use, as hardware caches them. The index holds exactly the LPIs that are pending and whose
// cached configuration enables them. (Sections 4.1 to 4.4.)
import { Event, Outcome, Policy } from '../abi';
import { emit } from '../diag/events';
import { machine, policy } from '../memory/machine';
import { initIndex, PriorityIndex } from '../memory/priority_index';
import { clearBits, exchange, loadShared, setBits } from '../memory/shared_words';
import { noteArrival } from '../threads/arrivals';
import { injects, laneLimit, STRETCH_SHIFT } from '../threads/lane';
import { touchVirtual } from '../virt/outputs';
import { FIRST_LPI } from './intid';
import { touchCpu } from './outputs';

const CONFIG_ENABLE: u32 = 1;
/** Bit 1 of a configuration byte is RES1 and has no effect: in the cache it tells a cached byte from none. */
const CONFIG_CACHED: u32 = 2;
const CONFIG_PRIORITY: u32 = 0xfc;

/** LPIs that are looked at together where few are pending; a pending table holds a multiple of it. */
const STRIDE: u32 = 1 << STRETCH_SHIFT;

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
  /** A byte per INTID: the cached configuration, 0 where none is cached. */
  configCache: usize;
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
    this.forget(intid);
    if (this.isPending(intid)) this.indexOne(intid);
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
    store<u8>(this.configCache + intid, 0);
  }

  /** Every pending LPI that `to` has room for becomes pending there instead. */
  moveAll(to: LpiSet): void {
    if (this.pendingTable == 0 || to.pendingTable == 0) return;
    const end = min<u32>(this.end, to.end);
    for (let first = FIRST_LPI; first < end; first += 64) {
      const from = this.pendingWord(first);
      if (load<u64>(from) == 0) continue;
      const moved = exchange(from, 0);
      const old = setBits(to.pendingWord(first), moved);
      to.indexWord(first, moved & ~old);
    }
    this.invalidateAll();
  }

  /** Removes all pending state. */
  clearAll(): void {
    if (this.pendingTable == 0) return;
    this.forgetAll();
    memory.fill(this.pendingWord(FIRST_LPI), 0, (this.end - FIRST_LPI) >> 3);
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
      const config: u32 = load<u8>(this.configCache + intid);
      const expected = this.isPending(intid) && (config & CONFIG_ENABLE) != 0;
      const indexed = (config & CONFIG_CACHED) != 0 && this.best.has(intid, config & CONFIG_PRIORITY);
      if (expected != indexed) differences++;
    }
    return differences;
  }

  private touch(): void {
    if (this.isVirtual) touchVirtual(this.cpu);
    else touchCpu(this.cpu);
  }

  private forgetAll(): void {
    this.best.clear();
    if (this.caches) memory.fill(this.configCache + FIRST_LPI, 0, this.end - FIRST_LPI);
    this.caches = 0;
    this.touch();
  }

  /** Indexes everything pending of a set that has nothing cached. */
  private indexPending(): void {
    if (this.pendingTable == 0) return;
    for (let first = FIRST_LPI; first < this.end; first += STRIDE) {
      if (ASC_FEATURE_SIMD && this.nothingPending(first)) continue;
      this.indexStride(first);
    }
    this.touch();
  }

  private indexStride(first: u32): void {
    const inBulk = ASC_FEATURE_SIMD && this.configTable != 0;
    for (let next = first; next < first + STRIDE; next += 64) {
      const word = load<u64>(this.pendingWord(next));
      if (word == 0) continue;
      if (inBulk && word == ALL_PENDING) this.indexFullWord(next);
      else this.indexWord(next, word);
    }
  }

  /** Whether none of the next STRIDE LPIs is pending. */
  private nothingPending(first: u32): bool {
    const at = this.pendingWord(first);
    const low = v128.or(v128.load(at), v128.load(at, 16));
    const high = v128.or(v128.load(at, 32), v128.load(at, 48));
    return !v128.any_true(v128.or(low, high));
  }

  /** 64 pending LPIs of which none is cached, as a rule all with the same configuration. */
  private indexFullWord(first: u32): void {
    this.caches = 1;
    const kept = i8x16.splat(<i8>this.configMask);
    const cachedBit = i8x16.splat(<i8>CONFIG_CACHED);
    const table = this.configTable + (first - FIRST_LPI);
    const cache = this.configCache + first;
    const a = v128.or(v128.and(v128.load(table), kept), cachedBit);
    const b = v128.or(v128.and(v128.load(table, 16), kept), cachedBit);
    const c = v128.or(v128.and(v128.load(table, 32), kept), cachedBit);
    const d = v128.or(v128.and(v128.load(table, 48), kept), cachedBit);
    v128.store(cache, a);
    v128.store(cache, b, 16);
    v128.store(cache, c, 32);
    v128.store(cache, d, 48);
    const config: u32 = i8x16.extract_lane_u(a, 0);
    const wanted = i8x16.splat(<i8>config);
    const unlike = v128.or(
      v128.or(v128.xor(a, wanted), v128.xor(b, wanted)),
      v128.or(v128.xor(c, wanted), v128.xor(d, wanted)),
    );
    if (v128.any_true(unlike)) this.indexAlike(first, ALL_PENDING);
    else if (config & CONFIG_ENABLE) this.best.addWord(first >> 6, ALL_PENDING, config & CONFIG_PRIORITY);
  }

  private indexOne(intid: u32): void {
    const config = this.configOf(intid);
    if ((config & CONFIG_ENABLE) == 0) return;
    this.best.add(intid, config & CONFIG_PRIORITY);
    this.touch();
  }

  private unindex(intid: u32): void {
    const config: u32 = load<u8>(this.configCache + intid);
    if ((config & CONFIG_ENABLE) == 0) return;
    this.best.remove(intid, config & CONFIG_PRIORITY);
    this.touch();
  }

  /** Indexes the LPIs of one word of the pending table, those with equal configuration at once. */
  private indexWord(first: u32, members: u64): void {
    this.cacheWord(first, members);
    this.indexAlike(first, members);
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

  /** Reads the configuration of those members of a word that have none cached. */
  private cacheWord(first: u32, members: u64): void {
    if (ASC_FEATURE_SIMD && this.configTable) {
      this.caches = 1;
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

  /** The cached configuration byte, read from the table at first use. A table outside RAM reads as disabled. */
  private configOf(intid: u32): u32 {
    const cache = this.configCache + intid;
    const cached: u32 = load<u8>(cache);
    if (cached) return cached;
    const byte: u32 = this.configTable ? load<u8>(this.configTable + (intid - FIRST_LPI)) : 0;
    const config = (byte & this.configMask) | CONFIG_CACHED;
    this.caches = 1;
    store<u8>(cache, <u8>config);
    return config;
  }

  private pendingWord(intid: u32): usize {
    return this.pendingTable + ((intid >> 6) << 3);
  }
}

/** Which of 64 bytes equal `value`. */
function equalBytes(at: usize, value: u32): u64 {
  let equal: u64 = 0;
  if (ASC_FEATURE_SIMD) {
    const wanted = i8x16.splat(<i8>value);
    for (let lane: usize = 0; lane < 64; lane += 16) {
      equal |= (<u64>i8x16.bitmask(i8x16.eq(v128.load(at + lane), wanted))) << lane;
    }
  } else {
    for (let lane: usize = 0; lane < 64; lane++) {
      if (load<u8>(at + lane) == value) equal |= (<u64>1) << lane;
    }
  }
  return equal;
}

/** 16 bits as 16 bytes, each all ones or all zeros. */
function lanesOf(bits: u16): v128 {
  const place = i8x16(1, 2, 4, 8, 16, 32, 64, -128, 1, 2, 4, 8, 16, 32, 64, -128);
  const spread = i8x16.swizzle(i16x8.splat(<i16>bits), i8x16(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1));
  return i8x16.eq(v128.and(spread, place), place);
}

/** Bytes of a set with its index, without the planes. */
export const LPI_SET_BYTES: usize = ((offsetof<LpiSet>() + 7) & ~7) + ((offsetof<PriorityIndex>() + 7) & ~7);

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
