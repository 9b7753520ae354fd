// One path for every access to a register frame. What a register is (offset, width, access, legal and fixed bits)
// comes from descriptions that the host derives from its register tables and writes into memory; here an access
// is checked against them and a written value is made legal before the register's own behaviour sees it.
//
//   index:  frame -> 16384 words -> number of the description that covers the word, 0 = reserved
import { Access, Diagnostic, Feature, Frame, FrameLayout, RedistributorTrait, Register } from '../abi';
import { report } from '../diag/diagnostics';
import { observeVpendbaser } from '../gicv4/residency';
import { itsOf } from '../its/its';
import { readIts, reportItsAccess, writeIts } from '../its/registers';
import { machine } from '../memory/machine';
import { readDistributor, reportDistributorAccess, writeDistributor } from './distributor_registers';
import { redistributorOf } from './redistributor';
import {
  PENDBASER_PTZ,
  readRedistributor,
  reportRedistributorAccess,
  writeRedistributor,
} from './redistributor_registers';

/** Description of a register, or of an array of registers. The host writes it with this layout. */
@unmanaged
export class RegisterInfo {
  register: u16;
  access: u16;
  /** Bytes of one register: 4 or 8. */
  width: u16;
  /** Offset of the first register in the frame. */
  offset: u16;
  /** Number of the first register of an array. */
  first: u64;
  /** Bits that software can change or, for actions, that mean something. */
  writable: u64;
  /** Bits that always read as one. */
  fixed: u64;

  /** Bits of an offset that tell bytes of one register apart. */
  get widthShift(): u32 {
    return <u32>ctz(<u32>this.width);
  }
}

/** Registers that not all units have. */
const GITS_BASER2: u32 = 0x110;
const GICR_SETLPIR: u32 = 0x40;
const GICR_CLRLPIR: u32 = 0x48;
const GICR_INVLPIR: u32 = 0xa0;
const GICR_SYNCR: u32 = 0xc0;

/** *_STATUSR: what kind of bad access it was. */
const STATUSR_RRD: u32 = 1;
const STATUSR_WRD: u32 = 2;
const STATUSR_RWOD: u32 = 4;
const STATUSR_WROD: u32 = 8;

/** Reads `size` bytes at `offset` of a frame that belongs to PE or ITS `unit`. Bad accesses read as zero. */
export function readRegister(frame: Frame, unit: u32, offset: u32, size: u32): u64 {
  const info = describe(frame, unit, offset);
  if (changetype<usize>(info) == 0)
    return badAccess(Diagnostic.RESERVED_REGISTER, STATUSR_RRD, frame, unit, offset, size);
  if (!sizeAllowed(info, offset, size))
    return badAccess(Diagnostic.BAD_ACCESS_SIZE, STATUSR_RRD, frame, unit, offset, size);
  if (!(info.access & Access.READ))
    return badAccess(Diagnostic.READ_OF_WRITE_ONLY, STATUSR_RWOD, frame, unit, offset, size);
  const place = offset - info.offset;
  const value = currentValue(info, frame, unit, <u32>info.first + (place >> info.widthShift));
  if (info.register == Register.GICR_VPENDBASER) observeVpendbaser(redistributorOf(unit));
  return (value >> bitsBelow(info, place)) & bytesMask(size);
}

/** Writes the low `size` bytes of `value`. Bad accesses do nothing. */
export function writeRegister(frame: Frame, unit: u32, offset: u32, size: u32, value: u64): void {
  const info = describe(frame, unit, offset);
  if (changetype<usize>(info) == 0) {
    badAccess(Diagnostic.RESERVED_REGISTER, STATUSR_WRD, frame, unit, offset, size);
    return;
  }
  if (!sizeAllowed(info, offset, size)) {
    badAccess(Diagnostic.BAD_ACCESS_SIZE, STATUSR_WRD, frame, unit, offset, size);
    return;
  }
  if (!(info.access & Access.WRITE)) {
    badAccess(Diagnostic.WRITE_OF_READ_ONLY, STATUSR_WROD, frame, unit, offset, size);
    return;
  }
  const place = offset - info.offset;
  const element = <u32>info.first + (place >> info.widthShift);
  const shift = bitsBelow(info, place);
  const legal = legalize(info, frame, unit, element, value << shift, bytesMask(size) << shift);
  if (frame == Frame.GICD) writeDistributor(info.register, element, legal);
  else if (frame >= Frame.GITS) writeIts(unit, info.register, element, legal);
  else writeRedistributor(unit, info.register, element, legal);
}

/** The value that a write leaves: bits not written, or not writable, stay; fixed bits are ones. */
function legalize(info: RegisterInfo, frame: Frame, unit: u32, element: u32, written: u64, lanes: u64): u64 {
  const changeable = info.writable & lanes;
  if (info.access & Access.ACTION) return written & changeable;
  return (heldValue(info, frame, unit, element) & ~changeable) | (written & changeable) | info.fixed;
}

/** The current value with a bit that reads as zero: a write of the other half leaves GICR_PENDBASER.PTZ as it is. */
function heldValue(info: RegisterInfo, frame: Frame, unit: u32, element: u32): u64 {
  const value = currentValue(info, frame, unit, element);
  const held = info.register == Register.GICR_PENDBASER && redistributorOf(unit).pendingTableZero != 0;
  return held ? value | PENDBASER_PTZ : value;
}

function currentValue(info: RegisterInfo, frame: Frame, unit: u32, element: u32): u64 {
  if (info.register == Register.FIXED) return info.fixed;
  if (frame == Frame.GICD) return info.fixed | readDistributor(info.register, element);
  if (frame >= Frame.GITS) return info.fixed | readIts(unit, info.register, element);
  return info.fixed | readRedistributor(unit, info.register, element);
}

/** Section 0: 32-bit registers take words, 64-bit registers doublewords or aligned words; some take less. */
function sizeAllowed(info: RegisterInfo, offset: u32, size: u32): bool {
  if (offset & (size - 1)) return false;
  if (info.access & Access.WHOLE) return size == info.width;
  if (size == 4) return true;
  if (size == 8) return info.width == 8;
  if (size == 2) return (info.access & Access.HALFWORD) != 0;
  return (info.access & Access.BYTE) != 0;
}

/** The register at an offset, null where it is reserved. */
function describe(frame: Frame, unit: u32, offset: u32): RegisterInfo {
  const m = machine();
  const word = <usize>frame * FrameLayout.WORDS + (offset >> 2);
  const number: u32 =
    m.has(Feature.MIXED) && isAbsent(frame, unit, offset) ? 0 : load<u16>(m.registerIndex + (word << 1));
  return changetype<RegisterInfo>(number ? m.registerInfo + <usize>number * offsetof<RegisterInfo>() : 0);
}

/** Where units differ, one can lack what others have at an offset: its vPE table, its VLPIs, its direct LPI registers. */
function isAbsent(frame: Frame, unit: u32, offset: u32): bool {
  if (frame == Frame.GITS) return offset >> 3 == GITS_BASER2 >> 3 && !itsOf(unit).isVirtual;
  if (frame == Frame.GITS_VSGI) return !itsOf(unit).isVirtual;
  if (frame != Frame.GICR_RD && frame != Frame.GICR_VLPI) return false;
  const traits = redistributorOf(unit).traits;
  if (frame == Frame.GICR_VLPI) return (traits & RedistributorTrait.VIRTUAL_LPIS) == 0;
  if (offset >= GICR_SETLPIR && offset < GICR_CLRLPIR + 8)
    return (traits & RedistributorTrait.DIRECT_LPI) == 0;
  return offset >= GICR_INVLPIR && offset < GICR_SYNCR + 8 && (traits & RedistributorTrait.INVALIDATION) == 0;
}

function badAccess(code: Diagnostic, status: u32, frame: Frame, unit: u32, offset: u32, size: u32): u64 {
  report(code, unit, <u32>frame, offset, size);
  if (!machine().has(Feature.STATUS_REGISTERS)) return 0;
  if (frame == Frame.GICD) reportDistributorAccess(status);
  else if (frame >= Frame.GITS) reportItsAccess(unit, status);
  else reportRedistributorAccess(unit, status);
  return 0;
}

/** Bits of a register below a place in it. */
function bitsBelow(info: RegisterInfo, place: u32): u64 {
  return (<u64>(place & (<u32>info.width - 1))) << 3;
}

function bytesMask(size: u32): u64 {
  return size == 8 ? ~(<u64>0) : ((<u64>1) << ((<u64>size) << 3)) - 1;
}
