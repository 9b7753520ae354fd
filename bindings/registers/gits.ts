import { Frame, Register } from '../../assembly/abi.ts';
import type { MachineConfig } from '../config.ts';
import { bits, identificationBlock, type RegisterDefinition, STATUSR_ACCESS_BITS } from './definition.ts';

const frame = Frame.GITS;
/** GITS_IIDR of the HiSilicon D05's ITSs. */
const IIDR_D05 = 4;

const vpeConfigurations = (config: MachineConfig): boolean => config.architecture === 'GICv4.1';
const virtual = (config: MachineConfig): boolean => config.architecture !== 'GICv3';

/** Virtual, VMOVP, VSGI, VMAPP, SVPET and nID: fields of GITS_TYPER that a GICv3 ITS does not have. */
const virtualFields = bits(1) | bits(37) | bits(43, 39);

/** What GITS_TYPER tells besides of an ITS with VLPIs. */
export function itsVirtualType(config: MachineConfig): bigint {
  return typer(config) & virtualFields;
}

/** What GITS_TYPER tells of every ITS. */
function commonType(config: MachineConfig): bigint {
  return config.itsWithoutVlpis.length > 0 ? typer(config) & ~virtualFields : typer(config);
}

/** GITS_TYPER: section 5.4. */
function typer(config: MachineConfig): bigint {
  if (config.identification.GITS_TYPER !== undefined) return config.identification.GITS_TYPER;
  let value = bits(0);
  if (virtual(config)) value |= bits(1);
  if (virtual(config) && config.vmovpOnAnyIts) value |= bits(37);
  value |= BigInt(config.ittEntryBytes - 1) << 4n;
  value |= BigInt(config.eventIdBits - 1) << 8n;
  value |= BigInt(config.deviceIdBits - 1) << 13n;
  if (config.policy.commandError === 'sei') value |= bits(18);
  if (config.physicalTargetAddresses) value |= bits(19);
  value |= BigInt(config.hardwareCollections) << 24n;
  value |= (BigInt(config.collectionIdBits - 1) << 32n) | bits(36);
  if (vpeConfigurations(config)) {
    if (config.virtualSgis) value |= bits(39);
    value |= bits(40) | (BigInt(config.sharedVpeTable) << 41n);
    if (!config.individualDoorbells) value |= bits(43);
  }
  if (config.unmappedMsiReporting) value |= bits(44);
  return value;
}

/** Types of GITS_BASER<n>: section 5.9. */
const DEVICES = 1n;
const COLLECTIONS = 4n;
const VPES = 2n;

/** A vPE's entry of GICv4.1 is four doublewords. */
function entryBytes(config: MachineConfig, type: bigint): number {
  return type === VPES && vpeConfigurations(config) ? 32 : config.tableEntryBytes;
}

function baser(n: number, type: bigint, present: (config: MachineConfig) => boolean): RegisterDefinition {
  return {
    name: `GITS_BASER${n}`,
    frame,
    register: Register.GITS_BASER,
    offset: 0x0100 + 8 * n,
    first: n,
    width: 64,
    access: 'RW',
    legal: ({ indirectTables }) =>
      bits(63) | (indirectTables ? bits(62) : 0n) | bits(61, 59) | bits(55, 53) | bits(47, 0),
    fixed: (config) => (type << 56n) | (BigInt(entryBytes(config, type) - 1) << 48n),
    spec: '5.9',
    present,
  };
}

/** GITS_*: section 5. */
export const gitsRegisters: readonly RegisterDefinition[] = [
  {
    name: 'GITS_CTLR',
    frame,
    register: Register.GITS_CTLR,
    offset: 0x0000,
    width: 32,
    access: 'RW',
    legal: bits(0),
    spec: '5.2',
  },
  {
    name: 'GITS_IIDR',
    frame,
    offset: 0x0004,
    width: 32,
    access: 'RO',
    fixed: ({ identification, vlpiTargetOffset }) =>
      BigInt(identification.GITS_IIDR ?? (vlpiTargetOffset ? IIDR_D05 : 0x43b)),
    spec: '5.3',
  },
  {
    name: 'GITS_TYPER',
    frame,
    offset: 0x0008,
    width: 64,
    access: 'RO',
    register: Register.GITS_TYPER,
    fixed: commonType,
    spec: '5.4',
  },
  { name: 'GITS_MPAMIDR', frame, offset: 0x0010, width: 32, access: 'RO', fixed: 0n, spec: '5.1' },
  { name: 'GITS_PARTIDR', frame, offset: 0x0014, width: 32, access: 'RW', legal: 0n, spec: '5.1' },
  {
    name: 'GITS_MPIDR',
    frame,
    offset: 0x0018,
    width: 32,
    access: 'RO',
    fixed: (config) => (vpeConfigurations(config) && config.sharedVpeTable ? BigInt(config.itsAffinity) : 0n),
    spec: '5.5',
  },
  {
    name: 'GITS_STATUSR',
    frame,
    register: Register.GITS_STATUSR,
    offset: 0x0040,
    width: 32,
    access: 'W1',
    legal: ({ unmappedMsiReporting, statusRegisters }) =>
      (statusRegisters ? STATUSR_ACCESS_BITS : 0n) | (unmappedMsiReporting ? bits(9, 4) : 0n),
    spec: '5.6',
  },
  {
    name: 'GITS_UMSIR',
    frame,
    register: Register.GITS_UMSIR,
    offset: 0x0048,
    width: 64,
    access: 'RO',
    spec: '5.6',
    present: (config) => config.unmappedMsiReporting,
  },
  {
    name: 'GITS_CBASER',
    frame,
    register: Register.GITS_CBASER,
    offset: 0x0080,
    width: 64,
    access: 'RW',
    legal: bits(63) | bits(61, 59) | bits(55, 53) | bits(51, 10) | bits(7, 0),
    spec: '5.7',
  },
  {
    name: 'GITS_CWRITER',
    frame,
    register: Register.GITS_CWRITER,
    offset: 0x0088,
    width: 64,
    access: 'RW',
    legal: bits(19, 5) | bits(0),
    spec: '5.8',
  },
  {
    name: 'GITS_CREADR',
    frame,
    register: Register.GITS_CREADR,
    offset: 0x0090,
    width: 64,
    access: 'RO',
    spec: '5.8',
    present: ({ policy }) => !policy.creadrWritable,
  },
  {
    name: 'GITS_CREADR',
    frame,
    register: Register.GITS_CREADR,
    offset: 0x0090,
    width: 64,
    access: 'RW',
    legal: bits(19, 5),
    spec: '5.8',
    present: ({ policy }) => policy.creadrWritable,
  },
  baser(0, DEVICES, () => true),
  baser(1, COLLECTIONS, () => true),
  baser(2, VPES, virtual),
  ...[2, 3, 4, 5, 6, 7].map(
    (n): RegisterDefinition => ({
      name: `GITS_BASER${n}`,
      frame,
      offset: 0x0100 + 8 * n,
      first: n,
      width: 64,
      access: 'RW',
      legal: 0n,
      spec: '5.9',
      present: (config) => n > 2 || !virtual(config),
    }),
  ),
  ...identificationBlock('GITS', frame, 0x94),
  {
    name: 'GITS_TRANSLATER',
    frame: Frame.GITS_TRANSLATION,
    register: Register.GITS_TRANSLATER,
    offset: 0x0040,
    width: 32,
    access: 'WO',
    smallest: 2,
    legal: bits(31, 0),
    spec: '5.11',
  },
  {
    name: 'GITS_SGIR',
    frame: Frame.GITS_VSGI,
    register: Register.GITS_SGIR,
    offset: 0x0020,
    width: 64,
    access: 'WO',
    smallest: 8,
    legal: bits(47, 32) | bits(3, 0),
    spec: '5.12',
    present: (config) => vpeConfigurations(config) && config.virtualSgis,
  },
];
