// Whose steps they are, and each vCPU's rounds: an entry, what the guest does, an exit, what happens until the next entry.
import type {
  BeginWfi,
  Deactivation,
  EndWfi,
  Entry,
  Exit,
  Guest,
  HostTimer,
  Load,
  Put,
  Step,
  TimerLine,
} from './steps.ts';

export type VcpuStep = (
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
) & { vcpu: number };

/** What KVM had on hand for a vCPU between two entries. */
export interface Round {
  readonly entry: Entry;
  /** Undefined where the list was empty, which leaves no trace. */
  exit: Exit | undefined;
}

/** Virtual pending tables of the vPEs, in the order of the vCPUs. */
const vpes: readonly bigint[] = [0x4a3d_0000n, 0x4a3f_0000n];

/** Gives each step its vCPU. Those of a PE that has none loaded are left out. */
export function ofVcpus(steps: readonly Step[]): VcpuStep[] {
  const loaded = new Map<number, number>();
  const owners = ownersOfLoads(steps);
  const found: VcpuStep[] = [];
  for (const step of steps) {
    if (step.kind === 'clear') continue;
    if (step.kind === 'load') loaded.set(step.cpu, owners.get(step) as number);
    const vcpu = loaded.get(step.cpu);
    if (vcpu !== undefined) found.push(Object.assign(step, { vcpu }));
    if (step.kind === 'put') loaded.delete(step.cpu);
  }
  return found;
}

/**
 * A load in WFI does not tell the vCPU. The end of WFI on that PE does, or that the other one is elsewhere or not in WFI;
 * five loads of the recording are of the vCPU that was on the PE before.
 */
function ownersOfLoads(steps: readonly Step[]): Map<Load, number> {
  const owners = ownersByVpe(steps);
  const loaded = new Map<number, number>();
  const lastCpu = new Map<number, number>();
  const inWfi = new Set<number>();
  for (const step of steps) {
    const vcpu = loaded.get(step.cpu) ?? -1;
    if (step.kind === 'load') {
      const left = [...inWfi].filter((n) => ![...loaded.values()].includes(n));
      const known = owners.get(step) ?? left.find((n) => left.length === 1 || lastCpu.get(n) === step.cpu);
      if (known === undefined) throw new Error(`line ${step.at}: a load of either vCPU`);
      owners.set(step, known);
      loaded.set(step.cpu, known);
      lastCpu.set(known, step.cpu);
    } else if (step.kind === 'put') loaded.delete(step.cpu);
    else if (step.kind === 'begin-wfi') inWfi.add(vcpu);
    else if (step.kind === 'end-wfi') inWfi.delete(vcpu);
  }
  return owners;
}

function ownersByVpe(steps: readonly Step[]): Map<Load, number> {
  const owners = new Map<Load, number>();
  const open = new Map<number, Load>();
  for (const step of steps) {
    const load = open.get(step.cpu);
    if (step.kind === 'load') {
      open.set(step.cpu, step);
      if (step.vpe !== undefined) owners.set(step, vpes.indexOf(step.vpe));
    } else if (step.kind === 'end-wfi' && load) owners.set(load, vpes.indexOf(step.vpe));
    else if (step.kind === 'put') open.delete(step.cpu);
  }
  return owners;
}

export function roundsOf(steps: readonly VcpuStep[], vcpu: number): Round[] {
  const rounds: Round[] = [];
  for (const step of steps) {
    if (step.vcpu !== vcpu) continue;
    const round = rounds.at(-1);
    if (step.kind === 'entry') rounds.push({ entry: step, exit: undefined });
    else if (step.kind === 'exit' && round) round.exit = step;
  }
  return rounds;
}
