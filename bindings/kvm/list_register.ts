/** ICH_LR<n>_EL2 by its fields. */
export interface ListRegister {
  /** Which one, from 0. */
  readonly index: number;
  /** The INTID in the guest. */
  readonly vIntid: number;
  /** What the guest sees of it. */
  readonly state: 'invalid' | 'pending' | 'active' | 'pending-and-active';
  /** 0 (most urgent) to 255. */
  readonly priority: number;
  /** Group in the guest. */
  readonly group: 0 | 1;
  /** Tied to a physical interrupt. */
  readonly hw: boolean;
  /** The physical INTID where `hw`. */
  readonly pIntid: number | undefined;
  /** A maintenance interrupt tells the end of the interrupt (HW=0). */
  readonly eoi: boolean;
}

const states = ['invalid', 'pending', 'active', 'pending-and-active'] as const;

/** The fields of a value of ICH_LR<n>_EL2, n being `index`. */
export function decodeListRegister(index: number, value: bigint): ListRegister {
  const hw = ((value >> 61n) & 1n) === 1n;
  return {
    index,
    vIntid: Number(value & 0xffff_ffffn),
    state: states[Number(value >> 62n)] as ListRegister['state'],
    priority: Number((value >> 48n) & 0xffn),
    group: Number((value >> 60n) & 1n) as 0 | 1,
    hw,
    pIntid: hw ? Number((value >> 32n) & 0x1fffn) : undefined,
    eoi: !hw && ((value >> 41n) & 1n) === 1n,
  };
}
