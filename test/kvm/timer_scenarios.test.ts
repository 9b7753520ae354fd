import { describe, expect, it, vi } from 'vitest';
import type { Step } from '../../examples/forwarded_timer.ts';

// The example prints when it is loaded.
const log = vi.spyOn(console, 'log').mockImplementation(() => {});
const { busyGuest, idleGuest, table } = await import('../../examples/forwarded_timer.ts');
log.mockRestore();

/** A step in a row: timer, soft timer, active on the host, line and list, list register, vCPU, taken by the host. */
const row = (step: Step): unknown[] => [
  step.step,
  step.timer,
  step.softTimer,
  step.physicalActive ? 1 : 0,
  `${step.line}${step.queued ? ' queued' : ''}`,
  step.listRegister,
  step.vcpu,
  step.hostInterrupts,
];

describe('4.3 scenario A: the guest sleeps', () => {
  it('5.6 and later: the timer is switched when the vCPU is loaded and put', async () => {
    for (const kernel of ['5.6', '6.19'] as const) {
      expect((await idleGuest(kernel)).map(row)).toEqual([
        ['1', 'off', 'off', 0, 'low', '-', 'in-guest', 0],
        ['2', 'armed', 'off', 0, 'low', '-', 'in-guest', 0],
        ['3', 'armed', 'off', 0, 'low', '-', 'in-guest', 0],
        ['4', 'armed', 'off', 0, 'low', '-', 'loaded', 0],
        ['5-7', 'off', 'on', 0, 'low', '-', 'asleep', 0],
        ['8', 'off', 'off', 0, 'low', '-', 'outside', 0],
        ['9-10', 'fires', 'off', 1, 'high queued', '-', 'loaded', 0],
        ['11-12', 'fires', 'off', 1, 'low queued', 'pending, HW', 'in-guest', 0],
        ['', 'armed', 'off', 0, 'low queued', '-', 'in-guest', 0],
      ]);
    }
  });

  it('2017: at each entry and exit', async () => {
    expect((await idleGuest('2017')).map(row)).toEqual([
      ['1', 'off', 'off', 0, 'low', '-', 'in-guest', 0],
      ['2', 'armed', 'off', 0, 'low', '-', 'in-guest', 0],
      ['3', 'armed', 'off', 0, 'low', '-', 'in-guest', 0],
      ['4', 'off', 'off', 0, 'low', '-', 'loaded', 0],
      ['5-7', 'off', 'on', 0, 'low', '-', 'asleep', 0],
      ['8', 'off', 'off', 0, 'low', '-', 'outside', 0],
      ['9-10', 'off', 'off', 0, 'low', '-', 'loaded', 0],
      ['11-12', 'fires', 'off', 1, 'low queued', 'pending, HW', 'in-guest', 0],
      ['', 'armed', 'off', 0, 'low queued', '-', 'in-guest', 0],
    ]);
  });
});

describe('4.4 scenario B: the guest is busy', () => {
  it('5.6 and later: the host takes the interrupt once, and its handler injects', async () => {
    for (const kernel of ['5.6', '6.19'] as const) {
      expect((await busyGuest(kernel)).map(row)).toEqual([
        ['1', 'off', 'off', 0, 'low', '-', 'in-guest', 0],
        ['2', 'armed', 'off', 0, 'low', '-', 'in-guest', 0],
        ['4', 'fires', 'off', 0, 'low', '-', 'in-guest', 0],
        ['5-6', 'fires', 'off', 1, 'high queued', '-', 'loaded', 1],
        ['7', 'fires', 'off', 1, 'low queued', 'pending, HW', 'in-guest', 1],
        ['8', 'armed', 'off', 0, 'low queued', '-', 'in-guest', 1],
      ]);
    }
  });

  it('2017: the timer is off before the host could take it, KVM finds it expired in memory', async () => {
    expect((await busyGuest('2017')).map(row)).toEqual([
      ['1', 'off', 'off', 0, 'low', '-', 'in-guest', 0],
      ['2', 'armed', 'off', 0, 'low', '-', 'in-guest', 0],
      ['4', 'fires', 'off', 0, 'low', '-', 'in-guest', 0],
      ['5-6', 'off', 'off', 0, 'high queued', '-', 'loaded', 0],
      ['7', 'fires', 'off', 1, 'low queued', 'pending, HW', 'in-guest', 0],
      ['8', 'armed', 'off', 0, 'low queued', '-', 'in-guest', 0],
    ]);
  });
});

it('the example prints a line for each step', async () => {
  const steps = await busyGuest('5.6');
  const lines = table(steps).split('\n');
  expect(lines).toHaveLength(steps.length + 1);
  expect(lines[4]).toMatch(/^5-6 {2}the VM exits.* fires +off +1 +high, queued +- +loaded +1$/);
});
