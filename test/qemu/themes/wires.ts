// Programs about SPIs, PPIs and SGIs: their wires and registers.
import { CPUS, GICD, GICD_CTLR, GROUP1, type Program } from '../program.ts';

const stateOffsets = [0x080, 0x100, 0x180, 0x200, 0x280, 0x300, 0x380];
const readOffsets = [0x080, 0x100, 0x200, 0x280, 0x300, 0x380];

/** Level-sensitive and edge-triggered SPIs: wires, set and clear registers. */
export function spiWires(program: Program): void {
  program.gic.write(GICD_CTLR, 4, GROUP1);
  const intids = program.distinct(10, 224).map((n) => 32 + n);
  const words = [...new Set(intids.map((intid) => intid >> 5))];
  for (const word of words) {
    program.gic.write(GICD + 0x80 + 4 * word, 4, program.word());
    for (const half of [0, 1])
      program.gic.write(GICD + 0xc00 + 8 * word + 4 * half, 4, program.word() & 0xaaaa_aaaa);
  }
  for (const intid of intids) {
    program.gic.write(GICD + 0x400 + intid, 1, program.below(32) << 3);
    program.gic.write(GICD + 0x6000 + 8 * intid, 8, program.below(5));
  }
  for (let n = 0; n < 80; n++) {
    const intid = program.pick(intids);
    if (program.chance(50)) program.gic.spi(intid, program.chance(50));
    else if (program.chance(10)) program.gic.write(GICD + 0xc00 + 4 * (intid >> 4), 4, program.word());
    else
      program.gic.write(
        GICD + program.pick(stateOffsets.slice(1)) + 4 * (intid >> 5),
        4,
        program.chance(70) ? 2 ** (intid & 31) : program.word(),
      );
    for (const word of words)
      for (const offset of readOffsets) void program.gic.read(GICD + offset + 4 * word, 4);
  }
}

/** SGIs and PPIs through the frames of the redistributors, and the wires of the PPIs. */
export function ppiWires(program: Program): void {
  program.gic.write(GICD_CTLR, 4, GROUP1);
  for (let n = 0; n < 80; n++) {
    const cpu = program.below(CPUS);
    const frame = program.sgiFrame(cpu);
    const kind = program.below(10);
    if (kind < 5) program.gic.ppi(cpu, 16 + program.below(16), program.chance(50));
    else if (kind < 6) program.gic.write(frame + 0xc04, 4, program.word());
    else
      program.gic.write(
        frame + program.pick(stateOffsets),
        4,
        program.chance(70) ? 2 ** program.below(32) : program.word(),
      );
    for (const offset of [...readOffsets, 0xc00, 0xc04]) void program.gic.read(frame + offset, 4);
  }
}
