// Where the tables of the KVM layer stand in its area of linear memory: first its record, then those that are always as
// large, then those whose size is the configuration's.
import { LAYER_TABLES, machine } from '../memory/machine';
import { BUCKETS_BYTES } from './ap_list_buckets';
import { VCPU_TIMERS_BYTES } from './arch_timer';
import { HOST_LPIS_BYTES, HOST_SPIS_BYTES } from './host';
import { IRQFDS_BYTES, ROUTES_OF_VM_BYTES } from './irqfd';
import { CACHED_BYTES, ITE_BYTES, ITSES_BYTES } from './its/records';
import { PRIVATE_IRQS, SPI_SLOTS } from './limits';
import { LOADED_BYTES } from './loaded';
import { RESAMPLE_BYTES } from './resample';
import { Kvm, Vcpu, VgicVm } from './state';
import { LPI_MAP_BYTES, VgicIrq } from './vgic_irq';

export const KVM_AT: usize = 0;
export const LOADED_AT: usize = (offsetof<Kvm>() + 63) & ~63;
export const HOST_LPIS_AT: usize = LOADED_AT + LOADED_BYTES;
export const HOST_SPIS_AT: usize = HOST_LPIS_AT + HOST_LPIS_BYTES;
export const RESAMPLES_AT: usize = HOST_SPIS_AT + HOST_SPIS_BYTES;
export const IRQFDS_AT: usize = RESAMPLES_AT + RESAMPLE_BYTES;
export const ITSES_AT: usize = IRQFDS_AT + IRQFDS_BYTES;
const FIXED_BYTES: usize = (ITSES_AT + ITSES_BYTES + 63) & ~63;

/** Address in linear memory of a table that is always as large. */
export function areaAt(table: usize): usize {
  return machine().kvm + table;
}

/** Addresses of the others. */
@unmanaged
export class KvmTables {
  vms: usize;
  vcpus: usize;
  irqs: usize;
  lpiMaps: usize;
  buckets: usize;
  timers: usize;
  routes: usize;
  ites: usize;
  cached: usize;
}

const TABLES: usize = 9;

export function kvmTables(): KvmTables {
  return changetype<KvmTables>(LAYER_TABLES);
}

/** Records of interrupts: SGIs and PPIs by vCPU, then SPIs by VM, then LPIs. */
export function irqRecords(vms: u32, vcpus: u32, guestLpis: u32): u32 {
  return vcpus * PRIVATE_IRQS + vms * SPI_SLOTS + guestLpis;
}

export function bytesOfKvm(vms: u32, vcpus: u32, guestLpis: u32): usize {
  if (vms == 0) return offsetof<Kvm>();
  const ofVms = <usize>vms * (offsetof<VgicVm>() + LPI_MAP_BYTES + ROUTES_OF_VM_BYTES);
  const ofVcpus = <usize>vcpus * (offsetof<Vcpu>() + BUCKETS_BYTES + VCPU_TIMERS_BYTES);
  const ofLpis = <usize>guestLpis * (ITE_BYTES + CACHED_BYTES);
  const ofIrqs = <usize>irqRecords(vms, vcpus, guestLpis) * offsetof<VgicIrq>();
  return FIXED_BYTES + ofVms + ofVcpus + ofLpis + ofIrqs + (TABLES << 6);
}

export function layKvmOut(): void {
  const m = machine();
  const tables = kvmTables();
  tables.vms = m.kvm + FIXED_BYTES;
  tables.vcpus = behind(tables.vms, m.vmLimit, offsetof<VgicVm>());
  tables.irqs = behind(tables.vcpus, m.vcpuLimit, offsetof<Vcpu>());
  const irqs = irqRecords(m.vmLimit, m.vcpuLimit, m.guestLpiLimit);
  tables.lpiMaps = behind(tables.irqs, irqs, offsetof<VgicIrq>());
  tables.buckets = behind(tables.lpiMaps, m.vmLimit, LPI_MAP_BYTES);
  tables.timers = behind(tables.buckets, m.vcpuLimit, BUCKETS_BYTES);
  tables.routes = behind(tables.timers, m.vcpuLimit, VCPU_TIMERS_BYTES);
  tables.ites = behind(tables.routes, m.vmLimit, ROUTES_OF_VM_BYTES);
  tables.cached = behind(tables.ites, m.guestLpiLimit, ITE_BYTES);
}

/** The cache line behind `count` records. */
export function behind(table: usize, count: u32, bytes: usize): usize {
  return (table + <usize>count * bytes + 63) & ~63;
}
