import fc from 'fast-check';
import type { DriverAction, KernelEra } from '../../../bindings/index.ts';
import { type AnySystem, type Scenario, scenario } from '../scenario.ts';
import { VINTID } from '../system.ts';

/** Operations at the beginning that need no VM. */
const PHYSICAL_OPERATIONS = 7;

/** Every operation of the library, with small numbers to choose its operands by; most of them refused at times. */
const operations: readonly ((s: Scenario, a: number, b: number) => void)[] = [
  (s, a) => s.device.irqs[a]?.activate(a % 4),
  (s, a) => s.device.irqs[a]?.deactivate(),
  (s, a) => s.device.irqs[a]?.mask(),
  (s, a) => s.device.irqs[a]?.unmask(),
  (s, a, b) => s.device.irqs[a]?.setAffinity(b % 4),
  (s, a, b) => s.device.irqs[a]?.setPending(b % 2 === 0),
  (s, a) => s.device.irqs[a]?.retrigger(),
  (s, a, b) => {
    const irq = s.device.irqs[a];
    if (irq) s.forward({ irq, vpe: b % 3, vIntid: VINTID + a, doorbell: b > 3 });
  },
  (s, a, b) => {
    const irq = s.device.irqs[a];
    if (irq) s.forward({ irq, vpe: b % 3, vIntid: VINTID + a });
  },
  (s, a) => s.device.irqs[a]?.unmapVlpi(),
  (s, a, b) => s.device.irqs[a]?.updateVlpi({ priority: 4 * b, enabled: b % 2 === 0 }, b > 3),
  (s, a) => s.vpe(a % 3).doorbell.activate(),
  (s, a) => s.vpe(a % 3).doorbell.deactivate(),
  (s, a) => s.vpe(a % 3).doorbell.mask(),
  (s, a) => s.vpe(a % 3).doorbell.unmask(),
  (s, a, b) => s.vpe(a % 3).doorbell.setAffinity(b % 4),
  (s, a, b) => s.vpe(a % 3).doorbell.setPending(b % 2 === 0),
  (s, a, b) => s.vpe(a % 3).schedule(b % 4),
  (s, a, b) => s.vpe(a % 3).deschedule({ doorbell: b % 2 === 0 }),
  (s, a) => s.vpe(a % 3).commit(),
  (s, a) => s.vpe(a % 3).invall(),
  (s, a, b) => {
    const sgis = s.vpe(a % 3).createSgis();
    for (const sgi of sgis.slice(0, 3)) {
      sgi.activate();
      sgi.unmask();
      sgi.setPending(true);
      sgi.setPending(false);
      sgi.update({ priority: 0x10 * b, group: 1 });
      sgi.deactivate();
    }
  },
];

/** Which operation, and two small numbers for its operands. */
export type RandomStep = readonly [number, number, number];

export const randomSteps = fc.array(fc.tuple(fc.nat(operations.length - 1), fc.nat(7), fc.nat(7)), {
  minLength: 30,
  maxLength: 80,
});

/** Operations by number on a device and a VM of three vPEs; those that the driver refuses do nothing. What it did. */
export async function runRandomly(
  name: AnySystem,
  kvm: KernelEra,
  steps: readonly RandomStep[],
): Promise<readonly DriverAction[]> {
  const s = await scenario(name, kvm, { vpes: 3 });
  const hasVm = s.system.machine.config.architecture !== 'GICv3';
  const usable = operations.filter((_, n) => hasVm || n < PHYSICAL_OPERATIONS);
  for (const [n, a, b] of steps) {
    const operation = usable[n % usable.length] as (typeof operations)[number];
    s.trace(() => operation(s, a, b));
  }
  return s.system.log;
}
