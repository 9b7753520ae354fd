import { Counter, Event, Outcome } from '../../assembly/abi.ts';
import type { Redistributor } from './redistributor.ts';
import type { Shared } from './shared.ts';
import type { Table } from './table.ts';
import { Translation, VALID, VIRTUAL } from './translation.ts';

const { PENDING, COALESCED, ITS_DISABLED } = Outcome;
const { LPIS_DISABLED, INTID_OUT_OF_RANGE, TABLE_FAULT } = Outcome;
const { MSI: MSIS, INT: INTS, COMMANDS, COMMAND_ERRORS } = Counter;
const { MSI, MSI_OUTCOME, COMMAND } = Event;

const COMMAND_BYTES = 32;
const RETRY = 1;

/** What became of a command. */
const OK = 0;
const FAILED = 1;
const FAULT = 2;

/** The ITS: registers, the command queue, and those commands that make interrupts pending or map them. */
export class Its {
  enabled = false;
  creadr = 0;
  cwriter = 0;
  readonly #shared: Shared;
  readonly #words: Int32Array;
  readonly #translation: Translation;
  #queue = -1;
  #queueBytes = 0;
  #stalled = false;

  constructor(shared: Shared, redistributors: readonly Redistributor[]) {
    this.#shared = shared;
    this.#words = shared.ram.words;
    this.#translation = new Translation(shared, redistributors);
  }

  setTable(n: number, low: number, high: number): void {
    const { devices, collections, vpes } = this.#translation;
    [devices, collections, vpes][n]?.attach(low, high);
  }

  setQueue(low: number, high: number): void {
    this.#queueBytes = ((low & 0xff) + 1) * 4096;
    this.#queue = high & VALID ? this.#shared.ram.atField(low, high, 12, 0, this.#queueBytes) : -1;
    this.creadr = 0;
    this.#stalled = false;
  }

  setWriter(value: number): void {
    this.cwriter = value & 0xf_ffe0;
    if (value & RETRY || this.#shared.retryByAnyWrite) this.#stalled = false;
    this.drain();
  }

  /** Executes what stands in the queue. */
  drain(): void {
    if (this.#shared.stepped) return;
    while (this.#hasCommand()) if (!this.#step()) return;
  }

  /** A device's MSI. */
  translate(deviceId: number, eventId: number): Outcome {
    const event = eventId & this.#shared.eventIdMask;
    this.#shared.events.emit(MSI, 0, deviceId, eventId);
    const outcome = this.enabled ? this.#translation.inject(deviceId, event >>> 0) : ITS_DISABLED;
    this.#shared.count(MSIS + outcome);
    this.#shared.events.emit(MSI_OUTCOME, 0, outcome, 0);
    return outcome;
  }

  #hasCommand(): boolean {
    return (
      this.enabled &&
      !this.#stalled &&
      this.#queue >= 0 &&
      this.creadr !== this.cwriter &&
      this.creadr < this.#queueBytes &&
      this.cwriter < this.#queueBytes
    );
  }

  /** Executes the command at GITS_CREADR; false when it stalls. */
  #step(): boolean {
    const at = (this.#queue + this.creadr) >> 2;
    const result = this.#execute(at);
    this.#shared.count(COMMANDS);
    this.#shared.events.emit(COMMAND, 0, (this.#words[at] as number) & 0xff, this.creadr);
    if (result !== OK) {
      this.#shared.count(COMMAND_ERRORS);
      if (result === FAULT ? this.#shared.stallsOnFault : this.#shared.stallsOnError) {
        this.#stalled = true;
        return false;
      }
    }
    this.creadr += COMMAND_BYTES;
    if (this.creadr >= this.#queueBytes) this.creadr = 0;
    return true;
  }

  #execute(at: number): number {
    const words = this.#words;
    const deviceId = (words[at + 1] as number) >>> 0;
    const eventId = (words[at + 2] as number) >>> 0;
    switch ((words[at] as number) & 0xff) {
      case 0x03:
        return this.#int(deviceId, eventId);
      case 0x04:
        return this.#clear(deviceId, eventId);
      case 0x05:
      case 0x25:
        return OK;
      case 0x08:
        return this.#mapDevice(at, deviceId, eventId & 31);
      case 0x09:
        return this.#mapCollection(at);
      case 0x0a: {
        const intid = words[at + 3] as number;
        const icid = (words[at + 4] as number) & 0xffff;
        return this.#mapEvent(deviceId, eventId, (intid << 16) | icid, VALID | (intid >>> 16));
      }
      case 0x0c:
        return this.#inv(deviceId, eventId);
      case 0x0d:
        return statusOf(this.#translation.invalidateCollection((words[at + 4] as number) & 0xffff));
      case 0x29:
        return this.#mapVpe(at);
      case 0x2a: {
        const vpeId = (words[at + 3] as number) & 0xffff;
        const intid = words[at + 4] as number;
        const doorbell = words[at + 5] as number;
        const high = VALID | VIRTUAL | (doorbell << 6) | (intid >>> 16);
        return this.#mapEvent(deviceId, eventId, (intid << 16) | vpeId, high);
      }
      default:
        return FAILED;
    }
  }

  /** That a redistributor does not take the LPI is no error of the command. */
  #int(deviceId: number, eventId: number): number {
    const outcome = this.#translation.inject(deviceId, eventId);
    this.#shared.count(INTS + outcome);
    if (outcome <= COALESCED) return OK;
    if (outcome === LPIS_DISABLED || outcome === INTID_OUT_OF_RANGE) return OK;
    if (outcome === TABLE_FAULT && this.#translation.resolve(deviceId, eventId) === PENDING) return OK;
    return statusOf(outcome);
  }

  #clear(deviceId: number, eventId: number): number {
    const outcome = this.#translation.resolve(deviceId, eventId);
    if (outcome === PENDING) this.#translation.clearFound();
    return statusOf(outcome);
  }

  #inv(deviceId: number, eventId: number): number {
    const outcome = this.#translation.resolve(deviceId, eventId);
    if (outcome === PENDING) this.#translation.invalidateFound();
    return statusOf(outcome);
  }

  #mapDevice(at: number, deviceId: number, size: number): number {
    const low = ((this.#words[at + 4] as number) & ~0xff) | size;
    const high = this.#words[at + 5] as number;
    return this.#store(
      this.#translation.devices,
      deviceId,
      low,
      high & VALID ? VALID | (high & 0xf_ffff) : 0,
    );
  }

  #mapCollection(at: number): number {
    const low = this.#words[at + 4] as number;
    const high = this.#words[at + 5] as number;
    const cpu = ((low >>> 16) | (high << 16)) & 0xffff;
    return this.#store(this.#translation.collections, low & 0xffff, cpu, high & VALID);
  }

  #mapVpe(at: number): number {
    const words = this.#words;
    const vpeId = (words[at + 3] as number) & 0xffff;
    const target = (words[at + 4] as number) >>> 16;
    const low = ((words[at + 6] as number) & ~0xffff) | ((words[at + 6] as number) & 31);
    const high = ((words[at + 7] as number) & 0xf_ffff) | (target << 21);
    const valid = (words[at + 5] as number) & VALID;
    return this.#store(this.#translation.vpes, vpeId, low, valid ? VALID | high : 0);
  }

  #mapEvent(deviceId: number, eventId: number, low: number, high: number): number {
    const outcome = this.#translation.lookupEvent(deviceId, eventId);
    if (outcome !== PENDING) return statusOf(outcome);
    const at = this.#translation.foundAt;
    this.#words[at] = low;
    this.#words[at + 1] = high;
    return OK;
  }

  /** Stores an entry, all zero for one that is not valid. */
  #store(table: Table, id: number, low: number, high: number): number {
    if (id >= table.capacity) return FAILED;
    const at = table.entryAt(id);
    if (at < 0) return FAULT;
    this.#words[at] = high & VALID ? low : 0;
    this.#words[at + 1] = high & VALID ? high : 0;
    return OK;
  }
}

function statusOf(outcome: Outcome): number {
  if (outcome === PENDING) return OK;
  return outcome === TABLE_FAULT ? FAULT : FAILED;
}
