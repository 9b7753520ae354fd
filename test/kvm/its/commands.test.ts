import { describe, expect, it } from 'vitest';
import { type ItsCommand, type ItsOutcomeName, itsErrorCodes } from '../../../bindings/index.ts';
import {
  COLLECTION_TABLE,
  DEVICE_TABLE,
  GuestIts,
  INDIRECT,
  ITTS,
  RAM,
  RAM_BYTES,
  VALID,
} from '../guest_its.ts';

const OUTSIDE = RAM + RAM_BYTES;
const DEVICE = 3;
const LPI = 8200;

/** A guest with device 3, whose event 1 is LPI 8200 in collection 0, and collection 9 that has no vCPU. */
async function guest(): Promise<GuestIts> {
  const guest = await GuestIts.start();
  guest.mapDevice(DEVICE);
  guest.map(DEVICE, 1, LPI);
  guest.map(DEVICE, 2, LPI + 1, 9);
  return guest;
}

const mapd = (over: Partial<ItsCommand & { command: 'MAPD' }>): ItsCommand => ({
  command: 'MAPD',
  deviceId: 5,
  size: 4,
  ittAddress: ITTS + 0x8000,
  valid: true,
  ...over,
});
const mapc = (icid: number, rdBase: number, valid = true): ItsCommand => ({
  command: 'MAPC',
  icid,
  rdBase,
  valid,
});
const mapti = (over: Partial<ItsCommand & { command: 'MAPTI' }>): ItsCommand => ({
  command: 'MAPTI',
  deviceId: DEVICE,
  eventId: 4,
  pIntid: 8300,
  icid: 0,
  ...over,
});

type Row = readonly [string, ItsCommand, ItsOutcomeName, ((guest: GuestIts) => void)?];

/** Each check of 5.4 by itself; where two fail the first one of the table must be told. */
const checks: readonly Row[] = [
  ['MAPD beyond the 16 bits of DeviceIDs', mapd({ deviceId: 0x1_0000 }), 'MAPD_DEVICE_OOR'],
  ['MAPD beyond the device table', mapd({ deviceId: 0x2000 }), 'MAPD_DEVICE_OOR'],
  ['MAPD V=0 beyond the device table', mapd({ deviceId: 0x2000, valid: false }), 'MAPD_DEVICE_OOR'],
  ['MAPD with 17 bits of EventIDs', mapd({ size: 16 }), 'MAPD_ITTSIZE_OOR'],
  ['MAPD beyond the table, with 17 bits', mapd({ deviceId: 0x2000, size: 16 }), 'MAPD_DEVICE_OOR'],
  ['MAPD V=0 with 17 bits', mapd({ size: 16, valid: false }), 'DONE'],
  ['MAPD with 16 bits', mapd({ size: 15 }), 'DONE'],
  ['MAPD of the last entry of the table', mapd({ deviceId: 0x1fff }), 'DONE'],
  ['MAPD V=0 of an unknown device', mapd({ valid: false }), 'DONE'],
  ['MAPD with an ITT outside guest RAM is not looked at', mapd({ ittAddress: OUTSIDE }), 'DONE'],
  ['MAPC to a vCPU that does not exist', mapc(0, 2), 'MAPC_PROCNUM_OOR'],
  ['MAPC V=0 with an RDbase that does not exist', mapc(0, 2, false), 'MAPC_PROCNUM_OOR'],
  ['MAPC beyond the collection table', mapc(0x2000, 0), 'MAPC_COLLECTION_OOR'],
  ['MAPC beyond the table to no vCPU', mapc(0x2000, 2), 'MAPC_PROCNUM_OOR'],
  ['MAPC V=0 beyond the collection table', mapc(0x2000, 0, false), 'DONE'],
  ['MAPC of a known collection', mapc(0, 1), 'DONE'],
  ['MAPTI of an unknown device', mapti({ deviceId: 5 }), 'MAPTI_UNMAPPED_DEVICE'],
  ['MAPTI of an unknown device and event', mapti({ deviceId: 5, eventId: 32 }), 'MAPTI_UNMAPPED_DEVICE'],
  ['MAPTI beyond the ITT', mapti({ eventId: 32 }), 'MAPTI_ID_OOR'],
  ['MAPTI with an ITT entry outside guest RAM', mapti({ deviceId: 5 }), 'MAPTI_ID_OOR', outsideItt],
  ['MAPTI beyond the ITT to no LPI', mapti({ eventId: 32, pIntid: 1 }), 'MAPTI_ID_OOR'],
  ['MAPTI to INTID 8191', mapti({ pIntid: 8191 }), 'MAPTI_PHYSICALID_OOR'],
  ['MAPTI to INTID 65536', mapti({ pIntid: 0x1_0000 }), 'MAPTI_PHYSICALID_OOR'],
  ['MAPTI to INTID 65535', mapti({ pIntid: 65_535 }), 'DONE'],
  ['MAPTI beyond GICR_PROPBASER.IDbits', mapti({ pIntid: 16_384 }), 'MAPTI_PHYSICALID_OOR', fourteenBits],
  ['MAPTI of a mapped pair to no LPI', mapti({ eventId: 1, pIntid: 1 }), 'MAPTI_PHYSICALID_OOR'],
  ['MAPTI of a mapped pair to an ICID beyond the table', mapti({ eventId: 1, icid: 0x2000 }), 'DONE'],
  ['MAPTI to an unknown ICID beyond the table', mapti({ icid: 0x2000 }), 'MAPC_COLLECTION_OOR'],
  ['MAPTI to an unknown ICID', mapti({ icid: 7 }), 'DONE'],
  ['MAPTI with the property table outside guest RAM', mapti({}), 'TABLE_FAULT', noPropertyTable],
  ['MAPTI with the pending table outside guest RAM', mapti({}), 'TABLE_FAULT', noPendingTable],
  [
    'MAPI of an event that is no LPI',
    { command: 'MAPI', deviceId: DEVICE, eventId: 5, icid: 0 },
    'MAPTI_PHYSICALID_OOR',
  ],
  ['MAPI beyond the ITT', { command: 'MAPI', deviceId: DEVICE, eventId: 8192, icid: 0 }, 'MAPTI_ID_OOR'],
  [
    'MOVI of an unmapped event',
    { command: 'MOVI', deviceId: DEVICE, eventId: 5, icid: 1 },
    'MOVI_UNMAPPED_INTERRUPT',
  ],
  [
    'MOVI from a collection without a vCPU',
    { command: 'MOVI', deviceId: DEVICE, eventId: 2, icid: 1 },
    'MOVI_UNMAPPED_COLLECTION',
  ],
  [
    'MOVI to an unknown collection',
    { command: 'MOVI', deviceId: DEVICE, eventId: 1, icid: 5 },
    'MOVI_UNMAPPED_COLLECTION',
  ],
  [
    'MOVI to a collection without a vCPU',
    { command: 'MOVI', deviceId: DEVICE, eventId: 1, icid: 9 },
    'MOVI_UNMAPPED_COLLECTION',
  ],
  ['MOVI to the other vCPU', { command: 'MOVI', deviceId: DEVICE, eventId: 1, icid: 1 }, 'DONE'],
  ['MOVALL from no vCPU', { command: 'MOVALL', rdBase1: 2, rdBase2: 0 }, 'MOVALL_PROCNUM_OOR'],
  ['MOVALL to no vCPU', { command: 'MOVALL', rdBase1: 0, rdBase2: 2 }, 'MOVALL_PROCNUM_OOR'],
  ['MOVALL to the same vCPU', { command: 'MOVALL', rdBase1: 1, rdBase2: 1 }, 'DONE'],
  [
    'DISCARD of an unmapped event',
    { command: 'DISCARD', deviceId: DEVICE, eventId: 5 },
    'DISCARD_UNMAPPED_INTERRUPT',
  ],
  [
    'DISCARD in a collection without a vCPU',
    { command: 'DISCARD', deviceId: DEVICE, eventId: 2 },
    'DISCARD_UNMAPPED_INTERRUPT',
  ],
  ['DISCARD', { command: 'DISCARD', deviceId: DEVICE, eventId: 1 }, 'DONE'],
  ['INT of an unknown device', { command: 'INT', deviceId: 5, eventId: 1 }, 'INT_UNMAPPED_INTERRUPT'],
  ['INT of an unmapped event', { command: 'INT', deviceId: DEVICE, eventId: 5 }, 'INT_UNMAPPED_INTERRUPT'],
  [
    'INT in a collection without a vCPU',
    { command: 'INT', deviceId: DEVICE, eventId: 2 },
    'INT_UNMAPPED_INTERRUPT',
  ],
  [
    'INT for a vCPU whose LPIs are off',
    { command: 'INT', deviceId: DEVICE, eventId: 1 },
    'LPIS_DISABLED',
    lpisOff,
  ],
  ['INT', { command: 'INT', deviceId: DEVICE, eventId: 1 }, 'DONE'],
  [
    'CLEAR of an unmapped event',
    { command: 'CLEAR', deviceId: DEVICE, eventId: 5 },
    'CLEAR_UNMAPPED_INTERRUPT',
  ],
  ['CLEAR in a collection without a vCPU', { command: 'CLEAR', deviceId: DEVICE, eventId: 2 }, 'DONE'],
  ['INV of an unmapped event', { command: 'INV', deviceId: DEVICE, eventId: 5 }, 'INV_UNMAPPED_INTERRUPT'],
  ['INV in a collection without a vCPU', { command: 'INV', deviceId: DEVICE, eventId: 2 }, 'DONE'],
  [
    'INV with the property table outside guest RAM',
    { command: 'INV', deviceId: DEVICE, eventId: 1 },
    'TABLE_FAULT',
    noPropertyTable,
  ],
  ['INVALL of an unknown collection', { command: 'INVALL', icid: 5 }, 'INVALL_UNMAPPED_COLLECTION'],
  ['INVALL of a collection without a vCPU', { command: 'INVALL', icid: 9 }, 'INVALL_UNMAPPED_COLLECTION'],
  ['INVALL', { command: 'INVALL', icid: 0 }, 'DONE'],
  ['SYNC to no vCPU: the model is always in sync', { command: 'SYNC', rdBase: 7 }, 'DONE'],
  ['a vPE command: no GITS_TYPER.Virtual', { command: 'VSYNC', vpeId: 0 }, 'UNKNOWN_COMMAND'],
  [
    'a number without a command',
    { command: 'UNKNOWN', number: 0x7f, raw: [0x7fn, 0n, 0n, 0n] },
    'UNKNOWN_COMMAND',
  ],
];

function outsideItt(guest: GuestIts): void {
  guest.act(mapd({ ittAddress: OUTSIDE }));
}

function fourteenBits(guest: GuestIts): void {
  relocate(guest, () => guest.writeRd(0, 0x70, BigInt(RAM + 0x3_0000) | 13n, 8));
}

function noPropertyTable(guest: GuestIts): void {
  relocate(guest, () => guest.setLpiTables(0, { properties: OUTSIDE }));
}

function noPendingTable(guest: GuestIts): void {
  relocate(guest, () => guest.setLpiTables(0, { pending: OUTSIDE }));
}

/** LPI tables can only be written while LPIs are off everywhere. */
function relocate(guest: GuestIts, write: () => void): void {
  for (const vcpu of [0, 1]) guest.enableLpis(vcpu, false);
  write();
}

function lpisOff(guest: GuestIts): void {
  guest.enableLpis(0, false);
}

describe('5.4 checks of each command, in their order', () => {
  for (const [name, command, outcome, before] of checks)
    it(name, async () => {
      const self = await guest();
      before?.(self);
      self.its.takeErrors();
      const counted = self.its.outcomes()[outcome];
      expect(self.act(command)).toBe(outcome);
      expect(self.its.outcomes()[outcome]).toBe(counted + 1);
      const errors = self.its.takeErrors();
      if (outcome === 'DONE') expect(errors).toEqual([]);
      else expect(errors).toMatchObject([{ outcome, code: itsErrorCodes[outcome] }]);
      // I10
      expect(self.its.read('GITS_CREADR')).toBe(self.its.read('GITS_CWRITER'));
    });

  it("the codes are the kernel's", () => {
    expect(itsErrorCodes.MAPD_DEVICE_OOR.toString(16)).toBe('10801');
    expect(itsErrorCodes.MAPTI_PHYSICALID_OOR.toString(16)).toBe('10a06');
    expect(itsErrorCodes.MOVI_UNMAPPED_COLLECTION.toString(16)).toBe('10109');
    expect(itsErrorCodes.INVALL_UNMAPPED_COLLECTION.toString(16)).toBe('10d09');
  });
});

describe('5.4 effects of commands', () => {
  it('MAPD of a known device frees its events and LPIs, and starts anew', async () => {
    const self = await guest();
    self.mapDevice(DEVICE, 3);
    expect(self.its.device(DEVICE)).toMatchObject({ eventIdBits: 3, events: 0 });
    expect(self.its.event(DEVICE, 1)).toBeUndefined();
    expect(self.vm.lpi(LPI)).toBeUndefined();
  });

  it('MAPD V=0 of a known device forgets it', async () => {
    const self = await guest();
    expect(self.act(mapd({ deviceId: DEVICE, valid: false }))).toBe('DONE');
    expect(self.its.device(DEVICE)).toBeUndefined();
    expect(self.vm.lpi(LPI)).toBeUndefined();
  });

  it('MAPC of a known collection retargets each of its LPIs', async () => {
    const self = await guest();
    self.act(mapc(0, 1));
    expect(self.lpi(LPI).target).toBe(1);
    expect(self.lpi(LPI + 1).target).toBeUndefined();
    self.act(mapc(9, 1));
    expect(self.lpi(LPI + 1).target).toBe(1);
  });

  it('MAPC V=0: its events keep their LPIs and are of no collection', async () => {
    const self = await guest();
    self.act(mapc(0, 0, false));
    expect(self.its.collection(0)).toBeUndefined();
    expect(self.its.event(DEVICE, 1)).toEqual({ intid: LPI, icid: undefined, hostIrq: undefined });
    expect(self.msi(DEVICE, 1)).toBe('UNMAPPED');
    self.act(mapc(0, 1));
    expect(self.its.event(DEVICE, 1)?.icid).toBeUndefined();
  });

  it('MAPTI of a mapped pair changes nothing', async () => {
    const self = await guest();
    expect(self.map(DEVICE, 1, 8400, 1)).toBe('DONE');
    expect(self.its.event(DEVICE, 1)).toMatchObject({ intid: LPI, icid: 0 });
    expect(self.vm.lpi(8400)).toBeUndefined();
  });

  it('MAPTI to an unknown ICID makes a collection without a vCPU', async () => {
    const self = await guest();
    expect(self.its.collection(9)).toBeNull();
    expect(self.its.event(DEVICE, 2)?.icid).toBe(9);
    expect(self.lpi(LPI + 1).target).toBeUndefined();
  });

  it('MAPI: the LPI has the number of the event', async () => {
    const self = await guest();
    self.mapDevice(6, 14);
    expect(self.act({ command: 'MAPI', deviceId: 6, eventId: 8195, icid: 1 })).toBe('DONE');
    expect(self.its.event(6, 8195)?.intid).toBe(8195);
    expect(self.lpi(8195).target).toBe(1);
  });

  it('MAPTI reads the property byte: enable in bit 0, priority in bits 7 to 2', async () => {
    const self = await guest();
    self.setProperty(8300, 0x57);
    self.setProperty(8301, 0x56);
    self.map(DEVICE, 4, 8300);
    self.map(DEVICE, 5, 8301);
    expect([self.lpi(8300).priority, self.lpi(8300).enabled, self.lpi(8300).group]).toEqual([0x54, true, 1]);
    expect([self.lpi(8301).priority, self.lpi(8301).enabled]).toEqual([0x54, false]);
  });

  it("MAPTI consumes the pending bit of the target's table", async () => {
    const self = await guest();
    self.setPending(1, 8300);
    self.setPending(1, 8301);
    self.map(DEVICE, 4, 8300, 1);
    expect(self.lpi(8300).pending).toBe(true);
    expect(self.lpi(8300).onListOf).toBe(1);
    expect(self.isPendingInTable(1, 8300)).toBe(false);
    expect(self.isPendingInTable(1, 8301)).toBe(true);
  });

  it('MAPTI without a target leaves the pending bit', async () => {
    const self = await guest();
    self.setPending(0, 8300);
    self.map(DEVICE, 4, 8300, 7);
    expect(self.lpi(8300).pending).toBe(false);
    expect(self.isPendingInTable(0, 8300)).toBe(true);
  });

  it('an LPI that several events of several vITSs map is one, with a reference for each', async () => {
    const self = await guest();
    self.map(DEVICE, 4, LPI, 1);
    expect(self.lpi(LPI).references).toBe(2);
    expect(self.lpi(LPI).target).toBe(0);
    self.act({ command: 'DISCARD', deviceId: DEVICE, eventId: 1 });
    expect(self.lpi(LPI).references).toBe(1);
  });

  it('MOVALL moves the LPIs of a vCPU, not its collections', async () => {
    const self = await guest();
    self.act({ command: 'MOVALL', rdBase1: 0, rdBase2: 1 });
    expect(self.lpi(LPI).target).toBe(1);
    expect(self.its.collection(0)).toBe(0);
    expect(self.its.event(DEVICE, 1)?.icid).toBe(0);
  });

  it('INT and CLEAR: the latch', async () => {
    const self = await guest();
    self.act({ command: 'INT', deviceId: DEVICE, eventId: 1 });
    expect(self.lpi(LPI).pendingLatch).toBe(true);
    self.act({ command: 'CLEAR', deviceId: DEVICE, eventId: 1 });
    expect(self.lpi(LPI).pendingLatch).toBe(false);
  });

  it('INV reads the byte again; what is deliverable now is queued', async () => {
    const self = await guest();
    self.setProperty(LPI, 0xa0);
    self.act({ command: 'INV', deviceId: DEVICE, eventId: 1 });
    self.msi(DEVICE, 1);
    expect([self.lpi(LPI).enabled, self.lpi(LPI).onListOf]).toEqual([false, undefined]);
    self.setProperty(LPI, 0x41);
    expect(self.lpi(LPI).enabled).toBe(false);
    self.act({ command: 'INV', deviceId: DEVICE, eventId: 1 });
    expect([self.lpi(LPI).priority, self.lpi(LPI).onListOf]).toEqual([0x40, 0]);
  });

  it('INVALL reads the bytes of all LPIs of the vCPU, whichever collection they are in', async () => {
    const self = await guest();
    self.act(mapc(4, 0));
    self.map(DEVICE, 4, 8300, 4);
    self.map(DEVICE, 5, 8301, 1);
    for (const intid of [LPI, 8300, 8301]) self.setProperty(intid, 0x21);
    self.act({ command: 'INVALL', icid: 0 });
    expect([LPI, 8300, 8301].map((intid) => self.lpi(intid).priority)).toEqual([0x20, 0x20, 0xa0]);
  });

  it('two-level device table: the first level entry must be valid, and its page guest RAM', async () => {
    const self = await GuestIts.start({ enabled: false });
    self.setTables({ devices: VALID | INDIRECT | BigInt(DEVICE_TABLE) });
    self.its.write('GITS_CTLR', 1);
    expect(self.act(mapd({ deviceId: 0x2001 }))).toBe('MAPD_DEVICE_OOR');
    self.setEntry(DEVICE_TABLE + 8, VALID | BigInt(ITTS));
    expect(self.act(mapd({ deviceId: 0x2001 }))).toBe('DONE');
    self.setEntry(DEVICE_TABLE + 16, VALID | BigInt(OUTSIDE));
    expect(self.act(mapd({ deviceId: 0x4001 }))).toBe('MAPD_DEVICE_OOR');
    self.setEntry(DEVICE_TABLE + 16, BigInt(ITTS));
    expect(self.act(mapd({ deviceId: 0x4001 }))).toBe('MAPD_DEVICE_OOR');
  });

  it('a table outside guest RAM holds nothing', async () => {
    const self = await GuestIts.start({ enabled: false });
    self.setTables({ devices: VALID | BigInt(OUTSIDE), collections: VALID | BigInt(OUTSIDE) });
    self.its.write('GITS_CTLR', 1);
    expect(self.act(mapd({}))).toBe('MAPD_DEVICE_OOR');
    expect(self.act(mapc(0, 0))).toBe('MAPC_COLLECTION_OOR');
    self.setTables();
    expect(BigInt(self.its.read('GITS_BASER1')) & 0xffff_0000n).not.toBe(BigInt(COLLECTION_TABLE));
  });
});
