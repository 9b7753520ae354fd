// The frame of a guest's virtual ITS. Accesses that the model does not know read as zero and are ignored; the translation
// frame is not written by devices here, see translation.ts.
import { EBUSY, EINVAL } from '../../irqchip/errno';
import { invalidateCache } from './cache';
import { hasTables, isStopped, TYPE_COLLECTIONS, TYPE_DEVICES, TYPE_SHIFT } from './its';
import { DEVICE_ID_BITS, EVENT_ID_BITS, MAX_ITSES } from './limits';
import { freeAllCollections, freeAllDevices } from './mapping';
import { processCommands, queueBytes } from './queue';
import { Its, itsOf } from './records';
import { isTableValid } from './tables';

const GITS_CTLR: u32 = 0x0000;
const GITS_IIDR: u32 = 0x0004;
const GITS_TYPER: u32 = 0x0008;
const GITS_CBASER: u32 = 0x0080;
const GITS_CWRITER: u32 = 0x0088;
const GITS_CREADR: u32 = 0x0090;
const GITS_BASER0: u32 = 0x0100;
const GITS_BASER1: u32 = 0x0108;

const CTLR_ENABLE: u64 = 1;
const CTLR_QUIESCENT: u64 = 1 << 31;
const IIDR_KVM: u32 = (0x4b << 24) | 0x43b;
const IIDR_REVISION_SHIFT: u32 = 12;
const QUEUE_OFFSET: u32 = 0xfffe0;
const INDIRECT: u64 = 1 << 62;
/** Type and entry size, which software cannot change; page size and, of an address above 48 bits, the top. */
const BASER_FIXED: u64 = ((<u64>7) << 56) | ((<u64>31) << 48);
const BASER_PAGE_SIZE: u64 = 3 << 8;
const PAGES_64K: u64 = 2 << 8;
const ADDRESS_BELOW_64K: u64 = 0xf000;
const ENTRY_SIZE: u64 = (<u64>7) << 48;

/** Shareability, and cacheability where it is at [61:59] and [55:53]. */
const SHAREABILITY_SHIFT: u64 = 10;
const INNER_CACHE_SHIFT: u64 = 59;
const OUTER_CACHE_SHIFT: u64 = 53;
const INNER_SHAREABLE: u64 = 1;
const OUTER_SHAREABLE: u64 = 2;
const NON_CACHEABLE: u64 = 1;
const DEVICE_NGNRNE: u64 = 0;
const RA_WB: u64 = 3;
const SAME_AS_INNER: u64 = 0;

/** A read of 4 or 8 bytes at an offset of the two frames. */
export function readItsRegister(n: u32, offset: u32, size: u32): u64 {
  if (!isAccess(n, offset, size)) return 0;
  const its = itsOf(n);
  if (size == 8) return isWide(offset) ? wideRegister(its, offset) : 0;
  return isWide(offset) ? lane(wideRegister(its, offset & ~7), offset) : narrowRegister(its, offset);
}

export function writeItsRegister(n: u32, offset: u32, size: u32, value: u64): void {
  if (!isAccess(n, offset, size)) return;
  const its = itsOf(n);
  if (isWide(offset)) {
    const register = offset & ~7;
    writeWide(its, register, size == 8 ? value : merge(wideRegister(its, register), offset, <u32>value));
  } else if (offset == GITS_CTLR && size == 4) writeControl(its, value);
}

/**
 * User space restores a register (KVM_DEV_ARM_VGIC_GRP_ITS_REGS): GITS_CREADR can be written, and GITS_IIDR selects the
 * ABI of the tables. 0 or an errno.
 */
export function restoreItsRegister(n: u32, offset: u32, value: u64): i32 {
  const its = itsOf(n);
  if (!isStopped(its.vm)) return EBUSY;
  if (offset & 7 && offset != GITS_IIDR) return EINVAL;
  if (offset == GITS_IIDR) {
    const abi = <u32>(value >> IIDR_REVISION_SHIFT) & 0xf;
    return abi ? EINVAL : 0;
  }
  if (offset != GITS_CREADR) {
    writeItsRegister(n, offset, isWide(offset) ? 8 : 4, value);
    return 0;
  }
  if (its.enabled) return EBUSY;
  const reader = <u32>value & QUEUE_OFFSET;
  if (reader >= queueBytes(its)) return EINVAL;
  its.creadr = reader;
  return 0;
}

function isAccess(n: u32, offset: u32, size: u32): bool {
  if (n >= MAX_ITSES || !itsOf(n).used || offset > 0xffff) return false;
  return (size == 4 || size == 8) && (offset & (size - 1)) == 0;
}

function isWide(offset: u32): bool {
  const register = offset & ~7;
  if (register >= GITS_BASER0 && register < GITS_BASER0 + 64) return true;
  return register == GITS_TYPER || (register >= GITS_CBASER && register <= GITS_CREADR);
}

function lane(value: u64, offset: u32): u64 {
  return offset & 4 ? value >> 32 : value & 0xffffffff;
}

function merge(old: u64, offset: u32, value: u32): u64 {
  return offset & 4 ? (old & 0xffffffff) | ((<u64>value) << 32) : (old & ~(<u64>0xffffffff)) | value;
}

function narrowRegister(its: Its, offset: u32): u64 {
  switch (offset) {
    case GITS_CTLR:
      return (its.creadr == its.cwriter ? CTLR_QUIESCENT : 0) | (its.enabled ? CTLR_ENABLE : 0);
    case GITS_IIDR:
      return IIDR_KVM | (its.abi << IIDR_REVISION_SHIFT);
    default:
      return offset >= 0xffd0 ? identification(offset) : 0;
  }
}

/** GITS_PIDR<n> and GITS_CIDR<n>. */
function identification(offset: u32): u64 {
  switch (offset) {
    case 0xffd0:
      return 0x40;
    case 0xffe0:
      return 0x92;
    case 0xffe4:
      return 0xb4;
    case 0xffe8:
      return 0x3b;
    case 0xfff0:
      return 0x0d;
    case 0xfff4:
      return 0xf0;
    case 0xfff8:
      return 0x05;
    case 0xfffc:
      return 0xb1;
    default:
      return 0;
  }
}

function wideRegister(its: Its, offset: u32): u64 {
  switch (offset) {
    case GITS_TYPER:
      return typer();
    case GITS_CBASER:
      return its.cbaser;
    case GITS_CWRITER:
      return its.cwriter;
    case GITS_CREADR:
      return its.creadr;
    case GITS_BASER0:
      return its.deviceTable;
    case GITS_BASER1:
      return its.collectionTable;
    default:
      return 0;
  }
}

/** Physical LPIs, ITT entries of 8 bytes, 16 bits of EventID, DeviceID and ICID; RDbase is a number. */
function typer(): u64 {
  return 1 | (7 << 4) | ((<u64>(EVENT_ID_BITS - 1)) << 8) | ((<u64>(DEVICE_ID_BITS - 1)) << 13);
}

/** GITS_CTLR: enabling asks for three valid tables; disabling drops the cached translations. */
function writeControl(its: Its, value: u64): void {
  const enable = (value & CTLR_ENABLE) != 0;
  if (enable && !its.enabled && !hasTables(its)) return;
  its.enabled = enable;
  if (!enable) invalidateCache(its);
  processCommands(its);
}

function writeWide(its: Its, offset: u32, value: u64): void {
  switch (offset) {
    case GITS_CBASER:
      return writeCbaser(its, value);
    case GITS_CWRITER:
      return writeCwriter(its, <u32>value & QUEUE_OFFSET);
    case GITS_BASER0:
      if (its.enabled) return;
      its.deviceTable = legalBaser(value, TYPE_DEVICES);
      if (!isTableValid(its.deviceTable)) freeAllDevices(its);
      return;
    case GITS_BASER1:
      if (its.enabled) return;
      its.collectionTable = legalBaser(value & ~INDIRECT, TYPE_COLLECTIONS);
      if (!isTableValid(its.collectionTable)) freeAllCollections(its);
      return;
    default:
  }
}

/** A new queue is empty. */
function writeCbaser(its: Its, value: u64): void {
  if (its.enabled) return;
  its.cbaser = sanitised(value) & ~ADDRESS_BELOW_64K;
  its.creadr = 0;
  its.cwriter = 0;
}

function writeCwriter(its: Its, offset: u32): void {
  if (offset >= queueBytes(its)) return;
  its.cwriter = offset;
  processCommands(its);
}

function legalBaser(value: u64, type: u64): u64 {
  const kept = sanitised(value) & ~(BASER_FIXED | BASER_PAGE_SIZE | ADDRESS_BELOW_64K);
  return kept | ENTRY_SIZE | (type << TYPE_SHIFT) | PAGES_64K;
}

/** Memory attributes as KVM tells the guest that it takes them. */
function sanitised(value: u64): u64 {
  let result = value;
  if (field(value, SHAREABILITY_SHIFT, 3) == OUTER_SHAREABLE)
    result = withField(result, SHAREABILITY_SHIFT, 3, INNER_SHAREABLE);
  const inner = field(value, INNER_CACHE_SHIFT, 7);
  if (inner == NON_CACHEABLE || inner == DEVICE_NGNRNE)
    result = withField(result, INNER_CACHE_SHIFT, 7, RA_WB);
  const outer = field(value, OUTER_CACHE_SHIFT, 7);
  if (outer != NON_CACHEABLE && outer != SAME_AS_INNER)
    result = withField(result, OUTER_CACHE_SHIFT, 7, SAME_AS_INNER);
  return result;
}

function field(value: u64, shift: u64, mask: u64): u64 {
  return (value >> shift) & mask;
}

function withField(value: u64, shift: u64, mask: u64, field: u64): u64 {
  return (value & ~(mask << shift)) | (field << shift);
}
