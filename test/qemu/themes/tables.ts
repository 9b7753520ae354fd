// Programs about the shape and the place of the ITS's tables.
import {
  CPUS,
  FIRST_LPI,
  GICD,
  GITS_BASER0,
  GITS_CBASER,
  GITS_CREADR,
  GITS_CTLR,
  GITS_CWRITER,
  GROUP1,
  INDIRECT,
  OUTSIDE,
  type Program,
  VALID,
  WINDOW_INTIDS,
} from '../program.ts';

/** Number of GITS_BASER<n> of the device table. */
const DEVICES = 0;

interface Shape {
  readonly pageSize: number;
  readonly pages: number;
  readonly indirect: boolean;
}

/** Entries of 8 bytes in a page, and IDs that a table of this shape takes. */
function capacity({ pageSize, pages, indirect }: Shape): { perPage: number; ids: number } {
  const pageBytes = [0x1000, 0x4000, 0x1_0000][pageSize] ?? 0x1_0000;
  const perPage = pageBytes / 8;
  return { perPage, ids: perPage * (pages + 1) * (indirect ? perPage : 1) };
}

/** Tables flat and of two levels, with pages of all sizes, holes, and parts outside memory, and the recovery from it. */
export function tableShapes(program: Program): void {
  program.gic.write(GICD, 4, GROUP1);
  program.openCpuInterfaces();
  program.setUpRedistributors();
  program.writeConfiguration(program.configurationTable);
  program.setUpQueue(program.below(3));
  const ittsOutside = program.chance(30);
  const bases = [program.deviceTable, program.collectionTable, program.vpeTable];
  const shapes = bases.map(() => ({
    pageSize: program.below(3),
    pages: program.below(4),
    indirect: program.chance(60),
  }));
  bases.slice(0, program.virtual ? 3 : 2).forEach((base, n) => {
    const { pageSize, pages, indirect } = shapes[n] as Shape;
    const at = n === DEVICES && program.chance(4) ? OUTSIDE : base;
    const valid = ittsOutside || program.chance(96) ? VALID : 0n;
    const fields = valid | (indirect ? INDIRECT : 0n) | BigInt((pageSize << 8) | pages);
    program.gic.write(GITS_BASER0 + 8 * n, 8, fields | BigInt(at));
    void program.gic.read(GITS_BASER0 + 8 * n, 8);
    if (indirect) for (let entry = 0; entry < 3; entry++) writeLevel1(program, bases, n, entry);
  });
  program.gic.write(GITS_CTLR, 4, 1);
  for (let batch = 0; batch < 20; batch++) {
    for (let n = 1 + program.below(10); n > 0; n--) tableCommand(program, shapes, ittsOutside);
    program.submit();
    if (program.chance(25)) recover(program, bases, shapes);
  }
  program.comparePending(true);
}

/** A level 1 entry of a table: a page, nothing, or, of the device table, a page outside memory (Q-INT-FAULT). */
function writeLevel1(program: Program, bases: readonly number[], table: number, entry: number): void {
  const kind = program.below(10);
  const page = table === DEVICES && kind < 2 ? OUTSIDE : program.newLevel2();
  const fields = kind === 0 || kind > 2 ? VALID | BigInt(page) : BigInt(page);
  program.gic.write((bases[table] as number) + 8 * entry, 8, fields);
}

function id(program: Program, shape: Shape): number {
  const { perPage, ids } = capacity(shape);
  const places = [
    0,
    1,
    7,
    perPage - 1,
    perPage,
    perPage + 1,
    2 * perPage,
    3 * perPage - 1,
    4 * perPage,
    ids - 1,
    ids,
    0xffff,
  ];
  return program.chance(60) ? program.below(3) : program.pick(places);
}

/** Where translation tables can lie outside memory, the other operands are in range (Q-FAULT-ORDER). */
function tableCommand(program: Program, shapes: readonly Shape[], ittsOutside: boolean): void {
  const number = (n: number) => (ittsOutside ? program.below(3) : id(program, shapes[n] as Shape));
  const deviceId = id(program, shapes[DEVICES] as Shape);
  const icid = Math.min(number(1), 0xffff);
  const vpeId = Math.min(number(2), 0xffff);
  const eventId = program.below(5);
  const lpi = FIRST_LPI + program.below(WINDOW_INTIDS);
  const rdBase = program.below(CPUS);
  switch (program.below(program.virtual ? 13 : 9)) {
    case 0:
      return program.command({
        command: 'MAPD',
        deviceId,
        size: 1,
        ittAddress: ittsOutside && program.chance(10) ? OUTSIDE : program.newItt(),
        valid: program.chance(90),
      });
    case 1:
      return program.command({ command: 'MAPC', icid, rdBase, valid: program.chance(90) });
    case 2:
    case 3:
      return program.command({ command: 'MAPTI', deviceId, eventId, pIntid: lpi, icid });
    case 4:
    case 5:
    case 6:
      return program.command({ command: 'INT', deviceId, eventId });
    case 7:
      return program.command({
        command: program.pick(['CLEAR', 'DISCARD', 'INV'] as const),
        deviceId,
        eventId,
      });
    case 8:
      return program.command({ command: 'MOVI', deviceId, eventId, icid });
    case 9:
      return program.command({
        command: 'VMAPP',
        layout: '4.0',
        vpeId,
        rdBase,
        vptSize: 15,
        vptAddress: program.vpePendingTable(program.below(3)),
        valid: program.chance(90),
      });
    case 10:
      return program.command({
        command: 'VMAPTI',
        deviceId,
        eventId,
        vpeId,
        vIntid: lpi,
        doorbell: program.pick([1023, lpi]),
      });
    case 11:
      return program.command({
        command: 'VMOVI',
        deviceId,
        eventId,
        vpeId,
        doorbellValid: false,
        doorbell: 0,
      });
    default:
      return program.command({
        command: 'VMOVP',
        vpeId,
        rdBase,
        sequenceNumber: 0,
        itsList: 0,
        defaultDoorbellValid: false,
        defaultDoorbell: 0,
      });
  }
}

/** What software does about a queue that stands still, and does otherwise too. */
function recover(program: Program, bases: readonly number[], shapes: readonly Shape[]): void {
  switch (program.below(4)) {
    case 0:
      program.gic.write(GITS_CWRITER, 8, program.enqueue() | program.below(2));
      break;
    case 1: {
      const n = program.below(2);
      if (shapes[n]?.indirect) writeLevel1(program, bases, n, program.below(3));
      program.gic.write(GITS_CWRITER, 8, program.enqueue() | 1);
      break;
    }
    case 2:
      program.gic.write(GITS_CTLR, 4, 0);
      program.setUpQueue(program.below(3));
      program.gic.write(GITS_CTLR, 4, 1);
      break;
    default:
      // The ITS ignores it while it is enabled.
      program.gic.write(GITS_BASER0, 8, 0);
      program.gic.write(GITS_CBASER, 8, 0);
      void program.gic.read(GITS_BASER0, 8);
      void program.gic.read(GITS_CBASER, 8);
  }
  void program.gic.read(GITS_CTLR, 4);
  void program.gic.read(GITS_CWRITER, 8);
  void program.gic.read(GITS_CREADR, 8);
  program.comparePending();
}
