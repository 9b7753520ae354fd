import { beforeAll, describe, expect, it } from 'vitest';
import { twinCases } from '../../bench/twin/cases.ts';
import { TwinGic } from '../../bench/twin/twin_gic.ts';
import { checkCase } from '../../bindings/bench/measure.ts';
import { FIRST_LPI } from '../../bindings/bench/rig.ts';
import type { Vpe } from '../../bindings/bench/vpe.ts';
import type { MachineOptions } from '../../bindings/config.ts';
import type { Engine } from '../../bindings/engine.ts';
import { loadEngine } from '../../bindings/engine_loading.ts';
import { Random } from '../../bindings/fuzz/random.ts';
import { Machine } from '../../bindings/machine.ts';
import { Side, Traffic, VIRTUAL_DEVICE } from './twin_traffic.ts';

let engine: Engine;

beforeAll(async () => {
  engine = await loadEngine('single');
});

describe('the twin passes the checks of each case that it is measured with', () => {
  it.each(twinCases.map((benchCase) => [benchCase.name, benchCase] as const))('%s', (_, benchCase) => {
    expect(() => checkCase(benchCase, (options) => new TwinGic(options), { batch: 64 })).not.toThrow();
  });
});

/** ICH_VTR_EL2 with four list registers, five priority bits, and DVIM. */
const VTR_WITH_DVIM = ((4 << 29) | (4 << 26) | (1 << 21) | (1 << 19) | (1 << 18) | 3) >>> 0;

const machines: readonly (readonly [string, MachineOptions])[] = [
  ['as it is by default', {}],
  [
    'with the other choices',
    {
      policy: {
        tieBreak: 'highest-intid',
        groupEnableGatesHppi: false,
        doorbellOfPendingVlpi: 'repeat',
        eoiCountInEoiMode1: true,
        virtualEoiWithoutActive: 'examine-list-registers',
        retry: 'any-write',
        eventIdHighBits: 'ignore-bits',
      },
    },
  ],
  [
    'with four preemption bits and DVIM',
    {
      preemptionBits: 4,
      identification: { ICH_VTR_EL2: VTR_WITH_DVIM },
    },
  ],
];
const SEEDS = [1, 2, 3, 4];
const STEPS = 4000;

describe('the twin does what the engine does', () => {
  const all = machines.flatMap(([name, options]) => SEEDS.map((seed) => [name, seed, options] as const));
  it.each(all)('with random traffic, %s, seed %i', (_, seed, options) => {
    const ours = new Side((given) => new Machine(engine, given), options);
    const twin = new Side((given) => new TwinGic(given), options);
    const traffic = new Traffic(new Random(seed));
    for (let step = 0; step < STEPS; step++) {
      const act = traffic.draw();
      const [expected, actual] = [act(ours), act(twin)];
      expect(actual, `step ${step}`).toEqual(expected);
      expect(twin.outcome(), `after step ${step}`).toEqual(ours.outcome());
      if (step % 50 === 0) expect(twin.state(), `after step ${step}`).toEqual(ours.state());
    }
    expect(twin.state()).toEqual(ours.state());
    const { acknowledged, spurious, doorbells, virtualAcknowledged, cleared, maintenance } =
      ours.gic.counters();
    const happened = [acknowledged.lpi, spurious, doorbells.rung, virtualAcknowledged.vlpi];
    happened.push(virtualAcknowledged.listRegister, cleared.lpi, cleared.vlpi, maintenance);
    expect(Math.min(...happened)).toBeGreaterThan(10);
  });

  it('with one of many LPIs of the same configuration invalidated', () => {
    const taken = (side: Side): unknown => {
      const vpe = side.vpes[0] as Vpe;
      for (let n = 0; n < 64; n += 4) side.gic.write(vpe.pendingTable + FIRST_LPI / 8 + n, 4, 0xffff_ffff);
      vpe.scheduleIn();
      side.gic.write(side.rig.virtualConfigTable + 40, 1, 0x40 | 3);
      side.rig.execute([{ command: 'INV', deviceId: VIRTUAL_DEVICE, eventId: 40 }]);
      return Array.from({ length: 80 }, () => vpe.take());
    };
    const expected = Array.from({ length: 80 }, (_, n) => FIRST_LPI + n).filter(
      (vIntid) => vIntid !== FIRST_LPI + 40,
    );
    for (const make of [
      (given: MachineOptions) => new Machine(engine, given),
      (given: MachineOptions) => new TwinGic(given),
    ]) {
      expect(taken(new Side(make, {}))).toEqual([FIRST_LPI + 40, ...expected]);
    }
  });
});
