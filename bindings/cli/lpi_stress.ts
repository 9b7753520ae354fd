import { Command, InvalidArgumentError } from 'commander';
import { kvmPath } from '../bench/stress/kvm_path.ts';
import { physicalPath } from '../bench/stress/physical_path.ts';
import { PUBLISHED_CAVEAT, publishedFor } from '../bench/stress/published.ts';
import { defaultShape, requireShape, type StressShape } from '../bench/stress/shape.ts';
import { runStress, type StressResult } from '../bench/stress/stress.ts';
import { loadEngine } from '../engine_loading.ts';
import { hostText, thisHost } from './host.ts';
import { printJson, printLine } from './output.ts';

interface Options extends StressShape {
  readonly json?: true;
}

/** `gicv4 bench lpi-stress`: the shapes of KVM's selftest vgic_lpi_stress. */
export function lpiStressCommand(): Command {
  const { vcpus, devices, events, iterations } = defaultShape;
  return new Command('lpi-stress')
    .description(
      "the arguments of KVM's selftest vgic_lpi_stress, on the hardware's ITS and on KVM's virtual one",
    )
    .option('-v, --vcpus <number>', 'vCPUs that the LPIs are spread over, 1 to 512', parseCount, vcpus)
    .option('-d, --devices <number>', 'devices, 1 to 1024', parseCount, devices)
    .option('-e, --events <number>', 'events of each device, 57344 of all together', parseCount, events)
    .option('-i, --iterations <number>', 'how often each event is sent', parseCount, iterations)
    .option('--json', 'print one JSON document')
    .action(async ({ json, ...shape }: Options) => {
      requireShape(shape);
      const engine = await loadEngine('single');
      const results = [physicalPath, kvmPath].map((path) => runStress(path(engine, shape), shape));
      const { before, after } = publishedFor(shape) ?? {};
      const published = before === undefined ? undefined : { before, after, caveat: PUBLISHED_CAVEAT };
      if (json) printJson({ ...thisHost(), shape, results, published });
      else printResults(shape, results, published);
    });
}

function printResults(
  { vcpus, devices, events, iterations }: StressShape,
  results: readonly StressResult[],
  published:
    | { readonly before: number; readonly after: number | undefined; readonly caveat: string }
    | undefined,
): void {
  printLine(hostText());
  printLine(`-v ${vcpus} -d ${devices} -e ${events} -i ${iterations}`);
  const width = Math.max(...results.map(({ path }) => path.length));
  for (const result of results) {
    const { path, injections, coalesced, dropped, delivered } = result;
    printLine(
      `${path.padEnd(width)}  ${rate(result.injectionsPerSecond)} injections/s, ` +
        `${rate(result.deliveriesPerSecond)} deliveries/s`,
    );
    printLine(
      `${''.padEnd(width)}  ${injections} injected: ${delivered} delivered, ${coalesced} coalesced, ${dropped} dropped`,
    );
  }
  if (!published) return;
  printLine(
    `Published for Linux: ${rate(published.before)} injections/s, later ${rate(published.after ?? 0)}.`,
  );
  printLine(published.caveat);
}

function rate(perSecond: number): string {
  return Math.round(perSecond).toLocaleString('en-US');
}

function parseCount(text: string): number {
  if (!/^[0-9]+$/.test(text) || Number(text) < 1)
    throw new InvalidArgumentError('It must be an integer from 1 on.');
  return Number(text);
}
