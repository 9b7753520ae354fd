/** Stores the count of a ring's records: who sees it, in any thread, sees the records that it counts. */
export function publishCount(at: usize, count: u32): void {
  if (ASC_FEATURE_THREADS) atomic.store<u32>(at, count);
  else store<u32>(at, count);
}
