import { beforeEach, describe, expect, it } from 'vitest';
import { ERAS, type Lab, lab, VTIMER } from './system.ts';

const SPI = 40;
const HOST_SPI = 50;

/** A device whose physical interrupt is forwarded to vCPU 0. */
interface Forwarded {
  readonly intid: number;
  readonly hostIntid: number;
  setUp(host: Lab): void;
  raise(host: Lab): void;
  lower(host: Lab): void;
}

function wire(host: Lab, level: boolean): void {
  host.machine.setSpi(HOST_SPI, level);
  host.kvm.serve();
}

const timer: Forwarded = {
  intid: VTIMER,
  hostIntid: VTIMER,
  setUp: () => {},
  raise: (host) => {
    host.armTimer(100);
    host.advance(100);
  },
  lower: (host) => host.vcpu().guest.writeRegister('CNTV_CTL_EL0', 0),
};

const level: Forwarded = {
  intid: SPI,
  hostIntid: HOST_SPI,
  setUp: (host) => host.vm.assignSpi(SPI, { hostIntid: HOST_SPI }),
  raise: (host) => wire(host, true),
  lower: (host) => wire(host, false),
};

const edge: Forwarded = {
  ...level,
  setUp: (host) => host.vm.assignSpi(SPI, { hostIntid: HOST_SPI, trigger: 'edge' }),
  raise: (host) => {
    wire(host, false);
    wire(host, true);
  },
};

const devices = { 'timer, level, shared': timer, 'device, level': level, 'device, edge': edge };

const variants = ERAS.flatMap((kvm) =>
  ([0, 1] as const).flatMap((eoiMode) =>
    (Object.keys(devices) as (keyof typeof devices)[]).map((name) => ({ kvm, eoiMode, name })),
  ),
);

describe.each(variants)('3.10 $name, kernel $kvm, EOImode $eoiMode', ({ kvm, eoiMode, name }) => {
  const device = devices[name];
  const { intid, hostIntid } = device;
  let host: Lab;

  const guest = () => host.vcpu().guest;
  const end = () => {
    guest().eoi(intid);
    if (eoiMode) guest().deactivate(intid);
  };
  const physical = () => host.physical(hostIntid, host.vcpu().cpu);
  const isActive = () => physical().includes('active');

  beforeEach(async () => {
    host = await lab({ cpus: 3, kvm, eoiMode });
    device.setUp(host);
    host.enable(intid);
  });

  it('F1 a list register with HW=1 is pending or active, never both', () => {
    const states: (string | undefined)[] = [];
    const see = () => states.push(host.lr(intid));
    device.raise(host);
    see();
    guest().hvc();
    see();
    guest().ack();
    see();
    device.raise(host);
    see();
    guest().hvc();
    see();
    host.set('ISPENDR', intid, { owner: 0, by: 1 });
    guest().hvc();
    see();
    expect(states).toEqual(['pending hw', 'pending hw', 'active hw', 'active hw', 'active hw', 'active hw']);
  });

  it('F2 the physical interrupt is active whenever the guest is entered with it', () => {
    device.raise(host);
    expect(isActive()).toBe(true);
    guest().hvc();
    expect(isActive()).toBe(true);
    host.vcpu().stop();
    host.vcpu().run(2);
    expect([host.lr(intid), isActive()]).toEqual(['pending hw', true]);
    guest().ack();
    host.vcpu().stop();
    host.vcpu().run(1 + 1);
    expect([host.lr(intid), isActive()]).toEqual(['active hw', true]);
  });

  it('F3 the guest’s deactivation makes the physical interrupt inactive without an exit for it', () => {
    device.raise(host);
    guest().ack();
    device.lower(host);
    const exits = host.exitsOf(() => {
      guest().eoi(intid);
      if (eoiMode) expect([host.lr(intid), isActive()]).toEqual(['active hw', true]);
      if (eoiMode) guest().deactivate(intid);
    });
    expect([host.lr(intid), physical()]).toEqual([undefined, '-']);
    // 6.19 traps ICV_DIR_EL1 while an SPI is around.
    expect(exits).toBe(kvm === '6.19' && eoiMode === 1 && intid > 31 ? 1 : 0);
  });

  if (device !== edge) {
    it('F4 level: high after F3, the host is interrupted at once and injects anew', () => {
      device.raise(host);
      guest().ack();
      const taken = host.hostInterrupts(hostIntid, end);
      // The kernels of 2017 see the timer in memory, before the host could be interrupted.
      expect(taken).toBe(kvm === '2017' && device === timer ? 0 : 1);
      expect([host.lr(intid), isActive()]).toEqual(['pending hw', true]);
    });

    it('F4 level: low after F3, nothing happens', () => {
      device.raise(host);
      guest().ack();
      device.lower(host);
      const taken = host.hostInterrupts(hostIntid, () => {
        end();
        guest().hvc();
      });
      expect([taken, host.lr(intid), physical()]).toEqual([0, undefined, '-']);
    });

    it('F8 without the physical active state the guest never retires an instruction', () => {
      device.raise(host);
      for (let n = 0; n < 50; n++) {
        const exits = host.exitsOf(() => {
          host.setHost('ICACTIVER', hostIntid);
          host.kvm.serve();
        });
        expect([n, exits]).toEqual([n, 1]);
      }
      // Nothing was lost on the way: left alone, the guest takes it.
      expect(guest().ack()).toBe(intid);
      const exits = host.exitsOf(() => host.kvm.serve());
      expect([exits, isActive()]).toEqual([0, true]);
    });
  } else {
    it('F5 edge: a second one before the deactivation interrupts nobody, then the host exactly once', () => {
      device.raise(host);
      guest().ack();
      const during = host.hostInterrupts(HOST_SPI, () => {
        expect(host.exitsOf(() => device.raise(host))).toBe(0);
        expect(host.exitsOf(() => device.raise(host))).toBe(0);
      });
      expect([during, physical()]).toEqual([0, 'pending active']);
      expect(host.hostInterrupts(HOST_SPI, end)).toBe(1);
      expect([host.lr(SPI), physical()]).toEqual(['pending hw', 'active']);
      guest().ack();
      expect(host.hostInterrupts(HOST_SPI, end)).toBe(0);
      expect([host.lr(SPI), physical()]).toEqual([undefined, '-']);
    });
  }

  if (device === timer) {
    it('F7 shared: KVM sets the active state, the host’s handler need not run', () => {
      host.armTimer(100);
      host.vcpu().stop();
      const taken = host.hostInterrupts(VTIMER, () => {
        host.advance(200);
        host.vcpu().run(0);
      });
      expect([taken, host.lr(VTIMER), isActive()]).toEqual([0, 'pending hw', true]);
    });

    it('F9 the active state moves with the vCPU; another vCPU on the old PE has its own', () => {
      device.raise(host);
      guest().ack();
      host.vcpu(0).stop();
      host.vcpu(1).stop();
      host.vcpu(0).run(2);
      host.vcpu(1).run(0);
      expect([host.physical(VTIMER, 2), host.physical(VTIMER, 0)]).toEqual(['pending active', '-']);
      device.lower(host);
      end();
      expect(host.physical(VTIMER, 2)).toBe('-');
    });
  } else {
    it('F7 not shared: the host’s handler has run and left it active', () => {
      host.vcpu().stop();
      expect(host.hostInterrupts(HOST_SPI, () => device.raise(host))).toBe(1);
      expect(isActive()).toBe(true);
      expect(host.machine.irq(0)).toBe(false);
    });

    it('F9 the active state of an SPI is the distributor’s: it is there on any PE', () => {
      device.raise(host);
      host.vcpu().stop();
      host.vcpu().run(2);
      guest().ack();
      expect(isActive()).toBe(true);
      device.lower(host);
      end();
      expect(physical()).toBe('-');
    });
  }
});

describe('assigning a device’s SPI', () => {
  it('what is in use is refused, and nothing changes', async () => {
    const host = await lab();
    host.vm.assignSpi(SPI, { hostIntid: HOST_SPI });
    const codeOf = (action: () => void) => {
      try {
        action();
      } catch (error) {
        return (error as { code: string }).code;
      }
      return 'accepted';
    };
    expect(codeOf(() => host.vm.assignSpi(SPI, { hostIntid: 51 }))).toBe('EBUSY');
    expect(codeOf(() => host.vm.assignSpi(41, { hostIntid: HOST_SPI }))).toBe('EBUSY');
    expect(codeOf(() => host.vm.assignSpi(41, { hostIntid: 31 }))).toBe('INVALID_ARGUMENT');
    expect(codeOf(() => host.vm.assignSpi(41, { hostIntid: 51, cpu: 2 }))).toBe('INVALID_ARGUMENT');
    expect(codeOf(() => host.vm.assignSpi(41, { hostIntid: 51, trigger: 'no' as 'edge' }))).toBe(
      'INVALID_ARGUMENT',
    );
    expect(codeOf(() => host.vm.unassignSpi(41))).toBe('EINVAL');
    expect([host.irq(41).hw, host.host('ISENABLER', 51)]).toEqual([false, false]);
  });

  it('unassigned while the guest has it active: inactive on the host, the guest ends it alone', async () => {
    const host = await lab();
    host.vm.assignSpi(SPI, { hostIntid: HOST_SPI });
    host.enable(SPI);
    wire(host, true);
    expect(host.vcpu().guest.ack()).toBe(SPI);
    host.vm.unassignSpi(SPI);
    expect([host.lr(SPI), host.physical(HOST_SPI)]).toEqual(['active', 'pending']);
    host.vcpu().guest.eoi(SPI);
    host.vcpu().guest.hvc();
    expect(host.picture(SPI)).toEqual({ memory: '-', lr: undefined, list: undefined });
  });

  it('destroying the VM gives the device back', async () => {
    const host = await lab();
    host.vm.assignSpi(SPI, { hostIntid: HOST_SPI, trigger: 'edge' });
    host.enable(SPI);
    wire(host, true);
    for (const vcpu of host.vm.vcpus) vcpu.stop();
    host.vm.destroy();
    expect([host.physical(HOST_SPI), host.host('ISENABLER', HOST_SPI)]).toEqual(['-', false]);
  });

  it('an interrupt of the host that nobody takes away ends in INVALID_STATE, not in a hang', async () => {
    const host = await lab();
    host.setHost('ISENABLER', 60);
    host.machine.setSpi(60, true);
    expect(() => host.kvm.serve()).toThrowError(expect.objectContaining({ code: 'INVALID_STATE' }));
    host.machine.setSpi(60, false);
    host.kvm.serve();
  });
});
