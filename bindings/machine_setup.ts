import { Config, Feature, Policy } from '../assembly/abi.ts';
import { type MachineConfig, redistributorStride } from './config.ts';
import type { EngineExports } from './engine.ts';
import { layerNumber, limitsOf } from './layers.ts';
import { DIAGNOSTIC_CAPACITY, type Layout } from './layout.ts';
import { policyChoice, policyNames } from './policy.ts';
import { redistributorTraits, redistributorType } from './registers/gicr.ts';
import { itsVirtualType } from './registers/gits.ts';

/** The affinity map: (affinity, PE) pairs in ascending order of affinity. */
export function writeAffinities(
  buffer: ArrayBufferLike,
  layout: Layout,
  { affinities }: MachineConfig,
): void {
  const map = new Uint32Array(buffer, layout.affinities, affinities.length * 2);
  const sorted = affinities
    .map((affinity, cpu) => ({ affinity, cpu }))
    .sort((a, b) => a.affinity - b.affinity);
  sorted.forEach(({ affinity, cpu }, entry) => {
    map[2 * entry] = affinity;
    map[2 * entry + 1] = cpu;
  });
}

/** Tells a fresh engine what it is to be, and resets it. */
export function configure(engine: EngineExports, config: MachineConfig, layout: Layout): void {
  const { pages: _, ...areas } = layout;
  const kvm = limitsOf(config, 'kvm');
  const values = {
    ...areas,
    cpuCount: config.cpus,
    itsCount: config.itsCount,
    intidBits: config.intidBits,
    deviceIdBits: config.deviceIdBits,
    eventIdBits: config.eventIdBits,
    collectionIdBits: config.collectionIdBits,
    spiSlots: 32 + config.spis,
    extendedSpiSlots: config.extendedSpis,
    extendedPpiSlots: config.extendedPpis,
    storedPriorityBits: config.storedPriorityBits,
    cpuPriorityBits: config.priorityBits,
    preemptionBits: config.preemptionBits,
    features: features(config),
    hardwareCollections: config.hardwareCollections,
    iccCtlr: iccCtlr(config),
    vpeIdBits: config.vpeIdBits,
    sharedVpeTable: config.sharedVpeTable,
    itsAffinity: config.itsAffinity,
    itsWithoutVlpis: config.itsWithoutVlpis.reduce((set, its) => set | (1 << its), 0),
    itsVirtualType: Number(itsVirtualType(config)),
    vlpiTargetOffset: config.vlpiTargetOffset,
    listRegisters: config.listRegisters,
    virtualPriorityBits: config.virtualPriorityBits,
    virtualPreemptionBits: config.virtualPreemptionBits,
    icvCtlr: icvCtlr(config),
    ichVtr: ichVtr(config),
    maintenancePpi: config.maintenancePpi,
    parseReads: config.dirtyReads.scheduleIn,
    descheduleReads: config.dirtyReads.scheduleOut,
    timerFrequency: config.timerFrequency,
    timerPpis: timerPpis(config),
    eventCapacity: config.eventCapacity,
    gicdBase: config.addressMap.gicd,
    gicrBase: config.addressMap.gicr,
    gicrStride: redistributorStride(config),
    gitsBase: config.addressMap.gits,
    gitsStride: config.addressMap.gitsStride,
    ramBase: config.ram.base,
    ramSize: config.ram.size,
    diagnosticCapacity: DIAGNOSTIC_CAPACITY,
    layers: layerNumber(config),
    vmLimit: kvm.vms,
    vcpuLimit: kvm.vcpus,
    guestLpiLimit: kvm.guestLpis,
    deviceLimit: limitsOf(config, 'simulation').devices,
  } satisfies Record<keyof typeof Config, number>;
  for (const [field, value] of Object.entries(values))
    engine.configure(Config[field as keyof typeof Config], value);
  for (const name of policyNames)
    engine.configurePolicy(Policy[name], policyChoice(name, config.policy[name]));
  config.affinities.forEach((affinity, cpu) => {
    const typer = redistributorType(config, cpu);
    const traits = redistributorTraits(config, cpu);
    engine.configureCpu(cpu, affinity, Number(typer & 0xffff_ffffn), Number(typer >> 32n), traits);
  });
  config.itsNumbers.forEach((number, its) => {
    engine.configureIts(its, number);
  });
  engine.initialize();
}

function features(config: MachineConfig): number {
  const flags: [boolean, Feature][] = [
    [config.oneOfN, Feature.ONE_OF_N],
    [config.messageBasedSpis, Feature.MESSAGE_BASED_SPIS],
    [config.rangeSelector, Feature.RANGE_SELECTOR],
    [config.directLpi, Feature.DIRECT_LPI],
    [config.physicalTargetAddresses, Feature.PHYSICAL_TARGET_ADDRESSES],
    [config.indirectTables, Feature.INDIRECT_TABLES],
    [config.statusRegisters, Feature.STATUS_REGISTERS],
    [config.unmappedMsiReporting, Feature.UNMAPPED_MSI_REPORTING],
    [config.architecture !== 'GICv3', Feature.VIRTUAL_LPIS],
    [config.vmovpOnAnyIts, Feature.VMOVP_ON_ANY_ITS],
    [config.architecture === 'GICv4.1', Feature.GICV4_1],
    [config.architecture === 'GICv4.1' && config.virtualSgis, Feature.VIRTUAL_SGIS],
    [isMixed(config), Feature.MIXED],
    [config.individualDoorbells || config.architecture !== 'GICv4.1', Feature.INDIVIDUAL_DOORBELLS],
  ];
  return flags.reduce((sum, [on, feature]) => (on ? sum | feature : sum), 0);
}

/** Whether ITSs or redistributors differ in what they have. */
function isMixed(config: MachineConfig): boolean {
  const { itsWithoutVlpis, redistributorsWithoutVlpis, redistributorsWithoutDirectLpi } = config;
  return (
    itsWithoutVlpis.length + redistributorsWithoutVlpis.length + redistributorsWithoutDirectLpi.length > 0
  );
}

/** The read-only fields of ICC_CTLR_EL1: section 8.2. */
function iccCtlr(config: MachineConfig): number {
  if (config.identification.ICC_CTLR_EL1 !== undefined) return config.identification.ICC_CTLR_EL1;
  const extendedRange = config.extendedPpis > 0 || config.extendedSpis > 0;
  return (
    (extendedRange ? 1 << 19 : 0) |
    (config.rangeSelector ? 1 << 18 : 0) |
    (1 << 15) |
    ((config.intidBits > 16 ? 1 : 0) << 11) |
    ((config.priorityBits - 1) << 8)
  );
}

/** The read-only fields of ICV_CTLR_EL1: those of ICC_CTLR_EL1, with the virtual priority bits. */
function icvCtlr(config: MachineConfig): number {
  if (config.identification.ICV_CTLR_EL1 !== undefined) return config.identification.ICV_CTLR_EL1;
  return (1 << 15) | ((config.intidBits > 16 ? 1 : 0) << 11) | ((config.virtualPriorityBits - 1) << 8);
}

/** ICH_VTR_EL2: section 8.5. */
function ichVtr(config: MachineConfig): number {
  if (config.identification.ICH_VTR_EL2 !== undefined) return config.identification.ICH_VTR_EL2;
  const wideIntids = (icvCtlr(config) >> 11) & 7;
  const noDirectInjection = config.architecture === 'GICv3' ? 1 : 0;
  return (
    (((config.virtualPriorityBits - 1) << 29) |
      ((config.virtualPreemptionBits - 1) << 26) |
      (wideIntids << 23) |
      (1 << 21) |
      (noDirectInjection << 20) |
      (1 << 19) |
      // DVIM
      (config.architecture === 'GICv4.1' ? 1 << 18 : 0) |
      (config.listRegisters - 1)) >>>
    0
  );
}

/** A byte each, in the order of the engine's timers. */
function timerPpis({ timerPpis }: MachineConfig): number {
  const { virtual, physical, hypPhysical, hypVirtual } = timerPpis;
  return virtual | (physical << 8) | (hypPhysical << 16) | (hypVirtual << 24);
}
