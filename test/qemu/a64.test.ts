import { describe, expect, it } from 'vitest';
import * as a64 from './a64.ts';

/** Instructions as LLVM's assembler encodes them. */
const instructions: readonly [text: string, encoded: number, expected: number][] = [
  ['mrs x2, ICC_IAR1_EL1', a64.mrs(2, 'ICC_IAR1_EL1'), 0xd538_cc02],
  ['msr ICC_PMR_EL1, xzr', a64.msr('ICC_PMR_EL1', a64.XZR), 0xd518_461f],
  ['msr VBAR_EL2, x1', a64.msr('VBAR_EL2', 1), 0xd51c_c001],
  ['mrs x21, MPIDR_EL1', a64.mrs(21, 'MPIDR_EL1'), 0xd538_00b5],
  ['mrs x3, ISR_EL1', a64.mrs(3, 'ISR_EL1'), 0xd538_c103],
  ['msr ICH_LR15_EL2, x7', a64.msr('ICH_LR15_EL2', 7), 0xd51c_cde7],
  ['ldr x1, [x20]', a64.ldr(1, 20, 0), 0xf940_0281],
  ['ldr x2, [x20, #16]', a64.ldr(2, 20, 16), 0xf940_0a82],
  ['str x2, [x20, #24]', a64.str(2, 20, 24), 0xf900_0e82],
  ['add x20, x20, #32', a64.addImmediate(20, 20, 32), 0x9100_8294],
  ['sub x1, x1, x21', a64.sub(1, 1, 21), 0xcb15_0021],
  ['and x21, x21, #0xff', a64.andByte(21, 21), 0x9240_1eb5],
  ['cbz x1, .+12', a64.cbz(1, 3), 0xb400_0061],
  ['b .-20', a64.b(-5), 0x17ff_fffb],
  ['b .+8', a64.b(2), 0x1400_0002],
  ['br x1', a64.br(1), 0xd61f_0020],
];

describe('A64 instructions', () => {
  it.each(instructions)('%s', (_, encoded, expected) => expect(encoded).toBe(expected));

  it('a 64-bit constant takes MOVZ and three MOVK', () => {
    expect(a64.mov(1, 0xabcd_1234_dead_beefn)).toEqual([0xd297_dde1, 0xf2bb_d5a1, 0xf2c2_4681, 0xf2f5_79a1]);
  });

  it('an unknown system register is refused', () => {
    expect(() => a64.mrs(0, 'ICC_NONE_EL1')).toThrow('ICC_NONE_EL1');
  });
});
