// MSIs that a host hands over together: one call, and one look at what they leave for each PE.
import { MsiBatch, Outcome } from '../abi';
import { translateMsi } from './translation';

/** Takes `count` MSIs in the order in which they stand; how many were not dropped. */
export function translateMsis(its: u32, at: usize, count: u32): u32 {
  let taken: u32 = 0;
  const end = at + <usize>count * MsiBatch.RECORD_BYTES;
  for (let next = at; next < end; next += MsiBatch.RECORD_BYTES) {
    if (translateMsi(its, load<u32>(next), load<u32>(next, 4)) <= Outcome.COALESCED) taken++;
  }
  return taken;
}
