import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import {
  createMachine,
  loadMachine,
  type Machine,
  type MachineOptions,
  resolveConfig,
  saveMachine,
} from '../../bindings/index.ts';
import { DEVICE, ITS_RAM } from '../its/fixture.ts';
import { recover } from '../properties/recovery.ts';

const options: MachineOptions = { ram: ITS_RAM, architecture: 'GICv4.0', cpus: 2, intidBits: 14, spis: 64 };

async function used(): Promise<Machine> {
  const machine = await createMachine(options);
  recover(machine);
  machine.sendMsi(DEVICE, 1);
  return machine;
}

/** A save whose body is changed, with prefix and checksum as they should be. */
function withBody(save: Uint8Array, change: (body: Buffer) => Uint8Array): Uint8Array {
  const body = gzipSync(change(gunzipSync(save.subarray(16))));
  const result = Buffer.concat([save.subarray(0, 16), body]);
  result.writeUInt32LE(body.length, 12);
  return result;
}

/** The same with a change in the text of the heading that leaves its length as it is. */
function withHeading(save: Uint8Array, from: string, to: string): Uint8Array {
  expect(to).toHaveLength(from.length);
  return withBody(save, (body) => {
    const at = body.indexOf(from);
    expect(at).toBeGreaterThan(0);
    body.write(to, at);
    return body;
  });
}

describe('a saved machine', () => {
  it.each(['single', 'shared'] as const)('goes on where it was, in the build %s', async (build) => {
    const machine = await used();
    const save = await saveMachine(machine);
    expect(save.length, 'compressed').toBeLessThan(machine.snapshot().bytes / 5);
    const loaded = await loadMachine(save, build);
    expect(loaded.config).toEqual(machine.config);
    expect(loaded.digest()).toBe(machine.digest());
    for (const one of [machine, loaded]) {
      expect(one.irq(1)).toBe(true);
      one.cpu(1).acknowledge();
      expect(one.sendMsi(DEVICE, 0)).toBe('pending');
    }
    expect(loaded.digest()).toBe(machine.digest());
  });

  it.each<MachineOptions>([
    { ...options, preset: 'qemu-virt', ram: { size: ITS_RAM.size } },
    { ...options, priorityBits: 8, identification: { GITS_TYPER: 0x1234_5678_9abcn, GICD_IIDR: 7 } },
  ])('has its configuration with it: %o', async (given) => {
    const machine = await createMachine(given);
    expect(resolveConfig(machine.config)).toEqual(machine.config);
    expect((await loadMachine(await saveMachine(machine))).config).toEqual(machine.config);
  });

  const whole = used().then(saveMachine);
  it.each<[string, (save: Uint8Array) => Uint8Array, string]>([
    ['that is something else', () => new TextEncoder().encode('{"not":"a machine"}'), 'save.magic'],
    ['that is empty', () => new Uint8Array(), 'save.magic'],
    ['with nothing but a beginning', (save) => save.subarray(0, 12), 'save.length'],
    ['that is cut short', (save) => save.subarray(0, save.length - 1), 'save.length'],
    ['that goes on', (save) => Buffer.concat([save, Uint8Array.of(0)]), 'save.length'],
    [
      'of a later version',
      (save) => Uint8Array.from(save, (byte, n) => (n === 8 ? 2 : byte)),
      'save.version',
    ],
    [
      'with a flipped bit',
      (save) => Uint8Array.from(save, (byte, n) => (n === save.length >> 1 ? byte ^ 1 : byte)),
      'save.contents',
    ],
    [
      'with other RAM',
      (save) => withBody(save, (body) => body.fill(1, body.length - 9, body.length - 1)),
      'save.contents',
    ],
    ['without its last page', (save) => withBody(save, (body) => body.subarray(0, -4096)), 'save.contents'],
    [
      'of another engine',
      (save) => withHeading(save, '"stateFormat":"', '"stateformat":"'),
      'save.stateFormat',
    ],
    [
      'with another number of PEs',
      (save) => withHeading(save, '"cpus":2', '"cpus":3'),
      'save.config.affinities',
    ],
    ['with other RAM', (save) => withHeading(save, '"spis":64', '"spis":65'), 'save.config.spis'],
    ['with other widths', (save) => withHeading(save, '"intidBits":14', '"intidBits":15'), 'save.config'],
    ['with pages elsewhere', (save) => withHeading(save, '"runs":[[', '"runs":[]'), 'save.contents'],
  ])('%s is refused', async (_, change, field) => {
    await expect(loadMachine(change(await whole))).rejects.toMatchObject({
      name: 'GicError',
      code: 'INVALID_INPUT',
      field,
    });
  });
});
