import { type MachineOptions, resolveConfig } from './config.ts';
import { type Engine, type EngineBuild, pagesOf, structureSizes } from './engine.ts';
import { type EngineOptions, loadEngine, loadEngineSync, memoryOf } from './engine_loading.ts';
import { layOut } from './layout.ts';
import { Machine } from './machine.ts';
import { implementedRegisters } from './registers/index.ts';

/**
 * Makes a machine. `engine` names a build, or tells where the engine and the memory come from. Throws a `GicError` for a
 * configuration that is out of range.
 */
export async function createMachine(
  options: MachineOptions = {},
  engine: EngineBuild | EngineOptions = {},
): Promise<Machine> {
  return new Machine(await loadEngine(engine), options, memoryOf(engine));
}

/** `createMachine` without a promise. In a browser the engine has to be given, or loaded before: see `loadEngineSync`. */
export function createMachineSync(
  options: MachineOptions = {},
  engine: EngineBuild | EngineOptions = {},
): Machine {
  return new Machine(loadEngineSync(engine), options, memoryOf(engine));
}

/** Pages of 64 KiB that the memory of a machine has at least, for those who bring one: see `EngineOptions`. */
export function memoryPages(engine: Engine, options: MachineOptions = {}): number {
  const config = resolveConfig(options);
  return pagesOf(layOut(config, structureSizes(engine), implementedRegisters(config).length).pages);
}
