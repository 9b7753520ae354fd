import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type GuestVm,
  IrqChip,
  type KernelEra,
  Kvm,
  loadEngine,
  Machine,
  type Vcpu,
} from '../../bindings/index.ts';
import { type ListedIrq, type LoadedIrq, PlainList } from './plain_list.ts';

const SPIS = 64;
const FIRST = 32;

type Step =
  | { readonly do: 'raise'; readonly spi: number }
  | { readonly do: 'priority'; readonly spi: number; readonly priority: number }
  | { readonly do: 'group'; readonly spi: number; readonly group: number }
  | { readonly do: 'enable'; readonly spi: number; readonly enabled: boolean }
  | { readonly do: 'activate'; readonly spi: number }
  | { readonly do: 'run'; readonly acks: number; readonly ends: number };

const spi = fc.integer({ min: 0, max: SPIS - 1 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 10, arbitrary: fc.record({ do: fc.constant('raise' as const), spi }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('priority' as const),
      spi,
      priority: fc.integer({ min: 0, max: 3 }).map((n) => 0x80 + 8 * n),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('group' as const), spi, group: fc.integer({ min: 0, max: 1 }) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('enable' as const), spi, enabled: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('activate' as const), spi }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('run' as const),
      acks: fc.integer({ min: 0, max: 4 }),
      ends: fc.integer({ min: 0, max: 4 }),
    }),
  },
);

/** The engine and the plain list side by side. */
class Pair {
  readonly irqs: ListedIrq[] = Array.from({ length: SPIS }, (_, n) => ({
    intid: FIRST + n,
    priority: 0x80,
    enabled: true,
    group: 1,
    pending: false,
    active: false,
    listed: false,
  }));
  readonly plain: PlainList;
  readonly vm: GuestVm;
  readonly vcpu: Vcpu;

  constructor(
    readonly machine: Machine,
    era: KernelEra,
  ) {
    const kvm = new Kvm(new IrqChip(machine, { kvm: era }));
    this.vm = kvm.createVm({ spis: SPIS }).init();
    this.vcpu = this.vm.vcpus[0] as Vcpu;
    // Group 1 alone is on, everything enabled, edge-triggered, at one priority.
    this.plain = new PlainList(machine.config.listRegisters, era === '6.19', 2);
    this.gicd(0, 2);
    for (let n = FIRST; n < FIRST + SPIS; n += 32) this.gicd(0x100 + n / 8, 0xffff_ffff);
    for (let n = FIRST; n < FIRST + SPIS; n += 16) this.gicd(0xc00 + n / 4, 0xaaaa_aaaa);
    for (let n = FIRST; n < FIRST + SPIS; n += 4) this.gicd(0x400 + n, 0x8080_8080);
    machine.engine.kvmLoad(this.vcpu.number, 0);
    machine.writeSystemRegister(0, 'ICH_VMCR_EL2', 0xff00_0002n);
    // The guest's enables are known to the hypervisor after an exit.
    machine.engine.kvmEnter(this.vcpu.number);
    machine.engine.kvmExit(this.vcpu.number);
  }

  gicd(offset: number, value: number): void {
    this.vm.write(this.vm.distributor + offset, value);
  }

  do(action: Step): void {
    if (action.do === 'run') return this.#run(action.acks, action.ends);
    const irq = this.irqs[action.spi] as ListedIrq;
    const word = (base: number) => base + 4 * (irq.intid >> 5);
    const bit = 2 ** (irq.intid & 31);
    switch (action.do) {
      case 'raise':
        this.vm.setSpi(irq.intid, true);
        irq.pending = true;
        break;
      case 'priority': {
        irq.priority = action.priority;
        const four = this.irqs.filter(({ intid }) => intid >> 2 === irq.intid >> 2);
        const value = four.reduce((sum, { priority }, n) => sum + priority * 2 ** (8 * n), 0);
        this.gicd(0x400 + (irq.intid & ~3), value);
        return;
      }
      case 'group': {
        irq.group = action.group;
        const all = this.irqs.filter(({ intid }) => intid >> 5 === irq.intid >> 5);
        this.gicd(
          word(0x80),
          all.reduce((sum, { group }, n) => sum + group * 2 ** n, 0),
        );
        return;
      }
      case 'enable':
        irq.enabled = action.enabled;
        this.gicd(word(action.enabled ? 0x100 : 0x180), bit);
        if (!action.enabled) return;
        break;
      case 'activate':
        irq.active = true;
        this.gicd(word(0x300), bit);
        break;
    }
    this.plain.queue(irq);
  }

  /** Into the guest, which takes some interrupts and ends some of those that list registers hold; then out. */
  #run(acks: number, ends: number): void {
    this.#enter();
    for (let n = 0; n < acks; n++) this.#acknowledge();
    for (let n = 0; n < ends; n++) this.#end();
    this.machine.engine.kvmExit(this.vcpu.number);
    this.plain.sync();
    expect(this.vcpu.apList.map(({ intid }) => intid)).toEqual(this.plain.list.map(({ intid }) => intid));
  }

  #enter(): void {
    while (this.machine.engine.kvmEnter(this.vcpu.number) === 0);
    this.plain.flush();
    this.#compare();
  }

  #compare(): void {
    const state = ({ pending, active }: { pending: boolean; active: boolean }) =>
      pending ? (active ? 'pending-and-active' : 'pending') : active ? 'active' : 'invalid';
    const ours = this.vcpu.listRegisters.map(({ vIntid, state }) => `${vIntid} ${state}`);
    expect(ours).toEqual(this.plain.loaded.map((lr) => `${lr.irq.intid} ${state(lr)}`));
  }

  /** The pending list register with the lowest priority value; of Group 1, the one that is on. */
  #acknowledge(): void {
    const best = this.plain.loaded
      .filter((lr) => lr.pending && !lr.active && lr.irq.group === 1)
      .reduce<LoadedIrq | undefined>((a, b) => (a && a.irq.priority <= b.irq.priority ? a : b), undefined);
    // No preemption here: the guest's running priority is dropped at once.
    const intid = Number(this.machine.readSystemRegister(0, 'ICV_IAR1_EL1'));
    expect(intid).toBe(best?.irq.intid ?? 1023);
    if (!best) return;
    best.pending = false;
    best.active = true;
    this.machine.writeSystemRegister(0, 'ICH_AP1R0_EL2', 0);
  }

  #end(): void {
    const active = this.plain.loaded.find((lr) => lr.active && !lr.pending && lr.irq.group === 1);
    if (!active) return;
    active.active = false;
    const level = 2 ** (active.irq.priority >> 3);
    this.machine.writeSystemRegister(0, 'ICH_AP1R0_EL2', level);
    this.machine.writeSystemRegister(0, 'ICV_EOIR1_EL1', active.irq.intid);
    this.machine.writeSystemRegister(0, 'ICH_AP1R0_EL2', 0);
  }
}

const engine = await loadEngine();

describe.each(['5.6', '6.19'] as const)('list registers, kernel %s', (era) => {
  it.each([4, 16])(
    '%i of them get what the sorted list gives them (vgic_flush_lr_state)',
    (listRegisters) => {
      fc.assert(
        fc.property(fc.array(step, { minLength: 20, maxLength: 150 }), (steps) => {
          const pair = new Pair(new Machine(engine, { cpus: 1, architecture: 'GICv3', listRegisters }), era);
          for (const action of steps) pair.do(action);
        }),
        { numRuns: 50, interruptAfterTimeLimit: 40_000 },
      );
    },
  );
});
