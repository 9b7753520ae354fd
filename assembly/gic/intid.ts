// The INTID space (section 1.1) and where each INTID's state is kept.
import { machine } from '../memory/machine';
import { Bank, EXTENDED_PPI_SLOT, EXTENDED_SPI_SLOT } from './bank';
import { redistributorOf } from './redistributor';

export const SPURIOUS: u32 = 1023;
export const FIRST_LPI: u32 = 8192;

export function isLpi(intid: u32): bool {
  return intid >= FIRST_LPI;
}

export function isSpecial(intid: u32): bool {
  return intid >= 1020 && intid <= 1023;
}

/** An SGI or PPI, basic or Extended: banked in each redistributor. */
export function isBanked(intid: u32): bool {
  return intid < 32 || (intid >= 1056 && intid < 1120);
}

/** The slot of an SGI, PPI or SPI in its bank; -1 where the INTID is not one that this machine implements. */
export function slotOf(intid: u32): i32 {
  const m = machine();
  if (intid < 32) return <i32>intid;
  if (intid < m.spiSlots) return <i32>intid;
  if (intid >= 1056 && intid < 1056 + m.extendedPpiSlots) return <i32>(intid - 1056 + EXTENDED_PPI_SLOT);
  if (intid >= 4096 && intid < 4096 + m.extendedSpiSlots) return <i32>(intid - 4096 + EXTENDED_SPI_SLOT);
  return -1;
}

/** The bank that keeps an SGI, PPI or SPI as PE `cpu` sees it. */
export function bankOf(intid: u32, cpu: u32): Bank {
  return changetype<Bank>(isBanked(intid) ? redistributorOf(cpu).bank : machine().spiBank);
}
