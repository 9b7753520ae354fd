/** A device's entry in the device table. */
export interface DeviceEntry {
  /** Physical address of the interrupt translation table. */
  readonly ittAddress: number;
  /** EventID bits - 1. */
  readonly size: number;
}

/** An event's entry in its device's interrupt translation table: an LPI, or a VLPI. */
export type InterruptEntry =
  | {
      /** MAPTI or MAPI. */
      readonly kind: 'physical';
      /** The LPI. */
      readonly pIntid: number;
      /** Its collection. */
      readonly icid: number;
    }
  | {
      /** VMAPTI or VMAPI. */
      readonly kind: 'virtual';
      /** The VLPI. */
      readonly vIntid: number;
      /** The vPE that takes it. */
      readonly vpeId: number;
      /** The LPI that rings while the vPE is not resident, 1023 for none. */
      readonly doorbell: number;
    };

/** A vPE's entry in the vPE table. */
export interface VpeEntry {
  /** PE whose redistributor the vPE is mapped to. */
  readonly cpu: number;
  /** Physical address of the virtual pending table. */
  readonly vptAddress: number;
  /** INTID bits - 1. */
  readonly size: number;
}

/** [51:8] ITT address, [4:0] size: the engine's format. */
export function decodeDeviceEntry(entry: bigint): DeviceEntry {
  return { ittAddress: Number(entry & 0x000f_ffff_ffff_ff00n), size: Number(entry & 31n) };
}

/** [62] virtual, [59:38] doorbell, [37:16] INTID, [15:0] ICID or vPEID. */
export function decodeInterruptEntry(entry: bigint): InterruptEntry {
  const intid = Number((entry >> 16n) & 0x3f_ffffn);
  const target = Number(entry & 0xffffn);
  if ((entry >> 62n) & 1n) {
    return { kind: 'virtual', vIntid: intid, vpeId: target, doorbell: Number((entry >> 38n) & 0x3f_ffffn) };
  }
  return { kind: 'physical', pIntid: intid, icid: target };
}

/** [62:53] PE, [51:16] pending table, [4:0] size. */
export function decodeVpeEntry(entry: bigint): VpeEntry {
  return {
    cpu: Number((entry >> 53n) & 0x3ffn),
    vptAddress: Number(entry & 0x000f_ffff_ffff_0000n),
    size: Number(entry & 31n),
  };
}
