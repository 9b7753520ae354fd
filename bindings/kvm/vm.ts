import { GicError, requireInteger } from '../errors.ts';
import { succeed } from '../irqchip/errors.ts';
import type { Kvm } from './kvm.ts';
import { Vcpu } from './vcpu.ts';
import { VirtualIrq } from './virtual_irq.ts';

export interface GuestVmOptions {
  /** 1 to 512; default 1. */
  readonly vcpus?: number;
  /** SPIs from INTID 32 on, a multiple of 32 up to 960, or 988; default 64. */
  readonly spis?: number;
  /** Guest RAM: guest physical base, and bytes, a multiple of 64 KiB. Default 1 MiB at 0x4000_0000. */
  readonly ram?: { readonly base?: number; readonly size?: number };
}

export interface AssignedSpiOptions {
  /** SPI of the machine that the device drives, by `machine.setSpi`. */
  readonly hostIntid: number;
  /** PE that takes it; default 0. */
  readonly cpu?: number;
  /** Of both interrupts; default `level`. */
  readonly trigger?: 'level' | 'edge';
}

/** No vCPU: for interrupts of the distributor. */
const NONE = 0xffff_ffff;
const PAGE = 4096;
const MAX_VCPUS = 512;
const MAX_SPIS = 988;

/** A virtual machine (struct kvm): vCPUs, a distributor and RAM of its own. */
export class GuestVm {
  readonly kvm: Kvm;
  readonly index: number;
  readonly vcpus: readonly Vcpu[];
  readonly spis: number;
  /** Guest physical addresses: RAM, distributor, and the first redistributor; 128 KiB for each vCPU. */
  readonly ram: { readonly base: number; readonly size: number };
  readonly distributor = 0x0800_0000;
  readonly redistributors = 0x080a_0000;

  constructor(kvm: Kvm, options: GuestVmOptions) {
    const { vcpus = 1, spis = 64, ram = {} } = options;
    const { base = 0x4000_0000, size = 2 ** 20 } = ram;
    const { limits } = kvm.chip.machine.config;
    requireInteger('INVALID_ARGUMENT', 'vcpus', vcpus, 1, MAX_VCPUS);
    if (vcpus > limits.vcpus) {
      throw new GicError(
        'INVALID_ARGUMENT',
        'vcpus',
        vcpus,
        `at most ${limits.vcpus}, the machine's limits.vcpus`,
      );
    }
    requireInteger('INVALID_ARGUMENT', 'spis', spis, 0, MAX_SPIS);
    requireInteger('INVALID_ARGUMENT', 'ram.base', base, 0, 2 ** 48);
    requireInteger('INVALID_ARGUMENT', 'ram.size', size, 0x1_0000, 2 ** 28);
    const { engine } = kvm.chip.machine;
    this.kvm = kvm;
    this.spis = spis;
    this.ram = { base, size };
    this.index = succeed(engine.kvmCreateVm(vcpus, spis, base, Math.ceil(size / PAGE)), 'createVm', {
      ENOMEM: `no RAM of the driver left, or no room: the machine's limits.vms is ${limits.vms}, its limits.vcpus ${limits.vcpus}`,
    });
    const first = engine.kvmFirstVcpu(this.index);
    this.vcpus = Array.from({ length: vcpus }, (_, n) => new Vcpu(this, n, first + n));
  }

  /** vgic_init: from here on the VM has its vPEs, where injection is direct. Later calls do nothing. */
  init(): this {
    succeed(this.#engine.kvmInit(this.index), `VM ${this.index}.init`);
    return this;
  }

  /** kvm_vgic_destroy. No vCPU may be loaded (EBUSY). */
  destroy(): void {
    succeed(this.#engine.kvmDestroyVm(this.index), `VM ${this.index}.destroy`, {
      EBUSY: 'a vCPU is loaded: stop it first',
    });
  }

  /** An SPI's state as the distributor keeps it. */
  spi(intid: number): VirtualIrq {
    requireInteger('INVALID_ARGUMENT', 'intid', intid, 32, 31 + this.spis);
    return new VirtualIrq(this, NONE, intid);
  }

  /** An LPI's state; undefined where no virtual ITS maps it. */
  lpi(intid: number): VirtualIrq | undefined {
    requireInteger('INVALID_ARGUMENT', 'intid', intid, 8192, 65_535);
    const irq = new VirtualIrq(this, NONE, intid);
    return irq.exists ? irq : undefined;
  }

  /** KVM_IRQ_LINE: an emulated device drives an SPI. A falling edge of an edge interrupt is ignored. */
  setSpi(intid: number, level: boolean): void {
    this.spi(intid);
    succeed(this.#engine.kvmInject(this.index, NONE, intid, level ? 1 : 0, 0), 'setSpi');
  }

  /**
   * Forwards a device's SPI of the machine to an SPI of the guest (kvm_vgic_map_phys_irq): the host's handler leaves the
   * physical interrupt active until the guest deactivates the virtual one. Both must be idle.
   */
  assignSpi(intid: number, { hostIntid, cpu = 0, trigger = 'level' }: AssignedSpiOptions): void {
    this.spi(intid);
    const { config } = this.kvm.chip.machine;
    requireInteger('INVALID_ARGUMENT', 'hostIntid', hostIntid, 32, 31 + config.spis);
    requireInteger('INVALID_ARGUMENT', 'cpu', cpu, 0, config.cpus - 1);
    if (trigger !== 'level' && trigger !== 'edge') {
      throw new GicError('INVALID_ARGUMENT', 'trigger', trigger, "'level' or 'edge'");
    }
    succeed(
      this.#engine.kvmAssignSpi(this.index, intid, hostIntid, cpu, trigger === 'edge' ? 1 : 0),
      'assignSpi',
      { EBUSY: "the guest's or the host's SPI is in use already" },
    );
  }

  /** The end of `assignSpi`: the host's SPI is disabled and inactive, the guest's an emulated device's again. */
  unassignSpi(intid: number): void {
    this.spi(intid);
    succeed(this.#engine.kvmUnassignSpi(this.index, intid), 'unassignSpi', {
      EINVAL: 'no SPI of the host is tied to it',
    });
  }

  /**
   * KVM_IRQFD_FLAG_RESAMPLE: counts from now on how often a vCPU has ended an SPI without a physical interrupt behind it
   * (`kvm_notify_acked_irq`), so that user space can look at the device's line again.
   */
  watchEnds(intid: number, watched = true): void {
    this.spi(intid);
    succeed(this.#engine.kvmWatchSpi(this.index, intid, watched ? 1 : 0), 'watchEnds');
  }

  /** Ends of a watched SPI that were told so far. */
  ends(intid: number): number {
    this.spi(intid);
    return succeed(this.#engine.kvmTimesAcked(this.index, intid), 'ends');
  }

  /** Guest RAM: a view without a copy. */
  memory(address: number, length: number): Uint8Array {
    requireInteger('INVALID_ARGUMENT', 'length', length, 0, this.ram.size);
    requireInteger(
      'INVALID_ARGUMENT',
      'address',
      address,
      this.ram.base,
      this.ram.base + this.ram.size - length,
    );
    const at = this.#engine.kvmGuestMemory(this.index, address, length) >>> 0;
    return new Uint8Array(this.kvm.chip.machine.memory.buffer, at, length);
  }

  /** Reads a register of a frame as user space does (KVM_DEV_ARM_VGIC_GRP_*), without a vCPU in the guest. */
  read(address: number, size: 4 | 8 = 4): bigint {
    const vcpu = this.vcpus[0] as Vcpu;
    return this.kvm.chip.machine.wide(this.#engine.kvmUserRead(vcpu.number, address, size));
  }

  write(address: number, value: number | bigint, size: 4 | 8 = 4): void {
    const wide = BigInt(value);
    const vcpu = this.vcpus[0] as Vcpu;
    const { number } = vcpu;
    succeed(
      this.#engine.kvmUserWrite(number, address, size, Number(wide & 0xffff_ffffn), Number(wide >> 32n)),
      'write',
    );
  }

  get #engine() {
    return this.kvm.chip.machine.engine;
  }
}
