import {
  createMachine,
  type GuestVm,
  IrqChip,
  type KernelEra,
  Kvm,
  type Machine,
  type MachineOptions,
  type Vcpu,
  type VirtualIrq,
} from '../../bindings/index.ts';

/** Offsets of the distributor's and of the SGI frame's bitmaps, for hosts and guests alike. */
export const GIC = {
  IGROUPR: 0x080,
  ISENABLER: 0x100,
  ICENABLER: 0x180,
  ISPENDR: 0x200,
  ICPENDR: 0x280,
  ISACTIVER: 0x300,
  ICACTIVER: 0x380,
  IPRIORITYR: 0x400,
  ICFGR: 0xc00,
  IROUTER: 0x6000,
} as const;
export type Bitmap =
  | 'IGROUPR'
  | 'ISENABLER'
  | 'ICENABLER'
  | 'ISPENDR'
  | 'ICPENDR'
  | 'ISACTIVER'
  | 'ICACTIVER';

export const SGI_FRAME = 0x1_0000;
const REDISTRIBUTOR = 0x2_0000;
/** GICD_CTLR of a guest. */
export const CTLR = { EnableGrp1: 1 << 1, nASSGIreq: 1 << 8 } as const;

export interface LabOptions extends MachineOptions {
  readonly kvm?: KernelEra;
  readonly vcpus?: number;
  readonly eoiMode?: 0 | 1;
  /** vCPUs that run from the start; default all. */
  readonly run?: number;
}

/** vCPU that an SGI or PPI is of, and the one that accesses it. */
export interface Place {
  readonly owner?: number;
  readonly by?: number;
}

/** What a life-cycle table shows of an interrupt. */
export interface Picture {
  /** P: pending_latch, L: line_level, A: active; `-` for none. */
  readonly memory: string;
  /** State of its list register, with `hw`; undefined without one. */
  readonly lr: string | undefined;
  /** vCPU on whose list it is. */
  readonly list: number | undefined;
}

/** A host, a VM whose guest has set its interrupt controller up, and its vCPUs in the guest, each on a PE of its own. */
export class Lab {
  readonly kvm: Kvm;
  readonly vm: GuestVm;

  constructor(
    readonly machine: Machine,
    { kvm = '5.6', vcpus = 2, eoiMode = 0, run = vcpus }: LabOptions,
  ) {
    this.kvm = new Kvm(new IrqChip(machine, { kvm }));
    this.vm = this.kvm.createVm({ vcpus });
    for (const vcpu of this.vm.vcpus.slice(0, run)) this.boot(vcpu.run(vcpu.index), eoiMode);
  }

  /** What a guest's kernel does on each of its CPUs. */
  boot({ guest, index }: Vcpu, eoiMode: 0 | 1 = 0): void {
    if (index === 0) guest.store(this.vm.distributor, CTLR.EnableGrp1);
    guest.writeRegister('ICC_PMR_EL1', 0xf8);
    guest.writeRegister('ICC_CTLR_EL1', eoiMode << 1);
    guest.writeRegister('ICC_IGRPEN1_EL1', 1);
  }

  get chip(): IrqChip {
    return this.kvm.chip;
  }

  vcpu(n = 0): Vcpu {
    return this.vm.vcpus[n] as Vcpu;
  }

  /** The interrupt as the VGIC keeps it. */
  irq(intid: number, owner = 0): VirtualIrq {
    return intid < 32 ? this.vcpu(owner).irq(intid) : this.vm.spi(intid);
  }

  /** Address of the guest's register that holds an interrupt's bits. */
  address(register: keyof typeof GIC, intid: number, owner = 0): number {
    const frame =
      intid < 32 ? this.vm.redistributors + owner * REDISTRIBUTOR + SGI_FRAME : this.vm.distributor;
    const bits = { IPRIORITYR: 8, ICFGR: 2, IROUTER: 64 }[register as string] ?? 1;
    return frame + GIC[register] + Math.floor((intid * bits) / 32) * 4;
  }

  /** A guest's write of an interrupt's bit. */
  set(register: Bitmap, intid: number, { owner = 0, by = owner }: Place = {}): void {
    this.vcpu(by).guest.store(this.address(register, intid, owner), 2 ** (intid & 31));
  }

  get(register: Bitmap, intid: number, { owner = 0, by = owner }: Place = {}): boolean {
    return (
      ((this.vcpu(by).guest.load(this.address(register, intid, owner)) >> BigInt(intid & 31)) & 1n) === 1n
    );
  }

  enable(intid: number, owner = 0): void {
    this.set('ISENABLER', intid, { owner });
  }

  setPriority(intid: number, priority: number, owner = 0): void {
    this.vcpu(owner).guest.store(this.address('IPRIORITYR', intid, owner) + (intid & 3), priority, 1);
  }

  setEdge(intid: number, owner = 0): void {
    const address = this.address('ICFGR', intid, owner);
    const { guest } = this.vcpu(owner);
    guest.store(address, guest.load(address) | (2n << BigInt((intid & 15) * 2)));
  }

  route(intid: number, affinity: number | bigint): void {
    this.vcpu().guest.store(this.vm.distributor + GIC.IROUTER + 8 * intid, affinity, 8);
  }

  /** State of an interrupt's list register. */
  lr(intid: number, vcpu = 0): string | undefined {
    const found = this.vcpu(vcpu).listRegisters.find((lr) => lr.vIntid === intid && lr.state !== 'invalid');
    return found && `${found.state}${found.hw ? ' hw' : ''}`;
  }

  picture(intid: number, vcpu = 0): Picture {
    const irq = this.irq(intid, vcpu);
    const memory = `${irq.pendingLatch ? 'P' : ''}${irq.lineLevel ? 'L' : ''}${irq.active ? 'A' : ''}` || '-';
    return { memory, lr: this.lr(intid, vcpu), list: irq.onListOf };
  }

  /** The host's interrupt: `-`, `pending`, `active` or `pending active`; a PPI's on one PE. */
  physical(intid: number, cpu = 0): string {
    const states = [
      this.host('ISPENDR', intid, cpu) ? 'pending' : '',
      this.host('ISACTIVER', intid, cpu) ? 'active' : '',
    ];
    return states.filter((state) => state !== '').join(' ') || '-';
  }

  host(register: Bitmap, intid: number, cpu = 0): boolean {
    return (
      ((Number(this.machine.read(this.hostAddress(register, intid, cpu), 4)) >>> (intid & 31)) & 1) === 1
    );
  }

  setHost(register: Bitmap, intid: number, cpu = 0): void {
    this.machine.write(this.hostAddress(register, intid, cpu), 4, 2 ** (intid & 31));
  }

  hostAddress(register: Bitmap, intid: number, cpu: number): number {
    const { addressMap, architecture } = this.machine.config;
    const stride = architecture === 'GICv3' ? 0x2_0000 : 0x4_0000;
    const frame = intid < 32 ? addressMap.gicr + cpu * stride + SGI_FRAME : addressMap.gicd;
    return frame + GIC[register] + (intid >> 5) * 4;
  }

  /** Exits of a vCPU while something happens. */
  exitsOf(action: () => void, vcpu = 0): number {
    const before = this.vcpu(vcpu).exits;
    action();
    return this.vcpu(vcpu).exits - before;
  }

  /** How often the host has acknowledged an interrupt while something happened. */
  hostInterrupts(intid: number, action: () => void): number {
    this.machine.takeEvents();
    this.machine.recordEvents(true);
    action();
    this.machine.recordEvents(false);
    return this.machine.takeEvents().filter((event) => event.kind === 'acknowledged' && event.intid === intid)
      .length;
  }

  /** The guest arms its virtual timer. */
  armTimer(ticks: number | bigint, vcpu = 0): void {
    const { guest } = this.vcpu(vcpu);
    guest.writeRegister('CNTV_CVAL_EL0', guest.readRegister('CNTVCT_EL0') + BigInt(ticks));
    guest.writeRegister('CNTV_CTL_EL0', 1);
  }

  advance(ticks: number | bigint): void {
    this.kvm.advanceCounter(this.machine.counter + BigInt(ticks));
  }

  /** Acknowledges and ends everything that is pending; the INTIDs. */
  drain(vcpu = 0, limit = 2000): number[] {
    const { guest } = this.vcpu(vcpu);
    const taken: number[] = [];
    for (let n = 0; n < limit; n++) {
      const intid = guest.ack();
      if (intid === 1023) return taken;
      taken.push(intid);
      guest.eoi(intid);
    }
    throw new Error(`vCPU ${vcpu} is never done: ${taken.slice(-8)}`);
  }
}

export async function lab(options: LabOptions = {}): Promise<Lab> {
  const { kvm: _kvm, vcpus, eoiMode: _eoiMode, run: _run, ...machine } = options;
  const size = { cpus: Math.max(2, vcpus ?? 2), ram: { base: 0x4000_0000, size: 64 * 2 ** 20 } };
  return new Lab(await createMachine({ ...size, ...machine }), options);
}

export const ERAS: readonly KernelEra[] = ['2017', '5.6', '6.19'];
/** The virtual and the physical timer's PPI, of hosts and guests. */
export const VTIMER = 27;
export const PTIMER = 30;
