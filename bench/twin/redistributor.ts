import type { CpuMarks } from './cpu_marks.ts';
import { FIRST_LPI, LpiSet } from './lpi_set.ts';
import { addressIn, type Ram } from './ram.ts';

const VALID = 0x8000_0000 | 0;
const PENDING_LAST = 0x2000_0000;
const INTID_BITS = 16;

/** A redistributor: its PE's LPIs, and the vPE that is resident. */
export class Redistributor {
  readonly lpis: LpiSet;
  readonly vlpis: LpiSet;
  lpisEnabled = false;
  resident = false;
  residentTable = 0;
  readonly #ram: Ram;
  #propbaser: readonly [number, number] = [0, 0];
  #pendbaser: readonly [number, number] = [0, 0];
  #vpropbaserLow = 0;
  #vpropbaserHigh = 0;
  #vpendbaserLow = 0;
  #vpendbaserHigh = 0;

  constructor(ram: Ram, physical: CpuMarks, virtual: CpuMarks, cpu: number) {
    this.#ram = ram;
    this.lpis = new LpiSet(ram, physical, cpu);
    this.vlpis = new LpiSet(ram, virtual, cpu);
  }

  setPropbaser(low: number, high: number): void {
    this.#propbaser = [low, high];
  }

  setPendbaser(low: number, high: number): void {
    this.#pendbaser = [low, high];
  }

  enableLpis(enable: boolean): void {
    if (enable === this.lpisEnabled) return;
    this.lpisEnabled = enable;
    if (enable) this.#attach(this.lpis, ...this.#propbaser, addressIn(...this.#pendbaser, 16));
    else this.lpis.detach();
  }

  setVpropbaser(low: number, high: number): void {
    if (this.resident) return;
    this.#vpropbaserLow = low;
    this.#vpropbaserHigh = high;
  }

  setVpendbaser(low: number, high: number): void {
    const valid = (high & VALID) !== 0;
    if (this.resident && valid) return;
    this.#vpendbaserLow = low;
    if (valid) {
      this.#vpendbaserHigh = high | PENDING_LAST;
      this.resident = true;
      this.residentTable = addressIn(low, high, 16);
      this.#attach(this.vlpis, this.#vpropbaserLow, this.#vpropbaserHigh, this.residentTable);
    } else if (this.resident) {
      this.#vpendbaserHigh = (high & ~PENDING_LAST) | (this.vlpis.index.isEmpty ? 0 : PENDING_LAST);
      this.resident = false;
      this.vlpis.detach();
    } else {
      this.#vpendbaserHigh = high;
    }
  }

  get vpendbaserLow(): number {
    return this.#vpendbaserLow;
  }

  get vpendbaserHigh(): number {
    return this.#vpendbaserHigh;
  }

  #attach(set: LpiSet, propLow: number, propHigh: number, pendingAddress: number): void {
    const bits = Math.min((propLow & 31) + 1, INTID_BITS);
    const end = bits < 14 ? 0 : 2 ** bits;
    const config = this.#ram.at(addressIn(propLow, propHigh, 12), end - FIRST_LPI);
    set.attach(end, config, this.#ram.at(pendingAddress, end / 8));
  }
}
