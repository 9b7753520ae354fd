import { GicError } from '../errors.ts';
import type { GicHardware } from '../hardware.ts';
import { accessSize } from './parse.ts';
import { quirkReasons } from './quirks.ts';
import type {
  ExceptionLevel,
  ReadBytesStep,
  ReadStep,
  Step,
  SystemRegisterReadStep,
  Vector,
} from './vector.ts';
import { needsVirtualLpis } from './virtual_lpis.ts';

/** A step whose result differs, or that the hardware refused. All values are hexadecimal, or lists of INTIDs. */
export interface VectorFailure {
  /** Index into the vector's steps, from 0. */
  readonly step: number;
  /** What the step does. */
  readonly op: Step['op'];
  /** What is read, in words. */
  readonly what?: string;
  /** The choice of the recorded implementation on which alone the expected value rests. */
  readonly quirk?: string;
  /** Physical address. */
  readonly address?: string;
  /** The PE. */
  readonly cpu?: number;
  /** Name of the system register. */
  readonly register?: string;
  /** What was recorded. */
  readonly expected: string;
  /** What the hardware gave. */
  readonly got: string;
  /** The bits that count, when not all do. */
  readonly mask?: string;
}

/** What running a vector found. */
export interface VectorResult {
  /** Comparisons that held. */
  readonly passed: number;
  /** Steps that failed, as many as `failures`. */
  readonly failed: number;
  /** Comparisons not made, by the tag of the reason. */
  readonly skipped: Readonly<Record<string, number>>;
  /** What failed, in the order of the steps. */
  readonly failures: readonly VectorFailure[];
}

/** How a vector is run. */
export interface VectorOptions {
  /** Quirk tags whose reads are done but not compared; by default those of `quirkReasons`. */
  readonly skipQuirks?: ReadonlySet<string>;
}

type Comparison = ReadStep | ReadBytesStep | SystemRegisterReadStep;
type Difference = Pick<VectorFailure, 'expected' | 'got' | 'mask'>;

const defaultSkips: ReadonlySet<string> = new Set(Object.keys(quirkReasons));

/**
 * Does the steps of a vector on a machine fresh from reset and compares every expected result. A `GicError` that
 * the hardware throws fails the step; any other error is thrown on. A vector of GICv4 is skipped whole on a model that
 * has no virtual CPU interfaces.
 */
export function runVector(vector: Vector, hardware: GicHardware, options: VectorOptions = {}): VectorResult {
  const comparisons = vector.steps.filter(isComparison).length;
  if (hardware.virtualOutputs === undefined && needsVirtualLpis(vector)) {
    return { passed: 0, failed: 0, skipped: { GICv4: comparisons }, failures: [] };
  }
  const { skipQuirks = defaultSkips } = options;
  const failures: VectorFailure[] = [];
  const skipped: Record<string, number> = {};
  let passed = 0;
  vector.steps.forEach((step, index) => {
    const difference = attempt(step, hardware);
    if (isComparison(step) && step.quirk !== undefined && skipQuirks.has(step.quirk)) {
      skipped[step.quirk] = (skipped[step.quirk] ?? 0) + 1;
    } else if (difference) {
      failures.push({ step: index, op: step.op, ...placeOf(step), ...difference });
    } else if (isComparison(step)) {
      passed++;
    }
  });
  return { passed, failed: failures.length, skipped, failures };
}

function isComparison(step: Step): step is Comparison {
  return 'expect' in step;
}

function attempt(step: Step, hardware: GicHardware): Difference | undefined {
  try {
    return perform(step, hardware);
  } catch (error) {
    if (error instanceof GicError) return { expected: 'no error', got: error.message };
    throw error;
  }
}

function perform(step: Step, hardware: GicHardware): Difference | undefined {
  switch (step.op) {
    case 'writeb':
    case 'writel':
    case 'writeq':
      hardware.write(
        step.address,
        accessSize(step.op),
        step.op === 'writeq' ? step.value : Number(step.value),
      );
      return undefined;
    case 'write':
      hardware.writeMemory(step.address, step.bytes);
      return undefined;
    case 'memset':
      hardware.writeMemory(step.address, new Uint8Array(step.size).fill(step.value));
      return undefined;
    case 'readb':
    case 'readl':
    case 'readq':
      return compareValue(BigInt(hardware.read(step.address, accessSize(step.op))), step);
    case 'read':
      return compareBytes(hardware.readMemory(step.address, step.expect.length), step);
    case 'msi':
      hardware.sendMsi(step.deviceId, step.eventId);
      return undefined;
    case 'spi_line':
      hardware.setSpi(step.intid, step.level);
      return undefined;
    case 'ppi_line':
      hardware.setPpi(step.cpu, step.intid, step.level);
      return undefined;
    case 'sysreg_write':
      hardware.writeSystemRegister(step.cpu, registerReached(step.register, step.el), step.value);
      return undefined;
    case 'sysreg_read':
      return compareValue(
        hardware.readSystemRegister(step.cpu, registerReached(step.register, step.el)),
        step,
      );
    case 'note':
      return undefined;
  }
}

/** At EL1 with HCR_EL2.IMO=FMO=1 the encodings of ICC_* registers reach the virtual CPU interface. */
function registerReached(name: string, el: ExceptionLevel): string {
  return el === 1 ? name.replace(/^ICC_/, 'ICV_') : name;
}

function compareValue(
  got: bigint,
  { expect, mask }: ReadStep | SystemRegisterReadStep,
): Difference | undefined {
  if (((got ^ expect) & (mask ?? -1n)) === 0n) return undefined;
  return { expected: hex(expect), got: hex(got), ...(mask !== undefined && { mask: hex(mask) }) };
}

function compareBytes(got: Uint8Array, { expect, firstIntid }: ReadBytesStep): Difference | undefined {
  if (got.length === expect.length && got.every((byte, index) => byte === expect[index])) return undefined;
  const text = firstIntid === undefined ? hexBytes : (bytes: Uint8Array) => pendingText(bytes, firstIntid);
  return { expected: text(expect), got: text(got) };
}

function pendingText(bytes: Uint8Array, firstIntid: number): string {
  const intids = Array.from({ length: 8 * bytes.length }, (_, bit) => bit)
    .filter((bit) => (bytes[bit >> 3]! >> (bit & 7)) & 1)
    .map((bit) => firstIntid + bit);
  return intids.length === 0 ? 'nothing pending' : `pending ${intids.join(' ')}`;
}

function placeOf(step: Step): Partial<VectorFailure> {
  return {
    ...('what' in step && { what: step.what }),
    ...('quirk' in step && { quirk: step.quirk }),
    ...('address' in step && { address: hex(step.address) }),
    ...('cpu' in step && { cpu: step.cpu }),
    ...('register' in step && { register: step.register }),
  };
}

function hex(value: number | bigint): string {
  return `0x${value.toString(16)}`;
}

function hexBytes(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
