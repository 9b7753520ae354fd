import type { ItsCommand } from '../../bindings/commands/command.ts';

/** `size` is the number of EventID bits minus one; the default is 32 events. */
export function mapd(deviceId: number, ittAddress: number, size = 4): ItsCommand {
  return { command: 'MAPD', deviceId, size, ittAddress, valid: true };
}

export function unmapd(deviceId: number): ItsCommand {
  return { command: 'MAPD', deviceId, size: 0, ittAddress: 0, valid: false };
}

export function mapc(icid: number, rdBase: number): ItsCommand {
  return { command: 'MAPC', icid, rdBase, valid: true };
}

export function unmapc(icid: number, rdBase = 0): ItsCommand {
  return { command: 'MAPC', icid, rdBase, valid: false };
}

export function mapti(deviceId: number, eventId: number, pIntid: number, icid: number): ItsCommand {
  return { command: 'MAPTI', deviceId, eventId, pIntid, icid };
}

export function mapi(deviceId: number, eventId: number, icid: number): ItsCommand {
  return { command: 'MAPI', deviceId, eventId, icid };
}

export function movi(deviceId: number, eventId: number, icid: number): ItsCommand {
  return { command: 'MOVI', deviceId, eventId, icid };
}

export function movall(rdBase1: number, rdBase2: number): ItsCommand {
  return { command: 'MOVALL', rdBase1, rdBase2 };
}

export function int(deviceId: number, eventId: number): ItsCommand {
  return { command: 'INT', deviceId, eventId };
}

export function clear(deviceId: number, eventId: number): ItsCommand {
  return { command: 'CLEAR', deviceId, eventId };
}

export function discard(deviceId: number, eventId: number): ItsCommand {
  return { command: 'DISCARD', deviceId, eventId };
}

export function inv(deviceId: number, eventId: number): ItsCommand {
  return { command: 'INV', deviceId, eventId };
}

export function invall(icid: number): ItsCommand {
  return { command: 'INVALL', icid };
}

export function sync(rdBase: number): ItsCommand {
  return { command: 'SYNC', rdBase };
}
