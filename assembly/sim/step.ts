// A PE goes from step to step: what a step cost is how long it takes.
import { takeSpent } from '../irqchip/costs';
import { now } from './clock';
import { STEP, schedule } from './event_queue';
import { Pe, sim } from './state';
import { setDuration } from './trace';

/** The step that the last record tells of takes as long as it cost; then comes the next. */
export function proceed(pe: Pe, phase: u32): void {
  const spent = takeSpent();
  setDuration(spent);
  sim().lead = spent;
  pe.phase = phase;
  pe.busyUntil = now() + spent;
  schedule(STEP + pe.cpu, pe.busyUntil);
}
