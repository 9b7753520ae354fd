import type { MachineConfig } from '../../bindings/config.ts';
import { field, numberField, ones } from './bits.ts';
import type { CommandContext, CommandWords } from './its_commands.ts';
import { Failure, Reason } from './its_translation.ts';
import { requireDoorbell, requireTarget, requireVpe, vpeIdOf } from './its_virtual_commands.ts';

export const VMOVP_NUMBER = 0x22;
export const VMOVP_ERROR_CLASS = 0x22;

/** The fields that tell one VMOVP from another; GICv4.1 adds DB and Default_Doorbell. */
const KEY_4_0: CommandWords = [ones(47, 32), ones(47, 32) | ones(15, 0), ones(51, 16), 0n];
const KEY_4_1: CommandWords = [KEY_4_0[0], KEY_4_0[1], KEY_4_0[2] | ones(63), ones(31, 0)];

/** Whether two ITSs have the same VMOVP: section 6.19, step 4. */
export function sameVmovp({ architecture }: MachineConfig, one: CommandWords, other: CommandWords): boolean {
  const key = architecture === 'GICv4.1' ? KEY_4_1 : KEY_4_0;
  return (
    numberField(one[0], 7, 0) === numberField(other[0], 7, 0) &&
    key.every((mask, n) => (one[n]! & mask) === (other[n]! & mask))
  );
}

/** The ITSs that have to come to a VMOVP before it is performed: just its own where GITS_TYPER.VMOVP=1. */
export function vmovpPartners({ config, its }: CommandContext, words: CommandWords): number[] {
  if (config.vmovpOnAnyIts) return [its];
  const listed = Array.from({ length: 16 }, (_, n) => n).filter((n) => field(words[1], n) === 1n);
  return listed.length === 0 ? [its] : listed;
}

/** Throws a `Failure` for a VMOVP that cannot be performed. */
export function checkVmovp(context: CommandContext, words: CommandWords): void {
  requireVpe(context, vpeIdOf(words));
  const cpu = requireTarget(context, words[2]);
  const doorbell = doorbellOf(context, words);
  if (doorbell !== undefined) requireDoorbell(context, doorbell);
  if (!context.virtual!.vpes.canMove(vpeIdOf(words), cpu)) throw new Failure(Reason.VPE_OUT_OF_RANGE);
}

/** Moves the vPE for all ITSs that take part: all that have mapped it where GITS_TYPER.VMOVP=1. */
export function performVmovp(context: CommandContext, words: CommandWords): void {
  const { config, virtual } = context;
  const all = Array.from({ length: config.itsCount }, (_, its) => its);
  const itses = config.vmovpOnAnyIts ? all : vmovpPartners(context, words);
  const cpu = requireTarget(context, words[2]);
  virtual!.vpes.move(itses, vpeIdOf(words), cpu, doorbellOf(context, words));
}

/** The default doorbell that the command brings, in GICv4.1 with DB=1. */
function doorbellOf({ config }: CommandContext, words: CommandWords): number | undefined {
  const given = config.architecture === 'GICv4.1' && field(words[2], 63) === 1n;
  return given ? numberField(words[3], 31, 0) : undefined;
}
