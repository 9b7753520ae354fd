import { SystemRegister } from '../../assembly/abi.ts';
import { Access, AccessList } from '../../assembly/bench/abi.ts';
import { type MachineConfig, redistributorStride } from '../../bindings/config.ts';
import { Its } from './its.ts';
import { Outputs } from './outputs.ts';
import { Redistributor } from './redistributor.ts';
import { Shared } from './shared.ts';
import { readPhysical, readVirtual, writePhysical, writeVirtual } from './system_registers.ts';

const { SEND_MSI, READ, WRITE, READ_SYSTEM, WRITE_SYSTEM } = Access;
const WORDS = AccessList.WORDS as number;
const FIRST_VIRTUAL = SystemRegister.HCR_EL2 as number;

/**
 * The engine's hot paths by the same algorithm in plain TypeScript: what WebAssembly is compared with. Tables and pending
 * bits are in RAM, configuration is cached, once for LPIs that have the same, what is pending stands in priority planes,
 * and outputs are settled once an action is over, of which only that is looked for again which the action may have
 * changed. Both groups, binary points, list registers, counters, events and the policies that these paths look at are
 * there. It leaves out what the measured paths have no part of: SPIs, PPIs and SGIs, so that of Group 0 there are only
 * list registers; GICv4.1; two-level tables, collections held in the ITS, and commands that move interrupts;
 * diagnostics; the checks of accesses to register frames; all sizes but one of IDs and priorities; other threads.
 */
export class Twin {
  readonly shared: Shared;
  readonly redistributors: readonly Redistributor[];
  readonly #its: Its;
  readonly #outputs: Outputs;
  readonly #gits: number;
  readonly #gicr: number;
  readonly #stride: number;
  /** The upper half of the last 64-bit load. */
  high = 0;

  constructor(config: MachineConfig) {
    const { cpus, addressMap } = config;
    const shared = new Shared(config);
    this.shared = shared;
    this.redistributors = Array.from({ length: cpus }, (_, cpu) => new Redistributor(shared, cpu));
    const physical = this.redistributors.map((rd) => rd.physical);
    this.#outputs = new Outputs(
      shared,
      physical,
      this.redistributors.map((rd) => rd.virtual),
    );
    this.#its = new Its(shared, this.redistributors);
    this.#gits = addressMap.gits;
    this.#gicr = addressMap.gicr;
    this.#stride = redistributorStride(config);
  }

  /** Does the accesses of a list in turn; a checksum of what they return. */
  play(list: Uint32Array): number {
    let sum = 0;
    for (let at = 0; at < list.length; at += WORDS) {
      sum = Math.imul(((sum << 5) | (sum >>> 27)) ^ this.#access(list, at), 0x9e37_79b1);
    }
    return sum >>> 0;
  }

  #access(list: Uint32Array, at: number): number {
    const a = list[at + 1] as number;
    const b = list[at + 2] as number;
    const c = list[at + 3] as number;
    switch (list[at]) {
      case SEND_MSI:
        return this.sendMsi(b, c);
      case READ:
        return this.read(a, b);
      case WRITE:
        this.write(a, b, c | 0, (list[at + 4] as number) | 0);
        return 0;
      case READ_SYSTEM:
        return this.readSystem(a, b);
      case WRITE_SYSTEM:
        this.writeSystem(a, b, c | 0, (list[at + 4] as number) | 0);
        return 0;
      default:
        throw new RangeError(`access ${list[at]} is none that the twin knows`);
    }
  }

  sendMsi(deviceId: number, eventId: number): number {
    const outcome = this.#its.translate(deviceId, eventId);
    this.#outputs.settle();
    return outcome;
  }

  read(address: number, size: number): number {
    this.high = 0;
    const offset = this.shared.ram.at(address, size);
    if (offset >= 0) return this.#readRam(offset, size);
    const frame = address - this.#gicr;
    if (frame >= 0 && frame < this.redistributors.length * this.#stride) {
      const rd = this.redistributors[Math.floor(frame / this.#stride)] as Redistributor;
      if (frame % this.#stride !== 0x2_0078) throw new RangeError(`no register at ${address.toString(16)}`);
      this.high = rd.vpendbaserHigh;
      return rd.vpendbaserLow;
    }
    if (address === this.#gits + 0x88) return this.#its.cwriter;
    if (address === this.#gits + 0x90) return this.#its.creadr;
    throw new RangeError(`no register at ${address.toString(16)}`);
  }

  write(address: number, size: number, low: number, high: number): void {
    const offset = this.shared.ram.at(address, size);
    if (offset >= 0) {
      this.#writeRam(offset, size, low, high);
    } else {
      this.#writeFrame(address, low, high);
    }
    this.#outputs.settle();
  }

  readSystem(cpu: number, register: number): number {
    const rd = this.redistributors[cpu] as Redistributor;
    const value =
      register >= FIRST_VIRTUAL ? readVirtual(rd.virtual, register) : readPhysical(rd.physical, register);
    this.#outputs.settle();
    return value;
  }

  writeSystem(cpu: number, register: number, low: number, high: number): void {
    const rd = this.redistributors[cpu] as Redistributor;
    if (register >= FIRST_VIRTUAL) writeVirtual(this.shared, rd.virtual, register, low, high);
    else writePhysical(this.shared, rd.physical, register, low);
    this.#outputs.settle();
  }

  #readRam(offset: number, size: number): number {
    const { words, bytes } = this.shared.ram;
    if (size < 4) return bytes[offset] as number;
    if (size === 8) this.high = words[(offset >> 2) + 1] as number;
    return words[offset >> 2] as number;
  }

  #writeRam(offset: number, size: number, low: number, high: number): void {
    const { words, bytes } = this.shared.ram;
    if (size < 4) bytes[offset] = low;
    else words[offset >> 2] = low;
    if (size === 8) words[(offset >> 2) + 1] = high;
  }

  #writeFrame(address: number, low: number, high: number): void {
    const frame = address - this.#gicr;
    if (frame >= 0 && frame < this.redistributors.length * this.#stride) {
      const cpu = Math.floor(frame / this.#stride);
      writeRedistributor(this.redistributors[cpu] as Redistributor, frame - cpu * this.#stride, low, high);
    } else if (address >= this.#gits && address < this.#gits + 0x1_0000) {
      this.#writeIts(address - this.#gits, low, high);
    } else {
      this.shared.groupEnables = low & 3;
      for (const { physical } of this.redistributors) physical.touch();
    }
  }

  #writeIts(offset: number, low: number, high: number): void {
    const its = this.#its;
    if (offset === 0x88) its.setWriter(low);
    else if (offset === 0x80) its.setQueue(low, high);
    else if (offset >= 0x100) its.setTable((offset - 0x100) >> 3, low, high);
    else if (offset === 0) {
      its.enabled = (low & 1) !== 0;
      its.drain();
    }
  }
}

function writeRedistributor(rd: Redistributor, offset: number, low: number, high: number): void {
  if (offset === 0x2_0070) rd.setVpropbaser(low, high);
  else if (offset === 0x2_0078) rd.setVpendbaser(low, high);
  else if (offset === 0x70) rd.setPropbaser(low, high);
  else if (offset === 0x78) rd.setPendbaser(low, high);
  else if (offset === 0) rd.enableLpis((low & 1) !== 0);
}
