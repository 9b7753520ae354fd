/** ICH_LR<n>_EL2 by its fields. */
export interface ListRegister {
  readonly index: number;
  readonly vIntid: number;
  readonly state: 'invalid' | 'pending' | 'active' | 'pending-and-active';
  readonly priority: number;
  readonly group: 0 | 1;
  /** Tied to a physical interrupt, whose INTID is `pIntid`. */
  readonly hw: boolean;
  readonly pIntid: number | undefined;
  /** A maintenance interrupt tells the end of the interrupt (HW=0). */
  readonly eoi: boolean;
}

const states = ['invalid', 'pending', 'active', 'pending-and-active'] as const;

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
