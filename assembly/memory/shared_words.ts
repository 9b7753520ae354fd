// Words that several threads work on. Each is aligned, and one access is indivisible and in one order for all threads;
// where the build has no threads it is an ordinary access.

export function loadShared(at: usize): u64 {
  if (ASC_FEATURE_THREADS) return atomic.load<u64>(at);
  return load<u64>(at);
}

export function storeShared(at: usize, value: u64): void {
  if (ASC_FEATURE_THREADS) atomic.store<u64>(at, value);
  else store<u64>(at, value);
}

/** Stores a word; what it was before. */
export function exchange(at: usize, value: u64): u64 {
  if (ASC_FEATURE_THREADS) return atomic.xchg<u64>(at, value);
  const old = load<u64>(at);
  store<u64>(at, value);
  return old;
}

/** Sets bits of a word; what it was before. */
export function setBits(at: usize, bits: u64): u64 {
  if (ASC_FEATURE_THREADS) return atomic.or<u64>(at, bits);
  const old = load<u64>(at);
  store<u64>(at, old | bits);
  return old;
}

/** Clears bits of a word; what it was before. */
export function clearBits(at: usize, bits: u64): u64 {
  if (ASC_FEATURE_THREADS) return atomic.and<u64>(at, ~bits);
  const old = load<u64>(at);
  store<u64>(at, old & ~bits);
  return old;
}

/** Clears some bits of a word and sets others, at once; what it was before. */
export function changeBits(at: usize, cleared: u64, set: u64): u64 {
  let old = loadShared(at);
  if (ASC_FEATURE_THREADS) {
    for (;;) {
      const seen = atomic.cmpxchg<u64>(at, old, (old & ~cleared) | set);
      if (seen == old) return old;
      old = seen;
    }
  }
  store<u64>(at, (old & ~cleared) | set);
  return old;
}
