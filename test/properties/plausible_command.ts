import { type MachineConfig, redistributorStride } from '../../bindings/config.ts';
import { SCRATCH } from '../its/fixture.ts';

const VALID = 1n << 63n;
const NO_DOORBELL = 1023n;

/** Command numbers of every architecture; most random numbers would be unknown commands. */
const numbers = [
  0x01, 0x03, 0x04, 0x05, 0x08, 0x08, 0x09, 0x09, 0x0a, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x21, 0x22, 0x23,
  0x25, 0x29, 0x29, 0x2a, 0x2a, 0x2b, 0x2d, 0x2e,
];

/** A command drawn from two numbers whose operands are small, so that many name what others have mapped. */
export function plausibleCommand(config: MachineConfig, a: number, b: number): BigUint64Array {
  const number = numbers[a % numbers.length] as number;
  const bits = (from: number, count: number): bigint => BigInt((b >>> from) & ((1 << count) - 1));
  const ram = BigInt(config.ram.base + SCRATCH);
  const target = (cpu: bigint): bigint => {
    const { cpus, physicalTargetAddresses, addressMap } = config;
    const known = cpu % BigInt(cpus + 1);
    const rdBase = BigInt(addressMap.gicr) + known * BigInt(redistributorStride(config));
    return physicalTargetAddresses ? rdBase : known << 16n;
  };
  const valid = bits(30, 2) === 0n ? 0n : VALID;
  const deviceId = bits(0, 2);
  const eventId = bits(5, 3);
  const lpi = 8192n + bits(9, 5);
  const vpe = bits(14, 2) << 32n;
  const doorbell = (bits(16, 1) ? NO_DOORBELL : 8192n + bits(17, 3)) << 32n;
  const rdBase = target(bits(20, 3));
  const name = BigInt(number) | (deviceId << 32n);
  const pages = (index: bigint): bigint => ram + (index << 16n);
  switch (number) {
    case 0x08:
      return BigUint64Array.of(name, 4n + bits(8, 3), valid | pages(bits(5, 3)), 0n);
    case 0x0a:
      return BigUint64Array.of(name, eventId | (lpi << 32n), bits(23, 2), 0n);
    case 0x0b:
      return BigUint64Array.of(name, lpi, bits(23, 2), 0n);
    case 0x0e:
      return BigUint64Array.of(name, 0n, rdBase, target(bits(0, 3)));
    case 0x21:
      return BigUint64Array.of(name, eventId | vpe, doorbell | bits(19, 1), 0n);
    case 0x22:
      return BigUint64Array.of(
        BigInt(number) | (bits(0, 1) << 32n),
        bits(1, 3) | vpe,
        rdBase | (bits(4, 1) << 63n),
        lpi,
      );
    case 0x23:
      return BigUint64Array.of(
        BigInt(number) | (bits(0, 4) << 32n) | (bits(4, 3) << 8n) | (bits(7, 4) << 20n),
        vpe,
        0n,
        0n,
      );
    case 0x29: {
      const configuration = pages(8n) | (bits(4, 2) << 8n);
      return BigUint64Array.of(
        BigInt(number) | (config.architecture === 'GICv4.1' ? configuration : 0n),
        (doorbell >> 32n) | vpe,
        valid | rdBase,
        pages(9n + bits(14, 2)) | 13n,
      );
    }
    case 0x2a:
      return BigUint64Array.of(name, eventId | vpe, doorbell | lpi, 0n);
    case 0x2b:
      return BigUint64Array.of(name, lpi | vpe, doorbell, 0n);
    default:
      return BigUint64Array.of(name, eventId | vpe, bits(23, 2) | rdBase | valid, 0n);
  }
}
