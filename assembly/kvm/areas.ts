// Where the tables of the KVM layer stand in its area of linear memory.
import { machine } from '../memory/machine';
import { BUCKETS_BYTES } from './ap_list_buckets';
import { VCPU_TIMERS_BYTES } from './arch_timer';
import { HOST_LPIS_BYTES, HOST_SPIS_BYTES } from './host';
import { ROUTES_BYTES } from './irqfd';
import { ITSES_BYTES } from './its/its';
import { MAX_GUEST_LPIS, MAX_VCPUS, MAX_VMS, PRIVATE_IRQS, SPI_SLOTS } from './limits';
import { LOADED_BYTES } from './loaded';
import { RESAMPLE_BYTES } from './resample';
import { Kvm, Vcpu, VgicVm } from './state';
import { VgicIrq } from './vgic_irq';

export const IRQ_RECORDS: u32 = MAX_VCPUS * PRIVATE_IRQS + MAX_VMS * SPI_SLOTS + MAX_GUEST_LPIS;

export const KVM_AT: usize = 0;
export const VMS_AT: usize = (offsetof<Kvm>() + 63) & ~63;
export const VCPUS_AT: usize = VMS_AT + ((<usize>MAX_VMS * offsetof<VgicVm>() + 63) & ~63);
export const IRQS_AT: usize = VCPUS_AT + ((<usize>MAX_VCPUS * offsetof<Vcpu>() + 63) & ~63);
export const LPI_MAP_AT: usize = IRQS_AT + ((<usize>IRQ_RECORDS * offsetof<VgicIrq>() + 63) & ~63);
export const BUCKETS_AT: usize = LPI_MAP_AT + ((<usize>MAX_VMS) << 18);

export const RESAMPLES_AT: usize = BUCKETS_AT + <usize>MAX_VCPUS * BUCKETS_BYTES;
export const HOST_LPIS_AT: usize = RESAMPLES_AT + RESAMPLE_BYTES;
export const HOST_SPIS_AT: usize = HOST_LPIS_AT + HOST_LPIS_BYTES;
export const TIMERS_AT: usize = HOST_SPIS_AT + HOST_SPIS_BYTES;
export const ROUTES_AT: usize = TIMERS_AT + <usize>MAX_VCPUS * VCPU_TIMERS_BYTES;
export const ITSES_AT: usize = ROUTES_AT + ROUTES_BYTES;

export const LOADED_AT: usize = ITSES_AT + ITSES_BYTES;

/** Bytes of the layer's area. */
export const KVM_BYTES: usize = LOADED_AT + LOADED_BYTES;

/** Address in linear memory of a table. */
export function areaAt(table: usize): usize {
  return machine().kvm + table;
}
