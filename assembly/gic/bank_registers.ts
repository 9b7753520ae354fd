// The interrupt state registers, the same for the Distributor's SPIs and a redistributor's SGIs and PPIs:
// IGROUPR, ISENABLER, ICENABLER, ISPENDR, ICPENDR, ISACTIVER, ICACTIVER, IPRIORITYR, ICFGR (sections 2.1, 3.9).
// `element` counts registers from the bank's first slot on.
import { Policy, Register } from '../abi';
import { machine, policy } from '../memory/machine';
import { Bank, BankField, NO_CPU } from './bank';

/** Whether the SGIs (slots 0-15) stand in this part of the bank: they are always edge-triggered. */
function holdsSgis(bank: Bank, firstSlot: u32): bool {
  return bank.cpu != NO_CPU && firstSlot < 16;
}

export function readBank(bank: Bank, register: u32, element: u32): u32 {
  switch (register) {
    case Register.IGROUPR:
      return implemented(bank, element) & bank.word(BankField.GROUP, element);
    case Register.ISENABLER:
    case Register.ICENABLER:
      return bank.word(BankField.ENABLE, element);
    case Register.ISPENDR:
    case Register.ICPENDR:
      return implemented(bank, element) & bank.pendingWord(element);
    case Register.ISACTIVER:
    case Register.ICACTIVER:
      return bank.word(BankField.ACTIVE, element);
    case Register.IPRIORITYR:
      return load<u32>(bank.priorities + (element << 2));
    case Register.ICFGR:
      return readConfig(bank, element);
    default:
      return 0;
  }
}

export function writeBank(bank: Bank, register: u32, element: u32, value: u32): void {
  if (register == Register.IPRIORITYR) return writePriorities(bank, element, value);
  if (register == Register.ICFGR) return writeConfig(bank, element, value);
  const bits = value & implemented(bank, element);
  switch (register) {
    case Register.IGROUPR:
      return replace(bank, BankField.GROUP, element, bits);
    case Register.ISENABLER:
      return replace(bank, BankField.ENABLE, element, bank.word(BankField.ENABLE, element) | bits);
    case Register.ICENABLER:
      return replace(bank, BankField.ENABLE, element, bank.word(BankField.ENABLE, element) & ~bits);
    case Register.ISPENDR:
      return replace(bank, BankField.LATCH, element, bank.word(BankField.LATCH, element) | bits);
    case Register.ICPENDR:
      return replace(bank, BankField.LATCH, element, bank.word(BankField.LATCH, element) & ~bits);
    case Register.ISACTIVER:
      return replace(bank, BankField.ACTIVE, element, bank.word(BankField.ACTIVE, element) | bits);
    case Register.ICACTIVER:
      return replace(bank, BankField.ACTIVE, element, bank.word(BankField.ACTIVE, element) & ~bits);
    default:
  }
}

function implemented(bank: Bank, index: u32): u32 {
  return bank.word(BankField.IMPLEMENTED, index);
}

function replace(bank: Bank, field: u32, index: u32, value: u32): void {
  const old = bank.word(field, index);
  bank.setWord(field, index, value);
  bank.updateWord(index, old ^ value);
}

function writePriorities(bank: Bank, element: u32, value: u32): void {
  const mask = (0xff << (8 - machine().storedPriorityBits)) & 0xff;
  for (let byte: u32 = 0; byte < 4; byte++) {
    const slot = (element << 2) | byte;
    if (((implemented(bank, slot >> 5) >> (slot & 31)) & 1) == 0) continue;
    bank.setPriority(slot, (value >> (byte << 3)) & mask);
    bank.update(slot);
  }
}

/** Two bits an interrupt: the upper one is 1 for edge-triggered, the lower one reads as zero. */
function readConfig(bank: Bank, element: u32): u32 {
  const firstSlot = element << 4;
  let value: u32 = 0;
  for (let i: u32 = 0; i < 16; i++) {
    const edge = bank.bit(BankField.EDGE, firstSlot | i) && bank.bit(BankField.IMPLEMENTED, firstSlot | i);
    value |= (edge ? 2 : 0) << (i << 1);
  }
  return value;
}

function writeConfig(bank: Bank, element: u32, value: u32): void {
  const firstSlot = element << 4;
  if (holdsSgis(bank, firstSlot)) return;
  if (bank.cpu != NO_CPU && !policy(Policy.ppiConfigWritable)) return;
  for (let i: u32 = 0; i < 16; i++) {
    const slot = firstSlot | i;
    if (!bank.bit(BankField.IMPLEMENTED, slot)) continue;
    bank.setBit(BankField.EDGE, slot, ((value >> (i << 1)) & 2) != 0);
    bank.update(slot);
  }
}
