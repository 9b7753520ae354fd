import { beforeAll, describe, expect, it } from 'vitest';
import { twinCases } from '../../bench/twin/cases.ts';
import { TwinGic } from '../../bench/twin/twin_gic.ts';
import type { MakeGic } from '../../bindings/bench/case.ts';
import { checkCase } from '../../bindings/bench/measure.ts';
import { DEVICE, FIRST_LPI, onEvent, perEvent } from '../../bindings/bench/rig.ts';
import { VirtualRig, Vpe } from '../../bindings/bench/vpe.ts';
import type { ItsCommand } from '../../bindings/commands/command.ts';
import type { Engine } from '../../bindings/engine.ts';
import { loadEngine } from '../../bindings/engine_loading.ts';
import { Random } from '../../bindings/fuzz/random.ts';
import type { GicHardware } from '../../bindings/hardware.ts';
import { Machine } from '../../bindings/machine.ts';

let engine: Engine;

beforeAll(async () => {
  engine = await loadEngine('single');
});

describe('the twin passes the checks of each case that it is measured with', () => {
  it.each(twinCases.map((benchCase) => [benchCase.name, benchCase] as const))('%s', (_, benchCase) => {
    expect(() => checkCase(benchCase, (options) => new TwinGic(options), { batch: 64 })).not.toThrow();
  });
});

const CPUS = 4;
const EVENTS = 512;
const VIRTUAL_DEVICE = 2;
const SEEDS = [1, 2, 3, 4, 5, 6];

/** One GIC with LPIs of four PEs and VLPIs of eight vPEs, of several priorities. */
class Side {
  readonly rig: VirtualRig;
  readonly vpes: readonly Vpe[];

  constructor(make: MakeGic) {
    this.rig = new VirtualRig(make, { cpus: CPUS });
    const { rig } = this;
    for (let n = 0; n < EVENTS; n++) rig.setPriority(FIRST_LPI + n, (n * 8) & 0xf8);
    this.vpes = Array.from({ length: 2 * CPUS }, (_, id) => new Vpe(rig, id, id % CPUS));
    rig.mapDevice(DEVICE);
    rig.execute(
      perEvent(EVENTS, (eventId) => ({
        command: 'MAPTI',
        deviceId: DEVICE,
        eventId,
        pIntid: FIRST_LPI + eventId,
        icid: eventId % CPUS,
      })),
    );
    rig.mapDevice(VIRTUAL_DEVICE);
    rig.execute(
      perEvent(EVENTS, (eventId) => ({
        command: 'VMAPTI',
        deviceId: VIRTUAL_DEVICE,
        eventId,
        vpeId: eventId % (2 * CPUS),
        vIntid: FIRST_LPI + eventId,
        doorbell: eventId % 3 === 0 ? FIRST_LPI + EVENTS + eventId : 1023,
      })),
    );
  }

  get gic(): GicHardware {
    return this.rig.gic;
  }

  /** What software and devices can see. */
  state(): unknown {
    const cpus = Array.from({ length: CPUS }, (_, cpu) => ({
      pending: this.rig.pendingLpis(cpu),
      best: this.gic.highestPending(cpu),
      irq: this.gic.irq(cpu),
      virtual: this.gic.virtualOutputs?.(cpu)?.bestVlpi,
      virq: this.gic.virtualOutputs?.(cpu)?.virq,
    }));
    return { cpus, vpes: this.vpes.map((vpe) => this.rig.countPending(vpe.pendingTable)) };
  }
}

/** Draws an action; doing it tells what came back. */
function draw(random: Random, resident: Set<number>): (side: Side) => unknown {
  const cpu = random.below(CPUS);
  const eventId = random.below(EVENTS + 8);
  const deviceId = random.below(8) === 0 ? 3 : 1 + random.below(2);
  const vpe = random.below(2 * CPUS);
  const priority = random.below(32) * 8;
  const commands = ['INT', 'CLEAR', 'INV'] as const;
  const batch: ItsCommand[] = Array.from({ length: 1 + random.below(6) }, () => ({
    ...onEvent(commands[random.below(3)] as 'INT', random.below(EVENTS)),
    deviceId: 1 + random.below(2),
  }));
  switch (random.below(8)) {
    case 0:
    case 1:
    case 2:
      return ({ gic }) => gic.sendMsi(deviceId, eventId);
    case 3:
      return ({ rig }) => rig.take(cpu);
    case 4:
      return ({ vpes }) => vpes[cpu]?.take();
    case 5:
      return ({ rig }) => rig.execute(batch);
    case 6:
      return ({ rig }) => rig.setPriority(FIRST_LPI + (eventId % EVENTS), priority);
    default: {
      const isResident = resident.has(vpe % CPUS);
      if (isResident) resident.delete(vpe % CPUS);
      else resident.add(vpe % CPUS);
      return ({ vpes }) => (isResident ? vpes[vpe]?.scheduleOut() : vpes[vpe]?.scheduleIn());
    }
  }
}

describe('the twin does what the engine does', () => {
  it.each(SEEDS)('with random MSIs, commands, residency and guests, seed %i', (seed) => {
    const ours = new Side((options) => new Machine(engine, options));
    const twin = new Side((options) => new TwinGic(options));
    const random = new Random(seed);
    const resident = new Set<number>();
    const told = { delivered: 0 };
    for (let step = 0; step < 3000; step++) {
      const act = draw(random, resident);
      const [expected, actual] = [act(ours), act(twin)];
      // The twin's sendMsi tells nothing.
      if (typeof expected !== 'string') expect(actual, `step ${step}`).toEqual(expected);
      if (typeof expected === 'number' && expected !== 1023) told.delivered++;
      if (step % 50 === 0) expect(twin.state(), `after step ${step}`).toEqual(ours.state());
    }
    expect(twin.state()).toEqual(ours.state());
    expect(told.delivered).toBeGreaterThan(100);
  });
});
