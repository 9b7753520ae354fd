import { describe, expect, it } from 'vitest';
import { type Board, createBoard, createOpenBoard } from '../support/gic.ts';
import { enableLpis, setLpi, setLpiConfig } from '../support/lpi.ts';

/** Makes an SGI, PPI or SPI pending with these settings at PE 0. */
function raise(board: Board, intid: number, priority = 0x80, group: 0 | 1 = 1): void {
  board.configure(intid, { priority, group });
  board.setBit('ISPENDR', intid);
}

describe('1.6 groups', () => {
  it.each([
    [0, true, false],
    [1, false, true],
  ] as const)('1.6 a Group %i interrupt: FIQ %s, IRQ %s', async (group, fiq, irq) => {
    for (const intid of [3, 20, 40]) {
      const board = await createOpenBoard();
      raise(board, intid, 0x80, group);
      expect([board.machine.fiq(0), board.machine.irq(0)]).toEqual([fiq, irq]);
      expect(board.machine.highestPending(0)).toEqual({ intid, priority: 0x80, group });
    }
  });

  it('0 LPIs are always Group 1', async () => {
    const board = await createOpenBoard();
    setLpiConfig(board, 8200, 0x81);
    enableLpis(board);
    setLpi(board, 8200);
    expect([board.machine.fiq(0), board.machine.irq(0)]).toEqual([false, true]);
    expect([board.icc(0, 'IAR0'), board.icc(0, 'IAR1')]).toEqual([1023, 8200]);
  });

  it('1.6 only the output of the highest priority pending interrupt is asserted', async () => {
    const board = await createOpenBoard();
    raise(board, 40, 0x80, 1);
    raise(board, 41, 0x40, 0);
    expect([board.machine.fiq(0), board.machine.irq(0)]).toEqual([true, false]);
    expect(board.icc(0, 'IAR0')).toBe(41);
    board.setIcc(0, 'EOIR0', 41);
    expect([board.machine.fiq(0), board.machine.irq(0)]).toEqual([false, true]);
  });

  it('1.6 IGROUPR changes the group of a pending interrupt', async () => {
    const board = await createOpenBoard();
    raise(board, 40, 0x80, 1);
    board.setGicd(0x0084, 0);
    expect([board.machine.fiq(0), board.machine.irq(0)]).toEqual([true, false]);
  });

  it('1.3 policy groupEnableGatesHppi: a group disabled at the CPU interface hides nothing behind it', async () => {
    const board = await createOpenBoard({ policy: { groupEnableGatesHppi: true } });
    board.setIcc(0, 'IGRPEN0', 0);
    raise(board, 40, 0x80, 1);
    raise(board, 41, 0x40, 0);
    expect(board.machine.irq(0)).toBe(true);
    expect([board.icc(0, 'HPPIR0'), board.icc(0, 'HPPIR1')]).toEqual([1023, 40]);
    expect(board.icc(0, 'IAR1')).toBe(40);
  });

  it('1.3 policy groupEnableGatesHppi off: a more urgent interrupt of a disabled group stands in front', async () => {
    const board = await createOpenBoard({ policy: { groupEnableGatesHppi: false } });
    board.setIcc(0, 'IGRPEN0', 0);
    raise(board, 40, 0x80, 1);
    raise(board, 41, 0x40, 0);
    expect([board.machine.fiq(0), board.machine.irq(0)]).toEqual([false, false]);
    expect([board.icc(0, 'HPPIR0'), board.icc(0, 'HPPIR1'), board.icc(0, 'IAR1')]).toEqual([
      1023, 1023, 1023,
    ]);
    board.setIcc(0, 'IGRPEN0', 1);
    expect(board.icc(0, 'IAR0')).toBe(41);
  });
});

describe('1.4 priority', () => {
  it.each([
    [8, 0xfe],
    [7, 0xfc],
    [6, 0xf8],
    [5, 0xf0],
    [4, 0xe0],
  ])(
    '1.4 with %i bits the mask 0xFF signals priority %i but not the lowest one',
    async (priorityBits, usable) => {
      const board = await createOpenBoard({ priorityBits });
      raise(board, 40, 0xff);
      expect(board.machine.irq(0)).toBe(false);
      expect(board.icc(0, 'IAR1')).toBe(1023);
      board.configure(40, { priority: usable });
      expect(board.machine.irq(0)).toBe(true);
      expect(board.icc(0, 'IAR1')).toBe(40);
    },
  );

  it('1.4 priority 0xFF is never signalled', async () => {
    const board = await createOpenBoard({ priorityBits: 5, storedPriorityBits: 8 });
    raise(board, 40, 0xff);
    raise(board, 20, 0xff, 0);
    expect(board.machine.irq(0) || board.machine.fiq(0)).toBe(false);
    expect(board.machine.highestPending(0)).toBeUndefined();
    expect([board.icc(0, 'IAR0'), board.icc(0, 'IAR1')]).toEqual([1023, 1023]);
  });

  it('8.2 PMR: signalled only if the priority is less than the mask', async () => {
    const board = await createOpenBoard();
    raise(board, 40, 0xa0);
    for (const [mask, irq] of [
      [0xa0, false],
      [0xa8, true],
      [0x98, false],
      [0, false],
      [0xff, true],
    ] as const) {
      board.setIcc(0, 'PMR', mask);
      expect(board.machine.irq(0), `mask ${mask}`).toBe(irq);
    }
  });

  it('2.1 a priority written while the interrupt is pending takes effect', async () => {
    const board = await createOpenBoard();
    raise(board, 40, 0x80);
    raise(board, 41, 0x90);
    board.machine.write(board.priorityAddress(41), 1, 0x40);
    expect(board.icc(0, 'HPPIR1')).toBe(41);
  });
});

describe('8.2 HPPIR', () => {
  it('8.2 tells the highest priority pending interrupt without side effect', async () => {
    const board = await createOpenBoard();
    raise(board, 40);
    expect([board.icc(0, 'HPPIR1'), board.icc(0, 'HPPIR1')]).toEqual([40, 40]);
    expect(board.state(40)).toBe('pending');
    expect(board.icc(0, 'RPR')).toBe(0xff);
  });

  it('8.2 disregards PMR and the running priority', async () => {
    const board = await createOpenBoard();
    raise(board, 41, 0x20);
    expect(board.icc(0, 'IAR1')).toBe(41);
    raise(board, 40, 0x80);
    expect(board.icc(0, 'HPPIR1')).toBe(40);
    board.setIcc(0, 'PMR', 0);
    expect(board.icc(0, 'HPPIR1')).toBe(40);
  });

  it.each([
    ['nothing is pending', () => {}, [1023, 1023]],
    ['it is of Group 1', (board: Board) => raise(board, 40, 0x80, 1), [1023, 40]],
    ['it is of Group 0', (board: Board) => raise(board, 40, 0x80, 0), [40, 1023]],
    [
      'its group is disabled at the CPU interface',
      (board: Board) => {
        raise(board, 40, 0x80, 1);
        board.setIcc(0, 'IGRPEN1', 0);
      },
      [1023, 1023],
    ],
  ] as const)('8.2 where %s', async (_when, prepare, expected) => {
    const board = await createOpenBoard();
    prepare(board);
    expect([board.icc(0, 'HPPIR0'), board.icc(0, 'HPPIR1')]).toEqual(expected);
  });
});

describe('8.3 IAR', () => {
  it.each([0, 1] as const)(
    '8.3 IAR%i: the INTID, its state, the active priority, the running priority',
    async (group) => {
      const board = await createOpenBoard();
      raise(board, 40, 0xa0, group);
      expect(board.icc(0, `IAR${group}`)).toBe(40);
      expect(board.state(40)).toBe('active');
      expect(board.icc(0, `AP${group}R0`)).toBe(1 << 20);
      expect(board.icc(0, `AP${1 - group}R0`)).toBe(0);
      expect(board.icc(0, 'RPR')).toBe(0xa0);
      expect([board.machine.fiq(0), board.machine.irq(0)]).toEqual([false, false]);
    },
  );

  const spurious: readonly (readonly [string, (board: Board) => void])[] = [
    ['nothing is pending', (board) => board.setBit('ICPENDR', 40)],
    ['it is of the other group', (board) => board.configure(40, { group: 0 })],
    ['a more urgent interrupt of the other group is pending', (board) => raise(board, 41, 0x20, 0)],
    ['its group is disabled at the CPU interface', (board) => board.setIcc(0, 'IGRPEN1', 0)],
    ['its group is disabled in the distributor', (board) => board.setGicd(0, 1)],
    ['its priority equals the mask', (board) => board.setIcc(0, 'PMR', 0x80)],
    ['its priority is beyond the mask', (board) => board.setIcc(0, 'PMR', 0x40)],
    ['the same priority is running', (board) => board.setIcc(0, 'AP1R0', 1 << 16)],
    ['a higher priority is running', (board) => board.setIcc(0, 'AP1R0', 1)],
    ['a higher priority of the other group is running', (board) => board.setIcc(0, 'AP0R0', 1)],
  ];
  it.each(spurious)('8.3 IAR1 is 1023 and changes nothing where %s', async (_when, prepare) => {
    const board = await createOpenBoard();
    raise(board, 40);
    prepare(board);
    const before = snapshot(board);
    expect(board.icc(0, 'IAR1')).toBe(1023);
    expect(snapshot(board)).toEqual(before);
  });

  function snapshot(board: Board): unknown {
    const registers = ['AP0R0', 'AP1R0', 'RPR', 'HPPIR0', 'HPPIR1'].map((name) => board.icc(0, name));
    return [registers, board.state(40), board.machine.irq(0), board.machine.fiq(0)];
  }
});

describe('8.3 EOIR', () => {
  it('8.3 EOImode=0: drops the priority and deactivates', async () => {
    const board = await createOpenBoard();
    raise(board, 40);
    board.icc(0, 'IAR1');
    board.setIcc(0, 'EOIR1', 40);
    expect([board.state(40), board.icc(0, 'RPR'), board.icc(0, 'AP1R0')]).toEqual(['inactive', 0xff, 0]);
  });

  it('8.3 EOImode=1: drops the priority only; DIR deactivates', async () => {
    const board = await createOpenBoard();
    board.setIcc(0, 'CTLR', 2);
    raise(board, 40);
    board.icc(0, 'IAR1');
    board.setIcc(0, 'EOIR1', 40);
    expect([board.state(40), board.icc(0, 'RPR'), board.icc(0, 'AP1R0')]).toEqual(['active', 0xff, 0]);
    board.setIcc(0, 'DIR', 40);
    expect(board.state(40)).toBe('inactive');
  });

  it('8.3 clears the highest set active priority of the group: nested interrupts end in turn', async () => {
    const board = await createOpenBoard();
    for (const [intid, priority] of [
      [40, 0xc0],
      [41, 0x80],
      [42, 0x40],
    ] as const) {
      raise(board, intid, priority);
      expect(board.icc(0, 'IAR1')).toBe(intid);
    }
    const running = [42, 41, 40].map((intid) => {
      board.setIcc(0, 'EOIR1', intid);
      return board.icc(0, 'RPR');
    });
    expect(running).toEqual([0x80, 0xc0, 0xff]);
    expect([40, 41, 42].map((intid) => board.state(intid))).toEqual(['inactive', 'inactive', 'inactive']);
  });

  it.each([1020, 1021, 1022, 1023])(
    '8.3 EOIR and DIR of the special INTID %i are ignored',
    async (special) => {
      const board = await createOpenBoard();
      raise(board, 40);
      board.icc(0, 'IAR1');
      board.setIcc(0, 'EOIR1', special);
      expect([board.state(40), board.icc(0, 'RPR')]).toEqual(['active', 0x80]);
      board.setIcc(0, 'CTLR', 2);
      board.setIcc(0, 'DIR', special);
      expect([board.state(40), board.icc(0, 'RPR')]).toEqual(['active', 0x80]);
    },
  );

  it.each([288, 1056, 2000, 4096, 8191, 65_536, 0xff_ffff])(
    '8.3 EOIR and DIR of INTID %i, which does not exist, are ignored',
    async (intid) => {
      const board = await createOpenBoard();
      raise(board, 40);
      board.icc(0, 'IAR1');
      board.setIcc(0, 'EOIR1', intid);
      expect([board.state(40), board.icc(0, 'RPR')]).toEqual(['active', 0x80]);
      expect(board.diagnosed()).toEqual(['EOI_OF_UNKNOWN_INTID']);
      board.setIcc(0, 'CTLR', 2);
      board.setIcc(0, 'DIR', intid);
      expect([board.state(40), board.icc(0, 'RPR')]).toEqual(['active', 0x80]);
    },
  );

  it('8.3 EOIR of the wrong group is ignored', async () => {
    const board = await createOpenBoard();
    raise(board, 40);
    board.icc(0, 'IAR1');
    board.setIcc(0, 'EOIR0', 40);
    expect([board.state(40), board.icc(0, 'RPR')]).toEqual(['active', 0x80]);
    expect(board.diagnosed()).toEqual(['EOI_OF_OTHER_GROUP']);
    board.setIcc(0, 'EOIR1', 40);
    expect(board.state(40)).toBe('inactive');
  });

  it('8.3 EOIR while nothing is active changes nothing and is diagnosed', async () => {
    const board = await createOpenBoard();
    raise(board, 40);
    board.setIcc(0, 'EOIR1', 40);
    expect([board.state(40), board.icc(0, 'RPR')]).toEqual(['pending', 0xff]);
    expect(board.diagnosed()).toEqual(['EOI_WITHOUT_ACTIVE_PRIORITY']);
  });

  it('8.2 only bits [23:0] are the INTID', async () => {
    const board = await createOpenBoard();
    raise(board, 40);
    board.icc(0, 'IAR1');
    board.setIcc(0, 'EOIR1', 0xffff_ffff_ff00_0028n);
    expect(board.state(40)).toBe('inactive');
  });

  it.each([0, 2])('8.3 an LPI: only the priority drop, in EOImode %i/2', async (ctlr) => {
    const board = await createOpenBoard();
    board.setIcc(0, 'CTLR', ctlr);
    setLpiConfig(board, 8200, 0x81);
    enableLpis(board);
    setLpi(board, 8200);
    expect(board.icc(0, 'IAR1')).toBe(8200);
    expect(board.icc(0, 'AP1R0')).toBe(1 << 16);
    board.setIcc(0, 'EOIR1', 8200);
    expect([board.icc(0, 'AP1R0'), board.icc(0, 'RPR')]).toEqual([0, 0xff]);
    board.setIcc(0, 'DIR', 8200);
    expect(board.icc(0, 'IAR1')).toBe(1023);
  });
});

describe('8.3 DIR', () => {
  it('8.3 EOImode=0: ignored', async () => {
    const board = await createOpenBoard();
    raise(board, 40);
    board.icc(0, 'IAR1');
    board.setIcc(0, 'DIR', 40);
    expect([board.state(40), board.icc(0, 'RPR')]).toEqual(['active', 0x80]);
    expect(board.diagnosed()).toEqual(['DIR_WITHOUT_EOIMODE']);
  });

  it('8.3 before EOIR: deactivates, but the active priority stays until EOIR', async () => {
    const board = await createOpenBoard();
    board.setIcc(0, 'CTLR', 2);
    raise(board, 40);
    board.icc(0, 'IAR1');
    board.setIcc(0, 'DIR', 40);
    expect([board.state(40), board.icc(0, 'RPR'), board.icc(0, 'AP1R0')]).toEqual([
      'inactive',
      0x80,
      1 << 16,
    ]);
    board.setIcc(0, 'EOIR1', 40);
    expect(board.icc(0, 'RPR')).toBe(0xff);
  });

  it('8.3 of an LPI is ignored, whether it is pending or was acknowledged', async () => {
    const board = await createOpenBoard();
    board.setIcc(0, 'CTLR', 2);
    setLpiConfig(board, 8200, 0x81);
    enableLpis(board);
    setLpi(board, 8200);
    board.setIcc(0, 'DIR', 8200);
    expect(board.icc(0, 'IAR1')).toBe(8200);
    board.setIcc(0, 'DIR', 8200);
    expect(board.icc(0, 'RPR')).toBe(0x80);
  });

  it('1.2 an SPI can be deactivated at another PE, a PPI only at its own', async () => {
    const board = await createOpenBoard();
    for (const cpu of [0, 1]) board.setIcc(cpu, 'CTLR', 2);
    for (const [intid, priority] of [
      [40, 0x80],
      [20, 0x40],
    ] as const) {
      raise(board, intid, priority);
      board.icc(0, 'IAR1');
      board.setIcc(1, 'DIR', intid);
    }
    expect([board.state(40), board.state(20)]).toEqual(['inactive', 'active']);
  });
});

describe('8.2 reset of the CPU interface', () => {
  it('8.2 gives the registers their reset values; distributor and redistributor keep their state', async () => {
    const board = await createOpenBoard();
    raise(board, 41, 0x40);
    board.icc(0, 'IAR1');
    raise(board, 40);
    board.setIcc(0, 'CTLR', 3);
    board.machine.resetCpuInterface(0);
    const names = ['PMR', 'IGRPEN0', 'IGRPEN1', 'AP0R0', 'AP1R0'];
    expect(names.map((name) => board.icc(0, name))).toEqual([0, 0, 0, 0, 0]);
    expect(board.icc(0, 'RPR')).toBe(0xff);
    expect(board.machine.irq(0)).toBe(false);
    expect([board.state(40), board.state(41), board.bit('ISENABLER', 40)]).toEqual([
      'pending',
      'active',
      true,
    ]);
    expect(board.icc(1, 'PMR')).not.toBe(0);
    board.open([0]);
    expect(board.icc(0, 'IAR1')).toBe(40);
  });

  it('8.2 reset values after power-on', async () => {
    const board = await createBoard();
    for (const cpu of [0, 3]) {
      const names = ['PMR', 'IGRPEN0', 'IGRPEN1', 'AP0R0', 'AP1R0', 'RPR', 'HPPIR0', 'HPPIR1', 'IAR1'];
      expect(names.map((name) => board.icc(cpu, name))).toEqual([0, 0, 0, 0, 0, 0xff, 1023, 1023, 1023]);
    }
  });
});
