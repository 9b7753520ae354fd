import { Counter, Outcome } from '../../assembly/abi.ts';
import { FIRST_LPI } from './lpi_set.ts';
import { addressIn, type Ram } from './ram.ts';
import type { Redistributor } from './redistributor.ts';

const VALID = 0x8000_0000 | 0;
const VIRTUAL = 0x4000_0000;
const ENTRY_BYTES = 8;
const COMMAND_BYTES = 32;
const NO_DOORBELL = 1023;
const ID_BITS = 16;
const TABLES = 3;
const [DEVICES, COLLECTIONS, VPES] = [0, 1, 2] as const;
const PAGE_BYTES = [0x1000, 0x4000, 0x1_0000, 0x1_0000];

/** The ITS: flat tables in RAM, translation, and those commands that make interrupts pending or map them. */
export class Its {
  enabled = false;
  creadr = 0;
  cwriter = 0;
  readonly #ram: Ram;
  readonly #redistributors: readonly Redistributor[];
  readonly #counters: Uint32Array;
  /** Physical address and number of entries of each table. */
  readonly #tables = new Float64Array(TABLES);
  readonly #capacities = new Int32Array(TABLES);
  #queue = -1;
  #queueBytes = 0;
  #stalled = false;
  /** Where the last lookup found its entry, as an index of a word of RAM. */
  #foundAt = 0;

  constructor(ram: Ram, redistributors: readonly Redistributor[], counters: Uint32Array) {
    this.#ram = ram;
    this.#redistributors = redistributors;
    this.#counters = counters;
  }

  setTable(n: number, low: number, high: number): void {
    const bytes = ((low & 0xff) + 1) * (PAGE_BYTES[(low >>> 8) & 3] as number);
    this.#tables[n] = (high & 0xffff) * 2 ** 32 + ((low & 0xffff_0000) >>> 0);
    this.#capacities[n] = high & VALID ? Math.min(bytes / ENTRY_BYTES, 2 ** ID_BITS) : 0;
  }

  setQueue(low: number, high: number): void {
    this.#queueBytes = ((low & 0xff) + 1) * 4096;
    this.#queue = high & VALID ? this.#ram.at(addressIn(low, high, 12), this.#queueBytes) : -1;
    this.creadr = 0;
    this.#stalled = false;
  }

  setWriter(offset: number): void {
    this.cwriter = offset;
    while (this.enabled && !this.#stalled && this.#queue >= 0 && this.creadr !== this.cwriter) {
      this.#counters[Counter.COMMANDS]!++;
      if (!this.#execute((this.#queue + this.creadr) >> 2)) {
        this.#stalled = true;
        return;
      }
      this.creadr += COMMAND_BYTES;
      if (this.creadr >= this.#queueBytes) this.creadr = 0;
    }
  }

  /** A device's MSI. */
  translate(deviceId: number, eventId: number): Outcome {
    const outcome = this.enabled ? this.#inject(deviceId, eventId) : Outcome.ITS_DISABLED;
    this.#counters[Counter.MSI + outcome]!++;
    return outcome;
  }

  #inject(deviceId: number, eventId: number): Outcome {
    const outcome = this.#lookup(deviceId, eventId);
    if (outcome !== Outcome.PENDING) return outcome;
    const { words } = this.#ram;
    const low = words[this.#foundAt] as number;
    const high = words[this.#foundAt + 1] as number;
    const intid = (low >>> 16) | ((high & 0x3f) << 16);
    if (high & VIRTUAL) return this.#injectVirtual(low & 0xffff, intid, (high >>> 6) & 0x3f_ffff);
    const cpu = this.#collectionCpu(low & 0xffff);
    if (cpu < 0) return Outcome.COLLECTION_UNMAPPED;
    const rd = this.#redistributors[cpu] as Redistributor;
    return rd.lpisEnabled ? rd.lpis.setPending(intid) : Outcome.LPIS_DISABLED;
  }

  #injectVirtual(vpeId: number, intid: number, doorbell: number): Outcome {
    const at = this.#entryAt(VPES, vpeId);
    if (at < 0) return Outcome.VPE_UNMAPPED;
    const { words } = this.#ram;
    const low = words[at] as number;
    const high = words[at + 1] as number;
    if ((high & VALID) === 0) return Outcome.VPE_UNMAPPED;
    const end = 2 ** Math.min((low & 31) + 1, ID_BITS);
    if (intid < FIRST_LPI || intid >= end) return Outcome.INTID_OUT_OF_RANGE;
    const rd = this.#redistributors[(high >>> 21) & 0x3ff] as Redistributor;
    const table = addressIn(low, high, 16);
    if (rd.resident && rd.residentTable === table) {
      const outcome = rd.vlpis.setPending(intid);
      if (outcome === Outcome.PENDING) this.#counters[Counter.VLPIS_DIRECT]!++;
      return outcome;
    }
    return this.#setWaiting(rd, table, intid, doorbell);
  }

  /** A VLPI for a vPE that is not resident: its pending table, and a doorbell. */
  #setWaiting(rd: Redistributor, table: number, intid: number, doorbell: number): Outcome {
    const { words } = this.#ram;
    const offset = this.#ram.at(table + (intid >> 5) * 4, 4);
    if (offset < 0) return Outcome.TABLE_FAULT;
    const word = words[offset >> 2] as number;
    const bit = 1 << (intid & 31);
    if (word & bit) return Outcome.COALESCED;
    words[offset >> 2] = word | bit;
    this.#counters[Counter.VLPIS_WAITING]!++;
    if (doorbell !== NO_DOORBELL && rd.lpisEnabled) {
      const rung = rd.lpis.setPending(doorbell);
      this.#counters[rung === Outcome.PENDING ? Counter.DOORBELLS : Counter.DOORBELLS_COALESCED]!++;
    }
    return Outcome.PENDING;
  }

  #lookup(deviceId: number, eventId: number): Outcome {
    if (deviceId >= (this.#capacities[DEVICES] as number)) return Outcome.DEVICE_OUT_OF_RANGE;
    const at = this.#entryAt(DEVICES, deviceId);
    if (at < 0) return Outcome.TABLE_FAULT;
    const { words } = this.#ram;
    const low = words[at] as number;
    const high = words[at + 1] as number;
    if ((high & VALID) === 0) return Outcome.DEVICE_UNMAPPED;
    if (eventId >= 2 * 2 ** (low & 31) || eventId >= 2 ** ID_BITS) return Outcome.EVENT_OUT_OF_RANGE;
    const offset = this.#ram.at(addressIn(low, high, 8) + eventId * ENTRY_BYTES, ENTRY_BYTES);
    if (offset < 0) return Outcome.TABLE_FAULT;
    this.#foundAt = offset >> 2;
    return (words[this.#foundAt + 1] as number) & VALID ? Outcome.PENDING : Outcome.EVENT_UNMAPPED;
  }

  /** The PE of a collection; -1 where it has none. */
  #collectionCpu(icid: number): number {
    const at = this.#entryAt(COLLECTIONS, icid);
    if (at < 0 || ((this.#ram.words[at + 1] as number) & VALID) === 0) return -1;
    return (this.#ram.words[at] as number) & 0xffff;
  }

  /** The word of RAM where the entry of an ID begins; -1 for none. */
  #entryAt(table: number, id: number): number {
    if (id >= (this.#capacities[table] as number)) return -1;
    const offset = this.#ram.at((this.#tables[table] as number) + id * ENTRY_BYTES, ENTRY_BYTES);
    return offset < 0 ? -1 : offset >> 2;
  }

  /** Executes the command at a word of RAM; whether it succeeded. */
  #execute(at: number): boolean {
    const { words } = this.#ram;
    const deviceId = (words[at + 1] as number) >>> 0;
    const eventId = (words[at + 2] as number) >>> 0;
    switch ((words[at] as number) & 0xff) {
      case 0x03:
        return this.#int(deviceId, eventId);
      case 0x04:
        return this.#onInterrupt(deviceId, eventId, false);
      case 0x05:
      case 0x25:
        return true;
      case 0x08:
        return this.#mapDevice(at, deviceId, eventId & 31);
      case 0x09: {
        const target = ((words[at + 4] as number) >>> 16) | ((words[at + 5] as number) << 16);
        return this.#store(
          COLLECTIONS,
          (words[at + 4] as number) & 0xffff,
          target & 0xffff,
          (words[at + 5] as number) & VALID,
        );
      }
      case 0x0a: {
        const intid = words[at + 3] as number;
        const icid = (words[at + 4] as number) & 0xffff;
        return this.#mapEvent(deviceId, eventId, (intid << 16) | icid, VALID | (intid >>> 16));
      }
      case 0x0c:
        return this.#onInterrupt(deviceId, eventId, true);
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
        return false;
    }
  }

  #int(deviceId: number, eventId: number): boolean {
    const outcome = this.#inject(deviceId, eventId);
    this.#counters[Counter.INT + outcome]!++;
    return outcome <= Outcome.COALESCED || outcome === Outcome.LPIS_DISABLED;
  }

  /** CLEAR, or INV, of an event. */
  #onInterrupt(deviceId: number, eventId: number, invalidate: boolean): boolean {
    if (this.#lookup(deviceId, eventId) !== Outcome.PENDING) return false;
    const { words } = this.#ram;
    const low = words[this.#foundAt] as number;
    const high = words[this.#foundAt + 1] as number;
    const intid = (low >>> 16) | ((high & 0x3f) << 16);
    if (high & VIRTUAL) return this.#onVirtual(low & 0xffff, intid, invalidate);
    const cpu = this.#collectionCpu(low & 0xffff);
    if (cpu < 0) return false;
    const { lpis } = this.#redistributors[cpu] as Redistributor;
    if (invalidate) lpis.invalidate(intid);
    else lpis.clearPending(intid);
    return true;
  }

  #onVirtual(vpeId: number, intid: number, invalidate: boolean): boolean {
    const at = this.#entryAt(VPES, vpeId);
    if (at < 0) return false;
    const { words } = this.#ram;
    const low = words[at] as number;
    const high = words[at + 1] as number;
    if ((high & VALID) === 0) return false;
    const rd = this.#redistributors[(high >>> 21) & 0x3ff] as Redistributor;
    const table = addressIn(low, high, 16);
    if (rd.resident && rd.residentTable === table) {
      if (invalidate) rd.vlpis.invalidate(intid);
      else rd.vlpis.clearPending(intid);
    } else if (!invalidate) {
      const offset = this.#ram.at(table + (intid >> 5) * 4, 4);
      if (offset >= 0) words[offset >> 2] = (words[offset >> 2] as number) & ~(1 << (intid & 31));
    }
    return true;
  }

  #mapDevice(at: number, deviceId: number, size: number): boolean {
    const { words } = this.#ram;
    const low = ((words[at + 4] as number) & ~0xff) | size;
    const high = words[at + 5] as number;
    return this.#store(DEVICES, deviceId, low, high & VALID ? VALID | (high & 0xf_ffff) : 0);
  }

  #mapVpe(at: number): boolean {
    const { words } = this.#ram;
    const vpeId = (words[at + 3] as number) & 0xffff;
    const target = (words[at + 4] as number) >>> 16;
    const low = ((words[at + 6] as number) & ~0xffff) | ((words[at + 6] as number) & 31);
    const high = ((words[at + 7] as number) & 0xf_ffff) | (target << 21);
    return this.#store(VPES, vpeId, low, (words[at + 5] as number) & VALID ? VALID | high : 0);
  }

  #mapEvent(deviceId: number, eventId: number, low: number, high: number): boolean {
    const outcome = this.#lookup(deviceId, eventId);
    if (outcome !== Outcome.PENDING && outcome !== Outcome.EVENT_UNMAPPED) return false;
    this.#ram.words[this.#foundAt] = low;
    this.#ram.words[this.#foundAt + 1] = high;
    return true;
  }

  /** Stores an entry, all zero for one that is not valid. */
  #store(table: number, id: number, low: number, high: number): boolean {
    const at = this.#entryAt(table, id);
    if (at < 0) return false;
    this.#ram.words[at] = high & VALID ? low : 0;
    this.#ram.words[at + 1] = high & VALID ? high : 0;
    return true;
  }
}
