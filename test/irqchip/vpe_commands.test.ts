import { describe, expect, it } from 'vitest';
import { first, start } from './system.ts';

const VMAPP = (its: number, vpeId: number) => [
  `ITS${its}: VMAPP vPEID ${vpeId}, RDbase 0, VPT_size 15, VPT_addr table, V 1`,
  `ITS${its}: VSYNC vPEID ${vpeId}`,
];
const VINVALL = (its: number, vpeId: number) => [
  `ITS${its}: VINVALL vPEID ${vpeId}`,
  `ITS${its}: VSYNC vPEID ${vpeId}`,
];
const UNMAP = (its: number, vpeId: number) => [
  `ITS${its}: VMAPP vPEID ${vpeId}, RDbase 0, VPT_size 0, VPT_addr 0x0, V 0`,
  `ITS${its}: VSYNC vPEID ${vpeId}`,
];
const hex = (value: bigint | number) => `0x${value.toString(16)}`;

describe('21: activation maps a vPE (its_vpe_irq_domain_activate)', () => {
  it('its_alloc_vcpu_irqs alone sends nothing', async () => {
    const system = await start('v4');
    system.chip.createVm(3);
    expect(system.steps()).toEqual([]);
  });

  it('VMAPP and VINVALL, ITS by ITS', async () => {
    const system = await start('v4TwoIts');
    const vm = system.chip.createVm(2);
    vm.vpes[1]?.doorbell.activate();
    expect(system.steps()).toEqual([...VMAPP(0, 1), ...VINVALL(0, 1), ...VMAPP(1, 1), ...VINVALL(1, 1)]);
  });

  it('2017: VMAPP on each ITS, then VINVALL on each; with ITSList too', async () => {
    for (const name of ['v4TwoIts', 'v4ItsList'] as const) {
      const system = await start(name, '2017');
      first(system.chip.createVm(1).vpes).doorbell.activate();
      expect(system.steps(), name).toEqual([
        ...VMAPP(0, 0),
        ...VMAPP(1, 0),
        ...VINVALL(0, 0),
        ...VINVALL(1, 0),
      ]);
    }
  });

  it('ITSList: nothing until the first VLPI, nothing at deactivation', async () => {
    const system = await start('v4ItsList');
    const [vpe] = system.chip.createVm(1).vpes;
    vpe?.doorbell.activate();
    vpe?.doorbell.deactivate();
    expect(system.steps()).toEqual([]);
  });

  it('deactivation is VMAPP with V=0 and VSYNC on each ITS', async () => {
    const system = await start('v4TwoIts');
    const vm = system.vm();
    first(vm.vpes).doorbell.deactivate();
    expect(system.steps()).toEqual([...UNMAP(0, 0), ...UNMAP(1, 0)]);
  });
});

describe('23: SCHEDULE_VPE and DESCHEDULE_VPE (its_vpe_schedule, its_vpe_deschedule)', () => {
  for (const [kvm, attributes] of [
    ['2017', 0x380],
    ['5.6', 0x780],
    ['6.19', 0x780],
  ] as const) {
    it(`VPROPBASER, then VPENDBASER with Valid, PendingLast and IDAI: ${kvm}`, async () => {
      const system = await start('v4', kvm);
      const vm = system.vm();
      const vpe = first(vm.vpes);
      vpe.schedule(2);
      expect(system.steps()).toEqual([
        `RD2: GICR_VPROPBASER = ${hex(BigInt(vm.propertyTable) | 0x58fn)}`,
        `RD2: GICR_VPENDBASER = ${hex((7n << 61n) | BigInt(vpe.pendingTable) | BigInt(attributes))}`,
      ]);
      expect(vpe.resident).toBe(true);
    });
  }

  it('Valid goes, Dirty is awaited, PendingLast is kept', async () => {
    const system = await start('v4');
    const { irq, vpe } = system.forwarded();
    vpe.schedule(0);
    system.machine.sendMsi(0x10, irq.eventId);
    system.steps();
    vpe.deschedule();
    const steps = system.steps();
    expect(steps.at(-1)).toBe('RD0: poll GICR_VPENDBASER');
    const written = steps.find((line) => line.startsWith('RD0: GICR_VPENDBASER')) as string;
    expect(BigInt(written.split(' = ')[1] as string) >> 63n).toBe(0n);
    expect([vpe.resident, vpe.pendingLast]).toEqual([false, true]);
  });

  it('nothing pending: PendingLast is 0', async () => {
    const system = await start('v4');
    const { vpe } = system.forwarded();
    vpe.schedule(0);
    vpe.deschedule();
    expect(vpe.pendingLast).toBe(false);
  });

  it('its_make_vpe_resident disables an enabled doorbell first; 2017: the caller does', async () => {
    for (const [kvm, masked] of [
      ['5.6', true],
      ['2017', false],
    ] as const) {
      const system = await start('v4', kvm);
      const vpe = first(system.vm().vpes);
      vpe.doorbell.unmask();
      system.steps();
      vpe.schedule(1);
      const db = vpe.doorbell.intid;
      const silenced = [`CFG[${db}] = 0xa2`, `RD0: GICR_INVLPIR = ${hex(db)}`, 'RD0: poll GICR_SYNCR'];
      expect(system.steps().slice(0, -2), kvm).toEqual(masked ? silenced : []);
      expect(vpe.doorbell.masked).toBe(masked);
    }
  });

  it('its_make_vpe_non_resident enables the doorbell on request, before the vPE goes', async () => {
    const system = await start('v4');
    const vpe = first(system.vm().vpes);
    vpe.schedule(1);
    system.steps();
    vpe.deschedule({ doorbell: true });
    const db = vpe.doorbell.intid;
    expect(system.steps().slice(0, 3)).toEqual([
      `CFG[${db}] = 0xa3`,
      `RD0: GICR_INVLPIR = ${hex(db)}`,
      'RD0: poll GICR_SYNCR',
    ]);
    vpe.schedule(1);
    system.steps();
    vpe.deschedule();
    expect(system.steps().filter((line) => line.startsWith('CFG'))).toEqual([]);
  });
});

describe('24: INVALL_VPE (its_vpe_invall)', () => {
  it('VINVALL and VSYNC on one ITS; 2017: on each', async () => {
    for (const [kvm, expected] of [
      ['5.6', VINVALL(0, 0)],
      ['6.19', VINVALL(0, 0)],
      ['2017', [...VINVALL(0, 0), ...VINVALL(1, 0)]],
    ] as const) {
      const system = await start('v4TwoIts', kvm);
      const vpe = first(system.vm().vpes);
      vpe.invall();
      expect(system.steps(), kvm).toEqual(expected);
    }
  });

  it('ITSList: on the first ITS that has VLPIs of the VM, nowhere without any', async () => {
    const system = await start('v4ItsList');
    const { irq, vpe } = system.forwarded({ its: 1 });
    vpe.invall();
    expect(system.steps()).toEqual(VINVALL(1, 0));
    irq.unmapVlpi();
    system.steps();
    vpe.invall();
    expect(system.steps()).toEqual([]);
  });
});

describe('26, 27: mask and unmask of a doorbell (its_vpe_mask_irq, its_vpe_unmask_irq)', () => {
  it("DirectLPI: CFG and GICR_INVLPIR on the vPE's redistributor", async () => {
    const system = await start('v4');
    const { doorbell } = first(system.vm().vpes);
    doorbell.setAffinity(2);
    system.steps();
    const invalidation = [`RD2: GICR_INVLPIR = ${hex(doorbell.intid)}`, 'RD2: poll GICR_SYNCR'];
    doorbell.unmask();
    expect(system.steps()).toEqual([`CFG[${doorbell.intid}] = 0xa3`, ...invalidation]);
    doorbell.mask();
    expect(system.steps()).toEqual([`CFG[${doorbell.intid}] = 0xa2`, ...invalidation]);
  });

  it('28: pending by GICR_SETLPIR, and by GICR_CLRLPIR with a poll', async () => {
    const system = await start('v4');
    const { doorbell } = first(system.vm().vpes);
    doorbell.setPending(true);
    expect(system.steps()).toEqual([`RD0: GICR_SETLPIR = ${hex(doorbell.intid)}`]);
    doorbell.setPending(false);
    expect(system.steps()).toEqual([`RD0: GICR_CLRLPIR = ${hex(doorbell.intid)}`, 'RD0: poll GICR_SYNCR']);
  });
});

describe('27: the proxy device (its_vpe_db_proxy_map_locked)', () => {
  const slot = (n: number) => `DeviceID 0xffff, EventID ${hex(n)}`;
  const take = (n: number, db: number, cpu = 0) => [
    `ITS0: MAPTI ${slot(n)}, pINTID ${db}, ICID ${cpu}`,
    `ITS0: SYNC RDbase ${cpu}`,
  ];
  const send = (command: string, n: number, cpu = 0) => [
    `ITS0: ${command} ${slot(n)}`,
    `ITS0: SYNC RDbase ${cpu}`,
  ];

  it('the first use takes a slot, the next ones do not', async () => {
    const system = await start('v4Proxy');
    const { doorbell } = first(system.vm().vpes);
    doorbell.unmask();
    expect(system.steps()).toEqual([
      `CFG[${doorbell.intid}] = 0xa3`,
      ...take(0, doorbell.intid),
      ...send('INV', 0),
    ]);
    doorbell.setPending(true);
    expect(system.steps()).toEqual(send('INT', 0));
    doorbell.setPending(false);
    expect(system.steps()).toEqual(send('CLEAR', 0));
  });

  it('one slot per PE; the fifth vPE evicts the first one, which then evicts the second', async () => {
    const system = await start('v4Proxy');
    const doorbells = system.vm(5).vpes.map((vpe) => vpe.doorbell);
    for (const doorbell of doorbells.slice(0, 4)) doorbell.unmask();
    system.steps();
    doorbells[4]?.setPending(true);
    const db = (n: number) => doorbells[n]?.intid as number;
    expect(system.steps()).toEqual([...send('DISCARD', 0), ...take(0, db(4)), ...send('INT', 0)]);
    doorbells[0]?.setPending(true);
    expect(system.steps()).toEqual([...send('DISCARD', 1), ...take(1, db(0)), ...send('INT', 1)]);
  });

  it('its_vpe_db_proxy_move: the event moves; without a slot it is made at the new PE first', async () => {
    const system = await start('v4Proxy');
    const { doorbell } = first(system.vm().vpes);
    doorbell.setAffinity(2);
    expect(system.steps().slice(2)).toEqual([
      ...take(0, doorbell.intid, 2),
      `ITS0: MOVI ${slot(0)}, ICID 2`,
      'ITS0: SYNC RDbase 2',
    ]);
    doorbell.setAffinity(3);
    expect(system.steps().slice(2)).toEqual([`ITS0: MOVI ${slot(0)}, ICID 3`, 'ITS0: SYNC RDbase 2']);
    doorbell.setPending(true);
    expect(system.steps()).toEqual(send('INT', 0, 3));
  });

  it('its_free_vcpu_irqs gives the slot back', async () => {
    const system = await start('v4Proxy');
    const vm = system.vm();
    const { doorbell } = first(vm.vpes);
    doorbell.unmask();
    doorbell.deactivate();
    system.steps();
    vm.free();
    expect(system.steps()).toEqual(send('DISCARD', 0));
  });
});
