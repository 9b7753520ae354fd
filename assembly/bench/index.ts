// The bench build: the engine, and a loop that calls its exports as a list says, so that what is measured neither has
// calls from outside in it, nor is changed by what calls it.
import { read, readSystemRegister, sendMsi, setSpi, write, writeSystemRegister } from '../index';
import { Access, AccessList } from './abi';

const RECORD_BYTES: usize = AccessList.WORDS * 4;

/** Does the accesses of a list in turn; a checksum of what they return. */
export function play(at: usize, count: u32): u32 {
  let sum: u32 = 0;
  const end = at + <usize>count * RECORD_BYTES;
  for (let next = at; next < end; next += RECORD_BYTES) {
    sum = (rotl<u32>(sum, 5) ^ access(next)) * 0x9e3779b1;
  }
  return sum;
}

function access(at: usize): u32 {
  const a = load<u32>(at, 4);
  const b = load<u32>(at, 8);
  switch (load<u32>(at)) {
    case Access.SEND_MSI:
      return sendMsi(a, b, load<u32>(at, 12));
    case Access.READ:
      return read(<f64>a, b);
    case Access.WRITE:
      write(<f64>a, b, load<u32>(at, 12), load<u32>(at, 16));
      return 0;
    case Access.READ_SYSTEM:
      return readSystemRegister(a, b);
    case Access.WRITE_SYSTEM:
      writeSystemRegister(a, b, load<u32>(at, 12), load<u32>(at, 16));
      return 0;
    default:
      setSpi(a, b);
      return 0;
  }
}
