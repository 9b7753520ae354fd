// The guest's command queue: taken when GITS_CWRITER or GITS_CTLR is written, all of it, in the context of the vCPU that
// writes. The guest learns of no error; outcomes are counted, and failures remembered for people.
import { ItsOutcome } from '../../abi';
import { COMMAND_BYTES, commandNumber } from '../../its/decode';
import { Cost, spend } from '../costs';
import { guestMemory } from '../guest_memory';
import { vmOf } from '../state';
import { handleCommand } from './commands';
import { errorAt, errorCountAt, Its, numberOfIts, outcomeCountAt } from './records';

const QUEUE_ADDRESS: u64 = 0x000fffffffff0000;
const LAST_PAGE: u64 = 0xff;
const PAGE_SHIFT: u32 = 12;

export function queueBytes(its: Its): u32 {
  return (<u32>(its.cbaser & LAST_PAGE) + 1) << PAGE_SHIFT;
}

/** vgic_its_process_commands. A command that cannot be read is skipped. */
export function processCommands(its: Its): void {
  while (its.enabled && its.creadr != its.cwriter) {
    const offset = its.creadr;
    spend(Cost.GUEST_COMMAND, 1);
    const at = guestMemory(vmOf(its.vm), (its.cbaser & QUEUE_ADDRESS) + offset, COMMAND_BYTES);
    const number = at ? commandNumber(at) : 0;
    record(its, number, at ? handleCommand(its, at) : ItsOutcome.UNREADABLE, offset);
    its.creadr = offset + COMMAND_BYTES == queueBytes(its) ? 0 : offset + COMMAND_BYTES;
  }
}

function record(its: Its, command: u32, outcome: ItsOutcome, offset: u32): void {
  const n = numberOfIts(its);
  const counter = outcomeCountAt(n, outcome);
  store<u32>(counter, load<u32>(counter) + 1);
  its.commands++;
  its.lastOutcome = outcome;
  if (outcome == ItsOutcome.DONE) return;
  const errors = load<u32>(errorCountAt());
  const at = errorAt(errors);
  store<u32>(at, n);
  store<u32>(at, command, 4);
  store<u32>(at, outcome, 8);
  store<u32>(at, offset, 12);
  store<u32>(errorCountAt(), errors + 1);
}
