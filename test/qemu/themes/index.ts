export { bothGroups, group1Interrupts } from './cpu_interface.ts';
export { hostileCommands } from './hostile_commands.ts';
export { itsTraffic } from './its_traffic.ts';
export { lpiTables } from './lpi_tables.ts';
export { distributorRegisters, itsRegisters, redistributorRegisters } from './registers.ts';
export { tableShapes } from './tables.ts';
export { guestInterrupts } from './virtual_cpu_interface.ts';
export { ppiWires, spiWires } from './wires.ts';
