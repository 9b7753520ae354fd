// What other threads have made pending. The pending bit is what counts, and it is set at once; the owner keeps the
// indexes, so it is told where to look: at which sets, and in a set at which stretches of 512 LPIs. A thread marks the
// stretch, then the set, then that there is anything; the owner clears in the opposite order before it looks.
import { redistributorOf } from '../gic/redistributor';
import { machine } from '../memory/machine';
import { exchange, loadShared, setBits } from '../memory/shared_words';
import { takeDropped } from './dropped';
import { ARRIVED, ARRIVED_PHYSICAL, ARRIVED_VIRTUAL, OWNER_SLEEPS, STRETCH_SHIFT } from './lane';

/** Bytes of the marks of a set. */
export function arrivalBytes(intidBits: u32): u32 {
  const shift = max<u32>(intidBits, 14) - STRETCH_SHIFT - 3;
  return max<u32>(64, (<u32>1) << shift);
}

/** An LPI of a set has become pending. */
export function noteArrival(marks: usize, intid: u32, cpu: u32, isVirtual: bool): void {
  const stretch = intid >> STRETCH_SHIFT;
  mark(marks, stretch);
  mark(machine().threads + (isVirtual ? ARRIVED_VIRTUAL : ARRIVED_PHYSICAL), cpu);
  announce();
}

/** Bits that are set already are left alone, so that threads do not contend for them. */
function mark(bits: usize, number: u32): void {
  const at = bits + ((number >> 6) << 3);
  const bit = (<u64>1) << (number & 63);
  if ((loadShared(at) & bit) == 0) setBits(at, bit);
}

/** Tells the owner that there is something, and wakes it where it sleeps. */
export function announce(): void {
  if (!ASC_FEATURE_THREADS) return;
  const at = machine().threads + ARRIVED;
  if (atomic.load<u32>(at) != 0 || atomic.xchg<u32>(at, 1) != 0) return;
  if (atomic.load<u32>(machine().threads + OWNER_SLEEPS)) atomic.notify(at, 1);
}

/** Takes in what has arrived; whether anything had. */
export function takeArrivals(): bool {
  if (!ASC_FEATURE_THREADS) return false;
  const threads = machine().threads;
  if (atomic.load<u32>(threads + ARRIVED) == 0) return false;
  atomic.store<u32>(threads + ARRIVED, 0);
  for (let index: u32 = 0; index < (machine().cpuCount + 63) >> 6; index++) {
    const offset = (<usize>index) << 3;
    let physical = exchange(threads + ARRIVED_PHYSICAL + offset, 0);
    for (; physical; physical &= physical - 1) {
      redistributorOf((index << 6) | <u32>ctz(physical)).physicalLpis.takeArrivals();
    }
    let virtual = exchange(threads + ARRIVED_VIRTUAL + offset, 0);
    for (; virtual; virtual &= virtual - 1) {
      redistributorOf((index << 6) | <u32>ctz(virtual)).virtualLpis.takeArrivals();
    }
  }
  takeDropped();
  return true;
}
