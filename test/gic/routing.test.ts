import { describe, expect, it } from 'vitest';
import type { MachineOptions } from '../../bindings/index.ts';
import { type Board, createBoard, createOpenBoard } from '../support/gic.ts';

const ANY_PE = 1n << 31n;
const ROUTER_40 = 0x6140;

/** PEs whose IRQ output is asserted. */
function signalled({ machine }: Board): number[] {
  return Array.from({ length: machine.cpus }, (_, cpu) => cpu).filter((cpu) => machine.irq(cpu));
}

/** An open board with SPI 40 edge-triggered and routed as given. */
async function boardWithSpi(router: bigint, options: MachineOptions = {}): Promise<Board> {
  const board = await createOpenBoard(options);
  board.configure(40, { edge: true, router });
  return board;
}

describe('2.6 GICD_IROUTER<n>, Interrupt_Routing_Mode=0', () => {
  const affinities = [0x0000_0000, 0x0000_0001, 0x0100_0203, 0xff00_0002];

  it.each([
    ['0.0.0.0', 0n, 0],
    ['0.0.0.1', 1n, 1],
    ['1.0.2.3, the example of the reference', 0x0000_0001_0000_0203n, 2],
    ['255.0.0.2', 0x0000_00ff_0000_0002n, 3],
  ] as const)('2.6 routes to the PE with affinity %s', async (_affinity, router, cpu) => {
    const board = await boardWithSpi(router, { affinities });
    expect(board.gicd64(ROUTER_40)).toBe(router);
    board.setLine(40, true);
    expect(signalled(board)).toEqual([cpu]);
    expect(board.icc(cpu, 'IAR1')).toBe(40);
  });

  it('2.6 the register of SPI 45 is at 0x6168', async () => {
    const board = await createOpenBoard({ affinities });
    board.configure(45, { edge: true });
    board.setGicd64(0x6168, 0x0000_0001_0000_0203n);
    board.setLine(45, true);
    expect(signalled(board)).toEqual([2]);
  });

  it('2.6 can be written in two halves, each of which takes effect', async () => {
    const board = await boardWithSpi(0n, { affinities: [0, 0x0100_0000, 0x0100_0203, 1] });
    board.setLine(40, true);
    const addresses = [ROUTER_40, ROUTER_40 + 4];
    const reached = [1, 0x0203].map((value, half) => {
      board.setGicd(addresses[1 - half] as number, value);
      return signalled(board);
    });
    expect(reached).toEqual([[1], [2]]);
  });

  it('2.6 bits beside the affinity and the routing mode are RES0', async () => {
    const board = await createBoard();
    board.setGicd64(ROUTER_40, 0xffff_ffff_ffff_ffffn);
    expect(board.gicd64(ROUTER_40)).toBe(0x0000_00ff_80ff_ffffn);
  });

  it('2.6 an affinity that no PE has: reads the written value, never forwarded, diagnosed, not lost', async () => {
    const board = await boardWithSpi(0n);
    board.setGicd64(ROUTER_40, 0x0000_0001_0000_0000n);
    expect(board.diagnosed()).toEqual(['NO_PE_WITH_AFFINITY']);
    expect(board.gicd64(ROUTER_40)).toBe(0x0000_0001_0000_0000n);
    board.setLine(40, true);
    expect(board.state(40)).toBe('pending');
    expect(signalled(board)).toEqual([]);
    board.setGicd64(ROUTER_40, 3n);
    expect(signalled(board)).toEqual([3]);
  });

  it('2.6 a write while the SPI is pending neither loses nor duplicates it', async () => {
    const board = await boardWithSpi(0n);
    board.setLine(40, true);
    for (const router of [1n, 3n, 2n]) {
      board.setGicd64(ROUTER_40, router);
      expect(signalled(board)).toEqual([Number(router)]);
    }
    expect([0, 1, 2, 3].map((cpu) => board.icc(cpu, 'IAR1'))).toEqual([1023, 1023, 40, 1023]);
    expect(board.state(40)).toBe('active');
  });

  it('2.6 a write while the SPI is active counts from the next time it is pending', async () => {
    const board = await boardWithSpi(0n);
    board.setLine(40, true);
    expect(board.icc(0, 'IAR1')).toBe(40);
    board.setGicd64(ROUTER_40, 1n);
    board.setLine(40, false);
    board.setLine(40, true);
    expect(signalled(board)).toEqual([]);
    board.setIcc(0, 'EOIR1', 40);
    expect(signalled(board)).toEqual([1]);
  });

  it.each([
    ['zero', 0x0000_0000_0000_0001n],
    ['keep', 0x0000_0000_7f00_0001n],
  ] as const)('2.6 policy routerReservedBits %s: bits [30:24]', async (routerReservedBits, expected) => {
    const board = await boardWithSpi(0n, { policy: { routerReservedBits } });
    board.setGicd64(ROUTER_40, 0x0000_0000_7f00_0001n);
    expect(board.gicd64(ROUTER_40)).toBe(expected);
    board.setLine(40, true);
    expect(signalled(board)).toEqual([1]);
  });
});

describe('2.6 Interrupt_Routing_Mode=1 where GICD_TYPER.No1N=1', () => {
  it('2.6 policy routingModeWithoutOneOfN zero: behaves and reads as 0', async () => {
    const board = await boardWithSpi(ANY_PE | 2n, {
      oneOfN: false,
      policy: { routingModeWithoutOneOfN: 'zero' },
    });
    expect(board.gicd64(ROUTER_40)).toBe(2n);
    board.setLine(40, true);
    expect(signalled(board)).toEqual([2]);
  });

  it('2.6 policy routingModeWithoutOneOfN first-pe: is kept and means PE 0', async () => {
    const board = await boardWithSpi(ANY_PE | 2n, {
      oneOfN: false,
      policy: { routingModeWithoutOneOfN: 'first-pe' },
    });
    expect(board.gicd64(ROUTER_40)).toBe(ANY_PE | 2n);
    board.setLine(40, true);
    expect(signalled(board)).toEqual([0]);
    board.setGicd64(ROUTER_40, 2n);
    expect(signalled(board)).toEqual([2]);
  });
});

/** What takes a PE out of the choice for 1-of-N interrupts of Group 1, and back in. */
const participation: readonly (readonly [string, (board: Board, cpu: number, takesPart: boolean) => void])[] =
  [
    ['GICR_CTLR.DPG1NS', (board, cpu, takesPart) => board.setGicr(cpu, 0x0000, takesPart ? 0 : 1 << 25)],
    ['ICC_IGRPEN1_EL1=0', (board, cpu, takesPart) => board.setIcc(cpu, 'IGRPEN1', takesPart ? 1 : 0)],
    ['GICR_WAKER.ProcessorSleep', (board, cpu, takesPart) => board.setGicr(cpu, 0x0014, takesPart ? 0 : 2)],
  ];

describe('2.6 1-of-N', () => {
  it('2.6 one PE gets the interrupt, and no other', async () => {
    const board = await boardWithSpi(ANY_PE);
    expect(board.gicd64(ROUTER_40)).toBe(ANY_PE);
    board.setLine(40, true);
    expect(signalled(board)).toEqual([0]);
    expect([1, 2, 3, 0].map((cpu) => board.icc(cpu, 'IAR1'))).toEqual([1023, 1023, 1023, 40]);
    expect(board.state(40)).toBe('active');
  });

  it.each(participation)('2.6 a PE with %s takes no part', async (_rule, set) => {
    const board = await boardWithSpi(ANY_PE);
    set(board, 0, false);
    set(board, 1, false);
    board.setLine(40, true);
    expect(signalled(board)).toEqual([2]);
  });

  it.each(participation)(
    '2.6 where no PE takes part for %s the interrupt waits for the first that does',
    async (_rule, set) => {
      const board = await boardWithSpi(ANY_PE);
      for (const cpu of [0, 1, 2, 3]) set(board, cpu, false);
      board.setLine(40, true);
      expect(signalled(board)).toEqual([]);
      expect(board.state(40)).toBe('pending');
      set(board, 3, true);
      expect(signalled(board)).toEqual([3]);
    },
  );

  it.each(participation)(
    '2.6 an interrupt leaves a PE that gets %s, and stays where it went',
    async (_rule, set) => {
      const board = await boardWithSpi(ANY_PE);
      board.setLine(40, true);
      set(board, 0, false);
      expect(signalled(board)).toEqual([1]);
      set(board, 0, true);
      expect(signalled(board)).toEqual([1]);
    },
  );

  it('3.2 DPG0 and DPG1NS count for their own group', async () => {
    const board = await createOpenBoard();
    board.configure(40, { edge: true, group: 0, router: ANY_PE });
    board.configure(41, { edge: true, group: 1, router: ANY_PE });
    board.setGicr(0, 0x0000, 1 << 24);
    board.setGicr(1, 0x0000, 1 << 25);
    board.setLine(40, true);
    board.setLine(41, true);
    expect([0, 1, 2, 3].map((cpu) => board.machine.fiq(cpu))).toEqual([false, true, false, false]);
    expect(signalled(board)).toEqual([0]);
  });

  it('3.2 DPG excludes only 1-of-N interrupts', async () => {
    const board = await boardWithSpi(0n);
    board.setGicr(0, 0x0000, (1 << 24) | (1 << 25));
    board.setLine(40, true);
    expect(signalled(board)).toEqual([0]);
  });

  it('2.6 goes to the lowest-numbered idle PE', async () => {
    const board = await boardWithSpi(ANY_PE);
    for (const cpu of [0, 1]) makeBusy(board, cpu);
    board.setLine(40, true);
    expect(signalled(board)).toEqual([2]);
  });

  it('2.6 goes to the lowest-numbered participating PE where none is idle', async () => {
    const board = await boardWithSpi(ANY_PE);
    for (const cpu of [0, 1, 2, 3]) makeBusy(board, cpu);
    board.setIcc(0, 'IGRPEN1', 0);
    board.setLine(40, true);
    expect(board.icc(1, 'HPPIR1')).toBe(40);
    expect(signalled(board)).toEqual([]);
    board.setIcc(1, 'EOIR1', 20);
    expect(signalled(board)).toEqual([1]);
  });

  it('2.6 stays with a participating PE that it was forwarded to, although that gets busy', async () => {
    const board = await boardWithSpi(ANY_PE);
    board.setLine(40, true);
    expect(signalled(board)).toEqual([0]);
    makeBusy(board, 0);
    expect([0, 1].map((cpu) => board.icc(cpu, 'HPPIR1'))).toEqual([40, 1023]);
  });

  it('2.6 several interrupts spread over PEs as these get busy, each delivered once', async () => {
    const board = await createOpenBoard();
    const taken: number[][] = [[], [], [], []];
    for (const intid of [40, 41, 42, 43]) {
      board.configure(intid, { edge: true, router: ANY_PE });
      board.setLine(intid, true);
      for (const cpu of signalled(board)) taken[cpu]?.push(board.icc(cpu, 'IAR1'));
    }
    expect(taken).toEqual([[40], [41], [42], [43]]);
  });

  it('2.6 a write of Interrupt_Routing_Mode while pending moves the interrupt', async () => {
    const board = await boardWithSpi(3n);
    board.setLine(40, true);
    board.setGicd64(ROUTER_40, ANY_PE);
    expect(signalled(board)).toHaveLength(1);
    board.setGicd64(ROUTER_40, 2n);
    expect(signalled(board)).toEqual([2]);
  });

  it('2.6 a level-sensitive 1-of-N interrupt is active at one PE and comes again while its line is high', async () => {
    const board = await createOpenBoard();
    board.configure(40, { edge: false, router: ANY_PE });
    board.setLine(40, true);
    expect(board.icc(0, 'IAR1')).toBe(40);
    expect(signalled(board)).toEqual([]);
    board.setIcc(0, 'EOIR1', 40);
    expect(signalled(board)).toHaveLength(1);
    board.setLine(40, false);
    expect(signalled(board)).toEqual([]);
  });

  /** The PE acknowledges a PPI that is more urgent than the SPIs. */
  function makeBusy(board: Board, cpu: number): void {
    board.configure(20, { priority: 0x20 }, cpu);
    board.setBit('ISPENDR', 20, cpu);
    expect(board.icc(cpu, 'IAR1')).toBe(20);
  }
});
