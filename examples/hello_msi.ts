// An MSI on its way from a device to a PE, and what a driver sets up for it.
//
// Register by register, as the architecture has it; `new IrqChip(machine)` does the first half as Linux would.
import { createMachine } from 'gicv4';

const gic = await createMachine({ cpus: 2, ram: { base: 0x4000_0000, size: 2 ** 20 } });
const its = gic.its(0);

// Where the tables of the GIC stand in RAM. Each may have 64 KiB.
const [deviceTable, collectionTable, queue, configuration, pending, itt] = [0, 1, 2, 3, 4, 6].map(
  (n) => gic.config.ram.base + n * 0x1_0000,
) as [number, number, number, number, number, number];

// The distributor lets interrupts of Group 1 through.
gic.write(gic.config.addressMap.gicd, 4, 2); // GICD_CTLR.EnableGrp1

// Each redistributor wakes up and learns where the LPIs' configuration is, and where to keep those that are pending.
for (let cpu = 0; cpu < gic.cpus; cpu++) {
  const redistributor = gic.redistributor(cpu);
  redistributor.write('GICR_WAKER', 0);
  redistributor.write('GICR_PROPBASER', BigInt(configuration) | 15n); // 16 bits of INTID: LPIs 8192 to 65535
  redistributor.write('GICR_PENDBASER', BigInt(pending + cpu * 0x1_0000));
  redistributor.write('GICR_CTLR', 1); // EnableLPIs
  gic.cpu(cpu).write('ICC_PMR_EL1', 0xf8); // all priorities above 0xf8
  gic.cpu(cpu).write('ICC_IGRPEN1_EL1', 1);
}

// The ITS gets its tables and its command queue, with Valid in bit 63 and pages of 64 KiB in [9:8].
const valid = 1n << 63n;
its.write('GITS_BASER0', valid | BigInt(deviceTable) | 0x200n);
its.write('GITS_BASER1', valid | BigInt(collectionTable) | 0x200n);
its.write('GITS_CBASER', valid | BigInt(queue));
its.write('GITS_CTLR', 1);

// Device 0x10 has events 0 to 15. Its event 5 is LPI 8197, which goes to collection 1, which is PE 1.
its.command(
  { command: 'MAPD', deviceId: 0x10, size: 4, ittAddress: itt, valid: true },
  { command: 'MAPC', icid: 1, rdBase: 1, valid: true },
  { command: 'MAPTI', deviceId: 0x10, eventId: 5, pIntid: 8197, icid: 1 },
  { command: 'SYNC', rdBase: 1 },
);
gic.ram(configuration + 8197 - 8192, 1)[0] = 0xa1; // priority 0xa0, enabled; read at the first use

console.log(`MSI of event 5: ${its.sendMsi(0x10, 5)}`);
console.log(`MSI of event 5 again: ${its.sendMsi(0x10, 5)}`);
console.log(`MSI of event 6: ${its.sendMsi(0x10, 6)}`);

const pe = gic.cpu(1);
console.log(`IRQ of PE 1: ${pe.irq}`);
const intid = pe.acknowledge(); // ICC_IAR1_EL1
console.log(`PE 1 takes LPI ${intid}, IRQ: ${pe.irq}`);
pe.endOfInterrupt(intid); // ICC_EOIR1_EL1
console.log(`and then: ${pe.acknowledge()}`);

/* Prints:
MSI of event 5: pending
MSI of event 5 again: coalesced
MSI of event 6: event-unmapped
IRQ of PE 1: true
PE 1 takes LPI 8197, IRQ: false
and then: 1023
*/
