import type { StressShape } from './shape.ts';

/** What was published of a kernel: LPIs injected a second. */
export interface PublishedResult {
  readonly shape: StressShape;
  /** Linux 6.8-rc1. */
  readonly before: number;
  /** The same with the branch lpi-xa-cache, which was merged later. */
  readonly after: number;
}

/** From the text of that merge. It does not tell the iterations of the third one: they are taken to be the second's. */
export const publishedResults: readonly PublishedResult[] = [
  { shape: shape(1, 1, 1, 1_000_000), before: 2_063_297, after: 1_362_602 },
  { shape: shape(16, 16, 16, 10_000), before: 610_678, after: 5_200_910 },
  { shape: shape(16, 16, 17, 10_000), before: 678_361, after: 5_890_675 },
  { shape: shape(32, 32, 1, 100_000), before: 580_919, after: 8_304_553 },
  { shape: shape(1, 1, 17, 1_000), before: 1_512_444, after: 1_425_954 },
];

/** How to read them beside the engine's. */
export const PUBLISHED_CAVEAT =
  "Published numbers of Linux's vgic_lpi_stress on Arm hardware count injections alone: a thread for each device calls " +
  'KVM_SIGNAL_MSI while real guests handle on other cores; what coalesces counts too. The engine does all on one thread, ' +
  'without system calls, and each of its injections is delivered. The numbers are not of the same thing on one machine.';

/** The published numbers of a shape, where there are any. */
export function publishedFor(wanted: StressShape): PublishedResult | undefined {
  return publishedResults.find(({ shape: own }) => {
    return own.vcpus === wanted.vcpus && own.devices === wanted.devices && own.events === wanted.events;
  });
}

function shape(vcpus: number, devices: number, events: number, iterations: number): StressShape {
  return { vcpus, devices, events, iterations };
}
