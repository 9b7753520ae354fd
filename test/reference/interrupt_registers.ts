import { field, numberField, place } from './bits.ts';
import type { Frame, Register } from './frame.ts';
import type { Interrupt, InterruptBank } from './interrupt.ts';

/** Offsets of the first register of each array. */
export interface StateOffsets {
  readonly IGROUPR: number;
  readonly ISENABLER: number;
  readonly ICENABLER: number;
  readonly ISPENDR: number;
  readonly ICPENDR: number;
  readonly ISACTIVER: number;
  readonly ICACTIVER: number;
  readonly IPRIORITYR: number;
  readonly ICFGR: number;
}

/** The offsets in the Distributor and in the SGI frame of a Redistributor: sections 2.1 and 3.9. */
export const stateOffsets: StateOffsets = {
  IGROUPR: 0x0080,
  ISENABLER: 0x0100,
  ICENABLER: 0x0180,
  ISPENDR: 0x0200,
  ICPENDR: 0x0280,
  ISACTIVER: 0x0300,
  ICACTIVER: 0x0380,
  IPRIORITYR: 0x0400,
  ICFGR: 0x0c00,
};

/** The offsets in the Distributor for Extended SPIs: section 2.1. */
export const extendedSpiOffsets: StateOffsets = {
  IGROUPR: 0x1000,
  ISENABLER: 0x1200,
  ICENABLER: 0x1400,
  ISPENDR: 0x1600,
  ICPENDR: 0x1800,
  ISACTIVER: 0x1a00,
  ICACTIVER: 0x1c00,
  IPRIORITYR: 0x2000,
  ICFGR: 0x3000,
};

/** What a unit allows of the interrupts that it keeps. */
export interface StateRules {
  /** Bits of a priority that are stored. */
  readonly priorityMask: number;
  /** Whether ICFGR can change the interrupt's trigger. */
  readonly configurable: (intid: number) => boolean;
}

/**
 * Defines the state registers of 32 interrupts from INTID `first` on: number `block` of the 32-interrupt blocks that
 * each array covers. Fields of INTIDs that the bank lacks read as zero and ignore writes.
 */
export function defineStateRegisters(
  frame: Frame,
  bank: InterruptBank,
  offsets: StateOffsets,
  block: number,
  first: number,
  rules: StateRules,
): void {
  const define = (name: keyof StateOffsets, test: Test, apply: Apply): void => {
    frame.define(offsets[name] + 4 * block, bitRegister(bank, first, test, apply));
  };
  const isEnabled: Test = (interrupt) => interrupt.enabled;
  const isPending: Test = (interrupt) => interrupt.pending;
  const isActive: Test = (interrupt) => interrupt.active;

  define(
    'IGROUPR',
    (interrupt) => interrupt.group === 1,
    (interrupt, one) => {
      interrupt.group = one ? 1 : 0;
    },
  );
  define('ISENABLER', isEnabled, (interrupt, one) => {
    if (one) interrupt.enabled = true;
  });
  define('ICENABLER', isEnabled, (interrupt, one) => {
    if (one) interrupt.enabled = false;
  });
  define('ISPENDR', isPending, (interrupt, one) => {
    if (one) interrupt.latch = true;
  });
  // Section 1.2: a level-sensitive interrupt stays pending while its line is high.
  define('ICPENDR', isPending, (interrupt, one) => {
    if (one) interrupt.latch = false;
  });
  define('ISACTIVER', isActive, (interrupt, one) => {
    if (one) interrupt.active = true;
  });
  define('ICACTIVER', isActive, (interrupt, one) => {
    if (one) interrupt.active = false;
  });
  for (let n = 0; n < 8; n++) {
    // The array ends with INTID 1019.
    if (first + 4 * n === 1020) continue;
    frame.define(offsets.IPRIORITYR + 32 * block + 4 * n, priorityRegister(bank, first + 4 * n, rules));
  }
  for (let n = 0; n < 2; n++) {
    frame.define(offsets.ICFGR + 8 * block + 4 * n, configRegister(bank, first + 16 * n, rules));
  }
}

type Test = (interrupt: Interrupt) => boolean;
type Apply = (interrupt: Interrupt, one: boolean) => void;

function bitRegister(bank: InterruptBank, first: number, test: Test, apply: Apply): Register {
  return {
    width: 32,
    read: () => {
      let value = 0n;
      for (let n = 0; n < 32; n++) {
        const interrupt = bank.get(first + n);
        if (interrupt && test(interrupt)) value |= place(1, n);
      }
      return value;
    },
    write: (value) => {
      for (let n = 0; n < 32; n++) {
        const interrupt = bank.get(first + n);
        if (interrupt) apply(interrupt, field(value, n) === 1n);
      }
    },
  };
}

function priorityRegister(bank: InterruptBank, first: number, { priorityMask }: StateRules): Register {
  return {
    width: 32,
    narrow: 1,
    read: () => {
      let value = 0n;
      for (let n = 0; n < 4; n++) value |= place(bank.get(first + n)?.priority ?? 0, 8 * n);
      return value;
    },
    write: (value, written) => {
      for (let n = 0; n < 4; n++) {
        const interrupt = bank.get(first + n);
        if (interrupt && field(written, 8 * n) === 1n) {
          interrupt.priority = numberField(value, 8 * n + 7, 8 * n) & priorityMask;
        }
      }
    },
  };
}

function configRegister(bank: InterruptBank, first: number, { configurable }: StateRules): Register {
  return {
    width: 32,
    read: () => {
      let value = 0n;
      for (let n = 0; n < 16; n++) {
        if (bank.get(first + n)?.edge) value |= place(1, 2 * n + 1);
      }
      return value;
    },
    write: (value) => {
      for (let n = 0; n < 16; n++) {
        const interrupt = bank.get(first + n);
        if (interrupt && configurable(first + n)) interrupt.edge = field(value, 2 * n + 1) === 1n;
      }
    },
  };
}
