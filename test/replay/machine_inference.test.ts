import { describe, expect, it } from 'vitest';
import { resolveConfig } from '../../bindings/config.ts';
import { inferMachine } from '../../bindings/replay/machine_inference.ts';
import { capture, wire } from './fake_gic.ts';

const whole = { complete: true, memoryUnknown: false };
const part = { complete: false, memoryUnknown: false };

const read = (dev: string, off: string, val: string, size = 4): object => ({ dev, op: 'r', off, size, val });
const redistributor = (cpu: number, val: string): object => ({
  dev: 'redist',
  cpu,
  op: 'r',
  off: '0x8',
  size: 8,
  val,
});
const sysread = (reg: string, val: string): object => ({ dev: 'cpuif', cpu: 0, op: 'r', reg, val });

describe('inferMachine', () => {
  it('tells the architecture by GICD_PIDR2', () => {
    expect(inferMachine(capture(read('dist', '0xffe8', '0x3b')), whole).architecture).toBe('GICv3');
    expect(inferMachine(capture(read('dist', '0xffe8', '0x4b')), whole).architecture).toBe('GICv4.0');
  });

  it('tells a GICv4 by GICD_TYPER.DVIS or the VLPI frame where GICD_PIDR2 is not read', () => {
    expect(inferMachine(capture(read('dist', '0x4', '0x37e0007')), whole).architecture).toBe('GICv4.0');
    expect(inferMachine(capture(read('dist', '0x4', '0x37a0007')), whole).architecture).toBe('GICv3');
    const frame = { dev: 'redist', cpu: 0, op: 'w', off: '0x20070', size: 8, val: '0xf' };
    expect(inferMachine(capture(frame), whole).architecture).toBe('GICv4.0');
  });

  it('counts PEs by GICR_TYPER.Last, though some never do anything', () => {
    const events = capture(redistributor(0, '0x1000001'), redistributor(7, '0x701000711'), wire(0, 0));
    expect(inferMachine(events, part).cpus).toBe(8);
  });

  it('counts PEs by those that appear where GICR_TYPER is not read', () => {
    expect(inferMachine(capture(wire(0, 0), wire(5, 0)), part).cpus).toBe(6);
  });

  it('takes GICR_TYPER of each PE over when all were read, and its affinity in any case', () => {
    const options = inferMachine(
      capture(redistributor(0, '0x1000001'), redistributor(1, '0x10001000111')),
      part,
    );
    expect(options.identification?.GICR_TYPER).toEqual([0x100_0001n, 0x100_0100_0111n]);
    expect(options.affinities).toEqual([0, 0x100]);
    expect(
      inferMachine(capture(redistributor(1, '0x101000111')), part).identification?.GICR_TYPER,
    ).toBeUndefined();
  });

  it('has no ITS where none is touched in the whole recording, or GICD_TYPER.LPIS=0', () => {
    expect(inferMachine(capture(wire(0, 0)), whole).itsCount).toBe(0);
    expect(inferMachine(capture(wire(0, 0)), part).itsCount).toBe(1);
    expect(inferMachine(capture(read('dist', '0x4', '0x7a0007')), part).itsCount).toBe(1);
    expect(inferMachine(capture(read('dist', '0x4', '0x780007')), part).itsCount).toBe(0);
    expect(inferMachine(capture(read('its', '0x0', '0x80000000')), whole).itsCount).toBe(1);
  });

  it('reads widths from the identification registers', () => {
    const options = inferMachine(
      capture(
        read('dist', '0x4', '0x37a0007'),
        read('its', '0x8', '0x1f0001efb1', 8),
        sysread('ICC_CTLR', '0x8c02'),
      ),
      whole,
    );
    expect(options).toMatchObject({
      spis: 256,
      intidBits: 16,
      oneOfN: false,
      messageBasedSpis: false,
      deviceIdBits: 16,
      eventIdBits: 16,
      collectionIdBits: 16,
      ittEntryBytes: 12,
      priorityBits: 5,
      identification: { GICD_TYPER: 0x37a_0007, GITS_TYPER: 0x1f_0001_efb1n, ICC_CTLR_EL1: 0x8c00 },
    });
  });

  it('takes the first value of an identification register', () => {
    const events = capture(sysread('ICC_CTLR', '0x8c00'), sysread('ICC_CTLR', '0x8402'));
    expect(inferMachine(events, whole).identification?.ICC_CTLR_EL1).toBe(0x8c00);
  });

  it('has a RAM window that holds the tables, and more where memory has to be made up', () => {
    const table = (pa: string): object => ({ dev: 'range', tbl: 'prop', pa, len: '0x2000', snap: '2000*00' });
    const ramOf = (pa: string, memoryUnknown = false) =>
      inferMachine(capture(table(pa)), { complete: true, memoryUnknown }).ram;
    expect(ramOf('0x40340000')).toEqual({ base: 0x4000_0000, size: 2 ** 30 });
    expect(ramOf('0xb0000000')).toEqual({ base: 0x4000_0000, size: 2 ** 31 });
    expect(ramOf('0x2b0000000')).toEqual({ base: 0x2_0000_0000, size: 3 * 2 ** 30 });
    expect(ramOf('0x40340000', true)?.size).toBeGreaterThan(2 ** 30);
  });

  it('lets the user override what is inferred', () => {
    const options = inferMachine(capture(read('dist', '0xffe8', '0x3b'), wire(3, 0)), whole, {
      cpus: 2,
      architecture: 'GICv4.0',
      its: true,
      ramBase: 0x8000_0000,
      ramSize: 0x1000_0000,
      policy: { tieBreak: 'highest-intid' },
    });
    const config = resolveConfig(options);
    expect(config).toMatchObject({
      cpus: 2,
      architecture: 'GICv4.0',
      itsCount: 1,
      ram: { base: 0x8000_0000, size: 0x1000_0000 },
    });
    expect(config.policy.tieBreak).toBe('highest-intid');
  });

  it('makes a machine of nothing at all', () => {
    expect(resolveConfig(inferMachine([], whole))).toMatchObject({
      cpus: 1,
      architecture: 'GICv3',
      itsCount: 0,
    });
  });
});
