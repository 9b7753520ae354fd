import { Counter, SystemRegister } from '../../assembly/abi.ts';
import { Access, AccessList } from '../../assembly/bench/abi.ts';
import { type MachineConfig, redistributorStride } from '../../bindings/config.ts';
import { CpuInterface } from './cpu_interface.ts';
import { CpuMarks } from './cpu_marks.ts';
import { Its } from './its.ts';
import { keyBit, keyPriority, lowestBit, NONE } from './priority_index.ts';
import { Ram } from './ram.ts';
import { Redistributor } from './redistributor.ts';

const SPURIOUS = 1023;

/**
 * The engine's hot paths by the same algorithm in plain TypeScript: what WebAssembly is compared with. Tables and pending
 * bits are in RAM, configuration is cached, what is pending stands in priority planes, and outputs are settled once an
 * action is over. It leaves out what the hot paths do not need: SPIs, PPIs and SGIs, Group 0, list registers, policies,
 * diagnostics, two-level tables, GICv4.1.
 */
export class Twin {
  readonly ram: Ram;
  readonly counters = new Uint32Array(Counter.COUNT);
  readonly physical: readonly CpuInterface[];
  readonly virtual: readonly CpuInterface[];
  readonly #its: Its;
  readonly #redistributors: readonly Redistributor[];
  readonly #dirty: CpuMarks;
  readonly #dirtyVirtual: CpuMarks;
  readonly #gits: number;
  readonly #gicr: number;
  readonly #stride: number;
  #group1 = false;
  /** The upper half of the last 64-bit load. */
  high = 0;

  constructor(config: MachineConfig) {
    const { cpus, ram, addressMap } = config;
    this.ram = new Ram(ram.base, ram.size);
    const [dirty, dirtyVirtual] = [new CpuMarks(cpus), new CpuMarks(cpus)];
    const each = <Unit>(make: (cpu: number) => Unit) => Array.from({ length: cpus }, (_, cpu) => make(cpu));
    this.#redistributors = each((cpu) => new Redistributor(this.ram, dirty, dirtyVirtual, cpu));
    this.physical = each(() => new CpuInterface());
    this.virtual = each(() => new CpuInterface());
    this.#its = new Its(this.ram, this.#redistributors, this.counters);
    this.#dirty = dirty;
    this.#dirtyVirtual = dirtyVirtual;
    this.#gits = addressMap.gits;
    this.#gicr = addressMap.gicr;
    this.#stride = redistributorStride(config);
  }

  /** Does the accesses of a list in turn; a checksum of what they return. */
  play(list: Uint32Array): number {
    let sum = 0;
    for (let at = 0; at < list.length; at += AccessList.WORDS) {
      sum = Math.imul(((sum << 5) | (sum >>> 27)) ^ this.#access(list, at), 0x9e37_79b1);
    }
    return sum >>> 0;
  }

  #access(list: Uint32Array, at: number): number {
    const a = list[at + 1] as number;
    const b = list[at + 2] as number;
    const c = list[at + 3] as number;
    switch (list[at]) {
      case Access.SEND_MSI:
        return this.sendMsi(b, c);
      case Access.READ:
        return this.read(a, b);
      case Access.WRITE:
        this.write(a, b, c | 0, (list[at + 4] as number) | 0);
        return 0;
      case Access.READ_SYSTEM:
        return this.readSystem(a, b);
      case Access.WRITE_SYSTEM:
        this.writeSystem(a, b, c);
        return 0;
      default:
        throw new RangeError(`access ${list[at]} is none that the twin knows`);
    }
  }

  sendMsi(deviceId: number, eventId: number): number {
    const outcome = this.#its.translate(deviceId, eventId);
    this.#settle();
    return outcome;
  }

  read(address: number, size: number): number {
    this.high = 0;
    const offset = this.ram.at(address, size);
    if (offset >= 0) return this.#readRam(offset, size);
    const frame = address - this.#gicr;
    if (frame >= 0 && frame < this.#redistributors.length * this.#stride) {
      const rd = this.#redistributors[Math.floor(frame / this.#stride)] as Redistributor;
      if (frame % this.#stride !== 0x2_0078) throw new RangeError(`no register at ${address.toString(16)}`);
      this.high = rd.vpendbaserHigh;
      return rd.vpendbaserLow;
    }
    if (address === this.#gits + 0x88) return this.#its.cwriter;
    if (address === this.#gits + 0x90) return this.#its.creadr;
    throw new RangeError(`no register at ${address.toString(16)}`);
  }

  write(address: number, size: number, low: number, high: number): void {
    const offset = this.ram.at(address, size);
    if (offset >= 0) {
      this.#writeRam(offset, size, low, high);
      return;
    }
    const frame = address - this.#gicr;
    if (frame >= 0 && frame < this.#redistributors.length * this.#stride) {
      const cpu = Math.floor(frame / this.#stride);
      this.#writeRedistributor(cpu, frame - cpu * this.#stride, low, high);
    } else if (address >= this.#gits && address < this.#gits + 0x1_0000) {
      this.#writeIts(address - this.#gits, low, high);
    } else {
      this.#group1 = (low & 2) !== 0;
      for (let cpu = 0; cpu < this.physical.length; cpu++) this.#dirty.mark(cpu);
    }
    this.#settle();
  }

  readSystem(cpu: number, register: number): number {
    const result = this.#readSystem(cpu, register);
    this.#settle();
    return result;
  }

  writeSystem(cpu: number, register: number, value: number): void {
    this.#writeSystem(cpu, register, value);
    this.#settle();
  }

  #readRam(offset: number, size: number): number {
    const { words, bytes } = this.ram;
    if (size < 4) return bytes[offset] as number;
    if (size === 8) this.high = words[(offset >> 2) + 1] as number;
    return words[offset >> 2] as number;
  }

  #writeRam(offset: number, size: number, low: number, high: number): void {
    const { words, bytes } = this.ram;
    if (size < 4) bytes[offset] = low;
    else words[offset >> 2] = low;
    if (size === 8) words[(offset >> 2) + 1] = high;
  }

  #writeRedistributor(cpu: number, offset: number, low: number, high: number): void {
    const rd = this.#redistributors[cpu] as Redistributor;
    if (offset === 0x2_0070) rd.setVpropbaser(low, high);
    else if (offset === 0x2_0078) rd.setVpendbaser(low, high);
    else if (offset === 0x70) rd.setPropbaser(low, high);
    else if (offset === 0x78) rd.setPendbaser(low, high);
    else if (offset === 0) rd.enableLpis((low & 1) !== 0);
  }

  #writeIts(offset: number, low: number, high: number): void {
    if (offset === 0x88) this.#its.setWriter(low);
    else if (offset === 0) {
      this.#its.enabled = (low & 1) !== 0;
    } else if (offset === 0x80) this.#its.setQueue(low, high);
    else if (offset >= 0x100) this.#its.setTable((offset - 0x100) >> 3, low, high);
  }

  #readSystem(cpu: number, register: number): number {
    switch (register) {
      case SystemRegister.ICC_IAR1_EL1:
        return this.#acknowledge(cpu);
      case SystemRegister.ICV_IAR1_EL1:
        return this.#acknowledgeVirtual(cpu);
      case SystemRegister.ICC_HPPIR1_EL1:
        return intidOf((this.physical[cpu] as CpuInterface).best);
      case SystemRegister.ICV_HPPIR1_EL1:
        return intidOf((this.virtual[cpu] as CpuInterface).best);
      default:
        throw new RangeError(`${SystemRegister[register]} is none that the twin can read`);
    }
  }

  #writeSystem(cpu: number, register: number, value: number): void {
    const self = this.physical[cpu] as CpuInterface;
    const guest = this.virtual[cpu] as CpuInterface;
    switch (register) {
      case SystemRegister.ICC_EOIR1_EL1:
        if (self.drop()) this.counters[Counter.PRIORITY_DROPS]!++;
        this.#dirty.mark(cpu);
        break;
      case SystemRegister.ICV_EOIR1_EL1:
        guest.drop();
        this.#dirtyVirtual.mark(cpu);
        break;
      case SystemRegister.ICC_PMR_EL1:
        self.priorityMask = value & 0xf8;
        this.#dirty.mark(cpu);
        break;
      case SystemRegister.ICC_IGRPEN1_EL1:
        self.enabled = (value & 1) !== 0;
        this.#dirty.mark(cpu);
        break;
      case SystemRegister.ICV_PMR_EL1:
        guest.priorityMask = value & 0xf8;
        this.#dirtyVirtual.mark(cpu);
        break;
      case SystemRegister.ICV_IGRPEN1_EL1:
        guest.enabled = (value & 1) !== 0;
        this.#dirtyVirtual.mark(cpu);
        break;
      case SystemRegister.ICH_HCR_EL2:
        break;
      default:
        throw new RangeError(`${SystemRegister[register]} is none that the twin can write`);
    }
  }

  #acknowledge(cpu: number): number {
    const self = this.physical[cpu] as CpuInterface;
    const { best } = self;
    if (best === NONE || !self.canSignal(keyPriority(best))) {
      this.counters[Counter.SPURIOUS]!++;
      return SPURIOUS;
    }
    (this.#redistributors[cpu] as Redistributor).lpis.take(keyBit(best));
    this.counters[Counter.ACKNOWLEDGED_LPI]!++;
    self.activate(keyPriority(best));
    this.#dirty.mark(cpu);
    return keyBit(best);
  }

  #acknowledgeVirtual(cpu: number): number {
    const self = this.virtual[cpu] as CpuInterface;
    const { best } = self;
    if (best === NONE || !self.canSignal(keyPriority(best))) {
      this.counters[Counter.VIRTUAL_SPURIOUS]!++;
      return SPURIOUS;
    }
    (this.#redistributors[cpu] as Redistributor).vlpis.take(keyBit(best));
    this.counters[Counter.VIRTUAL_ACKNOWLEDGED_VLPI]!++;
    self.activate(keyPriority(best));
    this.#dirtyVirtual.mark(cpu);
    return keyBit(best);
  }

  /** Recomputes what the marked PEs and their guests see. */
  #settle(): void {
    const virtual = this.#dirtyVirtual.words;
    const physical = this.#dirty.words;
    for (let index = 0; index < virtual.length; index++) {
      let dirty = virtual[index] as number;
      if (dirty === 0) continue;
      virtual[index] = 0;
      for (; dirty !== 0; dirty &= dirty - 1) {
        const cpu = (index << 5) | lowestBit(dirty);
        const { vlpis } = this.#redistributors[cpu] as Redistributor;
        present(this.virtual[cpu] as CpuInterface, vlpis.index.best());
      }
    }
    for (let index = 0; index < physical.length; index++) {
      let dirty = physical[index] as number;
      if (dirty === 0) continue;
      physical[index] = 0;
      for (; dirty !== 0; dirty &= dirty - 1) {
        const cpu = (index << 5) | lowestBit(dirty);
        const { lpis, lpisEnabled } = this.#redistributors[cpu] as Redistributor;
        present(this.physical[cpu] as CpuInterface, this.#group1 && lpisEnabled ? lpis.index.best() : NONE);
      }
    }
  }
}

function present(self: CpuInterface, best: number): void {
  self.best = best;
  self.irq = best !== NONE && self.canSignal(keyPriority(best));
}

function intidOf(best: number): number {
  return best === NONE ? SPURIOUS : keyBit(best);
}
