import { expect } from 'vitest';
import { dirTraps, type Kind, type Life, lifeCycle, steps } from './table.ts';

const pulse = ({ lab }: Life): void => {
  lab.machine.setSpi(50, false);
  lab.machine.setSpi(50, true);
  lab.kvm.serve();
};

const device: Kind = {
  kind: 'SPI forwarded, edge',
  intid: 40,
  hostIntid: 50,
  setUp: (lab) => lab.vm.assignSpi(40, { hostIntid: 50, trigger: 'edge' }),
  raise: (lab) => {
    lab.machine.setSpi(50, false);
    lab.machine.setSpi(50, true);
    lab.kvm.serve();
  },
  rows: [
    {
      event: 'rise while the vCPU is out: pA=1, latched and queued',
      given: steps('stop'),
      when: steps('rise'),
      result: { memory: 'P', list: 0, physical: 'active' },
    },
    {
      event: 'entry: HW and pending, the latch is consumed',
      given: steps('stop', 'rise'),
      when: steps('run'),
      result: { memory: '-', lr: 'pending hw', physical: 'active' },
    },
    {
      event: 'acknowledge: active, no exit',
      given: steps('rise'),
      when: steps('ack'),
      result: { lr: 'active hw', physical: 'active', exits: 0 },
    },
    {
      event: 'a second edge while pending: pending and active on the host, which is not interrupted',
      given: steps('rise'),
      when: pulse,
      result: { lr: 'pending hw', physical: 'pending active', exits: 0 },
    },
    {
      event: 'a second edge while active: the same',
      given: steps('rise', 'ack'),
      when: pulse,
      result: { lr: 'active hw', physical: 'pending active', exits: 0 },
    },
    {
      event: 'end: the list register is empty, pA=0, no exit for it',
      given: steps('rise', 'ack'),
      when: steps('end'),
      result: { lr: undefined, physical: '-', exits: dirTraps },
    },
    {
      event: 'end after a second edge: the host takes it, and it is pending again',
      given: (life) => {
        steps('rise', 'ack')(life);
        pulse(life);
      },
      when: steps('end'),
      result: { lr: 'pending hw', physical: 'active' },
      and: (life) => {
        steps('ack', 'end', 'exit')(life);
        expect(life.lab.picture(40)).toEqual({ memory: '-', lr: undefined, list: undefined });
      },
    },
    {
      event: 'A and P in memory at an entry: A alone is loaded, P waits',
      given: (life) => {
        steps('rise', 'ack')(life);
        life.lab.set('ISPENDR', 40, { by: 1 });
      },
      when: steps('exit'),
      result: { memory: 'PA', lr: 'active hw', physical: 'active' },
      and: (life) => {
        steps('end', 'exit')(life);
        expect(life.lab.lr(40)).toBe('pending hw');
      },
    },
    {
      event: 'preempted before the acknowledge: the latch is back, pA stays',
      given: steps('rise'),
      when: steps('stop'),
      result: { memory: 'P', list: 0, physical: 'active' },
    },
    {
      event: 'the vCPU migrates: an SPI has one state for all PEs',
      given: steps('rise', 'ack', 'stop'),
      when: (life) => life.run(2),
      result: { memory: 'A', lr: 'active hw', physical: 'active' },
    },
  ],
};

lifeCycle(device);
