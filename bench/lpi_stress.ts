/**
 * The shapes of KVM's vgic_lpi_stress for which numbers of Linux were published.
 *
 *     npm run bench:lpi-stress -- [--json]
 *     npm run --silent gicv4 -- bench lpi-stress -v 16 -d 16 -e 16 -i 10000
 */
import { kvmPath } from '../bindings/bench/stress/kvm_path.ts';
import { physicalPath } from '../bindings/bench/stress/physical_path.ts';
import { PUBLISHED_CAVEAT, publishedResults } from '../bindings/bench/stress/published.ts';
import { runStress } from '../bindings/bench/stress/stress.ts';
import { loadEngine } from '../bindings/engine_loading.ts';
import { type Row, runSection } from './section.ts';

const engine = await loadEngine('single');

await runSection(1, () => {
  const rows = publishedResults.flatMap(({ shape, before, after }): Row[] => {
    const { vcpus, devices, events, iterations } = shape;
    return [physicalPath, kvmPath].map((path) => {
      const result = runStress(path(engine, shape), shape);
      return {
        name: `-v ${vcpus} -d ${devices} -e ${events} -i ${iterations}, ${result.path}`,
        value: result.injectionsPerSecond,
        unit: 'injections/s',
        beside: {
          'deliveries/s': result.deliveriesPerSecond,
          delivered: result.delivered,
          'published, Linux 6.8-rc1 injections/s': before,
          'published, later injections/s': after,
        },
      };
    });
  });
  return { section: 'lpi-stress', note: PUBLISHED_CAVEAT, rows };
});
