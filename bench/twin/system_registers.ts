import { SystemRegister } from '../../assembly/abi.ts';
import type { ActivePriorities } from './active_priorities.ts';
import type { CpuInterface } from './cpu_interface.ts';
import type { Shared } from './shared.ts';
import type { VirtualCpuInterface } from './virtual_cpu_interface.ts';

const {
  ICC_PMR_EL1,
  ICC_IAR0_EL1,
  ICC_IAR1_EL1,
  ICC_EOIR0_EL1,
  ICC_EOIR1_EL1,
  ICC_HPPIR0_EL1,
  ICC_HPPIR1_EL1,
  ICC_BPR0_EL1,
  ICC_BPR1_EL1,
  ICC_RPR_EL1,
  ICC_CTLR_EL1,
  ICC_IGRPEN0_EL1,
  ICC_IGRPEN1_EL1,
  ICC_AP0R0_EL1,
  ICV_PMR_EL1,
  ICV_IAR0_EL1,
  ICV_IAR1_EL1,
  ICV_EOIR0_EL1,
  ICV_EOIR1_EL1,
  ICV_HPPIR0_EL1,
  ICV_HPPIR1_EL1,
  ICV_BPR0_EL1,
  ICV_BPR1_EL1,
  ICV_RPR_EL1,
  ICV_CTLR_EL1,
  ICV_IGRPEN0_EL1,
  ICV_IGRPEN1_EL1,
  ICV_AP0R0_EL1,
  ICH_HCR_EL2,
  ICH_LR0_EL2,
} = SystemRegister;

const CTLR_CBPR = 1;
const CTLR_EOIMODE = 2;
const INTID = 0xff_ffff;
const ACTIVE_PRIORITIES = 8;

/** An ICC_* register. */
export function readPhysical(self: CpuInterface, register: number): number {
  switch (register) {
    case ICC_IAR1_EL1:
      return self.acknowledge(1);
    case ICC_IAR0_EL1:
      return self.acknowledge(0);
    case ICC_HPPIR0_EL1:
      return self.highestPendingIntid(0);
    case ICC_HPPIR1_EL1:
      return self.highestPendingIntid(1);
    case ICC_PMR_EL1:
      return self.priorityMask;
    case ICC_RPR_EL1:
      return self.runningPriority;
    case ICC_BPR0_EL1:
      return self.binaryPoint0;
    case ICC_BPR1_EL1:
      return self.visibleBinaryPoint1;
    case ICC_IGRPEN0_EL1:
      return self.groupEnables & 1;
    case ICC_IGRPEN1_EL1:
      return self.groupEnables >> 1;
    default:
      return readActivePriorities(self, register - ICC_AP0R0_EL1, register);
  }
}

export function writePhysical(shared: Shared, self: CpuInterface, register: number, value: number): void {
  switch (register) {
    case ICC_EOIR1_EL1:
      return self.endOfInterrupt(1, value & INTID);
    case ICC_EOIR0_EL1:
      return self.endOfInterrupt(0, value & INTID);
    case ICC_PMR_EL1:
      self.priorityMask = value & shared.priorityMaskBits;
      return self.touchSignal();
    case ICC_BPR0_EL1:
      self.setBinaryPoint0(value);
      return self.touchSignal();
    case ICC_BPR1_EL1:
      if (!self.commonBinaryPoint) self.setBinaryPoint1(value);
      return self.touchSignal();
    case ICC_CTLR_EL1:
      writeControl(self, value);
      return self.touchSignal();
    case ICC_IGRPEN0_EL1:
      return self.enableGroup(0, (value & 1) !== 0);
    case ICC_IGRPEN1_EL1:
      return self.enableGroup(1, (value & 1) !== 0);
    default:
      writeActivePriorities(self, register - ICC_AP0R0_EL1, register, value & shared.activePriorityBits);
      self.touchSignal();
  }
}

/** An ICV_* or ICH_* register. */
export function readVirtual(self: VirtualCpuInterface, register: number): number {
  switch (register) {
    case ICV_IAR1_EL1:
      return self.acknowledge(1);
    case ICV_IAR0_EL1:
      return self.acknowledge(0);
    case ICV_HPPIR0_EL1:
      return self.highestPendingIntid(0);
    case ICV_HPPIR1_EL1:
      return self.highestPendingIntid(1);
    case ICV_PMR_EL1:
      return self.priorityMask;
    case ICV_RPR_EL1:
      return self.runningPriority;
    case ICV_BPR0_EL1:
      return self.binaryPoint0;
    case ICV_BPR1_EL1:
      return self.visibleBinaryPoint1;
    case ICV_IGRPEN0_EL1:
      return self.groupEnables & 1;
    case ICV_IGRPEN1_EL1:
      return self.groupEnables >> 1;
    case ICH_HCR_EL2:
      return self.hcr;
    default:
      return readActivePriorities(self, register - ICV_AP0R0_EL1, register);
  }
}

/** `high` is the upper half of what is written, which list registers alone have. */
export function writeVirtual(
  shared: Shared,
  self: VirtualCpuInterface,
  register: number,
  value: number,
  high: number,
): void {
  self.touchSignal();
  switch (register) {
    case ICV_EOIR1_EL1:
      return self.endOfInterrupt(1, value & INTID);
    case ICV_EOIR0_EL1:
      return self.endOfInterrupt(0, value & INTID);
    case ICV_PMR_EL1:
      self.priorityMask = value & shared.virtualPriorityMaskBits;
      return;
    case ICV_BPR0_EL1:
      return self.setBinaryPoint0(value);
    case ICV_BPR1_EL1:
      if (!self.commonBinaryPoint) self.setBinaryPoint1(value);
      return;
    case ICV_CTLR_EL1:
      return writeControl(self, value);
    case ICV_IGRPEN0_EL1:
      return self.setGroupEnables((self.groupEnables & 2) | (value & 1));
    case ICV_IGRPEN1_EL1:
      return self.setGroupEnables((self.groupEnables & 1) | ((value & 1) << 1));
    case ICH_HCR_EL2:
      return self.setHcr(value);
    default:
      writeArray(shared, self, register, value, high);
  }
}

function writeArray(
  shared: Shared,
  self: VirtualCpuInterface,
  register: number,
  value: number,
  high: number,
): void {
  const n = register - ICH_LR0_EL2;
  if (n >= 0 && n < shared.listRegisters) self.writeListRegister(n, value, high);
  else writeActivePriorities(self, register - ICV_AP0R0_EL1, register, value);
}

function writeControl(self: ActivePriorities, value: number): void {
  self.commonBinaryPoint = (value & CTLR_CBPR) !== 0;
  self.eoiMode = (value & CTLR_EOIMODE) !== 0;
}

function readActivePriorities(self: ActivePriorities, place: number, register: number): number {
  requirePlace(place, register);
  return self.activeWord(place >> 2, place & 3);
}

function writeActivePriorities(self: ActivePriorities, place: number, register: number, value: number): void {
  requirePlace(place, register);
  self.setActiveWord(place >> 2, place & 3, value);
}

function requirePlace(place: number, register: number): void {
  if (place >= 0 && place < ACTIVE_PRIORITIES) return;
  throw new RangeError(`${SystemRegister[register]} is none that the twin has`);
}
