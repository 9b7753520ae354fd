/** A claim of the design that a section's rows bear out or not. */
export interface Goal {
  /** As rows name it; the first goal of a section is that of rows that name none. */
  readonly name: string;
  readonly text: string;
}

/** A part of the results page. */
export interface SectionDefinition {
  readonly name: string;
  readonly title: string;
  /** What measures it: a script of package.json. */
  readonly command: string;
  /** The compiled module, in dist/bench, that the script runs. */
  readonly module: string;
  readonly args?: readonly string[];
  readonly goals: readonly Goal[];
}

export const sectionDefinitions: readonly SectionDefinition[] = [
  {
    name: 'qemu',
    title: 'The engine beside QEMU',
    command: 'npm run bench:qemu -- --time 250',
    module: 'against_qemu.js',
    args: ['--time', '250'],
    goals: [
      { name: 'commands', text: 'ITS command throughput (INT, 16 to 57,344 events mapped) against QEMU' },
      { name: 'taken away', text: 'an interrupt made pending and taken away again, against QEMU' },
      {
        name: 'all pending',
        text: 'INV, MOVALL and a change of residency with 57,344 pending, against QEMU',
      },
    ],
  },
  {
    name: 'twin',
    title: 'The engine beside the same algorithm in plain TypeScript',
    command: 'npm run bench:twin',
    module: 'against_twin.js',
    goals: [{ name: 'twin', text: 'hot paths against the same algorithm in plain TypeScript' }],
  },
  {
    name: 'reference',
    title: 'The engine beside the reference model',
    command: 'npm run bench:reference -- --time 50',
    module: 'against_reference.js',
    args: ['--time', '50'],
    goals: [],
  },
  {
    name: 'native',
    title: 'V8 beside native code of the same source',
    command: 'npm run bench:native',
    module: 'against_native.js',
    goals: [{ name: 'native', text: 'hot paths against native code of the same source, geometric mean' }],
  },
  {
    name: 'threads',
    title: 'MSIs from two threads',
    command: 'npm run bench:threads',
    module: 'threads.js',
    goals: [{ name: 'threads', text: 'MSI injection on two threads against one, different devices' }],
  },
  {
    name: 'scaling',
    title: 'Large machines',
    command: 'npm run bench:scaling',
    module: 'scaling.js',
    goals: [
      {
        name: 'scaling',
        text: 'cost of an event, 256 CPUs and 4,096 vPEs against 4 CPUs and 8 vPEs',
      },
    ],
  },
  {
    name: 'simulation',
    title: 'Simulated events',
    command: 'npm run bench:simulation',
    module: 'simulation.js',
    goals: [{ name: 'simulation', text: 'simulated events a second on one core' }],
  },
  {
    name: 'restore',
    title: 'Going back to a kept state',
    command: 'npm run bench:restore',
    module: 'restore.js',
    goals: [{ name: 'restore', text: 'restore of a snapshot with 20 dirty pages, microseconds' }],
  },
  {
    name: 'fuzzing',
    title: 'Fuzzing',
    command: 'npm run bench:fuzzing',
    module: 'fuzzing.js',
    goals: [{ name: 'fuzzing', text: 'fuzz executions a second (32 operations) on one core' }],
  },
  {
    name: 'sizes',
    title: 'Sizes',
    command: 'npm run bench:sizes',
    module: 'sizes.js',
    goals: [{ name: 'sizes', text: 'shipped wasm, gzip, KiB, each build' }],
  },
  {
    name: 'lpi-stress',
    title: "The shapes of KVM's vgic_lpi_stress",
    command: 'npm run bench:lpi-stress',
    module: 'lpi_stress.js',
    goals: [],
  },
];

/** The sections that `--only` names, in the page's order. Throws a `RangeError` for a name that there is not. */
export function namedSections(only: string): SectionDefinition[] {
  const names = only.split(',');
  const known = sectionDefinitions.map(({ name }) => name);
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    throw new RangeError(
      `--only: ${unknown.join(', ')} is not allowed; expected some of ${known.join(', ')}`,
    );
  }
  return sectionDefinitions.filter(({ name }) => names.includes(name));
}
