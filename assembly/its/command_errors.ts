// Results of a command that failed: error codes 0x01_CC_EE of section 6.1, and three outcomes without a code.
import { Outcome } from '../abi';
import { Command, ErrorReason } from './decode';

/** A table access outside RAM; no error code of section 6.1 stands for it. */
export const COMMAND_FAULT: u32 = 0xffffffff;
/** A command number that this ITS does not implement. */
export const COMMAND_UNKNOWN: u32 = 0xfffffffe;
/** The command waits for other ITSs; the queue stays where it is without being stalled. */
export const COMMAND_WAITS: u32 = 0xfffffffd;

/** 0x01_CC_EE. CLEAR has 05 where its command number is 04. */
export function error(command: Command, reason: ErrorReason): u32 {
  return 0x010000 | ((command == Command.CLEAR ? 5 : <u32>command) << 8) | <u32>reason;
}

/** The error of a command whose lookup ended in `outcome`. */
export function lookupError(command: Command, outcome: Outcome): u32 {
  switch (outcome) {
    case Outcome.DEVICE_OUT_OF_RANGE:
      return error(command, ErrorReason.DEVICE_OUT_OF_RANGE);
    case Outcome.DEVICE_UNMAPPED:
      return error(command, ErrorReason.DEVICE_UNMAPPED);
    case Outcome.EVENT_OUT_OF_RANGE:
      return error(command, ErrorReason.EVENT_OUT_OF_RANGE);
    case Outcome.EVENT_UNMAPPED:
      return error(command, ErrorReason.INTERRUPT_UNMAPPED);
    case Outcome.COLLECTION_UNMAPPED:
      return error(command, ErrorReason.COLLECTION_UNMAPPED);
    case Outcome.VPE_UNMAPPED:
      return error(command, ErrorReason.VPE_UNMAPPED);
    default:
      return COMMAND_FAULT;
  }
}
