import { commandBytes, encodeCommand } from '../commands/codec.ts';
import type { ItsCommand } from '../commands/command.ts';
import type { Rig } from './rig.ts';

const PAGE = 4096;
/** The most that GITS_CBASER.Size can tell. */
export const QUEUE_PAGES_MAX = 256;
/** Commands that the largest queue has room for: one slot stays free. */
export const COMMANDS_MAX = (QUEUE_PAGES_MAX * PAGE) / commandBytes - 1;

interface QueueMemory {
  readonly address: number;
  readonly pages: number;
  /** GITS_CWRITER behind the last command. */
  readonly end: number;
}

/**
 * Commands that stand ready in RAM and can be executed again and again: a queue that is full already, or several of
 * them if one is too small, so that executing them costs little more than one write of GITS_CWRITER.
 */
export class CommandBatch {
  readonly #rig: Rig;
  readonly #queues: readonly QueueMemory[];

  constructor(rig: Rig, commands: readonly ItsCommand[]) {
    this.#rig = rig;
    const queues: QueueMemory[] = [];
    for (let first = 0; first < commands.length; first += COMMANDS_MAX) {
      queues.push(store(rig, commands.slice(first, first + COMMANDS_MAX)));
    }
    this.#queues = queues;
  }

  /** Points the ITS at the first command; needed before each `run`. */
  load(): void {
    this.#use(this.#queues[0] as QueueMemory);
  }

  /** Executes the commands. */
  run(): void {
    this.#queues.forEach((queue, n) => {
      if (n > 0) this.#use(queue);
      this.#rig.ringQueue(queue.end);
    });
  }

  #use({ address, pages }: QueueMemory): void {
    this.#rig.useQueue(address, pages);
  }
}

function store(rig: Rig, commands: readonly ItsCommand[]): QueueMemory {
  const end = commands.length * commandBytes;
  const pages = Math.ceil((end + commandBytes) / PAGE);
  const address = rig.allocate(pages * PAGE);
  rig.gic.writeMemory(address, encodeCommands(commands));
  return { address, pages, end };
}

/** Commands as they stand in a queue. */
export function encodeCommands(commands: readonly ItsCommand[]): Uint8Array {
  const bytes = new Uint8Array(commands.length * commandBytes);
  commands.forEach((command, n) => {
    bytes.set(encodeCommand(command), n * commandBytes);
  });
  return bytes;
}
