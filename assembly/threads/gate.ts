// How translations by other threads and the owner's changes to what they read keep out of each other's way. A thread
// says which event it translates, then reads; the owner changes an entry, then looks who may have read the old one and
// waits for those alone. Entries are single words, so nobody ever sees half of a change; what takes several steps is
// changed behind a gate that holds new translations up.
import { Diagnostic } from '../abi';
import { report } from '../diag/diagnostics';
import { machine } from '../memory/machine';
import { GATE, Lane, LOST, laneAt, laneLimit, ownLane, stateAt, TAKEN } from './lane';

const UNDER_WAY: u64 = 1 << 63;
const DEVICE: u64 = 0xffff0000;
const DEVICE_AND_EVENT: u64 = 0xffffffff;

/**
 * Looks at a lane's word after which the owner gives it up: some seconds. There is no sleep in between: a translation
 * takes well below a microsecond, and V8's first compiler forgets local values over `memory.atomic.wait`.
 */
const PATIENCE: u64 = 1 << 33;

/** Bits of the IDs that tell one event from most others. */
function keyOf(deviceId: u32, eventId: u32): u64 {
  return (((deviceId ^ (deviceId >> 16)) & 0xffff) << 16) | ((eventId ^ (eventId >> 16)) & 0xffff);
}

// --- the thread that injects ---

/** Begins a translation; false where the owner has given this lane up. A further one ends the one before. */
export function beginTranslation(deviceId: u32, eventId: u32): bool {
  if (!ASC_FEATURE_THREADS) return false;
  const lane = ownLane();
  const key = keyOf(deviceId, eventId);
  while (lane.state == TAKEN) {
    lane.turns = (lane.turns + 1) & 0x7fffffff;
    atomic.store<u64>(changetype<usize>(lane), UNDER_WAY | ((<u64>lane.turns) << 32) | key);
    if (atomic.load<u32>(machine().threads + GATE) == 0) return true;
    endTranslation();
    awaitGate();
  }
  return false;
}

export function endTranslation(): void {
  if (ASC_FEATURE_THREADS) atomic.store<u64>(changetype<usize>(ownLane()), 0);
}

function awaitGate(): void {
  if (!ASC_FEATURE_THREADS) return;
  const gate = machine().threads + GATE;
  while (atomic.load<u32>(gate) != 0) {}
}

// --- the owner ---

/** Waits until nobody uses what the entry of an event was before. */
export function awaitEvent(deviceId: u32, eventId: u32): void {
  if (ASC_FEATURE_THREADS) awaitMatching(keyOf(deviceId, eventId), DEVICE_AND_EVENT);
}

/** Waits until nobody uses what the entry of a device was before: its interrupt translation table is free then. */
export function awaitDevice(deviceId: u32): void {
  if (ASC_FEATURE_THREADS) awaitMatching(keyOf(deviceId, 0), DEVICE);
}

/** Waits until all translations that are under way have ended. */
export function awaitTranslations(): void {
  if (ASC_FEATURE_THREADS) awaitMatching(0, 0);
}

/** From here to `openGate` no other thread translates. */
export function closeGate(): void {
  if (!ASC_FEATURE_THREADS) return;
  atomic.store<u32>(machine().threads + GATE, 1);
  awaitTranslations();
}

export function openGate(): void {
  if (ASC_FEATURE_THREADS) atomic.store<u32>(machine().threads + GATE, 0);
}

function awaitMatching(key: u64, mask: u64): void {
  const limit = laneLimit();
  for (let number: u32 = 0; number < limit; number++) {
    const lane = laneAt(number);
    const seen = atomic.load<u64>(changetype<usize>(lane));
    if ((seen & UNDER_WAY) != 0 && ((seen ^ key) & mask) == 0) awaitChange(lane, number, seen);
  }
}

function awaitChange(lane: Lane, number: u32, seen: u64): void {
  const at = changetype<usize>(lane);
  for (let looks: u64 = 0; looks < PATIENCE; looks++) {
    if (atomic.load<u64>(at) != seen) return;
  }
  report(Diagnostic.INJECTOR_LOST, number);
  atomic.store<u32>(stateAt(lane), LOST);
  atomic.store<u64>(at, 0);
}
