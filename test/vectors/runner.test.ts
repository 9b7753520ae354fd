import { describe, expect, it } from 'vitest';
import { parseVector } from '../../bindings/vectors/parse.ts';
import { runVector, type VectorOptions } from '../../bindings/vectors/runner.ts';
import { FakeHardware } from './fake_hardware.ts';

function run(steps: object[], options?: VectorOptions, hardware = new FakeHardware()) {
  const vector = parseVector(JSON.stringify({ name: 'test', machine: {}, steps }), 'test.json');
  return runVector(vector, hardware, options);
}

const clean = { failed: 0, skipped: {}, failures: [] };

describe('steps', () => {
  it('reach the hardware in order, at their width', () => {
    const hardware = new FakeHardware();
    const result = run(
      [
        { op: 'note', text: 'anything' },
        { op: 'writeb', addr: '0x10', val: '0xff' },
        { op: 'writel', addr: '0x20', val: '0xffffffff' },
        { op: 'writeq', addr: '0x30', val: '0xffffffffffffffff' },
        { op: 'write', addr: '0x40', hex: '0a0b0c' },
        { op: 'memset', addr: '0x50', size: 16, val: '0x5a' },
        { op: 'msi', devid: '0x10', data: '0x5', addr: '0x8090040' },
        { op: 'spi_line', intid: 40, level: 1 },
        { op: 'ppi_line', cpu: 1, intid: 20, level: 0 },
        { op: 'sysreg_write', cpu: 1, reg: 'ICC_PMR_EL1', val: '0xf8', el: 2 },
      ],
      {},
      hardware,
    );
    expect(result).toEqual({ passed: 0, ...clean });
    expect(hardware.done).toEqual([
      'write 16 1 255',
      'write 32 4 4294967295',
      'write 48 8 18446744073709551615',
      'memory 64 3',
      'memory 80 16',
      'msi 16 5',
      'spi 40 true',
      'ppi 1 20 false',
      'write 1 ICC_PMR_EL1 248',
    ]);
  });

  it('pass when every expected value is read', () => {
    const result = run([
      { op: 'writeq', addr: '0x1000', val: '0x8877665544332211' },
      { op: 'readb', addr: '0x1001', expect: '0x22' },
      { op: 'readl', addr: '0x1004', expect: '0x88776655' },
      { op: 'readq', addr: '0x1000', expect: '0x8877665544332211' },
      { op: 'read', addr: '0x1000', size: 3, expecthex: '112233' },
      { op: 'sysreg_write', cpu: 0, reg: 'ICC_PMR_EL1', val: '0xf8', el: 2 },
      { op: 'sysreg_read', cpu: 0, reg: 'ICC_PMR_EL1', expect: '0xf8', el: 2 },
    ]);
    expect(result).toEqual({ passed: 5, ...clean });
  });
});

describe('a difference', () => {
  it('in a register tells where, what and how', () => {
    const result = run([
      { op: 'writel', addr: '0x1000', val: '0x12' },
      { op: 'readl', addr: '0x1000', expect: '0x13', what: 'GICD_CTLR', quirk: 'Q-SOME' },
    ]);
    expect(result).toMatchObject({ passed: 0, failed: 1, skipped: {} });
    expect(result.failures).toEqual([
      {
        step: 1,
        op: 'readl',
        what: 'GICD_CTLR',
        quirk: 'Q-SOME',
        address: '0x1000',
        expected: '0x13',
        got: '0x12',
      },
    ]);
  });

  it('outside the mask does not count', () => {
    const steps = (mask: string) => [
      { op: 'writeq', addr: '0x1000', val: '0xff00000000000001' },
      { op: 'readq', addr: '0x1000', expect: '0x1', mask },
    ];
    expect(run(steps('0xff'))).toEqual({ passed: 1, ...clean });
    expect(run(steps('0x8000000000000001')).failures).toEqual([
      {
        step: 1,
        op: 'readq',
        address: '0x1000',
        expected: '0x1',
        got: '0xff00000000000001',
        mask: '0x8000000000000001',
      },
    ]);
  });

  it('in a pending table is told as INTIDs', () => {
    const result = run([
      { op: 'write', addr: '0x1400', hex: '0102' },
      {
        op: 'read',
        addr: '0x1400',
        size: 2,
        expecthex: '0100',
        what: 'lpi_pending',
        rd: 0,
        first_intid: 8192,
      },
      { op: 'read', addr: '0x1500', size: 1, expecthex: '80', first_intid: 8192 },
    ]);
    expect(result.failures).toMatchObject([
      { what: 'lpi_pending', address: '0x1400', expected: 'pending 8192', got: 'pending 8192 8201' },
      { expected: 'pending 8199', got: 'nothing pending' },
    ]);
  });

  it('in other memory is told in hexadecimal', () => {
    const result = run([{ op: 'read', addr: '0x1400', size: 2, expecthex: '0100' }]);
    expect(result.failures).toMatchObject([{ expected: '0100', got: '0000' }]);
  });

  it('in a system register names the PE and the register', () => {
    const result = run([
      { op: 'sysreg_write', cpu: 1, reg: 'ICC_RPR_EL1', val: '0xff', el: 2 },
      { op: 'sysreg_read', cpu: 1, reg: 'ICC_RPR_EL1', expect: '0xa0', mask: '0xf0', el: 2 },
    ]);
    expect(result.failures).toEqual([
      {
        step: 1,
        op: 'sysreg_read',
        cpu: 1,
        register: 'ICC_RPR_EL1',
        expected: '0xa0',
        got: '0xff',
        mask: '0xf0',
      },
    ]);
  });
});

describe('what the hardware refuses', () => {
  it('fails the step, be it a read or a write', () => {
    const result = run([
      { op: 'sysreg_write', cpu: 0, reg: 'ICC_NONE_EL1', val: '0x0', el: 2 },
      { op: 'sysreg_read', cpu: 0, reg: 'ICC_IAR1_EL1', expect: '0x3ff', el: 2 },
      { op: 'readl', addr: '0x1000', expect: '0x0' },
    ]);
    expect(result).toMatchObject({
      passed: 1,
      failed: 2,
      failures: [
        {
          step: 0,
          register: 'ICC_NONE_EL1',
          expected: 'no error',
          got: expect.stringContaining('"ICC_NONE_EL1"'),
        },
        { step: 1, register: 'ICC_IAR1_EL1', got: expect.stringContaining('"ICC_IAR1_EL1"') },
      ],
    });
  });

  it('is thrown on when it is a defect', () => {
    class Broken extends FakeHardware {
      override setSpi(): void {
        throw new RangeError('unreachable');
      }
    }
    expect(() => run([{ op: 'spi_line', intid: 40, level: 1 }], {}, new Broken())).toThrow(RangeError);
  });
});

describe('a read with a quirk', () => {
  const steps = [
    { op: 'readl', addr: '0x1000', expect: '0x1', quirk: 'Q-ONE' },
    { op: 'readl', addr: '0x2000', expect: '0x1', quirk: 'Q-TWO' },
    { op: 'readl', addr: '0x3000', expect: '0x0', quirk: 'Q-ONE' },
    { op: 'readl', addr: '0x4000', expect: '0x0' },
  ];

  it('is compared like any other', () => {
    expect(run(steps)).toMatchObject({ passed: 2, failed: 2, skipped: {} });
  });

  it('is done but not compared when its tag is to be skipped', () => {
    const hardware = new FakeHardware();
    const result = run(steps, { skipQuirks: new Set(['Q-ONE']) }, hardware);
    expect(result).toMatchObject({
      passed: 1,
      failed: 1,
      skipped: { 'Q-ONE': 2 },
      failures: [{ step: 1, quirk: 'Q-TWO' }],
    });
    expect(hardware.done).toContain('read 4096 4');
  });
});

describe('a vector that needs virtual LPIs', () => {
  it.each<[string, object]>([
    ['a vPE command', { op: 'write', addr: '0x1000', hex: '29', cmds: ['VMAPP vpe=0x0'] }],
    ['an access at EL1', { op: 'sysreg_write', cpu: 0, reg: 'ICC_PMR_EL1', val: '0xf8', el: 1 }],
    ['a list register', { op: 'sysreg_write', cpu: 0, reg: 'ICH_LR0_EL2', val: '0x0', el: 2 }],
    ['VPENDBASER', { op: 'readq', addr: '0x1000', expect: '0x0', what: 'vpendbaser (PendingLast)' }],
  ])('because of %s is skipped as a whole', (_, step) => {
    const hardware = new FakeHardware();
    const reads = [1, 2].map((index) => ({ op: 'readl', addr: 4 * index, expect: '0x99' }));
    const result = run([...reads, step], {}, hardware);
    const count = 'expect' in step ? 3 : 2;
    expect(result).toEqual({ passed: 0, failed: 0, skipped: { GICv4: count }, failures: [] });
    expect(hardware.done).toEqual([]);
  });
});
