import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { savePendingTables, type VirtualEvent } from '../../../bindings/index.ts';
import { errnoOf } from '../../irqchip/system.ts';
import {
  COLLECTION_TABLE,
  DEVICE_TABLE,
  GuestIts,
  INDIRECT,
  ITTS,
  pendingTable,
  RAM,
  RAM_BYTES,
  VALID,
} from '../guest_its.ts';

const OUTSIDE = RAM + RAM_BYTES;
const ITT = ITTS + 0x8_0000;

const dte = (next: number, itt: number, bits: number) =>
  VALID | (BigInt(next) << 49n) | (BigInt(itt >>> 8) << 5n) | BigInt(bits - 1);
const ite = (next: number, intid: number, icid: number) =>
  (BigInt(next) << 48n) | (BigInt(intid) << 16n) | BigInt(icid);
const cte = (target: number, icid: number) => VALID | (BigInt(target) << 16n) | BigInt(icid);
const UNMAPPED = 0xffff_ffff;

/** User space's restore: the vITS is new, its registers are there, the tables come, then it goes on. */
function restore(guest: GuestIts): string {
  return errnoOf(() => guest.its.restoreTables());
}

/** A guest whose vITS is off, with tables set and nothing in them. */
async function empty(devices = VALID | BigInt(DEVICE_TABLE)): Promise<GuestIts> {
  const guest = await GuestIts.start({ enabled: false });
  guest.setTables({ devices });
  for (const vcpu of [0, 1]) guest.setLpiTables(vcpu);
  return guest;
}

describe('5.7 saving: ABI revision 0', () => {
  it('devices and events tell the distance to the next one, collections are packed', async () => {
    const guest = await GuestIts.start();
    guest.mapDevice(7);
    guest.mapDevice(2, 3);
    guest.map(7, 9, 8300, 1);
    guest.map(7, 4, 8301, 0);
    guest.map(2, 0, 8302, 5);
    guest.its.saveTables();
    expect(guest.entry(DEVICE_TABLE + 8 * 2)).toBe(dte(5, ITTS + 0x1000, 3));
    expect(guest.entry(DEVICE_TABLE + 8 * 7)).toBe(dte(0, ITTS, 5));
    expect(guest.entry(ITTS + 8 * 4)).toBe(ite(5, 8301, 0));
    expect(guest.entry(ITTS + 8 * 9)).toBe(ite(0, 8300, 1));
    expect(guest.entry(ITTS + 0x1000)).toBe(ite(0, 8302, 5));
    const collections = [0, 1, 2, 3].map((n) => guest.entry(COLLECTION_TABLE + 8 * n));
    expect(collections).toEqual([cte(0, 0), cte(1, 1), cte(UNMAPPED, 5), 0n]);
  });

  it('an event whose collection is gone is left out', async () => {
    const guest = await GuestIts.start();
    guest.mapDevice(2);
    for (const event of [1, 2, 3]) guest.map(2, event, 8300 + event, event === 2 ? 1 : 0);
    guest.act({ command: 'MAPC', icid: 1, rdBase: 0, valid: false });
    guest.its.saveTables();
    expect(guest.entry(ITTS + 8)).toBe(ite(2, 8301, 0));
    expect(guest.entry(ITTS + 16)).toBe(0n);
  });

  it('not while a vCPU is in KVM_RUN, running or asleep', async () => {
    const guest = await GuestIts.start();
    const vcpu = guest.vm.vcpus[0]!.run();
    expect(errnoOf(() => guest.its.saveTables())).toBe('EBUSY');
    expect(restore(guest)).toBe('EBUSY');
    expect(errnoOf(() => savePendingTables(guest.vm))).toBe('EBUSY');
    vcpu.guest.wfi();
    expect(vcpu.state).toBe('asleep');
    expect(errnoOf(() => guest.its.saveTables())).toBe('EBUSY');
  });

  it('EACCES while an LPI is forwarded, EINVAL and EFAULT for tables that are not there', async () => {
    const guest = await GuestIts.start({ hardware: 'v4' });
    guest.mapDevice(3);
    guest.map(3, 0, 8300);
    const assigned = guest.assign(guest.hostDevice().irqs[0]!, 3, 0);
    assigned.enable(0);
    expect(errnoOf(() => guest.its.saveTables())).toBe('EACCES');
    assigned.disable();
    expect(errnoOf(() => guest.its.saveTables())).toBe('accepted');
    guest.its.write('GITS_CTLR', 0);
    guest.its.write('GITS_BASER1', VALID | BigInt(OUTSIDE));
    expect(errnoOf(() => guest.its.saveTables())).toBe('EFAULT');
    guest.its.write('GITS_BASER0', VALID | BigInt(OUTSIDE));
    expect(errnoOf(() => guest.its.saveTables())).toBe('EINVAL');
  });

  it('GICv4.1 saves with forwarded LPIs; they come back as software LPIs', async () => {
    const guest = await GuestIts.start({ hardware: 'v4_1' });
    guest.mapDevice(3);
    guest.map(3, 0, 8300);
    guest.assign(guest.hostDevice().irqs[0]!, 3, 0).enable(0);
    expect(guest.lpi(8300).hw).toBe(true);
    expect(errnoOf(() => guest.its.saveTables())).toBe('accepted');
    const registers = guest.its.read('GITS_BASER0');
    guest.its.reset();
    guest.setTables({ devices: BigInt(registers) });
    expect(restore(guest)).toBe('accepted');
    expect(guest.lpi(8300).hw).toBe(false);
  });

  it('a table that is not valid holds nothing: saving and restoring it do nothing', async () => {
    const guest = await GuestIts.start({ enabled: false });
    expect(errnoOf(() => guest.its.saveTables())).toBe('accepted');
    expect(restore(guest)).toBe('accepted');
  });
});

describe('5.7 restoring hostile tables: all of it or nothing', () => {
  const collection = (guest: GuestIts) => guest.setEntry(COLLECTION_TABLE, cte(0, 0));
  const device = (entry: bigint) => (guest: GuestIts) => {
    collection(guest);
    guest.setEntry(DEVICE_TABLE + 8, entry);
  };
  const event = (at: number, entry: bigint) => (guest: GuestIts) => {
    device(dte(0, ITT, 3))(guest);
    guest.setEntry(ITT + 8 * at, entry);
  };
  const rows: readonly (readonly [string, (guest: GuestIts) => void, string])[] = [
    [
      'a collection twice',
      (g) => [0, 1].forEach((n) => void g.setEntry(COLLECTION_TABLE + 8 * n, cte(n, 4))),
      'EEXIST',
    ],
    ['a collection of a vCPU that does not exist', (g) => g.setEntry(COLLECTION_TABLE, cte(2, 0)), 'EINVAL'],
    ['a collection without a vCPU', (g) => g.setEntry(COLLECTION_TABLE, cte(UNMAPPED, 0)), 'accepted'],
    ['an ICID beyond the collection table', (g) => g.setEntry(COLLECTION_TABLE, cte(0, 0x2000)), 'EINVAL'],
    [
      'a collection behind an invalid one is not seen',
      (g) => g.setEntry(COLLECTION_TABLE + 8, cte(9, 0)),
      'accepted',
    ],
    ['an LPI below 8192', event(0, ite(0, 8191, 0)), 'EINVAL'],
    ['an LPI above 65535', event(0, ite(0, 65_536, 0)), 'EINVAL'],
    ['an LPI of all ones', event(0, ite(0, 0xffff_ffff, 0)), 'EINVAL'],
    ['an unknown ICID', event(0, ite(0, 8200, 3)), 'EINVAL'],
    ['a next event beyond the ITT', event(2, ite(6, 8200, 0)), 'EINVAL'],
    ['a next event that is the last one, and invalid', event(2, ite(5, 8200, 0)), 'accepted'],
    ['an ITT outside guest RAM', device(dte(0, OUTSIDE, 3)), 'EFAULT'],
    ['an ITT that ends outside guest RAM', device(dte(0, OUTSIDE - 0x100, 16)), 'EFAULT'],
    ['more EventID bits than there are', device(dte(0, ITT, 17)), 'EINVAL'],
    ['32 EventID bits', device(dte(0, ITT, 32)), 'EINVAL'],
    ['a next device beyond the table', device(dte(0x3fff, ITT, 3)), 'accepted'],
    ['a next device where there is none', device(dte(5, ITT, 3)), 'accepted'],
    ['an invalid device entry of other ones', device((1n << 63n) - 1n), 'accepted'],
  ];

  it.each(rows)('%s', async (_, prepare, expected) => {
    const guest = await empty();
    prepare(guest);
    expect(restore(guest)).toBe(expected);
    if (expected !== 'accepted') {
      expect([guest.its.devices, guest.its.collections]).toEqual([0, 0]);
      for (const intid of [8191, 8200]) expect(intid > 8191 && guest.vm.lpi(intid)).toBeFalsy();
    }
  });

  it('the second device fails: the first one goes too', async () => {
    const guest = await empty();
    device(dte(1, ITT, 3))(guest);
    guest.setEntry(ITT, ite(0, 8200, 0));
    guest.setEntry(DEVICE_TABLE + 16, dte(0, OUTSIDE, 3));
    expect(restore(guest)).toBe('EFAULT');
    expect([guest.its.devices, guest.its.collections, guest.vm.lpi(8200)]).toEqual([0, 0, undefined]);
  });

  it('restoring twice is refused', async () => {
    const guest = await empty();
    collection(guest);
    expect([restore(guest), restore(guest)]).toEqual(['accepted', 'EEXIST']);
  });

  it('two levels: next may lead into another page', async () => {
    const guest = await empty(VALID | INDIRECT | BigInt(DEVICE_TABLE));
    collection(guest);
    const pages = [ITTS, ITTS + 0x1_0000];
    pages.forEach((page, n) => {
      guest.setEntry(DEVICE_TABLE + 16 * n, VALID | BigInt(page));
    });
    guest.setEntry(pages[0]! + 8 * 5, dte(0x3fff, ITT, 3));
    guest.setEntry(pages[1]! + 8 * 100, dte(0, ITT + 0x100, 3));
    guest.setEntry(ITT, ite(0, 8200, 0));
    guest.setEntry(ITT + 0x100, ite(0, 8201, 0));
    expect(restore(guest)).toBe('accepted');
    expect([guest.its.event(5, 0)?.intid, guest.its.event(0x4064, 0)?.intid]).toEqual([8200, 8201]);
  });

  it('random tables never trap, and fail without a trace', async () => {
    const guest = await empty();
    const word = fc.oneof(
      fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      fc
        .tuple(fc.nat(6), fc.nat(0x20), fc.nat(16))
        .map(([next, page, bits]) => dte(next, ITT + page * 0x100, bits + 1)),
      fc.tuple(fc.nat(4), fc.integer({ min: 8190, max: 8210 }), fc.nat(4)).map((given) => ite(...given)),
      fc.tuple(fc.nat(2), fc.nat(4)).map((given) => cte(...given)),
      fc.constant(0n),
    );
    const words = (count: number) => fc.array(word, { minLength: count, maxLength: count });
    const seen = new Map<string, number>();
    fc.assert(
      fc.property(words(4), words(8), words(64), (collections, devices, events) => {
        guest.its.reset();
        guest.setTables();
        for (const [base, list] of [
          [COLLECTION_TABLE, [...collections, 0n]],
          [DEVICE_TABLE, [...devices, 0n]],
          [ITT, events],
        ] as const) {
          list.forEach((value, n) => {
            guest.setEntry(base + 8 * n, value);
          });
        }
        const outcome = restore(guest);
        seen.set(outcome, (seen.get(outcome) ?? 0) + 1);
        expect(['accepted', 'EINVAL', 'EFAULT', 'EEXIST']).toContain(outcome);
        if (outcome !== 'accepted') expect([guest.its.devices, guest.its.collections]).toEqual([0, 0]);
      }),
      { numRuns: 400 },
    );
    expect(seen.get('EINVAL')).toBeGreaterThan(0);
  });
});

/** What a guest mapped: events by device, and where each collection goes. */
interface Mapping {
  readonly devices: readonly {
    readonly id: number;
    readonly bits: number;
    readonly events: readonly (readonly [number, number, number])[];
  }[];
  readonly targets: readonly (number | undefined)[];
}

const mapping: fc.Arbitrary<Mapping> = fc.record({
  targets: fc.array(fc.option(fc.nat(1), { nil: undefined, freq: 4 }), { minLength: 4, maxLength: 4 }),
  devices: fc.uniqueArray(
    fc.integer({ min: 1, max: 9 }).chain((bits) =>
      fc.record({
        id: fc.oneof(fc.nat(40), fc.nat(0x1fff)),
        bits: fc.constant(bits),
        events: fc.uniqueArray(
          fc.tuple(fc.nat(2 ** bits - 1), fc.integer({ min: 8192, max: 65_535 }), fc.nat(3)),
          { maxLength: 12, selector: ([event]) => event },
        ),
      }),
    ),
    { maxLength: 12, selector: ({ id }) => id },
  ),
});

function establish(guest: GuestIts, { devices, targets }: Mapping): void {
  targets.forEach((rdBase, icid) => {
    if (rdBase !== undefined) guest.act({ command: 'MAPC', icid, rdBase, valid: true });
  });
  for (const { id, bits, events } of devices) {
    guest.mapDevice(id, bits);
    for (const [event, intid, icid] of events) guest.map(id, event, intid, icid);
  }
}

type Seen = (VirtualEvent & { readonly vcpu: number | null | undefined }) | undefined;

function seen(guest: GuestIts, { devices }: Mapping): Seen[] {
  return devices.flatMap(({ id, events }) =>
    events.map(([event]): Seen => {
      const found = guest.its.event(id, event);
      return found && { ...found, vcpu: guest.its.collection(found.icid ?? -1) };
    }),
  );
}

describe('I14: save, then restore into another VM', () => {
  it('yields the same map of (DeviceID, EventID) to LPI and vCPU', async () => {
    const source = await GuestIts.start();
    const target = GuestIts.add(source.chip, source.kvm, 2, false);
    target.setTables();
    for (const vcpu of [0, 1]) target.setLpiTables(vcpu);
    fc.assert(
      fc.property(mapping, (given) => {
        source.its.reset();
        source.vm.memory(DEVICE_TABLE, 0x2_0000).fill(0);
        source.vm.memory(ITTS, RAM_BYTES - 0x10_0000).fill(0);
        source.resetItts();
        source.setTables();
        source.its.write('GITS_CTLR', 1);
        establish(source, given);
        source.its.saveTables();
        target.vm.memory(RAM, RAM_BYTES).set(source.vm.memory(RAM, RAM_BYTES));
        target.its.reset();
        target.setTables();
        target.its.restoreTables();
        expect(seen(target, given)).toEqual(seen(source, given));
        expect(target.its.devices).toBe(given.devices.length);
        // What was restored is saved as it was.
        const before = target.vm.memory(DEVICE_TABLE, 0x2_0000).slice();
        target.its.saveTables();
        expect(Buffer.compare(target.vm.memory(DEVICE_TABLE, 0x2_0000), before)).toBe(0);
      }),
      { numRuns: 60 },
    );
  }, 60_000);
});

describe('5.6, 6.7 pending tables', () => {
  it('each LPI has its bit in the table of its own vCPU, written where it differs', async () => {
    const guest = await GuestIts.start();
    guest.mapDevice(3);
    guest.map(3, 0, 8200, 0);
    guest.map(3, 1, 8201, 1);
    guest.map(3, 2, 8202, 0);
    guest.msi(3, 0);
    guest.setPending(0, 8202);
    savePendingTables(guest.vm);
    expect(guest.isPendingInTable(0, 8200)).toBe(true);
    expect(guest.isPendingInTable(0, 8202)).toBe(false);
    expect(guest.isPendingInTable(1, 8201)).toBe(false);
  });

  it('a pending table outside guest RAM: EFAULT', async () => {
    const guest = await GuestIts.start();
    guest.mapDevice(3);
    guest.map(3, 0, 8200, 0);
    guest.enableLpis(0, false);
    guest.setLpiTables(0, { pending: OUTSIDE });
    expect(errnoOf(() => savePendingTables(guest.vm))).toBe('EFAULT');
  });

  it('EnableLPIs 0 to 1 reads the bits of the LPIs that are mapped to the vCPU, unless PTZ', async () => {
    for (const zero of [false, true]) {
      const guest = await GuestIts.start({ enabled: false });
      guest.setTables();
      guest.setLpiTables(0, { zero });
      guest.its.write('GITS_CTLR', 1);
      guest.act({ command: 'MAPC', icid: 0, rdBase: 0, valid: true });
      guest.mapDevice(3);
      guest.map(3, 0, 8200);
      guest.map(3, 1, 8201);
      guest.setPending(0, 8200);
      guest.enableLpis(0, true);
      expect([guest.lpi(8200).pending, guest.lpi(8201).pending]).toEqual([!zero, false]);
      expect(guest.isPendingInTable(0, 8200)).toBe(true);
    }
  });

  it('EnableLPIs of one vCPU leaves the LPIs of another as they are', async () => {
    const guest = await GuestIts.start();
    guest.mapDevice(3);
    guest.map(3, 0, 8200, 1);
    guest.msi(3, 0);
    guest.enableLpis(0, false);
    guest.setLpiTables(0, { zero: false });
    guest.enableLpis(0, true);
    expect(guest.lpi(8200).pending).toBe(true);
  });

  it('GICv4.1: the vPEs are unmapped, their tables hold what VLPIs are pending, then they are mapped again', async () => {
    const guest = await GuestIts.start({ hardware: 'v4_1' });
    guest.mapDevice(3);
    for (const event of [0, 1]) {
      guest.map(3, event, 8200 + event);
    }
    const { irqs } = guest.hostDevice(0x10);
    for (const event of [0, 1]) guest.assign(irqs[event]!, 3, event).enable(0);
    guest.chip.machine.sendMsi(0x10, 1);
    guest.steps();
    savePendingTables(guest.vm);
    expect([8200, 8201].map((intid) => guest.isPendingInTable(0, intid))).toEqual([false, true]);
    const maps = guest.steps().filter((line) => line.includes('VMAPP'));
    expect(maps.map((line) => /\bV 1\b/.test(line))).toEqual([false, false, true, true]);
    const vcpu = guest.vm.vcpus[0]!.run();
    vcpu.guest.writeRegister('ICC_PMR_EL1', 0xf8);
    vcpu.guest.writeRegister('ICC_IGRPEN1_EL1', 1);
    expect(vcpu.guest.ack()).toBe(8201);
  });

  it('GICv4.0 cannot read them: the bit of a VLPI is saved as clear', async () => {
    const guest = await GuestIts.start({ hardware: 'v4' });
    guest.mapDevice(3);
    guest.map(3, 0, 8200);
    guest.assign(guest.hostDevice(0x10).irqs[0]!, 3, 0).enable(0);
    guest.chip.machine.sendMsi(0x10, 0);
    savePendingTables(guest.vm);
    expect(guest.isPendingInTable(0, 8200)).toBe(false);
    expect(pendingTable(1) - pendingTable(0)).toBe(0x1_0000);
  });
});
