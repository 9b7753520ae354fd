import { type Event, Outcome } from '../../assembly/abi.ts';
import { lowestBit } from './bits.ts';
import { PriorityIndex } from './priority_index.ts';
import { FIRST_LPI, INTID_BITS, LPI_LIMIT, type Shared } from './shared.ts';

const { PENDING, COALESCED, INTID_OUT_OF_RANGE, TABLE_FAULT } = Outcome;

const CONFIG_ENABLE = 1;
/** RES1 in a configuration byte: in the cache it tells a cached byte from none. */
const CONFIG_CACHED = 2;
const CONFIG_PRIORITY = 0xfc;
/** Five priority bits, and Enable. */
const CONFIG_MASK = 0xf9;
const CONFIG_MASKS = 0xf9f9_f9f9 | 0;
/** In place of the configuration that a word's LPIs have in common: what is cached of them stands with each. */
const EACH_ITS_OWN = 1;
const EACH_BYTE = 0x0101_0101;
const ALL_PENDING = -1;
/** LPIs that are looked at together where none, or all, may be pending. */
const STRIDE = 512;

/** Whose outputs depend on a set: it is told what is added to the pending and enabled LPIs, or taken from them. */
export interface LpiObserver {
  lpiAdded(intid: number, priority: number): void;
  lpiTaken(intid: number): void;
  lpisChanged(): void;
}

/** The physical LPIs of a PE, or the VLPIs of the vPE that is resident there. */
export class LpiSet {
  readonly index: PriorityIndex;
  /** The first INTID beyond the set. */
  end = 0;
  /** Offsets of the tables in RAM; -1 where a table is not wholly inside. */
  #config = -1;
  #pending = -1;
  #caches = false;
  readonly #shared: Shared;
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;
  readonly #cpu: number;
  readonly #observer: LpiObserver;
  readonly #becomesPending: Event;
  /** A byte per INTID: the cached configuration, 0 where none is cached or its word has one in common. */
  readonly #cacheWords = new Int32Array(2 ** INTID_BITS / 4);
  readonly #cache = new Uint8Array(this.#cacheWords.buffer);
  /** A byte per 32 INTIDs: 0 where none is cached, EACH_ITS_OWN, or the cached configuration of all of them. */
  readonly #commonWords = new Int32Array(2 ** INTID_BITS / 32 / 4);
  readonly #commons = new Uint8Array(this.#commonWords.buffer);

  constructor(shared: Shared, cpu: number, observer: LpiObserver, becomesPending: Event) {
    this.index = new PriorityIndex(shared.highestWinsTies);
    this.#shared = shared;
    this.#words = shared.ram.words;
    this.#bytes = shared.ram.bytes;
    this.#cpu = cpu;
    this.#observer = observer;
    this.#becomesPending = becomesPending;
  }

  setPending(intid: number): Outcome {
    if (intid < FIRST_LPI || intid >= this.end) return INTID_OUT_OF_RANGE;
    if (this.#pending < 0) return TABLE_FAULT;
    const at = (this.#pending >> 2) + (intid >> 5);
    const word = this.#words[at] as number;
    const bit = 1 << (intid & 31);
    if (word & bit) return COALESCED;
    this.#words[at] = word | bit;
    this.hasBecomePending(intid);
    return PENDING;
  }

  /** The pending bit of an LPI has just been set. */
  hasBecomePending(intid: number): void {
    this.#indexOne(intid);
    this.#shared.events.emit(this.#becomesPending, this.#cpu, intid, 0);
  }

  isPending(intid: number): boolean {
    if (intid < FIRST_LPI || intid >= this.end || this.#pending < 0) return false;
    return (((this.#words[(this.#pending >> 2) + (intid >> 5)] as number) >> (intid & 31)) & 1) !== 0;
  }

  /** Removes the pending state of an LPI; tells whether there was any. */
  clearPending(intid: number): boolean {
    if (!this.isPending(intid)) return false;
    this.take(intid);
    return true;
  }

  /** An LPI that is pending stops being so. */
  take(intid: number): void {
    const at = (this.#pending >> 2) + (intid >> 5);
    this.#words[at] = (this.#words[at] as number) & ~(1 << (intid & 31));
    this.#unindex(intid);
  }

  /** The configuration of one LPI is read again and takes effect. */
  invalidate(intid: number): void {
    if (intid < FIRST_LPI || intid >= this.end) return;
    const isPending = this.isPending(intid);
    if (isPending && this.#readConfig(intid) === this.#cachedConfig(intid)) return;
    this.#forget(intid);
    if (isPending) this.#indexOne(intid);
  }

  /** The configuration of all LPIs is read again and takes effect. */
  invalidateAll(): void {
    this.#forgetAll();
    this.#indexPending();
  }

  /** Takes tables into use, with what is pending in them; offsets in RAM. */
  attach(end: number, config: number, pending: number): void {
    this.end = end;
    this.#config = config;
    this.#pending = pending;
    this.#indexPending();
    this.#observer.lpisChanged();
  }

  /** Lets go of the tables; pending bits stay in theirs. */
  detach(): void {
    this.#forgetAll();
    this.end = 0;
    this.#config = -1;
    this.#pending = -1;
    this.#observer.lpisChanged();
  }

  #forget(intid: number): void {
    if (intid < FIRST_LPI || intid >= LPI_LIMIT) return;
    this.#unindex(intid);
    const common = this.#commons[intid >> 5] as number;
    if (common & CONFIG_CACHED) {
      const from = (intid & ~31) >> 2;
      this.#cacheWords.fill(Math.imul(common, EACH_BYTE), from, from + 8);
      this.#commons[intid >> 5] = EACH_ITS_OWN;
    }
    this.#cache[intid] = 0;
  }

  #forgetAll(): void {
    this.index.clear();
    if (this.#caches) this.#forgetConfigs();
    this.#caches = false;
    this.#observer.lpisChanged();
  }

  #forgetConfigs(): void {
    const commons = this.#commonWords;
    for (let at = FIRST_LPI >> 7; at < this.end >> 7; at++) {
      const common = commons[at] as number;
      if (common === 0) continue;
      commons[at] = 0;
      // Bytes of which bit 0 is set and bit 1 is not; 32 LPIs stand 8 bits from the next.
      for (let own = common & ~(common >>> 1) & EACH_BYTE; own !== 0; own &= own - 1) {
        const from = (at << 5) | lowestBit(own);
        this.#cacheWords.fill(0, from, from + 8);
      }
    }
  }

  /** Indexes everything pending of a set that has nothing cached. */
  #indexPending(): void {
    if (this.#pending < 0) return;
    for (let first = FIRST_LPI; first < this.end; first += STRIDE) this.#indexStride(first);
    this.#observer.lpisChanged();
  }

  /** Indexes what is pending of STRIDE LPIs of which nothing is cached. */
  #indexStride(first: number): void {
    const words = this.#words;
    const from = (this.#pending >> 2) + (first >> 5);
    let any = 0;
    let all = ALL_PENDING;
    for (let at = from; at < from + STRIDE / 32; at++) {
      const word = words[at] as number;
      any |= word;
      all &= word;
    }
    if (any === 0) return;
    if (all === ALL_PENDING && this.#haveCommonConfig(first, STRIDE)) {
      const config = this.#readConfig(first);
      this.#caches = true;
      for (let at = first >> 7; at < (first + STRIDE) >> 7; at++) {
        this.#commonWords[at] = Math.imul(config, EACH_BYTE);
      }
      if (config & CONFIG_ENABLE) this.index.addSixteen(first >> 5, config & CONFIG_PRIORITY);
      return;
    }
    for (let n = 0; n < STRIDE / 32; n++) {
      const word = words[from + n] as number;
      if (word !== 0) this.#indexWord(first + 32 * n, word);
    }
  }

  /** Whether the configuration table has the same for all of the next LPIs, a multiple of 32. */
  #haveCommonConfig(first: number, count: number): boolean {
    if (this.#config < 0) return true;
    const words = this.#words;
    const from = (this.#config + first - FIRST_LPI) >> 2;
    const wanted = Math.imul((words[from] as number) & 0xff, EACH_BYTE);
    let unlike = 0;
    for (let at = from; at < from + (count >> 2); at += 8) {
      unlike |= (words[at] as number) ^ wanted;
      unlike |= (words[at + 1] as number) ^ wanted;
      unlike |= (words[at + 2] as number) ^ wanted;
      unlike |= (words[at + 3] as number) ^ wanted;
      unlike |= (words[at + 4] as number) ^ wanted;
      unlike |= (words[at + 5] as number) ^ wanted;
      unlike |= (words[at + 6] as number) ^ wanted;
      unlike |= (words[at + 7] as number) ^ wanted;
    }
    return (unlike & CONFIG_MASKS) === 0;
  }

  /** Indexes LPIs of one word of the pending table, those with equal configuration at once. */
  #indexWord(first: number, members: number): void {
    if ((members & (members - 1)) === 0) {
      this.#indexOne(first | lowestBit(members));
      return;
    }
    const at = first >> 5;
    if (members === ALL_PENDING && this.#commons[at] === 0 && this.#haveCommonConfig(first, 32)) {
      this.#caches = true;
      this.#commons[at] = this.#readConfig(first);
    }
    const common = this.#commons[at] as number;
    if ((common & CONFIG_CACHED) === 0) this.#indexAlike(first, members);
    else if (common & CONFIG_ENABLE) this.index.addWord(at, members, common & CONFIG_PRIORITY);
  }

  #indexAlike(first: number, members: number): void {
    let rest = members;
    while (rest !== 0) {
      const config = this.#configOf(first + lowestBit(rest));
      let alike = 0;
      for (let others = rest; others !== 0; others &= others - 1) {
        const n = lowestBit(others);
        if (this.#configOf(first + n) === config) alike |= 1 << n;
      }
      if (config & CONFIG_ENABLE) this.index.addWord(first >> 5, alike, config & CONFIG_PRIORITY);
      rest &= ~alike;
    }
  }

  #indexOne(intid: number): void {
    const config = this.#configOf(intid);
    if ((config & CONFIG_ENABLE) === 0) return;
    const priority = config & CONFIG_PRIORITY;
    this.index.add(intid, priority);
    this.#observer.lpiAdded(intid, priority);
  }

  #unindex(intid: number): void {
    const config = this.#cachedConfig(intid);
    if ((config & CONFIG_ENABLE) === 0) return;
    this.index.remove(intid, config & CONFIG_PRIORITY);
    this.#observer.lpiTaken(intid);
  }

  /** The cached configuration byte, 0 for none. */
  #cachedConfig(intid: number): number {
    const own = this.#cache[intid] as number;
    if (own !== 0) return own;
    const common = this.#commons[intid >> 5] as number;
    return common & CONFIG_CACHED ? common : 0;
  }

  /** The cached configuration byte, read from the table at first use. */
  #configOf(intid: number): number {
    const cached = this.#cachedConfig(intid);
    if (cached !== 0) return cached;
    const config = this.#readConfig(intid);
    this.#caches = true;
    this.#commons[intid >> 5] = EACH_ITS_OWN;
    this.#cache[intid] = config;
    return config;
  }

  /** What is to be cached of an LPI. A table outside RAM reads as disabled. */
  #readConfig(intid: number): number {
    const byte = this.#config < 0 ? 0 : (this.#bytes[this.#config + intid - FIRST_LPI] as number);
    return (byte & CONFIG_MASK) | CONFIG_CACHED;
  }
}
