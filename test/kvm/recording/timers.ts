// What a guest writes into its timer is not recorded, but its line is: from it follows for which moment the guest has
// programmed the timer. A moment is a line of the recording.

import type { VcpuStep } from './rounds.ts';
import type { Load, TimerLine } from './steps.ts';

/** Of each vCPU: when its timer expires, and when the guest has taken the line down by programming it anew. */
export interface TimerHistory {
  /** Ascending. */
  readonly expiries: readonly number[];
  readonly programmed: ReadonlySet<TimerLine>;
}

export function timerHistory(steps: readonly VcpuStep[], vcpu: number): TimerHistory {
  const own = steps.filter((step) => step.vcpu === vcpu);
  const expiries: number[] = [];
  const programmed = new Set<TimerLine>();
  let inGuest = false;
  own.forEach((step, n) => {
    if (step.kind === 'entry') inGuest = true;
    else if (step.kind === 'exit' || step.kind === 'put' || step.kind === 'begin-wfi') inGuest = false;
    if (step.kind === 'load' && step.active && step.expired) expiries.push(step.at);
    if (step.kind !== 'line') return;
    if (step.level) expiries.push(step.at);
    else if (inGuest && !isPut(own, n)) programmed.add(step);
  });
  return { expiries, programmed };
}

/** The host takes the line down when it puts the vCPU; then it is high again after the next load. */
function isPut(own: readonly VcpuStep[], n: number): boolean {
  const rest = own.slice(n + 1, n + 6);
  const [next] = rest;
  if (next?.kind !== 'put') return false;
  const load = rest.find((step): step is Load & VcpuStep => step.kind === 'load');
  return load?.expired === true;
}

/** The first expiry after a moment. */
export function nextExpiry({ expiries }: TimerHistory, after: number): number | undefined {
  let [low, high] = [0, expiries.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((expiries[middle] as number) > after) high = middle;
    else low = middle + 1;
  }
  return expiries[low];
}
