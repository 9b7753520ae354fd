import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type GuestVm, signalMsi } from '../../../bindings/index.ts';
import { COLLECTION_TABLE, DEVICE_TABLE, GuestIts, RAM, RAM_BYTES } from '../guest_its.ts';

/** Commands of which any bit may be set, but whose fields mostly are near something that exists. */
const near = fc.oneof(
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  fc.bigInt({ min: 0n, max: 31n }),
  fc
    .tuple(fc.nat(8), fc.integer({ min: 8190, max: 8220 }))
    .map(([low, high]) => (BigInt(high) << 32n) | BigInt(low)),
  fc
    .tuple(fc.boolean(), fc.nat(3), fc.nat(4))
    .map(([valid, target, icid]) => (valid ? 1n << 63n : 0n) | (BigInt(target) << 16n) | BigInt(icid)),
  fc.nat(0x40).map((page) => (1n << 63n) | BigInt(RAM + page * 0x1_0000)),
);
const number = fc.oneof(fc.constantFrom(1, 3, 4, 5, 8, 9, 0xa, 0xb, 0xc, 0xd, 0xe, 0xf), fc.nat(255));
const rawCommand = fc
  .tuple(number, fc.nat(8), near, near, near)
  .map(([code, device, ...words]) => [(BigInt(device) << 32n) | BigInt(code), ...words] as const);

type Attack =
  | { readonly kind: 'commands'; readonly raw: readonly (readonly bigint[])[] }
  | {
      readonly kind: 'register';
      readonly offset: number;
      readonly size: 1 | 2 | 4 | 8;
      readonly value: bigint;
    }
  | { readonly kind: 'redistributor'; readonly offset: number; readonly value: bigint }
  | { readonly kind: 'memory'; readonly at: number; readonly value: bigint }
  | { readonly kind: 'msi'; readonly offset: number; readonly deviceId: number; readonly data: number };

const attack: fc.Arbitrary<Attack> = fc.oneof(
  {
    arbitrary: fc.record({
      kind: fc.constant('commands' as const),
      raw: fc.array(rawCommand, { maxLength: 12 }),
    }),
    weight: 4,
  },
  fc.record({
    kind: fc.constant('register' as const),
    offset: fc.oneof(fc.constantFrom(0, 0x80, 0x88, 0x90, 0x100, 0x108, 0x1_0040), fc.nat(0x1_ffff)),
    size: fc.constantFrom(1 as const, 2 as const, 4 as const, 8 as const),
    value: near,
  }),
  fc.record({
    kind: fc.constant('redistributor' as const),
    offset: fc.constantFrom(0, 0x70, 0x78, 0xa0, 0xb0),
    value: near,
  }),
  fc.record({
    kind: fc.constant('memory' as const),
    at: fc.oneof(fc.nat(0x2_0000 / 8), fc.nat(RAM_BYTES / 8 - 1)),
    value: near,
  }),
  fc.record({
    kind: fc.constant('msi' as const),
    offset: fc.constantFrom(0x1_0040, 0x40, 0x2_0000),
    deviceId: fc.oneof(fc.nat(8), fc.nat(0xffff_ffff)),
    data: fc.oneof(fc.nat(31), fc.nat(0xffff_ffff)),
  }),
);

function attackBy(guest: GuestIts, action: Attack): void {
  const { its, vm } = guest;
  switch (action.kind) {
    case 'commands':
      queue(guest, action.raw);
      break;
    case 'register':
      its.writeAt(action.offset, action.size, action.value);
      its.readAt(action.offset, action.size);
      break;
    case 'redistributor':
      guest.writeRd(0, action.offset, action.value, action.offset === 0 ? 4 : 8);
      break;
    case 'memory':
      guest.setEntry(RAM + 8 * action.at, action.value);
      break;
    case 'msi':
      signalMsi(vm, { address: its.base + action.offset, data: action.data, deviceId: action.deviceId });
  }
}

function queue({ its, vm }: GuestIts, raw: readonly (readonly bigint[])[]): void {
  const cbaser = BigInt(its.read('GITS_CBASER'));
  const bytes = (Number(cbaser & 0xffn) + 1) * 4096;
  const base = Number(cbaser & 0xf_ffff_ffff_0000n);
  const writer = Number(its.read('GITS_CWRITER'));
  if (base < RAM || base + bytes > RAM + RAM_BYTES) return;
  const view = viewOf(vm, base, bytes);
  raw.forEach((words, n) => {
    words.forEach((word, i) => {
      view.setBigUint64(((writer + 32 * n) % bytes) + 8 * i, word, true);
    });
  });
  its.write('GITS_CWRITER', BigInt((writer + 32 * raw.length) % bytes));
}

function viewOf(vm: GuestVm, base: number, bytes: number): DataView {
  const memory = vm.memory(base, bytes);
  return new DataView(memory.buffer, memory.byteOffset, bytes);
}

describe('a hostile guest', () => {
  for (const hardware of ['v3', 'v4'] as const) {
    it(`never breaks the virtual ITS, and a reset makes it as good as new: ${hardware}`, async () => {
      const guest = await GuestIts.start({ hardware });
      const { irqs } = guest.hostDevice(0x10);
      const assigned = [0, 1, 2].map((n) => guest.assign(irqs[n]!, n, n));
      for (const each of assigned) each.enable(0);
      const outcomes = new Set<string>();
      fc.assert(
        fc.property(fc.array(attack, { maxLength: 60, size: 'max' }), fc.nat(2), (attacks, n) => {
          for (const each of attacks) attackBy(guest, each);
          assigned[n]!.irqfd.addProducer(irqs[n]!);
          for (const [name, count] of Object.entries(guest.its.outcomes())) if (count > 0) outcomes.add(name);
          guest.its.reset();
          expect([guest.its.devices, guest.its.collections, guest.its.cache.entries]).toEqual([0, 0, 0]);
          expect(guest.vm.vcpus.map(({ number: each }) => guest.chip.machine.engine.kvmVlpis(each))).toEqual([
            0, 0,
          ]);
          rebuild(guest);
        }),
        { numRuns: 150 },
      );
      expect(outcomes.size, [...outcomes].join(' ')).toBeGreaterThan(12);
    }, 120_000);
  }

  /** The guest's driver starts over, and one interrupt goes all the way. */
  function rebuild(guest: GuestIts): void {
    for (const vcpu of [0, 1]) guest.enableLpis(vcpu, false);
    guest.vm.memory(DEVICE_TABLE, 0x1_0000).fill(0);
    guest.vm.memory(COLLECTION_TABLE, 0x1_0000).fill(0);
    guest.vm.memory(RAM + 0x3_0000, 0x1_0000).fill(0xa1);
    guest.resetItts();
    guest.enable();
    guest.mapDevice(1);
    expect(guest.map(1, 1, 8200)).toBe('DONE');
    expect(['INJECTED', 'COALESCED']).toContain(guest.msi(1, 1));
    expect(guest.lpi(8200).onListOf).toBe(0);
    guest.act({ command: 'CLEAR', deviceId: 1, eventId: 1 });
  }
});
