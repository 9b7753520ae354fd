import type { CaptureEvent } from './events.ts';
import { type Frames, GICR_ISPENDR0 } from './frames.ts';
import type { FoundMismatch, Tally } from './report.ts';

type EventOf<Kind extends CaptureEvent['kind']> = Extract<CaptureEvent, { kind: Kind }>;

/**
 * Compares where an SGI arrives. A model does not tell of arrivals, but GICR_ISPENDR0 does: right after the request
 * the SGI is pending at each PE where it arrived, and at no further one than before.
 */
export class SgiComparison {
  readonly #frames: Frames;
  readonly #tally: Tally;
  readonly #report: (found: FoundMismatch) => void;
  #request: EventOf<'sgi-request'> | undefined;
  #pendingBefore: boolean[] = [];
  readonly #arrivals = new Map<number, EventOf<'sgi-arrival'>>();

  constructor(frames: Frames, tally: Tally, report: (found: FoundMismatch) => void) {
    this.#frames = frames;
    this.#tally = tally;
    this.#report = report;
  }

  /** To be called before the request is played. */
  begin(request: EventOf<'sgi-request'>): void {
    this.#request = request;
    this.#pendingBefore = this.#pending(request.intid);
  }

  record(arrival: EventOf<'sgi-arrival'>): void {
    this.#arrivals.set(arrival.cpu, arrival);
  }

  /** To be called before anything after the request is played. */
  end(): void {
    if (this.#request === undefined && this.#arrivals.size === 0) return;
    const intid = this.#request?.intid;
    const pending = intid === undefined ? [] : this.#pending(intid);
    for (let cpu = 0; cpu < this.#frames.machine.cpus; cpu++) {
      const arrival = this.#arrivals.get(cpu);
      const arrived = arrival !== undefined && arrival.intid === intid;
      if (arrival) this.#tally.check('sgi');
      const asRecorded = arrived ? pending[cpu] : !arrival && (!pending[cpu] || this.#pendingBefore[cpu]);
      if (asRecorded) continue;
      this.#report({
        line: arrival?.line ?? this.#request?.line ?? 0,
        kind: 'sgi',
        cpu,
        expected: arrival ? `SGI ${arrival.intid} arrives` : 'no SGI arrives',
        got: pending[cpu] ? `SGI ${intid} pending` : `SGI ${arrival?.intid ?? intid} not pending`,
      });
    }
    this.#request = undefined;
    this.#arrivals.clear();
  }

  #pending(intid: number): boolean[] {
    const bit = 1 << intid;
    return Array.from(
      { length: this.#frames.machine.cpus },
      (_, cpu) => (this.#frames.readWord('GICR', cpu, GICR_ISPENDR0) & bit) !== 0,
    );
  }
}
