// What the driver did to the hardware, in order: commands, redistributor registers, configuration bytes. Tests and
// tools read it; nothing else depends on it.
import { chip, logRecordAt } from './state';

export const LOG_COMMAND: u32 = 1;
export const LOG_RD_WRITE: u32 = 2;
export const LOG_RD_POLL: u32 = 3;
export const LOG_PHYSICAL_CONFIG: u32 = 4;
export const LOG_VIRTUAL_CONFIG: u32 = 5;
export const LOG_ITS_WRITE: u32 = 6;

/** Adds a record; the oldest gives way when the ring is full. */
export function log(kind: u32, unit: u32, a: u64, b: u64 = 0, c: u64 = 0, d: u64 = 0): void {
  const at = logRecordAt(chip().logCount);
  store<u32>(at, kind);
  store<u32>(at, unit, 4);
  store<u64>(at, a, 8);
  store<u64>(at, b, 16);
  store<u64>(at, c, 24);
  store<u64>(at, d, 32);
  chip().logCount++;
}
