// The physical address space: which frame, ITS or RAM an address belongs to.
import { Diagnostic, Feature, Frame } from '../abi';
import { report } from '../diag/diagnostics';
import { machine } from '../memory/machine';
import { ramAt } from '../memory/ram';
import { readRegister, writeRegister } from './register_file';

const FRAME_SHIFT: u64 = 16;
const FRAME_MASK: u64 = 0xffff;

/** Reads 1, 2, 4 or 8 bytes; addresses that nothing answers to read as zero. */
export function readBus(address: u64, size: u32): u64 {
  const at = ramAt(address, size);
  if (at) return readRam(at, size);
  const place = decode(address);
  if (place == NOWHERE) {
    report(Diagnostic.UNMAPPED_ADDRESS, 0, 0, <u32>address, <u32>(address >> 32), size);
    return 0;
  }
  return readRegister(<Frame>(<u32>(place >> 32)), <u32>place, <u32>(address & FRAME_MASK), size);
}

/** Writes the low 1, 2, 4 or 8 bytes of `value`. */
export function writeBus(address: u64, size: u32, value: u64): void {
  const at = ramAt(address, size);
  if (at) return writeRam(at, size, value);
  const place = decode(address);
  if (place == NOWHERE) {
    report(Diagnostic.UNMAPPED_ADDRESS, 0, 1, <u32>address, <u32>(address >> 32), size);
    return;
  }
  writeRegister(<Frame>(<u32>(place >> 32)), <u32>place, <u32>(address & FRAME_MASK), size, value);
}

function readRam(at: usize, size: u32): u64 {
  if (size == 8) return load<u64>(at);
  if (size == 4) return load<u32>(at);
  return size == 2 ? load<u16>(at) : load<u8>(at);
}

function writeRam(at: usize, size: u32, value: u64): void {
  if (size == 8) store<u64>(at, value);
  else if (size == 4) store<u32>(at, <u32>value);
  else if (size == 2) store<u16>(at, <u16>value);
  else store<u8>(at, <u8>value);
}

const NOWHERE: u64 = 0xffffffffffffffff;

/** Frame << 32 | PE or ITS number. */
function decode(address: u64): u64 {
  const m = machine();
  if (address >> FRAME_SHIFT == m.gicdBase >> FRAME_SHIFT) return (<u64>Frame.GICD) << 32;
  const inRedistributors = address - m.gicrBase;
  if (inRedistributors < m.gicrStride * m.cpuCount) {
    const frames = <u32>(m.gicrStride >> FRAME_SHIFT);
    const number = <u32>(inRedistributors >> FRAME_SHIFT);
    const frame = number % frames;
    return frame > 2 ? NOWHERE : ((<u64>(Frame.GICR_RD + frame)) << 32) | (number / frames);
  }
  const inItses = address - m.gitsBase;
  if (inItses < m.gitsStride * m.itsCount) {
    const frames = <u32>(m.gitsStride >> FRAME_SHIFT);
    const number = <u32>(inItses >> FRAME_SHIFT);
    const frame = number % frames;
    const last: u32 = m.has(Feature.GICV4_1) ? 2 : 1;
    return frame > last ? NOWHERE : ((<u64>(Frame.GITS + frame)) << 32) | (number / frames);
  }
  return NOWHERE;
}
