// What a guest's kernel leaves in its distributor and redistributors when it has booted.
import { succeed } from '../irqchip/errors.ts';
import type { GuestVm } from '../kvm/vm.ts';

const GICD_CTLR = 0x0000;
const ENABLE_GRP1_ARE = 0x12;
const NASSGIREQ = 0x100;
const ISENABLER = 0x0100;
const IPRIORITYR = 0x0400;
const ICFGR = 0x0c00;
const IROUTER = 0x6000;
const SGI_FRAME = 0x1_0000;
const REDISTRIBUTOR_BYTES = 0x2_0000;
const DEFAULT_PRIORITIES = 0xa0a0_a0a0;
const SGIS_AND_VIRTUAL_TIMER = 0x0800_ffff;

/** A write of user space, which takes no simulated time. */
function write(vm: GuestVm, address: number, value: number, size: 4 | 8 = 4): void {
  const { engine } = vm.kvm.chip.machine;
  const vcpu = vm.vcpus[0]?.number ?? 0;
  succeed(engine.simUserWrite(vcpu, address, size, value, 0), 'write');
}

/** Distributor on, SGIs and the virtual timer enabled. `directSgis`: SGIs without an active state (GICv4.1). */
export function bootGuest(vm: GuestVm, directSgis: boolean): void {
  vm.vcpus.forEach((_, index) => {
    const frame = vm.redistributors + index * REDISTRIBUTOR_BYTES + SGI_FRAME;
    for (let word = 0; word < 32; word += 4) write(vm, frame + IPRIORITYR + word, DEFAULT_PRIORITIES);
    write(vm, frame + ISENABLER, SGIS_AND_VIRTUAL_TIMER);
  });
  write(vm, vm.distributor + GICD_CTLR, ENABLE_GRP1_ARE | (directSgis ? NASSGIREQ : 0));
}

/** An SPI that goes to a vCPU. */
export function enableSpi(vm: GuestVm, intid: number, isEdge: boolean, vcpu: number): void {
  const config = vm.distributor + ICFGR + 4 * (intid >> 4);
  const bit = 2 << (2 * (intid & 15));
  const others = Number(vm.read(config)) & ~bit;
  write(vm, config, (isEdge ? others | bit : others) >>> 0);
  write(vm, vm.distributor + IPRIORITYR + (intid & ~3), DEFAULT_PRIORITIES);
  write(vm, vm.distributor + IROUTER + 8 * intid, (vcpu & 15) | ((vcpu >> 4) << 8), 8);
  write(vm, vm.distributor + ISENABLER + 4 * (intid >> 5), 2 ** (intid & 31));
}
