import { IrqChipFact as Fact } from '../../assembly/abi.ts';
import type { EngineExports } from '../engine.ts';

/** What the driver found out about the hardware, and what it has left. */
export interface IrqChipFacts {
  /** All redistributors have VLPIs (`has_vlpis`), and the vPE domain could be made where there is a GICv4 ITS. */
  readonly hasVlpis: boolean;
  /** All redistributors have GICR_SETLPIR and its like (`has_direct_lpi`); without them a proxy device stands in. */
  readonly hasDirectLpi: boolean;
  /** All redistributors take a vPEID in GICR_VPENDBASER, and an ITS is GICv4.1 (`has_rvpeid`). */
  readonly hasRvpeid: boolean;
  /** GICv4 is offered to a hypervisor: VLPIs on all redistributors, and a GICv4 ITS (`has_v4`). */
  readonly hasV4: boolean;
  /** vPEs are mapped with their doorbell; if not, with the first VLPI of their VM on an ITS. */
  readonly requiresEagerMapping: boolean;
  /** Bit n: an ITS has ITS_Number n and takes part in VMOVP (`its_list_map`); 0 where one VMOVP moves a vPE everywhere. */
  readonly itsListMap: number;
  /** Doorbells that the proxy device has room for at a time, 0 without one. */
  readonly proxySlots: number;
  /** Width of an LPI's INTID. */
  readonly idBits: number;
  /** Width of a vPEID. */
  readonly vpeIdBits: number;
  /** LPIs that are not allocated. */
  readonly freeLpis: number;
  /** Pages of 4 KiB that the driver has left of its RAM. */
  readonly freePages: number;
  /** vPEIDs that are not allocated. */
  readonly freeVpeIds: number;
}

export function readFacts(engine: EngineExports): IrqChipFacts {
  const fact = (name: Fact): number => engine.irqchipFact(name) >>> 0;
  return {
    hasVlpis: fact(Fact.HAS_VLPIS) !== 0,
    hasDirectLpi: fact(Fact.HAS_DIRECT_LPI) !== 0,
    hasRvpeid: fact(Fact.HAS_RVPEID) !== 0,
    hasV4: fact(Fact.HAS_V4) !== 0,
    requiresEagerMapping: fact(Fact.EAGER) !== 0,
    itsListMap: fact(Fact.ITS_LIST),
    proxySlots: fact(Fact.PROXY_SLOTS),
    idBits: fact(Fact.ID_BITS),
    vpeIdBits: fact(Fact.VPE_ID_BITS),
    freeLpis: fact(Fact.FREE_LPIS),
    freePages: fact(Fact.FREE_PAGES),
    freeVpeIds: fact(Fact.FREE_VPE_IDS),
  };
}
