import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { startVpeDriver, type VpeDriver } from '../support/vpe_driver.ts';
import { startVpe41Driver } from '../support/vpe41_driver.ts';
import { randomSource } from './storm.ts';

// One VLPI, sent by another thread at the very moment at which its vPE becomes resident or stops being so (7.4 to 7.6):
// whoever comes first, the VLPI is presented, told of by PendingLast, or rung for.

/** A case goes on for so long, but for so many rounds at least. Threads that have no core of their own are slow. */
const MILLISECONDS = 2000 * Number(process.env.GICV4_STORM ?? 1);
const ROUNDS_MIN = 300;
const TIMEOUT = 120_000 + MILLISECONDS;
const DEVICE = 0x10;
const EVENT = 5;
const VLPI = 8200;
const DOORBELL = 9000;

interface Board {
  readonly driver: VpeDriver;
  load(): void;
  /** Tells PendingLast. */
  put(): boolean;
}

async function board40(): Promise<Board> {
  const driver = await startVpeDriver({ cpus: 1 });
  const vpe = driver.mapVpe(1);
  prepare(driver, vpe.configTable);
  driver.vmapti(DEVICE, EVENT, vpe, VLPI, DOORBELL);
  return { driver, load: () => driver.scheduleIn(0, vpe), put: () => driver.scheduleOut(0) };
}

async function board41(): Promise<Board> {
  const driver = await startVpe41Driver({ cpus: 1 });
  const vpe = driver.mapVpe41(1, { doorbell: DOORBELL });
  prepare(driver, vpe.configTable);
  driver.vmapti(DEVICE, EVENT, vpe, VLPI);
  return { driver, load: () => driver.load(0, vpe), put: () => driver.put(0, { doorbell: true }) };
}

function prepare(driver: VpeDriver, configTable: number): void {
  driver.openGuest(0);
  driver.setConfig(DOORBELL, 0x80, true);
  driver.machine.write(configTable + VLPI - 8192, 1, 0x83);
  driver.mapd(DEVICE, 5);
}

/**
 * Rounds in each of which a thread sends the VLPI while this one does `race`; `settle` comes when it has been sent. How many
 * it were.
 */
async function play(board: Board, race: () => void, settle: (round: number) => void): Promise<number> {
  const { machine } = board.driver;
  const { layout } = machine.shape;
  const roundAt = layout.ramAt + machine.config.ram.size - 8;
  const words = new Int32Array(machine.memory.buffer, roundAt, 2);
  const workerData = { shared: machine.shared, deviceId: DEVICE, eventId: EVENT, roundAt };
  const worker = new Worker(new URL('litmus.mjs', import.meta.url), { workerData });
  const ended = new Promise((resolve, reject) => {
    worker.once('exit', resolve);
    worker.once('error', reject);
  });
  const random = randomSource(99);
  const end = performance.now() + MILLISECONDS;
  let round = 0;
  while (round < ROUNDS_MIN || performance.now() < end) {
    round++;
    Atomics.store(words, 0, round);
    for (let wait = random(64); wait > 0; wait--) Atomics.load(words, 0);
    race();
    while (Atomics.load(words, 1) !== round) {}
    settle(round);
  }
  Atomics.store(words, 0, -1);
  await ended;
  return round;
}

describe.each([
  ['GICv4.0', board40],
  ['GICv4.1', board41],
] as const)('a VLPI by another thread, %s', (_, start) => {
  it(
    'while its vPE is descheduled: presented before, PendingLast, or the doorbell',
    async () => {
      const board = await start();
      const { driver } = board;
      const seen = { pendingLast: 0, doorbell: 0 };
      const lost: number[] = [];
      let pendingLast = false;
      board.load();
      await play(
        board,
        () => {
          pendingLast = board.put();
        },
        (round) => {
          const rung = driver.takeAll(0).includes(DOORBELL);
          if (pendingLast) seen.pendingLast++;
          else if (rung) seen.doorbell++;
          else lost.push(round);
          board.load();
          expect(driver.guestTakeAll(0)).toEqual([VLPI]);
        },
      );
      expect(lost).toEqual([]);
      expect(seen.pendingLast).toBeGreaterThan(0);
      expect(seen.doorbell).toBeGreaterThan(0);
    },
    TIMEOUT,
  );

  it(
    'while its vPE is made resident: presented, whether its doorbell has rung or not',
    async () => {
      const board = await start();
      const { driver } = board;
      const { machine } = driver;
      const stuck: number[] = [];
      let rung = 0;
      board.load();
      board.put();
      const rounds = await play(
        board,
        () => board.load(),
        (round) => {
          machine.takeArrivals();
          if (!driver.virq(0)) stuck.push(round);
          rung += driver.takeAll(0).length;
          driver.guestTakeAll(0);
          board.put();
        },
      );
      expect(stuck).toEqual([]);
      const { msi, vlpis } = machine.counters();
      expect(msi.pending).toBe(rounds);
      expect(vlpis.direct + vlpis.waiting).toBe(rounds);
      expect(vlpis.direct).toBeGreaterThan(0);
      expect(rung).toBeGreaterThan(0);
    },
    TIMEOUT,
  );
});
