// What becomes of the interrupts of one origin: each that was fired is delivered, merged with another, dropped, or still
// on its way. An interrupt can wait in at most three places at once: pending at the host, in memory, in a list register.

import { isNull, VgicIrq } from '../kvm/vgic_irq';
import { machine } from '../memory/machine';
import { simTables } from './areas';
import { now } from './clock';
import { addToHistogram, HISTOGRAMS_OF_VCPU } from './histogram';

const SGIS: u32 = 16;
const MOST_PENDING: u32 = 4;

@unmanaged
export class Flow {
  injected: u64;
  delivered: u64;
  coalesced: u64;
  dropped: u64;
  repeated: u64;
  /** When those were fired that are on their way, oldest first. */
  time0: u64;
  time1: u64;
  time2: u64;
  time3: u64;
  pending: u32;
  histogram: u32;
  /** `VgicIrq.merged` as far as it is accounted for. */
  merged: u32;

  private timeAt(n: u32): usize {
    return changetype<usize>(this) + offsetof<Flow>('time0') + (n << 3);
  }

  /** What was merged before must have been reconciled. */
  fire(time: u64): void {
    this.injected++;
    store<u64>(this.timeAt(min<u32>(this.pending, MOST_PENDING - 1)), time);
    this.pending++;
  }

  /** The one fired last found the interrupt pending. */
  coalesce(): void {
    if (this.pending == 0) return;
    this.pending--;
    this.coalesced++;
  }

  drop(): void {
    if (this.pending == 0) return;
    this.pending--;
    this.dropped++;
  }

  /** Edges that were merged in memory. */
  reconcile(irq: VgicIrq): void {
    if (isNull(irq)) return;
    // An LPI that was unmapped and mapped anew counts from zero.
    if (irq.merged < this.merged) this.merged = 0;
    for (; this.merged < irq.merged; this.merged++) this.coalesce();
  }

  /** The guest acknowledges; ns since it was fired. */
  deliver(): u64 {
    if (this.pending == 0) {
      this.repeated++;
      return 0;
    }
    const latency = now() - this.time0;
    this.time0 = this.time1;
    this.time1 = this.time2;
    this.time2 = this.time3;
    this.pending--;
    this.delivered++;
    addToHistogram(this.histogram, latency);
    return latency;
  }
}

export const FLOW_BYTES: usize = offsetof<Flow>();
/** One for each device, then for each vCPU one of its timer and one of each SGI. */
export const FLOWS_OF_VCPU: u32 = 1 + SGIS;

function flowAt(n: u32, histogram: u32): Flow {
  const flow = changetype<Flow>(simTables().flows + <usize>n * FLOW_BYTES);
  flow.histogram = histogram;
  return flow;
}

export function deviceFlow(device: u32): Flow {
  return flowAt(device, device);
}

export function timerFlow(vcpu: u32): Flow {
  const first = machine().deviceLimit;
  return flowAt(first + vcpu * FLOWS_OF_VCPU, first + vcpu * HISTOGRAMS_OF_VCPU);
}

export function sgiFlow(vcpu: u32, sgi: u32): Flow {
  const first = machine().deviceLimit;
  return flowAt(first + vcpu * FLOWS_OF_VCPU + 1 + sgi, first + vcpu * HISTOGRAMS_OF_VCPU + 1);
}
