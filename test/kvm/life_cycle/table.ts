import { beforeEach, describe, expect, it } from 'vitest';
import type { KernelEra } from '../../../bindings/index.ts';
import { ERAS, type Lab, type LabOptions, lab, type Picture } from '../system.ts';

/** One interrupt of vCPU 0, and everything that can happen to it. vCPU 1 acts from outside; PE 2 is free. */
export class Life {
  constructor(
    readonly lab: Lab,
    readonly intid: number,
    readonly kvm: KernelEra,
    readonly eoiMode: 0 | 1,
    readonly wire: { raise(lab: Lab): void; lower?(lab: Lab): void },
  ) {}

  rise = (): void => this.wire.raise(this.lab);
  fall = (): void => this.wire.lower?.(this.lab);

  ack = (): void => {
    expect(this.guest.ack()).toBe(this.intid);
  };

  /** The guest ends it: EOIR, and with EOImode 1 DIR. */
  end = (): void => {
    this.guest.eoi(this.intid);
    if (this.eoiMode) this.guest.deactivate(this.intid);
  };

  exit = (): void => this.guest.hvc();
  stop = (): void => this.lab.vcpu().stop();
  run = (cpu = 0): void => {
    this.lab.vcpu().run(cpu);
  };
  enable = (): void => this.lab.set('ISENABLER', this.intid, { owner: 0, by: 1 });
  disable = (): void => this.lab.set('ICENABLER', this.intid, { owner: 0, by: 1 });

  get guest() {
    return this.lab.vcpu().guest;
  }
}

export interface Outcome extends Partial<Picture> {
  /** The host's interrupt. */
  readonly physical?: string;
  /** Exits of vCPU 0 that the event cost. */
  readonly exits?: number | ((life: Life) => number);
}

export interface Row {
  readonly event: string;
  readonly given?: (life: Life) => void;
  readonly when: (life: Life) => void;
  readonly result: Outcome;
  /** What else must hold. */
  readonly and?: (life: Life) => void;
}

export interface Kind {
  readonly kind: string;
  readonly intid: number;
  readonly options?: LabOptions;
  readonly eras?: readonly KernelEra[];
  readonly eoiModes?: readonly (0 | 1)[];
  readonly setUp?: (lab: Lab) => void;
  readonly raise: (lab: Lab) => void;
  readonly lower?: (lab: Lab) => void;
  readonly hostIntid?: number;
  readonly rows: readonly Row[];
}

function check(
  life: Life,
  { physical, exits, ...picture }: Outcome,
  taken: number,
  hostIntid?: number,
): void {
  const found = life.lab.picture(life.intid);
  expect(found).toEqual({ ...found, ...picture });
  if (exits !== undefined) expect(taken, 'exits').toBe(typeof exits === 'number' ? exits : exits(life));
  if (physical === undefined) return;
  expect(life.lab.physical(hostIntid as number, life.lab.vcpu().cpu ?? 0), 'physical').toBe(physical);
}

/** Each row in each era and EOImode, on a machine of its own. */
export function lifeCycle(kind: Kind): void {
  const { eras = ERAS, eoiModes = [0, 1] } = kind;
  const variants = eras.flatMap((kvm) => eoiModes.map((eoiMode) => ({ kvm, eoiMode })));
  describe.each(variants)(`3.9 ${kind.kind}, kernel $kvm, EOImode $eoiMode`, ({ kvm, eoiMode }) => {
    let life: Life;
    beforeEach(async () => {
      const host = await lab({ cpus: 3, ...kind.options, kvm, eoiMode });
      life = new Life(host, kind.intid, kvm, eoiMode, kind);
      kind.setUp?.(host);
      life.enable();
    });

    it.each(kind.rows)('$event', ({ given, when, result, and }) => {
      given?.(life);
      const taken = life.lab.exitsOf(() => when(life));
      check(life, result, taken, kind.hostIntid);
      and?.(life);
    });
  });
}

/** Events one after the other. */
export function steps(
  ...events: (keyof Life &
    ('rise' | 'fall' | 'ack' | 'end' | 'exit' | 'stop' | 'run' | 'enable' | 'disable'))[]
) {
  return (life: Life): void => {
    for (const event of events) life[event]();
  };
}

/** 6.19 traps ICV_DIR_EL1 while any SPI is pending or active. */
export const dirTraps = ({ kvm, eoiMode }: Life): number => (kvm === '6.19' && eoiMode === 1 ? 1 : 0);
