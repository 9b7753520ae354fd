// The recording as steps of KVM's run loop. Each is one or several accesses that always come together on a PE.
import type { Access } from './accesses.ts';

/** Where a step stands in the recording, and on which PE it happens. */
interface Place {
  at: number;
  readonly cpu: number;
}

/** kvm_arch_vcpu_load. */
export interface Load extends Place {
  readonly kind: 'load';
  /** vPE that became resident; undefined for a vCPU that is in WFI. */
  vpe: bigint | undefined;
  /** The PPI of the virtual timer was made active. */
  active: boolean;
  /** The timer's line was high as soon as the timer was restored. */
  expired: boolean;
  /** What was written into ICH_VMCR_EL2 and ICH_AP<m>R0_EL2. */
  readonly registers: Map<string, bigint>;
}

/** kvm_arch_vcpu_put. */
export interface Put extends Place {
  readonly kind: 'put';
  /** What was read from ICH_VMCR_EL2 and ICH_AP<m>R0_EL2. */
  readonly registers: Map<string, bigint>;
}

/** The begin of kvm_vcpu_wfi, and its end, with the vPE that became resident. */
export interface BeginWfi extends Place {
  readonly kind: 'begin-wfi';
  readonly vmcr: bigint;
}
export interface EndWfi extends Place {
  readonly kind: 'end-wfi';
  readonly vpe: bigint;
}

/** kvm_vgic_flush_hwstate: the list registers that were written. */
export interface Entry extends Place {
  readonly kind: 'entry';
  readonly lists: bigint[];
}

/** kvm_vgic_sync_hwstate with something on the list. */
export interface Exit extends Place {
  readonly kind: 'exit';
  readonly empty: bigint;
  /** List registers that were read, by number; those that ICH_ELRSR_EL2 tells to be empty were not. */
  readonly lists: Map<number, bigint>;
  /** List registers that were cleared. */
  cleared: number;
}

/** The guest's access to its CPU interface. */
export interface Guest extends Place {
  readonly kind: 'guest';
  readonly register: string;
  readonly write: boolean;
  readonly value: bigint;
}

export interface TimerLine extends Place {
  readonly kind: 'line';
  readonly level: boolean;
}

/** The host takes the interrupt of the virtual timer. */
export interface HostTimer extends Place {
  readonly kind: 'host-timer';
}

/** The timer's PPI is made inactive other than by a load. */
export interface Deactivation extends Place {
  readonly kind: 'deactivation';
}

/** A list register is cleared when KVM starts (__vgic_v3_init_lrs). */
export interface Clear extends Place {
  readonly kind: 'clear';
}

export type Step =
  | Load
  | Put
  | BeginWfi
  | EndWfi
  | Entry
  | Exit
  | Guest
  | TimerLine
  | HostTimer
  | Deactivation
  | Clear;

const VALID = 1n << 63n;
const TABLE_BITS = 0x000f_ffff_ffff_0000n;
const TIMER = 1n << 27n;

/** Puts the accesses of one PE together. */
class StepReader {
  readonly steps: Step[] = [];
  /** Step of several accesses that may get more. */
  #open: Load | Put | BeginWfi | Entry | Exit | undefined;
  #last = '';

  take(access: Access): void {
    if (access.what.includes(' ICH_LR')) this.#list(access);
    else if (access.what.includes(' ICV_')) this.#guest(access);
    else if (access.what.includes(' ICH_')) this.#interface(access);
    else if (access.what === 'line') this.#line(access);
    else this.#host(access);
    this.#last = access.what;
  }

  /** The n-th list register of an entry or an exit, or one that is cleared as KVM starts. */
  #list({ at, cpu, what, value }: Access): void {
    const n = Number(what.slice(8, -4));
    const open = this.#open;
    if (!open && value === 0n) this.steps.push({ kind: 'clear', at, cpu });
    else if (open?.kind === 'entry' && value !== 0n && open.lists.length === n) open.lists.push(value);
    else if (open?.kind === 'exit' && open.cleared === n) {
      open.at = at;
      if (what.startsWith('r')) open.lists.set(n, value);
      else open.cleared++;
    } else throw new Error(`line ${at}: ${what} out of place`);
  }

  #guest({ at, cpu, what, value }: Access): void {
    this.steps.push({ kind: 'guest', at, cpu, register: what.slice(2), write: what.startsWith('w'), value });
  }

  #line({ at, cpu, value }: Access): void {
    // The timer is the last thing that a load restores.
    if (this.#open?.kind === 'load' && this.#last === 'w GICR_ICACTIVER0') this.#open.expired = value === 1n;
    this.steps.push({ kind: 'line', at, cpu, level: value === 1n });
  }

  #interface(access: Access): void {
    const { at, cpu, what, value } = access;
    const open = this.#open;
    switch (what) {
      case 'w ICH_VMCR_EL2':
        return this.#start({
          kind: 'load',
          at,
          cpu,
          vpe: undefined,
          active: false,
          expired: false,
          registers: new Map([['ICH_VMCR_EL2', value]]),
        });
      case 'r ICH_VMCR_EL2':
        return this.#start({ kind: 'begin-wfi', at, cpu, vmcr: value });
      case 'r ICH_ELRSR_EL2':
        return this.#start({ kind: 'exit', at, cpu, empty: value, lists: new Map(), cleared: 0 });
      case 'w ICH_HCR_EL2':
        return this.#hcr(access);
      default:
        if (open?.kind === 'begin-wfi') this.#becomePut(open);
        if (this.#open?.kind === 'load' || this.#open?.kind === 'put')
          this.#open.registers.set(what.slice(2), value);
    }
  }

  /** What looked like the begin of WFI, where ICH_VMCR_EL2 alone is read, is a put. */
  #becomePut({ at, cpu, vmcr }: BeginWfi): void {
    this.steps.pop();
    this.#start({ kind: 'put', at, cpu, registers: new Map([['ICH_VMCR_EL2', vmcr]]) });
  }

  #start(step: Load | Put | BeginWfi | Entry | Exit): void {
    this.#open = step;
    this.steps.push(step);
  }

  /** The last access of a put, the second of an exit, the first of an entry; and one in the middle of a load. */
  #hcr({ at, cpu, value }: Access): void {
    if (value === 0n) {
      if (this.#open) this.#open.at = at;
    } else if (this.#last !== 'w ICH_AP1R0_EL2') this.#start({ kind: 'entry', at, cpu, lists: [] });
  }

  #host({ at, cpu, what, value }: Access): void {
    const open = this.#open;
    const inLoad = open?.kind === 'load' && ['w ICH_HCR_EL2', 'w GICR_VPENDBASER'].includes(this.#last);
    if (what === 'r ICC_IAR1_EL1') this.steps.push({ kind: 'host-timer', at, cpu });
    else if (what === 'w GICR_VPENDBASER') {
      if ((value & VALID) === 0n) return;
      if (inLoad) open.vpe = value & TABLE_BITS;
      else this.steps.push({ kind: 'end-wfi', at, cpu, vpe: value & TABLE_BITS });
    } else if (value !== TIMER) return;
    else if (inLoad) Object.assign(open, { at, active: what === 'w GICR_ISACTIVER0' });
    else this.steps.push({ kind: 'deactivation', at, cpu });
  }
}

/** All steps in the order of the recording. */
export function stepsOf(accesses: readonly Access[]): Step[] {
  const readers = new Map<number, StepReader>();
  for (const access of accesses) {
    const reader = readers.get(access.cpu) ?? new StepReader();
    readers.set(access.cpu, reader);
    reader.take(access);
  }
  return [...readers.values()].flatMap(({ steps }) => steps).sort((a, b) => a.at - b.at);
}
