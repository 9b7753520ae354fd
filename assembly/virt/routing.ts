// Where an access from EL1 goes: HCR_EL2.IMO and FMO select the virtual interface, ICH_HCR_EL2 traps (sections 8.1, 8.4).
import { SystemRegister, VirtualView } from '../abi';
import { virtualInterfaceOf } from './virtual_cpu_interface';

const TC: u32 = 1 << 10;
const TALL0: u32 = 1 << 11;
const TALL1: u32 = 1 << 12;
const TDIR: u32 = 1 << 14;
const IMO: u32 = 1;
const FMO: u32 = 2;

/** The access is EL2's to emulate. */
const TRAPPED: i32 = -1;

export function routeRegister(cpu: u32, register: u32): i32 {
  const self = virtualInterfaceOf(cpu);
  const hcr = self.hcr;
  switch (register) {
    case SystemRegister.ICC_IAR0_EL1:
    case SystemRegister.ICC_EOIR0_EL1:
    case SystemRegister.ICC_HPPIR0_EL1:
    case SystemRegister.ICC_BPR0_EL1:
    case SystemRegister.ICC_IGRPEN0_EL1:
    case SystemRegister.ICC_AP0R0_EL1:
    case SystemRegister.ICC_AP0R1_EL1:
    case SystemRegister.ICC_AP0R2_EL1:
    case SystemRegister.ICC_AP0R3_EL1:
      return route(register, (hcr & TALL0) != 0, (self.routing & FMO) != 0);
    case SystemRegister.ICC_IAR1_EL1:
    case SystemRegister.ICC_EOIR1_EL1:
    case SystemRegister.ICC_HPPIR1_EL1:
    case SystemRegister.ICC_BPR1_EL1:
    case SystemRegister.ICC_IGRPEN1_EL1:
    case SystemRegister.ICC_AP1R0_EL1:
    case SystemRegister.ICC_AP1R1_EL1:
    case SystemRegister.ICC_AP1R2_EL1:
    case SystemRegister.ICC_AP1R3_EL1:
      return route(register, (hcr & TALL1) != 0, (self.routing & IMO) != 0);
    case SystemRegister.ICC_DIR_EL1:
      return route(register, (hcr & (TC | TDIR)) != 0, self.routing != 0);
    case SystemRegister.ICC_PMR_EL1:
    case SystemRegister.ICC_RPR_EL1:
    case SystemRegister.ICC_CTLR_EL1:
      return route(register, (hcr & TC) != 0, self.routing != 0);
    // SGI generation has no virtual form.
    case SystemRegister.ICC_SGI0R_EL1:
    case SystemRegister.ICC_SGI1R_EL1:
    case SystemRegister.ICC_ASGI1R_EL1:
      return (hcr & TC) != 0 || self.routing != 0 ? TRAPPED : <i32>register;
    default:
      return <i32>register;
  }
}

function route(register: u32, traps: bool, toVirtual: bool): i32 {
  if (traps) return TRAPPED;
  return <i32>(toVirtual ? register + VirtualView.STEP : register);
}
