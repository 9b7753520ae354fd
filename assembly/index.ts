// The engine's surface. Addresses and configuration values cross as f64 (exact below 2^53), 64-bit values as two
// u32; the upper half of a 64-bit result is left in the machine record (`Field.RESULT_HIGH`).
import { Config, Field, Structure, SystemRegister } from './abi';
import { DiagnosticRecord } from './diag/diagnostics';
import { EventRecord } from './diag/events';
import { bankBytes, PPI_WORDS, SPI_WORDS, WIRED_CAPACITY } from './gic/bank';
import { readBus, writeBus } from './gic/bus';
import { CpuInterface, resetCpuInterface as resetInterface } from './gic/cpu_interface';
import { initialize as initializeMachine, setCpuIdentity, setField } from './gic/initialize';
import { lpiConfigBytes as configBytes } from './gic/lpi_configs';
import { settle } from './gic/outputs';
import { REDISTRIBUTOR_BYTES, redistributorOf } from './gic/redistributor';
import { RegisterInfo } from './gic/register_file';
import { readPhysicalRegister, writePhysicalRegister } from './gic/system_registers';
import { setPpiLevel, setSpiLevel } from './gic/wires';
import { IRQCHIP_BYTES } from './irqchip/state';
import { inspectCollection, inspectDevice, inspectInterrupt, inspectVpe } from './its/commands';
import { ITS_BYTES, itsOf, setItsNumber } from './its/its';
import { translateMsis } from './its/msi_batch';
import { processQueue } from './its/queue';
import { translateMsi } from './its/translation';
import { bytesOfKvm, layKvmOut } from './kvm/areas';
import { HEADER, LAYER_TABLES, LAYER_TABLES_BYTES, Machine, machine, setPolicy } from './memory/machine';
import { clearPages, digestState, endPage, nextUnused, nextUsed } from './memory/state';
import './rt/abort';
import { Counter, Outcome } from './abi';
import { indexBytes } from './memory/priority_index';
import { bytesOfSim, laySimOut } from './sim/areas';
import { arrivalBytes } from './threads/arrivals';
import { takeArrivals } from './threads/exports';
import {
  ARRIVED,
  BATCH_AT,
  COUNTERS_AT,
  LANE_BYTES,
  LANE_LIMIT,
  LANES_AT,
  OWNER_SLEEPS,
  THREADS_BYTES,
} from './threads/lane';
import { DEADLINES_BYTES } from './timer/deadlines';
import { readTimerRegister, writeTimerRegister } from './timer/system_registers';
import { nextTimer, PE_TIMERS_BYTES, setCounter } from './timer/timers';
import { routeRegister } from './virt/routing';
import { readVirtualRegister, writeVirtualRegister } from './virt/system_registers';
import {
  resetVirtualInterface,
  VIRTUAL_INTERFACE_BYTES,
  VirtualCpuInterface,
} from './virt/virtual_cpu_interface';

// --- making a machine ---

/** Zeroes the first `bytes` of a memory that another machine may have had. */
export function clear(bytes: u32): void {
  memory.fill(0, 0, bytes);
}

/** Bytes of a record or area. */
export function structureBytes(structure: Structure): u32 {
  switch (structure) {
    case Structure.MACHINE:
      return <u32>(LAYER_TABLES + LAYER_TABLES_BYTES);
    case Structure.REDISTRIBUTOR:
      return <u32>REDISTRIBUTOR_BYTES;
    case Structure.CPU_INTERFACE:
      return <u32>offsetof<CpuInterface>();
    case Structure.ITS:
      return <u32>ITS_BYTES;
    case Structure.SPI_BANK:
      return bankBytes(SPI_WORDS, true);
    case Structure.PPI_BANK:
      return bankBytes(PPI_WORDS, false);
    case Structure.REGISTER_INFO:
      return <u32>offsetof<RegisterInfo>();
    case Structure.DIAGNOSTIC:
      return <u32>offsetof<DiagnosticRecord>();
    case Structure.VIRTUAL_INTERFACE:
      return <u32>VIRTUAL_INTERFACE_BYTES;
    case Structure.TIMERS:
      return <u32>PE_TIMERS_BYTES;
    case Structure.IRQCHIP:
      return <u32>IRQCHIP_BYTES;
    case Structure.DEADLINES:
      return <u32>DEADLINES_BYTES;
    case Structure.EVENT:
      return <u32>offsetof<EventRecord>();
    case Structure.THREADS:
      return <u32>THREADS_BYTES;
    case Structure.LANE:
      return <u32>LANE_BYTES;
    case Structure.COUNTERS:
      return <u32>Counter.COUNT * 8;
    default:
      return 0;
  }
}

/** Bytes of one PE's index of SGIs, PPIs and SPIs of one group. */
export function wiredIndexBytes(priorityBits: u32): u32 {
  return indexBytes(WIRED_CAPACITY, priorityBits);
}

/** Bytes of one PE's index of LPIs. */
export function lpiIndexBytes(intidBits: u32, priorityBits: u32): u32 {
  return indexBytes((<u32>1) << intidBits, priorityBits);
}

/** Bytes of the marks of one PE's arrived LPIs. */
export function lpiArrivalBytes(intidBits: u32): u32 {
  return arrivalBytes(intidBits);
}

/** Bytes of the cached configuration of one PE's LPIs. */
export function lpiConfigBytes(intidBits: u32): u32 {
  return configBytes(intidBits);
}

/** Bytes of the KVM layer with room for VMs, vCPUs and guests' LPIs; without VMs only those of its record, which says that it is not there. */
export function kvmBytes(vms: u32, vcpus: u32, guestLpis: u32): u32 {
  return <u32>bytesOfKvm(vms, vcpus, guestLpis);
}

/** Bytes of the simulation; without VMs likewise. */
export function simBytes(vms: u32, vcpus: u32, devices: u32): u32 {
  return <u32>bytesOfSim(vms, vcpus, devices);
}

/** Where a field that the host reads in place stands: in its record, or in memory for those of the machine. */
export function fieldOffset(field: Field): u32 {
  switch (field) {
    case Field.HIGHEST_PENDING:
      return <u32>offsetof<CpuInterface>('highestPending');
    case Field.OUTPUTS:
      return <u32>offsetof<CpuInterface>('outputs');
    case Field.RESULT_HIGH:
      return <u32>(HEADER + offsetof<Machine>('resultHigh'));
    case Field.VIRTUAL_WINNER:
      return <u32>offsetof<VirtualCpuInterface>('winner');
    case Field.BEST_VLPI:
      return <u32>offsetof<VirtualCpuInterface>('bestVlpi');
    case Field.VIRTUAL_OUTPUTS:
      return <u32>offsetof<VirtualCpuInterface>('outputs');
    case Field.LIST_REGISTERS:
      return <u32>offsetof<VirtualCpuInterface>('listRegister0');
    case Field.EVENTS_ON:
      return <u32>(HEADER + offsetof<Machine>('eventsOn'));
    case Field.EVENT_COUNT:
      return <u32>(HEADER + offsetof<Machine>('eventCount'));
    case Field.DIAGNOSTIC_COUNT:
      return <u32>(HEADER + offsetof<Machine>('diagnosticCount'));
    case Field.LANE_LIMIT:
      return <u32>LANE_LIMIT;
    case Field.ARRIVED:
      return <u32>ARRIVED;
    case Field.OWNER_SLEEPS:
      return <u32>OWNER_SLEEPS;
    case Field.LANES:
      return <u32>LANES_AT;
    case Field.LANE_COUNTERS:
      return <u32>COUNTERS_AT;
    case Field.LANE_BATCH:
      return <u32>BATCH_AT;
    default:
      return 0;
  }
}

export function configure(field: Config, value: f64): void {
  setField(field, value);
}

export function configurePolicy(name: u32, choice: u32): void {
  setPolicy(name, choice);
}

export function configureCpu(cpu: u32, affinity: u32, typerLow: u32, typerHigh: u32, traits: u32): void {
  setCpuIdentity(cpu, affinity, typerLow, typerHigh, traits);
}

/** GITS_CTLR.ITS_Number of an ITS that has another one than its own number. */
export function configureIts(its: u32, itsNumber: u32): void {
  setItsNumber(its, itsNumber);
}

/** Brings a configured machine into its reset state. Memory is all zero before. */
export function initialize(): void {
  initializeMachine();
  layKvmOut();
  laySimOut();
  settle();
}

// --- the state as a whole: pages of 4 KiB, by number ---

/** The first page after the state. */
export function stateEndPage(): u32 {
  return endPage();
}

/** The first page from `from` on that is not all zero, `stateEndPage` for none. */
export function nextUsedPage(from: u32): u32 {
  return nextUsed(from);
}

/** The first page from `from` on that is all zero, `stateEndPage` for none. */
export function nextUnusedPage(from: u32): u32 {
  return nextUnused(from);
}

/** Zeroes the pages from `from` up to `to`. */
export function clearStatePages(from: u32, to: u32): void {
  clearPages(from, to);
}

/** 64 bits that are equal where the states are. The upper half is left as a result's is. */
export function stateDigest(): u32 {
  return result(digestState());
}

// --- actions ---

/** Reads 1, 2, 4 or 8 bytes from the physical address space. */
export function read(address: f64, size: u32): u32 {
  takeArrivals();
  const value = readBus(<u64>address, size);
  machine().resultHigh = <u32>(value >> 32);
  return <u32>value;
}

export function write(address: f64, size: u32, low: u32, high: u32): void {
  takeArrivals();
  writeBus(<u64>address, size, ((<u64>high) << 32) | low);
  settle();
}

/** A device's MSI; tells what became of it. */
export function sendMsi(its: u32, deviceId: u32, eventId: u32): Outcome {
  const outcome = translateMsi(its, deviceId, eventId);
  settle();
  return outcome;
}

/** MSIs that stand in memory, `count` pairs of DeviceID and EventID at `at`; how many were not dropped. */
export function sendMsis(its: u32, at: u32, count: u32): u32 {
  const taken = translateMsis(its, at, count);
  settle();
  return taken;
}

export function setSpi(intid: u32, level: u32): void {
  setSpiLevel(intid, level != 0, false);
  settle();
}

export function setPpi(cpu: u32, intid: u32, level: u32): void {
  setPpiLevel(cpu, intid, level != 0);
  settle();
}

export function readSystemRegister(cpu: u32, register: u32): u32 {
  takeArrivals();
  let value: u64;
  if (register >= <u32>SystemRegister.CNTFRQ_EL0) value = readTimerRegister(cpu, register);
  else if (register >= <u32>SystemRegister.HCR_EL2) value = readVirtualRegister(cpu, register);
  else value = readPhysicalRegister(cpu, register);
  settle();
  return result(value);
}

export function writeSystemRegister(cpu: u32, register: u32, low: u32, high: u32): void {
  const value = ((<u64>high) << 32) | low;
  if (register >= <u32>SystemRegister.CNTFRQ_EL0) writeTimerRegister(cpu, register, value);
  else if (register >= <u32>SystemRegister.HCR_EL2) writeVirtualRegister(cpu, register, value);
  else writePhysicalRegister(cpu, register, value);
  settle();
}

/** Moves the counter of the generic timers. */
export function advanceCounter(low: u32, high: u32): void {
  setCounter(((<u64>high) << 32) | low);
  settle();
}

/** The counter value at which the next timer fires, all ones for never. */
export function nextTimerDeadline(): u32 {
  return result(nextTimer());
}

/**
 * The register that EL1's access to an ICC_* register reaches: the ICV_* register where HCR_EL2 routes it to the virtual
 * interface, the same register otherwise, -1 where the access traps to EL2.
 */
export function routeEl1(cpu: u32, register: u32): i32 {
  return routeRegister(cpu, register);
}

/** Executes up to `budget` queued commands of an ITS whose commands are stepped; the number executed. */
export function stepIts(its: u32, budget: u32): u32 {
  const done = processQueue(itsOf(its), budget);
  settle();
  return done;
}

export function resetCpuInterface(cpu: u32): void {
  resetInterface(cpu);
  resetVirtualInterface(cpu);
  settle();
}

export * from './irqchip/exports';
export * from './irqchip/facts';
export * from './kvm/exports';
export * from './kvm/its/exports';
export * from './sim/exports';
export * from './threads/exports';

// --- inspection ---

/** The table entry of a device, 0 where it is not mapped: [51:8] ITT address, [4:0] size. */
export function deviceEntry(its: u32, deviceId: u32): u32 {
  return result(inspectDevice(itsOf(its), deviceId));
}

/** The table entry of a collection, 0 where it is not mapped: [15:0] PE. */
export function collectionEntry(its: u32, icid: u32): u32 {
  return result(inspectCollection(itsOf(its), icid));
}

/** The table entry of an event, 0 where it is not mapped: [37:16] INTID, [15:0] ICID. */
export function interruptEntry(its: u32, deviceId: u32, eventId: u32): u32 {
  return result(inspectInterrupt(itsOf(its), deviceId, eventId));
}

/** The table entry of a vPE, 0 where it is not mapped: [62:53] PE, [51:16] pending table, [4:0] size. */
export function vpeEntry(its: u32, vpeId: u32): u32 {
  return result(inspectVpe(itsOf(its), vpeId));
}

/** Differences between a PE's LPI index and the tables that it is derived from; 0 unless software broke the rules. */
export function checkLpiIndex(cpu: u32): u32 {
  takeArrivals();
  const rd = redistributorOf(cpu);
  return rd.physicalLpis.check() + (rd.resident ? rd.virtualLpis.check() : 0);
}

function result(value: u64): u32 {
  machine().resultHigh = <u32>(value >> 32);
  return <u32>value;
}
