import { describe } from 'vitest';
import type { DeviceIrq } from '../../../bindings/index.ts';
import type { Scenario } from '../scenario.ts';
import { first, VINTID } from '../system.ts';
import { EVERY, M, operation, S, V4, V4_1 } from './operation.ts';

/** The first event of the device, activated on PE 0: a second VLPI beside the usual one. */
function second(s: Scenario): DeviceIrq {
  const irq = first(s.device.irqs);
  irq.activate(0);
  return irq;
}

const LAZY = ['v4ItsList'] as const;
const EAGER = ['v4', 'v4Proxy', 'v4TwoIts', ...V4_1] as const;

const switched = (its: number) => `
  ITS${its}: DISCARD d=0x10 e=3; SYNC rd=1
  ITS${its}: VMAPTI d=0x10 e=3 vpe=0 v=8300 db=db0; VSYNC vpe=0`;

describe('eager and lazy vPE mapping', () => {
  operation('lazy: the first VLPI on the second ITS maps all vPEs of the VM there', {
    on: LAZY,
    its: 1,
    vpes: 2,
    run: (s) => s.forward(),
    logs: [
      [LAZY, S, switched(1)],
      [
        LAZY,
        M,
        `
        ITS1: VMAPP vpe=0 rd=0 bits=15 vpt=vpt0 V=1; VSYNC vpe=0
        ITS1: VINVALL vpe=0; VSYNC vpe=0
        ITS1: VMAPP vpe=1 rd=0 bits=15 vpt=vpt1 V=1; VSYNC vpe=1
        ITS1: VINVALL vpe=1; VSYNC vpe=1
        VCFG(0)[8300]=0xa3${switched(1)}`,
      ],
    ],
  });

  operation('lazy: to where they are at that time', {
    on: LAZY,
    vpes: 2,
    before: (s) => {
      s.vpe(0).doorbell.setAffinity(3);
      s.vpe(1).doorbell.setAffinity(2);
    },
    run: (s) => s.forward(),
    logs: [
      [LAZY, S, switched(0)],
      [
        LAZY,
        M,
        `
        ITS0: VMAPP vpe=0 rd=3 bits=15 vpt=vpt0 V=1; VSYNC vpe=0
        ITS0: VINVALL vpe=0; VSYNC vpe=0
        ITS0: VMAPP vpe=1 rd=2 bits=15 vpt=vpt1 V=1; VSYNC vpe=1
        ITS0: VINVALL vpe=1; VSYNC vpe=1
        VCFG(0)[8300]=0xa3${switched(0)}`,
      ],
    ],
  });

  operation('the second VLPI on an ITS maps no vPE', {
    before: (s) => s.forward(),
    run: (s) => s.forward({ irq: second(s), vIntid: VINTID + 1, doorbell: false }),
    logs: [
      [
        V4,
        S,
        `
        ITS0: MAPTI d=0x10 e=0 p=lpi0 c=0; SYNC rd=0
        ITS0: DISCARD d=0x10 e=0; SYNC rd=0
        ITS0: VMAPTI d=0x10 e=0 vpe=0 v=8301 db=1023; VSYNC vpe=0`,
      ],
      [
        V4,
        M,
        `
        ITS0: MAPTI d=0x10 e=0 p=lpi0 c=0; SYNC rd=0
        VCFG(0)[8301]=0xa3
        ITS0: DISCARD d=0x10 e=0; SYNC rd=0
        ITS0: VMAPTI d=0x10 e=0 vpe=0 v=8301 db=1023; VSYNC vpe=0`,
      ],
    ],
  });

  operation('lazy: the first VLPI on another ITS maps there too', {
    on: LAZY,
    before: (s) => s.forward(),
    run: (s) => {
      const irq = first(s.system.chip.createDevice({ its: 1, deviceId: 0x20, events: 2 }).irqs);
      s.names.set(irq.intid, 'other');
      irq.activate(0);
      s.forward({ irq, vIntid: VINTID + 1 });
    },
    logs: [
      [
        LAZY,
        S,
        `
        ITS1: MAPD d=0x20 size=0 itt=table V=1
        ITS1: MAPTI d=0x20 e=0 p=other c=0; SYNC rd=0
        ITS1: DISCARD d=0x20 e=0; SYNC rd=0
        ITS1: VMAPTI d=0x20 e=0 vpe=0 v=8301 db=db0; VSYNC vpe=0`,
      ],
      [
        LAZY,
        M,
        `
        ITS1: MAPD d=0x20 size=0 itt=table V=1
        ITS1: MAPTI d=0x20 e=0 p=other c=0; SYNC rd=0
        ITS1: VMAPP vpe=0 rd=0 bits=15 vpt=vpt0 V=1; VSYNC vpe=0
        ITS1: VINVALL vpe=0; VSYNC vpe=0
        VCFG(0)[8301]=0xa3
        ITS1: DISCARD d=0x20 e=0; SYNC rd=0
        ITS1: VMAPTI d=0x20 e=0 vpe=0 v=8301 db=db0; VSYNC vpe=0`,
      ],
    ],
  });

  const restored = `
    ITS0: DISCARD d=0x10 e=3; SYNC rd=1
    ITS0: MAPTI d=0x10 e=3 p=lpi c=1; SYNC rd=1
    PCFG[lpi]=0xa3`;

  operation('unmapping a VLPI that is not the last unmaps no vPE', {
    on: [...LAZY, ...EAGER],
    before: (s) => {
      s.forward();
      s.forward({ irq: second(s), vIntid: VINTID + 1 });
    },
    run: (s) => s.irq.unmapVlpi(),
    logs: [
      [
        V4,
        S,
        `${restored}
        ITS0: INV d=0x10 e=3; SYNC rd=1`,
      ],
      [
        ['v4Proxy'],
        M,
        `${restored}
        ITS0: INV d=0x10 e=3; SYNC rd=1`,
      ],
      [
        ['v4', 'v4TwoIts', ...LAZY, ...V4_1],
        M,
        `${restored}
        RD1: INVLPIR=lpi; poll SYNCR`,
      ],
    ],
  });

  operation('lazy: the last VLPI on an ITS unmaps all vPEs there', {
    on: LAZY,
    vpes: 2,
    before: (s) => s.forward(),
    run: (s) => s.irq.unmapVlpi(),
    logs: [
      [
        LAZY,
        S,
        `${restored}
        ITS0: INV d=0x10 e=3; SYNC rd=1`,
      ],
      [
        LAZY,
        M,
        `${restored}
        RD1: INVLPIR=lpi; poll SYNCR
        ITS0: VMAPP vpe=0 rd=0 bits=0 vpt=0 V=0; VSYNC vpe=0
        ITS0: VMAPP vpe=1 rd=0 bits=0 vpt=0 V=0; VSYNC vpe=1`,
      ],
    ],
  });

  operation('eager: VLPIs that come and go map and unmap no vPE', {
    on: EAGER,
    before: (s) => {
      s.forward({ doorbell: false });
      s.irq.unmapVlpi();
    },
    run: (s) => s.forward({ doorbell: false }),
    logs: [
      [
        EAGER,
        S,
        `
        ITS0: DISCARD d=0x10 e=3; SYNC rd=1
        ITS0: VMAPTI d=0x10 e=3 vpe=0 v=8300 db=1023; VSYNC vpe=0`,
      ],
      [
        EAGER,
        M,
        `
        VCFG(0)[8300]=0xa3
        ITS0: DISCARD d=0x10 e=3; SYNC rd=1
        ITS0: VMAPTI d=0x10 e=3 vpe=0 v=8300 db=1023; VSYNC vpe=0`,
      ],
    ],
  });

  operation('the doorbell of a vPE with its VLPIs on no ITS is activated and deactivated', {
    on: LAZY,
    run: (s) => [s.vpe().doorbell.deactivate(), s.vpe().doorbell.activate()],
    logs: [
      [LAZY, M, ''],
      [
        LAZY,
        S,
        `
        ITS0: VMAPP vpe=0 rd=0 bits=0 vpt=0 V=0; VSYNC vpe=0
        ITS1: VMAPP vpe=0 rd=0 bits=0 vpt=0 V=0; VSYNC vpe=0
        ITS0: VMAPP vpe=0 rd=0 bits=15 vpt=vpt0 V=1; VSYNC vpe=0
        ITS1: VMAPP vpe=0 rd=0 bits=15 vpt=vpt0 V=1; VSYNC vpe=0
        ITS0: VINVALL vpe=0; VSYNC vpe=0
        ITS1: VINVALL vpe=0; VSYNC vpe=0`,
      ],
    ],
  });

  operation('GET_VLPI of an LPI', {
    run: (s) => s.irq.getVlpi(),
    logs: [[V4, EVERY, '']],
  });
});
