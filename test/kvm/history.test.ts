import { describe, expect, it } from 'vitest';
import { CTLR, ERAS, type Lab, lab, VTIMER } from './system.ts';

const SPI = 40;
const SGI = 3;

/** GICv4.1 with vSGIs: the one direct interrupt that needs no device. vCPU 0 is driven step by step. */
async function direct(options = {}): Promise<Lab> {
  const host = await lab({ architecture: 'GICv4.1', cpus: 3, ...options });
  host.vcpu(1).guest.store(host.vm.distributor, 0);
  host.vcpu(1).guest.store(host.vm.distributor, CTLR.EnableGrp1 | CTLR.nASSGIreq);
  host.vcpu(0).stop();
  host.chip.takeLog();
  return host;
}

function enter(host: Lab, cpu = 0): void {
  const { loop } = host.vcpu(0);
  loop.load(cpu);
  while (!loop.enter());
}

const vpendbaser = (host: Lab): string[] =>
  host.chip
    .takeLogLines()
    .filter((line) => line.includes('GICR_VPENDBASER'))
    .map((line) => (line.includes('poll') ? 'poll' : line.includes('= 0x8') ? 'schedule' : 'deschedule'));

describe('8.B bugs that KVM had once: residency and doorbells', () => {
  it('8.16 a vPE that leaves before its first entry: Dirty is polled before Valid is cleared', async () => {
    const host = await direct({ dirtyReads: { scheduleIn: 3, scheduleOut: 2 } });
    const { loop } = host.vcpu();
    loop.load(0);
    loop.put();
    expect(vpendbaser(host)).toEqual(['schedule', 'poll', 'deschedule', 'poll']);
    expect(host.machine.takeDiagnostics()).toEqual([]);
  });

  it('8.17 Dirty is polled at the first entry, not at the load and not again', async () => {
    const host = await direct({ dirtyReads: { scheduleIn: 3, scheduleOut: 2 } });
    const { loop } = host.vcpu();
    loop.load(0);
    expect(vpendbaser(host)).toEqual(['schedule']);
    while (!loop.enter());
    expect(vpendbaser(host)).toEqual(['poll']);
    loop.exit();
    while (!loop.enter());
    expect(vpendbaser(host)).toEqual([]);
  });

  it('8.18 a doorbell that rings right after the vPE has left with it: pendingLast stays, no sleep', async () => {
    const host = await direct();
    enter(host);
    const { loop } = host.vcpu();
    loop.exit();
    loop.beginWfi();
    expect(host.vcpu().runnable).toBe(false);
    host.vcpu(1).guest.sgi(SGI, [0]);
    expect([host.vcpu().vpe?.pendingLast, host.vcpu().runnable]).toEqual([true, true]);
    loop.sleep();
    expect([host.vcpu().vpe?.pendingLast, host.vcpu().runnable]).toEqual([true, true]);
  });

  it('8.20 preempted on its way to sleep: residency is left alone, the doorbell wakes the vCPU', async () => {
    const host = await direct();
    enter(host);
    const { loop } = host.vcpu();
    loop.exit();
    loop.beginWfi();
    vpendbaser(host);
    loop.put();
    loop.load(2);
    expect([vpendbaser(host), host.vcpu().vpe?.resident]).toEqual([[], false]);
    loop.sleep();
    expect(vpendbaser(host)).toEqual([]);
    host.vcpu(1).guest.sgi(SGI, [0]);
    expect(host.vcpu().state).toBe('in-guest');
    expect(host.vcpu().guest.ack()).toBe(SGI);
  });

  it('8.25 WFI that a signal ends: put and load stay balanced', async () => {
    const host = await direct();
    enter(host);
    const { loop } = host.vcpu();
    vpendbaser(host);
    loop.exit();
    loop.beginWfi();
    loop.endWfi();
    loop.put();
    loop.load(0);
    while (!loop.enter());
    const steps = vpendbaser(host).filter((step) => step !== 'poll');
    expect(steps).toEqual(['deschedule', 'schedule', 'deschedule', 'schedule']);
    expect(host.vcpu().vpe?.resident).toBe(true);
  });

  it('8.25 a sleeping vCPU that a signal takes out of KVM_RUN runs again, and not before', async () => {
    const host = await lab();
    host.enable(SPI);
    const vcpu = host.vcpu();
    vcpu.guest.wfi();
    vcpu.stop();
    host.vm.setSpi(SPI, true);
    expect(vcpu.state).toBe('outside');
    vcpu.run(0);
    expect(vcpu.guest.ack()).toBe(SPI);
  });
});

describe.each(ERAS)('8.B bugs that KVM had once: levels and wake-ups, kernel %s', (kvm) => {
  it('8.24 PMR is read back before it is decided whether the vCPU sleeps', async () => {
    const host = await lab({ kvm });
    const { guest } = host.vcpu();
    host.enable(SPI);
    host.setPriority(SPI, 0xa0);
    guest.writeRegister('ICC_IGRPEN1_EL1', 0);
    guest.writeRegister('ICC_PMR_EL1', 0x40);
    host.vm.setSpi(SPI, true);
    guest.wfi();
    expect(host.vcpu().state).toBe('asleep');
    host.vcpu().stop();
    host.vcpu().run(0);
    guest.writeRegister('ICC_PMR_EL1', 0xff);
    guest.wfi();
    expect(host.vcpu().state).toBe('in-guest');
  });

  it('8.34 a level interrupt that is active with its line high is loaded as active alone', async () => {
    const host = await lab({ kvm });
    host.enable(SPI);
    host.vm.setSpi(SPI, true);
    host.vcpu().guest.ack();
    host.set('ISPENDR', SPI, { by: 1 });
    host.vcpu().guest.hvc();
    expect(host.picture(SPI)).toEqual({ memory: 'PLA', lr: 'active', list: 0 });
  });

  it('8.35 a mapped level: the line is sampled when it was deactivated with L=1 in memory', async () => {
    const host = await lab({ kvm });
    const { guest } = host.vcpu();
    host.enable(VTIMER);
    host.armTimer(0);
    expect(guest.ack()).toBe(VTIMER);
    // Enabling samples the line, which is high.
    host.enable(VTIMER);
    expect(host.picture(VTIMER)).toMatchObject({ memory: 'LA', lr: 'active hw' });
    guest.writeRegister('CNTV_CTL_EL0', 0);
    guest.eoi(VTIMER);
    guest.hvc();
    expect([host.picture(VTIMER), host.physical(VTIMER)]).toEqual([
      { memory: '-', lr: undefined, list: undefined },
      '-',
    ]);
    expect(guest.ack()).toBe(1023);
  });

  it('8.36 a level that rose while it was disabled is queued by ISENABLER', async () => {
    const host = await lab({ kvm });
    host.vm.setSpi(SPI, true);
    host.enable(SPI);
    expect(host.vcpu().guest.ack()).toBe(SPI);
  });

  it('8.54 user space saves and restores the latch alone, whatever the line', async () => {
    const host = await lab({ kvm });
    const at = host.address('ISPENDR', SPI);
    host.vm.setSpi(SPI, true);
    expect([host.vm.read(at), host.vcpu().guest.load(at)]).toEqual([0n, 0x100n]);
    host.vm.write(at, 0x200);
    expect([host.irq(41).pendingLatch, host.irq(SPI).lineLevel]).toEqual([true, true]);
    host.vm.write(at, 0);
    expect([host.irq(41).pendingLatch, host.irq(SPI).lineLevel]).toEqual([false, true]);
    const clear = host.address('ICPENDR', SPI);
    host.vm.write(at, 0x200);
    host.vm.write(clear, 0x200);
    expect([host.vm.read(clear), host.irq(41).pendingLatch]).toEqual([0n, true]);
  });

  it('8.54 a mapped interrupt: user space’s access leaves the physical one alone', async () => {
    const host = await lab({ kvm });
    host.vcpu().stop();
    host.vm.assignSpi(SPI, { hostIntid: 50, trigger: 'edge' });
    host.vm.write(host.address('ISPENDR', SPI), 0x100);
    expect([host.irq(SPI).pendingLatch, host.physical(50)]).toEqual([true, '-']);
  });

  it('a woken vCPU whose PE is taken waits for it, or runs elsewhere', async () => {
    const host = await lab({ kvm, cpus: 3, vcpus: 3, run: 1 });
    host.enable(SPI);
    host.vcpu(0).guest.wfi();
    host.vcpu(1).run(0);
    host.vm.setSpi(SPI, true);
    expect(host.vcpu(0).state).toBe('outside');
    host.vcpu(1).stop();
    expect([host.vcpu(0).state, host.vcpu(0).cpu]).toEqual(['in-guest', 0]);
    host.vm.setSpi(SPI, false);
    host.drain();
    host.vcpu(0).guest.wfi();
    host.vcpu(1).run(0);
    host.vm.setSpi(SPI, true);
    host.vcpu(0).run(2);
    expect(host.vcpu(0).guest.ack()).toBe(SPI);
    host.vcpu(1).stop();
    expect(host.vcpu(0).cpu).toBe(2);
  });
});

it('8.22 user space’s restore of GICR_ISPENDR0 reaches the vSGIs', async () => {
  const host = await direct();
  const at = host.address('ISPENDR', SGI);
  host.vm.write(at, 1 << SGI);
  expect([host.vm.read(at), host.irq(SGI).pendingLatch]).toEqual([8n, false]);
  enter(host);
  expect(host.vcpu().guest.ack()).toBe(SGI);
});

it('8.40 a VM that is refused leaves nothing behind; one that is destroyed can be made again', async () => {
  const host = await lab({ architecture: 'GICv4.1' });
  const free = host.chip.freeLpis;
  for (let n = 0; n < 3; n++) {
    expect(() => host.kvm.createVm({ vcpus: 2, ram: { size: 2 ** 28 } })).toThrow('ENOMEM');
    const vm = host.kvm.createVm({ vcpus: 2 }).init();
    expect(host.chip.freeLpis).toBeLessThan(free);
    vm.destroy();
    expect(host.chip.freeLpis).toBe(free);
  }
});
