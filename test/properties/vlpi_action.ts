import fc from 'fast-check';

/** What software does: how often, relative to the rest. */
const weights = {
  msi: 40,
  int: 6,
  clear: 4,
  map: 6,
  discard: 3,
  moveEvent: 8,
  moveVpe: 5,
  unmapVpe: 2,
  mapVpe: 4,
  scheduleIn: 20,
  scheduleOut: 8,
  acknowledge: 24,
  end: 14,
  mask: 5,
  enableGroup: 3,
  configure: 8,
  takePhysical: 5,
} as const;

/** One thing that software or a device does. */
export interface VlpiAction {
  kind: keyof typeof weights;
  /** Numbers from which the action chooses its operands. */
  a: number;
  b: number;
  c: number;
}

export const vlpiAction: fc.Arbitrary<VlpiAction> = fc.record({
  kind: fc.oneof(
    ...Object.entries(weights).map(([kind, weight]) => ({
      weight,
      arbitrary: fc.constant(kind as keyof typeof weights),
    })),
  ),
  a: fc.nat(255),
  b: fc.nat(255),
  c: fc.nat(255),
});
