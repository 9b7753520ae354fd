import { checkNames } from './config_check.ts';
import { GicError } from './errors.ts';

/**
 * The choices that the architecture leaves to an implementation (IMPLEMENTATION DEFINED and CONSTRAINED
 * UNPREDICTABLE behaviour). Each has a default in the preset `architecture`.
 */
export interface Policy {
  /** A command with a bad parameter: skip it, stop the queue with GITS_CREADR.Stalled, or skip it and raise an SEI. */
  commandError: 'ignore' | 'stall' | 'sei';
  /** An ITS table access that faults (outside RAM) while a command runs. */
  tableFault: 'ignore' | 'stall';
  /** A command queue that lies outside RAM: stall, or take the unreadable slot for an unknown command and skip it. */
  queueFault: 'stall' | 'skip';
  /** What restarts a stalled queue: GITS_CWRITER.Retry, or any write of GITS_CWRITER. */
  retry: 'retry-bit' | 'any-write';
  /** GITS_CREADR.Stalled after a successful retry: cleared, or kept until GITS_CBASER is written. */
  stalledSticky: boolean;
  /** GITS_CREADR accepts writes. */
  creadrWritable: boolean;
  /** GITS_CTLR.Quiescent while the ITS is enabled. */
  quiescentWhileEnabled: 0 | 1;
  /** GITS_BASER<n> and GITS_CBASER written while the ITS is enabled: ignored, or accepted. */
  tableWriteWhileEnabled: 'ignore' | 'accept';
  /** GITS_CTLR.Enabled set while GITS_CBASER or a needed GITS_BASER<n> is not valid. */
  enableWithInvalidTables: 'drop-traffic' | 'refuse';
  /** EventID bits above GITS_TYPER.ID_bits in a GITS_TRANSLATER write. */
  eventIdHighBits: 'drop' | 'ignore-bits';
  /** MAPTI or MAPI of an event that is mapped already. */
  maptiRemap: 'overwrite' | 'ignore';
  /** MAPTI and MAPI clear the pending state of the LPI that they map to. */
  maptiClearsPending: boolean;
  /** DISCARD of an event whose collection is not mapped: remove the mapping, or treat it as a command error. */
  discardUnmappedCollection: 'unmap' | 'error';
  /** MOVI of a pending LPI towards a redistributor with EnableLPIs=0: it stays where it is, or is dropped. */
  moviTargetDisabled: 'keep' | 'drop';
  /** MOVALL towards a redistributor with EnableLPIs=0. */
  movallTargetDisabled: 'keep' | 'drop';
  /** INVALL invalidates the redistributor of the collection, or all of them. */
  invallScope: 'redistributor' | 'all';
  /** SYNC and INVALL check their RDbase and ICID. */
  checkSyncOperands: boolean;
  /** GICR_CTLR.EnableLPIs can be cleared after it was set (GICR_CTLR.CES=1). */
  enableLpisClearable: boolean;
  /** GICR_PROPBASER and GICR_PENDBASER written while EnableLPIs=1. */
  lpiTableWriteWhileEnabled: 'ignore' | 'accept';
  /** GICR_PENDBASER.PTZ: honoured and read as zero, or an ordinary bit without effect. */
  pendingTableZero: 'honour' | 'ignore';
  /** GICR_PROPBASER, GICR_PENDBASER and GICR_VPROPBASER keep their reserved bits as written. */
  lpiTableReservedBits: 'zero' | 'keep';
  /** A redistributor with GICR_WAKER.ProcessorSleep=1 holds its interrupts back. */
  sleepHoldsInterrupts: boolean;
  /** A group disabled in ICC_IGRPEN<n> is not considered for the highest priority pending interrupt. */
  groupEnableGatesHppi: boolean;
  /** GICD_IROUTER.Interrupt_Routing_Mode=1 where GICD_TYPER.No1N=1: reads as zero, or is kept and means PE 0. */
  routingModeWithoutOneOfN: 'zero' | 'first-pe';
  /** Reserved bits [30:24] of GICD_IROUTER<n>. */
  routerReservedBits: 'zero' | 'keep';
  /** GICR_ICFGR1: the trigger of a PPI can be changed. */
  ppiConfigWritable: boolean;
  /** Which of several pending interrupts of equal priority is taken first. */
  tieBreak: 'lowest-intid' | 'highest-intid';
  /** ITS commands complete within the write that starts them, or one by one when the machine is told to step. */
  commandExecution: 'immediate' | 'stepped';
  /** A further event of a VLPI that is pending already, for a vPE that is not resident: its doorbell rings again or not. */
  doorbellOfPendingVlpi: 'once' | 'repeat';
  /** GICR_VPENDBASER.PendingLast counts VLPIs that are pending but not enabled. */
  pendingLastCountsDisabled: boolean;
  /** ICH_HCR_EL2.EOIcount counts an EOIR of an INTID without list register in EOImode 1 too. */
  eoiCountInEoiMode1: boolean;
  /** ICV_EOIR<n> while no priority is active: does nothing, or still looks for the list register. */
  virtualEoiWithoutActive: 'ignore' | 'examine-list-registers';
}

/** What each policy can be, its default first. */
export const policyChoices: { readonly [Name in keyof Policy]: readonly Policy[Name][] } = {
  commandError: ['ignore', 'stall', 'sei'],
  tableFault: ['stall', 'ignore'],
  queueFault: ['stall', 'skip'],
  retry: ['retry-bit', 'any-write'],
  stalledSticky: [false, true],
  creadrWritable: [false, true],
  quiescentWhileEnabled: [0, 1],
  tableWriteWhileEnabled: ['ignore', 'accept'],
  enableWithInvalidTables: ['drop-traffic', 'refuse'],
  eventIdHighBits: ['drop', 'ignore-bits'],
  maptiRemap: ['overwrite', 'ignore'],
  maptiClearsPending: [false, true],
  discardUnmappedCollection: ['unmap', 'error'],
  moviTargetDisabled: ['keep', 'drop'],
  movallTargetDisabled: ['keep', 'drop'],
  invallScope: ['redistributor', 'all'],
  checkSyncOperands: [true, false],
  enableLpisClearable: [true, false],
  lpiTableWriteWhileEnabled: ['ignore', 'accept'],
  pendingTableZero: ['honour', 'ignore'],
  lpiTableReservedBits: ['zero', 'keep'],
  sleepHoldsInterrupts: [true, false],
  groupEnableGatesHppi: [true, false],
  routingModeWithoutOneOfN: ['zero', 'first-pe'],
  routerReservedBits: ['zero', 'keep'],
  ppiConfigWritable: [true, false],
  tieBreak: ['lowest-intid', 'highest-intid'],
  commandExecution: ['immediate', 'stepped'],
  doorbellOfPendingVlpi: ['once', 'repeat'],
  pendingLastCountsDisabled: [false, true],
  eoiCountInEoiMode1: [false, true],
  virtualEoiWithoutActive: ['ignore', 'examine-list-registers'],
};

/** The names of all policies, in a fixed order. */
export const policyNames = Object.keys(policyChoices) as (keyof Policy)[];

/** The architecture's recommendation where there is one, else the most common hardware: the first choice of each. */
export const architecturePolicy = Object.freeze(
  Object.fromEntries(policyNames.map((name) => [name, policyChoices[name][0]])),
) as unknown as Policy;

/** What QEMU 7.2's model does. */
export const qemuPolicy: Readonly<Policy> = Object.freeze({
  ...architecturePolicy,
  queueFault: 'skip',
  retry: 'any-write',
  stalledSticky: true,
  creadrWritable: true,
  quiescentWhileEnabled: 1,
  discardUnmappedCollection: 'error',
  invallScope: 'all',
  checkSyncOperands: false,
  lpiTableWriteWhileEnabled: 'accept',
  pendingTableZero: 'ignore',
  lpiTableReservedBits: 'keep',
  sleepHoldsInterrupts: false,
  groupEnableGatesHppi: false,
  routingModeWithoutOneOfN: 'first-pe',
  routerReservedBits: 'keep',
  doorbellOfPendingVlpi: 'repeat',
  eoiCountInEoiMode1: true,
});

/** Completes `given` with the defaults of `base`; throws a `GicError` for an unknown name or choice. */
export function resolvePolicy(base: Readonly<Policy>, given: Partial<Policy> = {}): Policy {
  checkNames('policy.', given, policyNames);
  const chosen = Object.entries(given).filter(([, value]) => value !== undefined);
  for (const [name, value] of chosen) {
    const allowed: readonly unknown[] = policyChoices[name as keyof Policy];
    if (!allowed.includes(value)) {
      throw new GicError(
        'INVALID_CONFIG',
        `policy.${name}`,
        value,
        `one of ${allowed.map((choice) => JSON.stringify(choice)).join(', ')}`,
      );
    }
  }
  return { ...base, ...Object.fromEntries(chosen) };
}

/** What the engine is told of a policy: a switch as 0 or 1, any other choice as its number in the list. */
export function policyChoice<Name extends keyof Policy>(name: Name, value: Policy[Name]): number {
  return typeof value === 'string' ? policyChoices[name].indexOf(value) : Number(value);
}
