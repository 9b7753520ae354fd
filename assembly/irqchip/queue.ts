// The producer side of an ITS's command queue: 64 KiB, a slot at a time, with the sync command that belongs to what was
// posted, and the wait for completion.
import { readBus, writeBus } from '../gic/bus';
import { machine } from '../memory/machine';
import { ramAt } from '../memory/ram';
import { Cost, spend } from './costs';
import { ETIMEDOUT } from './errno';
import { LOG_COMMAND, log } from './log';
import { chip, itsNode } from './state';

export const QUEUE_BYTES: u32 = 0x10000;
const COMMAND_BYTES: u32 = 32;
const GITS_CWRITER: u64 = 0x88;
const GITS_CREADR: u64 = 0x90;
const CREADR_OFFSET: u32 = 0xfffe0;

export function itsAddress(its: u32): u64 {
  return machine().gitsBase + machine().gitsStride * its;
}

/** Slots that are kept free for what undoes an operation that was given up. */
const UNDO_SLOTS: u32 = 16;

/** Makes sure that `commands` slots are free; software keeps one slot empty. */
export function room(its: u32, commands: u32): bool {
  const node = itsNode(its);
  const bytes = (commands + (chip().undoing ? 0 : UNDO_SLOTS)) * COMMAND_BYTES;
  chip().posted = 0;
  for (let poll: u32 = 0; poll <= chip().pollLimit; poll++) {
    const reader = <u32>readBus(itsAddress(its) + GITS_CREADR, 8) & CREADR_OFFSET;
    const free = (reader - node.writer - COMMAND_BYTES) & (QUEUE_BYTES - 1);
    if (free >= bytes) return true;
  }
  return false;
}

/**
 * A command that does not complete stays in the queue, and will be executed if the ITS ever goes on. Whoever gives an
 * operation up posts what undoes it behind it, between `beginUndo` and `endUndo`; false where there is nothing to undo.
 */
export function beginUndo(): bool {
  if (!chip().posted) return false;
  chip().undoing++;
  return true;
}

export function endUndo(): void {
  chip().undoing--;
}

function put(its: u32, a: u64, b: u64, c: u64, d: u64): void {
  const node = itsNode(its);
  const at = ramAt(node.queue + node.writer, COMMAND_BYTES);
  store<u64>(at, a);
  store<u64>(at, b, 8);
  store<u64>(at, c, 16);
  store<u64>(at, d, 24);
  node.writer = (node.writer + COMMAND_BYTES) & (QUEUE_BYTES - 1);
  log(LOG_COMMAND, its, a, b, c, d);
  chip().posted = 1;
  spend(costOf(<u32>a & 0xff), 1);
}

function costOf(command: u32): Cost {
  if (command == <u32>SYNC || command == <u32>VSYNC) return Cost.ITS_SYNC;
  return command == VMOVP ? Cost.VMOVP : Cost.ITS_COMMAND;
}

/** Nothing follows a posted command. */
export const NO_SYNC: u64 = 0xffffffffffffffff;
const SYNC: u64 = 0x05;
const VSYNC: u64 = 0x25;
const VMOVP: u32 = 0x22;

/** Posts a command with SYNC to the redistributor that `rdBase` names, or without; waits until the ITS is past both. */
export function post(its: u32, a: u64, b: u64, c: u64, d: u64, rdBase: u64): i32 {
  const commands: u32 = rdBase == NO_SYNC ? 1 : 2;
  if (!room(its, commands)) return ETIMEDOUT;
  put(its, a, b, c, d);
  if (rdBase != NO_SYNC) put(its, SYNC, 0, rdBase, 0);
  ring(its);
  return awaitQueue(its, commands);
}

/** Posts a command with VSYNC to a vPE. */
export function postV(its: u32, a: u64, b: u64, c: u64, d: u64, vpeId: u32): i32 {
  const failed = startV(its, a, b, c, d, vpeId);
  return failed ? failed : awaitQueue(its, 2);
}

/** The same without the wait: for commands that several ITSs have to reach before one of them completes. */
export function startV(its: u32, a: u64, b: u64, c: u64, d: u64, vpeId: u32): i32 {
  if (!room(its, 2)) return ETIMEDOUT;
  put(its, a, b, c, d);
  put(its, VSYNC, (<u64>vpeId) << 32, 0, 0);
  ring(its);
  return 0;
}

function ring(its: u32): void {
  writeBus(itsAddress(its) + GITS_CWRITER, 8, itsNode(its).writer);
}

/** Waits until the ITS has read all of its queue. */
export function awaitQueue(its: u32, commands: u32): i32 {
  const node = itsNode(its);
  for (let poll: u32 = 0; poll <= chip().pollLimit; poll++) {
    const reader = <u32>readBus(itsAddress(its) + GITS_CREADR, 8) & CREADR_OFFSET;
    if (reader == node.writer) {
      chip().commands += commands;
      return 0;
    }
  }
  return ETIMEDOUT;
}
