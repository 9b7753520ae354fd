import { cpuOfRdbase } from './affinity.ts';
import { field, numberField, ones } from './bits.ts';
import type { VirtualSide } from './event_target.ts';
import {
  type Command,
  type CommandContext,
  type CommandWords,
  deviceIdOf,
  eventIdOf,
  isLpi,
  isValid,
} from './its_commands.ts';
import { Failure, Reason } from './its_translation.ts';
import { type ConfiguredVpe, NO_DOORBELL, type Vpe } from './vpe.ts';

/** The commands that GICv4.0 adds, by number: sections 6.14 and 6.16 to 6.21. VMOVP is with the ITSs that share it. */
export const virtualCommands: ReadonlyMap<number, Command> = new Map([
  [0x21, { name: 'VMOVI', errorClass: 0x21, run: vmovi }],
  [0x25, { name: 'VSYNC', errorClass: 0x25, run: vsync }],
  [0x29, { name: 'VMAPP', errorClass: 0x29, run: vmapp }],
  [0x2a, { name: 'VMAPTI', errorClass: 0x2a, run: vmapti }],
  [0x2b, { name: 'VMAPI', errorClass: 0x2b, run: vmapi }],
  [0x2d, { name: 'VINVALL', errorClass: 0x2d, run: vinvall }],
]);

/** Those that GICv4.1 adds, VSGI where there are virtual SGIs: sections 6.22 and 6.23. */
export const vsgiCommand: Command = { name: 'VSGI', errorClass: 0x23, run: vsgi };
export const invdbCommand: Command = { name: 'INVDB', errorClass: 0x2e, run: invdb };

export const vpeIdOf = (words: CommandWords): number => numberField(words[1], 47, 32);

const virtualSide = ({ virtual }: CommandContext): VirtualSide => virtual!;

/** The vPE that a command names; else a `Failure`. */
export function requireVpe(context: CommandContext, vpeId: number): Vpe {
  const { vpes } = virtualSide(context);
  if (!vpes.inRange(context.its, vpeId)) throw new Failure(Reason.VPE_OUT_OF_RANGE);
  const vpe = vpes.find(context.its, vpeId);
  if (!vpe) throw new Failure(Reason.VPE_UNMAPPED);
  return vpe;
}

/** A doorbell is an LPI, or 1023 for none. */
export function requireDoorbell({ config }: CommandContext, doorbell: number): void {
  if (doorbell !== NO_DOORBELL && !isLpi(config, doorbell)) throw new Failure(Reason.DOORBELL_OUT_OF_RANGE);
}

/** The doorbell of an event: none but 1023 where events cannot have their own (GITS_TYPER.nID). */
function requireEventDoorbell(context: CommandContext, doorbell: number): void {
  const { architecture, individualDoorbells } = context.config;
  requireDoorbell(context, doorbell);
  if (architecture === 'GICv4.1' && !individualDoorbells && doorbell !== NO_DOORBELL) {
    throw new Failure(Reason.DOORBELL_OUT_OF_RANGE);
  }
}

export function requireTarget({ config }: CommandContext, doubleword: bigint): number {
  const cpu = cpuOfRdbase(config, doubleword);
  if (cpu === undefined) throw new Failure(Reason.SIZE_OR_TARGET_OUT_OF_RANGE);
  return cpu;
}

/** Sections 6.14 and 6.15: what GICv4.1 adds to the command is reserved in GICv4.0. */
function vmapp(context: CommandContext, words: CommandWords): void {
  const { config, its } = context;
  const { vpes } = virtualSide(context);
  const vpeId = vpeIdOf(words);
  const alloc = field(words[0], 8) === 1n;
  if (!vpes.inRange(its, vpeId)) throw new Failure(Reason.VPE_OUT_OF_RANGE);
  if (!isValid(words)) {
    vpes.unmap(its, vpeId, alloc);
    return;
  }
  const cpu = requireTarget(context, words[2]);
  const size = numberField(words[3], 4, 0);
  if (size >= config.intidBits) throw new Failure(Reason.SIZE_OR_TARGET_OUT_OF_RANGE);
  const defaultDoorbell = config.architecture === 'GICv4.1' ? numberField(words[1], 31, 0) : NO_DOORBELL;
  requireDoorbell(context, defaultDoorbell);
  const vpt = Number(words[3] & ones(51, 16));
  const configTable = Number(words[0] & ones(51, 16));
  const pendingTableZero = field(words[0], 9) === 1n;
  const mapping = { cpu, vpt, size, configTable, defaultDoorbell, alloc, pendingTableZero };
  if (!vpes.map(its, vpeId, mapping)) throw new Failure(Reason.VPE_OUT_OF_RANGE);
}

/** Section 6.16. */
function vmapti(context: CommandContext, words: CommandWords): void {
  mapEvent(context, words, numberField(words[2], 31, 0));
}

/** Section 6.17. */
function vmapi(context: CommandContext, words: CommandWords): void {
  mapEvent(context, words, eventIdOf(words));
}

/** That the vPE is mapped is looked at when an event comes. */
function mapEvent(context: CommandContext, words: CommandWords, vIntid: number): void {
  const { config, its, translation } = context;
  const eventId = eventIdOf(words);
  const vpeId = vpeIdOf(words);
  const doorbell = numberField(words[2], 63, 32);
  const device = translation.device(deviceIdOf(words), eventId);
  if (!isLpi(config, vIntid)) throw new Failure(Reason.INTID_OUT_OF_RANGE);
  requireEventDoorbell(context, doorbell);
  if (!virtualSide(context).vpes.inRange(its, vpeId)) throw new Failure(Reason.VPE_OUT_OF_RANGE);
  if (config.policy.maptiRemap === 'ignore' && translation.existing(device, eventId)) return;
  translation.map(device, eventId, { kind: 'virtual', vIntid, vpeId, doorbell });
}

/** Section 6.18. */
function vmovi(context: CommandContext, words: CommandWords): void {
  const { counters, translation } = context;
  const { delivery } = virtualSide(context);
  const eventId = eventIdOf(words);
  const device = translation.device(deviceIdOf(words), eventId);
  const mapping = translation.existing(device, eventId);
  if (mapping?.kind !== 'virtual') throw new Failure(Reason.INTERRUPT_UNMAPPED);
  const replaces = field(words[2], 0) === 1n;
  const doorbell = replaces ? numberField(words[2], 63, 32) : mapping.doorbell;
  if (replaces) requireEventDoorbell(context, doorbell);
  const to = requireVpe(context, vpeIdOf(words));
  const from = requireVpe(context, mapping.vpeId);
  const { vIntid } = mapping;
  if (vIntid >= delivery.limit(from) || vIntid >= delivery.limit(to)) {
    throw new Failure(Reason.INTID_OUT_OF_RANGE);
  }
  const moves = from !== to && from.vpt !== to.vpt && delivery.isPending(from, vIntid);
  if (moves) delivery.requireTable(to);
  translation.map(device, eventId, { ...mapping, vpeId: vpeIdOf(words), doorbell });
  if (!moves) return;
  delivery.clearPending(from, vIntid);
  if (delivery.setPending(to, vIntid, doorbell, { moves: true }) !== 'pending') counters.cleared.vlpi++;
}

/** Section 6.20. */
function vinvall(context: CommandContext, words: CommandWords): void {
  virtualSide(context).delivery.invalidateAll(requireVpe(context, vpeIdOf(words)));
}

/** Section 6.21. Every command is complete when it has been processed, so there is nothing to wait for. */
function vsync(context: CommandContext, words: CommandWords): void {
  if (context.config.policy.checkSyncOperands) requireVpe(context, vpeIdOf(words));
}

/** Section 6.22. */
function vsgi(context: CommandContext, words: CommandWords): void {
  const vpe = requireVpe(context, vpeIdOf(words)) as ConfiguredVpe;
  const vIntid = numberField(words[0], 35, 32);
  const entry = vpe.vsgis[vIntid]!;
  if (field(words[0], 9) === 1n) {
    entry.pending = false;
    return;
  }
  entry.enabled = field(words[0], 8) === 1n;
  entry.group = field(words[0], 10) === 1n ? 1 : 0;
  entry.priority = numberField(words[0], 23, 20) * 16;
  virtualSide(context).delivery.wakeForVsgi(vpe, vIntid);
}

/** Section 6.23. */
function invdb(context: CommandContext, words: CommandWords): void {
  const { defaultDoorbell } = requireVpe(context, vpeIdOf(words)) as ConfiguredVpe;
  for (const lpis of context.lpis) lpis.invalidate(defaultDoorbell);
}
