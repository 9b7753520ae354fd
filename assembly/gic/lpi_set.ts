// A set of pending LPIs with their configuration: the physical LPIs of a redistributor, or the VLPIs of the vPE that
// is resident there. Pending bits live in the architected pending table in RAM and are always current; configuration
// bytes are cached at first use, as hardware caches them. The index holds exactly the LPIs that are pending and whose
// cached configuration enables them. (Sections 4.1 to 4.4.)
import { Counter, Event, Outcome, Policy } from '../abi';
import { emit } from '../diag/events';
import { anyOf64, equalBytes } from '../memory/bytes';
import { countMany } from '../memory/counters';
import { machine, policy } from '../memory/machine';
import { initIndex, PriorityIndex } from '../memory/priority_index';
import { clearBits, exchange, loadShared, setBits } from '../memory/shared_words';
import { noteArrival } from '../threads/arrivals';
import { injects, laneLimit, STRETCH_SHIFT } from '../threads/lane';
import { touchForVlpi, touchVirtual, touchWithoutVlpi } from '../virt/outputs';
import { FIRST_LPI } from './intid';
import { CONFIG_CACHED, CONFIG_ENABLE, CONFIG_PRIORITY, LpiConfigs } from './lpi_configs';
import { touchForLpi, touchLpis, touchWithoutLpi } from './outputs';

/** LPIs that are looked at together where few are pending; a pending table holds a multiple of it. */
const STRIDE: u32 = 1 << STRETCH_SHIFT;

/** LPIs that are looked at together where none may be: their bits come from memory at the same time. */
const SPAN: u32 = 4 * STRIDE;

/** A word of the pending table with all bits set. */
const ALL_PENDING: u64 = 0xffffffffffffffff;

@unmanaged
export class LpiSet extends LpiConfigs {
  /** PE whose outputs depend on the set: the physical ones, or those to its guest. */
  cpu: u32;
  isVirtual: u32;
  /** Linear address of the pending table; 0 where it is not wholly inside RAM. */
  pendingTable: usize;
  /** Pending and enabled. */
  index: usize;
  /** A bit for each 512 LPIs of which other threads have made one pending. */
  arrivals: usize;

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
    this.forgetConfig(intid);
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

  private touch(): void {
    if (this.isVirtual) touchVirtual(this.cpu);
    else touchLpis(this.cpu);
  }

  private forgetAll(): void {
    this.best.clear();
    this.forgetConfigs();
    this.touch();
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
      const config = this.cacheEight(first);
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
    const fresh = to.cachesNone(first);
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
    const common = members == ALL_PENDING ? this.cacheCommon(first) : this.commonConfig(first);
    if (common == 0) {
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

  private pendingWord(intid: u32): usize {
    return this.pendingTable + ((intid >> 6) << 3);
  }
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
