import fc from 'fast-check';
import { describe, it } from 'vitest';
import { type Engine, type KernelEra, loadEngine, Machine } from '../../../bindings/index.ts';
import { systems } from '../../irqchip/system.ts';
import { GuestIts } from '../guest_its.ts';
import { type ItsAction, ItsTraffic, itsAction } from './its_traffic.ts';

const engine: Engine = await loadEngine('single');

function play(actions: readonly ItsAction[], hardware: keyof typeof systems, kvm: KernelEra): void {
  const machine = new Machine(engine, { cpus: 4, ram: { size: 2 ** 25 }, ...systems[hardware] });
  const traffic = new ItsTraffic(GuestIts.on(machine, { kvm }), kvm !== '2017');
  for (const action of actions) {
    traffic.act(action);
    traffic.check();
  }
}

const actions = fc.array(itsAction, { minLength: 20, maxLength: 150, size: 'max' });

describe('I1, I4, I5, I9, I10, I11 under random traffic of a guest and its devices', () => {
  for (const [hardware, kvm] of [
    ['v3', '5.6'],
    ['v4', '2017'],
    ['v4', '5.6'],
    ['v4ItsList', '5.6'],
    ['v4_1', '6.19'],
  ] as const) {
    it(`${hardware}, ${kvm}`, () => {
      fc.assert(
        fc.property(actions, (given) => play(given, hardware, kvm)),
        { numRuns: 40 },
      );
    }, 120_000);
  }
});
