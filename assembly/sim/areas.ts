// Where the tables of the simulation stand in its area of linear memory: first its record, then those that are always as
// large, then those whose size is the configuration's.
import { SimRecord } from '../abi';
import { behind } from '../kvm/areas';
import { LAYER_TABLES, machine } from '../memory/machine';
import { OWNERS_BYTES } from './delivery';
import { EVENT_BYTES, SOURCES } from './event_queue';
import { FLOW_BYTES, FLOWS_OF_VCPU } from './flow';
import { HISTOGRAM_BYTES, HISTOGRAMS_OF_VCPU } from './histogram';
import { MAX_CPUS } from './limits';
import { Device, Pe, Sim, Thread } from './state';

export const PES_AT: usize = (offsetof<Sim>() + 63) & ~63;
export const HEAP_AT: usize = PES_AT + ((<usize>MAX_CPUS * offsetof<Pe>() + 63) & ~63);
export const POSITIONS_AT: usize = HEAP_AT + ((<usize>SOURCES * EVENT_BYTES + 63) & ~63);
export const TRACE_AT: usize = POSITIONS_AT + ((<usize>SOURCES * 4 + 63) & ~63);
const FIXED_BYTES: usize = (TRACE_AT + <usize>SimRecord.CAPACITY * <usize>SimRecord.BYTES + 63) & ~63;

/** Address in linear memory of a table that is always as large. */
export function areaAt(table: usize): usize {
  return machine().sim + table;
}

/** Addresses of the others. */
@unmanaged
export class SimTables {
  threads: usize;
  devices: usize;
  flows: usize;
  owners: usize;
  histograms: usize;
}

const TABLES: usize = 5;
/** Behind those of the KVM layer. */
const TABLES_AT: usize = LAYER_TABLES + 64;

export function simTables(): SimTables {
  return changetype<SimTables>(TABLES_AT);
}

export function bytesOfSim(vms: u32, vcpus: u32, devices: u32): usize {
  if (vms == 0) return offsetof<Sim>();
  const ofDevice = offsetof<Device>() + FLOW_BYTES + HISTOGRAM_BYTES;
  const flows = <usize>FLOWS_OF_VCPU * FLOW_BYTES;
  const histograms = <usize>HISTOGRAMS_OF_VCPU * HISTOGRAM_BYTES;
  const ofVcpu = offsetof<Thread>() + flows + histograms;
  const ofVms = <usize>vms * OWNERS_BYTES;
  return FIXED_BYTES + ofVms + <usize>vcpus * ofVcpu + <usize>devices * ofDevice + (TABLES << 6);
}

export function laySimOut(): void {
  const m = machine();
  const tables = simTables();
  tables.threads = m.sim + FIXED_BYTES;
  tables.devices = behind(tables.threads, m.vcpuLimit, offsetof<Thread>());
  tables.flows = behind(tables.devices, m.deviceLimit, offsetof<Device>());
  tables.owners = behind(tables.flows, m.deviceLimit + m.vcpuLimit * FLOWS_OF_VCPU, FLOW_BYTES);
  tables.histograms = behind(tables.owners, m.vmLimit, OWNERS_BYTES);
}
