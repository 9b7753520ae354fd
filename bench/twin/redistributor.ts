import { Counter, Event, Outcome } from '../../assembly/abi.ts';
import { CpuInterface } from './cpu_interface.ts';
import { LpiSet } from './lpi_set.ts';
import { FIRST_LPI, INTID_BITS, type Shared } from './shared.ts';
import { VirtualCpuInterface } from './virtual_cpu_interface.ts';

const { LPIS_DISABLED } = Outcome;

const VALID = 0x8000_0000 | 0;
const PENDING_LAST = 0x2000_0000;
const DIRTY = 0x1000_0000;
const ADDRESS_LOW = ~0xffff;
const ADDRESS_HIGH = 0xf_ffff;

export const NOT_RESIDENT = -1;

/** A redistributor with its PE's CPU interfaces: the PE's LPIs, and the vPE that is resident. */
export class Redistributor {
  readonly physical: CpuInterface;
  readonly virtual: VirtualCpuInterface;
  readonly lpis: LpiSet;
  readonly vlpis: LpiSet;
  lpisEnabled = false;
  vpendbaserLow = 0;
  vpendbaserHigh = 0;
  readonly #shared: Shared;
  readonly #cpu: number;
  #propbaser: readonly [number, number] = [0, 0];
  #pendbaser: readonly [number, number] = [0, 0];
  #vpropbaser: readonly [number, number] = [0, 0];
  #resident = false;
  /** The resident vPE's pending table, and the first INTID beyond its VLPIs. */
  #tableLow = 0;
  #tableHigh = 0;
  #residentEnd = 0;

  constructor(shared: Shared, cpu: number) {
    this.#shared = shared;
    this.#cpu = cpu;
    this.physical = new CpuInterface(shared, cpu, this);
    this.virtual = new VirtualCpuInterface(shared, cpu, this);
    this.lpis = new LpiSet(shared, cpu, this.physical, Event.LPI_PENDING);
    this.vlpis = new LpiSet(shared, cpu, this.virtual, Event.VLPI_DIRECT);
  }

  /** Makes a physical LPI pending. */
  setPendingLpi(intid: number): Outcome {
    return this.lpisEnabled ? this.lpis.setPending(intid) : LPIS_DISABLED;
  }

  /** The first INTID beyond the VLPIs of the vPE whose table a mapping names; NOT_RESIDENT where it is not here. */
  residentEnd(low: number, high: number): number {
    const isHere =
      this.#resident && (low & ADDRESS_LOW) === this.#tableLow && (high & ADDRESS_HIGH) === this.#tableHigh;
    return isHere ? this.#residentEnd : NOT_RESIDENT;
  }

  setPropbaser(low: number, high: number): void {
    if (!this.lpisEnabled) this.#propbaser = [low, high];
  }

  setPendbaser(low: number, high: number): void {
    if (!this.lpisEnabled) this.#pendbaser = [low, high];
  }

  enableLpis(enable: boolean): void {
    if (enable === this.lpisEnabled) return;
    this.lpisEnabled = enable;
    if (enable) this.#attach(this.lpis, this.#propbaser, ...this.#pendbaser);
    else this.lpis.detach();
  }

  setVpropbaser(low: number, high: number): void {
    if (!this.#resident) this.#vpropbaser = [low, high];
  }

  setVpendbaser(low: number, high: number): void {
    const valid = (high & VALID) !== 0;
    if (this.#resident && valid) return;
    this.vpendbaserLow = low;
    this.vpendbaserHigh = high & ~DIRTY;
    if (valid) this.#scheduleIn(low, high);
    else if (this.#resident) this.#scheduleOut();
  }

  #scheduleIn(low: number, high: number): void {
    this.vpendbaserHigh |= PENDING_LAST;
    this.#resident = true;
    this.#tableLow = low & ADDRESS_LOW;
    this.#tableHigh = high & ADDRESS_HIGH;
    this.#attach(this.vlpis, this.#vpropbaser, low, high);
    this.#residentEnd = Math.max(this.vlpis.end, 1);
    this.#shared.count(Counter.SCHEDULED_IN);
    this.#shared.events.emit(Event.SCHEDULED_IN, this.#cpu, 0, 0);
  }

  #scheduleOut(): void {
    const last = this.vlpis.index.isEmpty ? 0 : PENDING_LAST;
    this.vpendbaserHigh = (this.vpendbaserHigh & ~PENDING_LAST) | last;
    this.#resident = false;
    this.vlpis.detach();
    this.#shared.count(Counter.SCHEDULED_OUT);
    this.#shared.events.emit(Event.SCHEDULED_OUT, this.#cpu, last === 0 ? 0 : 1, 0);
  }

  #attach(
    set: LpiSet,
    [propLow, propHigh]: readonly [number, number],
    pendLow: number,
    pendHigh: number,
  ): void {
    const { ram } = this.#shared;
    const bits = Math.min((propLow & 31) + 1, INTID_BITS);
    if (bits < 14) return set.attach(0, -1, -1);
    const end = 2 ** bits;
    const config = ram.atField(propLow, propHigh, 12, 0, end - FIRST_LPI);
    set.attach(end, config, ram.atField(pendLow, pendHigh, 16, 0, end / 8));
  }
}
