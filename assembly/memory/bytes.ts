// Many bytes at a time.

/** A factor that puts a byte into each byte of a word. */
export const EACH_BYTE: u64 = 0x0101010101010101;

/** Which of 64 bytes equal `value`. */
export function equalBytes(at: usize, value: u32): u64 {
  let equal: u64 = 0;
  if (ASC_FEATURE_SIMD) {
    const wanted = i8x16.splat(<i8>value);
    for (let lane: usize = 0; lane < 64; lane += 16) {
      equal |= (<u64>i8x16.bitmask(i8x16.eq(v128.load(at + lane), wanted))) << lane;
    }
  } else {
    for (let lane: usize = 0; lane < 64; lane++) {
      if (load<u8>(at + lane) == value) equal |= (<u64>1) << lane;
    }
  }
  return equal;
}

/** 16 bits as 16 bytes, each all ones or all zeros. */
export function lanesOf(bits: u16): v128 {
  const place = i8x16(1, 2, 4, 8, 16, 32, 64, -128, 1, 2, 4, 8, 16, 32, 64, -128);
  const spread = i8x16.swizzle(i16x8.splat(<i16>bits), i8x16(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1));
  return i8x16.eq(v128.and(spread, place), place);
}

/** Whether all of some bytes, a multiple of 64, are the same in the bits of `mask`. */
export function areAlike(at: usize, bytes: usize, mask: u32): bool {
  if (ASC_FEATURE_SIMD) {
    const wanted = v128.load8_splat(at);
    let unlike = i8x16.splat(0);
    for (let end = at + bytes; at < end; at += 64) {
      const low = v128.or(v128.xor(v128.load(at), wanted), v128.xor(v128.load(at, 16), wanted));
      const high = v128.or(v128.xor(v128.load(at, 32), wanted), v128.xor(v128.load(at, 48), wanted));
      unlike = v128.or(unlike, v128.or(low, high));
    }
    return !v128.any_true(v128.and(unlike, i8x16.splat(<i8>mask)));
  }
  const wanted = load<u8>(at) * EACH_BYTE;
  let unlike: u64 = 0;
  for (let end = at + bytes; at < end; at += 8) unlike |= load<u64>(at) ^ wanted;
  return (unlike & (mask * EACH_BYTE)) == 0;
}

/** The bits that any part of 64 bytes has. */
export function anyOf64(at: usize): v128 {
  const low = v128.or(v128.load(at), v128.load(at, 16));
  const high = v128.or(v128.load(at, 32), v128.load(at, 48));
  return v128.or(low, high);
}

/** Fills 64 bytes with eight times a word. A `memory.fill` of so few costs more. */
export function fill64(at: usize, word: u64): void {
  store<u64>(at, word);
  store<u64>(at, word, 8);
  store<u64>(at, word, 16);
  store<u64>(at, word, 24);
  store<u64>(at, word, 32);
  store<u64>(at, word, 40);
  store<u64>(at, word, 48);
  store<u64>(at, word, 56);
}
