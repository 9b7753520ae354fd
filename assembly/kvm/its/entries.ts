// Devices, collections, mapped events and cached translations: taken from their pools, found by their keys at the cost of
// a short chain, kept on lists in the order of arrival.
import { INDEX_CHAINS } from './limits';
import { bytesOf, capacityOf, chainAt, Entry, List, poolOf, recordsAt } from './records';

/** The chain of a key. The multipliers spread ids that count up, which is what guests use. */
function chainOf(kind: u32, its: u32, id: u32, eventId: u32): usize {
  let hash = (its << 3) | kind;
  hash = (hash + id) * 0x9e3779b1;
  hash = (hash ^ (hash >> 15)) + eventId * 0x85ebca77;
  hash = (hash ^ (hash >> 13)) * 0xc2b2ae3d;
  return chainAt((hash ^ (hash >> 16)) & (INDEX_CHAINS - 1));
}

/** The record of a key, null for none. */
export function find(kind: u32, its: u32, id: u32, eventId: u32): Entry | null {
  let entry = load<Entry | null>(chainOf(kind, its, id, eventId));
  while (entry !== null) {
    if (entry.id == id && entry.eventId == eventId && entry.kind == kind && entry.its == its) return entry;
    entry = entry.chain;
  }
  return null;
}

/** A new record with a key, at the end of a list; null where none is left. */
export function add(kind: u32, its: u32, id: u32, eventId: u32, list: List): Entry | null {
  const entry = take(kind);
  if (entry === null) return null;
  entry.kind = kind;
  entry.its = its;
  entry.id = id;
  entry.eventId = eventId;
  const chain = chainOf(kind, its, id, eventId);
  entry.chain = load<Entry | null>(chain);
  store<Entry>(chain, entry);
  append(list, entry);
  return entry;
}

/** Takes a record off its list and gives it back. */
export function remove(entry: Entry, list: List): void {
  detach(list, entry);
  unchain(entry);
  const pool = poolOf(entry.kind);
  entry.chain = pool.free;
  pool.free = entry;
}

function take(kind: u32): Entry | null {
  const pool = poolOf(kind);
  let entry = pool.free;
  if (entry !== null) pool.free = entry.chain;
  else if (pool.fresh < capacityOf(kind)) {
    entry = changetype<Entry>(recordsAt(kind) + <usize>pool.fresh * bytesOf(kind));
    pool.fresh++;
  }
  if (entry !== null) memory.fill(changetype<usize>(entry), 0, bytesOf(kind));
  return entry;
}

function unchain(entry: Entry): void {
  let at = chainOf(entry.kind, entry.its, entry.id, entry.eventId);
  for (;;) {
    const other = load<Entry>(at);
    if (other == entry) break;
    at = changetype<usize>(other) + offsetof<Entry>('chain');
  }
  store<Entry | null>(at, entry.chain);
}

function append(list: List, entry: Entry): void {
  const last = list.last;
  entry.previous = last;
  entry.next = null;
  if (last !== null) last.next = entry;
  else list.first = entry;
  list.last = entry;
  list.length++;
}

function detach(list: List, entry: Entry): void {
  const previous = entry.previous;
  const next = entry.next;
  if (previous !== null) previous.next = next;
  else list.first = next;
  if (next !== null) next.previous = previous;
  else list.last = previous;
  list.length--;
}

/** Makes a record the last one of its list. */
export function moveToEnd(list: List, entry: Entry): void {
  if (list.last == entry) return;
  detach(list, entry);
  append(list, entry);
}

/** Puts a list in the order of ids, then of events: a merge sort from runs of one record on, each twice as long. */
export function sort(list: List): void {
  for (let run: u32 = 1; run < list.length; run <<= 1) mergeRuns(list, run);
}

/** Merges each run of `run` sorted records with the one behind it. */
function mergeRuns(list: List, run: u32): void {
  let rest = list.first;
  list.first = null;
  list.last = null;
  const length = list.length;
  list.length = 0;
  while (rest !== null) {
    let left = changetype<usize>(rest);
    let right = behind(left, run);
    const middle = right;
    const end = behind(right, run);
    while (left != middle || right != end) {
      const fromLeft = left != middle && (right == end || !isBefore(right, left));
      const entry = changetype<Entry>(fromLeft ? left : right);
      if (fromLeft) left = changetype<usize>(entry.next);
      else right = changetype<usize>(entry.next);
      append(list, entry);
    }
    rest = changetype<Entry | null>(end);
  }
  list.length = length;
}

/** The record `count` places behind another, 0 behind the end. */
function behind(entry: usize, count: u32): usize {
  let at = entry;
  for (let n: u32 = 0; n < count && at != 0; n++) at = changetype<usize>(changetype<Entry>(at).next);
  return at;
}

function isBefore(first: usize, second: usize): bool {
  const a = changetype<Entry>(first);
  const b = changetype<Entry>(second);
  return a.id != b.id ? a.id < b.id : a.eventId < b.eventId;
}
