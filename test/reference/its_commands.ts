import type { MachineConfig } from '../../bindings/config.ts';
import { cpuOfRdbase } from './affinity.ts';
import { field, numberField, ones } from './bits.ts';
import type { Counters } from './counters.ts';
import { type EventTarget, outcomeOf, type TargetFinder, targetOf } from './event_target.ts';
import type { Mapping } from './its_tables.ts';
import { Failure, Reason } from './its_translation.ts';
import type { LpiUnit } from './lpi.ts';
import { FIRST_LPI } from './lpi_tables.ts';

/** The four doublewords of a command. */
export type CommandWords = readonly [bigint, bigint, bigint, bigint];

/** What commands work on. */
export interface CommandContext extends TargetFinder {
  readonly config: MachineConfig;
  readonly counters: Counters;
}

export interface Command {
  readonly name: string;
  /** The middle byte of its error codes (section 6.1); 0 where no codes are known. */
  readonly errorClass: number;
  /** Throws a `Failure` for a command error and a `TableFault` for a table outside RAM. */
  readonly run: (context: CommandContext, words: CommandWords) => void;
}

/** The GICv3 commands by number: sections 6.0 to 6.13. */
export const physicalCommands: ReadonlyMap<number, Command> = new Map([
  [0x01, { name: 'MOVI', errorClass: 0x01, run: movi }],
  [0x03, { name: 'INT', errorClass: 0x03, run: int }],
  [0x04, { name: 'CLEAR', errorClass: 0x05, run: clear }],
  [0x05, { name: 'SYNC', errorClass: 0, run: sync }],
  [0x08, { name: 'MAPD', errorClass: 0x08, run: mapd }],
  [0x09, { name: 'MAPC', errorClass: 0x09, run: mapc }],
  [0x0a, { name: 'MAPTI', errorClass: 0x0a, run: mapti }],
  [0x0b, { name: 'MAPI', errorClass: 0x0b, run: mapi }],
  [0x0c, { name: 'INV', errorClass: 0x0c, run: inv }],
  [0x0d, { name: 'INVALL', errorClass: 0x0d, run: invall }],
  [0x0e, { name: 'MOVALL', errorClass: 0x0e, run: movall }],
  [0x0f, { name: 'DISCARD', errorClass: 0x0f, run: discard }],
]);

export const deviceIdOf = (words: CommandWords): number => numberField(words[0], 63, 32);
export const eventIdOf = (words: CommandWords): number => numberField(words[1], 31, 0);
const icidOf = (words: CommandWords): number => numberField(words[2], 15, 0);
export const isValid = (words: CommandWords): boolean => field(words[2], 63) === 1n;

/** Section 6.2. With V=0 the size has no meaning and is not checked. A DeviceID without level-2 page is out of range. */
function mapd({ config, translation }: CommandContext, words: CommandWords): void {
  const deviceId = deviceIdOf(words);
  const eventBits = numberField(words[1], 4, 0) + 1;
  if (!translation.devices.inRange(deviceId)) throw new Failure(Reason.DEVICE_OUT_OF_RANGE);
  if (isValid(words) && eventBits > config.eventIdBits) throw new Failure(Reason.SIZE_OR_TARGET_OUT_OF_RANGE);
  const itt = Number(words[2] & ones(51, 8));
  const written = translation.devices.write(deviceId, isValid(words) ? { itt, eventBits } : undefined);
  if (!written) throw new Failure(Reason.DEVICE_OUT_OF_RANGE);
}

/** Section 6.3. Pending LPIs stay where they are. */
function mapc({ config, translation }: CommandContext, words: CommandWords): void {
  const icid = icidOf(words);
  if (!translation.collections.inRange(icid)) throw new Failure(Reason.COLLECTION_OUT_OF_RANGE);
  const cpu = isValid(words) ? cpuOfRdbase(config, words[2]) : undefined;
  if (isValid(words) && cpu === undefined) throw new Failure(Reason.SIZE_OR_TARGET_OUT_OF_RANGE);
  if (!translation.collections.write(icid, cpu)) throw new Failure(Reason.COLLECTION_OUT_OF_RANGE);
}

/** Section 6.4. */
function mapti(context: CommandContext, words: CommandWords): void {
  mapEvent(context, words, numberField(words[1], 63, 32));
}

/** Section 6.5. */
function mapi(context: CommandContext, words: CommandWords): void {
  mapEvent(context, words, eventIdOf(words));
}

function mapEvent(
  { config, counters, translation, lpis }: CommandContext,
  words: CommandWords,
  intid: number,
): void {
  const eventId = eventIdOf(words);
  const icid = icidOf(words);
  const device = translation.device(deviceIdOf(words), eventId);
  if (!isLpi(config, intid)) throw new Failure(Reason.INTID_OUT_OF_RANGE);
  if (!translation.collections.inRange(icid)) throw new Failure(Reason.COLLECTION_OUT_OF_RANGE);
  if (config.policy.maptiRemap === 'ignore' && translation.existing(device, eventId)) return;
  // Read first: a fault here must leave the mapping as it was.
  const cpu = config.policy.maptiClearsPending ? translation.collections.read(icid) : undefined;
  translation.map(device, eventId, { kind: 'physical', intid, icid });
  if (cpu !== undefined && lpis[cpu]!.clearPending(intid)) counters.cleared.lpi++;
}

/** Whether an INTID is that of an LPI that the machine has. */
export function isLpi({ intidBits }: MachineConfig, intid: number): boolean {
  return intid >= FIRST_LPI && intid < 2 ** intidBits;
}

/** Section 6.6. */
function movi(context: CommandContext, words: CommandWords): void {
  const { translation, lpis } = context;
  const eventId = eventIdOf(words);
  const icid = icidOf(words);
  const device = translation.device(deviceIdOf(words), eventId);
  const mapping = translation.existing(device, eventId);
  if (mapping?.kind !== 'physical') throw new Failure(Reason.INTERRUPT_UNMAPPED);
  if (!translation.collections.inRange(icid)) throw new Failure(Reason.COLLECTION_OUT_OF_RANGE);
  const to = translation.collections.read(icid);
  if (to === undefined) throw new Failure(Reason.COLLECTION_UNMAPPED);
  const from = translation.collections.read(mapping.icid);
  if (from === undefined) throw new Failure(Reason.COLLECTION_UNMAPPED);
  translation.map(device, eventId, { ...mapping, icid });
  if (from === to) return;
  moveLpi(context, lpis[from]!, lpis[to]!, mapping.intid);
}

/**
 * Moves an LPI if it is pending. One that its destination cannot take, with LPIs disabled or too small a table there,
 * stays or is dropped.
 */
function moveLpi({ config, counters }: CommandContext, from: LpiUnit, to: LpiUnit, intid: number): void {
  if (from.isPending(intid) && (to.accepts(intid) || config.policy.moviTargetDisabled === 'drop')) {
    from.clearPending(intid);
    if (to.setPending(intid) !== 'pending') counters.cleared.lpi++;
  }
  from.forget(intid);
}

/**
 * Section 6.7. With the source's LPIs disabled there is nothing to move. LPIs beyond the destination's table stay. As
 * with MOVI, the source drops what it has cached.
 */
function movall({ config, counters, lpis }: CommandContext, words: CommandWords): void {
  const source = cpuOfRdbase(config, words[2]);
  const destination = cpuOfRdbase(config, words[3]);
  if (source === undefined || destination === undefined) throw new Failure(Reason.DEVICE_OUT_OF_RANGE);
  if (source === destination) return;
  const from = lpis[source]!;
  const to = lpis[destination]!;
  if (!to.usable && (to.enabled || config.policy.movallTargetDisabled === 'keep')) return;
  for (const intid of from.pending()) {
    if (to.enabled && !to.accepts(intid)) continue;
    from.clearPending(intid);
    if (to.setPending(intid) !== 'pending') counters.cleared.lpi++;
  }
  from.invalidateAll();
}

/**
 * Where the interrupt of an event is. No code for an unmapped collection is listed for INT, CLEAR, DISCARD and INV:
 * they take that of an unmapped interrupt, as KVM does; so does INT for an unmapped vPE.
 */
function findTarget(context: CommandContext, mapping: Mapping): EventTarget {
  try {
    return targetOf(context, mapping);
  } catch (problem) {
    throw asCommandError(problem);
  }
}

function asCommandError(problem: unknown): unknown {
  const unmapped = problem instanceof Failure && problem.reason === Reason.COLLECTION_UNMAPPED;
  return unmapped ? new Failure(Reason.INTERRUPT_UNMAPPED) : problem;
}

function route(context: CommandContext, words: CommandWords): EventTarget {
  return findTarget(context, context.translation.lookup(deviceIdOf(words), eventIdOf(words)));
}

/** Section 6.8. */
function int(context: CommandContext, words: CommandWords): void {
  const { counters, translation } = context;
  try {
    const mapping = translation.lookup(deviceIdOf(words), eventIdOf(words));
    counters.int.add(targetOf(context, mapping).setPending());
  } catch (problem) {
    const outcome = outcomeOf(problem);
    counters.int.add(outcome);
    throw outcome === 'vpe-unmapped' ? new Failure(Reason.INTERRUPT_UNMAPPED) : asCommandError(problem);
  }
}

/** Section 6.9. */
function clear(context: CommandContext, words: CommandWords): void {
  clearTarget(context, route(context, words));
}

/** Section 6.10. */
function discard(context: CommandContext, words: CommandWords): void {
  const { config, translation } = context;
  const eventId = eventIdOf(words);
  const device = translation.device(deviceIdOf(words), eventId);
  const mapping = translation.existing(device, eventId);
  if (!mapping) throw new Failure(Reason.INTERRUPT_UNMAPPED);
  let target: EventTarget | undefined;
  try {
    target = findTarget(context, mapping);
  } catch (problem) {
    if (!(problem instanceof Failure) || config.policy.discardUnmappedCollection === 'error') throw problem;
  }
  translation.map(device, eventId, undefined);
  if (target) clearTarget(context, target);
}

function clearTarget({ counters }: CommandContext, target: EventTarget): void {
  if (target.clearPending()) counters.cleared[target.kind]++;
}

/** Section 6.11. */
function inv(context: CommandContext, words: CommandWords): void {
  route(context, words).invalidate();
}

/** Section 6.12. */
function invall({ config, translation, lpis }: CommandContext, words: CommandWords): void {
  const icid = icidOf(words);
  const all = config.policy.invallScope === 'all';
  if (config.policy.checkSyncOperands && !translation.collections.inRange(icid)) {
    throw new Failure(Reason.COLLECTION_OUT_OF_RANGE);
  }
  // Without the check, and with all redistributors in scope, the collection plays no part and is not looked up.
  const cpu = config.policy.checkSyncOperands || !all ? translation.collections.read(icid) : undefined;
  if (config.policy.checkSyncOperands && cpu === undefined) throw new Failure(Reason.COLLECTION_UNMAPPED);
  if (all) for (const lpi of lpis) lpi.invalidateAll();
  else if (cpu !== undefined) lpis[cpu]!.invalidateAll();
}

/** Section 6.13. Every command is complete when it has been processed, so there is nothing to wait for. */
function sync({ config }: CommandContext, words: CommandWords): void {
  if (config.policy.checkSyncOperands && cpuOfRdbase(config, words[2]) === undefined) {
    throw new Failure(Reason.SIZE_OR_TARGET_OUT_OF_RANGE);
  }
}
