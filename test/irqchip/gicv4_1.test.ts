import { describe, expect, it } from 'vitest';
import { errnoOf, first, start } from './system.ts';

describe('GICv4.1: vPEs (its_vpe_4_1_*)', () => {
  it('VMAPP brings the property table and the default doorbell; Alloc at the first mapping and the last unmapping', async () => {
    const system = await start('v4_1');
    const vpe = first(system.chip.createVm(1).vpes);
    vpe.doorbell.activate();
    expect(system.steps()).toEqual([
      `ITS0: VMAPP vPEID 0, RDbase 0, VPT_size 15, VPT_addr table, V 1, Alloc 1, PTZ 0, VCONF_ADDR table, Default_Doorbell ${vpe.doorbell.intid}`,
      'ITS0: VSYNC vPEID 0',
      'ITS0: VINVALL vPEID 0',
      'ITS0: VSYNC vPEID 0',
    ]);
    vpe.doorbell.deactivate();
    expect(system.steps()).toEqual([
      'ITS0: VMAPP vPEID 0, RDbase 0, VPT_size 0, VPT_addr 0x0, V 0, Alloc 1, PTZ 0, VCONF_ADDR 0x0, Default_Doorbell 0',
    ]);
    expect(system.machine.takeDiagnostics()).toEqual([]);
  });

  it('its_vpe_4_1_schedule: VPENDBASER alone, with the group enables and the vPEID', async () => {
    const system = await start('v4_1');
    const vpe = system.vm(2).vpes[1];
    vpe?.schedule(1);
    expect(system.steps()).toEqual(['RD1: GICR_VPENDBASER = 0x8c00000000000001']);
    vpe?.deschedule();
    system.steps();
    vpe?.schedule(1, { group0: false });
    expect(system.steps()).toEqual(['RD1: GICR_VPENDBASER = 0x8400000000000001']);
  });

  it('its_vpe_4_1_deschedule: DB=1 with PendingLast=0 on request, else PendingLast=1 and no doorbell', async () => {
    const system = await start('v4_1');
    const vpe = first(system.vm().vpes);
    for (const [doorbell, bits, pendingLast] of [
      [true, 0b010n, false],
      [false, 0b001n, true],
    ] as const) {
      vpe.schedule(0);
      system.steps();
      vpe.deschedule({ doorbell });
      const written = system.steps().find((line) => line.startsWith('RD0: GICR_VPENDBASER')) as string;
      expect(BigInt(written.split(' = ')[1] as string) >> 61n).toBe(bits);
      expect(vpe.pendingLast).toBe(pendingLast);
    }
  });

  it('its_vpe_4_1_invall: GICR_INVALLR with V and the vPEID', async () => {
    const system = await start('v4_1');
    const vpe = system.vm(2).vpes[1];
    vpe?.doorbell.setAffinity(2);
    system.steps();
    vpe?.invall();
    expect(system.steps()).toEqual(['RD2: GICR_INVALLR = 0x8000000100000000', 'RD2: poll GICR_SYNCR']);
  });

  it('its_vpe_4_1_mask_irq: the byte, then INVDB and VSYNC', async () => {
    const system = await start('v4_1');
    const { doorbell } = first(system.vm().vpes);
    doorbell.unmask();
    const invdb = ['ITS0: INVDB vPEID 0', 'ITS0: VSYNC vPEID 0'];
    expect(system.steps()).toEqual([`CFG[${doorbell.intid}] = 0xa3`, ...invdb]);
    doorbell.mask();
    expect(system.steps()).toEqual([`CFG[${doorbell.intid}] = 0xa2`, ...invdb]);
  });

  it('the pending state of a doorbell is not provided', async () => {
    const system = await start('v4_1');
    const { doorbell } = first(system.vm().vpes);
    expect(errnoOf(() => doorbell.setPending(true))).toBe('EINVAL');
    expect(errnoOf(() => doorbell.setPending(false))).toBe('EINVAL');
    expect(system.steps()).toEqual([]);
  });
});

describe('GICv4.1: virtual SGIs (its_sgi_*)', () => {
  async function sgis() {
    const system = await start('v4_1');
    const vpe = first(system.vm().vpes);
    const irqs = vpe.createSgis();
    return { system, vpe, irqs, sgi: irqs[5] as (typeof irqs)[number] };
  }
  const commands = (lines: readonly string[]) => lines.map((line) => line.split(' ').slice(0, 2).join(' '));

  it('allocation sends nothing; activation is VSGI and VSYNC', async () => {
    const { system, sgi, irqs } = await sgis();
    expect(irqs.length).toBe(16);
    expect(system.steps()).toEqual([]);
    sgi.activate();
    expect(commands(system.steps())).toEqual(['ITS0: VSGI', 'ITS0: VSYNC']);
  });

  it('PROP_UPDATE_VSGI keeps the enable bit', async () => {
    const { system, sgi } = await sgis();
    sgi.activate();
    sgi.unmask();
    system.chip.takeLog();
    sgi.update({ priority: 0x90, group: 1 });
    const [action] = system.chip.takeLog();
    expect(action?.kind === 'command' && action.text).toBe(
      'VSGI vPEID 0, vINTID 5, Enable 1, Group 1, Priority 0x90, Clear 0',
    );
    expect(system.steps()).toEqual([]);
    expect(sgi.masked).toBe(false);
  });

  it('deactivation disables, then clears: two commands', async () => {
    const { system, sgi } = await sgis();
    sgi.activate();
    sgi.unmask();
    system.steps();
    sgi.deactivate();
    expect(commands(system.steps())).toEqual(['ITS0: VSGI', 'ITS0: VSYNC', 'ITS0: VSGI', 'ITS0: VSYNC']);
  });

  it('pending: set by GITS_SGIR, read by GICR_VSGIR, cleared by VSGI', async () => {
    const { system, sgi } = await sgis();
    sgi.activate();
    sgi.unmask();
    system.steps();
    sgi.setPending(true);
    expect(system.steps()).toEqual(['ITS0: [0x20020] = 0x5']);
    expect(sgi.pending).toBe(true);
    expect(system.steps()).toEqual(['RD0: GICR_VSGIR = 0x0', 'RD0: poll GICR_VSGIPENDR']);
    sgi.setPending(false);
    expect(commands(system.steps())).toEqual(['ITS0: VSGI', 'ITS0: VSYNC']);
    expect(sgi.pending).toBe(false);
  });

  it('GICv4.0 has none: ENOSYS', async () => {
    const system = await start('v4');
    const vpe = first(system.vm().vpes);
    expect(errnoOf(() => vpe.createSgis())).toBe('ENOSYS');
  });
});
