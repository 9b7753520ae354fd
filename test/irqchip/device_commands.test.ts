import { describe, expect, it } from 'vitest';
import { DEVICE, EVENT, errnoOf, first, start } from './system.ts';

const EV = `DeviceID 0x${DEVICE.toString(16)}, EventID 0x${EVENT}`;

describe('device interrupts: its_irq_domain_alloc, its_irq_domain_activate', () => {
  it('06: MAPD is followed by no sync, MAPTI by SYNC to the collection', async () => {
    const system = await start('v3');
    const device = system.chip.createDevice({ deviceId: DEVICE, events: 8 });
    expect(system.steps()).toEqual(['ITS0: MAPD DeviceID 0x10, Size 2, ITT_addr table, V 1']);
    device.irqs[EVENT]?.activate(1);
    expect(system.steps()).toEqual([
      `ITS0: MAPTI ${EV}, pINTID ${first(device.irqs).intid + EVENT}, ICID 1`,
      'ITS0: SYNC RDbase 1',
    ]);
  });

  it('deactivation is DISCARD and SYNC; freeing the device is MAPD with V=0', async () => {
    const system = await start('v3');
    const { device, irq } = system.device();
    irq.deactivate();
    expect(system.steps()).toEqual([`ITS0: DISCARD ${EV}`, 'ITS0: SYNC RDbase 1']);
    device.free();
    expect(system.steps()).toEqual(['ITS0: MAPD DeviceID 0x10, Size 2, ITT_addr table, V 0']);
  });

  it('its_set_affinity: MOVI, with SYNC to the collection that the event leaves; nothing for the same PE', async () => {
    const system = await start('v3');
    const { irq } = system.device();
    irq.setAffinity(2);
    expect(system.steps()).toEqual([`ITS0: MOVI ${EV}, ICID 2`, 'ITS0: SYNC RDbase 1']);
    irq.setAffinity(2);
    expect(system.steps()).toEqual([]);
    expect(irq.cpu).toBe(2);
  });
});

describe('13: lpi_update_config writes the byte, then invalidates', () => {
  for (const [name, kvm] of [
    ['v3', '5.6'],
    ['v4Proxy', '6.19'],
    ['v3DirectLpi', '2017'],
    ['v4', '2017'],
  ] as const) {
    it(`by INV and SYNC: ${name}, ${kvm}`, async () => {
      const system = await start(name, kvm);
      const { irq } = system.device();
      irq.unmask();
      expect(system.steps()).toEqual([`CFG[${irq.intid}] = 0xa3`, `ITS0: INV ${EV}`, 'ITS0: SYNC RDbase 1']);
      irq.mask();
      expect(system.steps()).toEqual([`CFG[${irq.intid}] = 0xa2`, `ITS0: INV ${EV}`, 'ITS0: SYNC RDbase 1']);
    });
  }

  for (const [name, kvm] of [
    ['v3DirectLpi', '5.6'],
    ['v4', '5.6'],
    ['v4', '6.19'],
    ['v4_1', '5.6'],
  ] as const) {
    it(`by GICR_INVLPIR of the collection's redistributor: ${name}, ${kvm}`, async () => {
      const system = await start(name, kvm);
      const { irq } = system.device();
      irq.setAffinity(3);
      system.steps();
      irq.unmask();
      expect(system.steps()).toEqual([
        `CFG[${irq.intid}] = 0xa3`,
        `RD3: GICR_INVLPIR = 0x${irq.intid.toString(16)}`,
        'RD3: poll GICR_SYNCR',
      ]);
    });
  }
});

describe('07: irq_set_irqchip_state(PENDING) of a device interrupt', () => {
  it('setting is INT and SYNC, clearing CLEAR and SYNC', async () => {
    const system = await start('v3');
    const { irq } = system.device();
    irq.setPending(true);
    expect(system.steps()).toEqual([`ITS0: INT ${EV}`, 'ITS0: SYNC RDbase 1']);
    irq.setPending(false);
    expect(system.steps()).toEqual([`ITS0: CLEAR ${EV}`, 'ITS0: SYNC RDbase 1']);
    irq.retrigger();
    expect(system.steps()).toEqual([`ITS0: INT ${EV}`, 'ITS0: SYNC RDbase 1']);
  });

  it('a VLPI takes them with VSYNC; until 5.5 with SYNC on the physical collection', async () => {
    for (const [kvm, sync] of [
      ['5.6', 'VSYNC vPEID 0'],
      ['6.19', 'VSYNC vPEID 0'],
      ['2017', 'SYNC RDbase 1'],
    ] as const) {
      const system = await start('v4', kvm);
      const { irq } = system.forwarded();
      irq.setPending(true);
      expect(system.steps(), kvm).toEqual([`ITS0: INT ${EV}`, `ITS0: ${sync}`]);
      irq.setPending(false);
      expect(system.steps(), kvm).toEqual([`ITS0: CLEAR ${EV}`, `ITS0: ${sync}`]);
    }
  });
});

describe('05, 27: devices and ITSs', () => {
  it('its_create_device: the DeviceID of the proxy device is refused', async () => {
    const system = await start('v4Proxy');
    const deviceId = 2 ** system.machine.config.deviceIdBits - 1;
    expect(errnoOf(() => system.chip.createDevice({ deviceId, events: 2 }))).toBe('EINVAL');
    expect(system.steps()).toEqual([]);
  });

  it('the commands of a device go to its own ITS', async () => {
    const system = await start('v4TwoIts');
    const { irq } = system.device(1);
    irq.setPending(true);
    expect(system.steps()).toEqual([`ITS1: INT ${EV}`, 'ITS1: SYNC RDbase 1']);
  });
});
