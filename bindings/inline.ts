/**
 * The library with its engine in it: for where no file can stand beside the script, and no promise can be waited for.
 *
 * @module gicv4/inline
 */

import type { MachineOptions } from './config.ts';
import type { Engine, EngineBuild } from './engine.ts';
import { engineBytes } from './engine_bytes.ts';
import * as loading from './engine_loading.ts';
import { Machine } from './machine.ts';

export * from './index.ts';

/** Makes a machine: as in the entry `gicv4`. */
export async function createMachine(
  options: MachineOptions = {},
  engine: EngineBuild | loading.EngineOptions = {},
): Promise<Machine> {
  return new Machine(await loadEngine(engine), options, loading.memoryOf(engine));
}

/** Makes a machine without a promise: as in the entry `gicv4`, and in browsers too. */
export function createMachineSync(
  options: MachineOptions = {},
  engine: EngineBuild | loading.EngineOptions = {},
): Machine {
  return new Machine(loadEngineSync(engine), options, loading.memoryOf(engine));
}

/** The engine: that of `options.module`, else the one that is here. */
export async function loadEngine(options: EngineBuild | loading.EngineOptions = {}): Promise<Engine> {
  return loading.loadEngine(withModule(options));
}

/** `loadEngine` without a promise. */
export function loadEngineSync(options: EngineBuild | loading.EngineOptions = {}): Engine {
  return loading.loadEngineSync(withModule(options));
}

const compiled = new Map<EngineBuild, WebAssembly.Module>();

function withModule(options: EngineBuild | loading.EngineOptions): loading.EngineOptions {
  const given = loading.normalized(options);
  if (given.module !== undefined) return given;
  const build = given.build ?? loading.possibleBuild();
  const module = compiled.get(build) ?? new WebAssembly.Module(engineBytes(build));
  compiled.set(build, module);
  return { ...given, module };
}
