import { beforeAll, describe, expect, it } from 'vitest';
import { kvmPath } from '../../bindings/bench/stress/kvm_path.ts';
import type { StressPath } from '../../bindings/bench/stress/path.ts';
import { physicalPath } from '../../bindings/bench/stress/physical_path.ts';
import type { StressShape } from '../../bindings/bench/stress/shape.ts';
import { runStress } from '../../bindings/bench/stress/stress.ts';
import type { Engine } from '../../bindings/engine.ts';
import { loadEngine } from '../../bindings/engine_loading.ts';
import { run } from '../cli/run.ts';

let engine: Engine;

beforeAll(async () => {
  engine = await loadEngine('single');
});

const paths: [string, (engine: Engine, shape: StressShape) => StressPath][] = [
  ['the hardware', physicalPath],
  ["KVM's virtual ITS", kvmPath],
];
const shapes: StressShape[] = [
  { vcpus: 1, devices: 1, events: 1, iterations: 7 },
  { vcpus: 1, devices: 1, events: 17, iterations: 5 },
  { vcpus: 3, devices: 5, events: 7, iterations: 4 },
  { vcpus: 16, devices: 16, events: 17, iterations: 2 },
  { vcpus: 40, devices: 3, events: 1, iterations: 2 },
];

describe.each(paths)('vgic_lpi_stress on %s', (_, makePath) => {
  it.each(shapes)(
    '-v $vcpus -d $devices -e $events -i $iterations: what is injected is delivered',
    (shape) => {
      const result = runStress(makePath(engine, shape), shape);
      const injections = shape.devices * shape.events * shape.iterations;
      expect(result).toMatchObject({
        injections,
        pending: injections,
        delivered: injections,
        coalesced: 0,
        dropped: 0,
      });
      expect(result.injectionsPerSecond).toBeGreaterThan(0);
      expect(result.deliveriesPerSecond).toBeGreaterThan(0);
    },
  );

  it('takes once what is sent twice before the guest comes to it', () => {
    const shape = { vcpus: 2, devices: 2, events: 3, iterations: 1 };
    const path = makePath(engine, shape);
    path.inject();
    path.inject();
    const { pending, coalesced, dropped } = path.counts();
    expect([pending + coalesced, dropped]).toEqual([12, 0]);
    expect(path.deliver()).toBe(6);
    expect(() => path.deliver()).toThrow(expect.objectContaining({ name: 'CheckError' }));
  });

  it('fails where the counts do not add up', () => {
    const shape = { vcpus: 1, devices: 1, events: 4, iterations: 3 };
    const path = makePath(engine, shape);
    const losing: StressPath = { ...path, inject: () => {}, deliver: () => 0 };
    expect(() => runStress(losing, shape)).toThrow(/pending, coalesced and dropped injections/);
    const inventing: StressPath = { ...path, deliver: () => path.deliver() + 1 };
    expect(() => runStress(inventing, shape)).toThrow(/deliveries/);
  });
});

describe('gicv4 bench lpi-stress', () => {
  it('prints one JSON document with both paths and what was published', async () => {
    const { code, out, err } = await run(
      ...['bench', 'lpi-stress', '-v', '16', '-d', '16', '-e', '16', '-i', '2', '--json'],
    );
    expect({ code, err }).toEqual({ code: 0, err: '' });
    const { node, shape, results, published } = JSON.parse(out);
    expect(node).toBe(process.version);
    expect(shape).toEqual({ vcpus: 16, devices: 16, events: 16, iterations: 2 });
    expect(results.map(({ delivered }: { delivered: number }) => delivered)).toEqual([512, 512]);
    expect(published).toMatchObject({ before: 610_678, after: 5_200_910, caveat: expect.any(String) });
  });

  it("prints a text for people, by default with the selftest's arguments", async () => {
    const { code, out } = await run('bench', 'lpi-stress');
    expect(code).toBe(0);
    expect(out).toContain('-v 1 -d 1 -e 16 -i 1000\n');
    expect(out).toMatch(/MSI -> ITS -> LPI +[\d,]+ injections\/s, [\d,]+ deliveries\/s/);
    expect(out).toContain('16000 injected: 16000 delivered, 0 coalesced, 0 dropped');
  });

  it.each<[string, string[], RegExp]>([
    ['no vCPU', ['-v', '0'], /--vcpus.*It must be an integer from 1 on/],
    ['a number that is none', ['-d', 'many'], /--devices.*'many'/],
    ['too many vCPUs', ['-v', '513'], /vcpus: 513 is not allowed; expected an integer from 1 to 512/],
    ['too many devices', ['-d', '1025'], /devices: 1025 is not allowed/],
    ['more LPIs than INTIDs', ['-d', '1000', '-e', '58'], /events: 58 .* at most 57 with 1000 devices/],
    ['too many injections', ['-e', '1000', '-i', '9999999'], /iterations: 9999999 .* at most 2147483/],
    ['an option that it has not', ['--filter', 'x'], /unknown option '--filter'/],
  ])('%s is bad usage', async (_, args, message) => {
    const { code, out, err } = await run('bench', 'lpi-stress', ...args);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(message);
  });
});
