import { ItsOutcome, MsiResult } from '../../assembly/abi.ts';

/** What became of a command of a guest's virtual ITS: a key of `itsErrorCodes`. */
export type ItsOutcomeName = Exclude<keyof typeof ItsOutcome, 'COUNT'>;

/** What became of an MSI for a guest. */
export type MsiResultName =
  /** It became pending by software. */
  | 'INJECTED'
  /** It was pending already. */
  | 'COALESCED'
  /** A forwarded LPI: the host's ITS made it pending. */
  | 'FORWARDED'
  /** Dropped: no such event, or its collection has no vCPU. */
  | 'UNMAPPED'
  /** Dropped: GITS_CTLR.Enabled of the virtual ITS is 0. */
  | 'ITS_DISABLED'
  /** Dropped: the LPIs of the target are off. */
  | 'LPIS_DISABLED'
  /** Dropped: the message has no DeviceID. */
  | 'NO_DEVICE_ID'
  /** Dropped: no virtual ITS is at the address. */
  | 'NO_ITS'
  /** Dropped: nothing is routed to the GSI. */
  | 'NO_ROUTE'
  /** Dropped: the GSI is routed to an SPI that does not exist. */
  | 'NO_SPI'
  /** An operation of the host on a forwarded interrupt failed. */
  | 'HOST_ERROR';

/** The kernel's internal code of an outcome: an ITS error code, or the errno of what is no ITS error. */
export const itsErrorCodes: Readonly<Record<ItsOutcomeName, number>> = {
  DONE: 0,
  MAPD_DEVICE_OOR: 0x01_0801,
  MAPD_ITTSIZE_OOR: 0x01_0802,
  MAPC_PROCNUM_OOR: 0x01_0902,
  MAPC_COLLECTION_OOR: 0x01_0903,
  MAPTI_UNMAPPED_DEVICE: 0x01_0a04,
  MAPTI_ID_OOR: 0x01_0a05,
  MAPTI_PHYSICALID_OOR: 0x01_0a06,
  MOVI_UNMAPPED_INTERRUPT: 0x01_0107,
  MOVI_UNMAPPED_COLLECTION: 0x01_0109,
  MOVALL_PROCNUM_OOR: 0x01_0e01,
  DISCARD_UNMAPPED_INTERRUPT: 0x01_0f07,
  INT_UNMAPPED_INTERRUPT: 0x01_0307,
  CLEAR_UNMAPPED_INTERRUPT: 0x01_0507,
  INV_UNMAPPED_INTERRUPT: 0x01_0c07,
  INVALL_UNMAPPED_COLLECTION: 0x01_0d09,
  LPIS_DISABLED: -16,
  UNKNOWN_COMMAND: -19,
  UNREADABLE: -14,
  TABLE_FAULT: -14,
  NO_MEMORY: -12,
  HOST_ERROR: -5,
};

export function outcomeName(outcome: number): ItsOutcomeName {
  return ItsOutcome[outcome] as ItsOutcomeName;
}

export function msiResultName(result: number): MsiResultName {
  return MsiResult[result] as MsiResultName;
}

/** The names of all results, in the order of their numbers. */
export const msiResultNames = Array.from({ length: MsiResult.COUNT }, (_, n) => msiResultName(n));
export const outcomeNames = Array.from({ length: ItsOutcome.COUNT }, (_, n) => outcomeName(n));
