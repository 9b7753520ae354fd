import { Frame, Register } from '../../assembly/abi.ts';
import type { MachineConfig } from '../config.ts';
import {
  bits,
  type Configured,
  eachByte,
  identificationBlock,
  type RegisterDefinition,
  STATUSR_ACCESS_BITS,
} from './definition.ts';

const frame = Frame.GICD;

/** CTLR.ARE and CTLR.DS: affinity routing always, one Security state. */
const CTLR_FIXED = bits(6) | bits(4);

function typer(config: MachineConfig): bigint {
  const { identification, intidBits, spis, extendedSpis } = config;
  if (identification.GICD_TYPER !== undefined) return BigInt(identification.GICD_TYPER);
  const lpis = intidBits >= 14;
  let value = BigInt(Math.ceil((32 + spis) / 32) - 1);
  if (extendedSpis > 0) value |= bits(8) | (BigInt(extendedSpis / 32 - 1) << 27n);
  if (config.messageBasedSpis) value |= bits(16);
  if (lpis) value |= bits(17);
  if (lpis && config.architecture !== 'GICv3') value |= bits(18);
  value |= BigInt(intidBits - 1) << 19n;
  value |= bits(24);
  if (!config.oneOfN) value |= bits(25);
  if (config.rangeSelector) value |= bits(26);
  return value;
}

function routerBits(config: MachineConfig): bigint {
  const routingMode = config.oneOfN || config.policy.routingModeWithoutOneOfN === 'first-pe' ? bits(31) : 0n;
  const reserved = config.policy.routerReservedBits === 'keep' ? bits(30, 24) : 0n;
  return bits(39, 32) | routingMode | reserved | bits(23, 0);
}

/** An array of interrupt state registers, from INTID 0 on or, in the Extended range, from INTID 4096 on. */
function state(
  name: string,
  register: Register,
  offset: number,
  count: number,
  access: 'RW' | 'W1',
  options: Partial<RegisterDefinition> = {},
): RegisterDefinition {
  return { name, frame, register, offset, count, width: 32, access, spec: '2.1', ...options };
}

const extended: Partial<RegisterDefinition> = { present: (config) => config.extendedSpis > 0 };
const configBits = 0xaaaa_aaaan;
const priorityBits: Configured<bigint> = ({ storedPriorityBits }) =>
  eachByte((0xff << (8 - storedPriorityBits)) & 0xff);

/** Registers that read as zero and ignore writes with affinity routing and one Security state. */
function zero(name: string, offset: number, count: number, smallest?: 1): RegisterDefinition {
  const size = smallest === undefined ? {} : { smallest };
  return { name, frame, offset, count, width: 32, access: 'RW', legal: 0n, spec: '2.1', ...size };
}

/** GICD_*: section 2. */
export const gicdRegisters: readonly RegisterDefinition[] = [
  {
    name: 'GICD_CTLR',
    frame,
    register: Register.GICD_CTLR,
    offset: 0x0000,
    width: 32,
    access: 'RW',
    legal: ({ architecture }) => bits(1, 0) | (architecture === 'GICv4.1' ? bits(8) : 0n),
    fixed: CTLR_FIXED,
    spec: '2.2',
  },
  { name: 'GICD_TYPER', frame, offset: 0x0004, width: 32, access: 'RO', fixed: typer, spec: '2.3' },
  {
    name: 'GICD_IIDR',
    frame,
    offset: 0x0008,
    width: 32,
    access: 'RO',
    fixed: ({ identification }) => BigInt(identification.GICD_IIDR ?? 0x43b),
    spec: '2.1',
  },
  {
    name: 'GICD_TYPER2',
    frame,
    offset: 0x000c,
    width: 32,
    access: 'RO',
    // nASSGIcap; VIL and VID only where a vPEID is narrower than 16 bits.
    fixed: ({ vpeIdBits }) => bits(8) | (vpeIdBits < 16 ? bits(7) | BigInt(vpeIdBits - 1) : 0n),
    spec: '2.4',
    present: ({ architecture }) => architecture === 'GICv4.1',
  },
  {
    name: 'GICD_STATUSR',
    frame,
    register: Register.GICD_STATUSR,
    offset: 0x0010,
    width: 32,
    access: 'W1',
    legal: STATUSR_ACCESS_BITS,
    spec: '2.1',
    present: (config) => config.statusRegisters,
  },
  {
    name: 'GICD_SETSPI_NSR',
    frame,
    register: Register.GICD_SETSPI_NSR,
    offset: 0x0040,
    width: 32,
    access: 'WO',
    smallest: 2,
    legal: bits(12, 0),
    spec: '2.5',
    present: (config) => config.messageBasedSpis,
  },
  {
    name: 'GICD_CLRSPI_NSR',
    frame,
    register: Register.GICD_CLRSPI_NSR,
    offset: 0x0048,
    width: 32,
    access: 'WO',
    smallest: 2,
    legal: bits(12, 0),
    spec: '2.5',
    present: (config) => config.messageBasedSpis,
  },
  state('GICD_IGROUPR<n>', Register.IGROUPR, 0x0080, 32, 'RW'),
  state('GICD_ISENABLER<n>', Register.ISENABLER, 0x0100, 32, 'W1'),
  state('GICD_ICENABLER<n>', Register.ICENABLER, 0x0180, 32, 'W1'),
  state('GICD_ISPENDR<n>', Register.ISPENDR, 0x0200, 32, 'W1'),
  state('GICD_ICPENDR<n>', Register.ICPENDR, 0x0280, 32, 'W1'),
  state('GICD_ISACTIVER<n>', Register.ISACTIVER, 0x0300, 32, 'W1'),
  state('GICD_ICACTIVER<n>', Register.ICACTIVER, 0x0380, 32, 'W1'),
  state('GICD_IPRIORITYR<n>', Register.IPRIORITYR, 0x0400, 255, 'RW', { smallest: 1, legal: priorityBits }),
  zero('GICD_ITARGETSR<n>', 0x0800, 255, 1),
  state('GICD_ICFGR<n>', Register.ICFGR, 0x0c00, 64, 'RW', { legal: configBits, spec: '2.7' }),
  zero('GICD_IGRPMODR<n>', 0x0d00, 32),
  zero('GICD_NSACR<n>', 0x0e00, 64),
  zero('GICD_SGIR', 0x0f00, 1),
  zero('GICD_CPENDSGIR<n>', 0x0f10, 4, 1),
  zero('GICD_SPENDSGIR<n>', 0x0f20, 4, 1),
  state('GICD_IGROUPR<n>E', Register.IGROUPR_E, 0x1000, 32, 'RW', extended),
  state('GICD_ISENABLER<n>E', Register.ISENABLER_E, 0x1200, 32, 'W1', extended),
  state('GICD_ICENABLER<n>E', Register.ICENABLER_E, 0x1400, 32, 'W1', extended),
  state('GICD_ISPENDR<n>E', Register.ISPENDR_E, 0x1600, 32, 'W1', extended),
  state('GICD_ICPENDR<n>E', Register.ICPENDR_E, 0x1800, 32, 'W1', extended),
  state('GICD_ISACTIVER<n>E', Register.ISACTIVER_E, 0x1a00, 32, 'W1', extended),
  state('GICD_ICACTIVER<n>E', Register.ICACTIVER_E, 0x1c00, 32, 'W1', extended),
  state('GICD_IPRIORITYR<n>E', Register.IPRIORITYR_E, 0x2000, 256, 'RW', {
    ...extended,
    smallest: 1,
    legal: priorityBits,
  }),
  state('GICD_ICFGR<n>E', Register.ICFGR_E, 0x3000, 64, 'RW', {
    ...extended,
    legal: configBits,
    spec: '2.7',
  }),
  { ...zero('GICD_IGRPMODR<n>E', 0x3400, 32), ...extended },
  { ...zero('GICD_NSACR<n>E', 0x3600, 64), ...extended },
  {
    name: 'GICD_IROUTER<n>',
    frame,
    register: Register.GICD_IROUTER,
    offset: 0x6100,
    first: 32,
    count: 988,
    width: 64,
    access: 'RW',
    legal: routerBits,
    spec: '2.6',
  },
  {
    name: 'GICD_IROUTER<n>E',
    frame,
    register: Register.GICD_IROUTER_E,
    offset: 0x8000,
    count: 1024,
    width: 64,
    access: 'RW',
    legal: routerBits,
    spec: '2.6',
    ...extended,
  },
  ...identificationBlock('GICD', frame, 0x92),
];
