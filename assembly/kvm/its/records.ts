// What a virtual ITS knows: struct vgic_its, its_device, its_ite, its_collection, and the translation cache's entries.
// The guest's tables in its RAM are only written by a save and read by a restore.

import { ItsOutcome, MsiResult } from '../../abi';
import { machine } from '../../memory/machine';
import { areaAt, ITSES_AT, kvmTables } from '../areas';
import { MAX_VMS } from '../limits';
import { VgicIrq } from '../vgic_irq';
import { INDEX_CHAINS, MAX_COLLECTIONS, MAX_COMMAND_ERRORS, MAX_ITS_DEVICES, MAX_ITSES } from './limits';

/** What a record of the index is. */
export const KIND_DEVICE: u32 = 1;
export const KIND_ITE: u32 = 2;
export const KIND_COLLECTION: u32 = 3;
export const KIND_CACHED: u32 = 4;

/** A collection without a vCPU: what its target is then. */
export const UNMAPPED: u32 = 0xffffffff;

/** A record that is found by its key, and is on a list in the order of arrival. A free one is linked by `chain`. */
@unmanaged
export class Entry {
  /** The next one in its chain of the index. */
  chain: Entry | null;
  next: Entry | null;
  previous: Entry | null;
  kind: u32;
  its: u32;
  /** DeviceID, or ICID. */
  id: u32;
  eventId: u32;
}

@unmanaged
export class List {
  first: Entry | null;
  last: Entry | null;
  length: u32;
}

@unmanaged
export class Device extends Entry {
  eventIdBits: u32;
  ittAddress: u64;
  itesFirst: Entry | null;
  itesLast: Entry | null;
  itesLength: u32;

  get ites(): List {
    return changetype<List>(changetype<usize>(this) + offsetof<Device>('itesFirst'));
  }
}

@unmanaged
export class Collection extends Entry {
  /** Index of a vCPU in its VM, or UNMAPPED. */
  target: u32;
}

@unmanaged
export class Ite extends Entry {
  device: Device;
  /** Null after MAPC took the collection away. */
  collection: Collection | null;
  irq: VgicIrq;
}

@unmanaged
export class Cached extends Entry {
  irq: VgicIrq;
}

@unmanaged
export class Its {
  used: u32;
  vm: u32;
  /** The VM's next vITS and one, 0 for none. */
  next: u32;
  enabled: bool;
  /** GITS_IIDR.Revision: the ABI of the tables. */
  abi: u32;
  creadr: u32;
  cwriter: u32;
  /** Guest physical address of its two frames. */
  base: u64;
  cbaser: u64;
  deviceTable: u64;
  collectionTable: u64;
  devicesFirst: Entry | null;
  devicesLast: Entry | null;
  devicesLength: u32;
  collectionsFirst: Entry | null;
  collectionsLast: Entry | null;
  collectionsLength: u32;
  /** 6.19: each vITS caches by itself. */
  cacheFirst: Entry | null;
  cacheLast: Entry | null;
  cacheLength: u32;
  /** Commands that were taken, and the last one's outcome. */
  commands: u32;
  lastOutcome: u32;

  get devices(): List {
    return changetype<List>(changetype<usize>(this) + offsetof<Its>('devicesFirst'));
  }

  get collections(): List {
    return changetype<List>(changetype<usize>(this) + offsetof<Its>('collectionsFirst'));
  }

  get cache(): List {
    return changetype<List>(changetype<usize>(this) + offsetof<Its>('cacheFirst'));
  }
}

/** What a VM has of virtual ITSs. */
@unmanaged
export class ItsVm {
  /** The first vITS and one, 0 for none. */
  firstIts: u32;
  /** 5.6: one cache for the whole VM, the entry that was used last in front. */
  cacheFirst: Entry | null;
  cacheLast: Entry | null;
  cacheLength: u32;
  hits: u32;
  misses: u32;

  get cache(): List {
    return changetype<List>(changetype<usize>(this) + offsetof<ItsVm>('cacheFirst'));
  }
}

/** Records of one kind: those that were never used, and a list of those that were given back. */
@unmanaged
export class Pool {
  fresh: u32;
  free: Entry | null;
}

const ITS_BYTES: usize = (offsetof<Its>() + 7) & ~7;
const VM_BYTES: usize = (offsetof<ItsVm>() + 7) & ~7;
const DEVICE_BYTES: usize = (offsetof<Device>() + 7) & ~7;
/** Bytes of a mapped event, and of a translation in a cache: a machine has room for as many as for guests' LPIs. */
export const ITE_BYTES: usize = (offsetof<Ite>() + 7) & ~7;
const COLLECTION_BYTES: usize = (offsetof<Collection>() + 7) & ~7;
export const CACHED_BYTES: usize = (offsetof<Cached>() + 7) & ~7;
const ERROR_BYTES: usize = 16;

const ITS_OUTCOMES_AT: usize = <usize>MAX_ITSES * ITS_BYTES;
const VMS_AT: usize = ITS_OUTCOMES_AT + <usize>MAX_ITSES * ItsOutcome.COUNT * 4;
const MSI_RESULTS_AT: usize = VMS_AT + <usize>MAX_VMS * VM_BYTES;
const POOLS_AT: usize = MSI_RESULTS_AT + <usize>MAX_VMS * MsiResult.COUNT * 8;
const ERRORS_AT: usize = POOLS_AT + 64;
const CHAINS_AT: usize = ERRORS_AT + 8 + <usize>MAX_COMMAND_ERRORS * ERROR_BYTES;
const DEVICES_AT: usize = (CHAINS_AT + <usize>INDEX_CHAINS * 4 + 63) & ~63;
const COLLECTIONS_AT: usize = DEVICES_AT + <usize>MAX_ITS_DEVICES * DEVICE_BYTES;

/** Bytes of everything here but mapped events and cached translations. */
export const ITSES_BYTES: usize = (COLLECTIONS_AT + <usize>MAX_COLLECTIONS * COLLECTION_BYTES + 63) & ~63;

export function itsOf(n: u32): Its {
  return changetype<Its>(areaAt(ITSES_AT) + <usize>n * ITS_BYTES);
}

/** The number of a vITS by its record. */
export function numberOfIts(its: Its): u32 {
  return <u32>((changetype<usize>(its) - areaAt(ITSES_AT)) / ITS_BYTES);
}

export function itsVmOf(vm: u32): ItsVm {
  return changetype<ItsVm>(areaAt(ITSES_AT) + VMS_AT + <usize>vm * VM_BYTES);
}

/** How often a vITS's commands had an outcome: 32 bits each. */
export function outcomeCountAt(its: u32, outcome: u32): usize {
  return areaAt(ITSES_AT) + ITS_OUTCOMES_AT + ((<usize>(its * ItsOutcome.COUNT + outcome)) << 2);
}

/** How often a VM's MSIs had a result: 64 bits each. */
export function msiCountAt(vm: u32, result: u32): usize {
  return areaAt(ITSES_AT) + MSI_RESULTS_AT + ((<usize>(vm * MsiResult.COUNT + result)) << 3);
}

/** Failed commands ever, then a ring of them: vITS, command, outcome, offset in the queue; 32 bits each. */
export function errorCountAt(): usize {
  return areaAt(ITSES_AT) + ERRORS_AT;
}

export function errorAt(n: u32): usize {
  return errorCountAt() + 8 + <usize>(n % MAX_COMMAND_ERRORS) * ERROR_BYTES;
}

/** Where a chain of the index begins. */
export function chainAt(n: u32): usize {
  return areaAt(ITSES_AT) + CHAINS_AT + ((<usize>n) << 2);
}

export function poolOf(kind: u32): Pool {
  return changetype<Pool>(areaAt(ITSES_AT) + POOLS_AT + <usize>kind * offsetof<Pool>());
}

/** Bytes of a record. */
export function bytesOf(kind: u32): usize {
  if (kind == KIND_DEVICE) return DEVICE_BYTES;
  if (kind == KIND_ITE) return ITE_BYTES;
  return kind == KIND_COLLECTION ? COLLECTION_BYTES : CACHED_BYTES;
}

export function capacityOf(kind: u32): u32 {
  if (kind == KIND_DEVICE) return MAX_ITS_DEVICES;
  return kind == KIND_COLLECTION ? MAX_COLLECTIONS : machine().guestLpiLimit;
}

/** Where the records of a kind stand. */
export function recordsAt(kind: u32): usize {
  if (kind == KIND_DEVICE) return areaAt(ITSES_AT) + DEVICES_AT;
  if (kind == KIND_COLLECTION) return areaAt(ITSES_AT) + COLLECTIONS_AT;
  return kind == KIND_ITE ? kvmTables().ites : kvmTables().cached;
}
