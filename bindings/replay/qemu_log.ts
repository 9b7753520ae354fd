import { ByteCursor, latin1, NEWLINE, stirred, Words } from './byte_cursor.ts';
import type { CaptureEvent, QemuFields, Value } from './events.ts';
import type { ExclusionId } from './exclusions.ts';
import { malformedLine } from './format_error.ts';
import {
  type Build,
  commandFields,
  lookUps,
  small,
  statelessBuilder,
  type TraceLine,
} from './qemu_events.ts';
import { cpuOfTrace } from './qemu_names.ts';

// Lines are `PID@SECONDS.MICROSECONDS:event_name text`; without `-msg timestamp=on` only `event_name text`. What a
// line means follows from the name of its event alone, because some texts are wrong (VMAPTI prints as "VMAPI"); of
// the text only the numbers count, in their order, and the names of system registers.

const SPACE = 0x20;
const COLON = 0x3a;
const AT = 0x40;
const DOT = 0x2e;
const MINUS = 0x2d;
const PLUGIN_LINE = 'PLUG';

/** Parser of a log that QEMU's `-trace 'gicv3_*'` wrote. It holds what QEMU tells in two lines or more than once. */
export class QemuLogParser {
  /** Lines that say nothing to replay, by the reason. */
  readonly skipped = new Map<ExclusionId, number>();

  readonly #cursor = new ByteCursor();
  readonly #builders = new Map<string, Build>();
  readonly #numbers: Value[] = [];
  #line = 0;
  #origin: number | undefined;
  #time = 0;
  /** The queue slot of the command whose operands the next line tells. */
  #slot: number | undefined;
  readonly #lastPending: number[] = [];
  readonly #lastWires: number[] = [];
  readonly #lastVirtualPending: string[] = [];
  readonly #lastVirtualWires: number[] = [];
  readonly #lastMaintenance: number[] = [];

  /** @param file name of the recording, for errors */
  constructor(
    /** Name of the recording, for errors. */
    readonly file: string,
  ) {}

  /**
   * Hands on the events of a block of whole lines, in order; none is kept. Throws a `GicError` INVALID_INPUT with
   * file and line.
   */
  parse(block: Uint8Array, onEvent: (event: CaptureEvent) => void): void {
    this.#cursor.bytes = block;
    for (let start = 0; start < block.length; ) {
      this.#line++;
      const end = block.indexOf(NEWLINE, start);
      if (end > start) {
        const event = this.#event(start, end);
        if (typeof event === 'string') this.#skip(event);
        else if (event !== null) onEvent(event);
      }
      start = end + 1;
    }
  }

  #skip(reason: ExclusionId): void {
    this.skipped.set(reason, (this.skipped.get(reason) ?? 0) + 1);
  }

  #event(start: number, end: number): CaptureEvent | ExclusionId | null {
    const cursor = this.#cursor;
    cursor.at = start;
    this.#skipPrefix(start);
    const name = this.#word();
    const build = cursor.bytes[cursor.at] === SPACE ? this.#builderOf(name) : undefined;
    if (build === undefined) {
      const text = latin1(cursor.bytes, start, end);
      if (text.startsWith(PLUGIN_LINE)) return 'plugin-line';
      if (cursor.at > start + name.length)
        return name.startsWith('gicv3_') ? 'unknown-gic-event' : 'other-device';
      return { kind: 'message', line: this.#line, time: this.#time, text };
    }
    const register = this.#text();
    const event = build({ line: this.#line, time: this.#time, numbers: this.#numbers, register });
    if (event === undefined) {
      throw malformedLine(
        this.file,
        this.#line,
        latin1(cursor.bytes, start, end),
        `the text of a ${name} event`,
      );
    }
    return event;
  }

  /** `PID@SECONDS.MICROSECONDS:`. */
  #skipPrefix(start: number): void {
    const cursor = this.#cursor;
    const isNext = (byte: number): boolean => cursor.bytes[cursor.at] === byte && ++cursor.at > 0;
    const process = cursor.decimal();
    const seconds = process >= 0 && isNext(AT) ? cursor.decimal() : Number.NaN;
    const microseconds = seconds >= 0 && isNext(DOT) ? cursor.decimal() : Number.NaN;
    if (microseconds >= 0 && isNext(COLON)) {
      const now = seconds * 1e6 + microseconds;
      this.#origin ??= now;
      this.#time = (now - this.#origin) * 1000;
    } else cursor.at = start;
  }

  #word(): string {
    const { bytes, at: start } = this.#cursor;
    let at = start;
    let hash = 0;
    for (let byte = bytes[at] as number; byte !== SPACE && byte !== NEWLINE; byte = bytes[++at] as number) {
      hash = stirred(hash, byte);
    }
    this.#cursor.at = at;
    return words.get(hash, bytes, start, at);
  }

  /** Gathers the numbers of the text; returns its second word where that is the name of a register. */
  #text(): string {
    const cursor = this.#cursor;
    const { bytes } = cursor;
    let register = '';
    this.#numbers.length = 0;
    for (let word = 0; bytes[cursor.at] === SPACE; word++) {
      const byte = bytes[++cursor.at] as number;
      if (byte === MINUS || (byte >= 0x30 && byte <= 0x39)) {
        this.#numbers.push(
          byte === 0x30 && bytes[cursor.at + 1] === 0x78 ? cursor.hexadecimal() : cursor.decimal(),
        );
      } else if (word === 1 && byte === 0x49) register = this.#word();
      let at = cursor.at;
      while (bytes[at] !== SPACE && bytes[at] !== NEWLINE) at++;
      cursor.at = at;
    }
    return register;
  }

  #builderOf(name: string): Build | undefined {
    let build = this.#builders.get(name);
    if (build === undefined) {
      build = this.#makeBuilder(name);
      if (build !== undefined) this.#builders.set(name, build);
    }
    return build;
  }

  #makeBuilder(name: string): Build | undefined {
    if (lookUps.has(name)) return () => 'table-look-up';
    switch (name) {
      case 'gicv3_cpuif_update':
        return (line) => this.#pending(line);
      case 'gicv3_cpuif_set_irqs':
        return (line) => this.#wires(line);
      case 'gicv3_cpuif_virt_update':
        return (line) => this.#virtualPending(line);
      case 'gicv3_cpuif_virt_set_irqs':
        return (line) => this.#virtualWires(line);
      case 'gicv3_cpuif_virt_set_maint_irq':
        return (line) => this.#maintenance(line);
      case 'gicv3_its_process_command':
        return (line) => this.#commandSlot(line);
    }
    const command = /^gicv3_its_cmd_(\w+)$/.exec(name)?.[1];
    if (command !== undefined) {
      const fieldNames = commandFields[command];
      return fieldNames && ((line) => this.#command(line, command.toUpperCase(), fieldNames));
    }
    return statelessBuilder(name);
  }

  #pending({ line, time, numbers }: TraceLine): CaptureEvent | ExclusionId | undefined {
    const [cpu, intid, code, priority] = small(numbers, 4);
    if (cpu === undefined || intid === undefined || code === undefined || priority === undefined)
      return undefined;
    const group = code === 0 ? 0 : 1;
    const state = priority === 255 ? -1 : intid * 512 + group * 256 + priority;
    if (unchanged(this.#lastPending, cpu, state)) return 'unchanged-result';
    return { kind: 'pending', line, time, cpu: cpuOfTrace(cpu), intid, group, priority };
  }

  #wires({ line, time, numbers }: TraceLine): CaptureEvent | ExclusionId | undefined {
    const [cpu, fiq, irq] = small(numbers, 3);
    if (cpu === undefined || fiq === undefined || irq === undefined) return undefined;
    if (unchanged(this.#lastWires, cpu, fiq * 2 + irq)) return 'unchanged-result';
    return { kind: 'wires', line, time, cpu: cpuOfTrace(cpu), fiq: fiq !== 0, irq: irq !== 0 };
  }

  #virtualPending({ line, time, numbers }: TraceLine): CaptureEvent | ExclusionId | undefined {
    const [cpu, winner, vlpi, code, priority] = small(numbers, 5);
    if (cpu === undefined || winner === undefined || vlpi === undefined || priority === undefined)
      return undefined;
    const group = code === 0 ? 0 : 1;
    const state = priority === 255 ? `${winner}` : `${winner} ${vlpi} ${group} ${priority}`;
    if (unchanged(this.#lastVirtualPending, cpu, state)) return 'unchanged-result';
    return { kind: 'virtual-pending', line, time, cpu: cpuOfTrace(cpu), winner, vlpi, group, priority };
  }

  #virtualWires({ line, time, numbers }: TraceLine): CaptureEvent | ExclusionId | undefined {
    const [cpu, fiq, irq] = small(numbers, 3);
    if (cpu === undefined || fiq === undefined || irq === undefined) return undefined;
    if (unchanged(this.#lastVirtualWires, cpu, fiq * 2 + irq)) return 'unchanged-result';
    return { kind: 'virtual-wires', line, time, cpu: cpuOfTrace(cpu), fiq: fiq !== 0, irq: irq !== 0 };
  }

  #maintenance({ line, time, numbers }: TraceLine): CaptureEvent | ExclusionId | undefined {
    const [cpu, level] = small(numbers, 2);
    if (cpu === undefined || level === undefined) return undefined;
    if (unchanged(this.#lastMaintenance, cpu, level)) return 'unchanged-result';
    return { kind: 'maintenance', line, time, cpu: cpuOfTrace(cpu), level: level !== 0 };
  }

  #commandSlot({ numbers }: TraceLine): ExclusionId | null | undefined {
    const [slot] = small(numbers, 2);
    if (slot === undefined) return undefined;
    // QEMU versions before 7.1 trace the slot and no operands.
    const untold = this.#slot !== undefined;
    this.#slot = slot;
    return untold ? 'command-not-told' : null;
  }

  #command(
    { line, time, numbers }: TraceLine,
    name: string,
    fieldNames: readonly string[],
  ): CaptureEvent | undefined {
    const values = small(numbers, fieldNames.length);
    if (this.#slot === undefined || values.length < fieldNames.length) return undefined;
    const fields: QemuFields = Object.fromEntries(fieldNames.map((field, i) => [field, values[i] ?? 0]));
    const offset = this.#slot * 32;
    this.#slot = undefined;
    return { kind: 'command', line, time, name, offset, raw: undefined, fields };
  }
}

/** QEMU prints a result at every evaluation; an event is a change. */
function unchanged<State>(last: State[], cpu: number, state: State): boolean {
  if (last[cpu] === state) return true;
  last[cpu] = state;
  return false;
}

const words = new Words([
  ...['gicv3_cpuif_update', 'gicv3_cpuif_set_irqs', 'gicv3_cpuif_virt_update', 'gicv3_cpuif_virt_set_irqs'],
  ...['gicv3_redist_set_irq', 'gicv3_dist_set_irq', 'gicv3_redist_send_sgi', 'gicv3_icc_generate_sgi'],
  ...['gicv3_icc_iar1_read', 'gicv3_icc_eoir_write', 'gicv3_icc_dir_write', 'gicv3_its_translation_write'],
  ...['gicv3_its_dte_read', 'gicv3_its_cte_read', 'gicv3_its_ite_read', 'gicv3_its_vte_read'],
  ...[
    'gicv3_its_read',
    'gicv3_its_write',
    'gicv3_its_process_command',
    'gicv3_redist_read',
    'gicv3_redist_write',
  ],
  ...['gicv3_ich_lr_read', 'gicv3_ich_lr_write', 'gicv3_ich_hcr_write', 'gicv3_ich_elrsr_read'],
  ...['gicv3_ich_vmcr_read', 'gicv3_ich_vmcr_write', 'gicv3_ich_ap_read', 'gicv3_ich_ap_write'],
  ...['gicv3_icv_iar_read', 'gicv3_icv_eoir_write', 'gicv3_ich_vtr_read'],
  ...['ICC_IAR1', 'ICC_EOIR1', 'ICC_DIR', 'ICC_PMR', 'ICC_CTLR', 'ICV_IAR1', 'ICV_EOIR1', 'ICH_HCR_EL2'],
  ...['ICH_VMCR_EL2', 'ICH_VTR', 'ICH_ELRSR', 'ICH_AP0R0', 'ICH_AP1R0', 'ICH_LR0_EL2', 'ICH_LR1_EL2'],
]);
