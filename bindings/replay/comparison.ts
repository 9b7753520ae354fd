/** Recorded and produced values of one output that differ. */
export interface Difference {
  readonly stream: number;
  /** What the recording has, and what the model did since the last comparison. */
  readonly recorded: readonly number[];
  readonly produced: readonly number[];
  /** The first place where they differ. */
  readonly at: number;
  /** Line of the recorded value at that place, or of the action that produced the model's. */
  readonly line: number;
  /** The value that the recording told last. */
  readonly lastRecorded: number;
}

/** An output that is compared: values that the recording tells, and values that the model takes. */
class Stream {
  readonly recorded: number[] = [];
  readonly recordedLines: number[] = [];
  readonly produced: number[] = [];
  readonly producedLines: number[] = [];
  recordedCount = 0;
  producedCount = 0;
  started = false;
  touched = false;

  current: number;
  lastRecorded: number;

  constructor(
    readonly number: number,
    idle: number,
  ) {
    this.current = this.lastRecorded = idle;
  }
}

/**
 * Compares the changes of outputs as ordered lists, one for each output. An output is known by its number; its
 * values are numbers too.
 */
export class OutputComparison {
  readonly #streams: Stream[];
  readonly #touched: Stream[] = [];

  /** @param idle the value of each output before anything happened */
  constructor(idle: readonly number[]) {
    this.#streams = idle.map((value, number) => new Stream(number, value));
  }

  /** Something was taken down since the last comparison. */
  get hasChanges(): boolean {
    return this.#touched.length > 0;
  }

  /**
   * Takes a recorded change down. The first one of an output may just tell the value that it has all along: recorded
   * hardware prints it when it first looks. Returns whether that was so, and nothing is left to compare.
   */
  record(stream: number, value: number, line: number): boolean {
    const output = this.#stream(stream);
    const first = !output.started;
    output.started = true;
    output.lastRecorded = value;
    if (first && value === output.current) return true;
    output.recorded[output.recordedCount] = value;
    output.recordedLines[output.recordedCount++] = line;
    this.#touch(output);
    return false;
  }

  /** Takes the value of one of the model's outputs down, if it has changed, with the line of the action that did it. */
  produce(stream: number, value: number, line: number): void {
    const output = this.#stream(stream);
    if (value === output.current) return;
    output.current = value;
    output.produced[output.producedCount] = value;
    output.producedLines[output.producedCount++] = line;
    this.#touch(output);
  }

  /** Takes the value of one of the model's outputs for granted. */
  accept(stream: number, value: number): void {
    this.#stream(stream).current = value;
  }

  /**
   * Compares what was taken down since the last call, and forgets it.
   * @param onCompared learns for each output with changes how many values were compared
   */
  compare(
    onDifference: (difference: Difference) => void,
    onCompared: (stream: number, count: number) => void = () => {},
  ): void {
    if (this.#touched.length === 0) return;
    for (const output of this.#touched) {
      onCompared(output.number, Math.max(output.recordedCount, output.producedCount));
      const difference = this.#difference(output);
      output.recordedCount = output.producedCount = 0;
      output.touched = false;
      if (difference) onDifference(difference);
    }
    this.#touched.length = 0;
  }

  #difference(output: Stream): Difference | undefined {
    const { recordedCount, producedCount } = output;
    let at = 0;
    while (at < recordedCount && at < producedCount && output.recorded[at] === output.produced[at]) at++;
    if (at === recordedCount && at === producedCount) return undefined;
    return {
      stream: output.number,
      recorded: output.recorded.slice(0, recordedCount),
      produced: output.produced.slice(0, producedCount),
      at,
      line: (at < recordedCount ? output.recordedLines[at] : output.producedLines[at]) ?? 0,
      lastRecorded: output.lastRecorded,
    };
  }

  #touch(output: Stream): void {
    if (output.touched) return;
    output.touched = true;
    this.#touched.push(output);
  }

  #stream(stream: number): Stream {
    const output = this.#streams[stream];
    if (output === undefined) throw new RangeError(`no output has the number ${stream}`);
    return output;
  }
}
