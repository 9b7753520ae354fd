import fc from 'fast-check';
import { expect } from 'vitest';
import type { Vcpu } from '../../bindings/index.ts';
import { CTLR, type Lab, VTIMER } from './system.ts';

const VCPUS = 3;
const EDGES = [40, 41, 42, 43, 44, 45] as const;
const LEVELS = [48, 49, 50] as const;
const SGIS = [1, 2, 3] as const;
const ASSIGNED = { intid: 56, hostIntid: 60 } as const;

const vcpu = fc.integer({ min: 0, max: VCPUS - 1 });
const edge = fc.constantFrom(...EDGES);
const level = fc.constantFrom(...LEVELS);
const spi = fc.constantFrom(...EDGES, ...LEVELS);

/** One thing that a guest, a device or the host's scheduler does. */
export const action = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('edge' as const), intid: edge }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('level' as const), intid: level, high: fc.boolean() }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('device' as const), high: fc.boolean() }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('sgi' as const),
      vcpu,
      target: vcpu,
      intid: fc.constantFrom(...SGIS),
    }),
  },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('ack' as const), vcpu }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('end' as const), vcpu }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('wfi' as const), vcpu }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('hvc' as const), vcpu }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('stop' as const), vcpu }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('run' as const), vcpu, cpu: vcpu }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('enable' as const), vcpu, intid: spi, on: fc.boolean() }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('route' as const), vcpu, intid: spi, target: vcpu }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('priority' as const),
      vcpu,
      intid: spi,
      priority: fc.integer({ min: 0, max: 0x1e }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('mask' as const),
      vcpu,
      mask: fc.constantFrom(0x40, 0x80, 0xf8),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('timer' as const),
      vcpu,
      ticks: fc.integer({ min: 0, max: 50 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('timer-off' as const), vcpu }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('time' as const), ticks: fc.integer({ min: 1, max: 60 }) }),
  },
);
export type Action = typeof action extends fc.Arbitrary<infer A> ? A : never;

/** Three vCPUs of one VM, what was injected into them, and what has to hold at any time. */
export class World {
  readonly counts = { taken: 0, coalesced: 0, slept: 0, moved: 0 };
  /** Interrupts that a vCPU has acknowledged and not ended, the newest last. */
  readonly #open: number[][] = [[], [], []];
  /** Edges that nobody has acknowledged yet: INTID of an SPI, or vCPU and SGI. */
  readonly #owed = new Set<string>();
  /** Edges that may arrive once more: the first one was where the second did not meet it. */
  readonly #again = new Set<string>();

  constructor(readonly host: Lab) {
    const { guest } = host.vcpu();
    for (const intid of EDGES) host.setEdge(intid);
    for (const intid of [...EDGES, ...LEVELS]) host.enable(intid);
    host.vm.assignSpi(ASSIGNED.intid, { hostIntid: ASSIGNED.hostIntid });
    host.enable(ASSIGNED.intid);
    for (let n = 0; n < VCPUS; n++) {
      guest.store(host.address('ISENABLER', VTIMER, n), 2 ** VTIMER);
    }
  }

  perform(act: Action): void {
    const { host } = this;
    if ('vcpu' in act && act.kind !== 'run' && host.vcpu(act.vcpu).state !== 'in-guest') return;
    switch (act.kind) {
      case 'edge':
        this.#owe(String(act.intid));
        if (this.#isStranded(act.intid)) this.#again.add(String(act.intid));
        host.vm.setSpi(act.intid, true);
        return;
      case 'level':
        host.vm.setSpi(act.intid, act.high);
        return;
      case 'device':
        host.machine.setSpi(ASSIGNED.hostIntid, act.high);
        host.kvm.serve();
        return;
      case 'sgi':
        this.#owe(`${act.target}:${act.intid}`);
        host.vcpu(act.vcpu).guest.sgi(act.intid, [act.target]);
        return;
      case 'ack':
        this.#acknowledge(act.vcpu);
        return;
      case 'end':
        this.#end(act.vcpu);
        return;
      case 'wfi':
        host.vcpu(act.vcpu).guest.wfi();
        if (host.vcpu(act.vcpu).state === 'asleep') this.counts.slept++;
        return;
      case 'hvc':
        host.vcpu(act.vcpu).guest.hvc();
        return;
      case 'stop':
        host.vcpu(act.vcpu).stop();
        return;
      case 'run':
        this.#run(host.vcpu(act.vcpu), act.cpu);
        return;
      default:
        this.#program(act);
    }
  }

  #program(act: Action): void {
    const { host } = this;
    if (act.kind === 'time') {
      host.advance(act.ticks);
      return;
    }
    if (!('vcpu' in act)) return;
    const { guest } = host.vcpu(act.vcpu);
    switch (act.kind) {
      case 'enable':
        host.set(act.on ? 'ISENABLER' : 'ICENABLER', act.intid, { by: act.vcpu });
        return;
      case 'route':
        guest.store(host.vm.distributor + 0x6000 + 8 * act.intid, act.target, 8);
        return;
      case 'priority':
        // Of what a list register may hold it must not change: once active, its end would not find it.
        if (host.vm.vcpus.some(({ apList }) => apList.some(({ intid }) => intid === act.intid))) return;
        guest.store(host.address('IPRIORITYR', act.intid) + (act.intid & 3), act.priority << 3, 1);
        return;
      case 'mask':
        guest.writeRegister('ICC_PMR_EL1', act.mask);
        return;
      case 'timer':
        host.armTimer(act.ticks, act.vcpu);
        return;
      case 'timer-off':
        guest.writeRegister('CNTV_CTL_EL0', 0);
        return;
      default:
    }
  }

  #run(vcpu: Vcpu, cpu: number): void {
    const taken = this.host.vm.vcpus.some((other) => other.cpu === cpu);
    if (taken || vcpu.state !== 'outside') return;
    vcpu.run(cpu);
    this.counts.moved++;
  }

  #owe(edge: string): void {
    if (this.#owed.has(edge)) this.counts.coalesced++;
    this.#owed.add(edge);
  }

  /** Pending in a list register of a vCPU that a further edge does not kick: routed elsewhere since, or disabled. */
  #isStranded(intid: number): boolean {
    const { enabled, target } = this.host.vm.spi(intid);
    const owner = this.host.vm.vcpus.find((vcpu) => this.host.lr(intid, vcpu.index)?.startsWith('pending'));
    return owner !== undefined && !(enabled && target === owner.index);
  }

  #acknowledge(n: number): number {
    const intid = this.host.vcpu(n).guest.ack();
    if (intid === 1023) return intid;
    this.counts.taken++;
    this.#open[n]?.push(intid);
    const edge = intid < 16 ? `${n}:${intid}` : String(intid);
    const isEdge = intid < 16 || (EDGES as readonly number[]).includes(intid);
    const expected = this.#owed.delete(edge) || this.#again.delete(edge);
    if (isEdge) expect(expected, `${edge} was delivered and not injected`).toBe(true);
    return intid;
  }

  #end(n: number): void {
    const intid = this.#open[n]?.pop();
    if (intid === undefined) return;
    const { guest } = this.host.vcpu(n);
    if (intid === VTIMER) guest.writeRegister('CNTV_CTL_EL0', 0);
    if ((LEVELS as readonly number[]).includes(intid)) this.host.vm.setSpi(intid, false);
    if (intid === ASSIGNED.intid) this.host.machine.setSpi(ASSIGNED.hostIntid, false);
    guest.eoi(intid);
  }

  check(): void {
    this.#checkLists();
    this.#checkListRegisters();
    for (const vcpu of this.host.vm.vcpus) {
      this.#checkWakeUp(vcpu);
      this.#checkResidency(vcpu);
    }
    expect(this.host.machine.takeDiagnostics()).toEqual([]);
  }

  /** I5: an interrupt says that it is on a list if and only if it is. */
  #checkLists(): void {
    const { vm } = this.host;
    for (const vcpu of vm.vcpus) {
      const listed = vcpu.apList.map((irq) => irq.intid);
      expect(new Set(listed).size).toBe(listed.length);
      for (const irq of vcpu.apList) expect([irq.intid, irq.onListOf]).toEqual([irq.intid, vcpu.index]);
      for (let intid = 0; intid < 32; intid++) {
        expect([intid, vcpu.irq(intid).onListOf !== undefined]).toEqual([intid, listed.includes(intid)]);
      }
    }
    for (const intid of [...EDGES, ...LEVELS, ASSIGNED.intid]) {
      const owners = vm.vcpus.filter((vcpu) => vcpu.apList.some((irq) => irq.intid === intid));
      const owner = vm.spi(intid).onListOf;
      expect([intid, owners.map((vcpu) => vcpu.index)]).toEqual([intid, owner === undefined ? [] : [owner]]);
    }
  }

  /** I6: no INTID twice. I7: F1, F2. */
  #checkListRegisters(): void {
    const seen = new Set<string>();
    for (const vcpu of this.host.vm.vcpus) {
      for (const lr of vcpu.listRegisters) {
        if (lr.state === 'invalid') continue;
        const name = lr.vIntid < 32 ? `${vcpu.index}:${lr.vIntid}` : String(lr.vIntid);
        expect(seen.has(name), `${name} in two list registers`).toBe(false);
        seen.add(name);
        if (!lr.hw) continue;
        expect(lr.state, `F1 ${name}`).not.toBe('pending-and-active');
        expect(this.host.physical(lr.pIntid as number, vcpu.cpu), `F2 ${name}`).toContain('active');
      }
    }
  }

  /** I8: who sleeps has nothing to do. */
  #checkWakeUp(vcpu: Vcpu): void {
    if (vcpu.state !== 'asleep') return;
    expect(vcpu.runnable, `vCPU ${vcpu.index} sleeps\n${vcpu}`).toBe(false);
  }

  /** I2: a vPE is resident on one redistributor at most, the one that its vPE table entry names. */
  #checkResidency(vcpu: Vcpu): void {
    const { vpe } = vcpu;
    if (!vpe) return;
    expect(vpe.resident, `vCPU ${vcpu.index} is ${vcpu.state}`).toBe(vcpu.cpu !== undefined);
    if (!vpe.resident) return;
    expect(vpe.cpu).toBe(vcpu.cpu);
    expect(this.host.machine.vpeEntry(0, vpe.vpeId)?.cpu).toBe(vcpu.cpu);
    const others = this.host.vm.vcpus.filter((other) => other !== vcpu && other.vpe?.resident);
    expect(others.map((other) => other.cpu)).not.toContain(vcpu.cpu);
  }

  /** Everything runs and is enabled: what is owed arrives. */
  finish(): void {
    const { host } = this;
    for (const intid of LEVELS) host.vm.setSpi(intid, false);
    host.machine.setSpi(ASSIGNED.hostIntid, false);
    host.kvm.serve();
    // One that stops can wake another.
    for (let running = host.vm.vcpus.filter(isInside); running.length > 0; ) {
      for (const vcpu of running) vcpu.stop();
      running = host.vm.vcpus.filter(isInside);
    }
    for (const vcpu of host.vm.vcpus) {
      vcpu.run(vcpu.index);
      vcpu.guest.writeRegister('ICC_PMR_EL1', 0xf8);
      vcpu.guest.writeRegister('CNTV_CTL_EL0', 0);
    }
    host.vcpu().guest.store(host.vm.distributor, CTLR.EnableGrp1);
    for (const intid of [...EDGES, ...LEVELS]) host.set('ISENABLER', intid, { by: 0 });
    for (let round = 0; round < 4; round++) {
      for (let n = 0; n < VCPUS; n++) this.#drain(n);
    }
    expect([...this.#owed], 'edges that never arrived').toEqual([]);
    this.check();
    for (const vcpu of host.vm.vcpus) {
      vcpu.guest.hvc();
      expect(vcpu.apList.map((irq) => irq.intid)).toEqual([]);
    }
  }

  #drain(n: number): void {
    for (let step = 0; step < 100; step++) {
      if (this.#acknowledge(n) !== 1023) continue;
      if (!this.#open[n]?.length) return;
      this.#end(n);
    }
    throw new Error(`vCPU ${n} is never done\n${this.host.vcpu(n)}`);
  }

  /** I12: what a VM had is free again after it. */
  tearDown(): void {
    const { host } = this;
    for (const vcpu of host.vm.vcpus) vcpu.stop();
    const vpes = host.vm.vcpus.map((vcpu) => vcpu.vpe?.vpeId);
    expect(new Set(vpes).size).toBe(VCPUS);
    const before = host.chip.freeLpis;
    host.vm.destroy();
    expect(host.chip.freeLpis, 'a block of LPIs is free again').toBeGreaterThan(before);
    const again = host.kvm.createVm({ vcpus: VCPUS }).init();
    expect(again.vcpus.map((vcpu) => vcpu.vpe?.vpeId)).toEqual(vpes);
  }
}

function isInside({ state }: Vcpu): boolean {
  return state !== 'outside';
}
