// The operations of the irqchip layer as the recording shows them: for each kind of owner a grammar over its steps.
import { type Owner, Owners, ownerKey } from './owners.ts';
import type { Step } from './steps.ts';

/** its_cpu_init. */
const bootOfPe = 'GICR_PROPBASER GICR_PENDBASER GICR_CTLR GICR_VPROPBASER GICR_VPENDBASER- MAPC INVALL ';

/**
 * Each operation with the steps that it consists of, in the order in which they are tried. `+` and `-` are V=1 and V=0,
 * or an enabled and a disabled interrupt; a command word includes its SYNC or VSYNC.
 */
const grammars = {
  machine: {
    boot: `GICR_WAKER (GITS_[A-Z0-9]+ )+MAPD\\+ ${bootOfPe}(GICR_WAKER ${bootOfPe})*`,
  },
  device: {
    createDevice: 'MAPD\\+ ',
    freeDevice: 'MAPD- ',
  },
  event: {
    activate: 'MAPTI ',
    deactivate: 'DISCARD ',
    mask: 'byte- INV ',
    unmask: 'byte\\+ INV ',
    setAffinity: 'MOVI ',
    mapVlpi: 'vbyte[+-] DISCARD VMAPTI ',
    remapVlpi: 'VMOVI\\.vlpi ',
    updateAndInvalidateVlpi: 'vbyte[+-] INV\\.vlpi ',
    unmapVlpi: 'DISCARD\\.vlpi MAPTI byte\\+ INV ',
  },
  vpe: {
    handleDoorbell: 'interrupt byte- INV ',
    activateVpe: 'VMAPP\\+ VINVALL ',
    deactivateVpe: 'VMAPP- ',
    moveVpe: 'VMOVP (MAPTI )?MOVI ',
    schedule: '(byte- INV )?GICR_VPROPBASER GICR_VPENDBASER\\+ ',
    descheduleAndRing: 'byte\\+ INV GICR_VPENDBASER- ',
    deschedule: 'GICR_VPENDBASER- ',
    clearDoorbell: '(MAPTI )?CLEAR ',
    invallVpe: 'VINVALL ',
  },
  vm: {
    freeVm: '(DISCARD )+',
  },
  unknown: {},
} as const satisfies Record<Owner['kind'], Readonly<Record<string, string>>>;

type KeysOfAll<T> = T extends unknown ? keyof T : never;
/** What the driver did; `unexplained` is a step that belongs to no operation. */
export type OperationName = KeysOfAll<(typeof grammars)[Owner['kind']]> | 'unexplained';

export interface Operation {
  readonly name: OperationName;
  readonly owner: Owner;
  readonly steps: readonly Step[];
  /** Where each step stands in the recording. */
  readonly places: readonly number[];
}

/** Steps of one owner so far. */
interface Sequence {
  readonly owner: Owner;
  text: string;
  readonly starts: Map<number, number>;
  readonly places: number[];
}

/** All steps as operations, in the order of their first steps. Each step is in exactly one. */
export function operationsOf(steps: readonly Step[]): Operation[] {
  const sequences = new Map<string, Sequence>();
  const owners = new Owners(steps);
  steps.forEach((step, at) => {
    const owned = owners.of(step, at);
    if (!owned) return;
    const { owner, symbol } = owned;
    const key = ownerKey(owner);
    const sequence: Sequence = sequences.get(key) ?? { owner, text: '', starts: new Map(), places: [] };
    sequences.set(key, sequence);
    sequence.starts.set(sequence.text.length, sequence.places.length);
    sequence.text += `${symbol} `;
    sequence.places.push(at);
  });
  const operations = [...sequences.values()].flatMap((sequence) => parse(sequence, steps));
  return operations.sort((a, b) => (a.places[0] as number) - (b.places[0] as number));
}

function parse({ owner, text, starts, places }: Sequence, steps: readonly Step[]): Operation[] {
  const grammar: Readonly<Record<string, string>> = grammars[owner.kind];
  const rules = Object.entries(grammar).map(
    ([name, pattern]) => [name as OperationName, new RegExp(pattern, 'y')] as const,
  );
  const operations: Operation[] = [];
  for (let at = 0; at < text.length; ) {
    const [name, length] = firstMatch(rules, text, at) ?? ['unexplained', text.indexOf(' ', at) + 1 - at];
    const from = starts.get(at) as number;
    const to = starts.get(at + length) ?? places.length;
    const taken = places.slice(from, to);
    operations.push({ name, owner, steps: taken.map((place) => steps[place] as Step), places: taken });
    at += length;
  }
  return operations;
}

/** Operations that have steps of others between their own, because another PE was at work at the same time. */
export function interleaved(operations: readonly Operation[]): Operation[] {
  const owners = new Map(operations.flatMap((operation) => operation.places.map((at) => [at, operation])));
  const order = [...owners.keys()].sort((a, b) => a - b);
  const rank = new Map(order.map((place, n) => [place, n]));
  return operations.filter(({ places }) => {
    const [first, last] = [places[0], places.at(-1)].map((place) => rank.get(place as number) as number);
    return (last as number) - (first as number) + 1 > places.length;
  });
}

function firstMatch(
  rules: readonly (readonly [OperationName, RegExp])[],
  text: string,
  at: number,
): [OperationName, number] | undefined {
  for (const [name, rule] of rules) {
    rule.lastIndex = at;
    const [match] = rule.exec(text) ?? [];
    if (match) return [name, match.length];
  }
  return undefined;
}
