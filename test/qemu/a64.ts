// The few A64 instructions that a PE needs to access its system registers and tell the result.
import { systemRegisterByName } from '../../bindings/registers/system.ts';

type Encoding = readonly [op0: number, op1: number, crn: number, crm: number, op2: number];

const otherRegisters: Readonly<Record<string, Encoding>> = {
  MPIDR_EL1: [3, 0, 0, 0, 5],
  ISR_EL1: [3, 0, 12, 1, 0],
  VBAR_EL2: [3, 4, 12, 0, 0],
  ELR_EL2: [3, 4, 4, 0, 1],
  SPSR_EL2: [3, 4, 4, 0, 0],
  ESR_EL2: [3, 4, 5, 2, 0],
};

/** Number of XZR. */
export const XZR = 31;
export const ISB = 0xd503_3fdf;
export const WFE = 0xd503_205f;
export const ERET = 0xd69f_03e0;
/** SMC #0 and HVC #0. */
export const SMC = 0xd400_0003;
export const HVC = 0xd400_0002;

/** Loads a 64-bit constant. */
export function mov(register: number, value: number | bigint): number[] {
  return [0, 1, 2, 3].map((half) => {
    const bits = Number((BigInt(value) >> BigInt(16 * half)) & 0xffffn);
    return ((half === 0 ? 0xd280_0000 : 0xf280_0000) + half * 0x20_0000 + bits * 0x20 + register) >>> 0;
  });
}

/** LDR Xt, [Xn, #offset]; the offset is a multiple of 8. */
export function ldr(register: number, base: number, offset: number): number {
  return (0xf940_0000 + (offset / 8) * 0x400 + base * 0x20 + register) >>> 0;
}

/** STR Xt, [Xn, #offset]; the offset is a multiple of 8. */
export function str(register: number, base: number, offset: number): number {
  return (0xf900_0000 + (offset / 8) * 0x400 + base * 0x20 + register) >>> 0;
}

/** ADD Xd, Xn, #value below 4096. */
export function addImmediate(to: number, from: number, value: number): number {
  return (0x9100_0000 + value * 0x400 + from * 0x20 + to) >>> 0;
}

/** SUB Xd, Xn, Xm. */
export function sub(to: number, a: number, b: number): number {
  return (0xcb00_0000 + b * 0x1_0000 + a * 0x20 + to) >>> 0;
}

/** AND Xd, Xn, #0xff. */
export function andByte(to: number, from: number): number {
  return (0x9240_1c00 + from * 0x20 + to) >>> 0;
}

/** B to an instruction `words` ahead of this one. */
export function b(words: number): number {
  return (0x1400_0000 + (words & 0x3ff_ffff)) >>> 0;
}

/** BR Xn. */
export function br(register: number): number {
  return (0xd61f_0000 + register * 0x20) >>> 0;
}

/** CBZ Xt to an instruction `words` ahead of this one. */
export function cbz(register: number, words: number): number {
  return (0xb400_0000 + (words & 0x7_ffff) * 0x20 + register) >>> 0;
}

export function mrs(register: number, name: string): number {
  return (0xd530_0000 + systemRegisterBits(name) + register) >>> 0;
}

export function msr(name: string, register: number): number {
  return (0xd510_0000 + systemRegisterBits(name) + register) >>> 0;
}

function systemRegisterBits(name: string): number {
  const encoding = otherRegisters[name] ?? systemRegisterByName.get(name)?.encoding;
  if (encoding === undefined) throw new Error(`no encoding of ${name}`);
  const [op0, op1, crn, crm, op2] = encoding;
  return (op0 - 2) * 0x8_0000 + op1 * 0x1_0000 + crn * 0x1000 + crm * 0x100 + op2 * 0x20;
}
