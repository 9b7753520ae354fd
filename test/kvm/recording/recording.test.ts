import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { readAccesses } from './accesses.ts';
import { ofVcpus } from './rounds.ts';
import { type Exit, type Step, stepsOf } from './steps.ts';
import { kindOf, VgicReplay } from './vgic_replay.ts';

const file = fileURLToPath(
  new URL('../../fixtures/kvm/linux-6.1-kvm-direct-injection-vcpus.txt.gz', import.meta.url),
);
const accesses = readAccesses(file);
const steps = stepsOf(accesses);
/** Bit 61 of a list register. */
const HW = 1n << 61n;
/** Up to here each kind of interrupt has been loaded. */
const EXCERPT = 302_000;

function countBy<T>(list: readonly T[], key: (one: T) => string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const one of list) counts[key(one)] = (counts[key(one)] ?? 0) + 1;
  return counts;
}

describe('the recording of Linux 6.1 and KVM, as steps of the run loop', () => {
  it('every write of a list register belongs to an entry, to an exit, or to the start of KVM', () => {
    const written = accesses.filter(({ what }) => what.startsWith('w ICH_LR')).length;
    const loaded = steps.reduce((sum, step) => sum + (step.kind === 'entry' ? step.lists.length : 0), 0);
    const cleared = steps.reduce((sum, step) => sum + (step.kind === 'exit' ? step.cleared : 0), 0);
    // __vgic_v3_init_lrs: four list registers on each of four PEs. Our hardware starts with them empty.
    const atStart = steps.filter(({ kind }) => kind === 'clear').length;
    expect({ written, loaded, cleared, atStart }).toEqual({
      written: 106_644,
      loaded: 53_314,
      cleared: 53_314,
      atStart: 16,
    });
  });

  it('an exit clears what its entry has loaded', () => {
    const last = new Map<number, number>();
    const differing = steps.filter((step) => {
      if (step.kind === 'entry') last.set(step.cpu, step.lists.length);
      return step.kind === 'exit' && step.cleared !== last.get(step.cpu);
    });
    expect(differing).toEqual([]);
  });

  it('never more on the list than there are list registers: nothing is sorted, and the order is that of arrival', () => {
    const used = countBy(steps, (step) => (step.kind === 'entry' ? `${step.lists.length}` : 'other'));
    expect(used).toEqual({ 0: 17_369, 1: 38_118, 2: 5594, 3: 1336, other: expect.any(Number) });
  });

  it('how often KVM does what', () => {
    expect(countBy(steps, ({ kind }) => kind)).toEqual({
      clear: 16,
      load: 18_008,
      put: 18_008,
      'begin-wfi': 5075,
      'end-wfi': 5075,
      entry: 62_417,
      // Exits with nothing on the list leave no trace.
      exit: 46_156,
      guest: 72_969,
      line: 81_080,
      'host-timer': 26_453,
      deactivation: 22,
    });
  });
});

describe('the same on our VGIC', () => {
  let replay: VgicReplay;
  beforeAll(async () => {
    replay = await VgicReplay.of(ofVcpus(steps));
  }, 60_000);

  it('everything that was compared is the same', () => {
    expect(replay.comparison.differences).toEqual([]);
  });

  it('every write of a list register: which one, state, HW and pINTID or EOI, group, priority, INTID', () => {
    const writes = Object.entries(replay.comparison.equals).filter(([what]) => what.startsWith('ICH_LR: '));
    expect(Object.fromEntries(writes)).toEqual({
      'ICH_LR: timer': 42_165,
      'ICH_LR: SGI': 6137,
      'ICH_LR: SPI': 4922,
      'ICH_LR: LPI': 90,
      'ICH_LR: zero': 53_314,
    });
  });

  it('and the rest of what KVM and the guest wrote and read', () => {
    const rest = Object.entries(replay.comparison.equals).filter(([what]) => !what.startsWith('ICH_LR: '));
    expect(Object.fromEntries(rest)).toEqual({
      'ICH_LR read': 19_031,
      ICH_ELRSR_EL2: 46_156,
      entries: 62_417,
      'ICH_HCR_EL2 after a load': 18_008,
      'ICH_HCR_EL2 after a put': 18_008,
      'ICH_HCR_EL2 after an entry': 62_417,
      'ICH_HCR_EL2 after an exit': 46_156,
      'ICH_HCR_EL2 after an exit with an empty list': 16_261,
      'ICH_VMCR_EL2 after a load': 18_008,
      'ICH_AP0R0_EL2 after a load': 18_008,
      'ICH_AP1R0_EL2 after a load': 18_008,
      'ICH_VMCR_EL2 after a put': 18_008,
      'ICH_AP0R0_EL2 after a put': 18_008,
      'ICH_AP1R0_EL2 after a put': 18_008,
      'ISACTIVER0 of a load': 14_981,
      'ICACTIVER0 of a load': 3027,
      'ICACTIVER0 of a fold': 22,
      'PPI 27 taken by the host': 26_453,
      'PPI 27 at an entry': 62_417,
      ICV_IAR1_EL1: 36_466,
      ICV_CTLR_EL1: 9,
      ICV_PMR_EL1: 6,
    });
  });

  it('what the recording does not tell, and had to be found in it: when interrupts came in', () => {
    // The timer's are not among them: its line was recorded. Where the order of the list does not say more, an interrupt
    // comes right before the entry that loads it.
    expect(replay.injected).toEqual({
      'SGI, entry': 2021,
      'SGI, exit': 940,
      'SGI, guest': 1106,
      'SPI, entry': 50,
      'SPI, exit': 18,
      'SPI, guest': 2,
      'SPI falls, entry': 68,
      'SPI falls, guest': 2,
      'LPI, entry': 56,
      'LPI, exit': 6,
      'LPI, guest': 10,
      VLPI: 2106,
    });
  });
});

describe('the comparison', () => {
  it('sees a changed list register of each kind, written or read, a changed ICH_ELRSR_EL2 and a changed PPI', async () => {
    const excerpt = stepsOf(accesses.slice(0, EXCERPT));
    const changed = [...lastWrites(excerpt), lastRead(excerpt), lastEmpty(excerpt), lastLoad(excerpt)];
    const { comparison } = await VgicReplay.of(ofVcpus(excerpt));
    // The PPI stays changed for the entries that follow.
    const found = comparison.differences.filter(({ what }) => what !== 'PPI 27 at an entry');
    expect(found.map(({ what, at }) => `${what} ${at}`).sort()).toEqual(changed.sort());
    expect(comparison.differences.length).toBeGreaterThan(found.length);
  });
});

/** Spoils the last list register of each kind that was written; says which. */
function lastWrites(excerpt: readonly Step[]): string[] {
  const places = new Map<string, [bigint[], number, number]>();
  for (const step of excerpt) {
    if (step.kind !== 'entry') continue;
    for (const [n, value] of step.lists.entries()) places.set(kindOf(value), [step.lists, n, step.at]);
  }
  return [...places].map(([kind, [lists, n, at]]) => {
    lists[n] = (lists[n] as bigint) ^ HW;
    return `ICH_LR: ${kind} ${at}`;
  });
}

function lastRead(excerpt: readonly Step[]): string {
  const exit = excerpt.findLast((step): step is Exit => step.kind === 'exit' && step.lists.size > 0) as Exit;
  const [[n, value]] = [...exit.lists] as [[number, bigint]];
  exit.lists.set(n, value ^ HW);
  return `ICH_LR read ${exit.at}`;
}

function lastEmpty(excerpt: readonly Step[]): string {
  const at = excerpt.findLastIndex((step) => step.kind === 'exit');
  const exit = excerpt[at] as Exit;
  Object.assign(exit, { empty: exit.empty ^ 8n });
  return `ICH_ELRSR_EL2 ${exit.at}`;
}

function lastLoad(excerpt: readonly Step[]): string {
  const load = excerpt.findLast((step) => step.kind === 'load' && !step.active && !step.expired);
  if (load?.kind !== 'load') throw new Error('no such load');
  load.active = true;
  return `ISACTIVER0 of a load ${load.at}`;
}
