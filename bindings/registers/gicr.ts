import { Frame, Register, RedistributorTrait as Trait } from '../../assembly/abi.ts';
import type { MachineConfig } from '../config.ts';
import {
  bits,
  type Configured,
  doubleword,
  eachByte,
  identificationBlock,
  type RegisterDefinition,
  STATUSR_ACCESS_BITS,
} from './definition.ts';

const lpis = (config: MachineConfig): boolean => config.intidBits >= 14;
const virtualLpis = (config: MachineConfig): boolean => lpis(config) && config.architecture !== 'GICv3';
/** GICv4.1: GICR_VPENDBASER holds a vPEID (GICR_TYPER.RVPEID). */
const vpeIdResidency = (config: MachineConfig): boolean => lpis(config) && config.architecture === 'GICv4.1';
const directLpi = (config: MachineConfig): boolean => lpis(config) && config.directLpi;

/** Reserved bits are zero, unless the policy keeps them as written. */
function tableBits(architected: bigint): (config: MachineConfig) => bigint {
  return ({ policy }) => (policy.lpiTableReservedBits === 'keep' ? doubleword : architected);
}

/** InnerCache and OuterCache, Shareability: where the table attributes of GICR_PROPBASER and the like stand. */
const attributes = bits(58, 56) | bits(11, 10) | bits(9, 7);

/** GICR_INVLPIR, INVALLR and SYNCR come with direct LPIs, and with GICv4.1. */
const invalidation = (config: MachineConfig): boolean => directLpi(config) || vpeIdResidency(config);

function action(
  name: string,
  register: Register,
  offset: number,
  legal: Configured<bigint>,
  present: (config: MachineConfig) => boolean,
): RegisterDefinition {
  const common = { frame: Frame.GICR_RD, width: 64, access: 'WO', spec: '3.5, 3.8' } as const;
  return { name, register, offset, legal, present, ...common };
}

/** V and vPEID of GICR_INVLPIR and GICR_INVALLR. */
const virtualOperand = (config: MachineConfig): bigint =>
  vpeIdResidency(config) ? bits(63) | bits(47, 32) : 0n;

/** What the redistributor of a PE has: a set of `RedistributorTrait`. */
export function redistributorTraits(config: MachineConfig, cpu: number): number {
  const vlpis = virtualLpis(config) && !config.redistributorsWithoutVlpis.includes(cpu);
  const direct = directLpi(config) && !config.redistributorsWithoutDirectLpi.includes(cpu);
  const invalidation = direct || (vlpis && vpeIdResidency(config));
  return (
    (vlpis ? Trait.VIRTUAL_LPIS : 0) |
    (direct ? Trait.DIRECT_LPI : 0) |
    (invalidation ? Trait.INVALIDATION : 0)
  );
}

/** The value of GICR_TYPER for one PE: section 3.3. */
export function redistributorType(config: MachineConfig, cpu: number): bigint {
  const given = config.identification.GICR_TYPER?.[cpu];
  if (given !== undefined) return given;
  let value = BigInt(config.affinities[cpu] ?? 0) << 32n;
  value |= BigInt(config.extendedPpis / 32) << 27n;
  value |= BigInt(config.commonLpiAffinity) << 24n;
  value |= BigInt(cpu) << 8n;
  if (config.oneOfN) value |= bits(5);
  if (cpu === config.cpus - 1) value |= bits(4);
  const traits = redistributorTraits(config, cpu);
  if (traits & Trait.DIRECT_LPI) value |= bits(3);
  if (traits & Trait.VIRTUAL_LPIS) {
    value |= bits(1);
    if (vpeIdResidency(config)) value |= bits(7) | (config.virtualSgis ? bits(26) : 0n);
    if (vpeIdResidency(config) || config.dirtyReads.scheduleIn > 0) value |= bits(2);
  }
  if (lpis(config)) value |= bits(0);
  return value;
}

/** GICR_* of the RD_base frame: sections 3.1 to 3.8. */
export const gicrRegisters: readonly RegisterDefinition[] = [
  {
    name: 'GICR_CTLR',
    frame: Frame.GICR_RD,
    register: Register.GICR_CTLR,
    offset: 0x0000,
    width: 32,
    access: 'RW',
    legal: (config) => (lpis(config) ? bits(0) : 0n) | (config.oneOfN ? bits(25, 24) : 0n),
    fixed: (config) => (lpis(config) && config.policy.enableLpisClearable ? bits(1) : 0n),
    spec: '3.2',
  },
  {
    name: 'GICR_IIDR',
    frame: Frame.GICR_RD,
    offset: 0x0004,
    width: 32,
    access: 'RO',
    fixed: ({ identification }) => BigInt(identification.GICR_IIDR ?? 0x43b),
    spec: '3.1',
  },
  {
    name: 'GICR_TYPER',
    frame: Frame.GICR_RD,
    register: Register.GICR_TYPER,
    offset: 0x0008,
    width: 64,
    access: 'RO',
    spec: '3.3',
  },
  {
    name: 'GICR_STATUSR',
    frame: Frame.GICR_RD,
    register: Register.GICR_STATUSR,
    offset: 0x0010,
    width: 32,
    access: 'W1',
    legal: STATUSR_ACCESS_BITS,
    spec: '3.1',
    present: (config) => config.statusRegisters,
  },
  {
    name: 'GICR_WAKER',
    frame: Frame.GICR_RD,
    register: Register.GICR_WAKER,
    offset: 0x0014,
    width: 32,
    access: 'RW',
    legal: bits(1),
    spec: '3.4',
  },
  action('GICR_SETLPIR', Register.GICR_SETLPIR, 0x0040, bits(31, 0), directLpi),
  action('GICR_CLRLPIR', Register.GICR_CLRLPIR, 0x0048, bits(31, 0), directLpi),
  {
    name: 'GICR_PROPBASER',
    frame: Frame.GICR_RD,
    register: Register.GICR_PROPBASER,
    offset: 0x0070,
    width: 64,
    access: 'RW',
    legal: tableBits(attributes | bits(51, 12) | bits(4, 0)),
    spec: '3.6',
    present: lpis,
  },
  {
    name: 'GICR_PENDBASER',
    frame: Frame.GICR_RD,
    register: Register.GICR_PENDBASER,
    offset: 0x0078,
    width: 64,
    access: 'RW',
    legal: tableBits(bits(62) | attributes | bits(51, 16)),
    spec: '3.7',
    present: lpis,
  },
  action(
    'GICR_INVLPIR',
    Register.GICR_INVLPIR,
    0x00a0,
    (config) => virtualOperand(config) | bits(31, 0),
    invalidation,
  ),
  action('GICR_INVALLR', Register.GICR_INVALLR, 0x00b0, virtualOperand, invalidation),
  {
    name: 'GICR_SYNCR',
    frame: Frame.GICR_RD,
    offset: 0x00c0,
    width: 32,
    access: 'RO',
    fixed: 0n,
    spec: '3.8',
    present: invalidation,
  },
  ...identificationBlock('GICR', Frame.GICR_RD, 0x93),
];

const tableLayout = (config: MachineConfig): boolean => virtualLpis(config) && !vpeIdResidency(config);
const virtualSgis = (config: MachineConfig): boolean => vpeIdResidency(config) && config.virtualSgis;

function vlpiFrame(
  name: string,
  register: Register,
  offset: number,
  options: Omit<RegisterDefinition, 'name' | 'register' | 'offset' | 'frame'>,
): RegisterDefinition {
  return { name, register, offset, frame: Frame.GICR_VLPI, ...options };
}

/** GICR_* of the VLPI_base frame: sections 3.10 to 3.13. */
export const gicrVlpiRegisters: readonly RegisterDefinition[] = [
  vlpiFrame('GICR_VPROPBASER', Register.GICR_VPROPBASER, 0x0070, {
    width: 64,
    access: 'RW',
    legal: tableBits(attributes | bits(51, 12) | bits(4, 0)),
    spec: '3.11',
    present: tableLayout,
  }),
  vlpiFrame('GICR_VPROPBASER', Register.GICR_VPROPBASER, 0x0070, {
    width: 64,
    access: 'RW',
    legal: ({ indirectTables }) =>
      bits(63) | attributes | (indirectTables ? bits(55) : 0n) | bits(54, 12) | bits(6, 0),
    // Entry_Size: four doublewords.
    fixed: 3n << 59n,
    spec: '3.11',
    present: vpeIdResidency,
  }),
  vlpiFrame('GICR_VPENDBASER', Register.GICR_VPENDBASER, 0x0078, {
    width: 64,
    access: 'RW',
    legal: bits(63, 61) | attributes | bits(51, 16),
    spec: '3.12',
    present: tableLayout,
  }),
  vlpiFrame('GICR_VPENDBASER', Register.GICR_VPENDBASER, 0x0078, {
    width: 64,
    access: 'RW',
    legal: bits(63, 61) | bits(59, 58) | bits(15, 0),
    spec: '3.12',
    present: vpeIdResidency,
  }),
  vlpiFrame('GICR_VSGIR', Register.GICR_VSGIR, 0x0080, {
    width: 32,
    access: 'WO',
    legal: bits(15, 0),
    spec: '3.13',
    present: virtualSgis,
  }),
  vlpiFrame('GICR_VSGIPENDR', Register.GICR_VSGIPENDR, 0x0088, {
    width: 32,
    access: 'RO',
    spec: '3.13',
    present: virtualSgis,
  }),
];

/** An array of state registers of SGIs and PPIs: number 0 for INTIDs 0-31, the next ones for the Extended range. */
function state(
  name: string,
  register: Register,
  offset: number,
  perBlock: number,
  access: 'RW' | 'W1',
  options: Partial<RegisterDefinition> = {},
): RegisterDefinition[] {
  const common = {
    name,
    frame: Frame.GICR_SGI,
    register,
    width: 32,
    access,
    spec: '3.9',
    ...options,
  } as const;
  return [0, 1, 2].map((block) => ({
    ...common,
    offset: offset + block * perBlock * 4,
    first: block * perBlock,
    count: perBlock,
    present: (config) => config.extendedPpis >= block * 32,
  }));
}

/** GICR_* of the SGI_base frame: section 3.9. */
export const gicrSgiRegisters: readonly RegisterDefinition[] = [
  ...state('GICR_IGROUPR<n>', Register.IGROUPR, 0x0080, 1, 'RW'),
  ...state('GICR_ISENABLER<n>', Register.ISENABLER, 0x0100, 1, 'W1'),
  ...state('GICR_ICENABLER<n>', Register.ICENABLER, 0x0180, 1, 'W1'),
  ...state('GICR_ISPENDR<n>', Register.ISPENDR, 0x0200, 1, 'W1'),
  ...state('GICR_ICPENDR<n>', Register.ICPENDR, 0x0280, 1, 'W1'),
  ...state('GICR_ISACTIVER<n>', Register.ISACTIVER, 0x0300, 1, 'W1'),
  ...state('GICR_ICACTIVER<n>', Register.ICACTIVER, 0x0380, 1, 'W1'),
  ...state('GICR_IPRIORITYR<n>', Register.IPRIORITYR, 0x0400, 8, 'RW', {
    smallest: 1,
    legal: ({ storedPriorityBits }) => eachByte((0xff << (8 - storedPriorityBits)) & 0xff),
  }),
  ...state('GICR_ICFGR<n>', Register.ICFGR, 0x0c00, 2, 'RW', { legal: 0xaaaa_aaaan }),
  {
    name: 'GICR_IGRPMODR0',
    frame: Frame.GICR_SGI,
    offset: 0x0d00,
    width: 32,
    access: 'RW',
    legal: 0n,
    spec: '3.9',
  },
  {
    name: 'GICR_NSACR',
    frame: Frame.GICR_SGI,
    offset: 0x0e00,
    width: 32,
    access: 'RW',
    legal: 0n,
    spec: '3.9',
  },
];
