// The micro-benchmarks of kvm-unit-tests, as they come out of the prices of a modern server: Ampere Altra, Linux
// 6.12-rc1 (R. R. Ananta, mail of 29 October 2024, baseline column).
import { describe, expect, it } from 'vitest';
import type { GuestProgram } from '../../bindings/index.ts';
import { encodeCommand } from '../../bindings/index.ts';
import { ASSIGNED, bootIts, GUEST_DEVICE, RAM } from './guest_its.ts';
import { start, vcpuOf } from './system.ts';

const published = {
  hvc: 306,
  mmio_read_vgic: 451,
  mmio_read_user: 1683,
  eoi: 14,
  ipi: 1926,
  lpi: 2179,
  timer_10ms: 902,
} as const;

const TIMES = 1000;

/** ns that an operation takes, from the trace: between its end and the next one. */
async function operationTime(operation: GuestProgram['operation'] & object): Promise<number> {
  const { vm, sim } = await start();
  sim.addVcpu(vcpuOf(vm, 0), { cpu: 0, guest: { idle: 'busy', operation, times: TIMES } });
  sim.run({ for: 100_000_000 });
  const times = sim
    .takeTrace()
    .filter(({ event }) => event === 'operation')
    .map(({ time }) => time);
  expect(times).toHaveLength(TIMES);
  return ((times.at(-1) as number) - (times[0] as number)) / (TIMES - 1);
}

const measure: Record<keyof typeof published, () => Promise<number>> = {
  hvc: () => operationTime({ kind: 'hypercall' }),
  mmio_read_vgic: () => operationTime({ kind: 'mmio', offset: 4 }),
  mmio_read_user: () => operationTime({ kind: 'user' }),
  async eoi() {
    const { vm, sim } = await start();
    const handler = 777;
    sim.addVcpu(vcpuOf(vm, 0), { guest: { idle: 'busy', timer: 1_000_000, handler } });
    sim.run({ for: 3_000_000 });
    const trace = sim.takeTrace();
    const acknowledged = trace.find(({ event }) => event === 'acknowledge')?.time as number;
    const ended = trace.find(({ event }) => event === 'end-of-interrupt')?.time as number;
    return ended - acknowledged - handler;
  },
  /** From ICC_SGI1R_EL1 to the handler on the other vCPU, which computes. */
  async ipi() {
    const { vm, sim } = await start({ vcpus: 2 });
    const sgi = { kind: 'sgi', target: 1 } as const;
    sim.addVcpu(vcpuOf(vm, 0), {
      cpu: 0,
      guest: { idle: 'busy', work: 20_000, operation: sgi, times: TIMES },
    });
    const receiver = sim.addVcpu(vcpuOf(vm, 1), { cpu: 1, guest: { idle: 'busy' } });
    sim.run({ for: 100_000_000 });
    const { sgis } = receiver.statistics;
    expect(sgis).toMatchObject({ injected: TIMES, delivered: TIMES });
    return sgis.latency.mean;
  },
  /** From the guest's write to GITS_CWRITER, with an INT command, to the handler on the other vCPU. */
  async lpi() {
    const { vm, sim } = await start({ vcpus: 2, ramBytes: 0x10_0000 });
    vm.init();
    const its = bootIts(vm);
    const sender = sim.addVcpu(vcpuOf(vm, 0), { cpu: 0, guest: 'manual' });
    sim.addVcpu(vcpuOf(vm, 1), { cpu: 1, guest: { idle: 'busy' } });
    sim.run({ for: 100_000 });
    // Commands of the driver's boot are in front.
    const writer = Number(its.read('GITS_CWRITER'));
    const command = encodeCommand({ command: 'INT', deviceId: GUEST_DEVICE, eventId: 1 });
    vm.memory(RAM + writer, 32).set(command);
    sim.takeTrace();
    sender.operate({ kind: 'store', offset: its.base + 0x88 - vm.distributor, value: writer + 32 });
    sim.run({ for: 100_000 });
    const trace = sim.takeTrace();
    const sent = trace.find(({ event }) => event === 'operation')?.time as number;
    const taken = trace.find(
      ({ event, details }) => event === 'acknowledge' && details.intid === ASSIGNED + 1,
    );
    return (taken?.time as number) - sent;
  },
  /** From the deadline to the handler of a guest that computes. */
  async timer_10ms() {
    const { vm, sim } = await start();
    const guest = sim.addVcpu(vcpuOf(vm, 0), { guest: { idle: 'busy', timer: 10_000_000 } });
    sim.run({ for: 105_000_000 });
    const { timer } = guest.statistics;
    expect(timer.delivered).toBe(10);
    return timer.latency.mean;
  },
};

describe('published micro-benchmarks come out of the prices within 20 %', () => {
  it.each(Object.entries(published) as [keyof typeof published, number][])('%s: %d ns', async (name, ns) => {
    const simulated = await measure[name]();
    const off = (100 * (simulated - ns)) / ns;
    console.log(`${name}: published ${ns} ns, simulated ${simulated.toFixed(0)} ns, ${off.toFixed(1)} % off`);
    expect(Math.abs(off)).toBeLessThanOrEqual(20);
  });
});
