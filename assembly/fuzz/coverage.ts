// Edge counters, looked at after each input and set back to zero. Of each edge the largest count seen is kept, as a mask:
// an input shows something new where it reaches a further power of two, which a whole word of counters tells at once.
import { EDGES, UNSEEN } from './areas';

/** Of counts 1, 2, 4 and 8 none was seen. Larger ones are not told apart: they would breed inputs that take long. */
const NEW_EDGE: u32 = 0x0f;

/** Says how many edges there are, and that nothing of them was seen yet. */
export function fuzzBeginCoverage(edges: u32): void {
  memory.fill(EDGES, 0, edges);
  memory.fill(UNSEEN, <u8>NEW_EDGE, edges);
}

/** Takes what was counted: 2 for an edge never seen before, 1 for one seen twice as often as before, 0 for neither. */
export function fuzzTakeCoverage(edges: u32): u32 {
  let novelty: u32 = 0;
  for (let at: usize = 0; at < edges; at += 8) {
    const counts = load<u64>(EDGES + at);
    if (counts == 0) continue;
    store<u64>(EDGES + at, 0);
    if (counts & load<u64>(UNSEEN + at)) novelty = max<u32>(novelty, learn(at, counts));
  }
  return novelty;
}

function learn(first: usize, counts: u64): u32 {
  let novelty: u32 = 0;
  let edge = first;
  for (let rest = counts; rest; rest >>= 8) {
    const count = <u32>rest & 0xff;
    const unseen: u32 = load<u8>(UNSEEN + edge);
    if (count & unseen) {
      novelty = max<u32>(novelty, unseen == NEW_EDGE ? 2 : 1);
      store<u8>(UNSEEN + edge, <u8>(unseen & ((<u32>0xff) << (32 - <u32>clz(count)))));
    }
    edge++;
  }
  return novelty;
}

/** Sets the counters back, without looking. */
export function fuzzDropCoverage(edges: u32): void {
  memory.fill(EDGES, 0, edges);
}
