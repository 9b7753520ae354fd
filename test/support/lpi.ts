import type { Board } from './gic.ts';
import { RAM } from './gic.ts';

/** The LPI tables of a PE as a driver sets them up (sections 3.6, 3.7, 4.1, 4.2). */
export interface LpiTables {
  /** GICR_PROPBASER.IDbits, default 15: INTIDs of 16 bits. */
  idBits?: number;
  /** Default the same table for all PEs. */
  configTable?: number;
  /** Default one table for each PE. */
  pendingTable?: number;
  /** GICR_PENDBASER.PTZ, default false. */
  zero?: boolean;
}

export const CONFIG_TABLE = RAM.base;
export const pendingTableOf = (cpu: number): number => RAM.base + 0x2_0000 + cpu * 0x1_0000;

/** Writes GICR_PROPBASER and GICR_PENDBASER. */
export function writeLpiTables(board: Board, cpu: number, tables: LpiTables = {}): void {
  const { idBits = 15, configTable = CONFIG_TABLE, pendingTable = pendingTableOf(cpu), zero } = tables;
  board.setGicr64(cpu, 0x0070, BigInt(configTable) | BigInt(idBits));
  board.setGicr64(cpu, 0x0078, BigInt(pendingTable) | (zero ? 1n << 62n : 0n));
}

/** Sets the tables up and GICR_CTLR.EnableLPIs. */
export function enableLpis(board: Board, cpu = 0, tables: LpiTables = {}): void {
  writeLpiTables(board, cpu, tables);
  setEnableLpis(board, true, cpu);
}

export function setEnableLpis(board: Board, enable: boolean, cpu = 0): void {
  const others = board.gicr(cpu, 0x0000) & ~1;
  board.setGicr(cpu, 0x0000, (others | (enable ? 1 : 0)) >>> 0);
}

/** Stores an LPI's configuration byte: Priority[7:2] and Enable. */
export function setLpiConfig(board: Board, intid: number, byte: number, table = CONFIG_TABLE): void {
  board.machine.writeMemory(table + intid - 8192, Uint8Array.of(byte));
}

/** An LPI's bit in the pending table in memory. */
export function pendingBit(board: Board, intid: number, cpu = 0, table = pendingTableOf(cpu)): boolean {
  const [byte] = board.machine.readMemory(table + (intid >> 3), 1);
  return (((byte ?? 0) >> (intid & 7)) & 1) !== 0;
}

export function setPendingBit(board: Board, intid: number, cpu = 0, table = pendingTableOf(cpu)): void {
  const address = table + (intid >> 3);
  const [byte] = board.machine.readMemory(address, 1);
  board.machine.writeMemory(address, Uint8Array.of((byte ?? 0) | (1 << (intid & 7))));
}

/** Writes GICR_SETLPIR. */
export function setLpi(board: Board, intid: number, cpu = 0): void {
  board.setGicr64(cpu, 0x0040, BigInt(intid));
}

/** Writes GICR_CLRLPIR. */
export function clearLpi(board: Board, intid: number, cpu = 0): void {
  board.setGicr64(cpu, 0x0048, BigInt(intid));
}
