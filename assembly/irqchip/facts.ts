// What the driver found out about the hardware, and what it has left, for the host and the layers above.
import { IrqChipFact } from '../abi';
import { freeLpiCount } from './lpi_allocator';
import { freePageCount } from './ram';
import { chip } from './state';
import { freeVpeIdCount } from './vm';
import { isEager } from './vpe';

/** A fact as a number: 0 or 1, a set of bits, or a count. */
export function irqchipFact(fact: IrqChipFact): u32 {
  const self = chip();
  switch (fact) {
    case IrqChipFact.HAS_VLPIS:
      return self.hasVlpis;
    case IrqChipFact.HAS_DIRECT_LPI:
      return self.hasDirectLpi;
    case IrqChipFact.HAS_RVPEID:
      return self.hasRvpeid;
    case IrqChipFact.HAS_V4:
      return self.v4;
    case IrqChipFact.EAGER:
      return isEager() ? 1 : 0;
    case IrqChipFact.ITS_LIST:
      return self.itsListMap;
    case IrqChipFact.PROXY_SLOTS:
      return self.proxySlots;
    case IrqChipFact.ID_BITS:
      return self.idBits;
    case IrqChipFact.VPE_ID_BITS:
      return self.vpeIdBits;
    case IrqChipFact.BUGS:
      return self.bugs;
    case IrqChipFact.FREE_LPIS:
      return freeLpiCount();
    case IrqChipFact.FREE_PAGES:
      return freePageCount();
    case IrqChipFact.FREE_VPE_IDS:
      return freeVpeIdCount();
    default:
      return 0;
  }
}
