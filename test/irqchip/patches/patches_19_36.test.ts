import { describe, expect, it } from 'vitest';
import { createMachine, IrqChip } from '../../../bindings/index.ts';
import { notation } from '../notation.ts';
import { forwarded, golden, Scenario, scenario } from '../scenario.ts';
import { errnoOf, first, start } from '../system.ts';

const VALID = 1n << 63n;
const IDAI = 1n << 62n;

/** The values written to a register of a redistributor, in order. */
function written(log: readonly string[], register: string): bigint[] {
  return log.flatMap((line) => {
    const value = new RegExp(`^RD\\d+: ${register}=(0x[0-9a-f]+)`).exec(line)?.[1];
    return value === undefined ? [] : [BigInt(value)];
  });
}

describe('19: VPE domain infrastructure', () => {
  it('there is a domain of vPEs where there is a GICv4 ITS, and nowhere else', async () => {
    for (const name of ['v3', 'v3DirectLpi'] as const) {
      const system = await start(name);
      expect(
        errnoOf(() => system.chip.createVm(1)),
        name,
      ).toBe('ENOSYS');
      expect(system.steps(), name).toEqual([]);
    }
    for (const name of ['v4', 'v4Proxy', 'v4TwoIts', 'v4ItsList', 'v4_1'] as const) {
      expect((await start(name)).chip.createVm(1).vpes.length, name).toBe(1);
    }
  });

  it.each([
    [[0], true],
    [[1], true],
    [[0, 1], false],
  ])('two ITSs, of which %o are GICv3: %s', async (itsWithoutVlpis, expected) => {
    const options = { cpus: 2, architecture: 'GICv4.0', itsCount: 2, itsWithoutVlpis } as const;
    const chip = new IrqChip(await createMachine(options));
    expect(chip.facts.hasV4).toBe(expected);
    expect(errnoOf(() => chip.createVm(1))).toBe(expected ? 'accepted' : 'ENOSYS');
  });
});

describe('20: VPE irq domain allocation/teardown', () => {
  for (const [kvm, block] of [
    ['2017', 32],
    ['5.6', 4],
    ['6.19', 4],
  ] as const) {
    it(`3 vCPUs: ${block} LPIs of which 3 are used, 3 vPEIDs, 3 pending tables, 1 property table: ${kvm}`, async () => {
      const system = await start('v4', kvm);
      const free = system.chip.freeLpis;
      const vm = system.chip.createVm(3);
      expect(free - system.chip.freeLpis).toBe(block);
      expect(vm.vpes.map((vpe) => vpe.doorbell.intid)).toEqual([8192, 8193, 8194]);
      expect(vm.vpes.map((vpe) => vpe.vpeId)).toEqual([0, 1, 2]);
      expect(new Set([vm.propertyTable, ...vm.vpes.map((vpe) => vpe.pendingTable)]).size).toBe(4);
      expect(system.steps()).toEqual([]);
      vm.free();
      expect([system.chip.freeLpis, system.steps()]).toEqual([free, []]);
      expect(system.chip.createVm(3)).toMatchObject({ propertyTable: vm.propertyTable });
    });
  }
});

describe('21: VPE irq domain [de]activation', () => {
  const activation = async (kvm: '2017' | '5.6' | '6.19') => {
    const s = await scenario('v4TwoIts', kvm);
    s.vpe().doorbell.deactivate();
    return s;
  };

  it('2017: VMAPP on each ITS, then VINVALL on each', async () => {
    const s = await activation('2017');
    expect(s.trace(() => s.vpe().doorbell.activate())).toEqual(
      golden(`
        ITS0: VMAPP vpe=0 rd=0 bits=15 vpt=vpt0 V=1; VSYNC vpe=0
        ITS1: VMAPP vpe=0 rd=0 bits=15 vpt=vpt0 V=1; VSYNC vpe=0
        ITS0: VINVALL vpe=0; VSYNC vpe=0
        ITS1: VINVALL vpe=0; VSYNC vpe=0
      `),
    );
  });

  for (const kvm of ['5.6', '6.19'] as const) {
    it(`${kvm}: VMAPP and VINVALL, ITS by ITS`, async () => {
      const s = await activation(kvm);
      expect(s.trace(() => s.vpe().doorbell.activate())).toEqual(
        golden(`
          ITS0: VMAPP vpe=0 rd=0 bits=15 vpt=vpt0 V=1; VSYNC vpe=0
          ITS0: VINVALL vpe=0; VSYNC vpe=0
          ITS1: VMAPP vpe=0 rd=0 bits=15 vpt=vpt0 V=1; VSYNC vpe=0
          ITS1: VINVALL vpe=0; VSYNC vpe=0
        `),
      );
    });
  }

  it('deactivation: VMAPP with V=0 on each', async () => {
    for (const kvm of ['2017', '5.6', '6.19'] as const) {
      const s = await scenario('v4TwoIts', kvm);
      expect(
        s.trace(() => s.vpe().doorbell.deactivate()),
        kvm,
      ).toEqual(
        golden(`
          ITS0: VMAPP vpe=0 rd=0 bits=0 vpt=0 V=0; VSYNC vpe=0
          ITS1: VMAPP vpe=0 rd=0 bits=0 vpt=0 V=0; VSYNC vpe=0
        `),
      );
    }
  });
});

describe('22: VPENDBASER/VPROPBASER accessors', () => {
  it('a 64-bit host writes each register whole, once', async () => {
    const s = await scenario('v4');
    const log = s.trace(() => s.vpe().schedule(1));
    expect([written(log, 'VPROPBASER').length, written(log, 'VPENDBASER').length, log.length]).toEqual([
      1, 1, 2,
    ]);
    const { gicr } = s.system.machine.config.addressMap;
    const read = (offset: number) => BigInt(s.system.machine.read(gicr + 0x4_0000 + offset, 8));
    const VPROPBASER = 0x2_0070;
    const VPENDBASER = 0x2_0078;
    const ADDRESS = 0x0000_ffff_ffff_0000n;
    expect(read(VPROPBASER) & ADDRESS).toBe(BigInt(s.vm.propertyTable));
    expect(read(VPENDBASER) & ADDRESS).toBe(BigInt(s.vpe().pendingTable));
    expect(read(VPENDBASER) & VALID).toBe(VALID);
  });
});

describe('23: VPE scheduling', () => {
  it('schedule: VPROPBASER, then VPENDBASER with PendingLast and Valid, on the redistributor of the PE', async () => {
    const s = await scenario('v4');
    expect(s.trace(() => s.vpe().schedule(2))).toEqual(
      golden(`
        RD2: VPROPBASER=0x58f|vprop
        RD2: VPENDBASER=0xe000000000000780|vpt0
      `),
    );
  });

  it('deschedule: Valid=0, Dirty is awaited, PendingLast is kept', async () => {
    for (const pending of [false, true]) {
      const s = await forwarded('v4');
      s.vpe().doorbell.setAffinity(2);
      s.vpe().schedule(2);
      if (pending) s.irq.setPending(true);
      expect(s.trace(() => s.vpe().deschedule())).toEqual(
        golden(`
          RD2: poll VPENDBASER
          RD2: VPENDBASER=0x6000000000000780|vpt0; poll VPENDBASER
        `),
      );
      expect(s.vpe().pendingLast).toBe(pending);
    }
  });

  it('IDAI is what the redistributor left in the register', async () => {
    const s = await scenario('v4');
    s.vpe().schedule(2);
    s.vpe().deschedule();
    const { gicr } = s.system.machine.config.addressMap;
    const left = BigInt(s.system.machine.read(gicr + 2 * 0x4_0000 + 0x2_0078, 8)) & IDAI;
    const [value] = written(
      s.trace(() => s.vpe().schedule(1)),
      'VPENDBASER',
    ) as [bigint];
    expect(value & IDAI).toBe(left);
  });
});

describe('24: VPE invalidation hook', () => {
  it('VINVALL on every ITS in 2017, later on the first', async () => {
    const one = ['ITS0: VINVALL vpe=0; VSYNC vpe=0'];
    for (const [kvm, expected] of [
      ['2017', [...one, 'ITS1: VINVALL vpe=0; VSYNC vpe=0']],
      ['5.6', one],
      ['6.19', one],
    ] as const) {
      const s = await scenario('v4TwoIts', kvm);
      expect(
        s.trace(() => s.vpe().invall()),
        kvm,
      ).toEqual(expected);
    }
  });
});

describe('25: VPE affinity changes', () => {
  it('one VMOVP for all ITSs: on the first, with sequence number 0', async () => {
    const s = await scenario('v4TwoIts');
    expect(s.trace(() => s.vpe().doorbell.setAffinity(3))).toEqual(
      golden(`
        ITS0: VMOVP vpe=0 rd=3 seq=0 list=0x0 DB=0 default=0; VSYNC vpe=0
        RD0: CLRLPIR=db0; poll SYNCR
      `),
    );
  });

  it('ITSList: the seventh move has sequence number 7 on both ITSs', async () => {
    const s = await scenario('v4ItsList', '2017');
    for (let move = 1; move < 7; move++) s.vpe().doorbell.setAffinity(move % 4);
    expect(s.trace(() => s.vpe().doorbell.setAffinity(3))).toEqual(
      golden(`
        ITS0: VMOVP vpe=0 rd=3 seq=7 list=0x3 DB=0 default=0; VSYNC vpe=0
        ITS1: VMOVP vpe=0 rd=3 seq=7 list=0x3 DB=0 default=0; VSYNC vpe=0
        RD2: CLRLPIR=db0; poll SYNCR
      `),
    );
  });
});

describe('26: VPE interrupt masking', () => {
  it("the byte of the doorbell, then GICR_INVLPIR on the vPE's redistributor", async () => {
    const s = await scenario('v4');
    s.vpe().doorbell.setAffinity(2);
    expect(s.trace(() => s.vpe().doorbell.unmask())).toEqual([
      'PCFG[db0]=0xa3',
      'RD2: INVLPIR=db0; poll SYNCR',
    ]);
    expect(s.trace(() => s.vpe().doorbell.mask())).toEqual([
      'PCFG[db0]=0xa2',
      'RD2: INVLPIR=db0; poll SYNCR',
    ]);
  });
});

describe('27: doorbell invalidation when !DirectLPI', () => {
  it('a doorbell without slot takes one; the fifth on four slots evicts the first', async () => {
    const s = await scenario('v4Proxy', '5.6', { vpes: 5 });
    expect(s.trace(() => s.vpe(0).doorbell.unmask())).toEqual(
      golden(`
        PCFG[db0]=0xa3
        ITS0: MAPTI d=0xffff e=0 p=db0 c=0; SYNC rd=0
        ITS0: INV d=0xffff e=0; SYNC rd=0
      `),
    );
    for (const n of [1, 2, 3]) s.vpe(n).doorbell.unmask();
    expect(s.trace(() => s.vpe(4).doorbell.unmask())).toEqual(
      golden(`
        PCFG[db4]=0xa3
        ITS0: DISCARD d=0xffff e=0; SYNC rd=0
        ITS0: MAPTI d=0xffff e=0 p=db4 c=0; SYNC rd=0
        ITS0: INV d=0xffff e=0; SYNC rd=0
      `),
    );
  });
});

describe('28: doorbells injected/cleared', () => {
  it('DirectLPI: SETLPIR, and CLRLPIR with the wait', async () => {
    const s = await scenario('v4');
    expect(s.trace(() => s.vpe().doorbell.setPending(true))).toEqual(['RD0: SETLPIR=db0']);
    expect(s.trace(() => s.vpe().doorbell.setPending(false))).toEqual(['RD0: CLRLPIR=db0; poll SYNCR']);
  });

  it('else INT and CLEAR through the slot', async () => {
    const s = await scenario('v4Proxy');
    s.vpe().doorbell.unmask();
    expect(s.trace(() => s.vpe().doorbell.setPending(true))).toEqual(['ITS0: INT d=0xffff e=0; SYNC rd=0']);
    expect(s.trace(() => s.vpe().doorbell.setPending(false))).toEqual([
      'ITS0: CLEAR d=0xffff e=0; SYNC rd=0',
    ]);
  });
});

describe('29: implementation-defined bit', () => {
  for (const [architecture, control] of [
    ['GICv3', '0x80000001'],
    ['GICv4.0', '0x80000003'],
    ['GICv4.1', '0x80000003'],
  ] as const) {
    it(`${architecture}: GITS_CTLR is written with ${control}`, async () => {
      const log = notation(new IrqChip(await createMachine({ cpus: 1, architecture })).takeLog());
      expect(log.filter((line) => line.startsWith('ITS0: [0x0]'))).toEqual([`ITS0: [0x0]=${control}`]);
    });
  }
});

describe('30: per-VM VPE domain creation', () => {
  it('irqs are consecutive, and IDAI starts as 1', async () => {
    const s = await scenario('v4', '5.6', { vpes: 4 });
    const base = s.vpe(0).doorbell.number;
    expect(s.vm.vpes.map((vpe) => vpe.doorbell.number)).toEqual([base, base + 1, base + 2, base + 3]);
    for (const [cpu, vpe] of s.vm.vpes.entries()) {
      const [value] = written(
        s.trace(() => vpe.schedule(cpu)),
        'VPENDBASER',
      ) as [bigint];
      expect(value & IDAI).toBe(IDAI);
    }
  });

  it('a failure at any step undoes everything: ENOMEM', async () => {
    const machine = await createMachine({ cpus: 2, architecture: 'GICv4.0', vpeIdBits: 4, intidBits: 14 });
    const { base, size } = machine.config.ram;
    const none = { lpis: 'ENOMEM', vpeIds: 'ENOMEM', ram: 'ENOMEM' };
    const attempt = (ramPages: number, use: (chip: IrqChip) => void, vpes: number) => {
      const chip = new IrqChip(machine, { ram: { base: base + size - 2 ** 24, size: ramPages * 0x1_0000 } });
      use(chip);
      const free = chip.freeLpis;
      chip.takeLog();
      const errno = errnoOf(() => chip.createVm(vpes));
      expect([chip.freeLpis, chip.takeLog()]).toEqual([free, []]);
      const [vpe] = free > 0 ? chip.createVm(1).vpes : [];
      expect(vpe?.vpeId ?? 0).toBe(0);
      return errno;
    };
    const allLpis = (chip: IrqChip) => {
      for (const deviceId of [0, 1, 2, 3]) chip.createDevice({ deviceId, events: 2048 });
    };
    const nothing = () => {};
    expect({
      lpis: attempt(256, allLpis, 1),
      vpeIds: attempt(256, nothing, 17),
      ram: attempt(16, nothing, 16),
    }).toEqual(none);
  });
});

describe('31: VPE command interface', () => {
  it('each wrapper acts on the vPE of its doorbell, on the PE it runs on', async () => {
    const s = await scenario('v4', '5.6', { vpes: 2 });
    const at = (log: readonly string[]) => [...new Set(log.map((line) => line.split(':')[0]))];
    expect(at(s.trace(() => s.vpe(1).schedule(3)))).toEqual(['RD3']);
    expect([s.vpe(0).resident, s.vpe(1).resident]).toEqual([false, true]);
    expect(s.trace(() => s.vpe(1).invall())).toEqual(['ITS0: VINVALL vpe=1; VSYNC vpe=1']);
    expect(at(s.trace(() => s.vpe(1).deschedule()))).toEqual(['RD3']);
    expect(s.vpe(1).resident).toBe(false);
  });
});

describe('32: VLPI configuration interface', () => {
  it('its_map_vlpi, its_get_vlpi, its_prop_update_vlpi, its_unmap_vlpi; a mask acts at once while mapped', async () => {
    const s = await scenario('v4');
    s.forward();
    expect(s.irq.getVlpi()?.properties).toEqual({ priority: 0xa0, enabled: true });
    expect(s.trace(() => s.irq.mask()).length).toBe(3);
    s.irq.updateVlpi({ priority: 0x20, enabled: true });
    expect(s.irq.getVlpi()?.properties).toEqual({ priority: 0x20, enabled: true });
    s.irq.unmapVlpi();
    expect(s.irq.getVlpi()).toBeUndefined();
    expect(s.irq.masked).toBe(false);
  });
});

describe('34: enable low-level GICv4 operations', () => {
  const mapd = (log: readonly string[]) => log.filter((line) => line.includes('MAPD'));

  it('no GICv4 ITS: no proxy device, no VM', async () => {
    const chip = new IrqChip(await createMachine({ cpus: 2, architecture: 'GICv3', directLpi: false }));
    expect(mapd(notation(chip.takeLog()))).toEqual([]);
    expect(errnoOf(() => chip.createVm(1))).toBe('ENOSYS');
  });

  it('redistributors with VLPIs, and GICv3 ITSs: no proxy device, no VM', async () => {
    const options = { cpus: 2, architecture: 'GICv4.0', directLpi: false, itsWithoutVlpis: [0] } as const;
    const chip = new IrqChip(await createMachine(options));
    expect(mapd(notation(chip.takeLog()))).toEqual([]);
    expect(chip.facts).toMatchObject({ hasVlpis: true, hasV4: false, proxySlots: 0 });
    expect(errnoOf(() => chip.createVm(1))).toBe('ENOSYS');
  });

  it('a proxy device that cannot be made, for want of an entry for its DeviceID: no VLPIs', async () => {
    const facts = async (indirectTables: boolean) => {
      const options = { cpus: 2, architecture: 'GICv4.0', directLpi: false, deviceIdBits: 22 } as const;
      const chip = new IrqChip(await createMachine({ ...options, indirectTables }));
      expect(errnoOf(() => chip.createVm(1))).toBe(indirectTables ? 'accepted' : 'ENOSYS');
      return [mapd(notation(chip.takeLog())).length, chip.facts.hasVlpis, chip.facts.hasV4];
    };
    expect(await facts(true)).toEqual([1, true, true]);
    expect(await facts(false)).toEqual([0, false, false]);
  });

  it('redistributors without DirectLPI: the proxy device, once', async () => {
    const chip = new IrqChip(
      await createMachine({ cpus: 3, architecture: 'GICv4.0', directLpi: false, itsCount: 2 }),
    );
    expect(mapd(notation(chip.takeLog()))).toEqual(['ITS0: MAPD d=0xffff size=1 itt=table V=1']);
  });
});

describe('35: advertise GICv4 to KVM', () => {
  it('a redistributor without VLPIs: no GICv4', async () => {
    const options = { cpus: 4, architecture: 'GICv4.0', redistributorsWithoutVlpis: [3] } as const;
    const s = new Scenario(await createMachine(options), '5.6');
    expect(s.system.chip.facts.hasV4).toBe(false);
    expect(s.trace(() => s.system.chip.createVm(1))).toEqual(['-> ENOSYS']);
    expect(s.trace(() => s.irq.unmask())).toEqual(['PCFG[lpi]=0xa3', 'RD1: INVLPIR=lpi; poll SYNCR']);
  });

  it('all with VLPIs: GICv4', async () => {
    const { chip } = await start('v4');
    expect(chip.facts.hasV4).toBe(true);
    expect(first(chip.createVm(1).vpes).vpeId).toBe(0);
  });
});
