// Invariants I3 and I13 of the driver's commands, whatever is done.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DriverAction, ItsCommand, KernelEra } from '../../bindings/index.ts';
import { type AnySystem, moreSystems } from './scenario.ts';
import { type RandomStep, randomSteps, runRandomly } from './sequences/random_operations.ts';

const virtual = (Object.keys(moreSystems) as AnySystem[]).filter((name) => name.startsWith('v4'));
const listed = ['v4ItsList', 'v4_1ItsList'] as const;
const kernels: readonly KernelEra[] = ['5.6', '6.19'];

interface Posted {
  readonly its: number;
  readonly command: ItsCommand;
}

function commandsOf(log: readonly DriverAction[]): Posted[] {
  return log.flatMap((action) => (action.kind === 'command' ? [action] : []));
}

function vpeOf(command: ItsCommand): number | undefined {
  return 'vpeId' in command ? command.vpeId : undefined;
}

/** Commands that name a vPE which no ITS maps, whatever they are. VMAPP with V=0 is followed by VSYNC on GICv4.0, which has nothing left. */
function toUnmapped(posted: readonly Posted[]): Posted[] {
  const mapped = new Set<string>();
  const isMapped = (vpe: number) => [...mapped].some((pair) => pair.endsWith(`/${vpe}`));
  const wrong: Posted[] = [];
  let unmapping: number | undefined;
  for (const each of posted) {
    const { its, command } = each;
    const vpe = vpeOf(command);
    if (vpe === undefined) continue;
    if (command.command === 'VMAPP' && command.valid) mapped.add(`${its}/${vpe}`);
    const syncsUnmapping = command.command === 'VSYNC' && vpe === unmapping;
    if (!isMapped(vpe) && !syncsUnmapping) wrong.push(each);
    unmapping = undefined;
    if (command.command === 'VMAPP' && !command.valid) {
      mapped.delete(`${its}/${vpe}`);
      unmapping = command.layout === '4.1' ? undefined : vpe;
    }
  }
  return wrong;
}

/** VMOVP sequence numbers in the order in which each ITS saw them. */
function sequencesOf(posted: readonly Posted[], its: number): number[] {
  return posted.flatMap((each) =>
    each.its === its && each.command.command === 'VMOVP' ? [each.command.sequenceNumber] : [],
  );
}

/** An event of the device becomes a VLPI of some vPE; then vPEs move, and VLPIs come and go. */
const movingSteps = fc
  .array(fc.tuple(fc.constantFrom(7, 9, 15, 15, 15), fc.constant(3), fc.nat(7)), {
    minLength: 20,
    maxLength: 40,
  })
  .map((steps) => [[7, 3, 4] as const, ...steps.map(([n, a, b]) => [n, n === 15 ? b : a, b] as const)]);

async function always(
  name: AnySystem,
  kvm: KernelEra,
  sequences: fc.Arbitrary<readonly RandomStep[]>,
  check: (posted: readonly Posted[]) => number,
): Promise<number> {
  let seen = 0;
  await fc.assert(
    fc.asyncProperty(sequences, async (steps) => {
      seen += check(commandsOf(await runRandomly(name, kvm, steps)));
    }),
    { numRuns: 20, seed: 3, endOnFailure: true },
  );
  return seen;
}

describe('I3 no command names a vPE that no ITS maps, except the VMAPP that maps it', () => {
  it.each(virtual.flatMap((name) => kernels.map((kvm) => [name, kvm] as const)))(
    '%s, %s',
    async (name, kvm) => {
      const named = await always(name, kvm, randomSteps, (posted) => {
        expect(toUnmapped(posted)).toEqual([]);
        return posted.filter(({ command }) => vpeOf(command) !== undefined).length;
      });
      expect(named).toBeGreaterThan(100);
    },
  );
});

describe('I13 each ITS of a list sees VMOVP in one order', () => {
  it.each(listed.flatMap((name) => kernels.map((kvm) => [name, kvm] as const)))(
    '%s, %s',
    async (name, kvm) => {
      const moves = await always(name, kvm, movingSteps, (posted) => {
        const all = [0, 1].map((its) => sequencesOf(posted, its));
        for (const numbers of all) expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
        for (const numbers of all) expect(new Set(numbers).size).toBe(numbers.length);
        return all.flat().length;
      });
      expect(moves).toBeGreaterThan(1);
    },
  );
});
