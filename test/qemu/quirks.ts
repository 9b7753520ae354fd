// Where QEMU does otherwise than the preset `qemu-virt`. Its other peculiarities are policies of the preset
// (`qemuPolicy` in bindings/policy.ts).

/** Something that is not compared. */
export interface Quirk {
  readonly name: string;
  readonly reason: string;
}

/** Bits of a register, or of each register of an array, that are not compared. */
interface RegisterQuirk extends Quirk {
  /** Address of the first register. */
  readonly address: number;
  /** Registers of 64 bits that follow each other. */
  readonly count: number;
  readonly ignored: bigint;
}

const GITS = 0x0808_0000;
const GICD = 0x0800_0000;

/** GITS_CREADR and GITS_CWRITER: Offset, and Stalled or Retry. */
const QUEUE_OFFSET = 0xf_ffe1n;

const registerQuirks: readonly RegisterQuirk[] = [
  {
    name: 'Q-IROUTER-UPPER',
    reason: 'GICD_IROUTER<n> keeps bits [63:40] as written, which are reserved',
    address: GICD + 0x6000,
    count: 1024,
    ignored: 0xff_ffffn << 40n,
  },
  {
    name: 'Q-CBASER-RES0',
    reason: 'GITS_CBASER keeps its reserved bits as written',
    address: GITS + 0x80,
    count: 1,
    ignored: (1n << 62n) | (7n << 56n) | (1n << 52n) | (3n << 8n),
  },
  {
    name: 'Q-CWRITER-RES0',
    reason: 'GITS_CWRITER keeps its reserved bits as written',
    address: GITS + 0x88,
    count: 1,
    ignored: ~QUEUE_OFFSET,
  },
  {
    name: 'Q-CREADR-RES0',
    reason: 'GITS_CREADR can be written (policy creadrWritable) and keeps its reserved bits as written',
    address: GITS + 0x90,
    count: 1,
    ignored: ~QUEUE_OFFSET,
  },
];

/** What the random programs keep away from. */
const avoided: readonly Quirk[] = [
  {
    name: 'Q-INT-FAULT',
    reason:
      'INT, CLEAR and DISCARD do not stall when the entry of their collection or vPE lies outside memory: only device ' +
      'tables and translation tables do in these programs',
  },
  {
    name: 'Q-FAULT-ORDER',
    reason:
      'a command with an operand out of range and a translation table outside memory is skipped, where the engine ' +
      'looks at the table first and stalls: commands have one fault at a time',
  },
  {
    name: 'Q-MISR-VGRP0D',
    reason:
      'ICH_MISR_EL2.VGrp0D tells that VENG1 is 0, where it should VENG0: ICH_HCR_EL2.VGrp0DIE is not set',
  },
  {
    name: 'Q-VPT-SIZE',
    reason: 'VMAPP takes reserved bits above VPT_size for a size out of range: they are left zero',
  },
  {
    name: 'Q-MOVI-IDBITS',
    reason:
      'MOVI of a pending LPI to a redistributor whose GICR_PROPBASER.IDbits exclude it sets a bit beyond its pending ' +
      'table: there are no such LPIs',
  },
  {
    name: 'Q-ITLINES',
    reason: 'GICD_TYPER.ITLinesNumber leaves out SPIs 256 to 287, which are implemented: they are not used',
  },
];

export const quirks: readonly Quirk[] = [...registerQuirks, ...avoided];

/** The bits of a register read that are compared. */
export function comparedBits(address: number, size: 1 | 4 | 8): bigint {
  let ignored = 0n;
  for (const quirk of registerQuirks) {
    const end = quirk.address + 8 * quirk.count;
    if (address < quirk.address || address >= end) continue;
    const byte = (address - quirk.address) % 8;
    ignored |= BigInt.asUintN(64, quirk.ignored) >> BigInt(8 * byte);
  }
  return BigInt.asUintN(8 * size, ~ignored);
}
