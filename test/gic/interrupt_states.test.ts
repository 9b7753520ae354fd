import { describe, expect, it } from 'vitest';
import { type Board, createOpenBoard, type State } from '../support/gic.ts';

// Section 1.2: each transition of SGIs, PPIs and SPIs. A scenario is a list of events and the state after each.

type Event =
  | 'high'
  | 'low'
  | 'acknowledge'
  | 'end'
  | 'ISPENDR'
  | 'ICPENDR'
  | 'ISACTIVER'
  | 'ICACTIVER'
  /** Priority drop, then deactivation with EOImode=1. */
  | 'DIR';

interface Scenario {
  rule: string;
  steps: readonly (readonly [Event, State])[];
}

const edge: readonly Scenario[] = [
  { rule: 'a rising edge sets the latch', steps: [['high', 'pending']] },
  {
    rule: 'a falling edge leaves the latch',
    steps: [
      ['high', 'pending'],
      ['low', 'pending'],
    ],
  },
  {
    rule: 'acknowledge moves Pending to Active although the line is still high',
    steps: [
      ['high', 'pending'],
      ['acknowledge', 'active'],
    ],
  },
  {
    rule: 'a line that stays high makes nothing pending after the end of the interrupt',
    steps: [
      ['high', 'pending'],
      ['acknowledge', 'active'],
      ['end', 'inactive'],
    ],
  },
  {
    rule: 'a new edge while Active gives Active and pending, and Pending after the end',
    steps: [
      ['high', 'pending'],
      ['acknowledge', 'active'],
      ['low', 'active'],
      ['high', 'active and pending'],
      ['end', 'pending'],
      ['acknowledge', 'active'],
      ['end', 'inactive'],
    ],
  },
  {
    rule: 'edges while Pending merge',
    steps: [
      ['high', 'pending'],
      ['low', 'pending'],
      ['high', 'pending'],
      ['acknowledge', 'active'],
      ['end', 'inactive'],
    ],
  },
  {
    rule: 'ICPENDR takes an edge back',
    steps: [
      ['high', 'pending'],
      ['ICPENDR', 'inactive'],
    ],
  },
];

const level: readonly Scenario[] = [
  {
    rule: 'pending follows the line',
    steps: [
      ['high', 'pending'],
      ['low', 'inactive'],
      ['high', 'pending'],
    ],
  },
  {
    rule: 'acknowledge with the line high gives Active and pending',
    steps: [
      ['high', 'pending'],
      ['acknowledge', 'active and pending'],
    ],
  },
  {
    rule: 'a line that goes low while Active leaves Active, then Inactive',
    steps: [
      ['high', 'pending'],
      ['acknowledge', 'active and pending'],
      ['low', 'active'],
      ['end', 'inactive'],
    ],
  },
  {
    rule: 'a line that is still high at the end of the interrupt makes it pending again',
    steps: [
      ['high', 'pending'],
      ['acknowledge', 'active and pending'],
      ['end', 'pending'],
      ['acknowledge', 'active and pending'],
    ],
  },
  {
    rule: 'a line that goes high while Active gives Active and pending',
    steps: [
      ['ISACTIVER', 'active'],
      ['high', 'active and pending'],
      ['low', 'active'],
    ],
  },
  {
    rule: 'the ISPENDR latch holds when the line goes low, until ICPENDR',
    steps: [
      ['high', 'pending'],
      ['ISPENDR', 'pending'],
      ['low', 'pending'],
      ['ICPENDR', 'inactive'],
    ],
  },
  {
    rule: 'ICPENDR leaves it pending while the line is high',
    steps: [
      ['ISPENDR', 'pending'],
      ['high', 'pending'],
      ['ICPENDR', 'pending'],
      ['low', 'inactive'],
    ],
  },
];

const both: readonly Scenario[] = [
  { rule: 'ISPENDR makes Inactive Pending', steps: [['ISPENDR', 'pending']] },
  {
    rule: 'activation takes the ISPENDR latch',
    steps: [
      ['ISPENDR', 'pending'],
      ['acknowledge', 'active'],
      ['end', 'inactive'],
    ],
  },
  {
    rule: 'ISPENDR makes Active Active and pending, ICPENDR takes that back',
    steps: [
      ['ISACTIVER', 'active'],
      ['ISPENDR', 'active and pending'],
      ['ICPENDR', 'active'],
    ],
  },
  {
    rule: 'Active and pending becomes Pending at the end of the interrupt',
    steps: [
      ['ISPENDR', 'pending'],
      ['acknowledge', 'active'],
      ['ISPENDR', 'active and pending'],
      ['end', 'pending'],
    ],
  },
  {
    rule: 'ISACTIVER and ICACTIVER set and clear the Active state',
    steps: [
      ['ISACTIVER', 'active'],
      ['ICACTIVER', 'inactive'],
    ],
  },
  {
    rule: 'ISACTIVER makes Pending Active and pending, ICACTIVER makes that Pending',
    steps: [
      ['ISPENDR', 'pending'],
      ['ISACTIVER', 'active and pending'],
      ['ICACTIVER', 'pending'],
    ],
  },
  {
    rule: 'ICACTIVER deactivates an acknowledged interrupt',
    steps: [
      ['ISPENDR', 'pending'],
      ['acknowledge', 'active'],
      ['ICACTIVER', 'inactive'],
    ],
  },
  {
    rule: 'DIR deactivates with EOImode=1',
    steps: [
      ['ISPENDR', 'pending'],
      ['acknowledge', 'active'],
      ['ISPENDR', 'active and pending'],
      ['DIR', 'pending'],
    ],
  },
];

const kinds = [
  { kind: 'PPI', intid: 20 },
  { kind: 'SPI', intid: 40 },
  { kind: 'Extended PPI', intid: 1060 },
  { kind: 'Extended SPI', intid: 4100 },
];

function perform(board: Board, event: Event, intid: number): void {
  switch (event) {
    case 'high':
    case 'low':
      return board.setLine(intid, event === 'high');
    case 'acknowledge':
      return expect(board.icc(0, 'IAR1')).toBe(intid);
    case 'end':
      return board.setIcc(0, 'EOIR1', intid);
    case 'DIR':
      board.setIcc(0, 'CTLR', 2);
      board.setIcc(0, 'EOIR1', intid);
      return board.setIcc(0, 'DIR', intid);
    default:
      board.setBit(event, intid);
  }
}

async function play(intid: number, isEdge: boolean | undefined, { steps }: Scenario): Promise<void> {
  const board = await createOpenBoard({ extendedPpis: 32, extendedSpis: 32 });
  board.configure(intid, isEdge === undefined ? {} : { edge: isEdge });
  expect(board.state(intid)).toBe('inactive');
  for (const [event, state] of steps) {
    perform(board, event, intid);
    expect(board.state(intid), `after ${event}`).toBe(state);
    const signalled = state === 'pending';
    expect(board.machine.irq(0), `IRQ after ${event}`).toBe(signalled);
  }
}

describe.each(kinds)('1.2 edge-triggered $kind', ({ intid }) => {
  it.each([...edge, ...both])('1.2 $rule', (scenario) => play(intid, true, scenario));
});

describe.each(kinds)('1.2 level-sensitive $kind', ({ intid }) => {
  it.each([...level, ...both])('1.2 $rule', (scenario) => play(intid, false, scenario));
});

describe('1.2 SGI', () => {
  it.each(both)('1.2 $rule', (scenario) => play(5, undefined, scenario));
});

describe('1.2 state is kept apart', () => {
  it('1.2 the state of a PPI is banked: each PE has its own', async () => {
    const board = await createOpenBoard();
    board.setLine(20, true, 1);
    board.setBit('ISACTIVER', 20, 2);
    expect([0, 1, 2, 3].map((cpu) => board.state(20, cpu))).toEqual([
      'inactive',
      'pending',
      'active',
      'inactive',
    ]);
  });

  it('1.2 interrupts in the same register do not touch each other', async () => {
    const board = await createOpenBoard();
    board.configure(40, { edge: true });
    board.configure(41, { edge: true, priority: 0x90 });
    board.setLine(40, true);
    board.setLine(41, true);
    expect(board.icc(0, 'IAR1')).toBe(40);
    expect([board.state(40), board.state(41)]).toEqual(['active', 'pending']);
    board.setBit('ICPENDR', 41);
    expect([board.state(40), board.state(41)]).toEqual(['active', 'inactive']);
  });
});
