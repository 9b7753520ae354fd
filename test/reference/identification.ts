import type { MachineConfig } from '../../bindings/config.ts';
import { ones, place } from './bits.ts';
import type { Frame } from './frame.ts';

/** Values of PIDR0: the part numbers of Arm's GIC-500, whose PIDR and CIDR QEMU shows. */
export const PartNumber = { distributor: 0x92n, redistributor: 0x93n, its: 0x94n } as const;

/** Implementer Arm, product, variant and revision 0: sections 2.1 and 5.3. */
export const DEFAULT_IIDR = 0x43b;

/** PIDR4-7, PIDR0-3 and CIDR0-3 from offset 0xFFD0 on: section 2.1. */
export function defineIdentification(frame: Frame, config: MachineConfig, pidr0: bigint): void {
  const pidr2 = BigInt(config.identification.PIDR2 ?? (config.architecture === 'GICv3' ? 0x3b : 0x4b));
  const values = [0x44n, 0n, 0n, 0n, pidr0, 0xb4n, pidr2, 0n, 0x0dn, 0xf0n, 0x05n, 0xb1n];
  values.forEach((value, i) => {
    frame.constant(0xffd0 + 4 * i, value);
  });
}

/** LPIs need INTIDs of 14 bits or more: section 1.1. */
export function hasLpis(config: MachineConfig): boolean {
  return config.intidBits >= 14;
}

/** GICv4: section 3.3, GICR_TYPER.VLPIS. */
export function hasVirtualLpis(config: MachineConfig): boolean {
  return hasLpis(config) && config.architecture !== 'GICv3';
}

/** GICv4.1: vPEs are resident by their vPEID, which a vPE Configuration table describes (section 7.6). */
export function hasVpeConfigurations(config: MachineConfig): boolean {
  return hasLpis(config) && config.architecture === 'GICv4.1';
}

export function hasVirtualSgis(config: MachineConfig): boolean {
  return hasVpeConfigurations(config) && config.virtualSgis;
}

/** GICR_INVLPIR, INVALLR and SYNCR: they come with direct LPIs and with GICv4.1 (section 3.1). */
export function hasInvalidationRegisters(config: MachineConfig): boolean {
  return hasLpis(config) && (config.directLpi || hasVpeConfigurations(config));
}

/** GICD_TYPER: section 2.3. */
export function distributorType(config: MachineConfig): bigint {
  if (config.identification.GICD_TYPER !== undefined) return BigInt(config.identification.GICD_TYPER);
  const extended = config.extendedSpis > 0;
  return (
    place(Math.ceil((32 + config.spis) / 32) - 1, 0) |
    place(extended, 8) |
    place(config.messageBasedSpis, 16) |
    place(hasLpis(config), 17) |
    place(hasVirtualLpis(config), 18) |
    place(config.intidBits - 1, 19) |
    place(true, 24) |
    place(!config.oneOfN, 25) |
    place(config.rangeSelector, 26) |
    (extended ? place(config.extendedSpis / 32 - 1, 27) : 0n)
  );
}

/** GICD_TYPER2 of GICv4.1: section 2.4. nASSGIcap; VIL and VID where a vPEID has fewer than 16 bits. */
export function distributorType2({ vpeIdBits }: MachineConfig): bigint {
  return ones(8) | (vpeIdBits < 16 ? ones(7) | BigInt(vpeIdBits - 1) : 0n);
}

/** GICR_TYPER of one PE: section 3.3. */
export function redistributorType(config: MachineConfig, cpu: number): bigint {
  const lpis = hasLpis(config);
  return (
    config.identification.GICR_TYPER?.[cpu] ??
    place(lpis, 0) |
      place(hasVirtualLpis(config), 1) |
      place(hasVpeConfigurations(config) || (hasVirtualLpis(config) && config.dirtyReads.scheduleIn > 0), 2) |
      place(lpis && config.directLpi, 3) |
      place(cpu === config.cpus - 1, 4) |
      place(config.oneOfN, 5) |
      place(hasVpeConfigurations(config), 7) |
      place(cpu, 8) |
      place(config.commonLpiAffinity, 24) |
      place(hasVirtualSgis(config), 26) |
      place(config.extendedPpis / 32, 27) |
      place(config.affinities[cpu]!, 32)
  );
}

/**
 * GITS_TYPER: section 5.4. CCT stays 0, so that a collection beyond the hardware ones has its own number as its
 * index in the collection table.
 */
export function itsType(config: MachineConfig): bigint {
  const v4 = config.architecture !== 'GICv3';
  const v41 = config.architecture === 'GICv4.1';
  return (
    config.identification.GITS_TYPER ??
    ones(0) |
      place(v4, 1) |
      place(config.ittEntryBytes - 1, 4) |
      place(config.eventIdBits - 1, 8) |
      place(config.deviceIdBits - 1, 13) |
      place(config.policy.commandError === 'sei', 18) |
      place(config.physicalTargetAddresses, 19) |
      place(config.hardwareCollections, 24) |
      place(config.collectionIdBits - 1, 32) |
      ones(36) |
      place(v4 && config.vmovpOnAnyIts, 37) |
      place(v41 && config.virtualSgis, 39) |
      place(v41, 40) |
      place(v41 ? config.sharedVpeTable : 0, 41) |
      place(v41 && !config.individualDoorbells, 43) |
      place(config.unmappedMsiReporting, 44)
  );
}

/** The read-only fields of ICC_CTLR_EL1: section 8.2. */
export function cpuInterfaceType(config: MachineConfig): bigint {
  const { ICC_CTLR_EL1 } = config.identification;
  if (ICC_CTLR_EL1 !== undefined) return BigInt(ICC_CTLR_EL1);
  return (
    place(config.priorityBits - 1, 8) |
    place(config.intidBits > 16, 11) |
    ones(15) |
    place(config.rangeSelector, 18) |
    place(config.extendedSpis > 0 || config.extendedPpis > 0, 19)
  );
}

/** The read-only fields of ICV_CTLR_EL1: section 8.9. */
export function virtualInterfaceType(config: MachineConfig): bigint {
  const { ICV_CTLR_EL1 } = config.identification;
  if (ICV_CTLR_EL1 !== undefined) return BigInt(ICV_CTLR_EL1);
  return place(config.virtualPriorityBits - 1, 8) | place(config.intidBits > 16, 11) | ones(15);
}

/** ICH_VTR_EL2: section 8.5. TDS always; DVIM with GICv4.1. */
export function hypervisorType(config: MachineConfig): bigint {
  const { ICH_VTR_EL2 } = config.identification;
  if (ICH_VTR_EL2 !== undefined) return BigInt(ICH_VTR_EL2);
  return (
    place(config.virtualPriorityBits - 1, 29) |
    place(config.virtualPreemptionBits - 1, 26) |
    place(config.intidBits > 16, 23) |
    ones(21) |
    place(config.architecture === 'GICv3', 20) |
    ones(19) |
    place(config.architecture === 'GICv4.1', 18) |
    BigInt(config.listRegisters - 1)
  );
}
