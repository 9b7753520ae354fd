import { describe, expect, it } from 'vitest';
import { GicError } from '../../bindings/errors.ts';
import {
  capture,
  distRead,
  eoi,
  FakeGic,
  hppi,
  iar,
  idle,
  machine,
  ppi,
  replay,
  sgi,
  sgipend,
  wire,
} from './fake_gic.ts';

/** A timer interrupt is taken while its line falls and rises: results stand behind the line and before the IAR. */
const timer = capture(
  idle(0),
  wire(0, 0),
  ppi(0, 27, 1),
  hppi(0, 27),
  wire(0, 1),
  idle(0, 27),
  wire(0, 0),
  iar(0, 27),
  ppi(0, 27, 0),
  ppi(0, 27, 1),
  eoi(0, 27),
  hppi(0, 27),
  wire(0, 1),
);

/** An SGI to both PEs, and PE 1 takes it. */
const ipi = capture(
  sgi(0, 1, 0b11),
  sgipend(0, 1),
  hppi(0, 1),
  wire(0, 1),
  sgipend(1, 1),
  hppi(1, 1),
  wire(1, 1),
  idle(1, 1),
  wire(1, 0),
  iar(1, 1),
);

describe('Replayer', () => {
  it('finds no mismatch on a model that does as recorded', () => {
    const { tally, mismatches } = replay(new FakeGic(), timer);
    expect(mismatches).toEqual([]);
    expect(tally.checkedByKind).toEqual({ pending: 4, wires: 4, acknowledge: 1 });
    expect(tally.events).toBe(timer.length);
    expect(tally.interrupts).toEqual({ sgi: 0, ppi: 1, spi: 0, lpi: 0, spurious: 0 });
  });

  it('splits the results between an action before and an acknowledge after them', () => {
    const { tally } = replay(new FakeGic(), ipi);
    expect(tally.mismatches).toBe(0);
    expect(tally.checkedByKind).toEqual({ sgi: 2, pending: 3, wires: 3, acknowledge: 1 });
  });

  it('counts results with nothing pending as masked', () => {
    expect(replay(new FakeGic(), timer).tally.skipped).toEqual({ 'idle-result': 2 });
  });

  it('reports a model that forgets to raise an interrupt at the line of the missing result', () => {
    class Deaf extends FakeGic {
      override setPpi(): void {}
    }
    const { mismatches } = replay(new Deaf(), [...timer.slice(0, 5), ...capture(distRead(0, 0))]);
    expect(mismatches).toMatchObject([
      { line: 4, kind: 'pending', cpu: 0, expected: 'INTID 27, priority 0xa0, Group 1' },
      { line: 5, kind: 'wires', cpu: 0, expected: 'FIQ 0 IRQ 1', got: 'no further change (FIQ 0 IRQ 0)' },
    ]);
  });

  it('reports an acknowledge of another interrupt with the events that led there', () => {
    class Blind extends FakeGic {
      protected override acknowledge(): number {
        return 1023;
      }
    }
    const { mismatches } = replay(new Blind(), timer.slice(0, 8));
    const wrong = mismatches.find(({ kind }) => kind === 'acknowledge');
    expect(wrong).toMatchObject({
      line: 8,
      cpu: 0,
      register: 'ICC_IAR1_EL1',
      expected: '0x1b',
      got: '0x3ff',
    });
    expect(wrong?.context.at(0)).toBe('1: CPU 0 result: nothing pending');
    expect(wrong?.context).toContain('3: CPU 0 wire of PPI 27 = 1');
    expect(wrong?.context.at(-1)).toBe('8: CPU 0 reads ICC_IAR1_EL1: 0x1b');
  });

  it('reports a change that does not come at its line, and one that is not recorded at the line of its action', () => {
    class Sticky extends FakeGic {
      override setPpi(cpu: number, intid: number, level: boolean): void {
        if (level) super.setPpi(cpu, intid, level);
      }
    }
    const events = capture(
      ppi(0, 27, 1),
      hppi(0, 27),
      wire(0, 1),
      ppi(0, 27, 0),
      idle(0, 27),
      wire(0, 0),
      distRead(0, 0),
    );
    expect(replay(new Sticky(), events).mismatches).toMatchObject([
      { line: 5, kind: 'pending', expected: 'nothing pending' },
      { line: 6, kind: 'wires' },
    ]);
    const silent = capture(ppi(1, 27, 1), distRead(0, 0));
    expect(replay(new FakeGic(), silent).mismatches).toMatchObject([
      { line: 1, kind: 'pending', cpu: 1, expected: 'no change', got: 'INTID 27, priority 0xa0, Group 1' },
      { line: 1, kind: 'wires', cpu: 1 },
    ]);
  });

  it('keeps only events of the PE concerned, the distributor and the ITS in the context', () => {
    const events = capture(
      ppi(1, 27, 1),
      hppi(1, 27),
      wire(1, 1),
      distRead(0, 0),
      ppi(0, 30, 1),
      distRead(4, 1),
    );
    const context = replay(new FakeGic(), events).mismatches.find(({ cpu }) => cpu === 0)?.context;
    expect(context).toEqual([
      '4: read of GICD_CTLR: 0x0',
      '5: CPU 0 wire of PPI 30 = 1',
      '6: read of GICD_TYPER: 0x1',
    ]);
  });

  it('reports an SGI that does not arrive, and one that arrives where none was recorded', () => {
    class OneTarget extends FakeGic {
      protected override sendSgi(value: number): void {
        super.sendSgi(value - 1);
      }
    }
    const missing = replay(new OneTarget(), ipi).mismatches.filter(({ kind }) => kind === 'sgi');
    expect(missing).toMatchObject([{ line: 2, cpu: 0, expected: 'SGI 1 arrives', got: 'SGI 1 not pending' }]);
    const events = capture(sgi(0, 1, 0b11), sgipend(0, 1), hppi(0, 1), wire(0, 1), hppi(1, 1), wire(1, 1));
    expect(replay(new FakeGic(), events).mismatches).toMatchObject([
      { line: 1, kind: 'sgi', cpu: 1, expected: 'no SGI arrives', got: 'SGI 1 pending' },
    ]);
  });

  it('does not take an SGI that is pending already for one that arrived', () => {
    const events = [...ipi.slice(0, 7), ...capture(sgi(0, 1, 0b01), sgipend(0, 1))];
    expect(replay(new FakeGic(), events).tally.mismatches).toBe(0);
  });

  it('compares register reads, 64 bits wide ones too', () => {
    const hardware = new FakeGic();
    hardware.stores.set(machine.addressMap.gicr + 0x2_0008, 0x1_0100_0111n);
    const typer = (val: string): object => ({ dev: 'redist', cpu: 1, op: 'r', off: '0x8', size: 8, val });
    expect(replay(hardware, capture(typer('0x101000111'))).mismatches).toEqual([]);
    expect(replay(hardware, capture(typer('0x8000000000000000'))).mismatches).toMatchObject([
      {
        line: 1,
        kind: 'GICR',
        cpu: 1,
        register: 'GICR_TYPER',
        expected: '0x8000000000000000',
        got: '0x101000111',
      },
    ]);
  });

  it('demands zero of a read that the recorded hardware refused', () => {
    const hardware = new FakeGic();
    const refused = capture({ dev: 'dist', op: 'badr', off: '0xc', size: 4 });
    expect(replay(hardware, refused).tally.checkedByKind).toEqual({ GICD: 1 });
    hardware.stores.set(machine.addressMap.gicd + 0xc, 1n);
    expect(replay(hardware, refused).mismatches).toMatchObject([{ expected: '0x0', got: '0x1' }]);
  });

  it('resets the CPU interface of a PE that wakes up', () => {
    const waker = (val: string): object => ({ dev: 'redist', cpu: 1, op: 'w', off: '0x14', size: 4, val });
    const hardware = new FakeGic();
    const { tally } = replay(hardware, capture(waker('0x2'), waker('0x0')));
    expect(hardware.resets).toEqual([1]);
    expect(tally.skipped).toEqual({ 'cpu-interface-reset': 1 });
  });

  it('leaves out what belongs to the virtual CPU interface', () => {
    const events = capture(
      { dev: 'vhppi', cpu: 0, lr: -1, vlpi: 0, grp: 0, prio: 255 },
      { dev: 'ich', cpu: 0, op: 'w', reg: 'ICH_HCR_EL2', val: '0x0' },
      { dev: 'redist', cpu: 0, op: 'r', off: '0x20078', size: 8, val: '0x0' },
    );
    expect(replay(new FakeGic(), events).tally).toMatchObject({
      mismatches: 0,
      skipped: { 'virtual-result': 1, 'virtual-interface': 1, 'vlpi-frame': 1 },
    });
  });

  it('stops where GICv4 starts to change physical interrupts', () => {
    const events = capture(
      ppi(0, 27, 1),
      hppi(0, 27),
      wire(0, 1),
      { dev: 'ich', cpu: 0, op: 'w', reg: 'ICH_HCR_EL2', val: '0x1' },
      iar(0, 1023),
    );
    const replayer = replay(new FakeGic(), events);
    expect(replayer.stopped).toEqual({ line: 4, reason: 'virtual-machine' });
    expect(replayer.tally.mismatches).toBe(0);
    expect(replayer.tally.events).toBe(4);
  });

  it('does not judge results at the end whose action the recording lacks', () => {
    const { tally } = replay(new FakeGic(), timer.slice(0, 7));
    expect(tally.mismatches).toBe(0);
    expect(tally.skipped).toMatchObject({ 'cut-short': 2 });
  });

  it('counts all mismatches and keeps the first ones', () => {
    const events = capture(distRead(0, 1), distRead(0, 2), distRead(0, 3));
    const replayer = replay(new FakeGic(), events, { limit: 2 });
    expect(replayer.tally.mismatches).toBe(3);
    expect(replayer.mismatches.map(({ line }) => line)).toEqual([1, 2]);
  });

  it('refuses an event of a PE that the machine does not have, naming file and line', () => {
    const error = caught(() =>
      replay(new FakeGic(), capture(distRead(0, 0), ppi(2, 27, 1)), { file: 'boot.jsonl' }),
    );
    expect(error).toBeInstanceOf(GicError);
    expect(error).toMatchObject({ code: 'INVALID_INPUT', field: 'boot.jsonl:2' });
  });
});

function caught(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  return undefined;
}
