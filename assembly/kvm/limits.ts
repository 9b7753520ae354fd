// Capacities of the KVM layer. A configuration has room for as many VMs and vCPUs or fewer, see `Machine.vmLimit`.

/** No vCPU, PE, irq or list entry. */
export const NONE: u32 = 0xffffffff;

export const MAX_VMS: u32 = 64;
export const MAX_VCPUS: u32 = 4096;

export const PRIVATE_IRQS: u32 = 32;
/** Records of a VM's SPIs, by INTID. */
export const SPI_SLOTS: u32 = 1024;
export const LAST_PPI: u32 = 31;
export const LAST_SPI: u32 = 1019;
export const FIRST_LPI: u32 = 8192;
/** KVM's guests have 16 bits of INTIDs. */
export const MAX_LPI_INTID: u32 = 65535;
