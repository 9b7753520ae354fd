// Programs of register accesses.
import { CPUS, GICD, GITS, GROUP1, type Program } from '../program.ts';

/** A range of registers that a program may write and read. */
type Range = readonly [first: number, last: number];

function access(
  program: Program,
  base: number,
  [first, last]: Range,
  write: boolean,
  sizes: readonly (1 | 4 | 8)[] = [1, 4, 4, 4, 8],
): void {
  const size = program.pick(sizes);
  const at = base + Math.floor((first + program.below(last + 1 - first)) / size) * size;
  if (!write) void program.gic.read(at, size);
  else program.gic.write(at, size, program.chance(20) ? -1n : program.wide());
}

const distributorRanges: readonly Range[] = [
  [0x0000, 0x000f],
  [0x0080, 0x00ff],
  [0x0100, 0x013f],
  [0x0180, 0x01bf],
  [0x0200, 0x023f],
  [0x0280, 0x02bf],
  [0x0300, 0x033f],
  [0x0380, 0x03bf],
  [0x0400, 0x04ff],
  [0x0800, 0x08ff],
  [0x0c00, 0x0c3f],
  [0x0d00, 0x0d1f],
  [0x0e00, 0x0e3f],
  [0x0f00, 0x0f2f],
  [0x6000, 0x67ff],
  [0xffd0, 0xffff],
];

/** Random accesses of every size to the distributor. */
export function distributorRegisters(program: Program): void {
  program.gic.write(GICD, 4, GROUP1);
  for (let n = 0; n < 600; n++) access(program, GICD, program.pick(distributorRanges), program.chance(45));
}

const sgiFrameRanges: readonly Range[] = [
  [0x0080, 0x0083],
  [0x0100, 0x0103],
  [0x0180, 0x0183],
  [0x0200, 0x0203],
  [0x0280, 0x0283],
  [0x0300, 0x0303],
  [0x0380, 0x0383],
  [0x0400, 0x041f],
  [0x0c00, 0x0c07],
  [0x0d00, 0x0d03],
  [0x0e00, 0x0e03],
];

const redistributorRanges: readonly Range[] = [
  [0x0004, 0x0017],
  [0x0040, 0x006f],
  [0x0070, 0x007f],
  [0x0080, 0x00ff],
  [0xffd0, 0xffff],
];

/** Random accesses of every size to the frames of the redistributors, LPIs not enabled. */
export function redistributorRegisters(program: Program): void {
  program.gic.write(GICD, 4, GROUP1);
  for (let n = 0; n < 600; n++) {
    const cpu = program.below(CPUS);
    const write = program.chance(45);
    if (program.chance(50)) access(program, program.sgiFrame(cpu), program.pick(sgiFrameRanges), write);
    else access(program, program.redistributor(cpu), program.pick(redistributorRanges), write);
    // A write of the upper half of GICR_VPENDBASER would make random memory a vPE's tables.
    const range: Range = write ? [0x70, 0x7b] : [0x70, 0x7f];
    if (program.virtual && program.chance(15)) access(program, program.vlpiFrame(cpu), range, write, [4]);
  }
}

const itsRanges: readonly Range[] = [
  [0x0000, 0x000f],
  [0x0010, 0x007f],
  [0x0080, 0x0097],
  [0x0100, 0x013f],
  [0xffd0, 0xffff],
];

/** Random accesses to the ITS while it is disabled. */
export function itsRegisters(program: Program): void {
  for (let n = 0; n < 600; n++) {
    const range = program.pick(itsRanges);
    // GITS_CTLR is for other programs: enabled, the ITS would take random memory for its tables.
    const write = program.chance(45) && range[0] !== 0;
    access(program, GITS, range, write);
  }
}
