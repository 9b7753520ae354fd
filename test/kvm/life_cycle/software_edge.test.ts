import { expect } from 'vitest';
import { dirTraps, type Kind, type Life, lifeCycle, type Row, steps } from './table.ts';

/** What SGIs, edge PPIs and edge SPIs have in common. */
function rows(endOf: number | ((life: Life) => number)): Row[] {
  return [
    {
      event: 'rise: latched and queued on the target',
      given: steps('stop'),
      when: steps('rise'),
      result: { memory: 'P', lr: undefined, list: 0 },
    },
    {
      event: 'rise while the target is in the guest: it is kicked out once, to load it',
      when: steps('rise'),
      result: { memory: '-', lr: 'pending', list: 0, exits: 1 },
    },
    {
      event: 'entry: the list register takes the latch',
      given: steps('stop', 'rise'),
      when: steps('run'),
      result: { memory: '-', lr: 'pending', list: 0 },
    },
    {
      event: 'acknowledge: active in the list register, no exit',
      given: steps('rise'),
      when: steps('ack'),
      result: { memory: '-', lr: 'active', list: 0, exits: 0 },
    },
    {
      event: 'a second one while pending: the two are one',
      given: steps('rise'),
      when: steps('rise'),
      result: { lr: 'pending' },
      and: ({ lab }) => expect(lab.drain()).toHaveLength(1),
    },
    {
      event: 'a second one while active: a kick folds A, the next entry loads pending and active',
      given: steps('rise', 'ack'),
      when: steps('rise'),
      result: { memory: 'A', lr: 'pending-and-active', list: 0, exits: 1 },
    },
    {
      event: 'end of the first of two: back to pending, delivered again without an exit for it',
      given: steps('rise', 'ack', 'rise'),
      when: steps('end'),
      result: { lr: 'pending', exits: endOf },
    },
    {
      event: 'end: the list register is empty, without an exit for it',
      given: steps('rise', 'ack'),
      when: steps('end'),
      result: { lr: undefined, exits: endOf },
    },
    {
      event: 'exit after the end: off the list',
      given: steps('rise', 'ack', 'end'),
      when: steps('exit'),
      result: { memory: '-', lr: undefined, list: undefined },
    },
    {
      event: 'preempted before the acknowledge: the latch is back',
      given: steps('rise'),
      when: steps('stop'),
      result: { memory: 'P', list: 0 },
    },
    {
      event: 'preempted while active: A is kept',
      given: steps('rise', 'ack'),
      when: steps('stop'),
      result: { memory: 'A', list: 0 },
    },
    {
      event: 'preempted while pending and active: both are kept',
      given: steps('rise', 'ack', 'rise'),
      when: steps('stop'),
      result: { memory: 'PA', list: 0 },
    },
    {
      event: 'the vCPU migrates: nothing but its memory moves',
      given: steps('rise', 'stop'),
      when: (life) => life.run(2),
      result: { memory: '-', lr: 'pending', list: 0 },
      and: (life) => life.ack(),
    },
    {
      event: 'disabled while pending: the latch stays, the next exit prunes it',
      given: steps('rise', 'disable'),
      when: steps('exit'),
      result: { memory: 'P', lr: undefined, list: undefined },
    },
    {
      event: 'enabled again: queued',
      given: steps('rise', 'disable', 'exit'),
      when: steps('enable'),
      result: { memory: '-', lr: 'pending', list: 0, exits: 1 },
    },
  ];
}

const sgi: Kind = {
  kind: 'SGI by software',
  intid: 3,
  raise: (lab) => lab.vcpu(1).guest.sgi(3, [0]),
  rows: [
    ...rows(0),
    {
      event: 'rise: traps at the sender',
      when: ({ lab }) => expect(lab.exitsOf(() => lab.vcpu(1).guest.sgi(3, [0]), 1)).toBe(1),
      result: { lr: 'pending' },
    },
    {
      event: 'rise at all but the sender',
      when: ({ lab }) => lab.vcpu(1).guest.writeRegister('ICC_SGI1R_EL1', (1n << 40n) | (3n << 24n)),
      result: { lr: 'pending' },
      and: ({ lab }) => expect(lab.lr(3, 1)).toBe(undefined),
    },
  ],
};

const lineRows: Row[] = [
  {
    event: 'fall: ignored',
    given: steps('rise'),
    when: steps('fall'),
    result: { lr: 'pending', exits: 0 },
  },
];

const ppi: Kind = {
  kind: 'PPI by software, edge',
  intid: 23,
  setUp: (lab) => lab.setEdge(23),
  raise: (lab) => lab.vcpu().setPpi(23, true),
  lower: (lab) => lab.vcpu().setPpi(23, false),
  rows: [...rows(0), ...lineRows],
};

const spi: Kind = {
  kind: 'SPI, edge',
  intid: 40,
  setUp: (lab) => lab.setEdge(40),
  raise: (lab) => lab.vm.setSpi(40, true),
  lower: (lab) => lab.vm.setSpi(40, false),
  rows: [
    ...rows(dirTraps),
    ...lineRows,
    {
      event: 'retargeted while pending: moves when its owner prunes',
      given: (life) => {
        life.rise();
        life.lab.vcpu(1).guest.store(life.lab.vm.distributor + 0x6000 + 8 * 40, 1, 8);
        expect(life.lab.lr(40)).toBe('pending');
      },
      when: steps('exit'),
      result: { lr: undefined, list: 1 },
      and: ({ lab }) => expect(lab.vcpu(1).guest.ack()).toBe(40),
    },
    {
      event:
        'retargeted while active: stays until it is deactivated, then the next one goes to the new target',
      given: (life) => {
        steps('rise', 'ack')(life);
        life.lab.vcpu(1).guest.store(life.lab.vm.distributor + 0x6000 + 8 * 40, 1, 8);
      },
      when: steps('exit'),
      result: { memory: 'A', lr: 'active', list: 0 },
      and: (life) => {
        steps('end', 'exit', 'rise')(life);
        expect([life.lab.lr(40, 0), life.lab.lr(40, 1)]).toEqual([undefined, 'pending']);
      },
    },
    {
      event: 'routed to no vCPU while pending: pruned, and the latch stays',
      given: (life) => {
        life.rise();
        life.lab.vcpu(1).guest.store(life.lab.vm.distributor + 0x6000 + 8 * 40, 9, 8);
      },
      when: steps('exit'),
      result: { memory: 'P', lr: undefined, list: undefined },
    },
  ],
};

for (const kind of [sgi, ppi, spi]) lifeCycle(kind);
