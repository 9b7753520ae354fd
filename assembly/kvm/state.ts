// What KVM knows of its virtual machines and their vCPUs: the parts of struct kvm and struct kvm_vcpu that matter to
// interrupts. None of it is visible to the hardware.
import { areaAt, KVM_AT, kvmTables } from './areas';

@unmanaged
export class Kvm {
  /** has_gicv4 and has_gicv4_1 of kvm_vgic_global_state. */
  hasGicv4: u32;
  hasGicv4_1: u32;
  /** All redistributors have virtual SGIs: guests may ask for SGIs without an active state. */
  hasVsgis: u32;
  listRegisters: u32;
  /** ICH_VTR_EL2.TDS: ICV_DIR_EL1 can be trapped by itself (6.19 uses it). */
  trapsDir: u32;
  /** Free list of LPI records, and the first record of SPIs. */
  freeLpi: u32;
  /** The first LPI record that was never used. */
  freshLpi: u32;
  firstSpi: u32;
  firstLpi: u32;
  /** The record behind the last LPI. */
  endLpi: u32;
  /** PE whose host code is running, NONE while nobody's is: actions from outside. */
  currentCpu: u32;
  /** vCPUs that were woken and have not run since. */
  firstWoken: u32;
  lastWoken: u32;
  /** The layer was set up. */
  ready: u32;
  /** Numbers of up to sixteen interrupts while they are put in order. */
  order0: u64;
  order1: u64;
  order2: u64;
  order3: u64;
  order4: u64;
  order5: u64;
  order6: u64;
  order7: u64;
  /** A bit for each PE of whose vCPU something changed that decides whether it may sleep, see changes.ts. */
  changed0: u64;
  changed1: u64;
  changed2: u64;
  changed3: u64;
  changed4: u64;
  changed5: u64;
  changed6: u64;
  changed7: u64;
}

@unmanaged
export class VgicVm {
  used: u32;
  vcpus: u32;
  firstVcpu: u32;
  /** SPIs from INTID 32 on. */
  spis: u32;
  /** GICD_CTLR.EnableGrp1 of the guest: the distributor forwards interrupts. */
  enabled: bool;
  /** GICD_CTLR.nASSGIreq of the guest. */
  nassgireq: bool;
  initialized: bool;
  /** A virtual ITS exists. */
  hasIts: bool;
  lpis: u32;
  /** SPIs that are on some list (6.19: DIR is trapped while there are any). */
  activeSpis: u32;
  /** VM of the irqchip layer, NONE without vPEs. */
  itsVm: u32;
  /** Guest physical addresses of the distributor and of the first redistributor. */
  distributorBase: u64;
  redistributorBase: u64;
  /** GICR_PROPBASER of the guest; all redistributors share it. */
  propbaser: u64;
  /** Guest RAM: guest physical base, physical base, bytes. */
  ramBase: u64;
  ramAt: u64;
  ramSize: u64;
}

export const OUTSIDE_GUEST_MODE: u32 = 0;
export const IN_GUEST_MODE: u32 = 1;
export const EXITING_GUEST_MODE: u32 = 2;

export const REQ_IRQ_PENDING: u32 = 1;
export const REQ_SLEEP: u32 = 2;
export const REQ_VCPU_RESET: u32 = 4;
export const REQ_RELOAD_GICV4: u32 = 8;
export const REQ_VGIC_PROCESS_UPDATE: u32 = 16;
export const REQ_RECORD_STEAL: u32 = 32;

@unmanaged
export class Vcpu {
  used: bool;
  vm: u32;
  /** Number in its VM: vcpu_id, and affinity 0.0.0.vcpu_id in the guest's eyes. */
  index: u32;
  mode: u32;
  requests: u32;
  /** PE that it is loaded on, NONE while it is not. */
  loadedOn: u32;
  lastCpu: u32;
  inWfi: bool;
  inWfit: bool;
  powerOff: bool;
  /** The thread is being put because it blocks, and sleeps. */
  blocking: bool;
  asleep: bool;
  /** The thread is inside KVM_RUN and wants to be in the guest. */
  running: bool;
  /** Link in the list of vCPUs that were woken. */
  nextWoken: u32;
  /** Halts by halt_guest that are not over. */
  paused: u32;
  /** World switches out of the guest. */
  exits: u64;

  /** The virtual CPU interface while it is not in the hardware: ICH_VMCR_EL2, ICH_HCR_EL2, list registers, APRs. */
  vmcr: u32;
  hcr: u32;
  usedLrs: u32;
  /** ICH_AP0R0-3_EL2, then ICH_AP1R0-3_EL2. */
  activePriorities0: u64;
  activePriorities1: u64;
  activePriorities2: u64;
  activePriorities3: u64;
  lr0: u64;
  lr1: u64;
  lr2: u64;
  lr3: u64;
  lr4: u64;
  lr5: u64;
  lr6: u64;
  lr7: u64;
  lr8: u64;
  lr9: u64;
  lr10: u64;
  lr11: u64;
  lr12: u64;
  lr13: u64;
  lr14: u64;
  lr15: u64;

  /** GICR_CTLR.EnableLPIs and GICR_PENDBASER of the guest's redistributor. */
  lpisEnabled: bool;
  pendbaser: u64;

  /** vPE of the irqchip layer and its first vSGI irq, NONE without. */
  vpe: u32;
  firstSgiIrq: u32;
  /** VLPIs that target it. */
  vlpis: u32;

  /** The list of pending and active interrupts, see ap_list.ts. */
  listed: u32;
  listedSgis: u32;
  /** 6.19: pending and not active, and active. */
  waitingCount: u32;
  activeCount: u32;
  sorts: u32;
  firstStray: u32;
  arrivals: u64;
  used0: u64;
  used1: u64;
  used2: u64;
  used3: u64;
  used4: u64;
  used5: u64;
  used6: u64;
  used7: u64;
  used8: u64;

  lr(n: u32): u64 {
    return load<u64>(changetype<usize>(this) + offsetof<Vcpu>('lr0') + (n << 3));
  }

  activePriorities(group: u32, n: u32): u32 {
    return load<u32>(this.activePrioritiesAt(group, n));
  }

  setActivePriorities(group: u32, n: u32, value: u32): void {
    store<u32>(this.activePrioritiesAt(group, n), value);
  }

  private activePrioritiesAt(group: u32, n: u32): usize {
    return changetype<usize>(this) + offsetof<Vcpu>('activePriorities0') + (group << 4) + (n << 2);
  }

  setLr(n: u32, value: u64): void {
    store<u64>(changetype<usize>(this) + offsetof<Vcpu>('lr0') + (n << 3), value);
  }
}

export function kvm(): Kvm {
  return changetype<Kvm>(areaAt(KVM_AT));
}

export function vmOf(n: u32): VgicVm {
  return changetype<VgicVm>(kvmTables().vms + <usize>n * offsetof<VgicVm>());
}

export function vcpuOf(n: u32): Vcpu {
  return changetype<Vcpu>(kvmTables().vcpus + <usize>n * offsetof<Vcpu>());
}

/** The number of a vCPU by its record. */
export function numberOfVcpu(vcpu: Vcpu): u32 {
  return <u32>((changetype<usize>(vcpu) - kvmTables().vcpus) / offsetof<Vcpu>());
}

export function vmOfVcpu(vcpu: Vcpu): VgicVm {
  return vmOf(vcpu.vm);
}
