import { IrqChipError } from './errors.ts';

/** Guest ITS commands that this layer does not provide on purpose. */
export type NotProvided = 'MAPD' | 'MAPC' | 'SYNC';

/** Why a guest's command has no counterpart among the operations of this layer, in the terms of the GICv4 series' documentation. */
export const notProvided: Readonly<Record<NotProvided, string>> = {
  MAPD:
    'a guest\'s device exists in its virtual ITS alone: MAPD "is purely local to the virtual ITS", ' +
    'and the physical ITS stays in charge of the physical device',
  MAPC:
    'the physical ITS deals with where a vPE is, not with collections: ' +
    'the affinity of the doorbell, vpe.doorbell.setAffinity, replaces them',
  SYNC:
    '"each and every command is followed by a VSYNC", ' +
    'so that there is nothing left to wait for when the guest sends SYNC',
};

/** Throws the `IrqChipError`, ENOSYS, that tells why a guest's command is not provided. */
export function refuseGuestCommand(command: NotProvided): never {
  const why = notProvided[command] ?? `not one of ${Object.keys(notProvided).join(', ')}`;
  throw new IrqChipError('ENOSYS', `guestCommand ${command}`, why);
}
