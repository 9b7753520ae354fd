import { describe, expect, it } from 'vitest';
import { createMachine, type Machine } from '../../bindings/index.ts';
import { Board, RAM } from '../support/gic.ts';

const ENABLE = 1;
const IMASK = 2;
const VIRTUAL = 27;
const PHYSICAL = 30;
const SPURIOUS = 1023;

/** One PE on which the PPIs of CNTV and CNTP are enabled; CNTV fires at 1000. */
async function start(): Promise<{ machine: Machine; board: Board }> {
  const machine = await createMachine({ cpus: 1, ram: RAM });
  const board = new Board(machine).open();
  board.configure(VIRTUAL, { priority: 0x80 });
  board.configure(PHYSICAL, { priority: 0x40 });
  machine.cpu(0).write('CNTV_CVAL_EL0', 1000);
  machine.cpu(0).write('CNTV_CTL_EL0', ENABLE);
  return { machine, board };
}

describe('the interrupt of a timer', () => {
  it('is signalled when the time has come, taken, and gone once the handler has moved the compare value', async () => {
    const { machine } = await start();
    const pe = machine.cpu(0);
    expect(pe.irq).toBe(false);
    machine.advanceCounter(1000);
    expect([pe.irq, pe.highestPending?.intid]).toEqual([true, VIRTUAL]);
    expect(pe.acknowledge()).toBe(VIRTUAL);
    pe.write('CNTV_TVAL_EL0', 500);
    pe.endOfInterrupt(VIRTUAL);
    expect([pe.irq, pe.acknowledge()]).toEqual([false, SPURIOUS]);
    machine.advanceCounter(1500);
    expect(pe.acknowledge()).toBe(VIRTUAL);
  });

  it.each<[string, (machine: Machine) => void]>([
    ['IMASK', (machine) => machine.cpu(0).write('CNTV_CTL_EL0', ENABLE | IMASK)],
    ['ENABLE=0', (machine) => machine.cpu(0).write('CNTV_CTL_EL0', 0)],
    ['a later CVAL', (machine) => machine.cpu(0).write('CNTV_CVAL_EL0', 5000)],
    ['a later CNTVOFF', (machine) => machine.cpu(0).write('CNTVOFF_EL2', 1)],
  ])('is recalled by %s before it is taken', async (_, recall) => {
    const { machine } = await start();
    machine.advanceCounter(1000);
    recall(machine);
    expect([machine.irq(0), machine.cpu(0).acknowledge()]).toEqual([false, SPURIOUS]);
  });

  it('comes again after every deactivation for as long as the condition holds: its line is sampled anew', async () => {
    const { machine } = await start();
    const pe = machine.cpu(0);
    machine.advanceCounter(1000);
    for (let n = 0; n < 3; n++) {
      expect(pe.acknowledge()).toBe(VIRTUAL);
      expect(pe.irq, 'active').toBe(false);
      pe.endOfInterrupt(VIRTUAL);
      expect(pe.irq, 'sampled anew').toBe(true);
    }
    pe.acknowledge();
    pe.write('CNTV_CTL_EL0', 0);
    pe.endOfInterrupt(VIRTUAL);
    expect(pe.irq).toBe(false);
  });

  it('with EOImode 1 is sampled anew at the deactivation, not at the priority drop', async () => {
    const { machine } = await start();
    const pe = machine.cpu(0);
    pe.write('ICC_CTLR_EL1', 2);
    machine.advanceCounter(1000);
    pe.acknowledge();
    pe.endOfInterrupt(VIRTUAL);
    expect(pe.irq).toBe(false);
    pe.deactivate(VIRTUAL);
    expect(pe.irq).toBe(true);
  });

  it('that fires while it is active waits for the deactivation', async () => {
    const { machine } = await start();
    const pe = machine.cpu(0);
    machine.advanceCounter(1000);
    pe.acknowledge();
    pe.write('CNTV_CVAL_EL0', 1200);
    machine.advanceCounter(1200);
    expect(pe.irq).toBe(false);
    pe.endOfInterrupt(VIRTUAL);
    expect(pe.irq).toBe(true);
  });

  it('as an edge-triggered one comes once for each rise', async () => {
    const { machine, board } = await start();
    const pe = machine.cpu(0);
    board.setEdge(VIRTUAL, true);
    machine.advanceCounter(1000);
    pe.endOfInterrupt(pe.acknowledge());
    expect(pe.irq).toBe(false);
    pe.write('CNTV_CVAL_EL0', 1100);
    machine.advanceCounter(1100);
    expect(pe.acknowledge()).toBe(VIRTUAL);
  });

  it('of a higher priority preempts that of another timer', async () => {
    const { machine } = await start();
    const pe = machine.cpu(0);
    machine.advanceCounter(1000);
    expect(pe.acknowledge()).toBe(VIRTUAL);
    pe.write('CNTP_CTL_EL0', ENABLE);
    expect([pe.irq, pe.acknowledge()]).toEqual([true, PHYSICAL]);
  });

  it('shows in takeChangedCpus', async () => {
    const machine = await createMachine({ cpus: 3, ram: RAM });
    const board = new Board(machine).open();
    for (const cpu of [0, 2]) {
      board.configure(VIRTUAL, {}, cpu);
      machine.cpu(cpu).write('CNTV_CVAL_EL0', 10 * (cpu + 1));
      machine.cpu(cpu).write('CNTV_CTL_EL0', ENABLE);
    }
    machine.takeChangedCpus();
    machine.advanceCounter(29);
    expect(machine.takeChangedCpus()).toEqual([0]);
    machine.advanceCounter(30);
    expect(machine.takeChangedCpus()).toEqual([2]);
  });
});

describe('the registers', () => {
  it('of CNTV and CNTP are the same from EL1', async () => {
    const { machine } = await start();
    const pe = machine.cpu(0);
    for (const timer of ['CNTV', 'CNTP']) {
      pe.write(`${timer}_CVAL_EL0`, 77, 1);
      pe.write(`${timer}_CTL_EL0`, IMASK, 1);
      expect([1, 2].map((el) => pe.read(`${timer}_CVAL_EL0`, el as 1 | 2))).toEqual([77n, 77n]);
      expect(pe.read(`${timer}_CTL_EL0`, 1)).toBe(BigInt(IMASK));
    }
  });

  it.each(['CNTFRQ_EL0', 'CNTPCT_EL0', 'CNTVCT_EL0'])('%s ignores writes', async (name) => {
    const { machine } = await start();
    machine.advanceCounter(5);
    const before = machine.cpu(0).read(name);
    machine.cpu(0).write(name, 0x1234);
    expect([machine.cpu(0).read(name), machine.counter]).toEqual([before, 5n]);
  });

  it('hold 64 bits', async () => {
    const { machine } = await start();
    const value = 0xfedc_ba98_7654_3210n;
    for (const name of ['CNTV_CVAL_EL0', 'CNTHV_CVAL_EL2', 'CNTVOFF_EL2']) {
      machine.cpu(0).write(name, value);
      expect(machine.cpu(0).read(name)).toBe(value);
    }
    machine.advanceCounter(value);
    expect(machine.cpu(0).read('CNTPCT_EL0')).toBe(value);
  });

  it('survive the reset of the CPU interface', async () => {
    const { machine } = await start();
    machine.resetCpuInterface(0);
    expect(machine.cpu(0).read('CNTV_CVAL_EL0')).toBe(1000n);
    expect(machine.nextTimerDeadline()).toBe(1000n);
  });
});
