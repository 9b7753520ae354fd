// Making a machine: configuration from the host, then the reset state of section 2 and 3.
import { Config, Feature, Policy } from '../abi';
import { initIts } from '../its/its';
import { Machine, machine, policy } from '../memory/machine';
import { indexBytes, initIndex, NONE, PriorityIndex } from '../memory/priority_index';
import { arrivalBytes } from '../threads/arrivals';
import { initDeadlines } from '../timer/deadlines';
import { initTimers } from '../timer/timers';
import { NO_WINNER, resetVirtualInterface, virtualInterfaceOf } from '../virt/virtual_cpu_interface';
import {
  Bank,
  BankField,
  bankBytes,
  EXTENDED_PPI_SLOT,
  EXTENDED_SPI_SLOT,
  initBank,
  NO_CPU,
  PPI_WORDS,
  SPI_WORDS,
  WIRED_CAPACITY,
} from './bank';
import { cpuInterfaceOf, NOTHING_PENDING, resetCpuInterface } from './cpu_interface';
import { lpiConfigBytes } from './lpi_configs';
import { initLpiSet, LpiSet } from './lpi_set';
import { initRedistributor, Redistributor, redistributorOf } from './redistributor';
import { cpuOfAffinity } from './routing';

/** `traits`: a set of `RedistributorTrait`. */
export function setCpuIdentity(cpu: u32, affinity: u32, typerLow: u32, typerHigh: u32, traits: u32): void {
  const rd = redistributorOf(cpu);
  rd.cpu = cpu;
  rd.affinity = affinity;
  rd.typer = ((<u64>typerHigh) << 32) | typerLow;
  rd.traits = traits;
}

export function initialize(): void {
  const m = machine();
  initSpis(changetype<Bank>(m.spiBank), m);
  initDeadlines();
  for (let cpu: u32 = 0; cpu < m.cpuCount; cpu++) initPe(cpu, m);
  for (let its: u32 = 0; its < m.itsCount; its++) initIts(its);
}

function initSpis(bank: Bank, m: Machine): void {
  initBank(bank, SPI_WORDS, NO_CPU);
  implement(bank, 32, m.spiSlots);
  implement(bank, EXTENDED_SPI_SLOT, EXTENDED_SPI_SLOT + m.extendedSpiSlots);
  // Reset leaves routing UNKNOWN; zero names the PE with affinity 0.0.0.0.
  const target = cpuOfAffinity(0);
  for (let slot: u32 = 0; slot < SPI_WORDS * 32; slot++) bank.setTarget(slot, target);
}

function initPe(cpu: u32, m: Machine): void {
  const rd = redistributorOf(cpu);
  rd.asleep = 1;
  rd.bank = m.ppiBanks + <usize>cpu * bankBytes(PPI_WORDS, false);
  initIndexes(rd, cpu, m);
  const bank = changetype<Bank>(rd.bank);
  initBank(bank, PPI_WORDS, cpu);
  implement(bank, 0, 32);
  implement(bank, EXTENDED_PPI_SLOT, EXTENDED_PPI_SLOT + m.extendedPpiSlots);
  // SGIs are edge-triggered.
  bank.setWord(BankField.EDGE, 0, 0xffff);
  const self = cpuInterfaceOf(cpu);
  self.cpu = cpu;
  self.preemptionBits = m.preemptionBits;
  self.highestPending = NOTHING_PENDING;
  resetCpuInterface(cpu);
  initVirtualInterface(cpu);
  initTimers(cpu);
}

function initVirtualInterface(cpu: u32): void {
  const self = virtualInterfaceOf(cpu);
  self.cpu = cpu;
  self.preemptionBits = machine().virtualPreemptionBits;
  self.winner = NO_WINNER;
  self.bestVlpi = NONE;
  self.shownVlpi = NONE;
  resetVirtualInterface(cpu);
}

function initIndexes(rd: Redistributor, cpu: u32, m: Machine): void {
  const highest = policy(Policy.tieBreak) != 0;
  const wiredBytes = indexBytes(WIRED_CAPACITY, m.storedPriorityBits);
  initRedistributor(rd);
  const wiredPlanes = m.wiredPlanes + <usize>cpu * 2 * wiredBytes;
  initIndex(changetype<PriorityIndex>(rd.wired0), wiredPlanes, WIRED_CAPACITY, m.storedPriorityBits, highest);
  initIndex(
    changetype<PriorityIndex>(rd.wired1),
    wiredPlanes + wiredBytes,
    WIRED_CAPACITY,
    m.storedPriorityBits,
    highest,
  );
  const sets: u32 = m.has(Feature.VIRTUAL_LPIS) ? 2 : 1;
  for (let n: u32 = 0; n < sets; n++) {
    const set = changetype<LpiSet>(n ? rd.vlpis : rd.lpis);
    const place = cpu * sets + n;
    const planes = m.lpiPlanes + <usize>place * lpiPlanesBytes(m);
    const configCache = m.configCaches + <usize>place * lpiConfigBytes(m.intidBits);
    const arrivals = m.arrivals + <usize>place * arrivalBytes(m.intidBits);
    initLpiSet(set, cpu, n == 1, planes, configCache, arrivals);
  }
}

function lpiPlanesBytes(m: Machine): u32 {
  return indexBytes(
    (<u32>1) << m.intidBits,
    min<u32>(max<u32>(m.storedPriorityBits, m.virtualPriorityBits), 6),
  );
}

function implement(bank: Bank, from: u32, to: u32): void {
  for (let slot = from; slot < to; slot++) bank.setBit(BankField.IMPLEMENTED, slot, true);
}

export function setField(field: Config, value: f64): void {
  const m = machine();
  const word = <u32>value;
  const address = <u64>value;
  const at = <usize>value;
  switch (field) {
    case Config.cpuCount:
      m.cpuCount = word;
      break;
    case Config.itsCount:
      m.itsCount = word;
      break;
    case Config.intidBits:
      m.intidBits = word;
      break;
    case Config.deviceIdBits:
      m.deviceIdBits = word;
      break;
    case Config.eventIdBits:
      m.eventIdBits = word;
      break;
    case Config.collectionIdBits:
      m.collectionIdBits = word;
      break;
    case Config.spiSlots:
      m.spiSlots = word;
      break;
    case Config.extendedSpiSlots:
      m.extendedSpiSlots = word;
      break;
    case Config.extendedPpiSlots:
      m.extendedPpiSlots = word;
      break;
    case Config.storedPriorityBits:
      m.storedPriorityBits = word;
      break;
    case Config.cpuPriorityBits:
      m.cpuPriorityBits = word;
      break;
    case Config.preemptionBits:
      m.preemptionBits = word;
      break;
    case Config.features:
      m.features = word;
      break;
    case Config.hardwareCollections:
      m.hardwareCollections = word;
      break;
    case Config.iccCtlr:
      m.iccCtlr = word;
      break;
    case Config.gicdBase:
      m.gicdBase = address;
      break;
    case Config.gicrBase:
      m.gicrBase = address;
      break;
    case Config.gicrStride:
      m.gicrStride = address;
      break;
    case Config.gitsBase:
      m.gitsBase = address;
      break;
    case Config.gitsStride:
      m.gitsStride = address;
      break;
    case Config.ramBase:
      m.ramBase = address;
      break;
    case Config.ramSize:
      m.ramSize = address;
      break;
    case Config.ramAt:
      m.ramAt = at;
      break;
    case Config.registerIndex:
      m.registerIndex = at;
      break;
    case Config.registerInfo:
      m.registerInfo = at;
      break;
    case Config.spiBank:
      m.spiBank = at;
      break;
    case Config.ppiBanks:
      m.ppiBanks = at;
      break;
    case Config.affinities:
      m.affinities = at;
      break;
    case Config.redistributors:
      m.redistributors = at;
      break;
    case Config.cpuInterfaces:
      m.cpuInterfaces = at;
      break;
    case Config.itsRecords:
      m.itsRecords = at;
      break;
    case Config.wiredPlanes:
      m.wiredPlanes = at;
      break;
    case Config.lpiPlanes:
      m.lpiPlanes = at;
      break;
    case Config.configCaches:
      m.configCaches = at;
      break;
    case Config.threads:
      m.threads = at;
      break;
    case Config.arrivals:
      m.arrivals = at;
      break;
    case Config.dirtyCpus:
      m.dirtyCpus = at;
      break;
    case Config.changedCpus:
      m.changedCpus = at;
      break;
    case Config.diagnostics:
      m.diagnostics = at;
      break;
    case Config.diagnosticCapacity:
      m.diagnosticCapacity = word;
      break;
    case Config.counters:
      m.counters = at;
      break;
    case Config.vpeIdBits:
      m.vpeIdBits = word;
      break;
    case Config.sharedVpeTable:
      m.sharedVpeTable = word;
      break;
    case Config.itsAffinity:
      m.itsAffinity = word;
      break;
    case Config.itsWithoutVlpis:
      m.itsWithoutVlpis = word;
      break;
    case Config.itsVirtualType:
      m.itsVirtualType = address;
      break;
    case Config.vlpiTargetOffset:
      m.vlpiTargetOffset = word;
      break;
    case Config.listRegisters:
      m.listRegisters = word;
      break;
    case Config.virtualPriorityBits:
      m.virtualPriorityBits = word;
      break;
    case Config.virtualPreemptionBits:
      m.virtualPreemptionBits = word;
      break;
    case Config.icvCtlr:
      m.icvCtlr = word;
      break;
    case Config.ichVtr:
      m.ichVtr = word;
      break;
    case Config.parseReads:
      m.parseReads = word;
      break;
    case Config.descheduleReads:
      m.descheduleReads = word;
      break;
    case Config.maintenancePpi:
      m.maintenancePpi = word;
      break;
    case Config.virtualInterfaces:
      m.virtualInterfaces = at;
      break;
    case Config.dirtyVirtual:
      m.dirtyVirtual = at;
      break;
    case Config.timerFrequency:
      m.timerFrequency = word;
      break;
    case Config.timerPpis:
      m.timerPpis = word;
      break;
    case Config.eventCapacity:
      m.eventCapacity = word;
      break;
    case Config.timers:
      m.timers = at;
      break;
    case Config.deadlines:
      m.deadlines = at;
      break;
    case Config.irqchip:
      m.irqchip = at;
      break;
    case Config.kvm:
      m.kvm = at;
      break;
    case Config.sim:
      m.sim = at;
      break;
    case Config.residentTables:
      m.residentTables = at;
      break;
    case Config.layers:
      m.layers = word;
      break;
    case Config.vmLimit:
      m.vmLimit = word;
      break;
    case Config.vcpuLimit:
      m.vcpuLimit = word;
      break;
    case Config.guestLpiLimit:
      m.guestLpiLimit = word;
      break;
    case Config.deviceLimit:
      m.deviceLimit = word;
      break;
    case Config.attention:
      m.attention = at;
      break;
    case Config.events:
      m.events = at;
      break;
    default:
  }
}
