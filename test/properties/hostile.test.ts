import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Engine, loadEngine, Machine, type MachineOptions } from '../../bindings/index.ts';
import { DEVICE, FIRST_LPI, ITS_RAM } from '../its/fixture.ts';
import { Attacker } from './hostile.ts';
import { type Operation, operations, randomOperation } from './operation.ts';
import { Random } from './random.ts';
import { recover } from './recovery.ts';

const small: MachineOptions = { ram: ITS_RAM, cpus: 2, intidBits: 14, spis: 64 };

const configurations: [string, MachineOptions][] = [
  ['GICv3', { ...small, intidBits: 16, cpus: 3 }],
  [
    'GICv3 as QEMU models it',
    { ...small, preset: 'qemu-virt', ram: { base: 0x4000_0000, size: ITS_RAM.size } },
  ],
  [
    'GICv3, wide, stalling and stepped',
    {
      ...small,
      deviceIdBits: 32,
      eventIdBits: 32,
      tableEntryBytes: 24,
      itsCount: 2,
      hardwareCollections: 3,
      extendedSpis: 32,
      extendedPpis: 64,
      priorityBits: 8,
      policy: {
        commandError: 'stall',
        tableFault: 'ignore',
        commandExecution: 'stepped',
        creadrWritable: true,
        stalledSticky: true,
        tableWriteWhileEnabled: 'accept',
        lpiTableWriteWhileEnabled: 'accept',
        lpiTableReservedBits: 'keep',
      },
    },
  ],
  [
    'GICv3, everything accepted or dropped',
    {
      ...small,
      cpus: 4,
      physicalTargetAddresses: true,
      policy: {
        commandError: 'sei',
        tableFault: 'ignore',
        queueFault: 'skip',
        retry: 'any-write',
        tableWriteWhileEnabled: 'accept',
        lpiTableWriteWhileEnabled: 'accept',
        eventIdHighBits: 'ignore-bits',
        maptiClearsPending: true,
        moviTargetDisabled: 'drop',
        movallTargetDisabled: 'drop',
        invallScope: 'all',
        pendingTableZero: 'ignore',
        tieBreak: 'highest-intid',
      },
    },
  ],
  ['GICv4.0', { ...small, architecture: 'GICv4.0' }],
  [
    'GICv4.0, VMOVP on every ITS, Dirty for a while',
    {
      ...small,
      architecture: 'GICv4.0',
      itsCount: 3,
      vmovpOnAnyIts: false,
      dirtyReads: { scheduleIn: 2, scheduleOut: 2 },
      policy: { tableWriteWhileEnabled: 'accept', creadrWritable: true, doorbellOfPendingVlpi: 'repeat' },
    },
  ],
  ['GICv4.1', { ...small, architecture: 'GICv4.1', itsCount: 2 }],
];

const EPISODE = 5000;
const EPISODES = 29;

/** An orderly driver brings the machine back into use: every LPI arrives, once. */
function expectUsable(machine: Machine): void {
  const board = recover(machine);
  for (const its of board.itses) {
    for (let cpu = 0; cpu < machine.cpus; cpu++) {
      expect(machine.sendMsi(DEVICE, cpu, its.number)).toBe('pending');
      expect(machine.irq(cpu)).toBe(true);
      expect(board.take(cpu)).toEqual([FIRST_LPI + cpu]);
      expect(machine.checkLpiIndex(cpu)).toBe(0);
    }
  }
}

function attack(engine: Engine, options: MachineOptions, sequence: Iterable<Operation>, seed: number): void {
  const machine = new Machine(engine, options);
  // Half of the attacks find a machine in use, the others one fresh from reset.
  if (seed & 1) recover(machine);
  const attacker = new Attacker(machine);
  let done = 0;
  try {
    for (const operation of sequence) {
      attacker.perform(operation);
      done++;
    }
    expectUsable(machine);
  } catch (error) {
    throw new Error(`seed ${seed}, after ${done} operations: ${String(error)}`, { cause: error });
  }
}

function* stream(seed: number, length: number): Iterable<Operation> {
  const random = new Random(seed);
  for (let n = 0; n < length; n++) yield randomOperation(random);
}

describe.each(configurations)('hostile software and devices: %s', (_, options) => {
  it(`nothing traps or throws, and the machine can be used again: ${EPISODES * EPISODE} random operations`, async () => {
    const engine = await loadEngine('single');
    for (let seed = 1; seed <= EPISODES; seed++) attack(engine, options, stream(seed, EPISODE), seed);
  });

  it('the same for short sequences, which can be shrunk', async () => {
    const engine = await loadEngine('single');
    fc.assert(
      fc.property(operations(60), (sequence) => attack(engine, options, sequence, sequence.length)),
      { numRuns: 30 },
    );
  });
});
