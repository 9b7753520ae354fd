// Fields of ITS commands (section 6). A command is four little-endian doublewords, DW0[7:0] is its number.
import { Feature, RedistributorTrait } from '../abi';
import { NO_CPU } from '../gic/bank';
import { redistributorOf } from '../gic/redistributor';
import { machine } from '../memory/machine';

export const COMMAND_BYTES: u32 = 32;

export enum Command {
  MOVI = 0x01,
  INT = 0x03,
  CLEAR = 0x04,
  SYNC = 0x05,
  MAPD = 0x08,
  MAPC = 0x09,
  MAPTI = 0x0a,
  MAPI = 0x0b,
  INV = 0x0c,
  INVALL = 0x0d,
  MOVALL = 0x0e,
  DISCARD = 0x0f,
  VMOVI = 0x21,
  VMOVP = 0x22,
  VSGI = 0x23,
  VSYNC = 0x25,
  VMAPP = 0x29,
  VMAPTI = 0x2a,
  VMAPI = 0x2b,
  VINVALL = 0x2d,
  INVDB = 0x2e,
}

/** Reasons of section 6.1: the EE of an error code 0x01_CC_EE. */
export enum ErrorReason {
  /** For MOVALL: an RDbase out of range. */
  DEVICE_OUT_OF_RANGE = 0x01,
  /** Size of an ITT or, for MAPC, an RDbase. */
  SIZE_OUT_OF_RANGE = 0x02,
  COLLECTION_OUT_OF_RANGE = 0x03,
  DEVICE_UNMAPPED = 0x04,
  EVENT_OUT_OF_RANGE = 0x05,
  INTID_OUT_OF_RANGE = 0x06,
  INTERRUPT_UNMAPPED = 0x07,
  COLLECTION_UNMAPPED = 0x09,
  // SYNC and the vPE commands have no published codes; these are this model's own.
  TARGET_OUT_OF_RANGE = 0x20,
  VPE_OUT_OF_RANGE = 0x11,
  VPE_UNMAPPED = 0x12,
  DOORBELL_OUT_OF_RANGE = 0x13,
}

export function commandNumber(at: usize): u32 {
  return load<u8>(at);
}

export function deviceId(at: usize): u32 {
  return load<u32>(at, 4);
}

export function eventId(at: usize): u32 {
  return load<u32>(at, 8);
}

export function pIntid(at: usize): u32 {
  return load<u32>(at, 12);
}

export function icid(at: usize): u32 {
  return load<u16>(at, 16);
}

export function ittSize(at: usize): u32 {
  return load<u32>(at, 8) & 31;
}

export function ittAddress(at: usize): u64 {
  return load<u64>(at, 16) & 0x000fffffffffff00;
}

export function valid(at: usize): bool {
  return load<u64>(at, 16) >> 63 != 0;
}

export function vpeId(at: usize): u32 {
  return load<u16>(at, 12);
}

/** VMAPTI: the vINTID. */
export function vIntid(at: usize): u32 {
  return load<u32>(at, 16);
}

export function doorbell(at: usize): u32 {
  return load<u32>(at, 20);
}

/** VMOVI: Dbell_pINTID replaces the doorbell. */
export function doorbellValid(at: usize): bool {
  return (load<u32>(at, 16) & 1) != 0;
}

/** VMAPP: INTID bits of the vPE - 1, of five bits in GICv4.1 too (section 11, item 3), and its pending table. */
export function vptSize(at: usize): u32 {
  return load<u32>(at, 24) & 31;
}

export function vptAddress(at: usize): u64 {
  return load<u64>(at, 24) & 0x000fffffffff0000;
}

/** VMAPP of GICv4.1: Alloc, PTZ, the VM's configuration table, the default doorbell. */
export function allocates(at: usize): bool {
  return (load<u32>(at) & (1 << 8)) != 0;
}

/** PTZ: the pending table is all zero. */
export function pendingTableZero(at: usize): bool {
  return (load<u32>(at) & (1 << 9)) != 0;
}

export function vconfAddress(at: usize): u64 {
  return load<u64>(at) & 0x000fffffffff0000;
}

export function defaultDoorbell(at: usize): u32 {
  return load<u32>(at, 8);
}

/** VMOVP of GICv4.1: DB, the default doorbell is replaced by the one in DW3. */
export function replacesDefaultDoorbell(at: usize): bool {
  return load<u64>(at, 16) >> 63 != 0;
}

export function movedDefaultDoorbell(at: usize): u32 {
  return load<u32>(at, 24);
}

export function vsgiIntid(at: usize): u32 {
  return load<u32>(at, 4) & 0xf;
}

export function vsgiEnable(at: usize): bool {
  return (load<u32>(at) & (1 << 8)) != 0;
}

export function vsgiClears(at: usize): bool {
  return (load<u32>(at) & (1 << 9)) != 0;
}

export function vsgiGroup(at: usize): u32 {
  return (load<u32>(at) >> 10) & 1;
}

/** Priority[7:4]. */
export function vsgiPriority(at: usize): u32 {
  return (load<u32>(at) >> 20) & 0xf;
}

/** VMOVP across several ITSs: SequenceNumber << 16 | ITSList. */
export function moveKey(at: usize): u32 {
  return ((<u32>load<u16>(at, 4)) << 16) | load<u16>(at, 8);
}

/** The PE that the RDbase field [51:16] of a doubleword names, or NO_CPU (section 6.0). */
export function target(at: usize, doubleword: u32): u32 {
  return cpuOfTarget((load<u64>(at + (doubleword << 3)) >> 16) & 0xfffffffff, 0);
}

/** PE of the RDbase of VMAPP and VMOVP: one whose redistributor has VLPIs. */
export function vpeTarget(at: usize): u32 {
  const cpu = cpuOfTarget((load<u64>(at, 16) >> 16) & 0xfffffffff, machine().vlpiTargetOffset);
  if (cpu == NO_CPU || !machine().has(Feature.MIXED)) return cpu;
  return redistributorOf(cpu).traits & RedistributorTrait.VIRTUAL_LPIS ? cpu : NO_CPU;
}

/** PE of an RDbase [51:16]: a processor number, or an address that is `displacement` beyond RD_base. */
function cpuOfTarget(field: u64, displacement: u32): u32 {
  const m = machine();
  if (!m.has(Feature.PHYSICAL_TARGET_ADDRESSES)) return field < m.cpuCount ? <u32>field : NO_CPU;
  const offset = (field << 16) - displacement - m.gicrBase;
  const cpu = offset / m.gicrStride;
  return cpu < m.cpuCount && cpu * m.gicrStride == offset ? <u32>cpu : NO_CPU;
}
