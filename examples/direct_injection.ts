// The interrupt of a passthrough device goes straight into a guest, or rings its doorbell.
//
// What GICv4 was made for: no exit while the vPE runs; while it does not, an interrupt of the host, the doorbell, which
// has the hypervisor schedule the vPE, where the virtual interrupt waits.
import { createMachine, IrqChip } from 'gicv4';

const gic = await createMachine({ architecture: 'GICv4.1', cpus: 2 });
const chip = new IrqChip(gic); // what Linux does at boot
const host = gic.cpu(0);
host.write('ICC_PMR_EL1', 0xf8);
host.write('ICC_IGRPEN1_EL1', 1);

/** What the driver told the hardware since the last look. */
const commands = (): string => chip.takeLogLines().join('\n  ');

// A guest with one vPE, whose virtual LPI 8200 is event 0 of the device.
const vm = chip.createVm(1);
const vpe = vm.vpes[0]!;
vm.activate(); // VMAPP
vpe.doorbell.unmask(); // INVDB: it may ring from here on
const irq = chip.createDevice({ deviceId: 0x10, events: 1 }).irqs[0]!;
irq.activate(0);
chip.takeLog();
irq.mapVlpi({ vpe, vIntid: 8200, properties: { priority: 0xa0, enabled: true }, doorbell: true });
console.log(`The event becomes a VLPI:\n  ${commands()}`);

// The guest takes its interrupts at EL1, where the hypervisor has them routed to the virtual CPU interface.
gic.writeSystemRegister(0, 'HCR_EL2', 0x18); // IMO, FMO
gic.writeSystemRegister(0, 'ICH_HCR_EL2', 1); // En
gic.writeSystemRegister(0, 'ICC_PMR_EL1', 0xf8, 1);
gic.writeSystemRegister(0, 'ICC_IGRPEN1_EL1', 1, 1);
const guestTakes = (): number => {
  const vIntid = Number(gic.readSystemRegister(0, 'ICC_IAR1_EL1', 1));
  gic.writeSystemRegister(0, 'ICC_EOIR1_EL1', vIntid, 1);
  return vIntid;
};

console.log('The vPE runs on PE 0:');
vpe.doorbell.setAffinity(0); // VMOVP where the vPE was elsewhere
vpe.schedule(0);
gic.sendMsi(0x10, 0);
console.log(`  MSI: vIRQ ${host.virtual.virq}, IRQ ${host.irq}`);
console.log(`  the guest takes ${guestTakes()}; the host knows nothing of it`);

console.log('The vPE sleeps:');
vpe.deschedule({ doorbell: true });
gic.sendMsi(0x10, 0);
console.log(`  MSI: vIRQ ${host.virtual.virq}, IRQ ${host.irq}`);
const intid = host.acknowledge();
console.log(`  the host takes ${intid}, the doorbell of the vPE: ${intid === vpe.doorbell.intid}`);
host.endOfInterrupt(intid);
vpe.schedule(0);
vpe.commit(); // waits until the hardware has parsed the virtual pending table
console.log(`  scheduled again: vIRQ ${host.virtual.virq}`);
console.log(`  the guest takes ${guestTakes()}`);

const { vlpis, doorbells } = gic.counters();
console.log(`VLPIs: ${vlpis.direct} direct, ${vlpis.waiting} waiting. Doorbells: ${doorbells.rung}`);

/* Prints:
The event becomes a VLPI:
  VCFG(0)[8200] = 0xa3
  ITS0: DISCARD DeviceID 0x10, EventID 0x0
  ITS0: SYNC RDbase 0
  ITS0: VMAPTI DeviceID 0x10, EventID 0x0, vPEID 0, vINTID 8200, Dbell_pINTID 1023
  ITS0: VSYNC vPEID 0
The vPE runs on PE 0:
  MSI: vIRQ true, IRQ false
  the guest takes 8200; the host knows nothing of it
The vPE sleeps:
  MSI: vIRQ false, IRQ true
  the host takes 8192, the doorbell of the vPE: true
  scheduled again: vIRQ true
  the guest takes 8200
VLPIs: 1 direct, 1 waiting. Doorbells: 1
*/
