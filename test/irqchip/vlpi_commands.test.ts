import { describe, expect, it } from 'vitest';
import { DEVICE, EVENT, errnoOf, first, type System, start, VINTID } from './system.ts';

const EV = `DeviceID 0x${DEVICE.toString(16)}, EventID 0x${EVENT}`;
const ENABLED = { priority: 0xa0, enabled: true };

function mapped(system: System, { doorbell = true } = {}) {
  const { irq } = system.device();
  const vm = system.vm(2);
  const vpe = first(vm.vpes);
  irq.mapVlpi({ vpe, vIntid: VINTID, properties: ENABLED, doorbell });
  return { irq, vm, vpe };
}

describe('17: MAP_VLPI (its_vlpi_map)', () => {
  for (const name of ['v4', 'v4Proxy', 'v4TwoIts'] as const) {
    it(`VCFG, DISCARD and SYNC, VMAPTI with the doorbell and VSYNC: ${name}`, async () => {
      const system = await start(name);
      const { vpe } = mapped(system);
      expect(system.steps()).toEqual([
        `VCFG(0)[${VINTID}] = 0xa3`,
        `ITS0: DISCARD ${EV}`,
        'ITS0: SYNC RDbase 1',
        `ITS0: VMAPTI ${EV}, vPEID 0, vINTID ${VINTID}, Dbell_pINTID ${vpe.doorbell.intid}`,
        'ITS0: VSYNC vPEID 0',
      ]);
    });
  }

  it('2017: the virtual configuration byte is not written', async () => {
    const system = await start('v4', '2017');
    const { vpe } = mapped(system);
    expect(system.steps()).toEqual([
      `ITS0: DISCARD ${EV}`,
      'ITS0: SYNC RDbase 1',
      `ITS0: VMAPTI ${EV}, vPEID 0, vINTID ${VINTID}, Dbell_pINTID ${vpe.doorbell.intid}`,
      'ITS0: VSYNC vPEID 0',
    ]);
  });

  it('without doorbell, and always in GICv4.1: doorbell 1023', async () => {
    for (const [name, doorbell] of [
      ['v4', false],
      ['v4_1', true],
      ['v4_1', false],
    ] as const) {
      const system = await start(name);
      mapped(system, { doorbell });
      expect(system.steps().at(-2)).toBe(`ITS0: VMAPTI ${EV}, vPEID 0, vINTID ${VINTID}, Dbell_pINTID 1023`);
    }
  });

  it('of an event that is a VLPI already: VMOVI and VSYNC to the new vPE', async () => {
    const system = await start('v4');
    const { irq, vm } = mapped(system);
    system.steps();
    const vpe = vm.vpes[1] as (typeof vm.vpes)[number];
    irq.mapVlpi({ vpe, vIntid: VINTID, properties: ENABLED, doorbell: true });
    expect(system.steps()).toEqual([
      `ITS0: VMOVI ${EV}, vPEID 1, D 1, Dbell_pINTID ${vpe.doorbell.intid}`,
      'ITS0: VSYNC vPEID 1',
    ]);
    expect(irq.getVlpi()?.vpe.index).toBe(vpe.index);
  });

  it('its_map_vm, its_unmap_vm: with ITSList the first VLPI on an ITS maps all vPEs there, the next one none', async () => {
    const system = await start('v4ItsList');
    const { device, irq } = system.device(1);
    const vm = system.chip.createVm(2);
    vm.activate();
    expect(system.steps()).toEqual([]);
    const [vpe] = vm.vpes;
    irq.mapVlpi({ vpe: vpe as never, vIntid: VINTID, properties: ENABLED, doorbell: false });
    expect(system.steps()).toEqual([
      'ITS1: VMAPP vPEID 0, RDbase 0, VPT_size 15, VPT_addr table, V 1',
      'ITS1: VSYNC vPEID 0',
      'ITS1: VINVALL vPEID 0',
      'ITS1: VSYNC vPEID 0',
      'ITS1: VMAPP vPEID 1, RDbase 0, VPT_size 15, VPT_addr table, V 1',
      'ITS1: VSYNC vPEID 1',
      'ITS1: VINVALL vPEID 1',
      'ITS1: VSYNC vPEID 1',
      `VCFG(0)[${VINTID}] = 0xa3`,
      `ITS1: DISCARD ${EV}`,
      'ITS1: SYNC RDbase 1',
      `ITS1: VMAPTI ${EV}, vPEID 0, vINTID ${VINTID}, Dbell_pINTID 1023`,
      'ITS1: VSYNC vPEID 0',
    ]);
    const other = first(device.irqs);
    other.activate(0);
    system.steps();
    other.mapVlpi({ vpe: vpe as never, vIntid: VINTID + 1, properties: ENABLED, doorbell: false });
    expect(system.steps().filter((line) => line.includes('VMAPP'))).toEqual([]);
    irq.unmapVlpi();
    expect(system.steps().filter((line) => line.includes('VMAPP'))).toEqual([]);
    other.unmapVlpi();
    expect(system.steps().slice(-4)).toEqual([
      'ITS1: VMAPP vPEID 0, RDbase 0, VPT_size 0, VPT_addr 0x0, V 0',
      'ITS1: VSYNC vPEID 0',
      'ITS1: VMAPP vPEID 1, RDbase 0, VPT_size 0, VPT_addr 0x0, V 0',
      'ITS1: VSYNC vPEID 1',
    ]);
  });
});

describe('17: unmapping (its_vlpi_unmap): mapping first, then configuration', () => {
  const mapping = (intid: number) => [
    `ITS0: DISCARD ${EV}`,
    'ITS0: SYNC RDbase 1',
    `ITS0: MAPTI ${EV}, pINTID ${intid}, ICID 1`,
    'ITS0: SYNC RDbase 1',
    `CFG[${intid}] = 0xa3`,
  ];

  for (const [name, kvm] of [
    ['v4Proxy', '5.6'],
    ['v4', '2017'],
  ] as const) {
    it(`DISCARD, MAPTI, CFG, INV: ${name}, ${kvm}`, async () => {
      const system = await start(name, kvm);
      const { irq } = system.forwarded();
      irq.unmapVlpi();
      expect(system.steps()).toEqual([...mapping(irq.intid), `ITS0: INV ${EV}`, 'ITS0: SYNC RDbase 1']);
    });
  }

  for (const name of ['v4', 'v4_1'] as const) {
    it(`DISCARD, MAPTI, CFG, GICR_INVLPIR: ${name}`, async () => {
      const system = await start(name);
      const { irq } = system.forwarded();
      irq.unmapVlpi();
      const register = [`RD1: GICR_INVLPIR = 0x${irq.intid.toString(16)}`, 'RD1: poll GICR_SYNCR'];
      expect(system.steps()).toEqual([...mapping(irq.intid), ...register]);
    });
  }
});

describe('18: PROP_UPDATE_VLPI and PROP_UPDATE_AND_INV_VLPI (its_vlpi_prop_update)', () => {
  const silence = [`ITS0: VMOVI ${EV}, vPEID 0, D 1, Dbell_pINTID 1023`, 'ITS0: VSYNC vPEID 0'];

  it('GICv4.0: VCFG, INV and VSYNC, and the doorbell follows the enable bit', async () => {
    const system = await start('v4');
    const { irq } = system.forwarded();
    irq.updateVlpi({ priority: 0x40, enabled: false });
    expect(system.steps()).toEqual([
      `VCFG(0)[${VINTID}] = 0x42`,
      `ITS0: INV ${EV}`,
      'ITS0: VSYNC vPEID 0',
      ...silence,
    ]);
  });

  it('2017: INV is followed by SYNC on the physical collection', async () => {
    const system = await start('v4', '2017');
    const { irq } = system.forwarded();
    irq.updateVlpi({ priority: 0x40, enabled: false });
    expect(system.steps()).toEqual([
      `VCFG(0)[${VINTID}] = 0x42`,
      `ITS0: INV ${EV}`,
      'ITS0: SYNC RDbase 1',
      ...silence,
    ]);
  });

  it('PROP_UPDATE_VLPI does not invalidate', async () => {
    const system = await start('v4');
    const { irq } = system.forwarded();
    irq.updateVlpi({ priority: 0x40, enabled: false }, false);
    expect(system.steps()).toEqual([`VCFG(0)[${VINTID}] = 0x42`, ...silence]);
  });

  it('a doorbell that is as it should be costs no VMOVI', async () => {
    const system = await start('v4');
    const { irq } = system.forwarded();
    irq.updateVlpi({ priority: 0x40, enabled: true }, false);
    expect(system.steps()).toEqual([`VCFG(0)[${VINTID}] = 0x43`]);
  });

  it("GICv4.1: GICR_INVLPIR with V, vPEID and vINTID on the vPE's redistributor, and no VMOVI", async () => {
    const system = await start('v4_1');
    const { irq, vpe } = system.forwarded();
    vpe.doorbell.setAffinity(2);
    system.steps();
    irq.updateVlpi({ priority: 0x40, enabled: false });
    const value = (1n << 63n) | (BigInt(vpe.vpeId) << 32n) | BigInt(VINTID);
    expect(system.steps()).toEqual([
      `VCFG(0)[${VINTID}] = 0x42`,
      `RD2: GICR_INVLPIR = 0x${value.toString(16)}`,
      'RD2: poll GICR_SYNCR',
    ]);
  });
});

describe('18: its_mask_irq and its_unmask_irq of a forwarded interrupt', () => {
  it('the doorbell first, then VCFG, then INV', async () => {
    const system = await start('v4');
    const { irq, vpe } = system.forwarded();
    irq.mask();
    expect(system.steps()).toEqual([
      `ITS0: VMOVI ${EV}, vPEID 0, D 1, Dbell_pINTID 1023`,
      'ITS0: VSYNC vPEID 0',
      `VCFG(0)[${VINTID}] = 0xa2`,
      `ITS0: INV ${EV}`,
      'ITS0: VSYNC vPEID 0',
    ]);
    irq.unmask();
    expect(system.steps()).toEqual([
      `ITS0: VMOVI ${EV}, vPEID 0, D 1, Dbell_pINTID ${vpe.doorbell.intid}`,
      'ITS0: VSYNC vPEID 0',
      `VCFG(0)[${VINTID}] = 0xa3`,
      `ITS0: INV ${EV}`,
      'ITS0: VSYNC vPEID 0',
    ]);
  });

  it('32: GET_VLPI sends nothing, and tells what mask and update left', async () => {
    const system = await start('v4');
    const { irq, vpe } = system.forwarded();
    irq.mask();
    system.steps();
    const map = irq.getVlpi();
    expect(map).toMatchObject({ vIntid: VINTID, properties: { priority: 0xa0, enabled: false } });
    expect(map?.doorbell).toBe(false);
    expect(map?.vpe.index).toBe(vpe.index);
    irq.updateVlpi({ priority: 0x20, enabled: true });
    expect(irq.getVlpi()?.properties).toEqual({ priority: 0x20, enabled: true });
    irq.unmapVlpi();
    expect(irq.getVlpi()).toBeUndefined();
  });

  it('16: a device on a GICv3 ITS has no vCPU affinity', async () => {
    const system = await start('v3');
    const { irq } = system.device();
    expect(errnoOf(() => irq.unmapVlpi())).toBe('EINVAL');
    expect(errnoOf(() => irq.updateVlpi(ENABLED))).toBe('EINVAL');
    expect(system.steps()).toEqual([]);
  });
});
