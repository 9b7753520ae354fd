import { type Lab, PTIMER, VTIMER } from '../system.ts';
import { dirTraps, type Kind, type Life, lifeCycle, type Row, steps } from './table.ts';

/** What the timers and a passthrough device have in common. `endOf`: exits at the end of an interrupt. */
function rows(endOf: number | ((life: Life) => number)): Row[] {
  return [
    {
      event: 'rise while the vCPU is in the guest: one exit, HW and pending, the level is consumed, pA=1',
      when: steps('rise'),
      result: { memory: '-', lr: 'pending hw', list: 0, physical: 'pending active', exits: 1 },
    },
    {
      event: 'acknowledge: active, no exit',
      given: steps('rise'),
      when: steps('ack'),
      result: { lr: 'active hw', physical: 'pending active', exits: 0 },
    },
    {
      event: 'an exit while active: A alone in the list register, never with P; pA=1',
      given: steps('rise', 'ack'),
      when: steps('exit'),
      result: { lr: 'active hw', physical: 'pending active' },
    },
    {
      event: 'end with the line low: the list register is empty and pA=0, no exit for it',
      given: steps('rise', 'ack', 'fall'),
      when: steps('end'),
      result: { lr: undefined, physical: '-', exits: endOf },
    },
    {
      event: 'exit after the end: off the list',
      given: steps('rise', 'ack', 'fall', 'end'),
      when: steps('exit'),
      result: { memory: '-', lr: undefined, list: undefined, physical: '-' },
    },
    {
      event: 'end with the line high: the host takes it at once, and it is pending again',
      given: steps('rise', 'ack'),
      when: steps('end'),
      result: { lr: 'pending hw', physical: 'pending active' },
    },
    {
      event: 'exit with P and the line low: pA=0, pruned',
      given: steps('rise', 'fall'),
      when: steps('exit'),
      result: { memory: '-', lr: undefined, list: undefined, physical: '-' },
    },
    {
      event: 'exit with P and the line high: stays',
      given: steps('rise'),
      when: steps('exit'),
      result: { lr: 'pending hw', list: 0, physical: 'pending active' },
    },
    {
      event: 'put with P and the line high: L=1 in memory',
      given: steps('rise'),
      when: steps('stop'),
      result: { memory: 'L', list: 0 },
    },
    {
      event: 'disabled while pending: pruned, pA stays 1 and the host quiet',
      given: steps('rise', 'disable'),
      when: steps('exit'),
      result: { lr: undefined, list: undefined, physical: 'pending active' },
    },
    {
      event: 'enabled with the line high: queued',
      given: steps('rise', 'disable', 'exit'),
      when: steps('enable'),
      result: { lr: 'pending hw', list: 0, physical: 'pending active' },
    },
    {
      event: 'enabled with the line low: the level is sampled, pA=0',
      given: steps('rise', 'disable', 'exit', 'fall'),
      when: steps('enable'),
      result: { memory: '-', lr: undefined, list: undefined, physical: '-' },
    },
    {
      event: 'ICPENDR: the latch and, while not active, pA are cleared',
      given: (life) => {
        steps('rise', 'fall')(life);
        life.lab.set('ISPENDR', life.intid, { owner: 0, by: 1 });
      },
      when: ({ lab, intid }) => lab.set('ICPENDR', intid, { owner: 0, by: 1 }),
      result: { memory: '-', physical: '-' },
    },
  ];
}

function arm(lab: Lab, register: string): void {
  const { guest } = lab.vcpu();
  const counter = register === 'CNTV' ? 'CNTVCT_EL0' : 'CNTPCT_EL0';
  guest.writeRegister(`${register}_CVAL_EL0`, guest.readRegister(counter) + 100n);
  guest.writeRegister(`${register}_CTL_EL0`, 1);
}

/** A timer of vCPU 0. `register`: CNTV or CNTP. */
function timer(kind: string, register: string, intid: number): Kind {
  return {
    kind,
    intid,
    hostIntid: intid,
    raise: (lab: Lab) => {
      arm(lab, register);
      lab.advance(100);
    },
    lower: (lab: Lab) => lab.vcpu().guest.writeRegister(`${register}_CTL_EL0`, 0),
    rows: [
      ...rows(0),
      {
        event: 'preempted and loaded on another PE: pA is set there',
        given: steps('rise', 'ack', 'stop'),
        when: (life) => life.run(2),
        result: { lr: 'active hw', physical: 'pending active' },
      },
      {
        event: 'expires while the vCPU is out: the next load finds it, sets pA and injects',
        given: (life) => {
          arm(life.lab, register);
          life.stop();
          life.lab.advance(100);
        },
        when: (life) => life.run(2),
        result: { memory: '-', lr: 'pending hw', list: 0, physical: 'pending active' },
      },
    ],
  };
}

const device: Kind = {
  kind: 'SPI forwarded, level',
  intid: 40,
  hostIntid: 50,
  setUp: (lab) => lab.vm.assignSpi(40, { hostIntid: 50 }),
  raise: (lab) => {
    lab.machine.setSpi(50, true);
    lab.kvm.serve();
  },
  lower: (lab) => {
    lab.machine.setSpi(50, false);
    lab.kvm.serve();
  },
  rows: [
    ...rows(dirTraps),
    {
      event: 'rise while the vCPU is out: the host takes it and leaves it active',
      given: steps('stop'),
      when: steps('rise'),
      result: { memory: 'L', list: 0, physical: 'pending active' },
    },
  ],
};

for (const kind of [
  timer('virtual timer PPI, level', 'CNTV', VTIMER),
  timer('physical timer PPI, level', 'CNTP', PTIMER),
  device,
]) {
  lifeCycle(kind);
}
