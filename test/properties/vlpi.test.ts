import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type EngineBuild, loadEngine, Machine } from '../../bindings/index.ts';
import { type VlpiAction, vlpiAction } from './vlpi_action.ts';
import { VlpiTraffic, vlpiMachine } from './vlpi_traffic.ts';

const engines = { single: await loadEngine('single'), shared: await loadEngine('shared') };

function play(
  actions: readonly VlpiAction[],
  vmovpOnAnyIts: boolean,
  build: EngineBuild = 'single',
): Machine {
  const machine = new Machine(engines[build], { ...vlpiMachine, vmovpOnAnyIts });
  const traffic = new VlpiTraffic(machine);
  for (const [n, each] of actions.entries()) {
    traffic.act(each);
    if (n % 8 === 0) traffic.check();
  }
  traffic.check();
  traffic.drain();
  return machine;
}

const digest = (machine: Machine): string =>
  createHash('sha256').update(new Uint8Array(machine.memory.buffer).slice()).digest('hex');

const actions = fc.array(vlpiAction, { minLength: 50, maxLength: 600, size: 'max' });

describe('VLPIs under random legal traffic: 8 PEs, 2 ITSs, 16 vPEs', () => {
  it('no VLPI is lost or taken twice, one redistributor holds a vPE, index and counters are right', () => {
    fc.assert(
      fc.property(actions, fc.boolean(), (given, onAny) => void play(given, onAny)),
      { numRuns: 60 },
    );
  }, 60_000);

  it('the same traffic leaves the same memory, in each build', () => {
    const property = fc.property(actions, fc.boolean(), (given, onAny) => {
      const [first, again] = [digest(play(given, onAny)), digest(play(given, onAny))];
      expect(again).toBe(first);
      const shared = [digest(play(given, onAny, 'shared')), digest(play(given, onAny, 'shared'))];
      expect(shared[1]).toBe(shared[0]);
    });
    fc.assert(property, { numRuns: 4 });
  }, 60_000);
});
