// irq_set_vcpu_affinity, irq_set_irqchip_state and irq_get_irqchip_state, as each kind of interrupt takes them; and what
// is not provided on purpose (patches 07, 16, 23, 24, 31, 32, 33).
import { describe, expect, it } from 'vitest';
import { IrqChipError, notProvided, type VcpuCommand } from '../../bindings/index.ts';
import { errnoOf, first, type System, start, VINTID } from './system.ts';

const MAP = { vIntid: VINTID, properties: { priority: 0xa0, enabled: true }, doorbell: true };

/** What two ways of asking for the same thing do. */
async function sameSteps(prepare: (system: System) => [() => void, () => void]): Promise<string[]> {
  const [one, other] = [await start('v4_1'), await start('v4_1')];
  prepare(one)[0]();
  prepare(other)[1]();
  const steps = one.steps();
  expect(other.steps()).toEqual(steps);
  return steps;
}

describe('setVcpuAffinity does what the methods with names of their own do', () => {
  it('MAP_VLPI, PROP_UPDATE_VLPI, PROP_UPDATE_AND_INV_VLPI, GET_VLPI and null', async () => {
    const steps = await sameSteps((system) => {
      const { irq } = system.device();
      const vpe = first(system.vm().vpes);
      const low = { priority: 0xf0, enabled: true };
      return [
        () => {
          irq.mapVlpi({ ...MAP, vpe });
          irq.updateVlpi(low, false);
          irq.updateVlpi(MAP.properties);
          expect(irq.getVlpi()).toMatchObject(MAP);
          irq.unmapVlpi();
        },
        () => {
          irq.setVcpuAffinity({ type: 'MAP_VLPI', ...MAP, vpe });
          irq.setVcpuAffinity({ type: 'PROP_UPDATE_VLPI', ...low });
          irq.setVcpuAffinity({ type: 'PROP_UPDATE_AND_INV_VLPI', ...MAP.properties });
          expect(irq.setVcpuAffinity({ type: 'GET_VLPI' })).toMatchObject(MAP);
          irq.setVcpuAffinity(null);
        },
      ];
    });
    expect(steps.filter((line) => line.startsWith('VCFG'))).toEqual([
      `VCFG(0)[${VINTID}] = 0xa3`,
      `VCFG(0)[${VINTID}] = 0xf3`,
      `VCFG(0)[${VINTID}] = 0xa3`,
    ]);
  });

  it('SCHEDULE_VPE, COMMIT_VPE, INVALL_VPE, DESCHEDULE_VPE', async () => {
    const steps = await sameSteps((system) => {
      const vpe = first(system.vm().vpes);
      return [
        () => {
          vpe.schedule(0, { group0: false });
          vpe.commit();
          vpe.invall();
          vpe.deschedule({ doorbell: true });
        },
        () => {
          vpe.doorbell.setVcpuAffinity({ type: 'SCHEDULE_VPE', cpu: 0, group0: false });
          vpe.doorbell.setVcpuAffinity({ type: 'COMMIT_VPE' });
          vpe.doorbell.setVcpuAffinity({ type: 'INVALL_VPE' });
          vpe.doorbell.setVcpuAffinity({ type: 'DESCHEDULE_VPE', doorbell: true });
        },
      ];
    });
    expect(steps[0]).toBe('RD0: GICR_VPENDBASER = 0x8400000000000000');
    expect(steps).toContain('RD0: GICR_INVALLR = 0x8000000000000000');
  });

  it('PROP_UPDATE_VSGI', async () => {
    const steps = await sameSteps((system) => {
      const sgi = first(first(system.vm().vpes).createSgis());
      sgi.activate();
      const how = { priority: 0x40, group: 1 } as const;
      return [() => sgi.update(how), () => sgi.setVcpuAffinity({ type: 'PROP_UPDATE_VSGI', ...how })];
    });
    expect(steps.length).toBeGreaterThan(0);
  });
});

describe('each kind of interrupt has its own commands: EINVAL for those of the others', () => {
  it('and no command, no register', async () => {
    const system = await start('v4_1');
    const { irq, vpe } = system.forwarded();
    const sgi = first(vpe.createSgis());
    sgi.activate();
    system.steps();
    const vlpi: VcpuCommand[] = [
      { type: 'MAP_VLPI', ...MAP, vpe },
      { type: 'GET_VLPI' },
      { type: 'PROP_UPDATE_VLPI', ...MAP.properties },
      { type: 'PROP_UPDATE_AND_INV_VLPI', ...MAP.properties },
    ];
    const residency: VcpuCommand[] = [
      { type: 'SCHEDULE_VPE', cpu: 0 },
      { type: 'DESCHEDULE_VPE' },
      { type: 'COMMIT_VPE' },
      { type: 'INVALL_VPE' },
    ];
    const vsgi: VcpuCommand[] = [{ type: 'PROP_UPDATE_VSGI', priority: 0, group: 0 }];
    for (const [kind, refused] of [
      [irq, [...residency, ...vsgi]],
      [vpe.doorbell, [...vlpi, ...vsgi, null]],
      [sgi, [...vlpi, ...residency, null]],
    ] as const) {
      for (const info of refused) {
        expect(
          errnoOf(() => kind.setVcpuAffinity(info)),
          `${kind.constructor.name} ${info?.type}`,
        ).toBe('EINVAL');
      }
    }
    expect(system.steps()).toEqual([]);
    expect(() => irq.setVcpuAffinity({ type: 'COMMIT_VPE' })).toThrow(/COMMIT_VPE: not one of MAP_VLPI/);
  });

  it('an LPI has no VLPI to get, update or unmap', async () => {
    const system = await start('v4');
    const { irq } = system.device();
    for (const info of [
      { type: 'GET_VLPI' },
      { type: 'PROP_UPDATE_VLPI', ...MAP.properties },
      null,
    ] as const) {
      expect(errnoOf(() => irq.setVcpuAffinity(info))).toBe('EINVAL');
    }
    expect(system.steps()).toEqual([]);
  });

  it('COMMIT_VPE came after 2017', async () => {
    const system = await start('v4', '2017');
    const vpe = first(system.vm().vpes);
    vpe.schedule(0);
    system.steps();
    expect(errnoOf(() => vpe.commit())).toBe('EINVAL');
    expect(system.steps()).toEqual([]);
  });
});

describe('07: states of an interrupt', () => {
  it('only pending can be set: INT and CLEAR', async () => {
    const system = await start('v4');
    const { irq } = system.device();
    for (const state of ['active', 'masked', 'line-level'] as const) {
      expect(errnoOf(() => irq.setIrqchipState(state, true))).toBe('EINVAL');
      expect(errnoOf(() => irq.getIrqchipState(state))).toBe('EINVAL');
    }
    expect(system.steps()).toEqual([]);
    irq.setIrqchipState('pending', true);
    irq.setIrqchipState('pending', false);
    const names = system.steps().map((line) => line.split(' ')[1]);
    expect(names).toEqual(['INT', 'SYNC', 'CLEAR', 'SYNC']);
  });

  it('what is pending is told by virtual SGIs alone', async () => {
    const system = await start('v4_1');
    const { irq, vpe } = system.forwarded();
    expect(errnoOf(() => irq.getIrqchipState('pending'))).toBe('EINVAL');
    expect(errnoOf(() => vpe.doorbell.getIrqchipState('pending'))).toBe('EINVAL');
    const sgi = first(vpe.createSgis());
    sgi.activate();
    expect(sgi.getIrqchipState('pending')).toBe(false);
    sgi.setIrqchipState('pending', true);
    expect(sgi.getIrqchipState('pending')).toBe(true);
    expect(errnoOf(() => sgi.getIrqchipState('active'))).toBe('EINVAL');
  });

  it('GICv4.1: the state of a doorbell cannot be set', async () => {
    const system = await start('v4_1');
    const { doorbell } = first(system.vm().vpes);
    expect(errnoOf(() => doorbell.setIrqchipState('pending', true))).toBe('EINVAL');
  });
});

describe('33: what is not provided', () => {
  it.each([
    ['MAPD', /virtual ITS alone/],
    ['MAPC', /affinity of the doorbell/],
    ['SYNC', /followed by a VSYNC/],
  ] as const)('%s: ENOSYS, with the reason', async (command, reason) => {
    const { chip } = await start('v4');
    expect(notProvided[command]).toMatch(reason);
    expect(() => chip.guestCommand(command)).toThrow(IrqChipError);
    expect(() => chip.guestCommand(command)).toThrow(reason);
    expect(errnoOf(() => chip.guestCommand(command))).toBe('ENOSYS');
  });
});
