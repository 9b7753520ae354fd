import type { Machine } from '../../bindings/index.ts';
import { mapc, mapd, mapti } from '../its/commands.ts';
import { DEVICE, ENABLED, FIRST_LPI, GITS, type Its, ItsBoard } from '../its/fixture.ts';

/** INTID bits - 1 of the LPI tables. */
const ID_BITS = 13;

/**
 * What an orderly driver does that finds a machine in any state: switches everything off, gives it memory and
 * switches it on. Event n of DEVICE is then LPI 8192 + n of PE n, at every ITS.
 */
export function recover(machine: Machine): ItsBoard {
  const board = new ItsBoard(machine);
  for (const its of board.itses) its.enable(false);
  silence(board);
  machine.ram(machine.config.ram.base, machine.config.ram.size).fill(0);
  board.open();
  machine.ram(board.configTable, 8192).fill(ENABLED);
  for (let cpu = 0; cpu < machine.cpus; cpu++) board.enableLpis(cpu, ID_BITS);
  for (const its of board.itses) {
    its.setUp();
    its.write(GITS.STATUSR, 0x3ff);
    const commands = [mapd(DEVICE, its.itt(0))];
    for (let cpu = 0; cpu < machine.cpus; cpu++) {
      commands.push(mapc(cpu, board.rdBase(cpu)), mapti(DEVICE, cpu, FIRST_LPI + cpu, cpu));
    }
    its.run(commands);
    drain(its);
  }
  machine.takeDiagnostics();
  return board;
}

/** Executes what is queued at an ITS whose commands are stepped. */
export function drain(its: Its): void {
  its.board.machine.stepIts(its.number, 0x1_0000);
}

/** Nothing is pending, active or enabled afterwards, and no vPE is resident. */
function silence(board: ItsBoard): void {
  const { machine } = board;
  const { architecture, cpus, spis, extendedSpis, extendedPpis } = machine.config;
  board.setGicd(0x0000, 0);
  for (let cpu = 0; cpu < cpus; cpu++) {
    machine.resetCpuInterface(cpu);
    machine.writeSystemRegister(cpu, 'ICH_HCR_EL2', 0);
    machine.writeSystemRegister(cpu, 'HCR_EL2', 0);
    board.setGicr(cpu, 0x0000, 0);
    if (architecture !== 'GICv3') machine.write(board.gicrAddress(cpu, 0x2_0078), 8, 0n);
    if (architecture === 'GICv4.1') machine.write(board.gicrAddress(cpu, 0x2_0070), 8, 0n);
    for (let ppi = 16; ppi < 32; ppi++) machine.setPpi(cpu, ppi, false);
    for (const clear of [0x1_0180, 0x1_0280, 0x1_0380]) {
      for (let n = 0; n <= extendedPpis / 32; n++) board.setGicr(cpu, clear + 4 * n, 0xffff_ffff);
    }
  }
  for (let spi = 32; spi < 32 + spis; spi++) machine.setSpi(spi, false);
  for (const clear of [0x0180, 0x0280, 0x0380]) {
    for (let n = 1; n <= spis / 32; n++) board.setGicd(clear + 4 * n, 0xffff_ffff);
  }
  for (const clear of [0x1400, 0x1800, 0x1c00]) {
    for (let n = 0; n < extendedSpis / 32; n++) board.setGicd(clear + 4 * n, 0xffff_ffff);
  }
}
