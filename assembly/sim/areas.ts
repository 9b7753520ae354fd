// Where the tables of the simulation stand in its area of linear memory.
import { SimRecord } from '../abi';
import { MAX_VCPUS, MAX_VMS } from '../kvm/limits';
import { machine } from '../memory/machine';
import { EVENT_BYTES, SOURCES } from './event_queue';
import { FLOW_BYTES, FLOWS } from './flow';
import { HISTOGRAM_BYTES, HISTOGRAMS } from './histogram';
import { MAX_CPUS, MAX_DEVICES } from './limits';
import { Device, Pe, Sim, Thread } from './state';

export const PES_AT: usize = (offsetof<Sim>() + 63) & ~63;
export const THREADS_AT: usize = PES_AT + ((<usize>MAX_CPUS * offsetof<Pe>() + 63) & ~63);
export const DEVICES_AT: usize = THREADS_AT + ((<usize>MAX_VCPUS * offsetof<Thread>() + 63) & ~63);
export const HEAP_AT: usize = DEVICES_AT + ((<usize>MAX_DEVICES * offsetof<Device>() + 63) & ~63);
export const POSITIONS_AT: usize = HEAP_AT + ((<usize>SOURCES * EVENT_BYTES + 63) & ~63);
export const FLOWS_AT: usize = POSITIONS_AT + ((<usize>SOURCES * 4 + 63) & ~63);
/** A device and one for each INTID of each VM, 0 for none. */
export const OWNERS_AT: usize = FLOWS_AT + ((<usize>FLOWS * FLOW_BYTES + 63) & ~63);
export const HISTOGRAMS_AT: usize = OWNERS_AT + ((<usize>MAX_VMS) << 17);
export const TRACE_AT: usize = HISTOGRAMS_AT + ((<usize>HISTOGRAMS * HISTOGRAM_BYTES + 63) & ~63);

/** Bytes of the area. */
export const SIM_BYTES: usize = TRACE_AT + <usize>SimRecord.CAPACITY * <usize>SimRecord.BYTES;

/** Address in linear memory of a table. */
export function areaAt(table: usize): usize {
  return machine().sim + table;
}
