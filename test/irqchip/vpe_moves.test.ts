import { describe, expect, it } from 'vitest';
import { errnoOf, first, start } from './system.ts';

const vmovp = (its: number, cpu: number, sequence: number, list: number, defaultDoorbell = 0) => [
  `ITS${its}: VMOVP vPEID 0, RDbase ${cpu}, SequenceNumber 0x${sequence}, ITSList 0x${list}, ` +
    `DB ${defaultDoorbell ? 1 : 0}, Default_Doorbell ${defaultDoorbell}`,
  `ITS${its}: VSYNC vPEID 0`,
];

describe('25: irq_set_affinity of a doorbell moves the vPE (its_vpe_set_affinity)', () => {
  it('VMOVP on the first ITS, then the doorbell is cleared at the old PE', async () => {
    const system = await start('v4TwoIts');
    const vpe = first(system.vm().vpes);
    vpe.doorbell.setAffinity(3);
    expect(system.steps()).toEqual([
      ...vmovp(0, 3, 0, 0),
      `RD0: GICR_CLRLPIR = 0x${vpe.doorbell.intid.toString(16)}`,
      'RD0: poll GICR_SYNCR',
    ]);
    expect(vpe.cpu).toBe(3);
  });

  it('to the PE where it is: nothing', async () => {
    const system = await start('v4');
    const vpe = first(system.vm().vpes);
    vpe.doorbell.setAffinity(0);
    expect(system.steps()).toEqual([]);
  });

  it('ITSList: on each ITS with VLPIs of the VM, one sequence number per move', async () => {
    const system = await start('v4ItsList');
    const { vpe } = system.forwarded({ its: 0 });
    const other = system.chip.createDevice({ its: 1, deviceId: 0x20, events: 2 });
    first(other.irqs).activate(0);
    vpe.doorbell.setAffinity(1);
    expect(system.steps().filter((line) => line.includes('VMOVP'))).toEqual([vmovp(0, 1, 1, 1)[0]]);
    first(other.irqs).mapVlpi({
      vpe,
      vIntid: 8400,
      properties: { priority: 0xa0, enabled: true },
      doorbell: false,
    });
    system.steps();
    vpe.doorbell.setAffinity(2);
    expect(system.steps().slice(0, 4)).toEqual([...vmovp(0, 2, 2, 3), ...vmovp(1, 2, 2, 3)]);
  });

  it('2017: on all numbered ITSs, whether they have VLPIs or not', async () => {
    const system = await start('v4ItsList', '2017');
    const vpe = first(system.vm().vpes);
    vpe.doorbell.setAffinity(2);
    expect(system.steps().slice(0, 4)).toEqual([...vmovp(0, 2, 1, 3), ...vmovp(1, 2, 1, 3)]);
  });

  it('a vPE that no ITS maps: without hardware access with ITSList, EINVAL elsewhere', async () => {
    const lazy = await start('v4ItsList');
    const unmapped = first(lazy.vm().vpes);
    unmapped.doorbell.setAffinity(2);
    expect(lazy.steps()).toEqual([]);
    const eager = await start('v4');
    const gone = first(eager.vm().vpes);
    gone.doorbell.deactivate();
    eager.steps();
    expect(errnoOf(() => gone.doorbell.setAffinity(2))).toBe('EINVAL');
    expect(eager.steps()).toEqual([]);
  });

  it('GICv4.1: VMOVP with DB=1 and the default doorbell, and nothing for the doorbell itself', async () => {
    const system = await start('v4_1');
    const vpe = first(system.vm().vpes);
    vpe.doorbell.setAffinity(3);
    expect(system.steps()).toEqual(vmovp(0, 3, 0, 0, vpe.doorbell.intid));
  });
});
