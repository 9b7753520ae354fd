// CNT*: the system registers of the generic timers. Each timer has CTL, CVAL and TVAL, four numbers apart.
import { SystemRegister } from '../abi';
import { machine } from '../memory/machine';
import {
  counterOf,
  PHYSICAL_TIMER,
  readCompare,
  readControl,
  readTimerValue,
  setVirtualOffset,
  TIMERS,
  timersOf,
  VIRTUAL_TIMER,
  writeCompare,
  writeControl,
  writeTimerValue,
} from './timers';

const CTL: u32 = 0;
const CVAL: u32 = 1;
const END: u32 = SystemRegister.CNTV_CTL_EL0 + (TIMERS << 2);

/** Numbers behind the registers read as zero. */
export function readTimerRegister(cpu: u32, register: u32): u64 {
  if (register >= END) return 0;
  switch (register) {
    case SystemRegister.CNTFRQ_EL0:
      return machine().timerFrequency;
    case SystemRegister.CNTPCT_EL0:
      return counterOf(cpu, PHYSICAL_TIMER);
    case SystemRegister.CNTVCT_EL0:
      return counterOf(cpu, VIRTUAL_TIMER);
    case SystemRegister.CNTVOFF_EL2:
      return timersOf(cpu).virtualOffset;
    default: {
      const place = register - SystemRegister.CNTV_CTL_EL0;
      const timer = place >> 2;
      const field = place & 3;
      if (field == CTL) return readControl(cpu, timer);
      return field == CVAL ? readCompare(cpu, timer) : readTimerValue(cpu, timer);
    }
  }
}

/** CNTFRQ_EL0 and the counters are read-only here: the machine's clock is the host's. */
export function writeTimerRegister(cpu: u32, register: u32, value: u64): void {
  if (register == <u32>SystemRegister.CNTVOFF_EL2) {
    setVirtualOffset(cpu, value);
    return;
  }
  if (register < <u32>SystemRegister.CNTV_CTL_EL0 || register >= END) return;
  const place = register - SystemRegister.CNTV_CTL_EL0;
  const timer = place >> 2;
  const field = place & 3;
  if (field == CTL) writeControl(cpu, timer, <u32>value);
  else if (field == CVAL) writeCompare(cpu, timer, value);
  else writeTimerValue(cpu, timer, <u32>value);
}
