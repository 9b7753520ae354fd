// ITS commands as an input names them: their operands are small, so that many name what others have mapped.
import { COMMAND_BYTES, Command } from '../its/decode';
import { itsOf } from '../its/its';
import { area, areaAt, CPUS, ittAddress, QUEUE, VIRTUAL_CONFIG, VIRTUAL_PENDING } from './layout';
import { b, bits, c } from './operand';

const VALID: u64 = 1 << 63;
const NO_DOORBELL: u64 = 1023;
/** Doorbells are the last of the 64 LPIs that inputs use. */
const FIRST_DOORBELL: u64 = 8192 + 56;

/** What a command may do to the set of pending interrupts. */
export const KEEPS: u32 = 0;
export const ADDS: u32 = 1;
export const REMOVES: u32 = 2;

/** Physical commands, those of GICv4 that break no rule in any order, then the others. */
const PHYSICAL: u32 = 12;
const ORDERLY: u32 = 18;
const ALL: u32 = 23;

function numberOf(choice: u32): u32 {
  switch (choice) {
    case 0:
      return Command.MAPTI;
    case 1:
      return Command.INT;
    case 2:
      return Command.MOVI;
    case 3:
      return Command.CLEAR;
    case 4:
      return Command.DISCARD;
    case 5:
      return Command.INV;
    case 6:
      return Command.INVALL;
    case 7:
      return Command.MAPC;
    case 8:
      return Command.MAPD;
    case 9:
      return Command.MOVALL;
    case 10:
      return Command.MAPI;
    case 11:
      return Command.SYNC;
    case 12:
    case 18:
      return Command.VMAPTI;
    case 13:
      return Command.VMOVI;
    case 14:
      return Command.VINVALL;
    case 15:
      return Command.VSYNC;
    case 16:
      return Command.INT;
    case 17:
      return Command.CLEAR;
    case 19:
      return Command.VMAPP;
    case 20:
      return Command.VMOVP;
    case 21:
      return Command.VSGI;
    default:
      return Command.INVDB;
  }
}

/** The number of the command that the operands name. */
export function commandOf(isVirtual: bool, orderly: bool): u32 {
  return numberOf(b % (!isVirtual ? PHYSICAL : orderly ? ORDERLY : ALL));
}

export function effectOf(command: u32): u32 {
  if (command == Command.INT) return ADDS;
  return command == Command.CLEAR || command == Command.DISCARD ? REMOVES : KEEPS;
}

/** Puts the command that the operands name into the queue of an ITS; the offset after it. */
export function queueCommand(its: u32, command: u32, orderly: bool): u32 {
  const writer = itsOf(its).cwriter & 0xfe0;
  const at = areaAt(QUEUE + its) + writer;
  const device = bits(0, 2);
  const lpi = <u64>(8192 + bits(9, 5));
  const vpe = bits(14, 2);
  const doorbell = orderly || bits(16, 1) ? NO_DOORBELL : FIRST_DOORBELL + bits(17, 3);
  const target = (<u64>(bits(20, 3) % (orderly ? CPUS : CPUS + 1))) << 16;
  const collection = <u64>bits(23, 2);
  const valid = bits(27, 3) == 0 ? 0 : VALID;
  let word0 = <u64>command | ((<u64>device) << 32);
  let word1 = <u64>bits(5, 3);
  let word2 = collection | target | valid;
  let word3: u64 = 0;
  switch (command) {
    case Command.MAPD:
      word1 = orderly ? 4 : 3 + bits(8, 3);
      word2 = valid | ittAddress(its, device);
      break;
    case Command.MAPTI:
      word1 |= lpi << 32;
      word2 = collection;
      break;
    case Command.MAPI:
      // The EventID is the LPI: there are events beyond the table of a device, which such a command meets.
      word1 = lpi;
      word2 = collection;
      break;
    case Command.MOVALL:
      word2 = target;
      word3 = (<u64>bits(0, 1)) << 16;
      break;
    case Command.VMAPTI:
      word1 |= (<u64>vpe) << 32;
      word2 = (doorbell << 32) | lpi;
      break;
    case Command.VMOVI:
      word1 |= (<u64>vpe) << 32;
      word2 = (doorbell << 32) | bits(19, 1);
      break;
    case Command.VSGI:
      word0 = <u64>command | ((<u64>bits(0, 4)) << 32) | ((<u64>bits(4, 3)) << 8) | ((<u64>bits(7, 4)) << 20);
      word1 = (<u64>vpe) << 32;
      break;
    case Command.VMOVP:
      word0 = <u64>command | ((<u64>bits(0, 1)) << 32);
      word1 = <u64>bits(1, 3) | ((<u64>vpe) << 32);
      word2 = target | ((<u64>bits(4, 1)) << 63);
      word3 = lpi;
      break;
    case Command.VMAPP:
      word0 = <u64>command | area(VIRTUAL_CONFIG) | ((<u64>bits(4, 2)) << 8);
      word1 = doorbell | ((<u64>vpe) << 32);
      word2 = valid | target;
      word3 = area(VIRTUAL_PENDING + vpe) | 13;
      break;
    case Command.VINVALL:
    case Command.VSYNC:
    case Command.INVDB:
      word1 = (<u64>vpe) << 32;
      break;
    default:
  }
  if (!orderly && c >> 30 == 3) word1 ^= ((<u64>b) << 48) | c;
  store<u64>(at, word0);
  store<u64>(at, word1, 8);
  store<u64>(at, word2, 16);
  store<u64>(at, word3, 24);
  return (writer + COMMAND_BYTES) & 0xfe0;
}

/** Whether the machine has VLPIs. */
export function isVirtualMachine(): bool {
  return itsOf(0).isVirtual;
}
