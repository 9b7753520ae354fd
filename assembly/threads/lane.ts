// Threads that inject MSIs beside the one that owns the machine. Each runs an instance of the engine of its own on the
// machine's memory, and has a lane: the part of that memory that it alone writes, so that no two threads share a cache
// line but for what they both mean to change.
//
// The area begins with what the threads share, a cache line each:
//
//      0  gate: not 0 while the owner changes what a translation reads in several steps
//     64  the number of lanes that have ever been in use
//    128  arrived: something has come from a lane that the owner has not seen yet
//    132  the owner sleeps until something arrives
//    192  PEs whose physical LPIs have arrivals, a bit each
//    256  PEs whose VLPIs have arrivals, a bit each
//    320  lanes
import { Counter } from '../abi';
import { machine } from '../memory/machine';

export const GATE: usize = 0;
export const LANE_LIMIT: usize = 64;
export const ARRIVED: usize = 128;
export const OWNER_SLEEPS: usize = 132;
export const ARRIVED_PHYSICAL: usize = 192;
export const ARRIVED_VIRTUAL: usize = 256;
export const LANES_AT: usize = 320;

export const LANES: u32 = 64;

/** 2^9 LPIs share a mark of an arrival. */
export const STRETCH_SHIFT: u32 = 9;

/** Dropped MSIs of a lane that wait for the owner to report them. */
export const DROPPED_CAPACITY: u32 = 16;
/** MSIs that a thread can hand over in one call. */
export const BATCH_CAPACITY: u32 = 1024;

/** States of a lane. */
export const FREE: u32 = 0;
export const TAKEN: u32 = 1;
/** Its thread ended, or stood still, in the middle of a translation, and the owner has given it up. */
export const LOST: u32 = 2;

@unmanaged
export class DroppedMsi {
  its: u32;
  deviceId: u32;
  eventId: u32;
  outcome: u32;
}

/** An MSI of a batch. */
@unmanaged
export class BatchedMsi {
  deviceId: u32;
  eventId: u32;
}

@unmanaged
export class Lane {
  /**
   * The translation under way: [63] there is one | [62:32] the how-many-eth it is | [31:16] bits of its DeviceID |
   * [15:0] bits of its EventID. The only word of a lane that the owner waits for.
   */
  underWay: u64;
  turns: u32;
  state: u32;
  /** Dropped MSIs noted, those that the owner has taken, and whether there were more than there was room for. */
  droppedNoted: u32;
  droppedTaken: u32;
  droppedLost: u32;

  get counters(): usize {
    return changetype<usize>(this) + COUNTERS_AT;
  }

  dropped(n: u32): DroppedMsi {
    const slot = n % DROPPED_CAPACITY;
    return changetype<DroppedMsi>(
      changetype<usize>(this) + DROPPED_AT + <usize>slot * offsetof<DroppedMsi>(),
    );
  }

  batched(n: u32): BatchedMsi {
    return changetype<BatchedMsi>(changetype<usize>(this) + BATCH_AT + <usize>n * offsetof<BatchedMsi>());
  }
}

export const COUNTERS_AT: usize = 64;
const DROPPED_AT: usize = (COUNTERS_AT + <usize>Counter.COUNT * 8 + 63) & ~63;
export const BATCH_AT: usize = DROPPED_AT + <usize>DROPPED_CAPACITY * offsetof<DroppedMsi>();
export const LANE_BYTES: usize = BATCH_AT + <usize>BATCH_CAPACITY * offsetof<BatchedMsi>();
export const THREADS_BYTES: usize = LANES_AT + <usize>LANES * LANE_BYTES;

export function laneAt(number: u32): Lane {
  return changetype<Lane>(machine().threads + LANES_AT + <usize>number * LANE_BYTES);
}

/** The lane of this instance; null in the owner's. */
let own: usize = 0;

/** Whether this instance only injects MSIs into a machine that another one owns. */
export function injects(): bool {
  return ASC_FEATURE_THREADS && own != 0;
}

export function ownLane(): Lane {
  return changetype<Lane>(own);
}

/** Gives this instance a lane: its number, or -1 where all are taken. */
export function takeLane(): i32 {
  if (ASC_FEATURE_THREADS) {
    for (let number: u32 = 0; number < LANES; number++) {
      const lane = laneAt(number);
      if (atomic.cmpxchg<u32>(stateAt(lane), FREE, TAKEN) != FREE) continue;
      raiseLimit(number + 1);
      own = changetype<usize>(lane);
      return number;
    }
  }
  return -1;
}

/** Frees a lane whose thread injects no more. What it counted stays counted. One that was lost stays so: its thread may wake up. */
export function freeLane(number: u32): void {
  if (!ASC_FEATURE_THREADS) return;
  const lane = laneAt(number);
  if (number >= LANES || lane.state != TAKEN) return;
  atomic.store<u64>(changetype<usize>(lane), 0);
  atomic.store<u32>(stateAt(lane), FREE);
}

export function stateAt(lane: Lane): usize {
  return changetype<usize>(lane) + offsetof<Lane>('state');
}

function raiseLimit(limit: u32): void {
  if (!ASC_FEATURE_THREADS) return;
  const at = machine().threads + LANE_LIMIT;
  let old = atomic.load<u32>(at);
  while (old < limit) {
    const seen = atomic.cmpxchg<u32>(at, old, limit);
    if (seen == old) return;
    old = seen;
  }
}

/** Lanes that may be in use are those below. */
export function laneLimit(): u32 {
  return ASC_FEATURE_THREADS ? atomic.load<u32>(machine().threads + LANE_LIMIT) : 0;
}
