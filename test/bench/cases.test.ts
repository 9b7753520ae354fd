import { beforeAll, describe, expect, it } from 'vitest';
import type { MakeGic } from '../../bindings/bench/case.ts';
import { benchCases } from '../../bindings/bench/cases/index.ts';
import { checkCase, measureCase } from '../../bindings/bench/measure.ts';
import { loadEngine } from '../../bindings/engine_loading.ts';
import { Machine } from '../../bindings/machine.ts';
import { ReferenceGic } from '../reference/gic.ts';

const effort = { time: 1, runs: 2, batch: 16 };

let makeMachine: MakeGic;

beforeAll(async () => {
  const engine = await loadEngine();
  makeMachine = (options) => new Machine(engine, options);
});

function caseNamed(name: string) {
  const found = benchCases.find((benchCase) => benchCase.name === name);
  if (!found) throw new RangeError(`no case ${name}`);
  return found;
}

describe('each benchmark case does what its name says', () => {
  it.each(benchCases.map((benchCase) => [benchCase.name, benchCase] as const))('%s', (_, benchCase) => {
    expect(() => checkCase(benchCase, makeMachine, effort)).not.toThrow();
  });

  it('and no two have the same name', () => {
    const names = benchCases.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });
});

describe('the reference model passes the same checks', () => {
  const names = [
    'INT, 16 LPIs',
    'INT + CLEAR, 16 LPIs',
    'MAPTI',
    'MOVI, LPI pending',
    'INV, 0 LPIs pending',
    'MSI -> ICC_IAR1 -> ICC_EOIR1, 1 LPI pending',
    'SPI line high -> ICC_IAR1 -> ICC_EOIR1 -> line low',
    'SGI to another PE -> ICC_IAR1 -> ICC_EOIR1',
  ];
  it.each(names)('%s', (name) => {
    expect(() => checkCase(caseNamed(name), (options) => new ReferenceGic(options), effort)).not.toThrow();
  });
});

/** A machine on which `broken` replaces some of the methods. */
function sabotaged(broken: (machine: Machine) => Partial<Machine>): MakeGic {
  return (options) => {
    const machine = makeMachine(options) as Machine;
    return Object.assign(machine, broken(machine));
  };
}

describe('a case fails whose work is not done', () => {
  const noMsis = sabotaged(() => ({ sendMsi: () => 'pending' }));
  const noLines = sabotaged(() => ({ setSpi() {} }));
  const frozenCounters = sabotaged((machine) => {
    const values = machine.counters();
    return { counters: () => values };
  });
  const noRegisterReads = sabotaged(() => ({ readSystemRegister: () => 1023n }));

  it.each<[string, MakeGic]>([
    ['MSI, 1,024 LPIs', noMsis],
    ['MSI, 1,024 VLPIs of a resident vPE', noMsis],
    ['MSI -> ICC_IAR1 -> ICC_EOIR1, 1 LPI pending', noMsis],
    ['MSI -> ICV_IAR1 -> ICV_EOIR1, 256 CPUs in turn, 4,096 vPEs', noMsis],
    ['SPI line high -> ICC_IAR1 -> ICC_EOIR1 -> line low', noLines],
    ['SGI to another PE -> ICC_IAR1 -> ICC_EOIR1', noRegisterReads],
    ['vPE schedule-in, 100 VLPIs pending', noRegisterReads],
    ['irqchip: VLPI map + unmap', frozenCounters],
  ])('%s', (name, make) => {
    expect(() => measureCase(caseNamed(name), make, effort)).toThrow(
      expect.objectContaining({ name: 'CheckError' }),
    );
  });

  it('INT, 16 LPIs: a command error stalls the queue', () => {
    const noDevice = sabotaged((machine) => {
      const write = machine.writeMemory.bind(machine);
      return {
        writeMemory(address, bytes) {
          const isInt = bytes.length === 16 * 32 && bytes[0] === 3;
          write(address, isInt ? bytes.map((byte, n) => (n % 32 === 7 ? 0xff : byte)) : bytes);
        },
      };
    });
    expect(() => checkCase(caseNamed('INT, 16 LPIs'), noDevice, effort)).toThrow(/GITS_CREADR/);
  });
});

it('a measurement tells the operations timed and their median cost', () => {
  const result = measureCase(caseNamed('read GICD_ISENABLER1'), makeMachine, effort);
  expect(result.name).toBe('read GICD_ISENABLER1');
  expect(result.ops % 16).toBe(0);
  expect(result.ops).toBeGreaterThanOrEqual(2 * 16);
  expect(result.nsPerOp).toBeGreaterThan(0);
  expect(result.opsPerSecond * result.nsPerOp).toBeCloseTo(1e9, -1);
  expect(result.marginPercent).toBeGreaterThanOrEqual(0);
});
