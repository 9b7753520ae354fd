/** A bit for each PE. */
export class CpuMarks {
  readonly words: Int32Array;

  constructor(cpus: number) {
    this.words = new Int32Array((cpus + 31) >> 5);
  }

  mark(cpu: number): void {
    const at = cpu >> 5;
    this.words[at] = (this.words[at] as number) | (1 << (cpu & 31));
  }
}
