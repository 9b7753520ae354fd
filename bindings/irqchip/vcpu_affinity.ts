import type { LpiProperties, VlpiMap } from './device.ts';
import type { ScheduleOptions, VsgiProperties } from './vm.ts';

/**
 * `struct its_cmd_info` for a device interrupt: what `its_map_vlpi`, `its_get_vlpi` and `its_prop_update_vlpi` hand
 * down. The series' documentation calls this the irqchip version of an ioctl, and says why map and unmap belong here:
 * they set the affinity of a VLPI to a vCPU.
 */
export type VlpiCommand =
  | ({
      /** `DeviceIrq.mapVlpi`. */
      readonly type: 'MAP_VLPI';
    } & VlpiMap)
  | {
      /** `DeviceIrq.getVlpi`. */
      readonly type: 'GET_VLPI';
    }
  | ({
      /** `DeviceIrq.updateVlpi`, without and with invalidation. */
      readonly type: 'PROP_UPDATE_VLPI' | 'PROP_UPDATE_AND_INV_VLPI';
    } & LpiProperties);

/** The same for a doorbell, the handle of its vPE: residency and INVALL. */
export type VpeCommand =
  | ({
      /** `Vpe.schedule`. */
      readonly type: 'SCHEDULE_VPE';
      /** The PE that runs the call: the vPE becomes resident on its redistributor. */
      readonly cpu: number;
    } & ScheduleOptions)
  | {
      /** `Vpe.deschedule`. */
      readonly type: 'DESCHEDULE_VPE';
      /** The doorbell is to ring; default false. */
      readonly doorbell?: boolean;
    }
  | {
      /** `Vpe.commit` and `Vpe.invall`. */
      readonly type: 'COMMIT_VPE' | 'INVALL_VPE';
    };

/** The same for a virtual SGI of GICv4.1. */
export type VsgiCommand = {
  /** `VirtualSgiIrq.update`. */
  readonly type: 'PROP_UPDATE_VSGI';
} & VsgiProperties;

/** What `setVcpuAffinity` takes; a kind of interrupt refuses the commands of the others with EINVAL. */
export type VcpuCommand = VlpiCommand | VpeCommand | VsgiCommand;

/** States of `irq_set_irqchip_state` and `irq_get_irqchip_state`; only `pending` is known to this layer's chips. */
export type IrqchipState = 'pending' | 'active' | 'masked' | 'line-level';
