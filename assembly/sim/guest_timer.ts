// The periodic virtual timer of a guest's program.
import { SystemRegister } from '../abi';
import { machine } from '../memory/machine';
import { readTimerRegister, writeTimerRegister } from '../timer/system_registers';
import { now, ticksOfSpan, timeAtTicks } from './clock';
import { Flow } from './flow';
import { Thread } from './state';

const CTL_ENABLE: u64 = 1;

export function startTimer(cpu: u32, thread: Thread): void {
  thread.timerCompare = machine().counter + ticksOfSpan(thread.timer);
  program(cpu, thread);
  writeTimerRegister(cpu, SystemRegister.CNTV_CTL_EL0, CTL_ENABLE);
}

function program(cpu: u32, thread: Thread): void {
  const offset = readTimerRegister(cpu, SystemRegister.CNTVOFF_EL2);
  writeTimerRegister(cpu, SystemRegister.CNTV_CVAL_EL0, thread.timerCompare - offset);
}

/** The handler: the timer is set to the next period; periods that were missed are one interrupt with this. */
export function takeTimer(cpu: u32, thread: Thread, flow: Flow): u64 {
  if (thread.timerCompare > machine().counter) return flow.deliver();
  flow.fire(timeAtTicks(thread.timerCompare));
  const latency = flow.deliver();
  const period = ticksOfSpan(thread.timer);
  thread.timerCompare += period;
  for (; thread.timerCompare <= machine().counter; thread.timerCompare += period) {
    flow.fire(now());
    flow.coalesce();
  }
  program(cpu, thread);
  return latency;
}
