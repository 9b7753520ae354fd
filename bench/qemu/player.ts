import { CheckError, expectEqual } from '../../bindings/bench/check.ts';
import { FIRST_LPI } from '../../bindings/bench/rig.ts';
import type { MachineConfig } from '../../bindings/config.ts';
import type { Machine } from '../../bindings/machine.ts';
import { registerAddress } from '../../bindings/registers/index.ts';
import { systemRegisterReached } from '../../test/qemu/guest_cpus.ts';
import type { Qemu } from '../../test/qemu/qemu.ts';
import type { AccessSize } from '../../test/qemu/qtest.ts';
import type { Access } from './recording_gic.ts';

/** Where QEMU's `virt` has its redistributors and its ITS. Its distributor and the RAM that is used need no mapping. */
const QEMU_GICR = 0x080a_0000;
const QEMU_GITS = 0x0808_0000;
/** RAM that nothing else uses. */
const SCRATCH = 0x4050_0000;
const PENDING_TABLE_HEAD = FIRST_LPI / 8;
const PENDING_TABLE_BYTES = 0x2000;
const TABLE_ADDRESS = 0x000f_ffff_ffff_0000n;

/** Does on QEMU what was done on a machine, and compares what comes back. */
export class Player {
  readonly #qemu: Qemu;
  readonly #machine: Machine;

  constructor(qemu: Qemu, machine: Machine) {
    this.#qemu = qemu;
    this.#machine = machine;
  }

  /** Throws a `CheckError` if QEMU answers a read otherwise than the machine. */
  async play(accesses: readonly Access[]): Promise<void> {
    const begun: Promise<void>[] = [];
    for (const access of accesses) {
      // A PE is told over memory, and does not wait for what qtest does.
      if (access.op === 'writeSystem') await Promise.all(begun.splice(0));
      begun.push(this.#access(access));
      if (access.op === 'writeSystem') await Promise.all(begun.splice(0));
    }
    await Promise.all(begun);
  }

  /** As many stores to and loads from RAM: the part of the time that is not the GIC's. */
  async playOnRam(accesses: readonly Access[]): Promise<void> {
    const { qtest } = this.#qemu;
    await Promise.all(
      accesses.map(({ op }) => (op === 'read' ? qtest.read(SCRATCH, 8) : qtest.write(SCRATCH, 8, 0))),
    );
  }

  /** Throws a `CheckError` unless QEMU's queue is drained, and the same is pending in QEMU and in the machine. */
  async compareState(): Promise<void> {
    const { config } = this.#machine;
    await this.#compareRegister('GITS_CREADR', 0);
    for (let cpu = 0; cpu < config.cpus; cpu++) {
      await this.#compareTable('GICR_PENDBASER', cpu);
      await this.#compareBest('ICC_HPPIR1_EL1', cpu);
      if (config.architecture === 'GICv3') continue;
      await this.#compareTable('GICR_VPENDBASER', cpu);
      await this.#compareBest('ICV_HPPIR1_EL1', cpu);
    }
  }

  async #access(access: Access): Promise<void> {
    const { qtest, guests } = this.#qemu;
    switch (access.op) {
      case 'write':
        return qtest.write(this.#place(access.address), sizeOf(access), access.value);
      case 'store':
        return qtest.writeBytes(access.address, access.bytes);
      case 'read': {
        const value = await qtest.read(this.#place(access.address), sizeOf(access));
        return expectEqual(`QEMU's answer at 0x${access.address.toString(16)}`, value, access.expect);
      }
      case 'load':
        return expectSame(
          'memory',
          await qtest.readBytes(access.address, access.expect.length),
          access.expect,
        );
      case 'writeSystem': {
        const { cpu, value } = access;
        await guests.access([{ cpu, ...systemRegisterReached(access.register), value }]);
      }
    }
  }

  async #compareRegister(name: string, unit: number): Promise<void> {
    const address = this.#address(name, unit);
    const expect = BigInt(this.#machine.read(address, 8));
    await this.#access({ op: 'read', address, size: 8, expect });
  }

  /** Compares the pending table that a register points at, if it does. */
  async #compareTable(register: string, cpu: number): Promise<void> {
    const value = BigInt(this.#machine.read(this.#address(register, cpu), 8));
    const table = Number(value & TABLE_ADDRESS);
    if (table === 0) return;
    const at = table + PENDING_TABLE_HEAD;
    const length = PENDING_TABLE_BYTES - PENDING_TABLE_HEAD;
    expectSame(
      `${register} of PE ${cpu}`,
      await this.#qemu.qtest.readBytes(at, length),
      this.#machine.readMemory(at, length),
    );
  }

  async #compareBest(register: string, cpu: number): Promise<void> {
    const [value] = await this.#qemu.guests.access([{ cpu, ...systemRegisterReached(register) }]);
    expectEqual(`${register} of PE ${cpu} of QEMU`, value, this.#machine.readSystemRegister(cpu, register));
  }

  #address(name: string, unit: number): number {
    return registerAddress(this.#machine.config, name, unit) as number;
  }

  /** Where QEMU has what is at an address of the machine. */
  #place(address: number): number {
    const { addressMap }: MachineConfig = this.#machine.config;
    const { gicd, gicr, gits } = addressMap;
    if (address >= this.#machine.config.ram.base || address < gicd + 0x1_0000) return address;
    return address >= gicr ? address - gicr + QEMU_GICR : address - gits + QEMU_GITS;
  }
}

function sizeOf({ size }: { size: number }): AccessSize {
  return size as AccessSize;
}

function expectSame(what: string, actual: Uint8Array, expected: Uint8Array): void {
  if (Buffer.compare(actual, expected) !== 0) throw new CheckError(`${what}: not the same in QEMU`);
}
