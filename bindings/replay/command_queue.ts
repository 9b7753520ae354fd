import { commandBytes } from '../commands/codec.ts';
import type { Doublewords } from '../commands/command.ts';
import { type Frames, GITS_CBASER, GITS_CTLR, GITS_CWRITER } from './frames.ts';

const ADDRESS = 0x000f_ffff_ffff_f000n;
const PAGE = 4096;

/** The ITS command queue in the memory of a model, filled as the recorded driver filled it. */
export class CommandQueue {
  readonly #frames: Frames;
  #base = 0;
  #bytes = 0;
  #located = false;

  constructor(frames: Frames) {
    this.#frames = frames;
  }

  /** Whether a command runs as soon as GITS_CWRITER is beyond it. */
  get runs(): boolean {
    return (this.#frames.readWord('GITS', 0, GITS_CTLR) & 1) === 1;
  }

  /** To be called after each write of GITS_CBASER. */
  relocate(): void {
    this.#located = false;
  }

  /** Puts a command into its slot. */
  put(offset: number, words: Doublewords): void {
    this.#locate();
    const bytes = new Uint8Array(commandBytes);
    const view = new DataView(bytes.buffer);
    words.forEach((word, index) => {
      view.setBigUint64(8 * index, word, true);
    });
    this.#frames.hardware.writeMemory(this.#base + offset, bytes);
  }

  /** Lets the ITS run up to the end of the slot at `offset`. */
  runThrough(offset: number): void {
    this.#locate();
    this.#frames.write('GITS', 0, GITS_CWRITER, 8, (offset + commandBytes) % this.#bytes);
  }

  #locate(): void {
    if (this.#located) return;
    this.#located = true;
    const cbaser = this.#frames.readDoubleword('GITS', 0, GITS_CBASER);
    this.#base = Number(cbaser & ADDRESS);
    this.#bytes = (Number(cbaser & 0xffn) + 1) * PAGE;
  }
}
