// Edge counters, looked at after each input and set back to zero. Of each edge the largest count seen is kept, as a mask:
// an input shows something new where it reaches a further power of two, which a whole word of counters tells at once.
import { EDGES, UNSEEN } from './areas';

/** Of counts 1, 2, 4 and 8 none was seen. Larger ones are not told apart: they would breed inputs that take long. */
const NEW_EDGE: u32 = 0x0f;
/** Counters that are looked at together; beyond the last one all are 0. */
const LINE: usize = 64;

/** Says how many edges there are, and that nothing of them was seen yet. */
export function fuzzBeginCoverage(edges: u32): void {
  memory.fill(EDGES, 0, edges);
  memory.fill(UNSEEN, <u8>NEW_EDGE, edges);
}

/** Takes what was counted: 2 for an edge never seen before, 1 for one seen twice as often as before, 0 for neither. */
export function fuzzTakeCoverage(edges: u32): u32 {
  let novelty: u32 = 0;
  for (let at: usize = 0; at < edges; at += LINE) {
    // Whole lines, without a look at what is in them: branches on it would be guessed wrong too often.
    const low = v128.or(unseenIn(at), unseenIn(at + 16));
    const high = v128.or(unseenIn(at + 32), unseenIn(at + 48));
    if (v128.any_true(v128.or(low, high))) novelty = max<u32>(novelty, learn(at));
    clearCounts(at);
    clearCounts(at + 16);
    clearCounts(at + 32);
    clearCounts(at + 48);
  }
  return novelty;
}

function unseenIn(at: usize): v128 {
  return v128.and(v128.load(EDGES + at), v128.load(UNSEEN + at));
}

function clearCounts(at: usize): void {
  v128.store(EDGES + at, i64x2.splat(0));
}

function learn(line: usize): u32 {
  let novelty: u32 = 0;
  for (let edge = line; edge < line + LINE; edge++) {
    const count: u32 = load<u8>(EDGES + edge);
    const unseen: u32 = load<u8>(UNSEEN + edge);
    if ((count & unseen) == 0) continue;
    novelty = max<u32>(novelty, unseen == NEW_EDGE ? 2 : 1);
    store<u8>(UNSEEN + edge, <u8>(unseen & ((<u32>0xff) << (32 - <u32>clz(count)))));
  }
  return novelty;
}

/** Sets the counters back, without looking. */
export function fuzzDropCoverage(edges: u32): void {
  memory.fill(EDGES, 0, edges);
}
