/** A place where our VGIC does something else than the recorded one. */
export interface Difference {
  /** Line of the recording. */
  readonly at: number;
  readonly what: string;
  readonly recorded: string;
  readonly ours: string;
}

/** What was compared. */
export class Comparison {
  readonly differences: Difference[] = [];
  readonly #equal = new Map<string, number>();

  values(at: number, what: string, recorded: bigint, ours: bigint): void {
    if (recorded === ours) this.equal(what);
    else this.differ(at, what, recorded.toString(16), ours.toString(16));
  }

  equal(what: string, times = 1): void {
    this.#equal.set(what, (this.#equal.get(what) ?? 0) + times);
  }

  differ(at: number, what: string, recorded: string, ours: string): void {
    this.differences.push({ at, what, recorded, ours });
  }

  /** How often each thing was compared and the same. */
  get equals(): Record<string, number> {
    return Object.fromEntries(this.#equal);
  }
}
