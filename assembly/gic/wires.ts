// Input wires of SPIs and PPIs, and the messages that stand for a wire (sections 1.2, 2.5).
import { machine } from '../memory/machine';
import { Bank, BankField } from './bank';
import { bankOf, slotOf } from './intid';

/**
 * Sets the input of an SPI. For an edge-triggered SPI a rising wire, or each message, sets the pending latch; a
 * message that clears takes the latch back.
 */
export function setSpiLevel(intid: u32, level: bool, message: bool): void {
  const slot = slotOf(intid);
  if (slot < 0) return;
  const bank = changetype<Bank>(machine().spiBank);
  if (message && bank.bit(BankField.EDGE, <u32>slot)) {
    bank.setBit(BankField.LATCH, <u32>slot, level);
    bank.update(<u32>slot);
  } else setInput(bank, <u32>slot, level);
}

export function setPpiLevel(cpu: u32, intid: u32, level: bool): void {
  const slot = slotOf(intid);
  if (slot >= 0) setInput(bankOf(intid, cpu), <u32>slot, level);
}

function setInput(bank: Bank, slot: u32, level: bool): void {
  if (bank.bit(BankField.LEVEL, slot) == level) return;
  bank.setBit(BankField.LEVEL, slot, level);
  if (level && bank.bit(BankField.EDGE, slot)) bank.setBit(BankField.LATCH, slot, true);
  bank.update(slot);
}
