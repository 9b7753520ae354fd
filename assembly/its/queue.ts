// The command queue: wrap, full, stall, retry (section 5.13).
import { Choice, Counter, Diagnostic, Event, Policy } from '../abi';
import { report } from '../diag/diagnostics';
import { emit } from '../diag/events';
import { count } from '../memory/counters';
import { machine, policy } from '../memory/machine';
import { COMMAND_FAULT, COMMAND_UNKNOWN, COMMAND_WAITS } from './command_errors';
import { execute } from './commands';
import { COMMAND_BYTES, deviceId, eventId } from './decode';
import { Its, itsOf } from './its';
import { isValid } from './tables';

/** Executes up to `budget` commands; the number executed. A stalled command does not count. */
export function processQueue(its: Its, budget: u32): u32 {
  let done: u32 = 0;
  while (done < budget && hasCommand(its)) {
    if (!step(its)) break;
    done++;
  }
  return done;
}

/** Whether the queue may be drained within the register write that gave it work. */
export function processAtOnce(its: Its): void {
  if (policy(Policy.commandExecution) == Choice.STEPPED) return;
  processQueue(its, 0xffffffff);
  while (processReleased()) {}
}

/** Goes on with the ITSs that waited with a VMOVP for one that has reached it; whether there were any. */
function processReleased(): bool {
  let any = false;
  for (let n: u32 = 0; n < machine().itsCount; n++) {
    const its = itsOf(n);
    if (its.moved && hasCommand(its)) {
      processQueue(its, 0xffffffff);
      any = true;
    }
  }
  return any;
}

function hasCommand(its: Its): bool {
  return (
    its.enabled != 0 &&
    !its.stalled &&
    isValid(its.cbaser) &&
    its.creadr != its.cwriter &&
    its.creadr < its.queueBytes &&
    its.cwriter < its.queueBytes
  );
}

/** Executes the command at GITS_CREADR; false when it stalls. */
function step(its: Its): bool {
  if (its.queue == 0) {
    report(Diagnostic.QUEUE_FAULT, its.number, its.creadr);
    if (policy(Policy.queueFault) == Choice.QUEUE_FAULT_STALL) return stall(its);
    advance(its);
    return true;
  }
  const at = its.queue + its.creadr;
  const failed = execute(its, at);
  if (failed == COMMAND_WAITS) return false;
  // Software may have replaced the VMOVP that the ITS waited with.
  its.moving = 0;
  its.moved = 0;
  count(Counter.COMMANDS);
  emit(Event.COMMAND, its.number, load<u8>(at), its.creadr);
  if (failed) {
    count(Counter.COMMAND_ERRORS);
    emit(Event.COMMAND_FAILED, its.number, failed);
    if (!tolerate(its, at, failed)) return stall(its);
  }
  if (its.stalledShown && !policy(Policy.stalledSticky)) its.stalledShown = 0;
  advance(its);
  return true;
}

/** Reports a failed command; whether the queue goes on. */
function tolerate(its: Its, at: usize, failed: u32): bool {
  if (failed == COMMAND_FAULT) {
    report(Diagnostic.TABLE_FAULT, its.number, its.creadr, deviceId(at), eventId(at), load<u8>(at));
    return policy(Policy.tableFault) != Choice.TABLE_FAULT_STALL;
  }
  if (failed == COMMAND_UNKNOWN) report(Diagnostic.UNKNOWN_COMMAND, its.number, its.creadr, load<u8>(at));
  else report(Diagnostic.COMMAND_ERROR, its.number, its.creadr, failed, deviceId(at), eventId(at));
  const choice = policy(Policy.commandError);
  if (choice == Choice.COMMAND_ERROR_SEI) {
    count(Counter.SYSTEM_ERRORS);
    report(Diagnostic.SYSTEM_ERROR, its.number, its.creadr, failed);
  }
  return choice != Choice.COMMAND_ERROR_STALL;
}

function stall(its: Its): bool {
  its.stalled = 1;
  its.stalledShown = 1;
  report(Diagnostic.QUEUE_STALLED, its.number, its.creadr);
  return false;
}

function advance(its: Its): void {
  its.creadr += COMMAND_BYTES;
  if (its.creadr >= its.queueBytes) its.creadr = 0;
}
