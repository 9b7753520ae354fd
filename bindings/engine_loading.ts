import { buildOf, type Engine, type EngineBuild } from './engine.ts';
import { compileFile, compileFileSync } from './engine_files.ts';
import { GicError } from './errors.ts';

/** Where the engine and the memory of a machine come from. */
export interface EngineOptions {
  /**
   * Default: that of `module` or `memory` where given, else `shared` where threads are possible (in Node, and in a
   * page that is cross-origin isolated), else `single`.
   */
  readonly build?: EngineBuild;
  /**
   * `gic.single.wasm` or `gic.shared.wasm`, as bytes or compiled, instead of being read from the package. A compiled
   * module can be used for any number of machines, and be posted to workers.
   */
  readonly module?: WebAssembly.Module | BufferSource;
  /**
   * The memory of the machine, shared for the build `shared`, of at least `memoryPages(engine, options)` pages; by
   * default a new one. The machine clears what is in front of its simulated RAM and leaves the RAM as it is.
   */
  readonly memory?: WebAssembly.Memory;
}

/** Whether memory can be shared between threads here. */
export function threadsPossible(): boolean {
  return typeof SharedArrayBuffer === 'function' && globalThis.crossOriginIsolated !== false;
}

const compiled = new Map<EngineBuild, Engine>();
const compiling = new Map<EngineBuild, Promise<Engine>>();

/**
 * The engine: that of `options.module`, else that of the package, which is compiled once per build. In Node it is read
 * from the package, elsewhere it is fetched. Throws a `GicError` UNSUPPORTED_HOST where the build `shared` is wanted and
 * memory cannot be shared.
 */
export async function loadEngine(options: EngineBuild | EngineOptions = {}): Promise<Engine> {
  const { module, build } = normalized(options);
  if (module !== undefined) return engineOf(isCompiled(module) ? module : await compile(module), build);
  const wanted = build ?? possibleBuild();
  const engine = compiled.get(wanted) ?? compiling.get(wanted);
  if (engine) return engine;
  const coming = compileFile(wanted).then((file) => keep(wanted, file));
  compiling.set(wanted, coming);
  // What could not be fetched may be there at the next attempt.
  coming.catch(() => compiling.delete(wanted));
  return coming;
}

/**
 * `loadEngine` without a promise. In a browser it throws a `GicError` UNSUPPORTED_HOST without `options.module`, unless
 * `loadEngine` has compiled that build before.
 */
export function loadEngineSync(options: EngineBuild | EngineOptions = {}): Engine {
  const { module, build } = normalized(options);
  if (module !== undefined) return engineOf(isCompiled(module) ? module : compileSync(module), build);
  const wanted = build ?? possibleBuild();
  return compiled.get(wanted) ?? keep(wanted, compileFileSync(wanted));
}

/** The memory that a user gave for a machine. */
export function memoryOf(options: EngineBuild | EngineOptions): WebAssembly.Memory | undefined {
  return typeof options === 'string' ? undefined : options.memory;
}

/** The build for a user who does not name one. */
export function possibleBuild(): EngineBuild {
  return threadsPossible() ? 'shared' : 'single';
}

/** With the build that the options name, or that their memory needs. */
export function normalized(options: EngineBuild | EngineOptions): EngineOptions {
  const given = typeof options === 'string' ? { build: options } : options;
  const build = given.build ?? (given.memory && buildFor(given.memory));
  if (build !== undefined && build !== 'single' && build !== 'shared') {
    throw new GicError('INVALID_ARGUMENT', 'build', build, '"single" or "shared"');
  }
  if (build === 'shared') requireThreads();
  return { ...given, ...(build && { build }) };
}

/** The build that can work on a memory. */
export function buildFor(memory: WebAssembly.Memory): EngineBuild {
  return memory.buffer instanceof ArrayBuffer ? 'single' : 'shared';
}

function requireThreads(): void {
  if (threadsPossible()) return;
  throw new GicError(
    'UNSUPPORTED_HOST',
    'build',
    'shared',
    'a page that is cross-origin isolated (headers Cross-Origin-Opener-Policy: same-origin and ' +
      'Cross-Origin-Embedder-Policy: require-corp), or the build "single"',
  );
}

function keep(build: EngineBuild, module: WebAssembly.Module): Engine {
  const engine = { build, module };
  compiled.set(build, engine);
  return engine;
}

function isCompiled(module: WebAssembly.Module | BufferSource): module is WebAssembly.Module {
  // Not `instanceof`: a module may come from another realm.
  return Object.prototype.toString.call(module) === '[object WebAssembly.Module]';
}

async function compile(bytes: BufferSource): Promise<WebAssembly.Module> {
  try {
    return await WebAssembly.compile(bytes);
  } catch (error) {
    throw notTheEngine(error);
  }
}

function compileSync(bytes: BufferSource): WebAssembly.Module {
  try {
    return new WebAssembly.Module(bytes);
  } catch (error) {
    throw notTheEngine(error);
  }
}

function engineOf(module: WebAssembly.Module, wanted: EngineBuild | undefined): Engine {
  let build: EngineBuild;
  try {
    build = buildOf(module);
  } catch (error) {
    throw notTheEngine(error);
  }
  if (wanted !== undefined && build !== wanted) {
    throw new GicError('INVALID_ARGUMENT', 'module', `gic.${build}.wasm`, `the build "${wanted}", as wanted`);
  }
  if (build === 'shared') requireThreads();
  return { build, module };
}

function notTheEngine(error: unknown): GicError {
  const found = error instanceof Error ? error.message : error;
  return new GicError(
    'INVALID_ARGUMENT',
    'module',
    found,
    'gic.single.wasm or gic.shared.wasm of this package',
  );
}
