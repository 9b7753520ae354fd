// ICH_*, for the hypervisor, and ICV_*, for its guest (sections 8.4 to 8.9).
import { Diagnostic, Feature, RedistributorTrait, SystemRegister } from '../abi';
import { report } from '../diag/diagnostics';
import { redistributorOf } from '../gic/redistributor';
import { machine } from '../memory/machine';
import * as lr from './list_register';
import { touchVirtualSignal } from './outputs';
import { emptyStatus, maintenanceStatus } from './status';
import {
  acknowledgeVirtual,
  deactivateVirtualInterrupt,
  endOfVirtualInterrupt,
  highestVirtualIntid,
  STALE_WINNER,
  VirtualCpuInterface,
  virtualInterfaceOf,
} from './virtual_cpu_interface';

const INTID: u32 = 0xffffff;
const CTLR_CBPR: u32 = 1;
const CTLR_EOIMODE: u32 = 2;
/** EOIcount, TDIR, TALL1, TALL0, TC, the maintenance enables and En. */
const HCR_WRITABLE: u32 = 0xf8005cff;
/** GICv4.1: vSGIEOICount. */
const HCR_VSGI_EOI_COUNT: u32 = 1 << 8;
/** Where ICH_VTR_EL2.DVIM=1. */
const HCR_DVIM: u32 = 1 << 15;
const VTR_DVIM: u32 = 1 << 18;
const VTR_NV4: u32 = 1 << 20;
const VMCR_VFIQEN: u32 = 1 << 3;

export function readVirtualRegister(cpu: u32, register: u32): u64 {
  const self = virtualInterfaceOf(cpu);
  switch (register) {
    case SystemRegister.HCR_EL2:
      return (self.routing & 1 ? 1 << 4 : 0) | (self.routing & 2 ? 1 << 3 : 0);
    case SystemRegister.ICH_HCR_EL2:
      return self.hcr;
    case SystemRegister.ICH_VTR_EL2:
      return vtrOf(cpu);
    case SystemRegister.ICH_VMCR_EL2:
      return readVmcr(self);
    case SystemRegister.ICH_MISR_EL2:
      return maintenanceStatus(self);
    case SystemRegister.ICH_EISR_EL2:
      return self.ended;
    case SystemRegister.ICH_ELRSR_EL2:
      return emptyStatus(self);
    case SystemRegister.ICV_PMR_EL1:
      return self.priorityMask;
    case SystemRegister.ICV_IAR0_EL1:
      return acknowledgeVirtual(cpu, 0);
    case SystemRegister.ICV_IAR1_EL1:
      return acknowledgeVirtual(cpu, 1);
    case SystemRegister.ICV_HPPIR0_EL1:
      return highestVirtualIntid(cpu, 0);
    case SystemRegister.ICV_HPPIR1_EL1:
      return highestVirtualIntid(cpu, 1);
    case SystemRegister.ICV_RPR_EL1:
      return self.runningPriority;
    case SystemRegister.ICV_BPR0_EL1:
      return self.binaryPoint0;
    case SystemRegister.ICV_BPR1_EL1:
      return self.visibleBinaryPoint1;
    case SystemRegister.ICV_CTLR_EL1:
      return machine().icvCtlr | (self.commonBinaryPoint ? CTLR_CBPR : 0) | (self.eoiMode ? CTLR_EOIMODE : 0);
    case SystemRegister.ICV_IGRPEN0_EL1:
      return self.groupEnables & 1;
    case SystemRegister.ICV_IGRPEN1_EL1:
      return self.groupEnables >> 1;
    default:
      return readArray(self, register);
  }
}

/** ICH_VTR_EL2: among PEs with VLPIs, one whose redistributor has none cannot take them (nV4). */
function vtrOf(cpu: u32): u32 {
  const lacks = (redistributorOf(cpu).traits & RedistributorTrait.VIRTUAL_LPIS) == 0;
  return lacks && machine().has(Feature.VIRTUAL_LPIS) ? machine().ichVtr | VTR_NV4 : machine().ichVtr;
}

export function writeVirtualRegister(cpu: u32, register: u32, value: u64): void {
  const self = virtualInterfaceOf(cpu);
  const low = <u32>value;
  touchVirtualSignal(cpu);
  switch (register) {
    case SystemRegister.HCR_EL2:
      self.routing = (low & (1 << 4) ? 1 : 0) | (low & (1 << 3) ? 2 : 0);
      return;
    case SystemRegister.ICH_HCR_EL2:
      self.hcr = low & hcrWritable();
      self.stale |= STALE_WINNER;
      return;
    case SystemRegister.ICH_VMCR_EL2:
      return writeVmcr(self, low);
    case SystemRegister.ICV_PMR_EL1:
      self.priorityMask = low & virtualPriorityMask();
      return;
    case SystemRegister.ICV_EOIR0_EL1:
      return endOfVirtualInterrupt(cpu, 0, low & INTID);
    case SystemRegister.ICV_EOIR1_EL1:
      return endOfVirtualInterrupt(cpu, 1, low & INTID);
    case SystemRegister.ICV_DIR_EL1:
      return deactivateVirtualInterrupt(cpu, low & INTID);
    case SystemRegister.ICV_BPR0_EL1:
      return self.setBinaryPoint0(low);
    case SystemRegister.ICV_BPR1_EL1:
      if (!self.commonBinaryPoint) self.setBinaryPoint1(low);
      return;
    case SystemRegister.ICV_CTLR_EL1:
      self.commonBinaryPoint = low & CTLR_CBPR;
      self.eoiMode = (low & CTLR_EOIMODE) >> 1;
      return;
    case SystemRegister.ICV_IGRPEN0_EL1:
      return self.setGroupEnables((self.groupEnables & 2) | (low & 1));
    case SystemRegister.ICV_IGRPEN1_EL1:
      return self.setGroupEnables((self.groupEnables & 1) | ((low & 1) << 1));
    default:
      writeArray(self, register, value);
  }
}

function hcrWritable(): u32 {
  const m = machine();
  const vsgis = m.has(Feature.GICV4_1) ? HCR_VSGI_EOI_COUNT : 0;
  return HCR_WRITABLE | vsgis | (m.ichVtr & VTR_DVIM ? HCR_DVIM : 0);
}

function virtualPriorityMask(): u32 {
  return (0xff << (8 - machine().virtualPriorityBits)) & 0xff;
}

/** ICH_VMCR_EL2: section 8.6. EL2 sees VBPR1 even with VCBPR=1. */
function readVmcr(self: VirtualCpuInterface): u32 {
  return (
    (self.priorityMask << 24) |
    (self.binaryPoint0 << 21) |
    (self.binaryPoint1 << 18) |
    (self.eoiMode << 9) |
    (self.commonBinaryPoint << 4) |
    VMCR_VFIQEN |
    self.groupEnables
  );
}

/** VENG0 and VENG1 stand in ICH_VMCR_EL2[1:0] in the order of the groups. */
function writeVmcr(self: VirtualCpuInterface, value: u32): void {
  self.priorityMask = (value >> 24) & virtualPriorityMask();
  self.setBinaryPoint0(value >> 21);
  self.setBinaryPoint1(value >> 18);
  self.eoiMode = (value >> 9) & 1;
  self.commonBinaryPoint = (value >> 4) & 1;
  self.setGroupEnables(value & 3);
}

/** ICH_LR<n>_EL2, and ICH_AP<m>R<n>_EL2, of which ICV_AP<m>R<n>_EL1 is an alias. */
function readArray(self: VirtualCpuInterface, register: u32): u64 {
  const n = register - SystemRegister.ICH_LR0_EL2;
  if (n < 16) return n < machine().listRegisters ? self.listRegister(n) : unimplemented(self, register);
  const place = activePrioritiesPlace(register);
  if (place >= 0)
    return self.hasActiveWord(place & 3)
      ? self.activeWord(place >> 2, place & 3)
      : unimplemented(self, register);
  report(Diagnostic.READ_OF_WRITE_ONLY, self.cpu, SYSTEM_REGISTERS, register);
  return 0;
}

function writeArray(self: VirtualCpuInterface, register: u32, value: u64): void {
  const n = register - SystemRegister.ICH_LR0_EL2;
  if (n < 16) {
    if (n < machine().listRegisters) self.setListRegister(n, lr.legal(value));
    else unimplemented(self, register);
    return;
  }
  const place = activePrioritiesPlace(register);
  if (place < 0) report(Diagnostic.WRITE_OF_READ_ONLY, self.cpu, SYSTEM_REGISTERS, register);
  else if (self.hasActiveWord(place & 3)) self.setActiveWord(place >> 2, place & 3, <u32>value);
  else unimplemented(self, register);
}

const SYSTEM_REGISTERS: u32 = 0xffffffff;

/** Group << 2 | n of an active priorities register, -1 for any other. */
function activePrioritiesPlace(register: u32): i32 {
  const ich = register - SystemRegister.ICH_AP0R0_EL2;
  if (ich < 8) return ich;
  const icv = register - SystemRegister.ICV_AP0R0_EL1;
  return icv < 8 ? icv : -1;
}

function unimplemented(self: VirtualCpuInterface, register: u32): u64 {
  report(Diagnostic.UNIMPLEMENTED_SYSTEM_REGISTER, self.cpu, register);
  return 0;
}
