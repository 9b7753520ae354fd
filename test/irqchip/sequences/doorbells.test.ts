import { describe, expect, it } from 'vitest';
import { createMachine, IrqChip, type KernelEra } from '../../../bindings/index.ts';
import { notation } from '../notation.ts';
import { errnoOf, first } from '../system.ts';
import { DIRECT_LPI_4_0, EVERY, M, operation, S, V4, V4_0 } from './operation.ts';

const EAGER = ['v4', 'v4Proxy', 'v4TwoIts'] as const;
const ONE_ITS = ['v4', 'v4Proxy'] as const;

describe('the domain of the doorbells', () => {
  operation('its_alloc_vcpu_irqs', {
    run: (s) => s.system.chip.createVm(3),
    logs: [[V4, EVERY, '']],
  });

  operation('its_free_vcpu_irqs', {
    on: V4_0,
    before: (s) => {
      s.vpe().doorbell.unmask();
      s.vpe().doorbell.deactivate();
    },
    run: (s) => s.vm.free(),
    logs: [
      [DIRECT_LPI_4_0, EVERY, ''],
      [['v4Proxy'], EVERY, 'ITS0: DISCARD d=0xffff e=0; SYNC rd=0'],
    ],
  });

  operation('activate', {
    on: V4_0,
    before: (s) => s.vpe().doorbell.deactivate(),
    run: (s) => s.vpe().doorbell.activate(),
    logs: [
      [
        ONE_ITS,
        EVERY,
        `
        ITS0: VMAPP vpe=0 rd=0 bits=15 vpt=vpt0 V=1; VSYNC vpe=0
        ITS0: VINVALL vpe=0; VSYNC vpe=0`,
      ],
      [
        ['v4TwoIts'],
        M,
        `
        ITS0: VMAPP vpe=0 rd=0 bits=15 vpt=vpt0 V=1; VSYNC vpe=0
        ITS0: VINVALL vpe=0; VSYNC vpe=0
        ITS1: VMAPP vpe=0 rd=0 bits=15 vpt=vpt0 V=1; VSYNC vpe=0
        ITS1: VINVALL vpe=0; VSYNC vpe=0`,
      ],
      [['v4ItsList'], M, ''],
      [
        ['v4TwoIts', 'v4ItsList'],
        S,
        `
        ITS0: VMAPP vpe=0 rd=0 bits=15 vpt=vpt0 V=1; VSYNC vpe=0
        ITS1: VMAPP vpe=0 rd=0 bits=15 vpt=vpt0 V=1; VSYNC vpe=0
        ITS0: VINVALL vpe=0; VSYNC vpe=0
        ITS1: VINVALL vpe=0; VSYNC vpe=0`,
      ],
    ],
  });

  operation('activate again, after it was elsewhere: on the first PE', {
    on: EAGER,
    before: (s) => {
      s.vpe().doorbell.setAffinity(3);
      s.vpe().doorbell.deactivate();
    },
    run: (s) => {
      s.vpe().doorbell.activate();
      expect(s.vpe().cpu).toBe(0);
    },
    logs: [
      [
        ONE_ITS,
        EVERY,
        `
        ITS0: VMAPP vpe=0 rd=0 bits=15 vpt=vpt0 V=1; VSYNC vpe=0
        ITS0: VINVALL vpe=0; VSYNC vpe=0`,
      ],
      [
        ['v4TwoIts'],
        M,
        `
        ITS0: VMAPP vpe=0 rd=0 bits=15 vpt=vpt0 V=1; VSYNC vpe=0
        ITS0: VINVALL vpe=0; VSYNC vpe=0
        ITS1: VMAPP vpe=0 rd=0 bits=15 vpt=vpt0 V=1; VSYNC vpe=0
        ITS1: VINVALL vpe=0; VSYNC vpe=0`,
      ],
      [
        ['v4TwoIts'],
        S,
        `
        ITS0: VMAPP vpe=0 rd=0 bits=15 vpt=vpt0 V=1; VSYNC vpe=0
        ITS1: VMAPP vpe=0 rd=0 bits=15 vpt=vpt0 V=1; VSYNC vpe=0
        ITS0: VINVALL vpe=0; VSYNC vpe=0
        ITS1: VINVALL vpe=0; VSYNC vpe=0`,
      ],
    ],
  });

  operation('deactivate', {
    on: V4_0,
    run: (s) => s.vpe().doorbell.deactivate(),
    logs: [
      [ONE_ITS, EVERY, 'ITS0: VMAPP vpe=0 rd=0 bits=0 vpt=0 V=0; VSYNC vpe=0'],
      [
        ['v4TwoIts'],
        EVERY,
        `
        ITS0: VMAPP vpe=0 rd=0 bits=0 vpt=0 V=0; VSYNC vpe=0
        ITS1: VMAPP vpe=0 rd=0 bits=0 vpt=0 V=0; VSYNC vpe=0`,
      ],
      [['v4ItsList'], M, ''],
      [
        ['v4ItsList'],
        S,
        `
        ITS0: VMAPP vpe=0 rd=0 bits=0 vpt=0 V=0; VSYNC vpe=0
        ITS1: VMAPP vpe=0 rd=0 bits=0 vpt=0 V=0; VSYNC vpe=0`,
      ],
    ],
  });
});

describe('a doorbell, GICv4.0', () => {
  const proxy = (what: string) => `
    ITS0: MAPTI d=0xffff e=0 p=db0 c=0; SYNC rd=0
    ITS0: ${what} d=0xffff e=0; SYNC rd=0`;

  operation('mask', {
    on: V4_0,
    before: (s) => s.vpe().doorbell.unmask(),
    run: (s) => s.vpe().doorbell.mask(),
    logs: [
      [
        DIRECT_LPI_4_0,
        EVERY,
        `
        PCFG[db0]=0xa2
        RD0: INVLPIR=db0; poll SYNCR`,
      ],
      [
        ['v4Proxy'],
        EVERY,
        `
        PCFG[db0]=0xa2
        ITS0: INV d=0xffff e=0; SYNC rd=0`,
      ],
    ],
  });

  operation('unmask', {
    on: V4_0,
    run: (s) => s.vpe().doorbell.unmask(),
    logs: [
      [
        DIRECT_LPI_4_0,
        EVERY,
        `
        PCFG[db0]=0xa3
        RD0: INVLPIR=db0; poll SYNCR`,
      ],
      [['v4Proxy'], EVERY, `PCFG[db0]=0xa3${proxy('INV')}`],
    ],
  });

  operation('irq_set_irqchip_state(PENDING, 1)', {
    on: V4_0,
    run: (s) => s.vpe().doorbell.setPending(true),
    logs: [
      [DIRECT_LPI_4_0, EVERY, 'RD0: SETLPIR=db0'],
      [['v4Proxy'], EVERY, proxy('INT')],
    ],
  });

  operation('irq_set_irqchip_state(PENDING, 0)', {
    on: V4_0,
    run: (s) => s.vpe().doorbell.setPending(false),
    logs: [
      [DIRECT_LPI_4_0, EVERY, 'RD0: CLRLPIR=db0; poll SYNCR'],
      [['v4Proxy'], EVERY, proxy('CLEAR')],
    ],
  });

  operation('retrigger', {
    on: V4_0,
    run: (s) => s.vpe().doorbell.retrigger(),
    logs: [
      [DIRECT_LPI_4_0, M, 'RD0: SETLPIR=db0'],
      [['v4Proxy'], M, proxy('INT')],
      [V4_0, S, '-> ENOSYS'],
    ],
  });
});

describe('residency, GICv4.0', () => {
  const entry = (attributes: string) => `
    RD2: VPROPBASER=0x58f|vprop
    RD2: VPENDBASER=0xe0000000${attributes}|vpt0`;
  const exit = (attributes: string) => `RD2: VPENDBASER=0x60000000${attributes}|vpt0; poll VPENDBASER`;

  operation('SCHEDULE_VPE', {
    on: V4_0,
    run: (s) => s.vpe().schedule(2),
    logs: [
      [V4_0, S, entry('00000380')],
      [V4_0, M, entry('00000780')],
    ],
  });

  operation('its_make_vpe_resident of a vPE that slept: its doorbell is disabled first', {
    on: V4_0,
    before: (s) => {
      s.vpe().schedule(2);
      s.vpe().deschedule({ doorbell: true });
    },
    run: (s) => s.vpe().schedule(2),
    logs: [
      [V4_0, S, entry('00000380')],
      [
        DIRECT_LPI_4_0,
        M,
        `
        PCFG[db0]=0xa2
        RD0: INVLPIR=db0; poll SYNCR${entry('00000780')}`,
      ],
      [
        ['v4Proxy'],
        M,
        `
        PCFG[db0]=0xa2
        ITS0: INV d=0xffff e=0; SYNC rd=0${entry('00000780')}`,
      ],
    ],
  });

  operation('DESCHEDULE_VPE', {
    on: V4_0,
    before: (s) => s.vpe().schedule(2),
    run: (s) => s.vpe().deschedule(),
    logs: [
      [V4_0, S, exit('00000380')],
      [
        V4_0,
        M,
        `
        RD2: poll VPENDBASER
        ${exit('00000780')}`,
      ],
    ],
  });

  operation('its_make_vpe_non_resident with the doorbell', {
    on: V4_0,
    before: (s) => s.vpe().schedule(2),
    run: (s) => s.vpe().deschedule({ doorbell: true }),
    logs: [
      [V4_0, S, exit('00000380')],
      [
        DIRECT_LPI_4_0,
        M,
        `
        PCFG[db0]=0xa3
        RD0: INVLPIR=db0; poll SYNCR
        RD2: poll VPENDBASER
        ${exit('00000780')}`,
      ],
      [
        ['v4Proxy'],
        M,
        `
        PCFG[db0]=0xa3
        ITS0: MAPTI d=0xffff e=0 p=db0 c=0; SYNC rd=0
        ITS0: INV d=0xffff e=0; SYNC rd=0
        RD2: poll VPENDBASER
        ${exit('00000780')}`,
      ],
    ],
  });

  operation('COMMIT_VPE where Dirty says nothing while Valid=1', {
    on: V4_0,
    before: (s) => s.vpe().schedule(2),
    run: (s) => s.vpe().commit(),
    logs: [
      [V4_0, M, ''],
      [V4_0, S, '-> EINVAL'],
    ],
  });

  operation('INVALL_VPE', {
    on: V4_0,
    run: (s) => s.vpe().invall(),
    logs: [
      [ONE_ITS, EVERY, 'ITS0: VINVALL vpe=0; VSYNC vpe=0'],
      [['v4TwoIts'], M, 'ITS0: VINVALL vpe=0; VSYNC vpe=0'],
      [['v4ItsList'], M, ''],
      [
        ['v4TwoIts', 'v4ItsList'],
        S,
        `
        ITS0: VINVALL vpe=0; VSYNC vpe=0
        ITS1: VINVALL vpe=0; VSYNC vpe=0`,
      ],
    ],
  });

  operation('INVALL_VPE of a VM with VLPIs on the second ITS only', {
    on: ['v4TwoIts', 'v4ItsList'],
    its: 1,
    before: (s) => s.forward(),
    run: (s) => s.vpe().invall(),
    logs: [
      [['v4TwoIts'], M, 'ITS0: VINVALL vpe=0; VSYNC vpe=0'],
      [['v4ItsList'], M, 'ITS1: VINVALL vpe=0; VSYNC vpe=0'],
      [
        ['v4TwoIts', 'v4ItsList'],
        S,
        `
        ITS0: VINVALL vpe=0; VSYNC vpe=0
        ITS1: VINVALL vpe=0; VSYNC vpe=0`,
      ],
    ],
  });

  for (const [kvm, idai] of [
    ['2017', '0xa'],
    ['5.6', '0xe'],
    ['6.19', '0xe'],
  ] as const satisfies readonly (readonly [KernelEra, string])[]) {
    it(`a vPE that does not leave in time: PendingLast is assumed; next time IDAI as it was, 2017 clear: ${kvm}`, async () => {
      const options = {
        cpus: 1,
        architecture: 'GICv4.0',
        dirtyReads: { scheduleIn: 0, scheduleOut: 100 },
      } as const;
      const machine = await createMachine(options);
      const chip = new IrqChip(machine, { kvm, pollLimit: 10 });
      const vm = chip.createVm(1);
      vm.activate();
      const vpe = first(vm.vpes);
      vpe.schedule(0);
      expect(errnoOf(() => vpe.deschedule())).toBe('ETIMEDOUT');
      expect([vpe.resident, vpe.pendingLast]).toEqual([false, true]);
      chip.takeLog();
      vpe.schedule(0);
      const last = notation(chip.takeLog(), new Map([[vpe.pendingTable, 'vpt']])).at(-1);
      expect(last?.slice(0, 'RD0: VPENDBASER=0xe'.length)).toBe(`RD0: VPENDBASER=${idai}`);
    });
  }
});

describe('IRI boot: a vPE that an earlier kernel left resident is thrown out', () => {
  for (const [architecture, expected] of [
    ['GICv4.0', ['RD1: VPROPBASER=0xf', 'RD1: VPENDBASER=0x6000000000000780|vpt']],
    ['GICv4.1', ['RD1: VPENDBASER=0x2c00000000000000']],
  ] as const) {
    it(architecture, async () => {
      const machine = await createMachine({ cpus: 2, architecture });
      const { base, size } = machine.config.ram;
      const before = new IrqChip(machine, { ram: { base, size: size / 4 } });
      const vm = before.createVm(1);
      vm.activate();
      first(vm.vpes).schedule(1);
      const names = new Map([[first(vm.vpes).pendingTable, 'vpt']]);
      machine.write(machine.config.addressMap.gits, 4, 0);
      const chip = new IrqChip(machine, { ram: { base: base + size / 2, size: size / 4 } });
      const boot = notation(chip.takeLog(), names);
      expect(boot.filter((line) => /^RD1: V.*BASER/.test(line)).slice(0, expected.length)).toEqual(expected);
      const next = chip.createVm(1);
      next.activate();
      first(next.vpes).schedule(1);
      expect(first(next.vpes).resident).toBe(true);
    });
  }
});
