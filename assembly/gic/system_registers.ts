// ICC_*: the system register view of the physical CPU interface (section 8.2).
import { Diagnostic, SystemRegister } from '../abi';
import { report } from '../diag/diagnostics';
import { machine } from '../memory/machine';
import {
  acknowledge,
  CpuInterface,
  cpuInterfaceOf,
  deactivateInterrupt,
  enableGroup,
  endOfInterrupt,
  highestPendingIntid,
} from './cpu_interface';
import { touchSignal } from './outputs';
import { generateSgi } from './sgi';

const CTLR_CBPR: u32 = 1;
const CTLR_EOIMODE: u32 = 2;
/** SRE, DFB and DIB: only system registers, bypass disabled. */
const SRE_ALWAYS: u32 = 7;
/** ICC_SRE_EL2.Enable: EL1 reaches ICC_SRE_EL1. */
const SRE_EL2_ENABLE: u32 = 8;
const INTID: u32 = 0xffffff;

export function readPhysicalRegister(cpu: u32, register: u32): u64 {
  const self = cpuInterfaceOf(cpu);
  switch (register) {
    case SystemRegister.ICC_PMR_EL1:
      return self.priorityMask;
    case SystemRegister.ICC_IAR0_EL1:
      return acknowledge(cpu, 0);
    case SystemRegister.ICC_IAR1_EL1:
      return acknowledge(cpu, 1);
    case SystemRegister.ICC_HPPIR0_EL1:
      return highestPendingIntid(cpu, 0);
    case SystemRegister.ICC_HPPIR1_EL1:
      return highestPendingIntid(cpu, 1);
    case SystemRegister.ICC_RPR_EL1:
      return self.runningPriority;
    case SystemRegister.ICC_BPR0_EL1:
      return self.binaryPoint0;
    case SystemRegister.ICC_BPR1_EL1:
      return self.visibleBinaryPoint1;
    case SystemRegister.ICC_CTLR_EL1:
      return machine().iccCtlr | (self.commonBinaryPoint ? CTLR_CBPR : 0) | (self.eoiMode ? CTLR_EOIMODE : 0);
    case SystemRegister.ICC_IGRPEN0_EL1:
      return self.groupEnables & 1;
    case SystemRegister.ICC_IGRPEN1_EL1:
      return self.groupEnables >> 1;
    case SystemRegister.ICC_SRE_EL1:
      return SRE_ALWAYS;
    case SystemRegister.ICC_SRE_EL2:
      return SRE_ALWAYS | SRE_EL2_ENABLE;
    default:
      if (isActivePriorities(register)) return readActivePriorities(self, register);
      report(Diagnostic.READ_OF_WRITE_ONLY, cpu, SYSTEM_REGISTERS, register);
      return 0;
  }
}

export function writePhysicalRegister(cpu: u32, register: u32, value: u64): void {
  const self = cpuInterfaceOf(cpu);
  const low = <u32>value;
  switch (register) {
    case SystemRegister.ICC_PMR_EL1:
      self.priorityMask = low & ((0xff << (8 - machine().cpuPriorityBits)) & 0xff);
      return touchSignal(cpu);
    case SystemRegister.ICC_EOIR0_EL1:
      return endOfInterrupt(cpu, 0, low & INTID);
    case SystemRegister.ICC_EOIR1_EL1:
      return endOfInterrupt(cpu, 1, low & INTID);
    case SystemRegister.ICC_DIR_EL1:
      return deactivateInterrupt(cpu, low & INTID);
    case SystemRegister.ICC_BPR0_EL1:
      self.setBinaryPoint0(low);
      return touchSignal(cpu);
    case SystemRegister.ICC_BPR1_EL1:
      if (self.commonBinaryPoint) return;
      self.setBinaryPoint1(low);
      return touchSignal(cpu);
    case SystemRegister.ICC_CTLR_EL1:
      self.commonBinaryPoint = low & CTLR_CBPR;
      self.eoiMode = (low & CTLR_EOIMODE) >> 1;
      return touchSignal(cpu);
    case SystemRegister.ICC_IGRPEN0_EL1:
      return enableGroup(cpu, 0, (low & 1) != 0);
    case SystemRegister.ICC_IGRPEN1_EL1:
      return enableGroup(cpu, 1, (low & 1) != 0);
    // With one Security state ICC_ASGI1R_EL1 stands for the other group than ICC_SGI1R_EL1: Group 0.
    case SystemRegister.ICC_SGI0R_EL1:
    case SystemRegister.ICC_ASGI1R_EL1:
      return generateSgi(cpu, value, 0);
    case SystemRegister.ICC_SGI1R_EL1:
      return generateSgi(cpu, value, 1);
    // All implemented bits are read-only.
    case SystemRegister.ICC_SRE_EL1:
    case SystemRegister.ICC_SRE_EL2:
      return;
    default:
      if (isActivePriorities(register)) writeActivePriorities(self, register, low);
      else report(Diagnostic.WRITE_OF_READ_ONLY, cpu, SYSTEM_REGISTERS, register);
  }
}

/** Stands where diagnostics of register frames have the frame. */
const SYSTEM_REGISTERS: u32 = 0xffffffff;

function isActivePriorities(register: u32): bool {
  return register >= <u32>SystemRegister.ICC_AP0R0_EL1 && register <= <u32>SystemRegister.ICC_AP1R3_EL1;
}

/** One register per 32 preemption levels; the others are UNDEFINED and treated as zero. */
function readActivePriorities(self: CpuInterface, register: u32): u64 {
  const place = register - SystemRegister.ICC_AP0R0_EL1;
  return activePrioritiesImplemented(self, register) ? self.activeWord(place >> 2, place & 3) : 0;
}

function writeActivePriorities(self: CpuInterface, register: u32, value: u32): void {
  const place = register - SystemRegister.ICC_AP0R0_EL1;
  if (!activePrioritiesImplemented(self, register)) return;
  self.setActiveWord(place >> 2, place & 3, value & activePriorityBits());
  touchSignal(self.cpu);
}

function activePrioritiesImplemented(self: CpuInterface, register: u32): bool {
  const n = (register - SystemRegister.ICC_AP0R0_EL1) & 3;
  if (self.hasActiveWord(n)) return true;
  report(Diagnostic.UNIMPLEMENTED_SYSTEM_REGISTER, self.cpu, register);
  return false;
}

/** Four preemption bits have 16 levels, which do not fill one register. */
function activePriorityBits(): u32 {
  return machine().preemptionBits == 4 ? 0xffff : 0xffffffff;
}
