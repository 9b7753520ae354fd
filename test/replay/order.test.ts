import { describe, expect, it } from 'vitest';
import type { CaptureEvent } from '../../bindings/replay/events.ts';
import { orderOf, playInOrder } from '../../bindings/replay/order.ts';
import { capture, distRead, eoi, hppi, iar, ppi, sgi, sgipend, wire } from './fake_gic.ts';

const its = (op: string): object => ({ dev: 'its', op, off: '0x88', size: 8, val: '0x20' });
const icv = (op: string, reg: string): object => ({ dev: 'icv', cpu: 0, op, reg, val: '0x1b' });
const command = { dev: 'cmd', name: 'SYNC', qoff: '0x0', raw: ['0x5', '0x0', '0x0', '0x0'], f: {} };
const store = { dev: 'mem', op: 'w', cpu: 0, tbl: 'prop', pa: '0x40000000', size: 1, val: '0xa3' };
const range = { dev: 'range', tbl: 'prop', pa: '0x40000000', len: '0x10', snap: '10*00' };

function order(line: object): string {
  return orderOf(capture(line)[0] as CaptureEvent);
}

describe('orderOf', () => {
  it.each([
    [hppi(0, 27), 'result'],
    [wire(0, 1), 'result'],
    [sgipend(0, 1), 'result'],
    [{ dev: 'tbl', op: 'w', tbl: 'cte', f: { ICID: '0x0', valid: '1', RDBase: '0x0' } }, 'result'],
    [{ dev: 'vhppi', cpu: 0, lr: -1, vlpi: 0, grp: 0, prio: 255 }, 'result'],
    [{ dev: 'vwire', cpu: 0, fiq: 0, irq: 0 }, 'result'],
    [{ dev: 'maint', cpu: 0, irq: 0 }, 'result'],
    [store, 'deferred'],
    [range, 'deferred'],
    [its('r'), 'read'],
    [its('badw'), 'read'],
    [{ dev: 'dist', op: 'badr', off: '0xc', size: 4 }, 'read'],
    [{ dev: 'cpuif', cpu: 0, op: 'r', reg: 'ICC_PMR', val: '0x0' }, 'read'],
    [ppi(0, 27, 1), 'after'],
    [{ dev: 'dist', op: 'line', irq: 79, level: 1 }, 'after'],
    [{ dev: 'translate', op: 'w', off: '0x40', size: 4, val: '0x4', devid: '0x10' }, 'after'],
    [eoi(0, 27), 'after'],
    [{ dev: 'cpuif', cpu: 0, op: 'dir', reg: 'ICC_DIR', val: '0x1a' }, 'after'],
    [{ dev: 'cpuif', cpu: 0, op: 'w', reg: 'ICC_PMR', val: '0xf0' }, 'after'],
    [sgi(0, 1, 1), 'after'],
    [{ dev: 'ich', cpu: 0, op: 'w', reg: 'ICH_HCR_EL2', val: '0x0' }, 'after'],
    [icv('eoi', 'ICV_EOIR1'), 'after'],
    [command, 'after'],
    [its('w'), 'before'],
    [{ dev: 'redist', cpu: 0, op: 'w', off: '0x14', size: 4, val: '0x0' }, 'before'],
    [iar(0, 27), 'before'],
    [icv('iar', 'ICV_IAR1'), 'open'],
    [{ dev: 'qemulog', msg: 'anything' }, 'note'],
  ])('%o: %s', (line, expected) => {
    expect(order(line)).toBe(expected);
  });

  it('lets commands wait while the ITS runs none', () => {
    expect(orderOf(capture(command)[0] as CaptureEvent, false)).toBe('deferred');
  });
});

describe('playInOrder', () => {
  it('closes and compares around each event as its order demands', () => {
    const steps: string[] = [];
    const stage = {
      commandsRun: true,
      record: (event: CaptureEvent) => steps.push(`record ${event.line}`),
      apply: (event: CaptureEvent) => steps.push(`apply ${event.line}`),
      closeAction: () => steps.push('close'),
      compare: () => steps.push('compare'),
    };
    const events = capture(
      ppi(0, 27, 1),
      hppi(0, 27),
      iar(0, 27),
      icv('iar', 'ICV_IAR1'),
      distRead(4, 0),
      store,
    );
    for (const event of events) playInOrder(event, stage);
    expect(steps).toEqual([
      ...['close', 'compare', 'apply 1'],
      'record 2',
      ...['close', 'apply 3', 'close', 'compare'],
      ...['close', 'apply 4'],
      ...['close', 'compare', 'apply 5'],
      'apply 6',
    ]);
  });
});
