import { describe, expect, it } from 'vitest';
import { createMachine, IrqChip, type KernelEra } from '../../bindings/index.ts';
import { type SystemName, systems } from './system.ts';

async function boot(name: SystemName, kvm: KernelEra = '5.6'): Promise<string[]> {
  const machine = await createMachine({ cpus: 2, ...systems[name] });
  return new IrqChip(machine, { kvm }).takeLogLines();
}

/** Registers without values and commands without operands. */
function words(lines: readonly string[]): string[] {
  return lines.map((line) => line.split(' ', 2).join(' '));
}

describe('boot', () => {
  it('ITS with tables and queue, the proxy device, then PE by PE (its_init, its_init_v4, its_cpu_init)', async () => {
    const ofPe = (n: number): string[] => [
      ...['PROPBASER', 'PENDBASER', 'CTLR', 'VPROPBASER', 'VPENDBASER'].map((name) => `RD${n}: GICR_${name}`),
      ...['MAPC', 'SYNC', 'INVALL', 'SYNC'].map((command) => `ITS0: ${command}`),
    ];
    expect(words(await boot('v4Proxy'))).toEqual([
      'RD0: GICR_WAKER',
      ...['[0x100]', '[0x108]', '[0x110]', '[0x80]', '[0x88]', '[0x0]', 'MAPD'].map(
        (what) => `ITS0: ${what}`,
      ),
      ...ofPe(0),
      'RD1: GICR_WAKER',
      ...ofPe(1),
    ]);
  });

  it('each collection is mapped on every ITS', async () => {
    const lines = await boot('v4TwoIts');
    expect(lines.filter((line) => line.includes('MAPC'))).toEqual([
      'ITS0: MAPC ICID 0, RDbase 0, V 1',
      'ITS1: MAPC ICID 0, RDbase 0, V 1',
      'ITS0: MAPC ICID 1, RDbase 1, V 1',
      'ITS1: MAPC ICID 1, RDbase 1, V 1',
    ]);
  });

  it('INVALL is followed by SYNC, but not in 2017', async () => {
    for (const [kvm, expected] of [
      ['2017', ['INVALL ICID 0', 'MAPC ICID 1, RDbase 1, V 1', 'SYNC RDbase 1', 'INVALL ICID 1']],
      ['5.6', ['INVALL ICID 0', 'SYNC RDbase 0', 'MAPC ICID 1, RDbase 1, V 1', 'SYNC RDbase 1']],
      ['6.19', ['INVALL ICID 0', 'SYNC RDbase 0', 'MAPC ICID 1, RDbase 1, V 1', 'SYNC RDbase 1']],
    ] as const) {
      const commands = (await boot('v3', kvm)).filter((line) => /: (MAPC|INVALL|SYNC)/.test(line));
      expect(commands.slice(2, 6), kvm).toEqual(expected.map((command) => `ITS0: ${command}`));
    }
  });
});
