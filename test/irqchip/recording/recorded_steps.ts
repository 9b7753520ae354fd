import { decodeDoublewords } from '../../../bindings/commands/codec.ts';
import type { CaptureEvent, MemoryStore, RegisterWrite } from '../../../bindings/replay/events.ts';
import { Recording } from '../../../bindings/replay/recording.ts';
import { itsRegisters, type Step, StepList } from './steps.ts';

const redistributorRegisters: ReadonlyMap<number, string> = new Map([
  [0x00, 'GICR_CTLR'],
  [0x14, 'GICR_WAKER'],
  [0x70, 'GICR_PROPBASER'],
  [0x78, 'GICR_PENDBASER'],
  [0x2_0070, 'GICR_VPROPBASER'],
  [0x2_0078, 'GICR_VPENDBASER'],
]);
const FIRST_LPI = 8192;

class StepReader {
  readonly list = new StepList();
  readonly #tables = new Map<string, number>();
  /** The first of two stores into a byte, by PE. */
  readonly #firstStores = new Map<number, MemoryStore>();

  take(event: CaptureEvent): void {
    switch (event.kind) {
      case 'command':
        if (event.raw) this.list.command(decodeDoublewords(event.raw));
        break;
      case 'register-write':
        this.#write(event);
        break;
      case 'memory-range':
        this.#tables.set(event.table, event.address);
        break;
      case 'memory-store':
        this.#store(event);
        break;
      case 'acknowledge':
        this.list.add({ kind: 'interrupt', intid: Number(event.value) });
        break;
      default:
        throw new Error(`line ${event.line} is not of a driver: ${event.kind}`);
    }
  }

  #write({ block, cpu, offset, value, line }: RegisterWrite): void {
    const ofPe = block === 'GICR';
    const register = (ofPe ? redistributorRegisters : itsRegisters).get(offset);
    if (!register) throw new Error(`line ${line}: unknown register`);
    this.list.add({ kind: 'register', cpu: ofPe ? cpu : undefined, register, value: BigInt(value) });
  }

  /** Linux clears bits of a byte with one store and sets bits with the next; what counts is the byte after both. */
  #store(event: MemoryStore): void {
    const first = this.#firstStores.get(event.cpu);
    if (first?.address !== event.address) {
      if (first) throw new Error(`line ${first.line}: a store without a second one`);
      this.#firstStores.set(event.cpu, event);
      return;
    }
    this.#firstStores.delete(event.cpu);
    const base = this.#tables.get(event.table);
    if (base === undefined) throw new Error(`line ${event.line}: a table that no register points at`);
    const table = event.table === 'vprop' ? 'virtual' : 'physical';
    const intid = event.address - base + FIRST_LPI;
    this.list.add({ kind: 'byte', table, intid, value: Number(event.value) });
  }
}

/** What the recorded driver did, and which LPIs interrupted it, in order. Throws for a line that is neither. */
export async function recordedSteps(file: string): Promise<Step[]> {
  const reader = new StepReader();
  const recording = await Recording.open(file);
  for await (const _ of recording.read((event) => reader.take(event)));
  return reader.list.steps;
}
