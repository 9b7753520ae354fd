import { Counter, Event, Outcome } from '../../assembly/abi.ts';
import { NOT_RESIDENT, type Redistributor } from './redistributor.ts';
import { FIRST_LPI, INTID_BITS, type Shared, SPURIOUS } from './shared.ts';
import { Table } from './table.ts';

const {
  PENDING,
  COALESCED,
  DEVICE_OUT_OF_RANGE,
  DEVICE_UNMAPPED,
  EVENT_OUT_OF_RANGE,
  EVENT_UNMAPPED,
  COLLECTION_UNMAPPED,
  VPE_UNMAPPED,
  INTID_OUT_OF_RANGE,
  TABLE_FAULT,
} = Outcome;
const { VLPIS_DIRECT, VLPIS_WAITING, DOORBELLS, DOORBELLS_COALESCED, DOORBELLS_DROPPED } = Counter;
const { LPIS_CLEARED, VLPIS_CLEARED } = Counter;
const { VLPI_WAITING, DOORBELL } = Event;

export const VALID = 0x8000_0000 | 0;
export const VIRTUAL = 0x4000_0000;
const ITE_BYTES = 8;
const EVENT_IDS = 2 ** 16;
const NO_DOORBELL = SPURIOUS;

/**
 * From a device's event to what it makes pending. Entries are two words of RAM each; those that a lookup found stay here
 * until the next one.
 */
export class Translation {
  readonly devices: Table;
  readonly collections: Table;
  readonly vpes: Table;
  /** The word of RAM where the entry of the event begins. */
  foundAt = 0;
  #entryLow = 0;
  #entryHigh = 0;
  #vpeLow = 0;
  #vpeHigh = 0;
  #cpu = 0;
  readonly #shared: Shared;
  readonly #words: Int32Array;
  readonly #redistributors: readonly Redistributor[];

  constructor(shared: Shared, redistributors: readonly Redistributor[]) {
    this.devices = new Table(shared.ram);
    this.collections = new Table(shared.ram);
    this.vpes = new Table(shared.ram);
    this.#shared = shared;
    this.#words = shared.ram.words;
    this.#redistributors = redistributors;
  }

  /** Makes an event's interrupt pending: what an MSI and an INT command have in common. */
  inject(deviceId: number, eventId: number): Outcome {
    const outcome = this.#lookupInterrupt(deviceId, eventId);
    if (outcome !== PENDING) return outcome;
    if (this.#entryHigh & VIRTUAL) {
      const vpe = this.#lookupVpe(this.#entryLow & 0xffff);
      return vpe === PENDING ? this.#setPendingVlpi() : vpe;
    }
    const collection = this.#lookupCollection(this.#entryLow & 0xffff);
    if (collection !== PENDING) return collection;
    return (this.#redistributors[this.#cpu] as Redistributor).setPendingLpi(this.#intid);
  }

  /** The device's entry and the place of the event's entry, mapped or not. PENDING stands for success. */
  lookupEvent(deviceId: number, eventId: number): Outcome {
    if (deviceId >= this.devices.capacity) return DEVICE_OUT_OF_RANGE;
    const at = this.devices.entryAt(deviceId);
    if (at < 0) return TABLE_FAULT;
    const low = this.#words[at] as number;
    const high = this.#words[at + 1] as number;
    if ((high & VALID) === 0) return DEVICE_UNMAPPED;
    if ((low & 31) < 15 && eventId >= 2 << (low & 31)) return EVENT_OUT_OF_RANGE;
    if (eventId >= EVENT_IDS) return EVENT_OUT_OF_RANGE;
    const offset = this.#shared.ram.atField(low, high, 8, eventId * ITE_BYTES, ITE_BYTES);
    if (offset < 0) return TABLE_FAULT;
    this.foundAt = offset >> 2;
    return PENDING;
  }

  /** The mapped event of CLEAR and INV, with its collection or vPE. */
  resolve(deviceId: number, eventId: number): Outcome {
    const outcome = this.#lookupInterrupt(deviceId, eventId);
    if (outcome !== PENDING) return outcome;
    const id = this.#entryLow & 0xffff;
    return this.#entryHigh & VIRTUAL ? this.#lookupVpe(id) : this.#lookupCollection(id);
  }

  /** Clears the pending state of the interrupt that `resolve` found. */
  clearFound(): void {
    const intid = this.#intid;
    if (this.#entryHigh & VIRTUAL) {
      if (this.#clearPendingVlpi(intid)) this.#shared.count(VLPIS_CLEARED);
    } else if ((this.#redistributors[this.#cpu] as Redistributor).lpis.clearPending(intid)) {
      this.#shared.count(LPIS_CLEARED);
    }
  }

  /** INV of the interrupt that `resolve` found: of VLPIs only those of a resident vPE have cached configuration. */
  invalidateFound(): void {
    if ((this.#entryHigh & VIRTUAL) === 0) {
      (this.#redistributors[this.#cpu] as Redistributor).lpis.invalidate(this.#intid);
      return;
    }
    const rd = this.#vpeRedistributor;
    if (rd.residentEnd(this.#vpeLow, this.#vpeHigh) !== NOT_RESIDENT) rd.vlpis.invalidate(this.#intid);
  }

  /** The LPIs of a collection's PE are read again. */
  invalidateCollection(icid: number): Outcome {
    const outcome = this.#lookupCollection(icid);
    if (outcome === PENDING) (this.#redistributors[this.#cpu] as Redistributor).lpis.invalidateAll();
    return outcome;
  }

  get #intid(): number {
    return (this.#entryLow >>> 16) | ((this.#entryHigh & 0x3f) << 16);
  }

  get #vpeRedistributor(): Redistributor {
    return this.#redistributors[(this.#vpeHigh >>> 21) & 0x3ff] as Redistributor;
  }

  /** The first INTID beyond the VLPIs of the vPE that was found. */
  get #vpeEnd(): number {
    return 1 << Math.min((this.#vpeLow & 31) + 1, INTID_BITS);
  }

  #lookupInterrupt(deviceId: number, eventId: number): Outcome {
    const outcome = this.lookupEvent(deviceId, eventId);
    if (outcome !== PENDING) return outcome;
    this.#entryLow = this.#words[this.foundAt] as number;
    this.#entryHigh = this.#words[this.foundAt + 1] as number;
    const mapped = this.#entryHigh & VALID && ((this.#entryHigh & VIRTUAL) === 0 || this.#shared.hasVlpis);
    return mapped ? PENDING : EVENT_UNMAPPED;
  }

  #lookupCollection(icid: number): Outcome {
    if (icid >= this.collections.capacity) return COLLECTION_UNMAPPED;
    const at = this.collections.entryAt(icid);
    if (at < 0) return TABLE_FAULT;
    this.#cpu = (this.#words[at] as number) & 0xffff;
    const mapped = (this.#words[at + 1] as number) & VALID && this.#cpu < this.#shared.cpus;
    return mapped ? PENDING : COLLECTION_UNMAPPED;
  }

  #lookupVpe(vpeId: number): Outcome {
    if (vpeId >= this.vpes.capacity) return VPE_UNMAPPED;
    const at = this.vpes.entryAt(vpeId);
    if (at < 0) return TABLE_FAULT;
    this.#vpeLow = this.#words[at] as number;
    this.#vpeHigh = this.#words[at + 1] as number;
    const mapped = this.#vpeHigh & VALID && ((this.#vpeHigh >>> 21) & 0x3ff) < this.#shared.cpus;
    return mapped ? PENDING : VPE_UNMAPPED;
  }

  #setPendingVlpi(): Outcome {
    const intid = this.#intid;
    if (intid < FIRST_LPI || intid >= this.#vpeEnd) return INTID_OUT_OF_RANGE;
    const rd = this.#vpeRedistributor;
    const residentEnd = rd.residentEnd(this.#vpeLow, this.#vpeHigh);
    if (residentEnd !== NOT_RESIDENT) {
      if (intid >= residentEnd) return INTID_OUT_OF_RANGE;
      const { ram } = this.#shared;
      if (ram.atField(this.#vpeLow, this.#vpeHigh, 16, 0, residentEnd >> 3) < 0) return TABLE_FAULT;
    }
    const at = this.#pendingWord(intid);
    if (at < 0) return TABLE_FAULT;
    const word = this.#words[at] as number;
    const bit = 1 << (intid & 31);
    const coalesced = (word & bit) !== 0;
    this.#words[at] = word | bit;
    if (residentEnd === NOT_RESIDENT) return this.#setWaiting(rd, intid, coalesced);
    if (coalesced) return COALESCED;
    rd.vlpis.hasBecomePending(intid);
    this.#shared.count(VLPIS_DIRECT);
    return PENDING;
  }

  /** A VLPI has become pending for a vPE that is not resident: its doorbell rings. */
  #setWaiting(rd: Redistributor, intid: number, coalesced: boolean): Outcome {
    if (!coalesced) {
      this.#shared.count(VLPIS_WAITING);
      this.#shared.events.emit(VLPI_WAITING, (this.#vpeHigh >>> 21) & 0x3ff, intid, this.#entryLow & 0xffff);
    }
    if (!coalesced || this.#shared.doorbellRepeats) {
      this.#ringDoorbell(rd, (this.#entryHigh >>> 6) & 0x3f_ffff);
    }
    return coalesced ? COALESCED : PENDING;
  }

  #ringDoorbell(rd: Redistributor, doorbell: number): void {
    if (doorbell === NO_DOORBELL) return;
    const outcome = rd.setPendingLpi(doorbell);
    this.#shared.events.emit(DOORBELL, (this.#vpeHigh >>> 21) & 0x3ff, doorbell, 0);
    if (outcome === PENDING) this.#shared.count(DOORBELLS);
    else this.#shared.count(outcome === COALESCED ? DOORBELLS_COALESCED : DOORBELLS_DROPPED);
  }

  #clearPendingVlpi(intid: number): boolean {
    if (intid < FIRST_LPI || intid >= this.#vpeEnd) return false;
    const rd = this.#vpeRedistributor;
    if (intid < rd.residentEnd(this.#vpeLow, this.#vpeHigh)) return rd.vlpis.clearPending(intid);
    const at = this.#pendingWord(intid);
    if (at < 0) return false;
    const word = this.#words[at] as number;
    const bit = 1 << (intid & 31);
    this.#words[at] = word & ~bit;
    return (word & bit) !== 0;
  }

  /** The word of RAM in the vPE's pending table, -1 outside RAM. */
  #pendingWord(intid: number): number {
    const offset = this.#shared.ram.atField(this.#vpeLow, this.#vpeHigh, 16, (intid >> 5) << 2, 4);
    return offset < 0 ? -1 : offset >> 2;
  }
}
