import { describe, expect, it } from 'vitest';
import { createMachine, type DriverAction, IrqChip } from '../../../bindings/index.ts';
import { forwarded, golden, PROPERTIES, Scenario, scenario } from '../scenario.ts';
import { DEVICE, EVENT, VINTID } from '../system.ts';

// What KVM asks the host for, and what the host then does to the hardware.

/** A VM of two vPEs with three VLPIs of one device, forwarded to the first. */
async function threeVlpis(kvm: '2017' | '5.6' | '6.19') {
  const s = await scenario('v4', kvm, { vpes: 2 });
  const irqs = s.device.irqs.slice(0, 3);
  for (const [n, irq] of irqs.entries()) {
    irq.activate(0);
    s.forward({ irq, vIntid: VINTID + n });
  }
  return { s, irqs };
}

describe('37: move kvm_vgic_destroy call', () => {
  it("the host's half: a VM is freed after its VLPIs and its doorbells, while its vPEs are there", async () => {
    const s = await forwarded('v4', '5.6', { vpes: 2 });
    expect(s.trace(() => s.vm.free())).toEqual(['-> EBUSY']);
    s.irq.unmapVlpi();
    expect(s.trace(() => s.vm.free())).toEqual(['-> EBUSY']);
    expect(s.trace(() => s.vm.vpes.map(({ doorbell }) => doorbell.deactivate()))).toEqual(
      golden(`
        ITS0: VMAPP vpe=0 rd=0 bits=0 vpt=0 V=0; VSYNC vpe=0
        ITS0: VMAPP vpe=1 rd=0 bits=0 vpt=0 V=0; VSYNC vpe=1
      `),
    );
    expect(s.trace(() => s.vm.free())).toEqual([]);
  });
});

describe('41: wire VLPI map/unmap in VFIO irq bypass', () => {
  it("the host's half: a producer that comes is a map, one that goes an unmap", async () => {
    const s = await scenario('v4');
    expect(s.trace(() => s.forward())).toEqual(
      golden(`
        VCFG(0)[8300]=0xa3
        ITS0: DISCARD d=0x10 e=3; SYNC rd=1
        ITS0: VMAPTI d=0x10 e=3 vpe=0 v=8300 db=db0; VSYNC vpe=0
      `),
    );
    expect(s.trace(() => s.irq.unmapVlpi())).toEqual(
      golden(`
        ITS0: DISCARD d=0x10 e=3; SYNC rd=1
        ITS0: MAPTI d=0x10 e=3 p=lpi c=1; SYNC rd=1
        PCFG[lpi]=0xa3
        RD1: INVLPIR=lpi; poll SYNCR
      `),
    );
  });
});

describe('42: INT applied to a VLPI', () => {
  it("the host's half: INT and VSYNC, and the VLPI is pending", async () => {
    for (const [kvm, sync] of [
      ['2017', 'SYNC rd=1'],
      ['5.6', 'VSYNC vpe=0'],
      ['6.19', 'VSYNC vpe=0'],
    ] as const) {
      const s = await forwarded('v4', kvm);
      expect(
        s.trace(() => s.irq.setPending(true)),
        kvm,
      ).toEqual([`ITS0: INT d=0x10 e=3; ${sync}`]);
      const byte = s.system.machine.its(0).vpePendingTable(0)[VINTID >> 3] ?? 0;
      expect((byte >> (VINTID & 7)) & 1).toBe(1);
    }
  });
});

describe('43: unmap VLPI when freeing an LPI', () => {
  it("the host's half: the event is unmapped once; a second time is EINVAL, without a command", async () => {
    const s = await forwarded('v4');
    expect(s.trace(() => s.irq.unmapVlpi()).length).toBe(4);
    expect(s.trace(() => s.irq.unmapVlpi())).toEqual(['-> EINVAL']);
    expect(s.system.machine.its(0).interrupt(DEVICE, EVENT)).toMatchObject({ kind: 'physical' });
  });
});

describe('44: MOVI applied to a VLPI', () => {
  it("the host's half: get, another vPE, map again: VMOVI and VSYNC", async () => {
    for (const kvm of ['2017', '5.6', '6.19'] as const) {
      const s = await forwarded('v4', kvm, { vpes: 2 });
      const trace = s.trace(() => {
        const map = s.irq.getVlpi();
        if (map) s.irq.mapVlpi({ ...map, vpe: s.vpe(1) });
      });
      expect(trace, kvm).toEqual(['ITS0: VMOVI d=0x10 e=3 vpe=1 D=1 db=db1; VSYNC vpe=1']);
    }
  });
});

describe('45: CLEAR applied to a VLPI', () => {
  it("the host's half: CLEAR and VSYNC, and the VLPI is not pending", async () => {
    const s = await forwarded('v4');
    s.irq.setPending(true);
    expect(s.trace(() => s.irq.setPending(false))).toEqual(['ITS0: CLEAR d=0x10 e=3; VSYNC vpe=0']);
    expect(s.system.machine.its(0).vpePendingTable(0)[VINTID >> 3]).toBe(0);
  });
});

describe('46: MOVALL applied to a vPE', () => {
  it("the host's half: one VMOVI for each of its VLPIs", async () => {
    const { s, irqs } = await threeVlpis('5.6');
    const trace = s.trace(() => {
      for (const [n, irq] of irqs.entries()) s.forward({ vpe: 1, irq, vIntid: VINTID + n });
    });
    expect(trace).toEqual(
      golden(`
        ITS0: VMOVI d=0x10 e=0 vpe=1 D=1 db=db1; VSYNC vpe=1
        ITS0: VMOVI d=0x10 e=1 vpe=1 D=1 db=db1; VSYNC vpe=1
        ITS0: VMOVI d=0x10 e=2 vpe=1 D=1 db=db1; VSYNC vpe=1
      `),
    );
  });
});

describe('47: propagate property updates', () => {
  it("the host's half: the byte, INV and VSYNC; VMOVI where the enable bit flipped", async () => {
    for (const [kvm, sync] of [
      ['2017', 'SYNC rd=1'],
      ['5.6', 'VSYNC vpe=0'],
      ['6.19', 'VSYNC vpe=0'],
    ] as const) {
      const s = await forwarded('v4', kvm);
      const byte = (priority: number, enabled: boolean) =>
        s.trace(() => s.irq.updateVlpi({ priority, enabled }));
      const inv = `ITS0: INV d=0x10 e=3; ${sync}`;
      expect(byte(0x40, true), kvm).toEqual(['VCFG(0)[8300]=0x43', inv]);
      expect(byte(0x40, false), kvm).toEqual([
        'VCFG(0)[8300]=0x42',
        inv,
        'ITS0: VMOVI d=0x10 e=3 vpe=0 D=1 db=1023; VSYNC vpe=0',
      ]);
      expect(byte(0x80, true), kvm).toEqual([
        'VCFG(0)[8300]=0x83',
        inv,
        'ITS0: VMOVI d=0x10 e=3 vpe=0 D=1 db=db0; VSYNC vpe=0',
      ]);
    }
  });
});

describe('48: INVALL applied to a vPE', () => {
  it("the host's half: three bytes without INV, then one VINVALL", async () => {
    const { s, irqs } = await threeVlpis('5.6');
    const trace = s.trace(() => {
      for (const irq of irqs) irq.updateVlpi({ priority: 0x40, enabled: true }, false);
      s.vpe().invall();
    });
    expect(trace).toEqual(
      golden(`
        VCFG(0)[8300]=0x43
        VCFG(0)[8301]=0x43
        VCFG(0)[8302]=0x43
        ITS0: VINVALL vpe=0; VSYNC vpe=0
      `),
    );
  });
});

describe('49: propagate properties at map time', () => {
  it("the host's half: the byte is written before the event is switched", async () => {
    for (const kvm of ['5.6', '6.19'] as const) {
      const s = await scenario('v4', kvm);
      expect(
        s.trace(() => s.forward({ properties: { priority: 0x40, enabled: true } })),
        kvm,
      ).toEqual(
        golden(`
          VCFG(0)[8300]=0x43
          ITS0: DISCARD d=0x10 e=3; SYNC rd=1
          ITS0: VMAPTI d=0x10 e=3 vpe=0 v=8300 db=db0; VSYNC vpe=0
        `),
      );
    }
  });

  it("the host's half in 2017: after the map, by an update with INV", async () => {
    const s = await scenario('v4', '2017');
    const properties = { priority: 0x40, enabled: true };
    const trace = s.trace(() => {
      s.forward({ properties });
      s.irq.updateVlpi(properties);
    });
    expect(trace).toEqual(
      golden(`
        ITS0: DISCARD d=0x10 e=3; SYNC rd=1
        ITS0: VMAPTI d=0x10 e=3 vpe=0 v=8300 db=db0; VSYNC vpe=0
        VCFG(0)[8300]=0x43
        ITS0: INV d=0x10 e=3; SYNC rd=1
      `),
    );
  });
});

describe('50: pending_last as a scheduling hint', () => {
  it("the host's half: a vPE that leaves with a VLPI pending says so, one that leaves without does not", async () => {
    for (const name of ['v4', 'v4Proxy', 'v4_1'] as const) {
      const s = await forwarded(name);
      for (const pending of [true, false]) {
        s.irq.setPending(pending);
        s.vpe().schedule(0);
        s.vpe().deschedule({ doorbell: true });
        expect(s.vpe().pendingLast, name).toBe(pending);
      }
    }
  });
});

describe('51: doorbell interrupt handling', () => {
  it("the host's half: the doorbell fires on the vPE's PE, and again until it is disabled", async () => {
    for (const kvm of ['2017', '5.6', '6.19'] as const) {
      const s = await forwarded('v4', kvm);
      const { machine } = s.system;
      const other = s.device.irqs[0] as typeof s.irq;
      other.activate(0);
      s.forward({ irq: other, vIntid: VINTID + 1 });
      s.vpe().doorbell.setAffinity(2);
      s.vpe().doorbell.unmask();
      machine.sendMsi(DEVICE, EVENT);
      const unit = machine.cpu(2);
      expect(unit.acknowledge(), kvm).toBe(s.vpe().doorbell.intid);
      unit.endOfInterrupt(s.vpe().doorbell.intid);
      expect([s.vpe().doorbell.masked, machine.irq(2)], kvm).toEqual([false, false]);
      machine.sendMsi(DEVICE, 0);
      expect(machine.irq(2), kvm).toBe(true);
      expect(
        s.trace(() => s.vpe().doorbell.mask()),
        kvm,
      ).toEqual(['PCFG[db0]=0xa2', 'RD2: INVLPIR=db0; poll SYNCR']);
      expect(machine.irq(2), kvm).toBe(false);
    }
  });
});

describe('52: doorbell as an unblocking source', () => {
  it("the host's half: unmasked before the vPE leaves to sleep, masked before it runs again", async () => {
    for (const kvm of ['5.6', '6.19'] as const) {
      const s = await scenario('v4', kvm);
      s.vpe().schedule(0);
      expect(s.trace(() => s.vpe().deschedule({ doorbell: true })).slice(0, 2), kvm).toEqual([
        'PCFG[db0]=0xa3',
        'RD0: INVLPIR=db0; poll SYNCR',
      ]);
      expect(s.trace(() => s.vpe().schedule(0)).slice(0, 2), kvm).toEqual([
        'PCFG[db0]=0xa2',
        'RD0: INVLPIR=db0; poll SYNCR',
      ]);
    }
  });

  it("the host's half in 2017: KVM does both itself", async () => {
    const s = await scenario('v4', '2017');
    s.vpe().schedule(0);
    const quiet = (log: readonly string[]) =>
      expect(log.filter((line) => line.startsWith('PCFG'))).toEqual([]);
    quiet(s.trace(() => s.vpe().deschedule({ doorbell: true })));
    expect(s.trace(() => s.vpe().doorbell.unmask())[0]).toBe('PCFG[db0]=0xa3');
    quiet(s.trace(() => s.vpe().schedule(0)));
    expect(s.trace(() => s.vpe().doorbell.mask())[0]).toBe('PCFG[db0]=0xa2');
  });
});

describe('53: vPE scheduling hooked in flush/sync', () => {
  it("the host's half in 2017: three entries and exits are three pairs; an affinity that stays costs nothing", async () => {
    const s = await scenario('v4', '2017');
    const trace = s.trace(() => {
      for (let entry = 0; entry < 3; entry++) {
        s.vpe().doorbell.setAffinity(1);
        s.vpe().schedule(1);
        s.vpe().deschedule();
      }
    });
    const pair = golden(`
      RD1: VPROPBASER=0x58f|vprop
      RD1: VPENDBASER=0xe000000000000380|vpt0
      RD1: VPENDBASER=0x6000000000000380|vpt0; poll VPENDBASER
    `);
    expect(trace).toEqual([
      'ITS0: VMOVP vpe=0 rd=1 seq=0 list=0x0 DB=0 default=0; VSYNC vpe=0',
      'RD0: CLRLPIR=db0; poll SYNCR',
      ...pair,
      ...pair,
      ...pair,
    ]);
  });
});

describe('54: virtual cpuif on if VLPIs can arrive', () => {
  it('the hardware: a guest sees its VLPI with no list register in use, if ICH_HCR_EL2.En is set', async () => {
    const s = await forwarded('v4');
    const { machine } = s.system;
    machine.writeSystemRegister(0, 'ICH_VMCR_EL2', 0xf800_0002);
    s.vpe().schedule(0);
    machine.sendMsi(DEVICE, EVENT);
    expect(machine.virtualOutputs(0).virq).toBe(false);
    machine.writeSystemRegister(0, 'ICH_HCR_EL2', 1);
    expect(machine.virtualOutputs(0)).toMatchObject({ virq: true, winner: 'vlpi' });
  });
});

describe('58: pass its_node to each builder', () => {
  const commandOf = (log: readonly DriverAction[], name: string) =>
    log.flatMap((action) => (action.kind === 'command' && action.command.command === name ? [action] : []));

  async function activation(options: object) {
    const chip = new IrqChip(await createMachine({ cpus: 2, itsCount: 2, ...options }));
    chip.takeLog();
    chip.createVm(1).activate();
    return commandOf(chip.takeLog(), 'VMAPP');
  }

  it('VMAPP is built for the ITS that it goes to', async () => {
    const forV4 = await activation({ architecture: 'GICv4.0' });
    const forV4_1 = await activation({ architecture: 'GICv4.1' });
    expect(forV4.map(({ its, command }) => [its, 'layout' in command && command.layout])).toEqual([
      [0, '4.0'],
      [1, '4.0'],
    ]);
    expect(forV4_1.map(({ its, command }) => [its, 'alloc' in command && command.alloc])).toEqual([
      [0, true],
      [1, false],
    ]);
  });
});

describe('59: Huawei D05 RD addressing workaround', () => {
  it('without the quirk VMAPP, VMOVP and SYNC name the address of RD_base where GITS_TYPER.PTA=1', async () => {
    const addressMap = { gicr: 0x4000_0000 };
    const options = { cpus: 4, architecture: 'GICv4.0', physicalTargetAddresses: true, addressMap } as const;
    const s = new Scenario(await createMachine(options), '5.6', { vpes: 1 });
    s.vpe().doorbell.deactivate();
    s.system.machine.takeDiagnostics();
    const targets = (operation: () => void, command: string) => {
      s.system.chip.takeLog();
      operation();
      return s.system.chip
        .takeLog()
        .flatMap((action) =>
          action.kind === 'command' && action.command.command === command ? [action.command] : [],
        )
        .map((sent) => ('rdBase' in sent ? sent.rdBase * 0x1_0000 : undefined));
    };
    expect(targets(() => s.vpe().doorbell.activate(), 'VMAPP')).toEqual([0x4000_0000]);
    expect(targets(() => s.vpe().doorbell.setAffinity(2), 'VMOVP')).toEqual([0x4008_0000]);
    expect(targets(() => s.irq.setPending(true), 'SYNC')).toEqual([0x4004_0000]);
    expect(s.system.machine.takeDiagnostics()).toEqual([]);
    s.irq.mapVlpi({ vpe: s.vpe(), vIntid: VINTID, properties: PROPERTIES, doorbell: true });
    s.vpe().schedule(2);
    expect(s.system.machine.sendMsi(DEVICE, EVENT)).toBe('pending');
    expect(s.system.machine.virtualOutputs(2).bestVlpi?.vIntid).toBe(VINTID);
  });
});
