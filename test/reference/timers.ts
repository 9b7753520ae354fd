import type { MachineConfig } from '../../bindings/config.ts';
import { field, ones, place } from './bits.ts';

type TimerName = 'CNTV' | 'CNTP' | 'CNTHP' | 'CNTHV';

/** One timer of a PE: DDI 0487, the generic timer in AArch64 state. */
interface Timer {
  enabled: boolean;
  masked: boolean;
  compareValue: bigint;
}

const MODULUS = 1n << 64n;
const wrap = (value: bigint): bigint => ((value % MODULUS) + MODULUS) % MODULUS;
const ACCESS = /^(CNTV|CNTP|CNTHP|CNTHV)_(CTL|CVAL|TVAL)_EL[02]$/;

/** The four timers of each PE and the counter that they share, which moves only when it is told to. */
export class Timers {
  readonly #config: MachineConfig;
  readonly #timers: readonly Readonly<Record<TimerName, Timer>>[];
  /** CNTVOFF_EL2 of each PE. */
  readonly #offsets: bigint[];
  #counter = 0n;

  constructor(config: MachineConfig) {
    this.#config = config;
    const timer = (): Timer => ({ enabled: false, masked: false, compareValue: 0n });
    this.#timers = config.affinities.map(() => ({
      CNTV: timer(),
      CNTP: timer(),
      CNTHP: timer(),
      CNTHV: timer(),
    }));
    this.#offsets = config.affinities.map(() => 0n);
  }

  /** CNTPCT_EL0. */
  get counter(): bigint {
    return this.#counter;
  }

  advance(counter: bigint): void {
    this.#counter = counter;
  }

  /** The PPIs that the timers of a PE are wired to, with their levels. */
  lines(cpu: number): { ppi: number; level: boolean }[] {
    const { virtual, physical, hypPhysical, hypVirtual } = this.#config.timerPpis;
    const wires = { CNTV: virtual, CNTP: physical, CNTHP: hypPhysical, CNTHV: hypVirtual };
    return Object.entries(wires)
      .filter(([, ppi]) => ppi !== 0)
      .map(([name, ppi]) => {
        const timer = this.#timers[cpu]![name as TimerName];
        return { ppi, level: !timer.masked && this.#met(cpu, name as TimerName) };
      });
  }

  /** The counter at which the next timer fires that is not masked; undefined while none will. */
  nextDeadline(): bigint | undefined {
    let next: bigint | undefined;
    for (const [cpu, timers] of this.#timers.entries()) {
      for (const [name, { enabled, masked, compareValue }] of Object.entries(timers)) {
        const left = wrap(compareValue - this.#count(cpu, name as TimerName));
        const at = this.#counter + left;
        // A compare value of zero is reached by every count: the timer does not fire anew.
        if (!enabled || masked || compareValue === 0n || left === 0n || at >= MODULUS - 1n) continue;
        if (next === undefined || at < next) next = at;
      }
    }
    return next;
  }

  has(name: string): boolean {
    return ACCESS.test(name) || ['CNTFRQ_EL0', 'CNTPCT_EL0', 'CNTVCT_EL0', 'CNTVOFF_EL2'].includes(name);
  }

  read(cpu: number, name: string): bigint {
    if (name === 'CNTFRQ_EL0') return BigInt(this.#config.timerFrequency);
    if (name === 'CNTPCT_EL0') return this.#counter;
    if (name === 'CNTVCT_EL0') return this.#count(cpu, 'CNTV');
    if (name === 'CNTVOFF_EL2') return this.#offsets[cpu]!;
    const [timerName, register] = parse(name);
    const { enabled, masked, compareValue } = this.#timers[cpu]![timerName];
    if (register === 'CVAL') return compareValue;
    if (register === 'TVAL') return field(compareValue - this.#count(cpu, timerName), 31, 0);
    return place(enabled, 0) | place(masked, 1) | place(this.#met(cpu, timerName), 2);
  }

  /** The counters are read-only. */
  write(cpu: number, name: string, value: bigint): void {
    if (name === 'CNTVOFF_EL2') this.#offsets[cpu] = value;
    if (!ACCESS.test(name)) return;
    const [timerName, register] = parse(name);
    const timer = this.#timers[cpu]![timerName];
    if (register === 'CTL') {
      timer.enabled = field(value, 0) === 1n;
      timer.masked = field(value, 1) === 1n;
    } else if (register === 'CVAL') timer.compareValue = value;
    else timer.compareValue = wrap(this.#count(cpu, timerName) + signed(value & ones(31, 0)));
  }

  /** The count of a timer: CNTVOFF_EL2 applies to the EL1 virtual timer alone. */
  #count(cpu: number, name: TimerName): bigint {
    return name === 'CNTV' ? wrap(this.#counter - this.#offsets[cpu]!) : this.#counter;
  }

  #met(cpu: number, name: TimerName): boolean {
    const { enabled, compareValue } = this.#timers[cpu]![name];
    return enabled && this.#count(cpu, name) >= compareValue;
  }
}

function parse(name: string): [TimerName, string] {
  const [, timer, register] = ACCESS.exec(name)!;
  return [timer as TimerName, register!];
}

function signed(word: bigint): bigint {
  return field(word, 31) === 1n ? word - (1n << 32n) : word;
}
