import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  createMachine,
  GicError,
  IrqChip,
  loadEngine,
  Machine,
  type MachineOptions,
} from '../../bindings/index.ts';
import { ITS_RAM } from '../its/fixture.ts';
import { machineDigest } from '../properties/digest.ts';
import { Attacker } from '../properties/hostile.ts';
import { type Operation, operations, randomOperation } from '../properties/operation.ts';
import { Random } from '../properties/random.ts';
import { recover } from '../properties/recovery.ts';

const options: MachineOptions = { ram: ITS_RAM, architecture: 'GICv4.1', cpus: 2, intidBits: 14, spis: 64 };

function play(machine: Machine, sequence: readonly Operation[]): void {
  const attacker = new Attacker(machine);
  for (const operation of sequence) attacker.perform(operation);
}

function drawn(seed: number, length: number): Operation[] {
  const random = new Random(seed);
  return Array.from({ length }, () => randomOperation(random));
}

describe('snapshot and restore', () => {
  it.each(['single', 'shared'] as const)(
    'run A, snapshot, run B, restore, run B again: the same machine twice, build %s',
    async (build) => {
      const engine = await loadEngine(build);
      fc.assert(
        fc.property(operations(60), operations(60), (before, after) => {
          const machine = new Machine(engine, options);
          recover(machine);
          play(machine, before);
          const snapshot = machine.snapshot();
          const [atSnapshot, seenAtSnapshot] = [machine.digest(), machineDigest(machine)];
          // To look at all registers is work for the machine too: some accesses are diagnosed.
          machine.restore(snapshot);
          play(machine, after);
          const [first, seenFirst] = [machine.digest(), machineDigest(machine)];
          machine.restore(snapshot);
          expect(machine.digest()).toBe(atSnapshot);
          expect(machineDigest(machine)).toBe(seenAtSnapshot);
          machine.restore(snapshot);
          play(machine, after);
          expect([machine.digest(), machineDigest(machine)]).toEqual([first, seenFirst]);
        }),
        { numRuns: 12 },
      );
    },
  );

  it('a snapshot is what was used: not the RAM that nobody touched', async () => {
    const machine = await createMachine({ ram: { size: 1024 * 2 ** 20 } });
    const before = machine.snapshot().bytes;
    expect(before).toBeLessThan(2 * 2 ** 20);
    machine.write(machine.config.ram.base + 0x3000_0000, 4, 1);
    expect(machine.snapshot().bytes).toBe(before + 4096);
  });

  it('restores what was zero then', async () => {
    const machine = await createMachine(options);
    const snapshot = machine.snapshot();
    const { base, size } = machine.config.ram;
    machine.ram(base, size).fill(0xff);
    machine.restore(snapshot);
    expect(machine.ram(base, size).every((byte) => byte === 0)).toBe(true);
  });

  it('goes to another machine of the same configuration, in the other build too', async () => {
    const one = new Machine(await loadEngine('single'), options);
    recover(one);
    play(one, drawn(1, 300));
    const other = new Machine(await loadEngine('shared'), { ...options, ram: { ...ITS_RAM } });
    play(other, drawn(2, 300));
    other.restore(one.snapshot());
    expect(other.digest()).toBe(one.digest());
    play(one, drawn(3, 300));
    play(other, drawn(3, 300));
    expect(other.digest()).toBe(one.digest());
  });

  it('is refused by a machine of another configuration, which stays as it is', async () => {
    const snapshot = (await createMachine(options)).snapshot();
    const other = await createMachine({ ...options, cpus: 3 });
    const before = other.digest();
    const refusal = expect.objectContaining({ code: 'INVALID_ARGUMENT', field: 'snapshot.config.cpus' });
    expect(() => other.restore(snapshot)).toThrowError(GicError);
    expect(() => other.restore(snapshot)).toThrowError(refusal);
    expect(other.digest()).toBe(before);
  });

  it('events and diagnostics begin anew', async () => {
    const machine = await createMachine(options);
    machine.recordEvents(true);
    const snapshot = machine.snapshot();
    machine.sendMsi(1, 1);
    machine.restore(snapshot);
    expect([machine.takeEvents(), machine.takeDiagnostics()]).toEqual([[], []]);
    machine.sendMsi(2, 2);
    expect(machine.takeEvents()[0]).toMatchObject({ kind: 'msi', deviceId: 2 });
    expect(machine.takeDiagnostics()).toHaveLength(1);
  });

  it('the objects of the irqchip layer that were there go on', async () => {
    const host = await createMachine({ architecture: 'GICv4.0' });
    const chip = new IrqChip(host);
    const [irq] = chip.createDevice({ deviceId: 0x10, events: 8 }).irqs;
    irq?.activate(0);
    const vm = chip.createVm(1);
    vm.activate();
    const [vpe] = vm.vpes;
    chip.takeLog();
    const snapshot = host.snapshot();
    const facts = chip.facts;
    const second = chip.createDevice({ deviceId: 0x20, events: 8 });
    vpe?.doorbell.setAffinity(2);
    irq?.deactivate();
    expect(host.sendMsi(0x10, 0)).toBe('event-unmapped');
    host.restore(snapshot);
    expect(chip.facts).toEqual(facts);
    expect(chip.takeLog()).toEqual([]);
    expect(host.sendMsi(0x10, 0)).toBe('pending');
    expect(chip.createDevice({ deviceId: 0x20, events: 8 }).irqs).toHaveLength(second.irqs.length);
    expect(chip.takeLogLines()[0]).toMatch('MAPD');
  });
});

describe('digest', () => {
  it('is the same in both builds, whatever happens, and other for other machines', async () => {
    const digests = new Set<string>();
    for (const seed of [1, 2, 3]) {
      const machines = await Promise.all(
        (['single', 'shared'] as const).map(async (build) => new Machine(await loadEngine(build), options)),
      );
      for (const machine of machines) {
        recover(machine);
        play(machine, drawn(seed, 500));
        digests.add(machine.digest());
      }
    }
    expect(digests.size).toBe(3);
  });

  it('does not change by looking', async () => {
    const machine = await createMachine(options);
    recover(machine);
    const before = machine.digest();
    machine.readSystemRegister(0, 'CNTPCT_EL0');
    machine.read(machine.config.addressMap.gits + 8, 8);
    machine.takeChangedCpus();
    machine.takeDiagnostics();
    machine.snapshot();
    expect(machine.digest()).toBe(before);
    expect(before).toMatch(/^[0-9a-f]{16}$/);
  });

  it('sees every word of RAM', async () => {
    const machine = await createMachine(options);
    const { base, size } = machine.config.ram;
    const digests = new Set([machine.digest()]);
    const places = [0, 8, 16, 24, 4088, 4096, size - 8];
    for (const place of places) {
      machine.write(base + place, 8, 1n);
      digests.add(machine.digest());
      machine.write(base + place, 8, 0n);
    }
    expect(digests.size).toBe(1 + places.length);
  });
});
