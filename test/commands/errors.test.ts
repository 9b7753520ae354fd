import { describe, expect, it } from 'vitest';
import { commandErrors } from '../../bindings/commands/errors.ts';

describe('section 6.1: command error codes', () => {
  it.each([
    [0x010801, 'MAPD_DEVICE_OOR'],
    [0x010802, 'MAPD_ITTSIZE_OOR'],
    [0x010902, 'MAPC_PROCNUM_OOR'],
    [0x010903, 'MAPC_COLLECTION_OOR'],
    [0x010a01, 'MAPTI_DEVICE_OOR'],
    [0x010a03, 'MAPTI_COLLECTION_OOR'],
    [0x010a04, 'MAPTI_UNMAPPED_DEVICE'],
    [0x010a05, 'MAPTI_ID_OOR'],
    [0x010a06, 'MAPTI_PHYSICALID_OOR'],
    [0x010b01, 'MAPI_DEVICE_OOR'],
    [0x010b03, 'MAPI_COLLECTION_OOR'],
    [0x010b04, 'MAPI_UNMAPPED_DEVICE'],
    [0x010b05, 'MAPI_ID_OOR'],
    [0x010101, 'MOVI_DEVICE_OOR'],
    [0x010103, 'MOVI_COLLECTION_OOR'],
    [0x010104, 'MOVI_UNMAPPED_DEVICE'],
    [0x010105, 'MOVI_ID_OOR'],
    [0x010107, 'MOVI_UNMAPPED_INTERRUPT'],
    [0x010109, 'MOVI_UNMAPPED_COLLECTION'],
    [0x010301, 'INT_DEVICE_OOR'],
    [0x010304, 'INT_UNMAPPED_DEVICE'],
    [0x010305, 'INT_ID_OOR'],
    [0x010307, 'INT_UNMAPPED_INTERRUPT'],
    [0x010501, 'CLEAR_DEVICE_OOR'],
    [0x010504, 'CLEAR_UNMAPPED_DEVICE'],
    [0x010505, 'CLEAR_ID_OOR'],
    [0x010507, 'CLEAR_UNMAPPED_INTERRUPT'],
    [0x010f01, 'DISCARD_DEVICE_OOR'],
    [0x010f04, 'DISCARD_UNMAPPED_DEVICE'],
    [0x010f05, 'DISCARD_ID_OOR'],
    [0x010f07, 'DISCARD_UNMAPPED_INTERRUPT'],
    [0x010c01, 'INV_DEVICE_OOR'],
    [0x010c04, 'INV_UNMAPPED_DEVICE'],
    [0x010c05, 'INV_ID_OOR'],
    [0x010c07, 'INV_UNMAPPED_INTERRUPT'],
    [0x010d03, 'INVALL_COLLECTION_OOR'],
    [0x010d09, 'INVALL_UNMAPPED_COLLECTION'],
    [0x010e01, 'MOVALL_PROCNUM_OOR'],
  ])('code %i is %s', (code, name) => {
    expect(commandErrors.get(code)).toMatchObject({ code, name });
  });

  it('has no others', () => {
    expect(commandErrors.size).toBe(38);
  });
});
