import type { MachineOptions } from '../../../bindings/index.ts';
import { type Policy, policyChoices, policyNames } from '../../../bindings/policy.ts';
import type { Dice } from './dice.ts';

/** Room for what a `Side` puts there, for four PEs and three ITSs. */
export const RAM = { base: 0x8000_0000, size: 0x80_0000 };

/** A choice for each policy. */
export function anyPolicies(dice: Dice): Partial<Policy> {
  return Object.fromEntries(policyNames.map((name) => [name, dice.pick<unknown>(policyChoices[name])]));
}

/** Any machine with LPIs that the reference model covers: sizes, features, policies. */
export function anyConfiguration(dice: Dice): MachineOptions {
  const priorityBits = dice.between(4, 8);
  const rangeSelector = dice.chance(2);
  const affinities = anyAffinities(dice, rangeSelector);
  return {
    ram: RAM,
    cpus: affinities.length,
    affinities,
    itsCount: dice.between(1, 3),
    deviceIdBits: dice.pick([2, 6, 14, 16, 32, 32]),
    eventIdBits: dice.pick([2, 5, 14, 16, 32]),
    collectionIdBits: dice.pick([2, 4, 13, 16]),
    intidBits: dice.pick([14, 15, 16, 17]),
    spis: dice.pick([32, 64, 64, 96, 988]),
    extendedSpis: dice.pick([0, 32, 32, 1024]),
    extendedPpis: dice.pick([0, 32, 64]),
    priorityBits,
    preemptionBits: dice.between(4, Math.min(priorityBits, 7)),
    storedPriorityBits: dice.between(priorityBits, 8),
    hardwareCollections: dice.pick([0, 0, 2, 255]),
    tableEntryBytes: dice.pick([8, 16, 24, 32]),
    ittEntryBytes: dice.between(8, 16),
    commonLpiAffinity: dice.below(4),
    rangeSelector,
    ...switches(dice),
    policy: anyPolicies(dice),
  };
}

function switches(dice: Dice): MachineOptions {
  return {
    oneOfN: !dice.chance(4),
    messageBasedSpis: !dice.chance(4),
    directLpi: !dice.chance(4),
    physicalTargetAddresses: dice.chance(2),
    indirectTables: !dice.chance(4),
    statusRegisters: !dice.chance(4),
    unmappedMsiReporting: !dice.chance(4),
  };
}

/** One to four PEs in up to three clusters, in any order. */
function anyAffinities(dice: Dice, rangeSelector: boolean): number[] {
  const clusters = [0, 0x0000_0100, 0x0203_0400];
  const numbers = rangeSelector ? [0, 1, 15, 16, 17, 255] : [0, 1, 2, 15];
  const affinities = new Set<number>();
  const cpus = dice.between(1, 4);
  while (affinities.size < cpus) affinities.add(dice.pick(clusters) + dice.pick(numbers));
  return [...affinities];
}

/** Any machine with virtual interrupts: sizes, features, policies of a GICv4. */
export function anyVirtualConfiguration(dice: Dice): MachineOptions {
  const virtualPriorityBits = dice.between(5, 8);
  const slow = dice.chance(3);
  return {
    ...anyConfiguration(dice),
    vpeIdBits: dice.pick([16, 16, 16, 8, 2, 1]),
    listRegisters: dice.pick([1, 2, 4, 4, 16]),
    virtualPriorityBits,
    virtualPreemptionBits: dice.between(5, Math.min(virtualPriorityBits, 7)),
    vmovpOnAnyIts: !dice.chance(4),
    virtualSgis: !dice.chance(6),
    individualDoorbells: !dice.chance(4),
    sharedVpeTable: dice.below(4),
    itsAffinity: dice.pick([0, 0, 0x100, 0x0203_0400]),
    maintenancePpi: dice.pick([25, 25, 0, 17]),
    dirtyReads: slow
      ? { scheduleIn: dice.below(4), scheduleOut: dice.below(4) }
      : { scheduleIn: 0, scheduleOut: 0 },
  };
}
