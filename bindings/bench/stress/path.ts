/** What became of the injections so far. */
export interface InjectionCounts {
  readonly pending: number;
  readonly coalesced: number;
  readonly dropped: number;
}

/** A way from devices to the guests' handlers, set up for a shape. */
export interface StressPath {
  readonly name: string;
  /** Each device sends each of its events once. */
  inject(): void;
  /** Every vCPU acknowledges and ends what is pending; how many interrupts that were. */
  deliver(): number;
  counts(): InjectionCounts;
}
