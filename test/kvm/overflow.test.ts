import { beforeEach, describe, expect, it } from 'vitest';
import { type Lab, lab, VTIMER } from './system.ts';

/** ICH_HCR_EL2. */
const HCR = {
  UIE: 1 << 1,
  LRENPIE: 1 << 2,
  NPIE: 1 << 3,
  VGrp0EIE: 1 << 4,
  VGrp0DIE: 1 << 5,
  VGrp1EIE: 1 << 6,
  VGrp1DIE: 1 << 7,
  vSGIEOICount: 1 << 8,
  TDIR: 1 << 14,
} as const;

const bitsOf = (hcr: number): string[] =>
  Object.entries(HCR)
    .filter(([, bit]) => hcr & bit)
    .map(([name]) => name);

const SPIS = [40, 41, 42, 43, 44, 45, 46, 47];

/** Edge SPIs, by priority. */
function prepare(host: Lab, priorities: readonly number[]): void {
  for (const [n, priority] of priorities.entries()) {
    const intid = 40 + n;
    host.setEdge(intid);
    host.setPriority(intid, priority);
    host.enable(intid);
  }
}

const loaded = (host: Lab): string[] =>
  host
    .vcpu()
    .listRegisters.filter(({ state }) => state !== 'invalid')
    .map(({ vIntid, state }) => `${vIntid} ${state}`);

/** All at once, while the vCPU is out. */
function raiseAll(host: Lab, intids: readonly number[]): void {
  host.vcpu().stop();
  for (const intid of intids) host.vm.setSpi(intid, true);
  host.vcpu().run(0);
}

const orders = [
  [0, 1, 2, 3, 4],
  [4, 3, 2, 1, 0],
  [2, 4, 0, 3, 1],
  [4, 0, 1, 2, 3],
  [1, 3, 0, 4, 2],
];

describe.each(['2017', '5.6'] as const)('3.5 more interrupts than list registers, kernel %s', (kvm) => {
  let host: Lab;
  beforeEach(async () => {
    host = await lab({ kvm, listRegisters: 4 });
  });

  it('they fit: in the order of the list, no maintenance interrupt', () => {
    prepare(host, [0x80, 0x40, 0x60, 0x20]);
    raiseAll(host, [40, 41, 42, 43]);
    expect(loaded(host)).toEqual(['40 pending', '41 pending', '42 pending', '43 pending']);
    expect(bitsOf(host.vcpu().hcr)).toEqual([]);
  });

  it('they do not fit: sorted by priority, UIE', () => {
    prepare(host, [0x80, 0x40, 0x60, 0x20, 0xa0, 0x00]);
    raiseAll(host, [40, 41, 42, 43, 44, 45]);
    expect(loaded(host)).toEqual(['45 pending', '43 pending', '41 pending', '42 pending']);
    expect(bitsOf(host.vcpu().hcr)).toEqual(['UIE']);
  });

  it('equal priorities keep the order of arrival', () => {
    prepare(host, [0x80, 0x80, 0x80, 0x80, 0x80, 0x80]);
    raiseAll(host, [44, 41, 45, 40, 43, 42]);
    expect(loaded(host)).toEqual(['44 pending', '41 pending', '45 pending', '40 pending']);
  });

  it('UIE brings the vCPU out when one list register is left valid, and all are delivered by priority', () => {
    prepare(host, [0x80, 0x40, 0x60, 0x20, 0xa0, 0x00, 0xc0, 0x10]);
    raiseAll(host, SPIS);
    let taken: number[] = [];
    const exits = host.exitsOf(() => {
      taken = host.drain();
    });
    expect(taken).toEqual([45, 47, 43, 41, 42, 40, 44, 46]);
    expect(exits).toBe(2);
  });

  it('what is active is never pushed out', () => {
    prepare(host, [0x80, 0x40, 0x40, 0x40, 0x40, 0x40]);
    host.vm.setSpi(40, true);
    expect(host.vcpu().guest.ack()).toBe(40);
    for (const intid of [41, 42, 43, 44, 45]) host.vm.setSpi(intid, true);
    expect(loaded(host)[0]).toBe('40 active');
  });
});

describe('3.5 more interrupts than list registers, kernel 6.19', () => {
  let host: Lab;
  const guest = () => host.vcpu().guest;
  const hcr = () => bitsOf(host.vcpu().hcr);

  beforeEach(async () => {
    host = await lab({ kvm: '6.19', listRegisters: 4 });
  });

  it('they fit: edges of the group enables alone, and TDIR while there is an SPI', () => {
    guest().hvc();
    expect(hcr()).toEqual(['VGrp0EIE', 'VGrp1DIE']);
    prepare(host, [0x80]);
    raiseAll(host, [40]);
    expect(hcr()).toEqual(['VGrp0EIE', 'VGrp1DIE', 'TDIR']);
  });

  it('TDIR on every vCPU from the first SPI on: any may deactivate it', () => {
    prepare(host, [0x80]);
    host.vm.setSpi(40, true);
    host.vcpu(1).guest.hvc();
    expect(bitsOf(host.vcpu(1).hcr)).toContain('TDIR');
    expect(host.drain()).toEqual([40]);
    guest().hvc();
    expect(hcr()).not.toContain('TDIR');
  });

  it('pending beyond the list registers: UIE and NPIE', () => {
    prepare(host, [0x80, 0x40, 0x60, 0x20, 0xa0, 0x00]);
    raiseAll(host, [40, 41, 42, 43, 44, 45]);
    expect(loaded(host)).toEqual(['45 pending', '43 pending', '41 pending', '42 pending']);
    expect(hcr()).toEqual(['UIE', 'NPIE', 'VGrp0EIE', 'VGrp1DIE', 'TDIR']);
    expect(host.drain()).toEqual([45, 43, 41, 42, 40, 44]);
  });

  it('active beyond the list registers: what is pending goes first; LRENPIE', () => {
    prepare(host, [0xc0, 0xa0, 0x80, 0x60, 0x40]);
    for (const intid of [40, 41, 42, 43]) {
      host.vm.setSpi(intid, true);
      expect(guest().ack()).toBe(intid);
    }
    host.vm.setSpi(44, true);
    expect(loaded(host)).toEqual(['44 pending', '43 active', '42 active', '41 active']);
    expect(hcr()).toEqual(['UIE', 'LRENPIE', 'VGrp0EIE', 'VGrp1DIE', 'TDIR']);
  });

  it('EOIcount: ends that no list register was found for are of the active ones outside, best priority first', () => {
    const nested = [0xe0, 0xc0, 0xa0, 0x80, 0x60, 0x40, 0x20];
    prepare(host, nested);
    for (const [n] of nested.entries()) {
      host.vm.setSpi(40 + n, true);
      expect(guest().ack()).toBe(40 + n);
    }
    const active = () => SPIS.slice(0, 7).filter((intid) => host.get('ISACTIVER', intid, { by: 1 }));
    for (const intid of [46, 45, 44, 43, 42, 41, 40]) {
      guest().eoi(intid);
      guest().hvc();
      expect(active(), `after the end of ${intid}`).toEqual(SPIS.filter((other) => other < intid));
    }
    expect(host.vcpu().apList).toEqual([]);
  });

  // The kernel folds a list register made up for it, so that all of 3.6 happens: the line of a mapped level is sampled, the
  // software's pending state is consumed, the end of an emulated level is told. Without that the timer, whose line was
  // high when it was loaded last, would come back as HW and pending with nothing active on the host: F2.
  it('EOIcount: the end of a timer that is outside sees that its line is low by now', () => {
    prepare(host, [0xa0, 0xa0, 0xa0, 0xa0]);
    host.setPriority(VTIMER, 0x80);
    host.enable(VTIMER);
    host.armTimer(0);
    expect(guest().ack()).toBe(VTIMER);
    raiseAll(host, [40, 41, 42, 43]);
    expect(loaded(host)).toEqual(['40 pending', '41 pending', '42 pending', '43 pending']);
    expect(host.picture(VTIMER)).toMatchObject({ memory: 'LA', lr: undefined });
    guest().writeRegister('CNTV_CTL_EL0', 0);
    // LRENPIE: an exit at once.
    guest().eoi(VTIMER);
    expect(host.picture(VTIMER)).toEqual({ memory: '-', lr: undefined, list: undefined });
    expect(host.physical(VTIMER, 0)).toBe('-');
    expect(host.drain()).toEqual([40, 41, 42, 43]);
  });

  it('EOIcount: the end of an emulated level that is outside is told, and consumes what software made pending', () => {
    prepare(host, [0xa0, 0xa0, 0xa0, 0xa0]);
    host.setPriority(50, 0x80);
    host.enable(50);
    host.vm.watchEnds(50);
    host.set('ISPENDR', 50, { by: 1 });
    expect(guest().ack()).toBe(50);
    raiseAll(host, [40, 41, 42, 43]);
    expect(host.picture(50)).toMatchObject({ memory: 'PA', lr: undefined });
    guest().eoi(50);
    guest().hvc();
    expect(host.picture(50)).toEqual({ memory: '-', lr: undefined, list: undefined });
    expect(host.vm.ends(50)).toBe(1);
  });

  it('group enables: what the guest lets through goes first, decided anew at the edge', () => {
    prepare(host, [0x20, 0x20, 0x20, 0x20, 0x80, 0x80]);
    guest().store(host.address('IGROUPR', 40), 0xffff_ffff - 0x0f00);
    raiseAll(host, [40, 41, 42, 43, 44, 45]);
    // Group 0 is off.
    expect(loaded(host)).toEqual(['44 pending', '45 pending', '40 pending', '41 pending']);
    const exits = host.exitsOf(() => guest().writeRegister('ICC_IGRPEN0_EL1', 1));
    expect(exits).toBe(1);
    expect(loaded(host)).toEqual(['40 pending', '41 pending', '42 pending', '43 pending']);
    expect(hcr()).toContain('VGrp0DIE');
  });

  it('HW goes first among equal priorities', () => {
    prepare(host, [0xa0, 0xa0, 0xa0, 0xa0]);
    host.setPriority(VTIMER, 0xa0);
    host.enable(VTIMER);
    host.armTimer(0);
    raiseAll(host, [40, 41, 42, 43]);
    expect(loaded(host)[0]).toBe('27 pending');
  });

  it('DIR is trapped: an interrupt that no list register holds is deactivated in memory', async () => {
    host = await lab({ kvm: '6.19', listRegisters: 4, eoiMode: 1 });
    prepare(host, [0x80]);
    host.vm.setSpi(40, true);
    guest().ack();
    guest().eoi(40);
    host.vcpu().stop();
    // Another vCPU ends it.
    host.vcpu(1).guest.deactivate(40);
    expect(host.irq(40).active).toBe(false);
    host.vcpu().run(0);
    expect(host.picture(40)).toEqual({ memory: '-', lr: undefined, list: undefined });
  });

  it('DIR of what another vCPU has in a list register: all come out, as for GICD_ICACTIVER', async () => {
    host = await lab({ kvm: '6.19', listRegisters: 4, eoiMode: 1 });
    prepare(host, [0x80]);
    host.vm.setSpi(40, true);
    guest().ack();
    guest().eoi(40);
    expect(host.exitsOf(() => host.vcpu(1).guest.deactivate(40))).toBe(1);
    expect(host.picture(40)).toMatchObject({ memory: '-', lr: undefined });
  });

  it('DIR with EOImode 0 does nothing', () => {
    prepare(host, [0x80]);
    host.vm.setSpi(40, true);
    guest().ack();
    guest().deactivate(40);
    expect(host.picture(40)).toMatchObject({ memory: 'A', lr: 'active' });
  });

  it('GICv4.1: vSGIEOICount while no SGI is in the list', async () => {
    host = await lab({ kvm: '6.19', architecture: 'GICv4.1' });
    guest().hvc();
    expect(hcr()).toContain('vSGIEOICount');
    host.vcpu(1).guest.sgi(3, [0]);
    expect(host.lr(3)).toBe('pending');
    expect(hcr()).not.toContain('vSGIEOICount');
  });
});

describe.each(['5.6', '6.19'] as const)(
  '8.42 five SPIs, four list registers, EOImode 1, kernel %s',
  (kvm) => {
    it.each(orders)(
      '8.42 deactivated in the order %i %i %i %i %i: all five become inactive',
      async (...order) => {
        const host = await lab({ kvm, listRegisters: 4, eoiMode: 1 });
        const { guest } = host.vcpu();
        prepare(host, [0x80, 0x80, 0x80, 0x80, 0x80]);
        raiseAll(host, [40, 41, 42, 43, 44]);
        const acknowledged = new Set<number>();
        const take = () => {
          for (let intid = guest.ack(); intid !== 1023; intid = guest.ack()) {
            acknowledged.add(intid);
            guest.eoi(intid);
          }
        };
        take();
        // Up to 6.18 active interrupts stay in the list registers: the fifth comes when one is done.
        expect(acknowledged.size).toBe(kvm === '6.19' ? 5 : 4);
        for (const n of order.filter((each) => acknowledged.has(40 + each))) {
          guest.deactivate(40 + n);
          take();
        }
        for (const intid of acknowledged) if (host.get('ISACTIVER', intid)) guest.deactivate(intid);
        guest.hvc();
        expect(acknowledged.size).toBe(5);
        expect([40, 41, 42, 43, 44].filter((intid) => host.irq(intid).active)).toEqual([]);
        expect(host.vcpu().apList).toEqual([]);
      },
    );
  },
);
