import { SystemRegister } from '../../assembly/abi.ts';

/** A system register of the CPU interface, in AArch64 terms (section 8.1). */
export interface SystemRegisterDefinition {
  /** The architectural name. */
  readonly name: string;
  /**
   * The engine's number.
   *
   * @internal
   */
  readonly register: SystemRegister;
  /** op0, op1, CRn, CRm, op2 of its MRS and MSR encoding. */
  readonly encoding: readonly [number, number, number, number, number];
  /** What software can do with it. */
  readonly access: 'RO' | 'RW' | 'WO';
  /** Where it is described: a section of the outline in `test/README.md`. */
  readonly spec: string;
}

type Row = readonly [keyof typeof SystemRegister, number, number, number, number, 'RO' | 'RW' | 'WO', string];

const rows: readonly Row[] = [
  ['ICC_PMR_EL1', 0, 4, 6, 0, 'RW', '8.2'],
  ['ICC_IAR0_EL1', 0, 12, 8, 0, 'RO', '8.3'],
  ['ICC_EOIR0_EL1', 0, 12, 8, 1, 'WO', '8.3'],
  ['ICC_HPPIR0_EL1', 0, 12, 8, 2, 'RO', '8.2'],
  ['ICC_BPR0_EL1', 0, 12, 8, 3, 'RW', '1.5'],
  ['ICC_AP0R0_EL1', 0, 12, 8, 4, 'RW', '8.3'],
  ['ICC_AP0R1_EL1', 0, 12, 8, 5, 'RW', '8.3'],
  ['ICC_AP0R2_EL1', 0, 12, 8, 6, 'RW', '8.3'],
  ['ICC_AP0R3_EL1', 0, 12, 8, 7, 'RW', '8.3'],
  ['ICC_AP1R0_EL1', 0, 12, 9, 0, 'RW', '8.3'],
  ['ICC_AP1R1_EL1', 0, 12, 9, 1, 'RW', '8.3'],
  ['ICC_AP1R2_EL1', 0, 12, 9, 2, 'RW', '8.3'],
  ['ICC_AP1R3_EL1', 0, 12, 9, 3, 'RW', '8.3'],
  ['ICC_DIR_EL1', 0, 12, 11, 1, 'WO', '8.3'],
  ['ICC_RPR_EL1', 0, 12, 11, 3, 'RO', '8.2'],
  ['ICC_SGI1R_EL1', 0, 12, 11, 5, 'WO', '8.2'],
  ['ICC_ASGI1R_EL1', 0, 12, 11, 6, 'WO', '8.2'],
  ['ICC_SGI0R_EL1', 0, 12, 11, 7, 'WO', '8.2'],
  ['ICC_IAR1_EL1', 0, 12, 12, 0, 'RO', '8.3'],
  ['ICC_EOIR1_EL1', 0, 12, 12, 1, 'WO', '8.3'],
  ['ICC_HPPIR1_EL1', 0, 12, 12, 2, 'RO', '8.2'],
  ['ICC_BPR1_EL1', 0, 12, 12, 3, 'RW', '1.5'],
  ['ICC_CTLR_EL1', 0, 12, 12, 4, 'RW', '8.2'],
  ['ICC_SRE_EL1', 0, 12, 12, 5, 'RW', '8.2'],
  ['ICC_IGRPEN0_EL1', 0, 12, 12, 6, 'RW', '8.2'],
  ['ICC_IGRPEN1_EL1', 0, 12, 12, 7, 'RW', '8.2'],
  ['ICC_SRE_EL2', 4, 12, 9, 5, 'RW', '8.2'],
  ['HCR_EL2', 4, 1, 1, 0, 'RW', '8.1'],
  ['ICH_HCR_EL2', 4, 12, 11, 0, 'RW', '8.4'],
  ['ICH_VTR_EL2', 4, 12, 11, 1, 'RO', '8.5'],
  ['ICH_MISR_EL2', 4, 12, 11, 2, 'RO', '8.8'],
  ['ICH_EISR_EL2', 4, 12, 11, 3, 'RO', '8.8'],
  ['ICH_ELRSR_EL2', 4, 12, 11, 5, 'RO', '8.8'],
  ['ICH_VMCR_EL2', 4, 12, 11, 7, 'RW', '8.6'],
  ['ICH_AP0R0_EL2', 4, 12, 8, 0, 'RW', '8.9'],
  ['ICH_AP0R1_EL2', 4, 12, 8, 1, 'RW', '8.9'],
  ['ICH_AP0R2_EL2', 4, 12, 8, 2, 'RW', '8.9'],
  ['ICH_AP0R3_EL2', 4, 12, 8, 3, 'RW', '8.9'],
  ['ICH_AP1R0_EL2', 4, 12, 9, 0, 'RW', '8.9'],
  ['ICH_AP1R1_EL2', 4, 12, 9, 1, 'RW', '8.9'],
  ['ICH_AP1R2_EL2', 4, 12, 9, 2, 'RW', '8.9'],
  ['ICH_AP1R3_EL2', 4, 12, 9, 3, 'RW', '8.9'],
  ['ICV_PMR_EL1', 0, 4, 6, 0, 'RW', '8.9'],
  ['ICV_IAR0_EL1', 0, 12, 8, 0, 'RO', '8.9'],
  ['ICV_EOIR0_EL1', 0, 12, 8, 1, 'WO', '8.9'],
  ['ICV_HPPIR0_EL1', 0, 12, 8, 2, 'RO', '8.9'],
  ['ICV_BPR0_EL1', 0, 12, 8, 3, 'RW', '8.9'],
  ['ICV_AP0R0_EL1', 0, 12, 8, 4, 'RW', '8.9'],
  ['ICV_AP0R1_EL1', 0, 12, 8, 5, 'RW', '8.9'],
  ['ICV_AP0R2_EL1', 0, 12, 8, 6, 'RW', '8.9'],
  ['ICV_AP0R3_EL1', 0, 12, 8, 7, 'RW', '8.9'],
  ['ICV_AP1R0_EL1', 0, 12, 9, 0, 'RW', '8.9'],
  ['ICV_AP1R1_EL1', 0, 12, 9, 1, 'RW', '8.9'],
  ['ICV_AP1R2_EL1', 0, 12, 9, 2, 'RW', '8.9'],
  ['ICV_AP1R3_EL1', 0, 12, 9, 3, 'RW', '8.9'],
  ['ICV_DIR_EL1', 0, 12, 11, 1, 'WO', '8.9'],
  ['ICV_RPR_EL1', 0, 12, 11, 3, 'RO', '8.9'],
  ['ICV_IAR1_EL1', 0, 12, 12, 0, 'RO', '8.9'],
  ['ICV_EOIR1_EL1', 0, 12, 12, 1, 'WO', '8.9'],
  ['ICV_HPPIR1_EL1', 0, 12, 12, 2, 'RO', '8.9'],
  ['ICV_BPR1_EL1', 0, 12, 12, 3, 'RW', '8.9'],
  ['ICV_CTLR_EL1', 0, 12, 12, 4, 'RW', '8.9'],
  ['ICV_IGRPEN0_EL1', 0, 12, 12, 6, 'RW', '8.9'],
  ['ICV_IGRPEN1_EL1', 0, 12, 12, 7, 'RW', '8.9'],
];

/** CNT*: the generic timers, outside the GIC's own reference. */
const timerRows: readonly Row[] = [
  ['CNTFRQ_EL0', 3, 14, 0, 0, 'RO', 'generic timer'],
  ['CNTPCT_EL0', 3, 14, 0, 1, 'RO', 'generic timer'],
  ['CNTVCT_EL0', 3, 14, 0, 2, 'RO', 'generic timer'],
  ['CNTVOFF_EL2', 4, 14, 0, 3, 'RW', 'generic timer'],
  ['CNTV_TVAL_EL0', 3, 14, 3, 0, 'RW', 'generic timer'],
  ['CNTV_CTL_EL0', 3, 14, 3, 1, 'RW', 'generic timer'],
  ['CNTV_CVAL_EL0', 3, 14, 3, 2, 'RW', 'generic timer'],
  ['CNTP_TVAL_EL0', 3, 14, 2, 0, 'RW', 'generic timer'],
  ['CNTP_CTL_EL0', 3, 14, 2, 1, 'RW', 'generic timer'],
  ['CNTP_CVAL_EL0', 3, 14, 2, 2, 'RW', 'generic timer'],
  ['CNTHP_TVAL_EL2', 4, 14, 2, 0, 'RW', 'generic timer'],
  ['CNTHP_CTL_EL2', 4, 14, 2, 1, 'RW', 'generic timer'],
  ['CNTHP_CVAL_EL2', 4, 14, 2, 2, 'RW', 'generic timer'],
  ['CNTHV_TVAL_EL2', 4, 14, 3, 0, 'RW', 'generic timer'],
  ['CNTHV_CTL_EL2', 4, 14, 3, 1, 'RW', 'generic timer'],
  ['CNTHV_CVAL_EL2', 4, 14, 3, 2, 'RW', 'generic timer'],
];

/** ICH_LR0_EL2 to ICH_LR15_EL2: section 8.7. */
const listRegisters: readonly SystemRegisterDefinition[] = Array.from({ length: 16 }, (_, n) => ({
  name: `ICH_LR${n}_EL2`,
  register: SystemRegister.ICH_LR0_EL2 + n,
  encoding: [3, 4, 12, 12 + (n >> 3), n & 7],
  access: 'RW',
  spec: '8.7',
}));

/** ICC_*, ICH_* and ICV_* (section 8.1), and the generic timers' CNT*. */
export const systemRegisters: readonly SystemRegisterDefinition[] = [
  ...[...rows, ...timerRows].map(
    ([name, op1, crn, crm, op2, access, spec]): SystemRegisterDefinition => ({
      name,
      register: SystemRegister[name],
      encoding: [3, op1, crn, crm, op2],
      access,
      spec,
    }),
  ),
  ...listRegisters,
];

/** Definitions by name. */
export const systemRegisterByName: ReadonlyMap<string, SystemRegisterDefinition> = new Map(
  systemRegisters.map((definition) => [definition.name, definition]),
);
