import { describe, expect, it } from 'vitest';
import { createMachine, type EngineBuild } from '../../bindings/index.ts';
import { Board, createBoard, createOpenBoard } from '../support/gic.ts';
import { enableLpis, pendingBit, setLpi, setLpiConfig } from '../support/lpi.ts';

const ANY_PE = 1n << 31n;

describe('512 PEs', () => {
  const create = (): Promise<Board> => createOpenBoard({ cpus: 512 });

  it('3.3 GICR_TYPER: each has its number and affinity, only the last has Last', async () => {
    const board = await createBoard({ cpus: 512 });
    for (const cpu of [0, 15, 16, 255, 256, 511]) {
      const typer = board.gicr64(cpu, 0x0008);
      expect((typer >> 8n) & 0xffffn).toBe(BigInt(cpu));
      expect(typer >> 32n).toBe(BigInt(board.machine.config.affinities[cpu] ?? -1));
      expect((typer >> 4n) & 1n).toBe(cpu === 511 ? 1n : 0n);
    }
  });

  it.each([0, 16, 300, 511])('2.6 an SPI reaches PE %i', async (cpu) => {
    const board = await create();
    board.configure(40, { edge: true, router: BigInt(board.machine.config.affinities[cpu] ?? 0) });
    board.setLine(40, true);
    expect(board.machine.takeChangedCpus()).toEqual([cpu]);
    expect(board.icc(cpu, 'IAR1')).toBe(40);
  });

  it('8.2 an SGI with IRM=1 reaches the 511 others', async () => {
    const board = await create();
    for (let cpu = 0; cpu < 512; cpu++) board.configure(3, {}, cpu);
    board.machine.takeChangedCpus();
    board.setIcc(200, 'SGI1R', 0x0000_0100_0300_0000n);
    const reached = board.machine.takeChangedCpus();
    expect(reached).toHaveLength(511);
    expect(reached.every((cpu) => cpu !== 200 && board.icc(cpu, 'IAR1') === 3)).toBe(true);
  });

  it('4.2 LPIs of the first and the last PE do not mix', async () => {
    const board = await createOpenBoard({ cpus: 512, ram: { base: 0x8000_0000, size: 64 * 2 ** 20 } });
    for (const intid of [8200, 65_535]) setLpiConfig(board, intid, 0x81);
    for (const cpu of [0, 511]) enableLpis(board, cpu);
    setLpi(board, 65_535, 511);
    setLpi(board, 8200, 0);
    expect([0, 511].map((cpu) => board.icc(cpu, 'IAR1'))).toEqual([8200, 65_535]);
    expect([0, 511].map((cpu) => board.icc(cpu, 'HPPIR1'))).toEqual([1023, 1023]);
  });

  it('2.6 1-of-N goes to the only PE that takes part', async () => {
    const board = await create();
    for (let cpu = 0; cpu < 512; cpu++) if (cpu !== 400) board.setIcc(cpu, 'IGRPEN1', 0);
    board.configure(40, { edge: true, router: ANY_PE });
    board.setLine(40, true);
    expect(board.icc(400, 'IAR1')).toBe(40);
  });

  it('0 behind the last redistributor nothing answers', async () => {
    const { machine } = await createBoard({ cpus: 512 });
    expect(machine.read(machine.config.addressMap.gicr + 512 * 0x2_0000, 4)).toBe(0);
    expect(machine.takeDiagnostics().map(({ code }) => code)).toEqual(['UNMAPPED_ADDRESS']);
  });
});

describe('one PE', () => {
  it('2.6, 8.2 takes 1-of-N interrupts, and SGIs to all others go nowhere', async () => {
    const board = await createOpenBoard({ cpus: 1 });
    board.configure(3);
    board.configure(40, { edge: true, router: ANY_PE });
    board.setIcc(0, 'SGI1R', 0x0000_0100_0300_0000n);
    expect(board.icc(0, 'IAR1')).toBe(1023);
    board.setLine(40, true);
    expect(board.icc(0, 'IAR1')).toBe(40);
  });
});

describe('preset qemu-virt', () => {
  const create = async (): Promise<Board> => new Board(await createMachine({ preset: 'qemu-virt' }));

  it('2.1-3.4 identification and reset values', async () => {
    const { machine } = await create();
    expect(machine.read(0x0800_0000, 4)).toBe(0x50);
    expect(machine.read(0x0800_0004, 4)).toBe(0x037a_0007);
    expect(machine.read(0x0800_0008, 4)).toBe(0x43b);
    expect(machine.read(0x0800_ffe8, 4)).toBe(0x3b);
    for (const cpu of [0, 1, 2, 3]) {
      const rd = 0x080a_0000 + cpu * 0x2_0000;
      const affinityAndFields = (BigInt(cpu) << 32n) | BigInt(cpu << 8) | (cpu === 3 ? 0x10n : 0n) | 1n;
      expect(machine.read(rd + 0x0008, 8) & 0xffff_ffff_00ff_ff13n).toBe(affinityAndFields);
      expect(machine.read(rd + 0x0014, 4)).toBe(6);
    }
    expect(machine.readSystemRegister(0, 'ICC_CTLR_EL1')).toBe(0x8c00n);
  });

  it('0 GICv4 has a stride of 256 KiB', async () => {
    const { machine } = await createMachine({ preset: 'qemu-virt', architecture: 'GICv4.0' }).then(
      (made) => new Board(made),
    );
    expect(machine.read(0x080e_0008, 8) & 0xffff_ffff_00ff_ff13n).toBe(0x1_0000_0103n);
    expect(machine.read(0x0800_ffe8, 4)).toBe(0x4b);
    expect(machine.read(0x0800_0004, 4)).toBe(0x037e_0007);
  });

  it('1.4 the distributor stores 8 priority bits, the CPU interface has 5', async () => {
    const board = await create();
    board.setGicd(0x0428, 0xffff_ffff);
    board.setIcc(0, 'PMR', 0xff);
    expect([board.gicd(0x0428), board.icc(0, 'PMR')]).toEqual([0xffff_ffff, 0xf8]);
  });

  it('3.1 has no status registers, message-based SPIs or direct LPI registers', async () => {
    const board = await create();
    for (const offset of [0x0010, 0x0040]) board.gicd(offset);
    for (const offset of [0x0010, 0x0040, 0x00a0]) board.gicr(0, offset);
    expect(board.diagnosed()).toEqual(Array(5).fill('RESERVED_REGISTER'));
  });

  it('3.4, 3.7, 3.2 its choices: WAKER, PTZ, tables written while enabled', async () => {
    const board = await create();
    board.open();
    board.setGicr(0, 0x0014, 2);
    board.machine.writeMemory(0x4000_0008, Uint8Array.of(0x81));
    board.machine.writeMemory(0x4001_0401, Uint8Array.of(1));
    board.setGicr64(0, 0x0070, 0x4000_000fn);
    board.setGicr64(0, 0x0078, 0x4000_0000_4001_0000n);
    expect(board.gicr64(0, 0x0078)).toBe(0x4000_0000_4001_0000n);
    board.setGicr(0, 0x0000, 1);
    expect(board.icc(0, 'IAR1')).toBe(8200);
    board.setGicr64(0, 0x0078, 0x4002_0000n);
    expect(board.gicr64(0, 0x0078)).toBe(0x4002_0000n);
  });
});

describe('preset architecture', () => {
  it('is the default', async () => {
    const [named, unnamed] = await Promise.all([createMachine({ preset: 'architecture' }), createMachine()]);
    expect(unnamed.config).toEqual(named.config);
    expect(unnamed.read(unnamed.config.addressMap.gicd + 4, 4)).toBe(
      named.read(named.config.addressMap.gicd + 4, 4),
    );
  });
});

/** A run over all kinds of interrupts; what software, wires and memory showed. */
function scenario(board: Board): unknown[] {
  const log: unknown[] = [];
  for (const intid of [8200, 8201, 9000]) setLpiConfig(board, intid, 0x81);
  for (const cpu of [0, 1]) enableLpis(board, cpu);
  board.configure(40, { edge: true, router: 1n });
  board.configure(41, { router: ANY_PE, priority: 0x40 });
  board.configure(20, { group: 0, priority: 0x60 });
  for (const cpu of [0, 1, 2, 3]) board.configure(2, { priority: 0xa0 }, cpu);
  board.setLine(40, true);
  board.setLine(41, true);
  board.setLine(20, true);
  board.setIcc(0, 'SGI1R', 0x0000_0100_0200_0000n);
  setLpi(board, 8200, 1);
  setLpi(board, 9000, 0);
  for (let round = 0; round < 4; round++) {
    for (const cpu of [0, 1, 2, 3]) {
      log.push([board.machine.irq(cpu), board.machine.fiq(cpu), board.machine.highestPending(cpu)]);
      for (const group of [0, 1]) {
        const intid = board.icc(cpu, `IAR${group}`);
        log.push(intid, board.icc(cpu, 'RPR'));
        if (intid === 41 || intid === 20) board.setLine(intid, false);
        if (round !== 1 || group === 0) board.setIcc(cpu, `EOIR${group}`, intid);
      }
    }
  }
  log.push([40, 41, 20].map((intid) => board.state(intid)));
  log.push([8200, 9000].map((intid) => pendingBit(board, intid)));
  log.push(board.machine.counters(), board.diagnosed(), board.machine.takeChangedCpus());
  return log;
}

describe('builds', () => {
  const run = async (build: EngineBuild): Promise<unknown[]> => scenario(await createOpenBoard({}, build));

  it('the shared build gives the results of the single build', async () => {
    const single = await run('single');
    expect(await run('shared')).toEqual(single);
    expect(single).toContain(9000);
  });

  it('the memory of the shared build is shared, that of the single build is not', async () => {
    const single = await createMachine({}, 'single');
    const shared = await createMachine({}, 'shared');
    expect(single.memory.buffer).toBeInstanceOf(ArrayBuffer);
    expect(shared.memory.buffer).toBeInstanceOf(SharedArrayBuffer);
  });

  it('the same inputs give the same results twice', async () => {
    expect(await run('single')).toEqual(await run('single'));
  });
});

describe('two machines side by side', () => {
  it.each(['single', 'shared'] as const)('do not know of each other (%s)', async (build) => {
    const busy = await createOpenBoard({}, build);
    const quiet = await createOpenBoard({ cpus: 2, spis: 64, priorityBits: 8 }, build);
    const before = [0x0000, 0x0004, 0x0104, 0x0204].map((offset) => quiet.gicd(offset));
    scenario(busy);
    expect([0x0000, 0x0004, 0x0104, 0x0204].map((offset) => quiet.gicd(offset))).toEqual(before);
    expect([0, 1].map((cpu) => quiet.icc(cpu, 'HPPIR1'))).toEqual([1023, 1023]);
    expect(
      quiet.machine.readMemory(quiet.machine.config.ram.base, 0x4_0000).every((byte) => byte === 0),
    ).toBe(true);
    expect(quiet.diagnosed()).toEqual([]);
    quiet.configure(40, { edge: true });
    quiet.setLine(40, true);
    expect(quiet.icc(0, 'IAR1')).toBe(40);
    expect(quiet.icc(0, 'CTLR') & 0x700).toBe(0x700);
    expect(busy.icc(0, 'CTLR') & 0x700).toBe(0x400);
  });
});
