// A guest that is told what to do, one command at a time.
import { Cost, SimManual } from '../abi';
import { priceOf } from '../irqchip/costs';
import { EBUSY } from '../irqchip/errno';
import { NONE } from '../kvm/limits';
import { machine } from '../memory/machine';
import { now, ticksOfSpan } from './clock';
import { isScheduled, STEP, schedule } from './event_queue';
import { Activity, readIar, trap, wait, writeDir, writeEoir } from './guest';
import { lookAtAllPolls } from './polling';
import { follow } from './run';
import { Pe, Phase, peOf, RUNNING, sim, Thread, threadOf, vcpuOfPe } from './state';
import { setWfitDeadline } from './wfi';

/** The guest of a vCPU is in the guest, by hand, and has nothing to do. */
export function awaitsCommand(n: u32): bool {
  const thread = threadOf(n);
  if (thread.state != RUNNING || thread.activity != Activity.MANUAL) return false;
  const pe = peOf(thread.cpu);
  return pe.thread == n && pe.phase == Phase.GUEST && !isScheduled(STEP + pe.cpu);
}

/** Does a command (`SimManual`, `SimOperation`); what it gave, or EBUSY for a guest that does not wait for one. */
export function command(n: u32, what: u32, operand: u64): i32 {
  if (!awaitsCommand(n)) return EBUSY;
  const pe = peOf(threadOf(n).cpu);
  sim().actor = pe.cpu;
  sim().lead = 0;
  const result = execute(pe, threadOf(n), what, operand);
  sim().actor = NONE;
  lookAtAllPolls();
  follow();
  return result;
}

function execute(pe: Pe, thread: Thread, what: u32, operand: u64): i32 {
  switch (what) {
    case SimManual.WFI:
      wait(pe, thread);
      return 0;
    case SimManual.WFIT:
      waitUntil(pe, thread, operand);
      return 0;
    case SimManual.ACKNOWLEDGE: {
      const intid = readIar(pe, thread);
      work(pe, priceOf(Cost.GUEST_GIC));
      return <i32>intid;
    }
    case SimManual.END_OF_INTERRUPT:
      writeEoir(pe, <u32>operand);
      work(pe, priceOf(Cost.GUEST_GIC));
      return 0;
    case SimManual.DEACTIVATE:
      if (writeDir(pe, thread, <u32>operand)) work(pe, priceOf(Cost.GUEST_GIC));
      return 0;
    case SimManual.WORK:
      work(pe, operand);
      return 0;
    default:
      trap(pe, thread, what, operand);
      return 0;
  }
}

function work(pe: Pe, duration: u64): void {
  schedule(STEP + pe.cpu, now() + duration);
}

/** WFIT, of which the PE itself keeps the deadline where it does not trap. */
function waitUntil(pe: Pe, thread: Thread, span: u64): void {
  if (pe.trapsWfi) setWfitDeadline(vcpuOfPe(pe), pe.thread, machine().counter + ticksOfSpan(span));
  wait(pe, thread);
  if (thread.activity == Activity.SLEEP) schedule(STEP + pe.cpu, now() + span);
}
