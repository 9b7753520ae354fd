import type { EngineExports } from '../engine.ts';

/** The exports of the fuzz build. */
export interface FuzzExports extends EngineExports {
  /** Where things stand, and how many edges there are. */
  readonly fuzzInput: WebAssembly.Global;
  readonly fuzzInputBytes: WebAssembly.Global;
  readonly fuzzHang: WebAssembly.Global;
  readonly fuzzRegisterList: WebAssembly.Global;
  readonly fuzzRegistersMax: WebAssembly.Global;
  readonly fuzzStateBegin: WebAssembly.Global;
  readonly fuzzUnseen: WebAssembly.Global;
  readonly fuzzEdgeCount: WebAssembly.Global;
  fuzzRegisters(total: number, harmless: number): void;
  fuzzKeep(): void;
  fuzzRestore(): number;
  fuzzRestoreAll(): void;
  fuzzDirtyDigest(): number;
  fuzzBeginCoverage(edges: number): void;
  fuzzTakeCoverage(edges: number): number;
  fuzzDropCoverage(edges: number): void;
  fuzzRun(bytes: number): number;
  fuzzTry(bytes: number, edges: number): number;
  fuzzOperation(): number;
}
