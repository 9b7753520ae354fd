import { describe, expect, it } from 'vitest';
import { loadEngine } from '../../bindings/engine_loading.ts';
import { Machine } from '../../bindings/machine.ts';
import { compare } from './compare.ts';
import { comparedBits } from './quirks.ts';
import type { LiveStep, Outputs } from './recorder.ts';

const CTLR = 0x0800_0000;
const low: Outputs = { irq: false, fiq: false, virq: false, vfiq: false };

async function differenceOf(steps: readonly LiveStep[]) {
  return compare(steps, new Machine(await loadEngine(), { preset: 'qemu-virt', cpus: 2 }));
}

describe('a recording of QEMU compared with the engine', () => {
  const write: LiveStep = { op: 'writel', address: CTLR, value: 0x52n };

  it('counts what is the same', async () => {
    const read: LiveStep = { op: 'readl', address: CTLR, expect: 0x52n };
    expect(await differenceOf([write, read, { op: 'outputs', expect: [low, low] }])).toEqual({ compared: 2 });
  });

  it('tells the first difference of a register, in the bits that count', async () => {
    const read: LiveStep = { op: 'readl', address: CTLR, expect: 0x53n };
    expect(await differenceOf([write, { ...read, mask: 0xf0n }, read, read])).toEqual({
      compared: 1,
      difference: { step: 2, text: 'readl 0x8000000: QEMU 0x53, engine 0x52' },
    });
  });

  it('tells which interrupt outputs differ', async () => {
    const { difference } = await differenceOf([
      { op: 'outputs', expect: [low, { ...low, irq: true, vfiq: true }] },
    ]);
    expect(difference?.text).toBe('irq of PE 1: QEMU high, engine low; vfiq of PE 1: QEMU high, engine low');
  });
});

describe('the bits that are compared', () => {
  it('are all bits of most registers', () => {
    expect(comparedBits(0x0800_0000, 4)).toBe(0xffff_ffffn);
    expect(comparedBits(0x0808_0008, 8)).toBe(0xffff_ffff_ffff_ffffn);
  });

  it('are not the reserved ones of GITS_CBASER and GICD_IROUTER<n>, whatever the size of the access', () => {
    expect(comparedBits(0x0808_0080, 8)).toBe(0xb8ef_ffff_ffff_fcffn);
    expect(comparedBits(0x0808_0084, 4)).toBe(0xb8ef_ffffn);
    expect(comparedBits(0x0808_0081, 1)).toBe(0xfcn);
    expect(comparedBits(0x0800_6104, 4)).toBe(0xffn);
    expect(comparedBits(0x0808_0090, 4)).toBe(0xf_ffe1n);
  });
});
