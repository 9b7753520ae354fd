// A passthrough device's SPI: the host's interrupt is forwarded to a guest's, whose deactivation ends both.
import { readBus, writeBus } from '../gic/bus';
import { EBUSY, EINVAL } from '../irqchip/errno';
import { machine } from '../memory/machine';
import { mapPhysical, setPhysicalActive, unmapPhysical } from './forwarded';
import { haltGuest, resumeGuest } from './halt';
import { handleSpi, isSpiHandled, releaseSpi, requestSpi } from './host';
import { LAST_PPI, NONE } from './limits';
import { VgicVm, vmOf } from './state';
import { isNull, LINE_HOST_SPI, spiOf, VgicIrq } from './vgic_irq';

const ICFGR: u32 = 0xc00;
const EDGE: u32 = 2;

/** Ties SPI `intid` of a VM to the host's `hostIntid`, which PE `cpu` takes. Both are idle and tied to nothing. */
export function assignSpi(vm: u32, intid: u32, hostIntid: u32, cpu: u32, isEdge: bool): i32 {
  const irq = spiOf(vm, intid);
  if (isNull(irq) || hostIntid <= LAST_PPI || hostIntid >= machine().spiSlots || cpu >= machine().cpuCount) {
    return EINVAL;
  }
  if (irq.hw || irq.vcpu != NONE || irq.active || irq.isPending || isSpiHandled(hostIntid)) return EBUSY;
  setTrigger(hostIntid, isEdge);
  irq.isLevel = !isEdge;
  mapPhysical(irq, hostIntid, LINE_HOST_SPI);
  handleSpi(hostIntid, irq);
  requestSpi(hostIntid, cpu);
  return 0;
}

/** The guest keeps its interrupt, as an emulated device's; the host's is off and inactive. */
export function unassignSpi(vm: u32, intid: u32): i32 {
  const irq = spiOf(vm, intid);
  if (isNull(irq) || !irq.hw) return EINVAL;
  // A list register with the HW bit would deactivate what is not the guest's any more.
  haltGuest(vmOf(vm));
  release(irq);
  resumeGuest(vmOf(vm));
  return 0;
}

/** Before a VM is destroyed. */
export function unassignAll(vm: u32, self: VgicVm): void {
  for (let spi: u32 = 0; spi < self.spis; spi++) {
    const irq = spiOf(vm, LAST_PPI + 1 + spi);
    if (irq.hw) release(irq);
  }
}

function release(irq: VgicIrq): void {
  releaseSpi(irq.hwintid);
  handleSpi(irq.hwintid, changetype<VgicIrq>(0));
  setPhysicalActive(irq, false);
  unmapPhysical(irq);
}

/** Two bits for each interrupt. */
function setTrigger(intid: u32, isEdge: bool): void {
  const address = machine().gicdBase + ICFGR + ((intid >> 4) << 2);
  const bit = EDGE << ((intid & 15) << 1);
  const old = <u32>readBus(address, 4);
  writeBus(address, 4, isEdge ? old | bit : old & ~bit);
}
