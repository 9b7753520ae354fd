import { describe, expect, it } from 'vitest';
import type { MachineOptions } from '../../bindings/index.ts';
import { DEVICE, DOORBELL, EVENT, startMappedVpe, VINTID } from '../support/vpe_driver.ts';

/** A vPE mapped in every one of several ITSs, each of which has to be told of a move. */
const start = (options: MachineOptions = {}) =>
  startMappedVpe({ itsCount: 2, vmovpOnAnyIts: false, ...options });
type Started = Awaited<ReturnType<typeof start>>;

const both = { sequence: 0x12, list: 0b11 };

/** Whether an ITS has executed everything in its queue. */
function idle(driver: Started, its: number): boolean {
  return driver.readPointer(its).offset === Number(driver.machine.read(driver.gits(0x88, its), 8));
}

/** PE of the vPE in each ITS. */
function targets(driver: Started, id = 7): (number | undefined)[] {
  return Array.from({ length: driver.config.itsCount }, (_, its) => driver.machine.vpeEntry(its, id)?.cpu);
}

describe('6.19 VMOVP of several ITSs (GITS_TYPER.VMOVP=0)', () => {
  it('5.2 every ITS has an ITS_Number of its own in GITS_CTLR[7:4], the one that ITSList names it by', async () => {
    const driver = await start({ itsCount: 4 });
    const numbers = [0, 1, 2, 3].map((its) => (driver.machine.read(driver.gits(0x0000, its), 4) >> 4) & 0xf);
    expect(new Set(numbers).size).toBe(4);
    const list = (1 << numbers[1]!) | (1 << numbers[3]!);
    driver.vmovp(driver.vpe, 2, 1, { sequence: 1, list });
    expect(idle(driver, 1)).toBe(false);
    driver.vmovp(driver.vpe, 2, 3, { sequence: 1, list });
    expect([idle(driver, 1), idle(driver, 3)]).toEqual([true, true]);
    expect(targets(driver)).toEqual([0, 2, 0, 2]);
  });

  it('6.19 an ITS waits until its partner has the same command, then both perform it', async () => {
    const driver = await start();
    const at = driver.readPointer(0).offset;
    driver.vmovp(driver.vpe, 3, 0, both);
    expect(driver.readPointer(0)).toEqual({ offset: at, stalled: false });
    expect(targets(driver)).toEqual([0, 0]);
    driver.vmovp(driver.vpe, 3, 1, both);
    expect([idle(driver, 0), idle(driver, 1)]).toEqual([true, true]);
    expect(targets(driver)).toEqual([3, 3]);
    expect(driver.diagnosed()).toEqual([]);
  });

  it('6.19 the example: vPE 7 to PE 4, sequence 0x12, ITSs 0 and 1', async () => {
    const driver = await start({ cpus: 8 });
    const words = [0x0000_0012_0000_0022n, 0x0000_0007_0000_0003n, 0x0000_0000_0004_0000n, 0n] as const;
    driver.command(words, 1);
    driver.command(words, 0);
    expect(targets(driver)).toEqual([4, 4]);
  });

  it('6.19 the command counts once for each ITS', async () => {
    const driver = await start();
    const { commands } = driver.machine.counters();
    driver.vmovp(driver.vpe, 3, 0, both);
    driver.vmovp(driver.vpe, 3, 1, both);
    expect(driver.machine.counters().commands - commands).toBe(2);
    expect(driver.machine.counters().commandErrors).toBe(0);
  });

  it('5.13 commands behind the one that waits are executed in order once it is through', async () => {
    const driver = await start();
    driver.vmovp(driver.vpe, 3, 0, both);
    driver.vmovi(DEVICE, EVENT, driver.vpe, DOORBELL + 1);
    driver.int(DEVICE, EVENT);
    expect(driver.machine.interruptEntry(0, DEVICE, EVENT)).toMatchObject({ doorbell: DOORBELL });
    driver.vmovp(driver.vpe, 3, 1, both);
    expect(idle(driver, 0)).toBe(true);
    expect([driver.pendingLpis(0), driver.pendingLpis(3)]).toEqual([[], [DOORBELL + 1]]);
  });

  it('6.19 while an ITS waits, its MSIs see the old mapping', async () => {
    const driver = await start();
    driver.vmovp(driver.vpe, 3, 0, both);
    driver.machine.sendMsi(DEVICE, EVENT);
    expect([driver.pendingLpis(0), driver.pendingLpis(3)]).toEqual([[DOORBELL], []]);
    driver.vmovp(driver.vpe, 3, 1, both);
    driver.scheduleIn(3, driver.vpe);
    expect(driver.guestTakeAll(3)).toEqual([VINTID]);
  });

  it('6.19 an ITS alone in its ITSList waits for nobody', async () => {
    const driver = await start();
    driver.vmovp(driver.vpe, 2, 1, { sequence: 1, list: 0b10 });
    expect(idle(driver, 1)).toBe(true);
    expect(targets(driver)).toEqual([0, 2]);
  });

  it('6.19 four ITSs wait for the last of them', async () => {
    const driver = await start({ itsCount: 4 });
    const all = { sequence: 0xffff, list: 0b1111 };
    for (const its of [2, 0, 3]) driver.vmovp(driver.vpe, 1, its, all);
    expect(targets(driver)).toEqual([0, 0, 0, 0]);
    driver.vmovp(driver.vpe, 1, 1, all);
    expect(targets(driver)).toEqual([1, 1, 1, 1]);
    expect([0, 1, 2, 3].map((its) => idle(driver, its))).toEqual([true, true, true, true]);
  });

  it('6.19 two disjoint pairs do not wait for each other', async () => {
    const driver = await start({ itsCount: 4 });
    driver.vmovp(driver.vpe, 1, 0, { sequence: 1, list: 0b0101 });
    driver.vmovp(driver.vpe, 3, 1, { sequence: 2, list: 0b1010 });
    driver.vmovp(driver.vpe, 3, 3, { sequence: 2, list: 0b1010 });
    expect(targets(driver)).toEqual([0, 3, 0, 3]);
    driver.vmovp(driver.vpe, 1, 2, { sequence: 1, list: 0b0101 });
    expect(targets(driver)).toEqual([1, 3, 1, 3]);
  });

  it('6.19 many moves in the same order on both queues, one queue far ahead', async () => {
    const driver = await start();
    const moves = Array.from({ length: 20 }, (_, n) => ({ cpu: (n * 3 + 1) % 4, sequence: n }));
    for (const { cpu, sequence } of moves) driver.vmovp(driver.vpe, cpu, 0, { sequence, list: 0b11 });
    for (const { cpu, sequence } of moves) {
      driver.vmovp(driver.vpe, cpu, 1, { sequence, list: 0b11 });
      expect(targets(driver)).toEqual([cpu, cpu]);
    }
    expect([idle(driver, 0), idle(driver, 1)]).toEqual([true, true]);
  });

  it.each([
    ['sequence number', { cpu: 3, together: { sequence: 0x13, list: 0b11 } }],
    ['RDbase', { cpu: 2, together: both }],
  ])(
    '6.19 partners that differ in the %s: UNPREDICTABLE, diagnosed, neither completes',
    async (_, { cpu, together }) => {
      const driver = await start();
      driver.vmovp(driver.vpe, 3, 0, both);
      driver.vmovp(driver.vpe, cpu, 1, together);
      expect(driver.diagnosed().map(({ code, unit, operands }) => [code, unit, operands.partner])).toEqual([
        ['VMOVP_MISMATCH', 1, 0],
      ]);
      expect([idle(driver, 0), idle(driver, 1)]).toEqual([false, false]);
      expect(targets(driver)).toEqual([0, 0]);
    },
  );

  it('6.19 partners with different vPEs: diagnosed, neither completes', async () => {
    const driver = await start();
    const other = driver.mapVpe(8);
    driver.vmovp(driver.vpe, 3, 0, both);
    driver.vmovp(other, 3, 1, both);
    expect(driver.diagnosed().map(({ code }) => code)).toEqual(['VMOVP_MISMATCH']);
    expect([targets(driver), targets(driver, 8)]).toEqual([
      [0, 0],
      [0, 0],
    ]);
  });

  it('6.19 moves of overlapping ITSLists, in the same order on all queues, wait without a mismatch', async () => {
    const driver = await start({ itsCount: 3 });
    const other = driver.mapVpe(8);
    driver.vmovp(driver.vpe, 3, 1, { sequence: 1, list: 0b110 });
    driver.vmovp(other, 2, 0, { sequence: 2, list: 0b011 });
    driver.vmovp(other, 2, 1, { sequence: 2, list: 0b011 });
    expect([targets(driver), targets(driver, 8)]).toEqual([
      [0, 0, 0],
      [0, 0, 0],
    ]);
    driver.vmovp(driver.vpe, 3, 2, { sequence: 1, list: 0b110 });
    expect([targets(driver), targets(driver, 8)]).toEqual([
      [0, 3, 3],
      [2, 2, 0],
    ]);
    expect([0, 1, 2].map((its) => idle(driver, its))).toEqual([true, true, true]);
    expect(driver.diagnosed()).toEqual([]);
  });

  it('6.19 a member of ITSList that does not exist never comes: the command never completes', async () => {
    const driver = await start();
    for (const its of [0, 1]) driver.vmovp(driver.vpe, 3, its, { sequence: 1, list: 0b111 });
    expect([idle(driver, 0), idle(driver, 1)]).toEqual([false, false]);
    expect(targets(driver)).toEqual([0, 0]);
  });

  it('5.13 stepped: each ITS takes the command in a step of its own', async () => {
    const driver = await start({ policy: { commandExecution: 'stepped' } });
    for (const its of [0, 1]) driver.machine.stepIts(its, 100);
    for (const its of [0, 1]) driver.vmovp(driver.vpe, 3, its, both);
    expect(driver.machine.stepIts(0, 5)).toBe(0);
    expect(driver.machine.stepIts(1, 5)).toBe(1);
    expect(targets(driver)).toEqual([3, 3]);
    expect(driver.machine.stepIts(0, 5)).toBe(1);
    expect([idle(driver, 0), idle(driver, 1)]).toEqual([true, true]);
  });
});

describe('6.19 a wait that its software gives up', () => {
  const disable = (driver: Started): void => driver.disableIts(0);

  it('5.13 an ITS disabled while it waits: the move is made at the latest when it runs again', async () => {
    const driver = await start();
    driver.vmovp(driver.vpe, 3, 0, both);
    disable(driver);
    driver.vmovp(driver.vpe, 3, 1, both);
    driver.machine.write(driver.gits(0, 0), 4, 1);
    expect([idle(driver, 0), idle(driver, 1)]).toEqual([true, true]);
    expect(targets(driver)).toEqual([3, 3]);
  });

  it('5.7 an ITS whose queue was emptied by a GITS_CBASER write waits no more: its partner has to', async () => {
    const driver = await start();
    driver.vmovp(driver.vpe, 3, 0, both);
    disable(driver);
    driver.resetQueue(0);
    driver.machine.write(driver.gits(0, 0), 4, 1);
    driver.vmovp(driver.vpe, 3, 1, both);
    expect([idle(driver, 1), targets(driver)]).toEqual([false, [0, 0]]);
    driver.vmovp(driver.vpe, 3, 0, both);
    expect([idle(driver, 0), idle(driver, 1)]).toEqual([true, true]);
    expect(targets(driver)).toEqual([3, 3]);
  });

  it('5.13 an ITS whose command was overwritten waits no more', async () => {
    const driver = await start();
    const at = driver.readPointer(0).offset;
    driver.vmovp(driver.vpe, 3, 0, both);
    driver.storeCommand(at, [0x05n, 0n, 0n, 0n], 0);
    driver.ring(0);
    expect(idle(driver, 0)).toBe(true);
    driver.vmovp(driver.vpe, 3, 1, both);
    expect([idle(driver, 1), targets(driver)]).toEqual([false, [0, 0]]);
  });

  it('5.8 an ITS whose GITS_CWRITER was taken back waits no more', async () => {
    const driver = await start();
    const at = driver.readPointer(0).offset;
    driver.vmovp(driver.vpe, 3, 0, both);
    driver.machine.write(driver.gits(0x88, 0), 8, BigInt(at));
    driver.vmovp(driver.vpe, 3, 1, both);
    driver.ring(0);
    expect([idle(driver, 0), idle(driver, 1)]).toEqual([true, true]);
    expect(targets(driver)).toEqual([3, 3]);
  });
});
