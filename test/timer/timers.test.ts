import { describe, expect, it } from 'vitest';
import { createMachine, GicError, type Machine } from '../../bindings/index.ts';
import { Board, RAM } from '../support/gic.ts';

const ENABLE = 1;
const IMASK = 2;
const ISTATUS = 4;

/** The timers of a PE: the prefix of their registers, the exception level in their names, the PPI. */
const timers = [
  { timer: 'CNTV', el: 'EL0', ppi: 27 },
  { timer: 'CNTP', el: 'EL0', ppi: 30 },
  { timer: 'CNTHP', el: 'EL2', ppi: 26 },
  { timer: 'CNTHV', el: 'EL2', ppi: 28 },
] as const;

/** Two PEs on which every PPI is enabled and pending state can be seen in GICR_ISPENDR0. */
async function start(): Promise<{ machine: Machine; pending: (cpu: number) => number[] }> {
  const machine = await createMachine({ cpus: 2, ram: RAM });
  const board = new Board(machine);
  return {
    machine,
    pending: (cpu) => timers.map(({ ppi }) => ppi).filter((ppi) => (board.gicr(cpu, 0x1_0200) >>> ppi) & 1),
  };
}

describe.each(timers)('$timer', ({ timer, el, ppi }) => {
  const [CTL, CVAL, TVAL] = ['CTL', 'CVAL', 'TVAL'].map((field) => `${timer}_${field}_${el}`) as [
    string,
    string,
    string,
  ];

  it(`raises PPI ${ppi} of its own PE when the counter reaches ${CVAL}, not before`, async () => {
    const { machine, pending } = await start();
    const pe = machine.cpu(1);
    pe.write(CVAL, 1000);
    pe.write(CTL, ENABLE);
    expect(machine.nextTimerDeadline()).toBe(1000n);
    machine.advanceCounter(999);
    expect([pending(1), pe.read(CTL)]).toEqual([[], BigInt(ENABLE)]);
    machine.advanceCounter(1000);
    expect([pending(0), pending(1), pe.read(CTL)]).toEqual([[], [ppi], BigInt(ENABLE | ISTATUS)]);
    expect(machine.nextTimerDeadline()).toBeUndefined();
  });

  it(`keeps its level until ${CVAL} is in the future again`, async () => {
    const { machine, pending } = await start();
    const pe = machine.cpu(0);
    machine.advanceCounter(50);
    pe.write(CTL, ENABLE);
    expect(pending(0)).toEqual([ppi]);
    pe.write(CVAL, 51);
    expect(pending(0)).toEqual([]);
  });

  it('IMASK holds the interrupt back, not ISTATUS', async () => {
    const { machine, pending } = await start();
    const pe = machine.cpu(0);
    pe.write(CTL, ENABLE | IMASK);
    expect([pending(0), pe.read(CTL)]).toEqual([[], BigInt(ENABLE | IMASK | ISTATUS)]);
    expect(machine.nextTimerDeadline()).toBeUndefined();
    pe.write(CTL, ENABLE);
    expect(pending(0)).toEqual([ppi]);
  });

  it('ENABLE=0 takes interrupt and ISTATUS away; reserved bits and ISTATUS ignore writes', async () => {
    const { machine, pending } = await start();
    const pe = machine.cpu(0);
    pe.write(CTL, ENABLE);
    pe.write(CTL, 0xffff_fffc);
    expect([pending(0), pe.read(CTL)]).toEqual([[], 0n]);
  });

  it(`${TVAL} is what is left until ${CVAL}, as a signed number`, async () => {
    const { machine } = await start();
    const pe = machine.cpu(0);
    machine.advanceCounter(5_000_000_000n);
    pe.write(TVAL, 100);
    expect([pe.read(CVAL), pe.read(TVAL)]).toEqual([5_000_000_100n, 100n]);
    machine.advanceCounter(5_000_000_101n);
    expect(pe.read(TVAL)).toBe(0xffff_ffffn);
    pe.write(TVAL, 0xffff_fff6);
    expect(pe.read(CVAL)).toBe(5_000_000_091n);
  });
});

describe('the counter', () => {
  it('CNTPCT_EL0 moves only when it is told to, and CNTFRQ_EL0 is the configuration’s', async () => {
    const { machine } = await start();
    const pe = machine.cpu(0);
    expect([pe.read('CNTPCT_EL0'), pe.read('CNTPCT_EL0')]).toEqual([0n, 0n]);
    machine.advanceCounter(2n ** 40n);
    expect([pe.read('CNTPCT_EL0'), machine.counter]).toEqual([2n ** 40n, 2n ** 40n]);
    expect(pe.read('CNTFRQ_EL0')).toBe(BigInt(machine.config.timerFrequency));
  });

  it('CNTVOFF_EL2 moves CNTVCT_EL0 and the deadline of CNTV only, on its own PE only', async () => {
    const { machine, pending } = await start();
    machine.advanceCounter(1000);
    for (const cpu of [0, 1]) {
      machine.cpu(cpu).write('CNTV_CVAL_EL0', 900);
      machine.cpu(cpu).write('CNTV_CTL_EL0', ENABLE);
    }
    machine.cpu(0).write('CNTVOFF_EL2', 400);
    expect([0, 1].map((cpu) => machine.cpu(cpu).read('CNTVCT_EL0'))).toEqual([600n, 1000n]);
    expect([pending(0), pending(1)]).toEqual([[], [27]]);
    expect(machine.nextTimerDeadline()).toBe(1300n);
    machine.advanceCounter(1300);
    expect(pending(0)).toEqual([27]);
  });

  it('does not go back', async () => {
    const { machine } = await start();
    machine.advanceCounter(10);
    expect(() => machine.advanceCounter(9)).toThrow(GicError);
    expect(machine.counter).toBe(10n);
  });

  it('several deadlines are reached in one step', async () => {
    const { machine, pending } = await start();
    for (const [n, { timer, el }] of timers.entries()) {
      machine.cpu(0).write(`${timer}_CVAL_${el}`, 10 * (n + 1));
      machine.cpu(0).write(`${timer}_CTL_${el}`, ENABLE);
    }
    expect(machine.nextTimerDeadline()).toBe(10n);
    machine.advanceCounter(35);
    expect(pending(0)).toEqual([27, 30, 26]);
    expect(machine.nextTimerDeadline()).toBe(40n);
  });
});

it('the PPIs of the timers are configurable, 0 for none', async () => {
  const timerPpis = { virtual: 20, physical: 0, hypPhysical: 26, hypVirtual: 28 };
  const machine = await createMachine({ cpus: 1, ram: RAM, timerPpis });
  machine.cpu(0).write('CNTV_CTL_EL0', ENABLE);
  machine.cpu(0).write('CNTP_CTL_EL0', ENABLE);
  expect(new Board(machine).gicr(0, 0x1_0200)).toBe(1 << 20);
});

it.each([
  ['timerPpis.physical', 27, { timerPpis: { virtual: 27, physical: 27, hypPhysical: 26, hypVirtual: 28 } }],
  ['timerPpis.virtual', 27, { maintenancePpi: 27 }],
  ['timerPpis.hypVirtual', 32, { timerPpis: { virtual: 27, physical: 30, hypPhysical: 26, hypVirtual: 32 } }],
])('%s = %j is refused: PPIs 16 to 31, one output each', async (field, value, options) => {
  await expect(createMachine({ ram: RAM, ...options })).rejects.toMatchObject({
    code: 'INVALID_CONFIG',
    field,
    value,
  });
});
