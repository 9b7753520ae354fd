// MSIs that other threads saw dropped. They are counted at once; the owner, who keeps the ring of diagnostics and
// GITS_STATUSR, is told of them through a small ring in the lane.
import { Outcome } from '../abi';
import { itsOf } from '../its/its';
import { reportDropped, reportOverflow } from '../its/unmapped_msi';
import { announce } from './arrivals';
import { DROPPED_CAPACITY, Lane, laneAt, laneLimit, ownLane } from './lane';

export function noteDropped(its: u32, deviceId: u32, eventId: u32, outcome: Outcome): void {
  if (!ASC_FEATURE_THREADS) return;
  const lane = ownLane();
  const noted = lane.droppedNoted;
  if (noted - atomic.load<u32>(takenAt(lane)) >= DROPPED_CAPACITY) {
    atomic.store<u32>(changetype<usize>(lane) + offsetof<Lane>('droppedLost'), its + 1);
  } else {
    const record = lane.dropped(noted);
    record.its = its;
    record.deviceId = deviceId;
    record.eventId = eventId;
    record.outcome = outcome;
    atomic.store<u32>(notedAt(lane), noted + 1);
  }
  announce();
}

/** Reports what the lanes have noted. */
export function takeDropped(): void {
  if (!ASC_FEATURE_THREADS) return;
  const limit = laneLimit();
  for (let number: u32 = 0; number < limit; number++) {
    const lane = laneAt(number);
    const noted = atomic.load<u32>(notedAt(lane));
    for (let n = lane.droppedTaken; n != noted; n++) {
      const record = lane.dropped(n);
      reportDropped(itsOf(record.its), record.deviceId, record.eventId, record.outcome);
    }
    atomic.store<u32>(takenAt(lane), noted);
    const lost = atomic.xchg<u32>(changetype<usize>(lane) + offsetof<Lane>('droppedLost'), 0);
    if (lost) reportOverflow(itsOf(lost - 1));
  }
}

function notedAt(lane: Lane): usize {
  return changetype<usize>(lane) + offsetof<Lane>('droppedNoted');
}

function takenAt(lane: Lane): usize {
  return changetype<usize>(lane) + offsetof<Lane>('droppedTaken');
}
