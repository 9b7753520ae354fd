import { describe, expect, it } from 'vitest';
import type { KernelEra } from '../../../bindings/index.ts';
import { golden } from '../notation.ts';
import { type AnySystem, type Scenario, scenario } from '../scenario.ts';

/** Systems by what they have. GICv4.1 is younger than the driver of 2017. */
export const V3 = ['v3', 'v3DirectLpi'] as const;
export const V4_0 = ['v4', 'v4Proxy', 'v4TwoIts', 'v4ItsList'] as const;
export const V4_1 = ['v4_1', 'v4_1TwoIts', 'v4_1ItsList'] as const;
export const V4 = [...V4_0, ...V4_1] as const;
export const ALL = [...V3, ...V4] as const;
export const DIRECT_LPI_4_0 = ['v4', 'v4TwoIts', 'v4ItsList'] as const;

/** Eras that do the same below the irqchip API. */
export const S: readonly KernelEra[] = ['2017'];
export const M: readonly KernelEra[] = ['5.6', '6.19'];
export const EVERY: readonly KernelEra[] = [...S, ...M];

/** What an operation does on some systems, in some eras. */
type Golden = readonly [systems: readonly AnySystem[], eras: readonly KernelEra[], log: string];

export interface Operation {
  readonly on?: readonly AnySystem[];
  readonly vpes?: number;
  /** ITS of the device. */
  readonly its?: number;
  readonly before?: (s: Scenario) => unknown;
  readonly run: (s: Scenario) => unknown;
  /** Each system and era has exactly one. */
  readonly logs: readonly Golden[];
}

/** Compares what an operation does on each system in each era with its golden log. */
export function operation(name: string, { on = V4, vpes, its, before, run, logs }: Operation): void {
  describe(name, () => {
    for (const system of on) {
      for (const kvm of V4_1.some((one) => one === system) ? M : EVERY) {
        it(`${system}, ${kvm}`, async () => {
          const fitting = logs.filter(([systems, eras]) => systems.includes(system) && eras.includes(kvm));
          expect(fitting.length, 'golden logs').toBe(1);
          const s = await scenario(system, kvm, { ...(vpes && { vpes }), ...(its && { its }) });
          before?.(s);
          expect(s.trace(() => run(s))).toEqual(golden(fitting[0]?.[2] ?? ''));
        });
      }
    }
  });
}
