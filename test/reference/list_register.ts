import type { MachineConfig } from '../../bindings/config.ts';
import { field, numberField, place } from './bits.ts';

/** Bit 0: pending, bit 1: active. */
export const State = { INVALID: 0, PENDING: 1, ACTIVE: 2, PENDING_AND_ACTIVE: 3 } as const;

/** ICH_LR<n>_EL2: section 8.7. */
export interface ListRegister {
  state: number;
  readonly hw: boolean;
  readonly group: 0 | 1;
  readonly priority: number;
  /** The physical interrupt, with HW=1. */
  readonly pIntid: number;
  /** A maintenance interrupt is asked for at the end, with HW=0. */
  readonly eoi: boolean;
  readonly vIntid: number;
}

/** A list register as written: reserved bits and unimplemented bits of the priority are dropped. */
export function decodeListRegister(config: MachineConfig, value: bigint): ListRegister {
  const hw = field(value, 61) === 1n;
  const extended = config.extendedSpis > 0 || config.extendedPpis > 0;
  return {
    state: numberField(value, 63, 62),
    hw,
    group: field(value, 60) === 1n ? 1 : 0,
    priority: numberField(value, 55, 48) & (0xff << (8 - config.virtualPriorityBits)),
    pIntid: hw ? numberField(value, extended ? 44 : 41, 32) : 0,
    eoi: !hw && field(value, 41) === 1n,
    vIntid: numberField(value, 31, 0),
  };
}

export function encodeListRegister({
  state,
  hw,
  group,
  priority,
  pIntid,
  eoi,
  vIntid,
}: ListRegister): bigint {
  return (
    place(state, 62) |
    place(hw, 61) |
    place(group, 60) |
    place(priority, 48) |
    place(pIntid, 32) |
    place(eoi, 41) |
    BigInt(vIntid)
  );
}
