import { type Kind, lifeCycle, type Row, steps } from './table.ts';

const rows: Row[] = [
  {
    event: 'rise: the line is high, queued on the target',
    given: steps('stop'),
    when: steps('rise'),
    result: { memory: 'L', lr: undefined, list: 0 },
  },
  {
    event: 'rise while the target is in the guest: one exit loads it',
    when: steps('rise'),
    result: { memory: 'L', lr: 'pending', list: 0, exits: 1 },
  },
  { event: 'the same level again: ignored', given: steps('rise'), when: steps('rise'), result: { exits: 0 } },
  {
    event: 'fall before the acknowledge: no kick, the guest may still take it',
    given: steps('rise'),
    when: steps('fall'),
    result: { memory: '-', lr: 'pending', list: 0, exits: 0 },
    and: (life) => life.ack(),
  },
  {
    event: 'exit after the fall: what the list register held is dropped',
    given: steps('rise', 'fall'),
    when: steps('exit'),
    result: { memory: '-', lr: undefined, list: undefined },
  },
  {
    event: 'acknowledge: active, no exit',
    given: steps('rise'),
    when: steps('ack'),
    result: { memory: 'L', lr: 'active', list: 0, exits: 0 },
  },
  {
    event: 'entry while active with the line high: active only',
    given: steps('rise', 'ack'),
    when: steps('exit'),
    result: { memory: 'LA', lr: 'active', list: 0 },
  },
  {
    event: 'the device goes quiet while active',
    given: steps('rise', 'ack'),
    when: steps('fall'),
    result: { memory: '-', lr: 'active', exits: 0 },
  },
  {
    event: 'end with the line high: an exit, pending again',
    given: steps('rise', 'ack'),
    when: steps('end'),
    result: { memory: 'L', lr: 'pending', list: 0 },
    and: (life) => life.ack(),
  },
  {
    event: 'end with the line low: an exit, off the list',
    given: steps('rise', 'ack', 'fall'),
    when: steps('end'),
    result: { memory: '-', lr: undefined, list: undefined },
  },
  {
    event: 'preempted: pending is what the line is at the next entry',
    given: steps('rise', 'stop', 'fall'),
    when: steps('run'),
    result: { memory: '-', lr: undefined },
  },
  {
    event: 'disabled while pending: pruned, the line stays',
    given: steps('rise', 'disable'),
    when: steps('exit'),
    result: { memory: 'L', lr: undefined, list: undefined },
  },
  {
    event: 'enabled with the line high: queued again',
    given: steps('rise', 'disable', 'exit'),
    when: steps('enable'),
    result: { memory: 'L', lr: 'pending', list: 0 },
  },
  {
    event: 'enabled with the line low: nothing',
    given: steps('rise', 'disable', 'exit', 'fall'),
    when: steps('enable'),
    result: { memory: '-', lr: undefined, list: undefined, exits: 0 },
  },
];

const ppi: Kind = {
  kind: 'PPI by software, level',
  intid: 23,
  raise: (lab) => lab.vcpu().setPpi(23, true),
  lower: (lab) => lab.vcpu().setPpi(23, false),
  rows,
};

const spi: Kind = {
  kind: 'SPI, level',
  intid: 40,
  raise: (lab) => lab.vm.setSpi(40, true),
  lower: (lab) => lab.vm.setSpi(40, false),
  rows: [
    ...rows,
    {
      event: 'end costs one exit, for EOI maintenance',
      given: steps('rise', 'ack', 'fall'),
      when: steps('end'),
      result: { exits: 1 },
    },
  ],
};

for (const kind of [ppi, spi]) lifeCycle(kind);
