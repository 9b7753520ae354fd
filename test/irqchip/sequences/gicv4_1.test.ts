import { describe, expect, it } from 'vitest';
import { createMachine, IrqChip, type VirtualSgiIrq } from '../../../bindings/index.ts';
import { notation } from '../notation.ts';
import { type Scenario, scenario } from '../scenario.ts';
import { M, operation, V4_1 } from './operation.ts';

const TWO_ITSS = ['v4_1TwoIts', 'v4_1ItsList'] as const;
const on = V4_1;

describe('a vPE', () => {
  const mapped = (its: number, alloc: number) => `
    ITS${its}: VMAPP vpe=0 rd=0 bits=15 vpt=vpt0 V=1 Alloc=${alloc} PTZ=0 vconf=vprop default=db0; VSYNC vpe=0
    ITS${its}: VINVALL vpe=0; VSYNC vpe=0`;
  const unmapped = (its: number, alloc: number) =>
    `\nITS${its}: VMAPP vpe=0 rd=0 bits=0 vpt=0 V=0 Alloc=${alloc} PTZ=0 vconf=0 default=0`;

  operation('activate: Alloc with the first mapping', {
    on,
    before: (s) => s.vpe().doorbell.deactivate(),
    run: (s) => s.vpe().doorbell.activate(),
    logs: [
      [['v4_1'], M, mapped(0, 1)],
      [TWO_ITSS, M, mapped(0, 1) + mapped(1, 0)],
    ],
  });

  operation('deactivate: Alloc with the last unmapping, and no VSYNC', {
    on,
    run: (s) => s.vpe().doorbell.deactivate(),
    logs: [
      [['v4_1'], M, unmapped(0, 1)],
      [TWO_ITSS, M, unmapped(0, 0) + unmapped(1, 1)],
    ],
  });

  for (const [name, options, value] of [
    ['both groups', {}, '0x8c00000000000001'],
    ['Group 1 alone', { group0: false }, '0x8400000000000001'],
    ['Group 0 alone', { group1: false }, '0x8800000000000001'],
  ] as const) {
    operation(`SCHEDULE_VPE with ${name}`, {
      on,
      vpes: 2,
      run: (s) => s.vpe(1).schedule(2, options),
      logs: [[on, M, `RD2: VPENDBASER=${value}`]],
    });
  }

  operation('DESCHEDULE_VPE otherwise: PendingLast=1, no doorbell', {
    on,
    before: (s) => s.vpe().schedule(2),
    run: (s) => s.vpe().deschedule(),
    logs: [
      [
        on,
        M,
        `
        RD2: poll VPENDBASER
        RD2: VPENDBASER=0x2c00000000000000; poll VPENDBASER`,
      ],
    ],
  });

  operation('DESCHEDULE_VPE to sleep: DB=1, PendingLast=0', {
    on,
    before: (s) => s.vpe().schedule(2),
    run: (s) => s.vpe().deschedule({ doorbell: true }),
    logs: [
      [
        on,
        M,
        `
        RD2: poll VPENDBASER
        RD2: VPENDBASER=0x4c00000000000000; poll VPENDBASER`,
      ],
    ],
  });

  operation('COMMIT_VPE: Dirty is awaited once', {
    on,
    before: (s) => s.vpe().schedule(2),
    run: (s) => [s.vpe().commit(), s.vpe().commit()],
    logs: [[on, M, 'RD2: poll VPENDBASER']],
  });

  operation('INVALL_VPE: GICR_INVALLR of its redistributor', {
    on,
    vpes: 2,
    before: (s) => s.vpe(1).doorbell.setAffinity(2),
    run: (s) => s.vpe(1).invall(),
    logs: [[on, M, 'RD2: INVALLR=0x8000000100000000; poll SYNCR']],
  });

  operation('doorbell unmask and mask: INVDB on the first ITS', {
    on,
    run: (s) => [s.vpe().doorbell.unmask(), s.vpe().doorbell.mask()],
    logs: [
      [
        on,
        M,
        `
        PCFG[db0]=0xa3
        ITS0: INVDB vpe=0; VSYNC vpe=0
        PCFG[db0]=0xa2
        ITS0: INVDB vpe=0; VSYNC vpe=0`,
      ],
    ],
  });

  for (const pending of [true, false]) {
    operation(`doorbell set ${pending ? '' : 'not '}pending: not provided`, {
      on,
      run: (s) => s.vpe().doorbell.setPending(pending),
      logs: [[on, M, '-> EINVAL']],
    });
  }

  it('the vPE table is in GICR_VPROPBASER of each redistributor from the start, once', async () => {
    for (const itsCount of [1, 2]) {
      const machine = await createMachine({ cpus: 3, architecture: 'GICv4.1', itsCount });
      const boot = notation(new IrqChip(machine).takeLog()).filter((line) => line.includes('VPROPBASER'));
      const table = BigInt(machine.its(0).read('GITS_BASER2')) & 0x0000_ffff_ffff_0000n;
      const values = boot.map((line) => BigInt(line.split('=')[1] as string));
      expect(boot.map((line) => line.slice(0, 4))).toEqual(['RD0:', 'RD1:', 'RD2:']);
      for (const value of values) {
        expect([value >> 63n, value & 0x0000_ffff_ffff_0000n]).toEqual([1n, table]);
      }
    }
  });

  it('PendingLast: what the redistributor says if a doorbell was asked for, else 1', async () => {
    for (const [doorbell, pending, last] of [
      [true, true, true],
      [true, false, false],
      [false, true, true],
      [false, false, true],
    ] as const) {
      const s = await scenario('v4_1');
      s.forward();
      s.irq.setPending(pending);
      s.vpe().schedule(0);
      s.vpe().deschedule({ doorbell });
      expect(s.vpe().pendingLast, `doorbell ${doorbell}, pending ${pending}`).toBe(last);
    }
  });
});

describe('a vSGI', () => {
  /** vSGI 5 of the first vPE, active and enabled, in Group 1 with priority 0x90. */
  function sgi(s: Scenario): VirtualSgiIrq {
    const five = s.sgis()[5] as VirtualSgiIrq;
    five.activate();
    five.update({ priority: 0x90, group: 1 });
    five.unmask();
    return five;
  }
  const vsgi = (enable: 0 | 1) =>
    `ITS0: VSGI vpe=0 v=5 Enable=${enable} Group=1 Priority=0x90 Clear=0; VSYNC vpe=0`;
  const clear = 'ITS0: VSGI vpe=0 v=5 Enable=0 Group=0 Priority=0x0 Clear=1; VSYNC vpe=0';
  const cases: readonly (readonly [string, (irq: VirtualSgiIrq) => unknown, string])[] = [
    ['mask', (irq) => irq.mask(), vsgi(0)],
    ['unmask', (irq) => irq.unmask(), vsgi(1)],
    ['deactivate: configuration, then clear', (irq) => irq.deactivate(), `${vsgi(0)}\n${clear}`],
    ['PROP_UPDATE_VSGI', (irq) => irq.update({ priority: 0x90, group: 1 }), vsgi(1)],
    ['set PENDING 1', (irq) => irq.setPending(true), 'ITS0: [0x20020]=0x5'],
    ['retrigger', (irq) => irq.retrigger(), 'ITS0: [0x20020]=0x5'],
    ['set PENDING 0', (irq) => irq.setPending(false), clear],
    ['set_affinity has no effect', (irq) => irq.setAffinity(3), ''],
  ];

  operation('alloc and activate: disabled, Group 0, priority 0', {
    on,
    run: (s) => s.sgis()[5]?.activate(),
    logs: [[on, M, 'ITS0: VSGI vpe=0 v=5 Enable=0 Group=0 Priority=0x0 Clear=0; VSYNC vpe=0']],
  });

  for (const [name, run, log] of cases) {
    operation(name, {
      on,
      before: sgi,
      run: (s) => run(s.sgis()[5] as VirtualSgiIrq),
      logs: [[on, M, log]],
    });
  }

  operation("get PENDING: GICR_VSGIR of the vPE's redistributor", {
    on,
    vpes: 2,
    before: (s) => {
      s.vpe(1).doorbell.setAffinity(2);
      const two = s.sgis(1)[2] as VirtualSgiIrq;
      two.activate();
      two.unmask();
      two.setPending(true);
    },
    run: (s) => expect(s.sgis(1)[2]?.pending).toBe(true),
    logs: [[on, M, 'RD2: VSGIR=0x1; poll VSGIPENDR']],
  });
});
