/**
 * Leaves out parts of a failing sequence for as long as it fails: first halves, then ever smaller parts, again until
 * nothing can be left out or the time is over.
 */
export async function minimise<Item>(
  items: readonly Item[],
  fails: (items: readonly Item[]) => boolean | Promise<boolean>,
  milliseconds: number,
): Promise<readonly Item[]> {
  const end = performance.now() + milliseconds;
  let least = items;
  for (let shorter = true; shorter; ) {
    const before = least.length;
    for (let size = Math.ceil(least.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
      for (let at = 0; at < least.length; ) {
        if (performance.now() > end) return least;
        const fewer = [...least.slice(0, at), ...least.slice(at + size)];
        if (await fails(fewer)) least = fewer;
        else at += size;
      }
    }
    shorter = least.length < before;
  }
  return least;
}
