// Configuration bytes: write the byte, then invalidate what the hardware may have cached (lpi_update_config).
import { ramAt } from '../memory/ram';
import { sendInv } from './commands';
import { LOG_PHYSICAL_CONFIG, LOG_VIRTUAL_CONFIG, log } from './log';
import { GICR_INVLPIR, invalidateAt } from './redistributor';
import { chip, ERA_S, Irq, vmOf, vpeOf } from './state';

const FIRST_LPI: u32 = 8192;
export const PROP_ENABLED: u32 = 1;
export const PROP_GROUP1: u32 = 2;
const INVLPIR_VIRTUAL: u64 = 1 << 63;

/** Clears and sets bits of a physical LPI's byte. */
export function updatePhysical(intid: u32, clear: u32, set: u32): void {
  const at = ramAt(chip().propertyTable + (intid - FIRST_LPI), 1);
  const byte = (<u32>load<u8>(at) & ~clear) | set;
  store<u8>(at, <u8>byte);
  log(LOG_PHYSICAL_CONFIG, 0, intid, byte);
}

/** Whether a physical LPI's byte disables it: a new irq finds the byte as the last owner of the LPI left it. */
export function isDisabled(intid: u32): bool {
  const at = ramAt(chip().propertyTable + (intid - FIRST_LPI), 1);
  return (<u32>load<u8>(at) & PROP_ENABLED) == 0;
}

/** Clears and sets bits of a VLPI's byte in its VM's table; bit 1 is always set. */
export function updateVirtual(vm: u32, vintid: u32, clear: u32, set: u32): void {
  const at = ramAt(vmOf(vm).propertyTable + (vintid - FIRST_LPI), 1);
  const byte = (<u32>load<u8>(at) & ~clear) | set | PROP_GROUP1;
  store<u8>(at, <u8>byte);
  log(LOG_VIRTUAL_CONFIG, vm, vintid, byte);
}

/** INVAL of a device interrupt: by register where the redistributor has one, by INV elsewhere. */
export function invalidate(irq: Irq): i32 {
  const direct = chip().hasDirectLpi != 0 && chip().era != ERA_S;
  if (!irq.forwarded) return direct ? invalidateAt(irq.cpu, GICR_INVLPIR, irq.intid) : sendInv(irq);
  if (!direct || !chip().hasRvpeid) return sendInv(irq);
  const vpe = vpeOf(irq.vpe);
  return invalidateAt(vpe.cpu, GICR_INVLPIR, INVLPIR_VIRTUAL | ((<u64>vpe.vpeId) << 32) | irq.vintid);
}
