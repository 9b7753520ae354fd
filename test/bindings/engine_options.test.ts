import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  createMachine,
  createMachineSync,
  type EngineBuild,
  GicError,
  loadEngine,
  loadEngineSync,
  Machine,
  memoryPages,
  threadsPossible,
} from '../../bindings/index.ts';
import { Driver } from '../support/driver.ts';

const bytesOf = (build: EngineBuild): Uint8Array<ArrayBuffer> =>
  new Uint8Array(readFileSync(new URL(`../../build/gic.${build}.wasm`, import.meta.url)));
const builds = ['single', 'shared'] as const;
const RAM = { base: 0x4000_0000, size: 0x20_0000 };
const PAGES = memoryPages(loadEngineSync('single'), { ram: RAM });
const buildOf = (machine: Machine): EngineBuild =>
  machine.memory.buffer instanceof SharedArrayBuffer ? 'shared' : 'single';

/** A module with neither imports nor exports. */
const EMPTY_MODULE = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);

/** Maps an LPI and lets it become pending; what the PE then has. */
function deliver(machine: Machine): unknown {
  const driver = new Driver(machine, machine.config).start();
  driver.setConfig(8200, 0xa0, true);
  driver.mapd(1, 4);
  driver.mapc(0, 0);
  driver.mapti(1, 3, 8200, 0);
  return [machine.sendMsi(1, 3), machine.cpu(0).acknowledge(), machine.counters()];
}

afterEach(() => vi.unstubAllGlobals());

describe('the build', () => {
  it('is the shared one where threads are possible', async () => {
    expect(threadsPossible()).toBe(true);
    expect(buildOf(await createMachine())).toBe('shared');
    expect(buildOf(createMachineSync())).toBe('shared');
  });

  it.each([
    ['a page that is not isolated', { crossOriginIsolated: false }],
    ['a host without shared memory', { SharedArrayBuffer: undefined }],
  ])('is the single one in %s; asking for the other is refused', async (_, globals) => {
    const shared = new WebAssembly.Module(bytesOf('shared'));
    for (const [name, value] of Object.entries(globals)) vi.stubGlobal(name, value);
    expect(threadsPossible()).toBe(false);
    expect((await createMachine()).memory.buffer).toBeInstanceOf(ArrayBuffer);
    const refused = expect.objectContaining({ code: 'UNSUPPORTED_HOST', field: 'build', value: 'shared' });
    await expect(createMachine({}, 'shared')).rejects.toEqual(refused);
    await expect(createMachine({}, { module: shared })).rejects.toEqual(refused);
    expect(() => createMachineSync({}, { build: 'shared' })).toThrow(
      /cross-origin isolated .* or the build "single"/,
    );
  });

  it.each(builds)('%s is had by its name, with and without a promise', async (build) => {
    expect(buildOf(await createMachine({}, build))).toBe(build);
    expect(buildOf(createMachineSync({}, { build }))).toBe(build);
    expect(await loadEngine(build)).toEqual(loadEngineSync(build));
  });

  it('of another name is refused', async () => {
    const refused = { code: 'INVALID_ARGUMENT', field: 'build', value: 'fast' };
    await expect(loadEngine('fast' as EngineBuild)).rejects.toMatchObject(refused);
    expect(() => loadEngineSync('fast' as EngineBuild)).toThrow(GicError);
  });
});

describe.each(builds)('the module %s', (build) => {
  it('is taken as bytes, and told by itself', async () => {
    expect(buildOf(await createMachine({}, { module: bytesOf(build) }))).toBe(build);
    expect(buildOf(createMachineSync({}, { module: bytesOf(build).buffer }))).toBe(build);
  });

  it('is taken compiled, for any number of machines', async () => {
    const module = new WebAssembly.Module(bytesOf(build));
    const machines = [await createMachine({}, { module }), createMachineSync({}, { module })];
    expect(machines.map(buildOf)).toEqual([build, build]);
    expect(deliver(machines[0] as Machine)).toEqual(deliver(machines[1] as Machine));
    expect((await loadEngine({ module })).module).toBe(module);
  });

  it('is refused where the other build is asked for', async () => {
    const other = build === 'single' ? 'shared' : 'single';
    const options = { module: bytesOf(build), build: other } as const;
    await expect(createMachine({}, options)).rejects.toThrow(
      `module: "gic.${build}.wasm" is not allowed; expected the build "${other}"`,
    );
  });
});

it.each([
  ['no WebAssembly', Uint8Array.of(1, 2, 3)],
  ['another module', EMPTY_MODULE],
  ['another compiled module', new WebAssembly.Module(EMPTY_MODULE)],
])('a module that is %s is refused', async (_, module) => {
  const refused = {
    code: 'INVALID_ARGUMENT',
    field: 'module',
    expected: expect.stringContaining('gic.single.wasm'),
  };
  await expect(createMachine({}, { module })).rejects.toMatchObject(refused);
  expect(() => createMachineSync({}, { module })).toThrow(expect.objectContaining(refused));
});

describe.each(builds)('a memory that is given, %s', (build) => {
  const memoryOf = (pages: number): WebAssembly.Memory =>
    new WebAssembly.Memory(
      build === 'shared' ? { initial: pages, maximum: 65_536, shared: true } : { initial: pages },
    );

  it('is the machine’s, and decides about the build', () => {
    const memory = memoryOf(PAGES);
    const machine = createMachineSync({ ram: RAM }, { memory });
    expect(machine.memory).toBe(memory);
    expect(deliver(machine)).toEqual(deliver(createMachineSync({ ram: RAM }, build)));
  });

  it('keeps what is in its RAM, and nothing of the machine that it had', () => {
    const memory = memoryOf(PAGES);
    const first = createMachineSync({ ram: RAM }, { memory });
    const fresh = new Uint8Array(memory.buffer).slice();
    deliver(first);
    first.recordEvents(true);
    first.dispose();
    const second = createMachineSync({ ram: RAM }, { memory });
    const { ramAt } = second.shape.layout;
    expect(Buffer.compare(new Uint8Array(memory.buffer, 0, ramAt), fresh.subarray(0, ramAt))).toBe(0);
    expect(new Uint8Array(memory.buffer, ramAt).some((byte) => byte !== 0)).toBe(true);
    second.ram(RAM.base, RAM.size).fill(0);
    expect(deliver(second)).toEqual(deliver(createMachineSync({ ram: RAM }, build)));
  });

  it('is refused when it is too small, and left alone', () => {
    const memory = memoryOf(PAGES - 1);
    new Uint8Array(memory.buffer).fill(7);
    expect(() => createMachineSync({ ram: RAM }, { memory })).toThrow(
      `memory: "${PAGES - 1} pages" is not allowed; expected at least ${PAGES} pages of 64 KiB`,
    );
    expect(new Uint8Array(memory.buffer).every((byte) => byte === 7)).toBe(true);
  });

  it('is refused by the module of the other build', () => {
    const other = build === 'shared' ? 'single' : 'shared';
    const options = { memory: memoryOf(PAGES), module: bytesOf(other) };
    expect(() => createMachineSync({}, options)).toThrow(GicError);
    expect(() => new Machine(loadEngineSync(other), {}, memoryOf(PAGES))).toThrow(/^memory: /);
  });
});
