// PEs whose vCPU polls before it sleeps: after each event the condition is looked at once.
import { machine } from '../memory/machine';
import { Phase, peOf, sim } from './state';
import { checkPoll } from './wfi';

export function notePolling(cpu: u32, polls: bool): void {
  const pe = peOf(cpu);
  if (pe.polls == polls) return;
  pe.polls = polls;
  const self = sim();
  self.polling += polls ? 1 : -1;
}

export function checkPolls(): void {
  let left = sim().polling;
  for (let cpu: u32 = 0; left > 0 && cpu < machine().cpuCount; cpu++) {
    const pe = peOf(cpu);
    if (!pe.polls) continue;
    left--;
    if (pe.phase == Phase.POLL) checkPoll(pe);
  }
}
