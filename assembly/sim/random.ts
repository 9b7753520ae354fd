// Random numbers: SplitMix64, a state of 64 bits in the record of whoever draws. The same on every platform: all
// operations on f64 here are ones that WebAssembly defines exactly.

const LN2: f64 = Math.LN2;
const SQRT2: f64 = Math.SQRT2;
const FRACTION_BITS: u64 = 52;
const EXPONENT_BIAS: i64 = 1023;

/** The next state. */
export function nextState(state: u64): u64 {
  return state + 0x9e3779b97f4a7c15;
}

/** The number that a state stands for. */
export function scramble(state: u64): u64 {
  let z = state;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

/** A number of an exponential distribution with a mean, from 64 random bits; at least 1. */
export function exponential(bits: u64, mean: u64): u64 {
  const uniform = <f64>((bits >> 11) + 1) * (1.0 / 9007199254740992.0);
  return max<u64>(1, <u64>(-ln(uniform) * <f64>mean + 0.5));
}

/** The natural logarithm of a normal positive number, by the series of artanh. */
function ln(x: f64): f64 {
  const bits = reinterpret<u64>(x);
  let exponent = <i64>(bits >> FRACTION_BITS) - EXPONENT_BIAS;
  let mantissa = reinterpret<f64>((bits & 0x000fffffffffffff) | ((<u64>EXPONENT_BIAS) << FRACTION_BITS));
  if (mantissa > SQRT2) {
    mantissa *= 0.5;
    exponent++;
  }
  const s = (mantissa - 1.0) / (mantissa + 1.0);
  const square = s * s;
  let sum: f64 = 0.0;
  for (let n: f64 = 21.0; n >= 1.0; n -= 2.0) sum = sum * square + 1.0 / n;
  return <f64>exponent * LN2 + 2.0 * s * sum;
}
