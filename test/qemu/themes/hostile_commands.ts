// Programs of ITS commands with operands of all kinds.
import { encodeDoublewords } from '../../../bindings/commands/codec.ts';
import { type Doublewords, fieldsOf, type ItsCommand, maskOf } from '../../../bindings/commands/command.ts';
import { GICD_CTLR, GROUP1, type Program } from '../program.ts';
import { Traffic } from './its_traffic.ts';

/** Commands with operands of all kinds, in tables of all shapes, good or bad. */
export function hostileCommands(program: Program): void {
  program.gic.write(GICD_CTLR, 4, GROUP1);
  program.openCpuInterfaces();
  program.setUpRedistributors();
  const pageSize = program.below(3);
  program.setUpIts({ pageSize, queuePages: program.below(4) });
  program.writeConfiguration(program.configurationTable, 80);
  const traffic = new Traffic(program);
  traffic.map({ devices: 4, collections: 4, vpes: program.virtual ? 3 : 0, idLimit: 0x200 });
  for (let n = 0; n < 12; n++) traffic.mapEvent();
  program.submit();
  for (let batch = 0; batch < 25; batch++) {
    for (let n = 1 + program.below(12); n > 0; n--) {
      if (program.chance(50)) {
        const command = hostile(traffic);
        if (!('command' in command)) program.rawCommand(command);
        else if (program.chance(20)) program.rawCommand(reserved(program, command));
        else program.command(command);
      } else traffic.act();
    }
    program.submit();
    if (program.chance(30)) traffic.changeResidency();
    if (program.chance(30)) traffic.sendMsis();
  }
  program.comparePending(true);
}

/** Numbers without a command in GICv4.0, VSGI and INVDB of GICv4.1 among them. */
const unknownNumbers = [0, 2, 6, 7, 0x10, 0x20, 0x23, 0x24, 0x26, 0x28, 0x2c, 0x2e, 0x2f, 0x30, 0x7f, 0xff];

/** A command with random reserved bits. */
function reserved(program: Program, command: ItsCommand): Doublewords {
  const words = [...encodeDoublewords(command)] as [bigint, bigint, bigint, bigint];
  if (command.command === 'UNKNOWN') return words;
  const used = [0xffn, 0n, 0n, 0n];
  for (const field of Object.values(fieldsOf(command.command, '4.0'))) {
    used[field.doubleword] = (used[field.doubleword] ?? 0n) | maskOf(field);
  }
  // Q-VPT-SIZE: the bits above VPT_size, which GICv4.1 adds to it.
  if (command.command === 'VMAPP') used[3] = (used[3] ?? 0n) | 0xe0n;
  return words.map((word, n) => word | (program.wide() & ~(used[n] ?? 0n))) as unknown as Doublewords;
}

function hostile(traffic: Traffic): ItsCommand | Doublewords {
  const { program } = traffic;
  const operands = drawOperands(traffic);
  return program.virtual && program.chance(32)
    ? virtualCommand(program, operands)
    : physicalCommand(program, operands);
}

/** Operands of all kinds, most of them in use. */
function drawOperands(traffic: Traffic) {
  const { program } = traffic;
  const event = traffic.events.length > 0 ? program.pick(traffic.events) : { deviceId: 8, eventId: 0 };
  const deviceId = program.pick([
    event.deviceId,
    event.deviceId,
    0x1ff,
    0xfff,
    0x1fff,
    0x2000,
    0xffff,
    0x1_0000,
    0xffff_ffff,
    0x1_0000 + event.deviceId,
  ]);
  const eventId = program.pick([
    event.eventId,
    event.eventId,
    0,
    31,
    32,
    0xffff,
    0x1_0000,
    0x1_0000 + event.eventId,
    0xffff_ffff,
  ]);
  const icid = program.pick([...traffic.collections, 0, 0x1ff, 0x1fff, 0x2000, 0xffff]);
  const rdBase = program.pick([0, 1, 2, 3, 4, 5, 0xffff]);
  const intid = program.pick([traffic.intid(), 0, 31, 1023, 8191, 8192, 65535, 65536, 0x1_2000, 0xffff_ffff]);
  const doorbell = program.pick([traffic.intid(), 1023, 1022, 0, 8191, 65535, 65536, 0xffff_ffff]);
  const vpeId = program.pick([...traffic.vpes.map(({ id }) => id), 0, 0x1ff, 0x1fff, 0x2000, 0xffff]);
  const valid = program.chance(70);
  const size = program.pick([0, 1, 4, 12, 13, 15, 16, 31]);
  return { deviceId, eventId, icid, rdBase, intid, doorbell, vpeId, valid, size };
}

type Operands = ReturnType<typeof drawOperands>;

function physicalCommand(program: Program, operands: Operands): ItsCommand | Doublewords {
  const { deviceId, eventId, icid, rdBase, intid, valid, size } = operands;
  switch (program.below(13)) {
    case 0:
      return {
        command: 'MAPD',
        deviceId: program.pick([0x300, 0x301, 0x5000, 0x1_0000, deviceId]),
        size: valid ? size : 0,
        ittAddress: program.newItt(),
        valid,
      };
    case 1:
      return { command: 'MAPC', icid, rdBase, valid };
    case 2:
      return { command: 'MAPTI', deviceId, eventId, pIntid: intid, icid };
    case 3:
      return { command: 'MAPI', deviceId, eventId: program.pick([eventId, intid]), icid };
    case 4:
      return { command: 'MOVI', deviceId, eventId, icid };
    case 5:
      return { command: 'MOVALL', rdBase1: rdBase, rdBase2: program.pick([0, 1, 2, 3, 4, 0xffff]) };
    case 6:
      return { command: 'INT', deviceId, eventId };
    case 7:
      return { command: 'CLEAR', deviceId, eventId };
    case 8:
      return { command: 'DISCARD', deviceId, eventId };
    case 9:
      return { command: 'INV', deviceId, eventId };
    case 10:
      return { command: 'INVALL', icid };
    case 11:
      return { command: 'SYNC', rdBase };
    default:
      return [BigInt(program.pick(unknownNumbers)), program.wide(), program.wide(), program.wide()];
  }
}

function virtualCommand(program: Program, operands: Operands): ItsCommand {
  const { deviceId, eventId, rdBase, intid, doorbell, vpeId, valid, size } = operands;
  switch (program.below(6)) {
    case 0:
      return {
        command: 'VMAPP',
        layout: '4.0',
        vpeId,
        rdBase,
        vptSize: valid ? size : 0,
        vptAddress: program.vpePendingTable(4 + program.below(4)),
        valid,
      };
    case 1:
      return { command: 'VMAPTI', deviceId, eventId, vpeId, vIntid: intid, doorbell };
    case 2:
      return { command: 'VMAPI', deviceId, eventId: program.pick([eventId, intid]), vpeId, doorbell };
    case 3:
      return {
        command: 'VMOVI',
        deviceId,
        eventId,
        vpeId,
        doorbellValid: valid,
        doorbell: valid ? doorbell : 0,
      };
    case 4:
      return {
        command: 'VMOVP',
        vpeId,
        rdBase,
        sequenceNumber: 0,
        itsList: 0,
        defaultDoorbellValid: false,
        defaultDoorbell: 0,
      };
    default:
      return program.chance(50) ? { command: 'VINVALL', vpeId } : { command: 'VSYNC', vpeId };
  }
}
