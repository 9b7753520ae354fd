import { describe, expect, it } from 'vitest';
import { type AnySystem, eras, scenario } from '../scenario.ts';
import { first, VINTID } from '../system.ts';
import { EVERY, M, operation, S, V4, V4_0, V4_1 } from './operation.ts';

const EAGER = ['v4', 'v4Proxy', 'v4TwoIts', ...V4_1] as const;
const LAZY = ['v4ItsList'] as const;

const single = 'ITS0: VMOVP vpe=0 rd=3 seq=0 list=0x0 DB=0 default=0; VSYNC vpe=0';
const cleared = 'RD0: CLRLPIR=db0; poll SYNCR';

describe('irq_set_affinity of a doorbell', () => {
  operation('a vPE with VLPIs on the first ITS', {
    before: (s) => s.forward(),
    run: (s) => s.vpe().doorbell.setAffinity(3),
    logs: [
      [['v4', 'v4TwoIts'], EVERY, `${single}\n${cleared}`],
      [
        ['v4Proxy'],
        EVERY,
        `${single}
        ITS0: MAPTI d=0xffff e=0 p=db0 c=3; SYNC rd=3
        ITS0: MOVI d=0xffff e=0 c=3; SYNC rd=3`,
      ],
      [
        LAZY,
        M,
        `
        ITS0: VMOVP vpe=0 rd=3 seq=1 list=0x1 DB=0 default=0; VSYNC vpe=0
        ${cleared}`,
      ],
      [
        LAZY,
        S,
        `
        ITS0: VMOVP vpe=0 rd=3 seq=1 list=0x3 DB=0 default=0; VSYNC vpe=0
        ITS1: VMOVP vpe=0 rd=3 seq=1 list=0x3 DB=0 default=0; VSYNC vpe=0
        ${cleared}`,
      ],
      [['v4_1', 'v4_1TwoIts'], M, 'ITS0: VMOVP vpe=0 rd=3 seq=0 list=0x0 DB=1 default=db0; VSYNC vpe=0'],
      [
        ['v4_1ItsList'],
        M,
        `
        ITS0: VMOVP vpe=0 rd=3 seq=1 list=0x3 DB=1 default=db0; VSYNC vpe=0
        ITS1: VMOVP vpe=0 rd=3 seq=1 list=0x3 DB=1 default=db0; VSYNC vpe=0`,
      ],
    ],
  });

  operation('a vPE with VLPIs on the second ITS only', {
    on: ['v4TwoIts', 'v4ItsList', 'v4_1ItsList'],
    its: 1,
    before: (s) => s.forward(),
    run: (s) => s.vpe().doorbell.setAffinity(3),
    logs: [
      [['v4TwoIts'], EVERY, `${single}\n${cleared}`],
      [
        LAZY,
        M,
        `
        ITS1: VMOVP vpe=0 rd=3 seq=1 list=0x2 DB=0 default=0; VSYNC vpe=0
        ${cleared}`,
      ],
      [
        LAZY,
        S,
        `
        ITS0: VMOVP vpe=0 rd=3 seq=1 list=0x3 DB=0 default=0; VSYNC vpe=0
        ITS1: VMOVP vpe=0 rd=3 seq=1 list=0x3 DB=0 default=0; VSYNC vpe=0
        ${cleared}`,
      ],
      [
        ['v4_1ItsList'],
        M,
        `
        ITS0: VMOVP vpe=0 rd=3 seq=1 list=0x3 DB=1 default=db0; VSYNC vpe=0
        ITS1: VMOVP vpe=0 rd=3 seq=1 list=0x3 DB=1 default=db0; VSYNC vpe=0`,
      ],
    ],
  });

  operation('to the PE where it is', {
    before: (s) => s.forward(),
    run: (s) => s.vpe().doorbell.setAffinity(0),
    logs: [[V4, EVERY, '']],
  });

  operation('a vPE that is mapped nowhere yet', {
    on: LAZY,
    run: (s) => s.vpe().doorbell.setAffinity(3),
    logs: [
      [LAZY, M, ''],
      [
        LAZY,
        S,
        `
        ITS0: VMOVP vpe=0 rd=3 seq=1 list=0x3 DB=0 default=0; VSYNC vpe=0
        ITS1: VMOVP vpe=0 rd=3 seq=1 list=0x3 DB=0 default=0; VSYNC vpe=0
        ${cleared}`,
      ],
    ],
  });

  operation('a vPE that is being torn down', {
    on: EAGER,
    before: (s) => s.vpe().doorbell.deactivate(),
    run: (s) => s.vpe().doorbell.setAffinity(3),
    logs: [
      [EAGER, M, '-> EINVAL'],
      // The driver of 2017 did not know whether an ITS still maps the vPE.
      [['v4', 'v4TwoIts'], S, `${single}\n${cleared}`],
      [
        ['v4Proxy'],
        S,
        `${single}
        ITS0: MAPTI d=0xffff e=0 p=db0 c=3; SYNC rd=3
        ITS0: MOVI d=0xffff e=0 c=3; SYNC rd=3`,
      ],
    ],
  });

  operation('and what follows it: the doorbell, its byte and the VLPI act at the new PE', {
    on: [...V4_0, ...V4_1],
    before: (s) => {
      s.forward();
      s.vpe().doorbell.setAffinity(3);
    },
    run: (s) => [s.vpe().doorbell.unmask(), s.vpe().doorbell.setAffinity(2)],
    logs: [
      [
        ['v4', 'v4TwoIts'],
        EVERY,
        `
        PCFG[db0]=0xa3
        RD3: INVLPIR=db0; poll SYNCR
        ITS0: VMOVP vpe=0 rd=2 seq=0 list=0x0 DB=0 default=0; VSYNC vpe=0
        RD3: CLRLPIR=db0; poll SYNCR`,
      ],
      [
        ['v4Proxy'],
        EVERY,
        `
        PCFG[db0]=0xa3
        ITS0: INV d=0xffff e=0; SYNC rd=3
        ITS0: VMOVP vpe=0 rd=2 seq=0 list=0x0 DB=0 default=0; VSYNC vpe=0
        ITS0: MOVI d=0xffff e=0 c=2; SYNC rd=3`,
      ],
      [
        LAZY,
        M,
        `
        PCFG[db0]=0xa3
        RD3: INVLPIR=db0; poll SYNCR
        ITS0: VMOVP vpe=0 rd=2 seq=2 list=0x1 DB=0 default=0; VSYNC vpe=0
        RD3: CLRLPIR=db0; poll SYNCR`,
      ],
      [
        LAZY,
        S,
        `
        PCFG[db0]=0xa3
        RD3: INVLPIR=db0; poll SYNCR
        ITS0: VMOVP vpe=0 rd=2 seq=2 list=0x3 DB=0 default=0; VSYNC vpe=0
        ITS1: VMOVP vpe=0 rd=2 seq=2 list=0x3 DB=0 default=0; VSYNC vpe=0
        RD3: CLRLPIR=db0; poll SYNCR`,
      ],
      [
        ['v4_1', 'v4_1TwoIts'],
        M,
        `
        PCFG[db0]=0xa3
        ITS0: INVDB vpe=0; VSYNC vpe=0
        ITS0: VMOVP vpe=0 rd=2 seq=0 list=0x0 DB=1 default=db0; VSYNC vpe=0`,
      ],
      [
        ['v4_1ItsList'],
        M,
        `
        PCFG[db0]=0xa3
        ITS0: INVDB vpe=0; VSYNC vpe=0
        ITS0: VMOVP vpe=0 rd=2 seq=2 list=0x3 DB=1 default=db0; VSYNC vpe=0
        ITS1: VMOVP vpe=0 rd=2 seq=2 list=0x3 DB=1 default=db0; VSYNC vpe=0`,
      ],
    ],
  });

  for (const name of ['v4ItsList', 'v4_1ItsList'] as const satisfies readonly AnySystem[]) {
    for (const kvm of eras) {
      it(`every ITS of a list sees the moves in one order: ${name}, ${kvm}`, async () => {
        const s = await scenario(name, kvm, { vpes: 3 });
        const irqs = [0, 1].map((its) =>
          first(s.system.chip.createDevice({ its, deviceId: 0x20 + its, events: 2 }).irqs),
        );
        for (const [n, irq] of irqs.entries()) {
          irq.activate(0);
          s.forward({ irq, vpe: n, vIntid: VINTID + n });
        }
        const moves = s.trace(() => {
          for (let n = 1; n <= 40; n++) s.vpe(n % 3).doorbell.setAffinity((n * 7) % 4);
        });
        const seen = [0, 1].map((its) => moves.filter((line) => line.startsWith(`ITS${its}: VMOVP`)));
        const sequence = (lines: readonly string[] | undefined) =>
          lines?.map((line) => Number(/seq=(\d+)/.exec(line)?.[1]));
        const [one, two] = seen.map((lines) => lines.map((line) => line.slice('ITS0'.length)));
        expect(one?.length).toBeGreaterThan(20);
        expect(one).toEqual(two);
        expect(sequence(one)).toEqual(one?.map((_, n) => n + 1));
      });
    }
  }
});
