// What is cached of the LPIs' configuration table: a byte is read at first use, and again after an invalidation, as
// hardware does (section 4.4).
//
// Where whole words of the pending table come into use at once, as a rule all their LPIs have the same configuration:
// it is kept once for the word, so that what a vPE with many pending VLPIs costs when it becomes resident is to read
// its tables.
import { areAlike, EACH_BYTE, fill64, lanesOf } from '../memory/bytes';
import { FIRST_LPI } from './intid';

export const CONFIG_ENABLE: u32 = 1;
/** Bit 1 of a configuration byte is RES1 and has no effect: in the cache it tells a cached byte from none. */
export const CONFIG_CACHED: u32 = 2;
export const CONFIG_PRIORITY: u32 = 0xfc;
/** In place of the configuration that a word's LPIs have in common: what is cached of them stands with each. */
const EACH_ITS_OWN: u32 = 1;

@unmanaged
export class LpiConfigs {
  /** The first INTID beyond the set; FIRST_LPI or less for an empty range. */
  end: u32;
  /** Linear address of the configuration table; 0 where it is not wholly inside RAM. */
  configTable: usize;
  /** A byte per INTID: the cached configuration, 0 where none is cached or its word has one in common. */
  configCache: usize;
  /** A byte per 64 INTIDs: 0 where none is cached, EACH_ITS_OWN, or the cached configuration of all of them. */
  commonConfigs: usize;
  /** Whether anything is cached. */
  caches: u32;
  /** Bits of a configuration byte that matter: implemented priority bits and Enable. */
  configMask: u32;

  /** The cached configuration byte, 0 for none. */
  cachedConfig(intid: u32): u32 {
    const own: u32 = load<u8>(this.configCache + intid);
    if (own) return own;
    return this.commonConfig(intid);
  }

  /** The configuration that the LPIs of a word have in common, 0 where none is cached or each has its own. */
  commonConfig(intid: u32): u32 {
    const common: u32 = load<u8>(this.commonConfigs + (intid >> 6));
    return common & CONFIG_CACHED ? common : 0;
  }

  /** Whether nothing is cached of the 512 LPIs from a multiple of 512 on. */
  cachesNone(first: u32): bool {
    return load<u64>(this.commonConfigs + (first >> 6)) == 0;
  }

  /** Drops what is cached of one LPI. */
  forgetConfig(intid: u32): void {
    const common = this.commonConfig(intid);
    if (common) {
      fill64(this.configCache + (intid & ~63), common * EACH_BYTE);
      store<u8>(this.commonConfigs + (intid >> 6), <u8>EACH_ITS_OWN);
    }
    store<u8>(this.configCache + intid, 0);
  }

  /** Drops all that is cached. */
  forgetConfigs(): void {
    if (this.caches == 0) return;
    this.caches = 0;
    for (let first = FIRST_LPI; first < this.end; first += 512) {
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

  /** Whether the configuration table has the same for all of the next LPIs, a multiple of 64. */
  haveCommonConfig(first: u32, count: u32): bool {
    return this.configTable == 0 || areAlike(this.configTable + (first - FIRST_LPI), count, this.configMask);
  }

  /** Caches the configuration of the LPIs of a word, where it is the same for all; it, or 0. */
  cacheCommon(first: u32): u32 {
    const at = this.commonConfigs + (first >> 6);
    if (load<u8>(at) == 0 && this.haveCommonConfig(first, 64)) {
      this.caches = 1;
      store<u8>(at, <u8>this.readConfig(first));
    }
    return this.commonConfig(first);
  }

  /** Caches the configuration of 512 LPIs, from a multiple of 512 on, which is the same for all; it. */
  cacheEight(first: u32): u32 {
    const config = this.readConfig(first);
    this.caches = 1;
    store<u64>(this.commonConfigs + (first >> 6), config * EACH_BYTE);
    return config;
  }

  /** Reads the configuration of those members of a word, which has none in common, that have none cached. */
  cacheWord(first: u32, members: u64): void {
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
  configOf(intid: u32): u32 {
    const cached = this.cachedConfig(intid);
    if (cached) return cached;
    const config = this.readConfig(intid);
    this.caches = 1;
    store<u8>(this.commonConfigs + (intid >> 6), <u8>EACH_ITS_OWN);
    store<u8>(this.configCache + intid, <u8>config);
    return config;
  }

  /** What is to be cached of an LPI. A table outside RAM reads as disabled. */
  readConfig(intid: u32): u32 {
    const byte: u32 = this.configTable ? load<u8>(this.configTable + (intid - FIRST_LPI)) : 0;
    return (byte & this.configMask) | CONFIG_CACHED;
  }
}

/**
 * Memory for the cached configuration of a set. A cache line is left out, lest the sets of all PEs compete for the same
 * few places in the host's caches.
 */
export function lpiConfigBytes(intidBits: u32): u32 {
  return (1 << intidBits) + (1 << (intidBits - 6)) + 64;
}
