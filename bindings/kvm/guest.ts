import type { SystemRegister } from '../../assembly/abi.ts';
import { GicError, requireInteger } from '../errors.ts';
import { succeed } from '../irqchip/errors.ts';
import { systemRegisterByName } from '../registers/system.ts';
import type { Vcpu } from './vcpu.ts';

/**
 * What the guest's code on a vCPU does. Each action happens as on the PE: directly at the virtual interface, or by a trap
 * that KVM emulates. The vCPU must be in the guest (`INVALID_STATE` otherwise).
 */
export class Guest {
  readonly #vcpu: Vcpu;

  constructor(vcpu: Vcpu) {
    this.#vcpu = vcpu;
  }

  /** Reads ICC_IAR1_EL1: the INTID, 1023 for none. */
  ack(): number {
    return Number(this.readRegister('ICC_IAR1_EL1'));
  }

  /** Writes ICC_EOIR1_EL1: the priority drops, and with EOImode 0 the interrupt is deactivated. */
  eoi(intid: number): void {
    this.writeRegister('ICC_EOIR1_EL1', intid);
  }

  /** Writes ICC_DIR_EL1. */
  deactivate(intid: number): void {
    this.writeRegister('ICC_DIR_EL1', intid);
  }

  /** Sends an SGI to vCPUs of the same VM by ICC_SGI1R_EL1, which traps. */
  sgi(intid: number, targets: readonly number[]): void {
    requireInteger('INVALID_ARGUMENT', 'intid', intid, 0, 15);
    for (const [cluster, list] of clusters(targets)) {
      const aff2 = BigInt(cluster >> 8) << 32n;
      this.writeRegister(
        'ICC_SGI1R_EL1',
        aff2 | (BigInt(cluster & 0xff) << 16n) | (BigInt(intid) << 24n) | BigInt(list),
      );
    }
  }

  /** WFI. Where nothing is pending the vCPU sleeps until something is. */
  wfi(): void {
    this.#require();
    succeed(this.#engine.kvmGuestWfi(this.#vcpu.number), 'wfi');
  }

  /** HVC: an exit and an entry. */
  hvc(): void {
    this.#require();
    succeed(this.#engine.kvmGuestHvc(this.#vcpu.number), 'hvc');
  }

  /** A load from device memory, which traps. */
  load(address: number, size: 1 | 2 | 4 | 8 = 4): bigint {
    this.#require();
    return this.#machine.wide(this.#engine.kvmGuestLoad(this.#vcpu.number, address, size));
  }

  /** A store to device memory, which traps. */
  store(address: number, value: number | bigint, size: 1 | 2 | 4 | 8 = 4): void {
    this.#require();
    const [low, high] = halves(value);
    succeed(this.#engine.kvmGuestStore(this.#vcpu.number, address, size, low, high), 'store');
  }

  /** MRS of an EL1 register by name. */
  readRegister(name: string): bigint {
    this.#require();
    return this.#machine.wide(this.#engine.kvmGuestReadRegister(this.#vcpu.number, registerOf(name)));
  }

  /** MSR of an EL1 register by name. */
  writeRegister(name: string, value: number | bigint): void {
    this.#require();
    const [low, high] = halves(value);
    succeed(this.#engine.kvmGuestWriteRegister(this.#vcpu.number, registerOf(name), low, high), name);
  }

  #require(): void {
    if (this.#vcpu.state !== 'in-guest') {
      throw new GicError('INVALID_STATE', `vCPU ${this.#vcpu.index}`, this.#vcpu.state, 'in-guest');
    }
  }

  get #machine() {
    return this.#vcpu.vm.kvm.chip.machine;
  }

  get #engine() {
    return this.#machine.engine;
  }
}

/** Registers that a guest reaches at EL1. */
const EL1_REGISTER = /^(ICC_\w+_EL1|CNT(FRQ|[PV]CT|[PV]_\w+)_EL0)$/;

function registerOf(name: string): SystemRegister {
  const definition = EL1_REGISTER.test(name) ? systemRegisterByName.get(name) : undefined;
  if (!definition) {
    throw new GicError('UNKNOWN_NAME', 'name', name, 'a register such as ICC_IAR1_EL1 or CNTV_CTL_EL0');
  }
  return definition.register;
}

function halves(value: number | bigint): [number, number] {
  const wide = BigInt(value);
  if (wide < 0n || wide >> 64n) throw new GicError('INVALID_ARGUMENT', 'value', value, '0 to 2^64 - 1');
  return [Number(wide & 0xffff_ffffn), Number(wide >> 32n)];
}

/** Target lists by Aff2.Aff1: KVM's vCPU n has Aff0 = n[3:0], Aff1 = n[11:4]. */
function clusters(targets: readonly number[]): Map<number, number> {
  const lists = new Map<number, number>();
  for (const target of targets) {
    requireInteger('INVALID_ARGUMENT', 'targets', target, 0, 511);
    lists.set(target >> 4, (lists.get(target >> 4) ?? 0) | (1 << (target & 15)));
  }
  return lists;
}
