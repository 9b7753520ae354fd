import { describe, expect } from 'vitest';
import { PROPERTIES } from '../scenario.ts';
import { first, VINTID } from '../system.ts';
import { ALL, DIRECT_LPI_4_0, EVERY, M, type Operation, operation, S, V4, V4_0, V4_1 } from './operation.ts';

/** As the engine returns it. */
const EINVAL = -22;
const DISABLED = { priority: 0x40, enabled: false };

const WITHOUT_DIRECT_LPI = ['v3', 'v4Proxy'] as const;
const WITH_DIRECT_LPI = ['v3DirectLpi', ...DIRECT_LPI_4_0, ...V4_1] as const;

describe('a device and its LPIs', () => {
  operation('the first event of a device: its_create_device', {
    on: ALL,
    run: (s) => s.system.chip.createDevice({ deviceId: 0x20, events: 4 }),
    logs: [[ALL, EVERY, 'ITS0: MAPD d=0x20 size=1 itt=table V=1']],
  });

  operation('activate', {
    on: ALL,
    run: (s) => s.device.irqs[0]?.activate(2),
    logs: [[ALL, EVERY, 'ITS0: MAPTI d=0x10 e=0 p=lpi0 c=2; SYNC rd=2']],
  });

  operation('deactivate', {
    on: ALL,
    run: (s) => s.irq.deactivate(),
    logs: [[ALL, EVERY, 'ITS0: DISCARD d=0x10 e=3; SYNC rd=1']],
  });

  operation('deactivate while it is a VLPI', {
    before: (s) => s.forward(),
    run: (s) => s.irq.deactivate(),
    logs: [[V4, EVERY, '-> EBUSY']],
  });

  operation('the last event of a device: its_free_device', {
    on: ALL,
    before: (s) => s.irq.deactivate(),
    run: (s) => s.device.free(),
    logs: [[ALL, EVERY, 'ITS0: MAPD d=0x10 size=2 itt=table V=0']],
  });

  const byInv = (byte: string) => `
    PCFG[lpi]=${byte}
    ITS0: INV d=0x10 e=3; SYNC rd=1`;
  const byRegister = (byte: string) => `
    PCFG[lpi]=${byte}
    RD1: INVLPIR=lpi; poll SYNCR`;

  operation('mask', {
    on: ALL,
    before: (s) => s.irq.unmask(),
    run: (s) => s.irq.mask(),
    logs: [
      [WITHOUT_DIRECT_LPI, EVERY, byInv('0xa2')],
      [WITH_DIRECT_LPI, S, byInv('0xa2')],
      [WITH_DIRECT_LPI, M, byRegister('0xa2')],
    ],
  });

  operation('unmask', {
    on: ALL,
    run: (s) => s.irq.unmask(),
    logs: [
      [WITHOUT_DIRECT_LPI, EVERY, byInv('0xa3')],
      [WITH_DIRECT_LPI, S, byInv('0xa3')],
      [WITH_DIRECT_LPI, M, byRegister('0xa3')],
    ],
  });

  operation('irq_set_affinity', {
    on: ALL,
    run: (s) => s.irq.setAffinity(2),
    logs: [[ALL, EVERY, 'ITS0: MOVI d=0x10 e=3 c=2; SYNC rd=1']],
  });

  operation('irq_set_affinity to the same PE', {
    on: ALL,
    run: (s) => s.irq.setAffinity(1),
    logs: [[ALL, EVERY, '']],
  });

  operation('irq_set_irqchip_state(PENDING, 1)', {
    on: ALL,
    run: (s) => s.irq.setPending(true),
    logs: [[ALL, EVERY, 'ITS0: INT d=0x10 e=3; SYNC rd=1']],
  });

  operation('irq_set_irqchip_state(PENDING, 0)', {
    on: ALL,
    run: (s) => s.irq.setPending(false),
    logs: [[ALL, EVERY, 'ITS0: CLEAR d=0x10 e=3; SYNC rd=1']],
  });

  operation('retrigger', {
    on: ALL,
    run: (s) => s.irq.retrigger(),
    logs: [[ALL, EVERY, 'ITS0: INT d=0x10 e=3; SYNC rd=1']],
  });

  operation('irq_get_irqchip_state(PENDING) is not provided', {
    on: ALL,
    run: (s) => expect(s.system.machine.engine.irqchipIsPending(s.irq.number)).toBe(EINVAL),
    logs: [[ALL, EVERY, '']],
  });

  operation('a device of the second ITS', {
    on: ['v4TwoIts', 'v4ItsList', 'v4_1TwoIts', 'v4_1ItsList'],
    its: 1,
    run: (s) => s.irq.setPending(true),
    logs: [[V4, EVERY, 'ITS1: INT d=0x10 e=3; SYNC rd=1']],
  });
});

describe('a VLPI', () => {
  const forward: Pick<Operation, 'before'> = { before: (s) => s.forward() };

  operation('mask', {
    ...forward,
    run: (s) => s.irq.mask(),
    logs: [
      [
        V4_0,
        S,
        `
        ITS0: VMOVI d=0x10 e=3 vpe=0 D=1 db=1023; VSYNC vpe=0
        VCFG(0)[8300]=0xa2
        ITS0: INV d=0x10 e=3; SYNC rd=1`,
      ],
      [
        V4_0,
        M,
        `
        ITS0: VMOVI d=0x10 e=3 vpe=0 D=1 db=1023; VSYNC vpe=0
        VCFG(0)[8300]=0xa2
        ITS0: INV d=0x10 e=3; VSYNC vpe=0`,
      ],
      [
        V4_1,
        M,
        `
        VCFG(0)[8300]=0xa2
        RD0: INVLPIR=0x800000000000206c; poll SYNCR`,
      ],
    ],
  });

  operation('unmask', {
    before: (s) => {
      s.forward();
      s.irq.mask();
    },
    run: (s) => s.irq.unmask(),
    logs: [
      [
        V4_0,
        S,
        `
        ITS0: VMOVI d=0x10 e=3 vpe=0 D=1 db=db0; VSYNC vpe=0
        VCFG(0)[8300]=0xa3
        ITS0: INV d=0x10 e=3; SYNC rd=1`,
      ],
      [
        V4_0,
        M,
        `
        ITS0: VMOVI d=0x10 e=3 vpe=0 D=1 db=db0; VSYNC vpe=0
        VCFG(0)[8300]=0xa3
        ITS0: INV d=0x10 e=3; VSYNC vpe=0`,
      ],
      [
        V4_1,
        M,
        `
        VCFG(0)[8300]=0xa3
        RD0: INVLPIR=0x800000000000206c; poll SYNCR`,
      ],
    ],
  });

  operation('irq_get_irqchip_state(PENDING) is not provided', {
    ...forward,
    run: (s) => expect(s.system.machine.engine.irqchipIsPending(s.irq.number)).toBe(EINVAL),
    logs: [[V4, EVERY, '']],
  });

  operation('irq_set_affinity', {
    ...forward,
    run: (s) => s.irq.setAffinity(2),
    logs: [[V4, EVERY, '-> EINVAL']],
  });

  for (const [name, command, run] of [
    ['irq_set_irqchip_state(PENDING, 1)', 'INT', (s) => s.irq.setPending(true)],
    ['irq_set_irqchip_state(PENDING, 0)', 'CLEAR', (s) => s.irq.setPending(false)],
    ['retrigger', 'INT', (s) => s.irq.retrigger()],
  ] as const satisfies readonly (readonly [string, string, Operation['run']])[]) {
    operation(name, {
      ...forward,
      run,
      logs: [
        [V4, S, `ITS0: ${command} d=0x10 e=3; SYNC rd=1`],
        [V4, M, `ITS0: ${command} d=0x10 e=3; VSYNC vpe=0`],
      ],
    });
  }
});

describe('irq_set_vcpu_affinity of a device interrupt', () => {
  operation('MAP_VLPI, the first on this ITS', {
    vpes: 2,
    run: (s) => s.forward(),
    logs: [
      [
        V4_0,
        S,
        `
        ITS0: DISCARD d=0x10 e=3; SYNC rd=1
        ITS0: VMAPTI d=0x10 e=3 vpe=0 v=8300 db=db0; VSYNC vpe=0`,
      ],
      [
        ['v4', 'v4Proxy', 'v4TwoIts'],
        M,
        `
        VCFG(0)[8300]=0xa3
        ITS0: DISCARD d=0x10 e=3; SYNC rd=1
        ITS0: VMAPTI d=0x10 e=3 vpe=0 v=8300 db=db0; VSYNC vpe=0`,
      ],
      [
        ['v4ItsList'],
        M,
        `
        ITS0: VMAPP vpe=0 rd=0 bits=15 vpt=vpt0 V=1; VSYNC vpe=0
        ITS0: VINVALL vpe=0; VSYNC vpe=0
        ITS0: VMAPP vpe=1 rd=0 bits=15 vpt=vpt1 V=1; VSYNC vpe=1
        ITS0: VINVALL vpe=1; VSYNC vpe=1
        VCFG(0)[8300]=0xa3
        ITS0: DISCARD d=0x10 e=3; SYNC rd=1
        ITS0: VMAPTI d=0x10 e=3 vpe=0 v=8300 db=db0; VSYNC vpe=0`,
      ],
      [
        V4_1,
        M,
        `
        VCFG(0)[8300]=0xa3
        ITS0: DISCARD d=0x10 e=3; SYNC rd=1
        ITS0: VMAPTI d=0x10 e=3 vpe=0 v=8300 db=1023; VSYNC vpe=0`,
      ],
    ],
  });

  operation('MAP_VLPI without doorbell, not the first on this ITS', {
    before: (s) => {
      first(s.device.irqs).activate(0);
      s.forward({ irq: first(s.device.irqs), vIntid: 8192 });
    },
    run: (s) => s.forward({ doorbell: false, properties: DISABLED }),
    logs: [
      [
        V4,
        S,
        `
        ITS0: DISCARD d=0x10 e=3; SYNC rd=1
        ITS0: VMAPTI d=0x10 e=3 vpe=0 v=8300 db=1023; VSYNC vpe=0`,
      ],
      [
        V4,
        M,
        `
        VCFG(0)[8300]=0x42
        ITS0: DISCARD d=0x10 e=3; SYNC rd=1
        ITS0: VMAPTI d=0x10 e=3 vpe=0 v=8300 db=1023; VSYNC vpe=0`,
      ],
    ],
  });

  operation('MAP_VLPI of a VLPI, to another vPE', {
    vpes: 2,
    before: (s) => s.forward(),
    run: (s) => s.forward({ vpe: 1 }),
    logs: [
      [V4_0, EVERY, 'ITS0: VMOVI d=0x10 e=3 vpe=1 D=1 db=db1; VSYNC vpe=1'],
      [V4_1, M, 'ITS0: VMOVI d=0x10 e=3 vpe=1 D=1 db=1023; VSYNC vpe=1'],
    ],
  });

  operation("MAP_VLPI with another VM's vPE", {
    before: (s) => {
      s.forward();
      s.other = s.system.vm();
    },
    run: (s) =>
      s.irq.mapVlpi({
        vpe: first(s.other?.vpes ?? []),
        vIntid: VINTID,
        properties: PROPERTIES,
        doorbell: true,
      }),
    logs: [[V4, EVERY, '-> EINVAL']],
  });

  operation('GET_VLPI', {
    before: (s) => s.forward(),
    run: (s) => s.irq.getVlpi(),
    logs: [[V4, EVERY, '']],
  });

  operation('PROP_UPDATE_VLPI that disables', {
    before: (s) => s.forward(),
    run: (s) => s.irq.updateVlpi(DISABLED, false),
    logs: [
      [
        V4_0,
        EVERY,
        `
        VCFG(0)[8300]=0x42
        ITS0: VMOVI d=0x10 e=3 vpe=0 D=1 db=1023; VSYNC vpe=0`,
      ],
      [V4_1, M, 'VCFG(0)[8300]=0x42'],
    ],
  });

  operation('PROP_UPDATE_AND_INV_VLPI that disables', {
    before: (s) => s.forward(),
    run: (s) => s.irq.updateVlpi(DISABLED),
    logs: [
      [
        V4_0,
        S,
        `
        VCFG(0)[8300]=0x42
        ITS0: INV d=0x10 e=3; SYNC rd=1
        ITS0: VMOVI d=0x10 e=3 vpe=0 D=1 db=1023; VSYNC vpe=0`,
      ],
      [
        V4_0,
        M,
        `
        VCFG(0)[8300]=0x42
        ITS0: INV d=0x10 e=3; VSYNC vpe=0
        ITS0: VMOVI d=0x10 e=3 vpe=0 D=1 db=1023; VSYNC vpe=0`,
      ],
      [
        V4_1,
        M,
        `
        VCFG(0)[8300]=0x42
        RD0: INVLPIR=0x800000000000206c; poll SYNCR`,
      ],
    ],
  });

  const unmap = `
    ITS0: DISCARD d=0x10 e=3; SYNC rd=1
    ITS0: MAPTI d=0x10 e=3 p=lpi c=1; SYNC rd=1
    PCFG[lpi]=0xa3`;

  operation('NULL, the last on this ITS', {
    before: (s) => s.forward(),
    run: (s) => s.irq.unmapVlpi(),
    logs: [
      [
        V4_0,
        S,
        `${unmap}
        ITS0: INV d=0x10 e=3; SYNC rd=1`,
      ],
      [
        ['v4Proxy'],
        M,
        `${unmap}
        ITS0: INV d=0x10 e=3; SYNC rd=1`,
      ],
      [
        ['v4', 'v4TwoIts', ...V4_1],
        M,
        `${unmap}
        RD1: INVLPIR=lpi; poll SYNCR`,
      ],
      [
        ['v4ItsList'],
        M,
        `${unmap}
        RD1: INVLPIR=lpi; poll SYNCR
        ITS0: VMAPP vpe=0 rd=0 bits=0 vpt=0 V=0; VSYNC vpe=0`,
      ],
    ],
  });

  for (const [name, run] of [
    ['PROP_UPDATE_VLPI', (s) => s.irq.updateVlpi(DISABLED, false)],
    ['PROP_UPDATE_AND_INV_VLPI', (s) => s.irq.updateVlpi(DISABLED)],
    ['NULL', (s) => s.irq.unmapVlpi()],
  ] as const satisfies readonly (readonly [string, Operation['run']])[]) {
    operation(`${name} of an LPI`, { on: ALL, run, logs: [[ALL, EVERY, '-> EINVAL']] });
  }
});
