// What the engine exports for threads beside the owner.
import { Outcome } from '../abi';
import { settle } from '../gic/outputs';
import { translateMsi } from '../its/translation';
import { takeArrivals as take } from './arrivals';
import { beginTranslation, endTranslation } from './gate';
import { BATCH_CAPACITY, freeLane, injects, ownLane, takeLane } from './lane';

/** The lane of this instance is gone: nothing was sent. */
const NO_LANE: i32 = -1;

/** Makes this instance one that injects: the number of its lane, -1 where all are taken. */
export function openInjector(): i32 {
  return takeLane();
}

export function closeInjector(lane: u32): void {
  freeLane(lane);
}

/** As `sendMsi`, from an instance that injects; -1 where the owner has given its lane up. */
export function injectMsi(its: u32, deviceId: u32, eventId: u32): i32 {
  if (!injects() || !beginTranslation(deviceId, eventId)) return NO_LANE;
  const outcome = translateMsi(its, deviceId, eventId);
  endTranslation();
  return outcome;
}

/** Sends the first `count` MSIs of the lane's batch; how many were not dropped, -1 where the lane was given up. */
export function injectMsis(its: u32, count: u32): i32 {
  if (!injects()) return NO_LANE;
  const lane = ownLane();
  const end = min<u32>(count, BATCH_CAPACITY);
  let taken: i32 = 0;
  for (let n: u32 = 0; n < end; n++) {
    const msi = lane.batched(n);
    if (!beginTranslation(msi.deviceId, msi.eventId)) return NO_LANE;
    if (translateMsi(its, msi.deviceId, msi.eventId) <= Outcome.COALESCED) taken++;
  }
  endTranslation();
  return taken;
}

/** The owner takes in what other threads have sent; whether there was anything. */
export function takeArrivals(): bool {
  if (!ASC_FEATURE_THREADS || !take()) return false;
  settle();
  return true;
}
