import { lowestBit } from './bits.ts';

/** A bit for each PE, and one for each word of them that is not 0. */
export class CpuMarks {
  readonly words: Int32Array;
  used = 0;

  constructor(cpus: number) {
    this.words = new Int32Array((cpus + 31) >> 5);
  }

  mark(cpu: number): void {
    this.add(cpu >> 5, 1 << (cpu & 31));
  }

  /** Marks PEs of one word. */
  add(index: number, cpus: number): void {
    this.words[index] = (this.words[index] as number) | cpus;
    this.used |= 1 << index;
  }

  /** The marked PEs in ascending order; none is marked then. */
  take(): number[] {
    const cpus: number[] = [];
    for (; this.used !== 0; this.used &= this.used - 1) {
      const index = lowestBit(this.used);
      for (let word = this.words[index] as number; word !== 0; word &= word - 1) {
        cpus.push((index << 5) | lowestBit(word));
      }
      this.words[index] = 0;
    }
    return cpus;
  }
}
