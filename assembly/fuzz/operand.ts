// One operation of an input: eight bytes. Every input means something, so that mutations never end in a syntax error.
//
//   0     1   2..3  4..7
//   kind  a   b     c
//
// The first byte of an input chooses the machine, which the host does, and with bit 7 whether operations stay within
// what the architecture defines.

export const OPERATION_BYTES: u32 = 8;
const VALID: u64 = 1 << 63;

export let a: u32 = 0;
export let b: u32 = 0;
export let c: u32 = 0;

/** Takes an operation's operands; returns its kind. */
export function decode(at: usize): u32 {
  a = load<u8>(at, 1);
  b = load<u16>(at, 2);
  c = load<u32>(at, 4);
  return load<u8>(at);
}

/** `count` bits of c. */
export function bits(from: u32, count: u32): u32 {
  return (c >> from) & ((1 << count) - 1);
}

/** A value that a register or a table may take seriously; `a` chooses its shape. */
export function shaped(ramBase: u64, ramSize: u64): u64 {
  const inside = ramBase + (((<u64>c) << 12) % ramSize);
  switch (a & 7) {
    case 0:
      return c;
    case 1:
      return 0xffffffffffffffff;
    case 2:
      return VALID | inside | (((<u64>a) << 4) & 0x7ff);
    case 3:
      return inside | (a >> 3);
    case 4:
      return VALID | (((<u64>c) << 20) & 0x000ffffffffff000) | (a >> 3);
    case 5:
      return 0;
    case 6:
      return (<u64>1) << (c & 63);
    default:
      return ((<u64>c) << 32) | (((<u64>b) << 16) ^ c);
  }
}
