import { numberField } from './bits.ts';
import type { ItsSurroundings } from './its.ts';
import { type Command, type CommandContext, type CommandWords, physicalCommands } from './its_commands.ts';
import type { CommandQueue } from './its_queue.ts';
import { Failure } from './its_translation.ts';
import { invdbCommand, virtualCommands, vsgiCommand } from './its_virtual_commands.ts';
import { TableFault } from './table.ts';
import {
  checkVmovp,
  performVmovp,
  sameVmovp,
  VMOVP_ERROR_CLASS,
  VMOVP_NUMBER,
  vmovpPartners,
} from './vmovp.ts';

/** Takes the commands of one ITS from its queue: section 5.13. */
export class CommandExecution {
  readonly #context: CommandContext;
  readonly #queue: CommandQueue;
  readonly #surroundings: ItsSurroundings;
  readonly #commands: ReadonlyMap<number, Command>;
  /** Where the VMOVP stands that this ITS has come to and waits with. */
  #waitsAt: bigint | undefined;
  /** The VMOVP at GITS_CREADR has been performed, together with that of another ITS. */
  #released = false;

  constructor(context: CommandContext, queue: CommandQueue, surroundings: ItsSurroundings) {
    this.#context = context;
    this.#queue = queue;
    this.#surroundings = surroundings;
    this.#commands = this.#implemented();
  }

  /** Takes the next command, if there is one; false if the queue does not go on. */
  takeCommand(): boolean {
    const next = this.#queue.next();
    if (!next) return false;
    const outcome = next.words ? this.#execute(next.words) : this.#context.config.policy.queueFault;
    this.#waitsAt = outcome === 'wait' ? this.#queue.offset : undefined;
    if (outcome === 'wait') return false;
    if (outcome === 'stall') {
      this.#queue.stall();
      return false;
    }
    this.#queue.advance();
    return true;
  }

  /** Whether this ITS waits with a VMOVP for others: one that its steps have not come to yet does not count. */
  waitsWith(words: CommandWords): boolean {
    if (this.#waitsAt !== this.#queue.offset) return false;
    const head = this.#surroundings.itses[this.#context.its]!.enabled ? this.#queue.next()?.words : undefined;
    return head !== undefined && sameVmovp(this.#context.config, head, words);
  }

  /** Lets the VMOVP at GITS_CREADR pass: another ITS has performed it for this one too. */
  release(): void {
    this.#released = true;
    const { commandExecution } = this.#context.config.policy;
    if (commandExecution === 'immediate') this.#surroundings.itses[this.#context.its]!.process(Infinity);
  }

  #implemented(): Map<number, Command> {
    const { config } = this.#context;
    const commands = new Map(physicalCommands);
    if (config.architecture === 'GICv3') return commands;
    for (const [number, command] of virtualCommands) commands.set(number, command);
    commands.set(VMOVP_NUMBER, {
      name: 'VMOVP',
      errorClass: VMOVP_ERROR_CLASS,
      run: (context, words) => {
        checkVmovp(context, words);
        performVmovp(context, words);
      },
    });
    if (config.architecture === 'GICv4.0') return commands;
    commands.set(0x2e, invdbCommand);
    if (config.virtualSgis) commands.set(0x23, vsgiCommand);
    return commands;
  }

  #execute(words: CommandWords): 'stall' | 'skip' | 'wait' | 'done' {
    const { config, counters, its } = this.#context;
    const command = this.#commands.get(numberField(words[0], 7, 0));
    let code = 0;
    if (command) {
      try {
        const outcome = command.name === 'VMOVP' ? this.#vmovp(words) : command.run(this.#context, words);
        if (outcome !== 'wait') counters.commands++;
        return outcome ?? 'done';
      } catch (problem) {
        counters.commands++;
        if (problem instanceof TableFault) counters.commandErrors++;
        if (problem instanceof TableFault) return config.policy.tableFault === 'stall' ? 'stall' : 'skip';
        if (!(problem instanceof Failure)) throw problem;
        if (command.errorClass !== 0) code = 0x01_0000 | (command.errorClass << 8) | problem.reason;
      }
    } else {
      counters.commands++;
    }
    counters.commandErrors++;
    if (config.policy.commandError === 'sei') counters.systemErrors++;
    this.#surroundings.errors.push({ its, code, words });
    return config.policy.commandError === 'stall' ? 'stall' : 'skip';
  }

  /** Section 6.19: where several ITSs take part, the one that comes last performs it for all of them. */
  #vmovp(words: CommandWords): 'wait' | 'done' {
    if (this.#released) {
      this.#released = false;
      return 'done';
    }
    checkVmovp(this.#context, words);
    const { its } = this.#context;
    const partners = vmovpPartners(this.#context, words).filter((partner) => partner !== its);
    const executions = partners.map((partner) => this.#surroundings.itses[partner]?.execution);
    if (!executions.every((execution) => execution?.waitsWith(words))) return 'wait';
    performVmovp(this.#context, words);
    for (const execution of executions) execution!.release();
    return 'done';
  }
}
