import { Outcome } from '../../assembly/abi.ts';
import type { CpuMarks } from './cpu_marks.ts';
import { lowestBit, PriorityIndex } from './priority_index.ts';
import type { Ram } from './ram.ts';

export const FIRST_LPI = 8192;

const CONFIG_ENABLE = 1;
const CONFIG_CACHED = 2;
const CONFIG_PRIORITY = 0xfc;
/** Five priority bits, and Enable. */
const CONFIG_MASK = 0xf9;
const CONFIG_MASKS = 0xf9f9_f9f9 | 0;
const CONFIGS_CACHED = 0x0202_0202;
const ALL_PENDING = -1;
/** LPIs that are looked at together where few are pending. */
const STRIDE = 512;

/** The physical LPIs of a PE, or the VLPIs of the vPE that is resident there. */
export class LpiSet {
  readonly index = new PriorityIndex();
  /** The first INTID beyond the set. */
  end = 0;
  #config = -1;
  #pending = -1;
  #caches = false;
  readonly #ram: Ram;
  readonly #dirty: CpuMarks;
  readonly #cpu: number;
  readonly #cacheWords = new Int32Array(2 ** 16 / 4);
  readonly #cache = new Uint8Array(this.#cacheWords.buffer);

  /** `dirty` marks the PEs whose outputs depend on their sets. */
  constructor(ram: Ram, dirty: CpuMarks, cpu: number) {
    this.#ram = ram;
    this.#dirty = dirty;
    this.#cpu = cpu;
  }

  setPending(intid: number): Outcome {
    if (intid < FIRST_LPI || intid >= this.end) return Outcome.INTID_OUT_OF_RANGE;
    if (this.#pending < 0) return Outcome.TABLE_FAULT;
    const { words } = this.#ram;
    const at = (this.#pending >> 2) + (intid >> 5);
    const word = words[at] as number;
    const bit = 1 << (intid & 31);
    if (word & bit) return Outcome.COALESCED;
    words[at] = word | bit;
    this.#indexOne(intid);
    return Outcome.PENDING;
  }

  isPending(intid: number): boolean {
    if (intid < FIRST_LPI || intid >= this.end || this.#pending < 0) return false;
    return (((this.#ram.words[(this.#pending >> 2) + (intid >> 5)] as number) >> (intid & 31)) & 1) !== 0;
  }

  clearPending(intid: number): void {
    if (this.isPending(intid)) this.take(intid);
  }

  /** An LPI that is pending stops being so. */
  take(intid: number): void {
    const { words } = this.#ram;
    const at = (this.#pending >> 2) + (intid >> 5);
    words[at] = (words[at] as number) & ~(1 << (intid & 31));
    this.#unindex(intid);
  }

  /** The configuration of one LPI is read again and takes effect. */
  invalidate(intid: number): void {
    if (intid < FIRST_LPI || intid >= this.end) return;
    this.#unindex(intid);
    this.#cache[intid] = 0;
    if (this.isPending(intid)) this.#indexOne(intid);
  }

  /** Takes tables into use, with what is pending in them; offsets in RAM. */
  attach(end: number, config: number, pending: number): void {
    this.end = end;
    this.#config = config;
    this.#pending = pending;
    if (pending >= 0) {
      for (let first = FIRST_LPI; first < end; first += STRIDE) {
        if (!this.#nothingPending(first)) this.#indexStride(first);
      }
    }
    this.#dirty.mark(this.#cpu);
  }

  /** Lets go of the tables; pending bits stay in theirs. */
  detach(): void {
    this.index.clear();
    if (this.#caches) this.#cache.fill(0, FIRST_LPI, this.end);
    this.#caches = false;
    this.end = 0;
    this.#config = -1;
    this.#pending = -1;
    this.#dirty.mark(this.#cpu);
  }

  #nothingPending(first: number): boolean {
    const { words } = this.#ram;
    const at = (this.#pending >> 2) + (first >> 5);
    let any = 0;
    for (let n = 0; n < STRIDE / 32; n++) any |= words[at + n] as number;
    return any === 0;
  }

  #indexStride(first: number): void {
    for (let next = first; next < first + STRIDE; next += 32) {
      const word = this.#ram.words[(this.#pending >> 2) + (next >> 5)] as number;
      if (word === 0) continue;
      if (word === ALL_PENDING && this.#config >= 0) this.#indexFullWord(next);
      else this.#indexWord(next, word);
    }
  }

  /** 32 pending LPIs of which none is cached, as a rule all with the same configuration: four bytes at a time. */
  #indexFullWord(first: number): void {
    const { words } = this.#ram;
    const cache = this.#cacheWords;
    const from = (this.#config + first - FIRST_LPI) >> 2;
    const to = first >> 2;
    this.#caches = true;
    const wanted = ((words[from] as number) & CONFIG_MASKS) | CONFIGS_CACHED;
    let unlike = wanted ^ ((wanted << 8) | (wanted >>> 24));
    for (let n = 0; n < 8; n++) {
      const configs = ((words[from + n] as number) & CONFIG_MASKS) | CONFIGS_CACHED;
      cache[to + n] = configs;
      unlike |= configs ^ wanted;
    }
    const config = wanted & 0xff;
    if (unlike !== 0) this.#indexWord(first, ALL_PENDING);
    else if (config & CONFIG_ENABLE) this.index.addWord(first >> 5, ALL_PENDING, config & CONFIG_PRIORITY);
  }

  /** Indexes LPIs of one word of the pending table, those with equal configuration at once. */
  #indexWord(first: number, members: number): void {
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
    this.index.add(intid, config & CONFIG_PRIORITY);
    this.#dirty.mark(this.#cpu);
  }

  #unindex(intid: number): void {
    const config = this.#cache[intid] as number;
    if ((config & CONFIG_ENABLE) === 0) return;
    this.index.remove(intid, config & CONFIG_PRIORITY);
    this.#dirty.mark(this.#cpu);
  }

  /** The cached configuration byte, read from the table at first use. */
  #configOf(intid: number): number {
    const cached = this.#cache[intid] as number;
    if (cached !== 0) return cached;
    const byte = this.#config < 0 ? 0 : (this.#ram.bytes[this.#config + intid - FIRST_LPI] as number);
    const config = (byte & CONFIG_MASK) | CONFIG_CACHED;
    this.#caches = true;
    this.#cache[intid] = config;
    return config;
  }
}
