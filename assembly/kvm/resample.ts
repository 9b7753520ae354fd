// Resample eventfds: user space learns that the guest has ended a level interrupt and tells the line anew
// (kvm_notify_acked_irq).
import { areaAt, RESAMPLES_AT } from './areas';
import { MAX_VMS, SPI_SLOTS } from './limits';

/** A bit for each SPI: somebody wants to know, and a count of how often it was told. */
export const RESAMPLE_BYTES: usize = <usize>MAX_VMS * SPI_SLOTS * 4;
const WATCHED: u32 = 0x80000000;

function recordAt(vm: u32, spi: u32): usize {
  return areaAt(RESAMPLES_AT) + ((<usize>(vm * SPI_SLOTS + spi)) << 2);
}

/** Registers or removes a resample eventfd of an SPI. */
export function watchSpi(vm: u32, spi: u32, watched: bool): void {
  store<u32>(recordAt(vm, spi), watched ? WATCHED : 0);
}

export function notifyAcked(vm: u32, intid: u32): void {
  if (intid >= SPI_SLOTS) return;
  const at = recordAt(vm, intid);
  const record = load<u32>(at);
  if (record & WATCHED) store<u32>(at, record + 1);
}

/** How often the end of an SPI was told. */
export function timesAcked(vm: u32, spi: u32): u32 {
  return load<u32>(recordAt(vm, spi)) & ~WATCHED;
}
