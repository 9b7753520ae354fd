// The state of SGIs, PPIs and SPIs: one bank of SPIs in the Distributor, one bank of SGIs and PPIs in each
// redistributor. A bank numbers its interrupts by slot: the basic range first, then the Extended range.
//
//   bank:  header | field words [Fields x words] | priority bytes | position words | (SPIs) router, target
//
// Pending is derived: latch OR (level-sensitive AND line). `position` says where in the priority indexes a slot
// stands, so that any change of state ends in one `update`.
import { touchWired } from './outputs';
import { redistributorOf, wiredIndex } from './redistributor';
import { routeSpi } from './routing';

export const SPI_WORDS: u32 = 64;
export const PPI_WORDS: u32 = 3;

/** First slot of the Extended range. */
export const EXTENDED_SPI_SLOT: u32 = 1024;
export const EXTENDED_PPI_SLOT: u32 = 32;

/** Bits per interrupt, one bitmap each. */
export namespace BankField {
  export const IMPLEMENTED: u32 = 0;
  export const GROUP: u32 = 1;
  export const ENABLE: u32 = 2;
  export const LATCH: u32 = 3;
  export const LEVEL: u32 = 4;
  export const ACTIVE: u32 = 5;
  export const EDGE: u32 = 6;
  /** Interrupt_Routing_Mode: any participating PE. */
  export const ONE_OF_N: u32 = 7;
  export const COUNT: u32 = 8;
}

/** No PE. */
export const NO_CPU: u32 = 0xffff;

/** A slot's place in the indexes: valid, PE, group, priority. 0 = in none. */
const POSITION_VALID: u32 = 1 << 31;
const POSITION_CPU_SHIFT: u32 = 9;
const POSITION_GROUP: u32 = 1 << 8;

@unmanaged
export class Bank {
  words: u32;
  /** PE of a bank of SGIs and PPIs; NO_CPU for the bank of SPIs. */
  cpu: u32;
  priorities: usize;
  positions: usize;
  /** GICD_IROUTER values and the PEs that they name; SPIs only. */
  routers: usize;
  targets: usize;

  word(field: u32, index: u32): u32 {
    return load<u32>(this.wordAt(field, index));
  }

  setWord(field: u32, index: u32, value: u32): void {
    store<u32>(this.wordAt(field, index), value);
  }

  bit(field: u32, slot: u32): bool {
    return ((this.word(field, slot >> 5) >> (slot & 31)) & 1) != 0;
  }

  setBit(field: u32, slot: u32, value: bool): void {
    const at = this.wordAt(field, slot >> 5);
    const mask: u32 = (<u32>1) << (slot & 31);
    const old = load<u32>(at);
    store<u32>(at, value ? old | mask : old & ~mask);
  }

  /** Pending bits of one word: latch OR (level-sensitive AND line). */
  pendingWord(index: u32): u32 {
    return (
      this.word(BankField.LATCH, index) |
      (~this.word(BankField.EDGE, index) & this.word(BankField.LEVEL, index))
    );
  }

  priority(slot: u32): u32 {
    return load<u8>(this.priorities + slot);
  }

  setPriority(slot: u32, priority: u32): void {
    store<u8>(this.priorities + slot, <u8>priority);
  }

  target(slot: u32): u32 {
    return load<u16>(this.targets + (slot << 1));
  }

  setTarget(slot: u32, cpu: u32): void {
    store<u16>(this.targets + (slot << 1), <u16>cpu);
  }

  router(slot: u32): u64 {
    return load<u64>(this.routers + (slot << 3));
  }

  setRouter(slot: u32, value: u64): void {
    store<u64>(this.routers + (slot << 3), value);
  }

  /** Brings the indexes in line with the state of one interrupt. */
  update(slot: u32): void {
    const index = slot >> 5;
    const bit = slot & 31;
    const candidates =
      this.pendingWord(index) & this.word(BankField.ENABLE, index) & ~this.word(BankField.ACTIVE, index);
    const at = this.positions + (slot << 2);
    const old = load<u32>(at);
    let position: u32 = 0;
    if ((candidates >> bit) & 1) {
      const group = (this.word(BankField.GROUP, index) >> bit) & 1;
      const cpu =
        this.cpu != NO_CPU ? this.cpu : routeSpi(this, slot, group, old ? positionCpu(old) : NO_CPU);
      if (cpu != NO_CPU) {
        position = POSITION_VALID | (cpu << POSITION_CPU_SHIFT) | (group << 8) | this.priority(slot);
      }
    }
    if (position == old) return;
    store<u32>(at, position);
    const place = ordinal(this.cpu != NO_CPU, slot);
    if (old) this.unindex(old, place);
    if (position) {
      const cpu = positionCpu(position);
      wiredIndex(redistributorOf(cpu), positionGroup(position)).add(place, position & 0xff);
      touchWired(cpu);
    }
  }

  /** `update` for each interrupt of one word that `changed` has a bit for. */
  updateWord(index: u32, changed: u32): void {
    while (changed) {
      this.update((index << 5) | <u32>ctz(changed));
      changed &= changed - 1;
    }
  }

  private unindex(position: u32, place: u32): void {
    const cpu = positionCpu(position);
    wiredIndex(redistributorOf(cpu), positionGroup(position)).remove(place, position & 0xff);
    touchWired(cpu);
  }

  private wordAt(field: u32, index: u32): usize {
    return changetype<usize>(this) + offsetof<Bank>() + ((field * this.words + index) << 2);
  }
}

function positionCpu(position: u32): u32 {
  return (position & ~POSITION_VALID) >> POSITION_CPU_SHIFT;
}

function positionGroup(position: u32): u32 {
  return (position & POSITION_GROUP) >> 8;
}

/** Lays out an all-inactive bank; `words` bitmaps words of 32 interrupts each. */
export function initBank(bank: Bank, words: u32, cpu: u32): void {
  bank.words = words;
  bank.cpu = cpu;
  bank.priorities = changetype<usize>(bank) + offsetof<Bank>() + BankField.COUNT * words * 4;
  bank.positions = bank.priorities + words * 32;
  bank.routers = bank.positions + words * 32 * 4;
  bank.targets = bank.routers + words * 32 * 8;
}

/** Memory that a bank needs. */
export function bankBytes(words: u32, routed: bool): u32 {
  return <u32>offsetof<Bank>() + BankField.COUNT * words * 4 + words * 32 * (1 + 4 + (routed ? 8 + 2 : 0));
}

// In a PE's index the interrupts of both banks stand in the order of their INTIDs:
// SGI, PPI 0-31, SPI 32-1019, Extended PPI from 1024 on, Extended SPI from 1088 on.
const ORDINAL_EXTENDED_PPI: u32 = 1024;
const ORDINAL_EXTENDED_SPI: u32 = 1088;

/** Bits of a PE's index of SGIs, PPIs and SPIs. */
export const WIRED_CAPACITY: u32 = 4096;

function ordinal(banked: bool, slot: u32): u32 {
  if (banked) return slot < EXTENDED_PPI_SLOT ? slot : slot - EXTENDED_PPI_SLOT + ORDINAL_EXTENDED_PPI;
  return slot < EXTENDED_SPI_SLOT ? slot : slot - EXTENDED_SPI_SLOT + ORDINAL_EXTENDED_SPI;
}

/** The INTID of a bit of a PE's index. */
export function ordinalIntid(place: u32): u32 {
  if (place < ORDINAL_EXTENDED_PPI) return place;
  if (place < ORDINAL_EXTENDED_SPI) return place - ORDINAL_EXTENDED_PPI + 1056;
  return place - ORDINAL_EXTENDED_SPI + 4096;
}
