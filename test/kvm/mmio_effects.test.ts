import { beforeEach, describe, expect, it } from 'vitest';
import { CTLR, ERAS, GIC, type Lab, lab, SGI_FRAME, VTIMER } from './system.ts';

const SPI = 40;

describe.each(ERAS)('3.8 what a guest’s writes do, kernel %s', (kvm) => {
  let host: Lab;
  const guest = (n = 0) => host.vcpu(n).guest;

  beforeEach(async () => {
    host = await lab({ kvm, cpus: 3 });
  });

  it('ISENABLER: queues what is pending (8.36: the line rose while it was disabled)', () => {
    host.vm.setSpi(SPI, true);
    expect(host.picture(SPI)).toEqual({ memory: 'L', lr: undefined, list: undefined });
    host.enable(SPI);
    expect(host.picture(SPI)).toEqual({ memory: 'L', lr: 'pending', list: 0 });
  });

  it('ISENABLER, mapped level: the line is sampled', () => {
    host.armTimer(0);
    expect(host.lr(VTIMER)).toBe(undefined);
    host.enable(VTIMER);
    expect([host.lr(VTIMER), host.physical(VTIMER)]).toEqual(['pending hw', 'pending active']);
  });

  it('ICENABLER: pruned at the next exit', () => {
    host.enable(SPI);
    host.vm.setSpi(SPI, true);
    host.set('ICENABLER', SPI);
    guest().hvc();
    expect(host.picture(SPI)).toEqual({ memory: 'L', lr: undefined, list: undefined });
  });

  it('ISPENDR: the latch; a level interrupt is pending until it is acknowledged', () => {
    host.enable(SPI);
    host.set('ISPENDR', SPI);
    expect([host.picture(SPI), host.get('ISPENDR', SPI)]).toEqual([
      { memory: 'P', lr: 'pending', list: 0 },
      true,
    ]);
    expect(host.drain()).toEqual([SPI]);
    guest().hvc();
    expect([host.picture(SPI).memory, host.get('ISPENDR', SPI)]).toEqual(['-', false]);
  });

  it('ISPENDR, mapped: the physical interrupt becomes active', () => {
    host.enable(VTIMER);
    host.set('ISPENDR', VTIMER);
    expect([host.lr(VTIMER), host.physical(VTIMER)]).toEqual(['pending hw', 'active']);
    expect(host.drain()).toEqual([VTIMER]);
    expect(host.physical(VTIMER)).toBe('-');
  });

  it('ICPENDR: the latch is gone, the line is not', () => {
    host.set('ISPENDR', SPI);
    host.vm.setSpi(SPI, true);
    host.set('ICPENDR', SPI);
    expect([host.picture(SPI).memory, host.get('ISPENDR', SPI)]).toEqual(['L', true]);
    host.vm.setSpi(SPI, false);
    expect(host.get('ISPENDR', SPI)).toBe(false);
  });

  it('ICPENDR, mapped: physical pending and, unless the guest has it active, active are cleared', () => {
    host.vm.assignSpi(SPI, { hostIntid: 50, trigger: 'edge' });
    host.enable(SPI);
    const pulse = () => {
      host.machine.setSpi(50, false);
      host.machine.setSpi(50, true);
      host.kvm.serve();
    };
    pulse();
    expect(guest().ack()).toBe(SPI);
    pulse();
    expect(host.physical(50)).toBe('pending active');
    host.set('ICPENDR', SPI);
    expect([host.physical(50), host.lr(SPI)]).toEqual(['active', 'active hw']);
    guest().eoi(SPI);
    expect(host.physical(50)).toBe('-');
  });

  it('ISACTIVER, ICACTIVER: all vCPUs come out; what a list register holds changes with it', () => {
    host.enable(SPI);
    const exits = host.exitsOf(() => host.set('ISACTIVER', SPI, { by: 1 }));
    expect(host.picture(SPI)).toEqual({ memory: 'A', lr: 'active', list: 0 });
    expect(exits).toBeGreaterThan(0);
    host.set('ICACTIVER', SPI, { by: 1 });
    expect(host.picture(SPI)).toMatchObject({ memory: '-', lr: undefined });
    guest().hvc();
    expect(host.picture(SPI).list).toBe(undefined);
  });

  it('ICACTIVER takes an acknowledged interrupt away from the guest that has it', () => {
    host.setEdge(SPI);
    host.enable(SPI);
    host.vm.setSpi(SPI, true);
    expect(guest().ack()).toBe(SPI);
    host.set('ICACTIVER', SPI, { by: 1 });
    expect(host.lr(SPI)).toBe(undefined);
  });

  it('ISACTIVER, ICACTIVER, mapped: the physical state goes with it', () => {
    host.enable(VTIMER);
    host.set('ISACTIVER', VTIMER);
    expect([host.lr(VTIMER), host.physical(VTIMER)]).toEqual(['active hw', 'active']);
    host.set('ICACTIVER', VTIMER);
    expect([host.lr(VTIMER), host.physical(VTIMER)]).toEqual([undefined, '-']);
  });

  it('IPRIORITYR: five bits; counts from the next entry on', () => {
    host.enable(SPI);
    host.setPriority(SPI, 0x47);
    expect(host.irq(SPI).priority).toBe(0x40);
    host.vm.setSpi(SPI, true);
    expect(host.vcpu().listRegisters[0]?.priority).toBe(0x40);
    host.setPriority(SPI, 0x20);
    expect(host.vcpu().listRegisters[0]?.priority).toBe(0x20);
  });

  it('IGROUPR: the group in the list register', () => {
    host.enable(SPI);
    host.vm.setSpi(SPI, true);
    expect(host.vcpu().listRegisters[0]?.group).toBe(1);
    guest().store(host.address('IGROUPR', SPI), 0);
    expect(host.vcpu().listRegisters[0]?.group).toBe(0);
    expect(guest().ack()).toBe(1023);
  });

  it('ICFGR: not of SGIs, not of mapped interrupts, not while active', () => {
    const trigger = (intid: number) => {
      host.setEdge(intid);
      return host.irq(intid).trigger;
    };
    expect([trigger(SPI), trigger(23), trigger(VTIMER), trigger(3)]).toEqual([
      'edge',
      'edge',
      'level',
      'edge',
    ]);
    host.set('ISACTIVER', 41);
    expect(trigger(41)).toBe('level');
    guest().store(host.address('ICFGR', 3), 0);
    expect(host.irq(3).trigger).toBe('edge');
  });

  it('IROUTER: by affinity; none where no vCPU has it', () => {
    expect(host.irq(SPI).target).toBe(0);
    host.route(SPI, 1);
    expect(host.irq(SPI).target).toBe(1);
    host.route(SPI, 2);
    expect(host.irq(SPI).target).toBe(undefined);
    host.route(SPI, 1n << 32n);
    expect(host.irq(SPI).target).toBe(undefined);
    host.route(SPI, 0x100);
    expect(host.irq(SPI).target).toBe(undefined);
  });

  it('GICD_CTLR.EnableGrp1=0: nothing is delivered; =1: what is on a list is kicked', () => {
    host.enable(SPI);
    guest(1).store(host.vm.distributor, 0);
    host.vm.setSpi(SPI, true);
    expect([host.lr(SPI), host.irq(SPI).pending]).toEqual([undefined, true]);
    guest(1).store(host.vm.distributor, CTLR.EnableGrp1);
    expect(host.irq(SPI).pending).toBe(true);
    // Not queued by the enable itself: by whatever happens to it next.
    host.enable(SPI);
    expect(host.lr(SPI)).toBe('pending');
  });

  it('GICD_CTLR 0 to 1 kicks a vCPU that sleeps with something on its list', () => {
    host.enable(SPI);
    host.vcpu().stop();
    host.vm.setSpi(SPI, true);
    guest(1).store(host.vm.distributor, 0);
    expect(host.vcpu().runnable).toBe(false);
    guest(1).store(host.vm.distributor, CTLR.EnableGrp1);
    expect(host.vcpu().runnable).toBe(true);
  });

  it('SGI1R: to a list of vCPUs, Group 0 and 1; SGI0R: Group 0 alone', () => {
    guest(1).store(host.address('IGROUPR', 0, 0), 0xfff7);
    guest(1).writeRegister('ICC_SGI0R_EL1', (5n << 24n) | 1n);
    expect(host.lr(5)).toBe(undefined);
    guest(1).writeRegister('ICC_SGI0R_EL1', (3n << 24n) | 1n);
    expect(host.lr(3)).toBe('pending');
    guest(1).writeRegister('ICC_SGI1R_EL1', (5n << 24n) | 3n);
    expect([host.lr(5, 0), host.lr(5, 1)]).toEqual(['pending', 'pending']);
  });
});

it('GICD_CTLR on GICv4.1: the group enable of a resident vPE is loaded anew', async () => {
  const host = await lab({ architecture: 'GICv4.1' });
  host.chip.takeLog();
  host.vcpu(1).guest.store(host.vm.distributor, 0);
  const written = host.chip.takeLogLines().filter((line) => line.includes('RD0: GICR_VPENDBASER = 0x8'));
  expect(written).toEqual(['RD0: GICR_VPENDBASER = 0x8000000000000000']);
});

describe('the guest’s register map', () => {
  let host: Lab;
  const load = (offset: number, size: 1 | 2 | 4 | 8 = 4) =>
    host.vcpu().guest.load(host.vm.distributor + offset, size);
  const store = (offset: number, value: number, size: 1 | 2 | 4 | 8 = 4) =>
    host.vcpu().guest.store(host.vm.distributor + offset, value, size);
  const rd = (offset: number, size: 4 | 8 = 4, vcpu = 0) =>
    host.vcpu().guest.load(host.vm.redistributors + vcpu * 0x2_0000 + offset, size);

  beforeEach(async () => {
    host = await lab({ vcpus: 3 });
  });

  it('GICD_CTLR: DS and ARE are one', () => {
    expect(load(0)).toBe(0x52n);
    store(0, 0);
    expect(load(0)).toBe(0x50n);
  });

  it('GICD_TYPER: 64 SPIs, no LPIs without a virtual ITS; GICD_TYPER2: no vSGIs', () => {
    expect([load(4) & 31n, (load(4) >> 17n) & 1n, load(0xc)]).toEqual([2n, 0n, 0n]);
  });

  it('GICD_IIDR and GICR_IIDR; PIDR2 tells GICv3', () => {
    expect([load(8), rd(4)]).toEqual([0x4b00_343bn, 0x4b00_343bn]);
    expect([load(0xffe8), rd(0xffe8)]).toEqual([0x3bn, 0x3bn]);
  });

  it('GICR_TYPER: affinity, number, Last', () => {
    expect([rd(8, 8, 0), rd(8, 8, 1), rd(8, 8, 2)]).toEqual([0n, (1n << 32n) | 0x100n, (2n << 32n) | 0x210n]);
    expect([rd(8, 4, 2), rd(12, 4, 2)]).toEqual([0x210n, 2n]);
  });

  it('SGIs and PPIs are not the distributor’s, SPIs not a redistributor’s', () => {
    store(GIC.ISENABLER, 0xffff_ffff);
    expect([load(GIC.ISENABLER), load(GIC.IPRIORITYR)]).toEqual([0n, 0n]);
    expect(rd(SGI_FRAME + GIC.ISENABLER + 4)).toBe(0n);
    expect(rd(SGI_FRAME + GIC.ISENABLER)).toBe(0xffffn);
  });

  it('SPIs that the VM does not have are RAZ/WI', () => {
    for (const register of ['IGROUPR', 'ISENABLER', 'ISPENDR', 'ISACTIVER'] as const) {
      store(GIC[register] + 12, 0xffff_ffff);
      expect([register, load(GIC[register] + 12)]).toEqual([register, 0n]);
    }
    expect(load(GIC.IROUTER + 8 * 200, 8)).toBe(0n);
  });

  it('priorities by byte and by word; the other bitmaps by word alone', () => {
    store(GIC.IPRIORITYR + SPI, 0xff, 1);
    expect([load(GIC.IPRIORITYR + SPI, 1), load(GIC.IPRIORITYR + SPI)]).toEqual([0xf8n, 0xf8n]);
    for (const size of [1, 2, 8] as const) {
      store(GIC.ISENABLER + 4, 0xff, size);
      expect([size, load(GIC.ISENABLER + 4)]).toEqual([size, 0n]);
    }
    store(GIC.ISENABLER + 4, 0xff);
    expect([load(GIC.ISENABLER + 4), load(GIC.ISENABLER + 4, 8)]).toEqual([0xffn, 0n]);
  });

  it('GICD_ITARGETSR, IGRPMODR and reserved offsets are RAZ/WI', () => {
    for (const offset of [0x800 + SPI, 0xd04, 0x0040, 0x0f00]) {
      store(offset & ~3, 0xffff_ffff);
      expect([offset, load(offset & ~3)]).toEqual([offset, 0n]);
    }
  });

  it('GICD_IROUTER in halves', () => {
    host.route(SPI, 1);
    expect([load(GIC.IROUTER + 8 * SPI), load(GIC.IROUTER + 8 * SPI + 4)]).toEqual([1n, 0n]);
    store(GIC.IROUTER + 8 * SPI, 2);
    store(GIC.IROUTER + 8 * SPI + 4, 0xff);
    expect([host.irq(SPI).target, load(GIC.IROUTER + 8 * SPI, 8)]).toEqual([2, 2n]);
  });

  it('GICR_CTLR: LPIs cannot be enabled without a virtual ITS', () => {
    host.vcpu().guest.store(host.vm.redistributors, 1);
    expect(rd(0) & 1n).toBe(0n);
  });

  it('addresses beyond the frames are user space’s', () => {
    const { engine } = host.machine;
    const emulated = (address: number) => engine.kvmIsEmulated(host.vm.index, address);
    const end = host.vm.redistributors + 3 * 0x2_0000;
    expect([host.vm.distributor, host.vm.distributor + 0x1_0000, end - 4, end].map(emulated)).toEqual([
      1, 0, 1, 0,
    ]);
  });
});
