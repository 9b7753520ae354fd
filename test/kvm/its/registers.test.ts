import { describe, expect, it } from 'vitest';
import { VirtualIts } from '../../../bindings/index.ts';
import { errnoOf } from '../../irqchip/system.ts';
import { COLLECTION_TABLE, DEVICE_TABLE, GuestIts, INDIRECT, QUEUE, RAM, VALID } from '../guest_its.ts';

const RAWB = 3n;
const INNER_CACHE = 59n;
const OUTER_CACHE = 53n;
const SHAREABILITY = 10n;

const idle = () => GuestIts.start({ enabled: false });
const read = (guest: GuestIts, name: string) => BigInt(guest.its.read(name));

describe("5.2 registers of the guest's ITS", () => {
  it('identification and capabilities', async () => {
    const guest = await idle();
    expect(guest.its.read('GITS_IIDR')).toBe(0x4b00_043b);
    // PLPIS, ITT entries of 8 bytes, 16 bits of EventID and DeviceID; PTA, HCC, CIL, VLPIS all 0.
    expect(guest.its.read('GITS_TYPER')).toBe(1n | (7n << 4n) | (15n << 8n) | (15n << 13n));
    expect(guest.its.read('GITS_PIDR2')).toBe(0x3b);
    expect(
      ['PIDR0', 'PIDR1', 'PIDR4', 'CIDR0', 'CIDR1', 'CIDR2', 'CIDR3'].map((id) =>
        guest.its.read(`GITS_${id}`),
      ),
    ).toEqual([0x92, 0xb4, 0x40, 0x0d, 0xf0, 0x05, 0xb1]);
  });

  it('BASER0 holds devices, BASER1 collections, both with 8-byte entries and 64 KiB pages; the others read as zero', async () => {
    const guest = await idle();
    for (const [n, type] of [
      [0, 1n],
      [1, 4n],
    ] as const) {
      guest.its.write(`GITS_BASER${n}`, 0xffff_ffff_ffff_ffffn);
      const value = read(guest, `GITS_BASER${n}`);
      expect((value >> 56n) & 7n).toBe(type);
      expect((value >> 48n) & 31n).toBe(7n);
      expect((value >> 8n) & 3n).toBe(2n);
      expect((value & INDIRECT) !== 0n).toBe(n === 0);
      expect(value & 0xf000n).toBe(0n);
    }
    guest.its.write('GITS_BASER2', VALID | BigInt(RAM));
    expect([2, 3, 4, 5, 6, 7].map((n) => guest.its.read(`GITS_BASER${n}`))).toEqual(Array(6).fill(0n));
  });

  it.each(['GITS_BASER0', 'GITS_BASER1', 'GITS_CBASER'])(
    '%s: memory attributes as KVM takes them',
    async (name) => {
      const guest = await idle();
      const written = (inner: bigint, outer: bigint, share: bigint) => {
        guest.its.write(name, (inner << INNER_CACHE) | (outer << OUTER_CACHE) | (share << SHAREABILITY));
        const value = read(guest, name);
        return [(value >> INNER_CACHE) & 7n, (value >> OUTER_CACHE) & 7n, (value >> SHAREABILITY) & 3n];
      };
      expect(written(7n, 0n, 1n)).toEqual([7n, 0n, 1n]);
      expect(written(5n, 1n, 0n)).toEqual([5n, 1n, 0n]);
      expect(written(1n, 7n, 2n)).toEqual([RAWB, 0n, 1n]);
      expect(written(0n, 3n, 2n)).toEqual([RAWB, 0n, 1n]);
    },
  );

  it('CBASER: 64 KiB aligned; a write empties the queue', async () => {
    const guest = await idle();
    guest.setTables();
    guest.its.write('GITS_CWRITER', 0x40n);
    expect([guest.its.read('GITS_CWRITER'), guest.its.read('GITS_CREADR')]).toEqual([0x40n, 0n]);
    guest.its.write('GITS_CBASER', VALID | BigInt(QUEUE + 0xf000) | 3n);
    expect(read(guest, 'GITS_CBASER')).toBe(VALID | BigInt(QUEUE) | 3n | (RAWB << INNER_CACHE));
    expect([guest.its.read('GITS_CWRITER'), guest.its.read('GITS_CREADR')]).toEqual([0n, 0n]);
  });

  it('CWRITER beyond the queue is ignored; the guest cannot write CREADR', async () => {
    const guest = await idle();
    guest.its.write('GITS_CBASER', VALID | BigInt(QUEUE));
    guest.its.write('GITS_CWRITER', 0xfe0n);
    guest.its.write('GITS_CWRITER', 0x1000n);
    expect(guest.its.read('GITS_CWRITER')).toBe(0xfe0n);
    guest.its.write('GITS_CREADR', 0x40n);
    expect(guest.its.read('GITS_CREADR')).toBe(0n);
  });

  it('halves of 64-bit registers can be accessed; bytes, unaligned and reserved accesses do nothing', async () => {
    const guest = await idle();
    guest.its.writeAt(0x0084, 4, VALID >> 32n);
    guest.its.writeAt(0x0080, 4, BigInt(QUEUE) | 15n);
    expect(read(guest, 'GITS_CBASER')).toBe(VALID | BigInt(QUEUE) | 15n | (RAWB << INNER_CACHE));
    expect(guest.its.readAt(0x0084, 4)).toBe((VALID | (RAWB << INNER_CACHE)) >> 32n);
    for (const [offset, size] of [
      [0x0080, 1],
      [0x0082, 2],
      [0x0084, 8],
      [0x0082, 4],
      [0x0000, 8],
      [0x1_0040, 4],
      [0x0500, 4],
    ] as const) {
      guest.its.writeAt(offset, size, 0xffn);
      expect(guest.its.readAt(offset, size)).toBe(0n);
    }
    expect(read(guest, 'GITS_CBASER')).toBe(VALID | BigInt(QUEUE) | 15n | (RAWB << INNER_CACHE));
  });

  it('CTLR: enabling is ignored unless BASER0, BASER1 and CBASER are valid', async () => {
    for (const missing of ['GITS_BASER0', 'GITS_BASER1', 'GITS_CBASER']) {
      const guest = await idle();
      guest.setTables();
      guest.its.write(missing, 0n);
      guest.its.write('GITS_CTLR', 1);
      expect(guest.its.read('GITS_CTLR')).toBe(0x8000_0000);
    }
    const guest = await idle();
    guest.setTables();
    guest.its.write('GITS_CTLR', 1);
    expect(guest.its.read('GITS_CTLR')).toBe(0x8000_0001);
  });

  it('CTLR: what was queued while it was off is handled when it goes on; Quiescent tells', async () => {
    const guest = await idle();
    guest.setTables();
    guest.its.command({ command: 'MAPC', icid: 1, rdBase: 0, valid: true });
    expect([guest.its.read('GITS_CTLR'), guest.its.collections]).toEqual([0, 0]);
    guest.its.write('GITS_CTLR', 1);
    expect([guest.its.read('GITS_CTLR'), guest.its.collections]).toEqual([0x8000_0001, 1]);
  });

  it('while it is on, writes of CBASER and BASER are ignored', async () => {
    const guest = await GuestIts.start();
    const names = ['GITS_CBASER', 'GITS_BASER0', 'GITS_BASER1'];
    const before = names.map((name) => guest.its.read(name));
    for (const name of names) guest.its.write(name, 0n);
    expect(names.map((name) => guest.its.read(name))).toEqual(before);
  });

  it('BASER0 with Valid=0 drops all devices, BASER1 all collections', async () => {
    const guest = await GuestIts.start();
    guest.mapDevice(3);
    guest.map(3, 1, 8200);
    guest.its.write('GITS_CTLR', 0);
    guest.its.write('GITS_BASER1', BigInt(COLLECTION_TABLE));
    expect([guest.its.collections, guest.its.devices]).toEqual([0, 1]);
    expect(guest.its.event(3, 1)?.icid).toBeUndefined();
    guest.its.write('GITS_BASER0', BigInt(DEVICE_TABLE));
    expect(guest.its.devices).toBe(0);
    expect(guest.vm.lpi(8200)).toBeUndefined();
  });

  it('5.3 the queue wraps, and a queue outside guest RAM is skipped in silence', async () => {
    const guest = await GuestIts.start();
    for (let n = 0; n < 2100; n++) guest.act({ command: 'SYNC', rdBase: 0 });
    expect(guest.its.read('GITS_CREADR')).toBe(guest.its.read('GITS_CWRITER'));
    guest.its.write('GITS_CTLR', 0);
    guest.its.write('GITS_CBASER', VALID | BigInt(RAM - 0x1_0000));
    guest.its.write('GITS_CTLR', 1);
    guest.its.write('GITS_CWRITER', 0x60n);
    expect(guest.its.read('GITS_CREADR')).toBe(0x60n);
    expect(guest.its.outcomes().UNREADABLE).toBe(3);
  });

  it('the guest reaches it by loads and stores that trap', async () => {
    const guest = await idle();
    const vcpu = guest.vm.vcpus[0]?.run();
    vcpu?.guest.store(guest.its.base + 0x80, Number(BigInt(QUEUE) | 15n), 4);
    expect(vcpu?.guest.load(guest.its.base + 0x80, 4)).toBe(BigInt(QUEUE) | 15n);
    expect(vcpu?.guest.load(guest.its.base + 4, 4)).toBe(0x4b00_043bn);
  });
});

describe('user space', () => {
  it('writes CREADR while the vITS is off, and selects the ABI by IIDR', async () => {
    const guest = await idle();
    guest.setTables();
    guest.its.restoreRegister('GITS_CREADR', 0x40n);
    expect(guest.its.read('GITS_CREADR')).toBe(0x40n);
    expect(errnoOf(() => guest.its.restoreRegister('GITS_CREADR', 0x1_0000n))).toBe('EINVAL');
    guest.its.restoreRegister('GITS_IIDR', 0x4b00_043b);
    expect(errnoOf(() => guest.its.restoreRegister('GITS_IIDR', 0x4b00_143b))).toBe('EINVAL');
    guest.vm.vcpus[0]?.run();
    expect(errnoOf(() => guest.its.restoreRegister('GITS_CBASER', 0n))).toBe('EBUSY');
    guest.vm.vcpus[0]?.stop();
    guest.its.write('GITS_CTLR', 1);
    expect(errnoOf(() => guest.its.restoreRegister('GITS_CREADR', 0n))).toBe('EBUSY');
  });

  it('makes several vITSs; frames must be aligned and overlap nothing', async () => {
    const guest = await idle();
    const make = (base: number) => errnoOf(() => new VirtualIts(guest.vm, base));
    expect(make(0x0900_0000)).toBe('accepted');
    expect(make(0x0901_0000)).toBe('EEXIST');
    expect(make(0x0800_0000)).toBe('EEXIST');
    expect(make(0x080a_0000)).toBe('EEXIST');
    expect(make(0x0a00_8000)).toBe('EINVAL');
    expect(make(RAM)).toBe('EINVAL');
    expect(make(0x0902_0000)).toBe('accepted');
  });

  it('CTRL_RESET: valid bits, queue and enable are cleared, everything is dropped; not while a vCPU runs', async () => {
    const guest = await GuestIts.start();
    guest.mapDevice(3);
    guest.map(3, 1, 8200);
    guest.vm.vcpus[0]?.run();
    expect(errnoOf(() => guest.its.reset())).toBe('EBUSY');
    guest.vm.vcpus[0]?.stop();
    guest.its.reset();
    expect([guest.its.devices, guest.its.collections, guest.its.read('GITS_CTLR')]).toEqual([
      0, 0, 0x8000_0000,
    ]);
    expect(['GITS_CBASER', 'GITS_CWRITER', 'GITS_CREADR'].map((name) => guest.its.read(name))).toEqual([
      0n,
      0n,
      0n,
    ]);
    expect(read(guest, 'GITS_BASER0') & VALID).toBe(0n);
    expect(read(guest, 'GITS_BASER0') & 0xffff_0000n).toBe(BigInt(DEVICE_TABLE));
    expect(guest.vm.lpi(8200)).toBeUndefined();
  });
});
