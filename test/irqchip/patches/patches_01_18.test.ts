import { describe, expect, it } from 'vitest';
import {
  createMachine,
  decodeCommand,
  encodeCommand,
  IrqChip,
  type Machine,
} from '../../../bindings/index.ts';
import { notation } from '../notation.ts';
import { forwarded, golden, Scenario, scenario } from '../scenario.ts';
import { DEVICE, EVENT, errnoOf, first, System, start, VINTID } from '../system.ts';

const ENABLED = { priority: 0xa0, enabled: true };

/** GICR_TYPER of each PE of a machine of four, as `change` leaves it. */
async function withTypers(options: object, change: (typer: bigint, cpu: number) => bigint): Promise<Machine> {
  const plain = await createMachine({ cpus: 4, ...options });
  const typers = [0, 1, 2, 3].map((cpu) => change(BigInt(plain.redistributor(cpu).read('GICR_TYPER')), cpu));
  return createMachine({ cpus: 4, ...options, identification: { GICR_TYPER: typers } });
}

function bootLog(machine: Machine): string[] {
  return notation(new IrqChip(machine).takeLog());
}

const proxies = (log: readonly string[]) => log.filter((line) => line.startsWith('ITS0: MAPD'));

describe('01: genirq: irq_set_vcpu_affinity() iterates over hierarchy', () => {
  it('of the chips of a device interrupt the ITS answers, once', async () => {
    const s = await scenario('v4');
    const map = { vpe: s.vpe(), vIntid: VINTID, properties: ENABLED, doorbell: true };
    expect(s.trace(() => s.irq.setVcpuAffinity({ type: 'MAP_VLPI', ...map }))).toEqual(
      golden(`
        VCFG(0)[8300]=0xa3
        ITS0: DISCARD d=0x10 e=3; SYNC rd=1
        ITS0: VMAPTI d=0x10 e=3 vpe=0 v=8300 db=db0; VSYNC vpe=0
      `),
    );
    expect(s.trace(() => s.irq.setVcpuAffinity({ type: 'GET_VLPI' }))).toEqual([]);
  });

  it('of those of a doorbell the chip of the vPEs answers, which has commands of its own', async () => {
    const s = await forwarded('v4');
    expect(s.trace(() => s.vpe().doorbell.setVcpuAffinity({ type: 'INVALL_VPE' }))).toEqual([
      'ITS0: VINVALL vpe=0; VSYNC vpe=0',
    ]);
    expect(s.trace(() => s.irq.setVcpuAffinity({ type: 'INVALL_VPE' }))).toEqual(['-> EINVAL']);
    expect(s.trace(() => s.vpe().doorbell.setVcpuAffinity(null))).toEqual(['-> EINVAL']);
  });
});

describe('02: redistributor iterator', () => {
  for (const [architecture, stride] of [
    ['GICv3', 0x2_0000],
    ['GICv4.0', 0x4_0000],
    ['GICv4.1', 0x4_0000],
  ] as const) {
    it(`${architecture}: each of four, at steps of 0x${stride.toString(16)}, and no more`, async () => {
      const machine = await createMachine({ cpus: 4, architecture });
      const log = bootLog(machine);
      const visited = new Set(log.filter((line) => line.startsWith('RD')).map((line) => line.slice(0, 4)));
      expect([...visited]).toEqual(['RD0:', 'RD1:', 'RD2:', 'RD3:']);
      const { gicr } = machine.config.addressMap;
      for (let cpu = 0; cpu < 4; cpu++) {
        const ctlr = Number(machine.read(gicr + cpu * stride, 4));
        const typer = BigInt(machine.read(gicr + cpu * stride + 8, 8));
        expect([ctlr & 1, (typer >> 4n) & 1n], `RD${cpu}`).toEqual([1, cpu === 3 ? 1n : 0n]);
      }
    });
  }
});

describe('03: VLPI/DirectLPI discovery', () => {
  const DIRECT_LPI = 1n << 3n;

  it('one redistributor of four without DirectLPI: the system has none, and gets the proxy device', async () => {
    const v4 = { architecture: 'GICv4.0', directLpi: true };
    expect(proxies(bootLog(await withTypers(v4, (typer) => typer)))).toEqual([]);
    const mixed = await withTypers(v4, (typer, cpu) => (cpu === 2 ? typer & ~DIRECT_LPI : typer));
    expect(proxies(bootLog(mixed))).toEqual(['ITS0: MAPD d=0xffff size=1 itt=table V=1']);
  });

  it('and doorbells are reached through it', async () => {
    const mixed = await withTypers({ architecture: 'GICv4.0' }, (typer, cpu) =>
      cpu ? typer : typer & ~DIRECT_LPI,
    );
    const s = new Scenario(mixed, '5.6', { vpes: 1 });
    expect(s.trace(() => s.vpe().doorbell.setPending(true)).at(-1)).toBe('ITS0: INT d=0xffff e=0; SYNC rd=0');
  });
});

describe('04: move LPI definitions around', () => {
  it('bit 0 enables, bit 1 is Group 1, [7:2] the priority, in the physical table as in the virtual one', async () => {
    const s = await scenario('v4');
    expect(s.trace(() => s.irq.unmask())[0]).toBe('PCFG[lpi]=0xa3');
    expect(s.trace(() => s.irq.mask())[0]).toBe('PCFG[lpi]=0xa2');
    expect(s.trace(() => s.forward())[0]).toBe(`VCFG(0)[${VINTID}]=0xa3`);
    expect(s.trace(() => s.irq.mask())).toContain(`VCFG(0)[${VINTID}]=0xa2`);
    for (const [priority, byte] of [
      [0, '0x3'],
      [0xfc, '0xff'],
    ] as const) {
      const [written] = s.trace(() => s.irq.updateVlpi({ priority, enabled: true }));
      expect(written).toBe(`VCFG(0)[${VINTID}]=${byte}`);
    }
  });
});

describe('05: probing for VLPI properties', () => {
  it('ITSs whose VMOVP is not for all are numbered 0 and 1: ITSList 3', async () => {
    const machine = await createMachine({
      cpus: 4,
      architecture: 'GICv4.0',
      itsCount: 2,
      vmovpOnAnyIts: false,
    });
    const log = bootLog(machine).filter((line) => line.includes('[0x0]'));
    expect(log).toEqual([
      'ITS0: [0x0]=0x80000000',
      'ITS0: [0x0]=0x80000003',
      'ITS1: [0x0]=0x80000010',
      'ITS1: [0x0]=0x80000013',
    ]);
    expect([0, 1].map((its) => (Number(machine.its(its).read('GITS_CTLR')) >> 4) & 15)).toEqual([0, 1]);
    const s = await scenario('v4ItsList', '2017');
    expect(s.trace(() => s.vpe().doorbell.setAffinity(1))[0]).toContain('list=0x3');
  });

  const listed = { architecture: 'GICv4.0', cpus: 4, itsCount: 3, vmovpOnAnyIts: false } as const;

  it('ITSs whose numbers are fixed keep them', async () => {
    const system = new System(await createMachine({ ...listed, itsNumbers: [7, 2, 0] }), '5.6');
    expect(system.chip.facts.itsListMap).toBe(0b1000_0101);
    const s = new Scenario(await createMachine({ ...listed, itsNumbers: [7, 2, 0] }), '2017', { vpes: 1 });
    expect(s.trace(() => s.vpe().doorbell.setAffinity(3))).toEqual(
      golden(`
        ITS0: VMOVP vpe=0 rd=3 seq=1 list=0x85 DB=0 default=0; VSYNC vpe=0
        ITS1: VMOVP vpe=0 rd=3 seq=1 list=0x85 DB=0 default=0; VSYNC vpe=0
        ITS2: VMOVP vpe=0 rd=3 seq=1 list=0x85 DB=0 default=0; VSYNC vpe=0
        RD0: CLRLPIR=db0; poll SYNCR
      `),
    );
    expect([0, 1, 2].map((its) => s.system.machine.its(its).vpe(0)?.cpu)).toEqual([3, 3, 3]);
  });

  it('a fixed number that another ITS has: that ITS fails to probe, the others do not', async () => {
    const machine = await createMachine({ ...listed, itsNumbers: [0, 0, 1] });
    const chip = new IrqChip(machine);
    const log = notation(chip.takeLog());
    expect(log.filter((line) => line.startsWith('ITS1'))).toEqual(['ITS1: [0x0]=0x80000010']);
    expect([0, 1, 2].map((its) => Number(machine.its(its).read('GITS_CTLR')) & 1)).toEqual([1, 0, 1]);
    expect(chip.facts).toMatchObject({ itsListMap: 0b11, hasV4: true });
    expect(errnoOf(() => chip.createDevice({ its: 1, deviceId: DEVICE, events: 1 }))).toBe('EINVAL');
    const [irq] = chip.createDevice({ its: 2, deviceId: DEVICE, events: 1 }).irqs;
    const vm = chip.createVm(1);
    vm.activate();
    const vpe = first(vm.vpes);
    irq?.activate(1);
    irq?.mapVlpi({ vpe, vIntid: VINTID, properties: ENABLED, doorbell: true });
    chip.takeLog();
    vpe.doorbell.setAffinity(2);
    expect(notation(chip.takeLog()).filter((line) => line.startsWith('ITS'))).toEqual([
      'ITS2: VMOVP vpe=0 rd=2 seq=1 list=0x2 DB=0 default=0; VSYNC vpe=0',
    ]);
    vpe.schedule(2);
    machine.sendMsi(DEVICE, 0, 2);
    expect(machine.virtualOutputs(2).bestVlpi?.vIntid).toBe(VINTID);
    expect(machine.takeDiagnostics()).toEqual([]);
  });

  it('a GICv3 ITS, and one whose VMOVP is for all, get no number', async () => {
    for (const architecture of ['GICv3', 'GICv4.0'] as const) {
      const log = bootLog(await createMachine({ cpus: 1, architecture, itsCount: 2, vmovpOnAnyIts: true }));
      const enabled = architecture === 'GICv3' ? '0x80000001' : '0x80000003';
      expect(log.filter((line) => line.includes('[0x0]'))).toEqual([
        `ITS0: [0x0]=${enabled}`,
        `ITS1: [0x0]=${enabled}`,
      ]);
    }
  });
});

describe('06: macro-ize its_send_single_command', () => {
  it('MAPTI is followed by SYNC to the redistributor of the collection; MAPD by nothing, nor INVALL in 2017', async () => {
    const machine = await createMachine({ cpus: 2, architecture: 'GICv3' });
    const chip = new IrqChip(machine, { kvm: '2017' });
    expect(notation(chip.takeLog()).filter((line) => /MAPC|INVALL/.test(line))).toEqual(
      golden(`
        ITS0: MAPC c=0 rd=0 V=1; SYNC rd=0
        ITS0: INVALL c=0
        ITS0: MAPC c=1 rd=1 V=1; SYNC rd=1
        ITS0: INVALL c=1
      `),
    );
    first(chip.createDevice({ deviceId: DEVICE, events: 2 }).irqs).activate(1);
    expect(notation(chip.takeLog())).toEqual(
      golden(`
        ITS0: MAPD d=0x10 size=0 itt=table V=1
        ITS0: MAPTI d=0x10 e=0 p=8192 c=1; SYNC rd=1
      `),
    );
  });
});

describe('07: irq_set_irqchip_state for pending state', () => {
  it('setting is INT and SYNC, clearing CLEAR and SYNC', async () => {
    const s = await scenario('v3');
    const set = (value: boolean) => s.trace(() => s.irq.setIrqchipState('pending', value));
    expect(set(true)).toEqual(['ITS0: INT d=0x10 e=3; SYNC rd=1']);
    expect(set(false)).toEqual(['ITS0: CLEAR d=0x10 e=3; SYNC rd=1']);
  });

  it('any other state: EINVAL, without a command', async () => {
    const s = await scenario('v3');
    for (const state of ['active', 'masked', 'line-level'] as const) {
      for (const value of [true, false]) {
        expect(s.trace(() => s.irq.setIrqchipState(state, value))).toEqual(['-> EINVAL']);
      }
    }
  });
});

describe('08: split out property table allocation', () => {
  it('every byte of the table of a fresh VM is 0xa2', async () => {
    const system = await start('v4');
    const used = system.chip.createVm(1);
    system.machine.ram(used.propertyTable, 65_536 - 8192).fill(0x5b);
    used.free();
    const vm = system.chip.createVm(1);
    expect(vm.propertyTable).toBe(used.propertyTable);
    const bytes = system.machine.ram(vm.propertyTable, 65_536 - 8192);
    expect(bytes.every((byte) => byte === 0xa2)).toBe(true);
  });
});

describe('09: indirect VCPU tables', () => {
  const INDIRECT = 1n << 62n;
  const VALID = 1n << 63n;
  const ADDRESS = 0x0000_ffff_ffff_0000n;

  async function boot(options: object) {
    const machine = await createMachine({ cpus: 1, architecture: 'GICv4.0', ...options });
    const chip = new IrqChip(machine);
    const baser = BigInt(machine.read(machine.config.addressMap.gits + 0x110, 8));
    const level1 = machine.ram(Number(baser & ADDRESS), 0x1_0000);
    return { machine, chip, baser, entry: new DataView(level1.buffer, level1.byteOffset) };
  }

  it('more than two pages: level 1 at boot, a page of level 2 with the first vPEID of its range', async () => {
    const { chip, baser, entry } = await boot({ vpeIdBits: 16 });
    expect([(baser & INDIRECT) !== 0n, baser & 0xffn]).toEqual([true, 0n]);
    expect(entry.getBigUint64(0, true)).toBe(0n);
    chip.createVm(1);
    const level2 = entry.getBigUint64(0, true);
    expect(level2 & VALID).toBe(VALID);
    expect(entry.getBigUint64(8, true)).toBe(0n);
    chip.createVm(1);
    expect(entry.getBigUint64(0, true)).toBe(level2);
  });

  it('up to two pages it is flat, and where the ITS has no Indirect', async () => {
    const two = await boot({ vpeIdBits: 14 });
    expect([two.baser & INDIRECT, two.baser & 0xffn]).toEqual([0n, 1n]);
    const flat = await boot({ vpeIdBits: 16, indirectTables: false });
    expect([flat.baser & INDIRECT, flat.baser & 0xffn]).toEqual([0n, 7n]);
  });
});

describe('10: split out pending table allocation', () => {
  it('the pending table of each new vPE is zero and 64 KiB aligned', async () => {
    const system = await start('v4');
    const used = system.chip.createVm(3);
    for (const { pendingTable } of used.vpes) system.machine.ram(pendingTable, 8192).fill(0xff);
    used.free();
    for (const { pendingTable } of system.chip.createVm(3).vpes) {
      expect(pendingTable % 0x1_0000).toBe(0);
      expect(system.machine.ram(pendingTable, 8192).every((byte) => byte === 0)).toBe(true);
    }
  });
});

describe('11: rework LPI freeing', () => {
  for (const [kvm, taken] of [
    ['2017', 32],
    ['5.6', 4],
    ['6.19', 4],
  ] as const) {
    it(`the doorbells of a VM that is gone can be allocated again: ${taken} in ${kvm}`, async () => {
      const system = await start('v4', kvm);
      const intids = (vm: { vpes: readonly { doorbell: { intid: number } }[] }) =>
        vm.vpes.map((vpe) => vpe.doorbell.intid);
      const free = system.chip.freeLpis;
      const vm = system.chip.createVm(3);
      const next = system.chip.createVm(1);
      expect(intids(next)).toEqual([8192 + taken]);
      const block = intids(vm);
      vm.free();
      expect(intids(system.chip.createVm(3))).toEqual(block);
      next.free();
      expect(free - system.chip.freeLpis).toBe(taken);
    });
  }
});

describe('LPI freeing: neighbours', () => {
  for (const order of [
    [0, 2, 1],
    [0, 1, 2],
    [2, 1, 0],
    [1, 0, 2],
  ]) {
    it(`blocks that come back in the order ${order} are one again`, async () => {
      const system = new System(
        await createMachine({ cpus: 1, architecture: 'GICv4.0', intidBits: 14 }),
        '5.6',
      );
      const vms = [1, 2, 3].map((vpes) => system.chip.createVm(vpes));
      for (const n of order) vms[n]?.free();
      // All LPIs there are, in blocks that have to be where the VMs' doorbells were.
      for (let deviceId = 0; deviceId < 4; deviceId++) system.chip.createDevice({ deviceId, events: 2048 });
      expect(system.chip.freeLpis).toBe(0);
    });
  }
});

describe('12: generalise device table allocation', () => {
  it('a vPEID without a table entry: ENOMEM, and the ID is free again', async () => {
    const machine = await createMachine({ cpus: 9, architecture: 'GICv4.0', vpeIdBits: 16 });
    const { base, size } = machine.config.ram;
    // 16 times 64 KiB: the host's property table, 9 pending tables, a queue, 3 tables of the ITS, a VM's property table
    // and its vPE's pending table. No room is left for the page of level 2.
    const chip = new IrqChip(machine, { ram: { base: base + size - 2 ** 21, size: 16 * 0x1_0000 } });
    const free = chip.freeLpis;
    for (let n = 0; n < 3; n++) expect(errnoOf(() => chip.createVm(1))).toBe('ENOMEM');
    expect(chip.freeLpis).toBe(free);
    const more = new IrqChip(machine, { ram: { base: base + size - 2 ** 21, size: 17 * 0x1_0000 } });
    expect(first(more.createVm(1).vpes).vpeId).toBe(0);
  });

  it('a vPEID beyond the table: ENOMEM, and IDs are free again', async () => {
    const machine = await createMachine({ cpus: 1, architecture: 'GICv4.0', vpeIdBits: 3 });
    const chip = new IrqChip(machine);
    expect(errnoOf(() => chip.createVm(9))).toBe('ENOMEM');
    expect(chip.createVm(8).vpes.map((vpe) => vpe.vpeId)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  it('the same routine refuses a DeviceID beyond a flat table', async () => {
    const machine = await createMachine({ cpus: 1, deviceIdBits: 22, indirectTables: false });
    const chip = new IrqChip(machine);
    chip.takeLog();
    expect(errnoOf(() => chip.createDevice({ deviceId: 2 ** 21, events: 2 }))).toBe('EINVAL');
    expect(chip.takeLog()).toEqual([]);
    chip.createDevice({ deviceId: 2 ** 21 - 1, events: 2 });
  });
});

describe('13: generalise LPI configuration', () => {
  it('mask: the byte, then INV and SYNC', async () => {
    const s = await scenario('v3');
    s.irq.unmask();
    expect(s.trace(() => s.irq.mask())).toEqual(['PCFG[lpi]=0xa2', 'ITS0: INV d=0x10 e=3; SYNC rd=1']);
  });
});

describe('14: management structure definitions', () => {
  it('its_vm, its_vpe and its_vlpi_map can be inspected', async () => {
    const s = await forwarded('v4', '5.6', { vpes: 2 });
    const [a, b] = [s.vpe(0), s.vpe(1)];
    expect(new Set([s.vm.propertyTable, a.pendingTable, b.pendingTable]).size).toBe(3);
    expect([a.vpeId, b.vpeId]).toEqual([0, 1]);
    expect(b.doorbell.intid).toBe(a.doorbell.intid + 1);
    expect([a.cpu, a.resident, a.pendingLast]).toEqual([0, false, false]);
    const { vpe, ...map } = s.irq.getVlpi() as NonNullable<ReturnType<typeof s.irq.getVlpi>>;
    expect(vpe.vpeId).toBe(0);
    expect(map).toEqual({ vIntid: VINTID, properties: ENABLED, doorbell: true });
  });
});

describe('15: GICv4 ITS command definitions', () => {
  const deviceId = 0x89ab;
  const eventId = 0x4567;
  const event = { deviceId, eventId };
  const vpeId = 0x123;
  for (const [command, words] of [
    [
      { command: 'VMAPTI', ...event, vpeId, vIntid: 9000, doorbell: 8200 },
      [0x0000_89ab_0000_002an, 0x0000_0123_0000_4567n, (8200n << 32n) | 9000n, 0n],
    ],
    [
      { command: 'VMAPI', ...event, vpeId, doorbell: 1023 },
      [0x0000_89ab_0000_002bn, 0x0000_0123_0000_4567n, 1023n << 32n, 0n],
    ],
    [
      {
        command: 'VMAPP',
        layout: '4.0',
        vpeId,
        rdBase: 3,
        valid: true,
        vptAddress: 0x8765_0000,
        vptSize: 15,
      },
      [0x29n, 0x0000_0123_0000_0000n, (1n << 63n) | (3n << 16n), 0x8765_000fn],
    ],
    [{ command: 'VSYNC', vpeId }, [0x25n, 0x0000_0123_0000_0000n, 0n, 0n]],
    [
      { command: 'VMOVI', ...event, vpeId, doorbellValid: true, doorbell: 8200 },
      [0x0000_89ab_0000_0021n, 0x0000_0123_0000_4567n, (8200n << 32n) | 1n, 0n],
    ],
    [{ command: 'VINVALL', vpeId }, [0x2dn, 0x0000_0123_0000_0000n, 0n, 0n]],
  ] as const) {
    it(`${command.command}: encoded and decoded`, () => {
      const bytes = encodeCommand(command as never);
      const view = new DataView(bytes.buffer, bytes.byteOffset);
      expect([0, 8, 16, 24].map((at) => view.getBigUint64(at, true))).toEqual(words);
      expect(decodeCommand(bytes)).toEqual(command);
    });
  }

  it('VMOVP: encoded and decoded', () => {
    const raw = new Uint8Array(32);
    const view = new DataView(raw.buffer);
    const words = [0x22n | (7n << 32n), (0x123n << 32n) | 3n, (1n << 63n) | (2n << 16n), 8200n];
    for (const [n, word] of words.entries()) view.setBigUint64(8 * n, word, true);
    const command = decodeCommand(raw);
    expect(command).toMatchObject({ command: 'VMOVP', vpeId: 0x123, rdBase: 2, defaultDoorbell: 8200 });
    expect(encodeCommand(command)).toEqual(raw);
  });
});

describe('16: VLPI configuration hook', () => {
  it('a device on a GICv3 ITS: any call is EINVAL, without a command', async () => {
    const s = await scenario('v3');
    const { engine } = s.system.machine;
    const EINVAL = -22;
    expect(
      s.trace(() => expect(engine.irqchipMapVlpi(s.irq.number, 0, VINTID, 0xa3, 1)).toBe(EINVAL)),
    ).toEqual([]);
    expect(s.trace(() => s.irq.unmapVlpi())).toEqual(['-> EINVAL']);
    expect(s.trace(() => s.irq.updateVlpi(ENABLED))).toEqual(['-> EINVAL']);
    expect(s.trace(() => s.irq.updateVlpi(ENABLED, false))).toEqual(['-> EINVAL']);
    expect(s.irq.getVlpi()).toBeUndefined();
  });

  it('the same for one on a GICv3 ITS beside a GICv4 one, whose devices can have VLPIs', async () => {
    const options = { cpus: 4, architecture: 'GICv4.0', itsCount: 2, itsWithoutVlpis: [1] } as const;
    const s = new Scenario(await createMachine(options), '5.6', { its: 1, vpes: 1 });
    const map = { vpe: s.vpe(), vIntid: VINTID, properties: ENABLED, doorbell: true };
    for (const info of [
      { type: 'MAP_VLPI', ...map },
      { type: 'GET_VLPI' },
      { type: 'PROP_UPDATE_VLPI', ...ENABLED },
      { type: 'PROP_UPDATE_AND_INV_VLPI', ...ENABLED },
      null,
    ] as const) {
      expect(s.trace(() => s.irq.setVcpuAffinity(info))).toEqual(['-> EINVAL']);
    }
    const other = first(s.system.chip.createDevice({ its: 0, deviceId: DEVICE, events: 1 }).irqs);
    other.activate(1);
    expect(s.trace(() => other.mapVlpi(map)).at(-1)).toContain('ITS0: VMAPTI');
  });

  it('null info unmaps', async () => {
    const s = await forwarded('v4');
    expect(s.trace(() => s.irq.unmapVlpi())[0]).toBe('ITS0: DISCARD d=0x10 e=3; SYNC rd=1');
    expect(s.trace(() => s.irq.unmapVlpi())).toEqual(['-> EINVAL']);
  });
});

describe('17: VLPI map/unmap operations', () => {
  it('map, map again, unmap', async () => {
    const s = await scenario('v4Proxy', '2017', { vpes: 2 });
    expect(s.trace(() => s.forward())).toEqual(
      golden(`
        ITS0: DISCARD d=0x10 e=3; SYNC rd=1
        ITS0: VMAPTI d=0x10 e=3 vpe=0 v=8300 db=db0; VSYNC vpe=0
      `),
    );
    expect(s.trace(() => s.forward({ vpe: 1 }))).toEqual(
      golden(`ITS0: VMOVI d=0x10 e=3 vpe=1 D=1 db=db1; VSYNC vpe=1`),
    );
    expect(s.trace(() => s.irq.unmapVlpi())).toEqual(
      golden(`
        ITS0: DISCARD d=0x10 e=3; SYNC rd=1
        ITS0: MAPTI d=0x10 e=3 p=lpi c=1; SYNC rd=1
        PCFG[lpi]=0xa3
        ITS0: INV d=0x10 e=3; SYNC rd=1
      `),
    );
  });

  it('the row of the event is an LPI, a VLPI and an LPI', async () => {
    const s = await scenario('v4');
    const row = () => s.system.machine.its(0).interrupt(DEVICE, EVENT);
    const physical = { kind: 'physical', pIntid: s.irq.intid, icid: 1 };
    expect(row()).toEqual(physical);
    s.forward();
    const doorbell = s.vpe().doorbell.intid;
    expect(row()).toEqual({ kind: 'virtual', vIntid: VINTID, vpeId: 0, doorbell });
    s.irq.unmapVlpi();
    expect(row()).toEqual(physical);
  });
});

describe('18: VLPI configuration handling', () => {
  it('PROP_UPDATE_AND_INV with 0x40, disabled, on a VLPI with a doorbell', async () => {
    const s = await forwarded('v4');
    expect(s.trace(() => s.irq.updateVlpi({ priority: 0x40, enabled: false }))).toEqual(
      golden(`
        VCFG(0)[8300]=0x42
        ITS0: INV d=0x10 e=3; VSYNC vpe=0
        ITS0: VMOVI d=0x10 e=3 vpe=0 D=1 db=1023; VSYNC vpe=0
      `),
    );
    expect(s.system.machine.ram(s.vm.propertyTable + VINTID - 8192, 1)[0]).toBe(0x42);
  });

  it('PROP_UPDATE without INV', async () => {
    const s = await forwarded('v4');
    expect(s.trace(() => s.irq.updateVlpi({ priority: 0x40, enabled: true }, false))).toEqual([
      'VCFG(0)[8300]=0x43',
    ]);
  });
});
