import { encodeDoublewords } from '../commands/codec.ts';
import type { Doublewords, ItsCommand } from '../commands/command.ts';
import { GicError } from '../errors.ts';
import type { GicHardware } from '../hardware.ts';
import { CommandQueue } from './command_queue.ts';
import type { CaptureEvent, Value } from './events.ts';
import { type Frames, GICR_CTLR, GICR_WAKER, GITS_CBASER } from './frames.ts';
import { commandOfQemu, commandsWithoutOperands } from './qemu_commands.ts';
import type { Tally } from './report.ts';
import type { UnrecordedMemory } from './unrecorded_memory.ts';

const PROCESSOR_SLEEP = 2;
const ENABLE_LPIS = 1;

type EventOf<Kind extends CaptureEvent['kind']> = Extract<CaptureEvent, { kind: Kind }>;

/** Recorded events that act on hardware. */
export type Input = EventOf<
  | 'register-write'
  | 'refused-write'
  | 'system-write'
  | 'sgi-request'
  | 'spi-line'
  | 'ppi-line'
  | 'msi'
  | 'command'
  | 'memory-range'
  | 'memory-store'
>;

/** Plays recorded inputs on a model. */
export class Inputs {
  readonly #hardware: GicHardware;
  readonly #frames: Frames;
  readonly #queue: CommandQueue;
  readonly #tally: Tally;
  readonly #memory: UnrecordedMemory | undefined;

  constructor(frames: Frames, tally: Tally, memory: UnrecordedMemory | undefined) {
    this.#hardware = frames.hardware;
    this.#frames = frames;
    this.#queue = new CommandQueue(frames);
    this.#tally = tally;
    this.#memory = memory;
  }

  /** The ITS runs a command as soon as it is in the queue. */
  get commandsRun(): boolean {
    return this.#queue.runs;
  }

  play(event: Input): void {
    switch (event.kind) {
      case 'ppi-line':
        this.#hardware.setPpi(event.cpu, event.intid, event.level);
        break;
      case 'spi-line':
        this.#hardware.setSpi(event.intid, event.level);
        break;
      case 'msi':
        this.#hardware.sendMsi(event.deviceId, event.eventId);
        break;
      case 'system-write':
        this.#systemWrite(event);
        break;
      case 'sgi-request':
        this.#tally.skip('sgi-register');
        this.#hardware.writeSystemRegister(event.cpu, 'ICC_SGI1R_EL1', sgiValue(event));
        break;
      case 'register-write':
        this.#registerWrite(event);
        break;
      case 'refused-write':
        // The recorded hardware let it have no effect; later comparisons show whether the model does so too.
        this.#frames.write(event.block, event.cpu, event.offset, event.size, event.value);
        break;
      case 'command':
        this.#command(event);
        break;
      case 'memory-store':
        this.#hardware.write(event.address, event.size, event.value);
        break;
      case 'memory-range':
        this.#memoryRange(event);
        break;
    }
  }

  #systemWrite({ cpu, register, value }: EventOf<'system-write'>): void {
    if (register.endsWith('_EL3')) this.#tally.skip('el3-register');
    else this.#hardware.writeSystemRegister(cpu, register, value);
  }

  #registerWrite({ block, cpu, offset, size, value }: EventOf<'register-write'>): void {
    if (block === 'GICR') {
      if (offset === GICR_WAKER && (Number(value) & PROCESSOR_SLEEP) === 0) {
        this.#hardware.resetCpuInterface(cpu);
        this.#tally.skip('cpu-interface-reset');
      }
      if (offset === GICR_CTLR && (Number(value) & ENABLE_LPIS) !== 0)
        this.#memory?.beforeLpisAreEnabled(cpu);
    }
    this.#frames.write(block, cpu, offset, size, value);
    if (block === 'GITS' && (offset & ~7) === GITS_CBASER) this.#queue.relocate();
  }

  #command(event: EventOf<'command'>): void {
    this.#queue.put(event.offset, event.raw ?? this.#encoded(event));
    if (this.#queue.runs) this.#queue.runThrough(event.offset);
  }

  /** The command of a recording without its bytes. */
  #encoded({ name, fields }: EventOf<'command'>): Doublewords {
    const command: ItsCommand | undefined = commandOfQemu(name, fields);
    if (command === undefined) {
      throw new GicError('INVALID_INPUT', 'command', name, 'an ITS command with its operands');
    }
    this.#tally.skip('command-bytes');
    if (commandsWithoutOperands.has(name)) this.#tally.skip('untold-operands');
    this.#memory?.beforeCommand(command);
    return command.command === 'UNKNOWN' ? command.raw : encodeDoublewords(command);
  }

  #memoryRange({ table, address, length, contents }: EventOf<'memory-range'>): void {
    const bytes = expandRuns(contents, length);
    if (table.startsWith('baser') && bytes.some((byte) => byte !== 0)) this.#tally.skip('private-format');
    else this.#hardware.writeMemory(address, bytes);
  }
}

/** ICC_SGI1R_EL1: spec section 8.11. Affinities of one cluster fit into 53 bits unless Aff3 is large. */
function sgiValue({ intid, allOthers, cluster, targetList }: EventOf<'sgi-request'>): Value {
  const [aff3, aff2, aff1] = [(cluster >> 16) & 0xff, (cluster >> 8) & 0xff, cluster & 0xff];
  const low = targetList + aff1 * 2 ** 16 + intid * 2 ** 24 + aff2 * 2 ** 32 + Number(allOthers) * 2 ** 40;
  return aff3 === 0 ? low : BigInt(low) | (BigInt(aff3) << 48n);
}

/** The bytes of `hexcount*hexbyte,...`, as many as `length`. */
function expandRuns(contents: string, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const run of contents.split(',')) {
    if (run === '') continue;
    const [, count, byte] = /^([0-9a-f]+)\*([0-9a-f]{2})$/i.exec(run) ?? [];
    const end = at + Number.parseInt(count ?? '', 16);
    if (byte === undefined || end > length) {
      throw new GicError('INVALID_INPUT', 'snap', run, `hexcount*hexbyte within ${length} bytes`);
    }
    bytes.fill(Number.parseInt(byte, 16), at, end);
    at = end;
  }
  return bytes;
}
