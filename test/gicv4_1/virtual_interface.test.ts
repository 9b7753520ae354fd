import { describe, expect, it } from 'vitest';
import { DEVICE, EVENT, listRegister, PRIORITY, startMappedVpe, VINTID } from '../support/vpe_driver.ts';
import { startMapped41 } from '../support/vpe41_driver.ts';

const HCR = { EN: 1, VSGI_EOI_COUNT: 1 << 8, DVIM: 1 << 15, EOI_COUNT_SHIFT: 27n } as const;
/** VMCR with EOImode 1 beside what `openGuest` sets. */
const EOI_MODE_1 = 0xf84c_020b;

type Mapped = Awaited<ReturnType<typeof startMapped41>>;

/** vPE 7 resident on PE 0; vSGI 5 is configured, VLPI 8193 mapped, both enabled at priority 0xA0 in Group 1. */
async function resident(settings: { group?: number; priority?: number } = {}): Promise<Mapped> {
  const driver = await startMapped41();
  driver.configureVsgi(driver.vpe, 5, settings);
  driver.load(0, driver.vpe);
  return driver;
}

/** vSGIs 0 to 4, with two pairs of equal priority. */
function sendFive(driver: Mapped): void {
  for (const [intid, priority] of [0xa0, 0x40, 0xa0, 0x20, 0x40].entries()) {
    driver.configureVsgi(driver.vpe, intid, { priority });
  }
  for (const intid of [4, 2, 0, 3, 1]) driver.sendVsgi(driver.vpe, intid);
}

const eoiCount = (driver: Mapped): bigint => driver.ich(0, 'HCR') >> HCR.EOI_COUNT_SHIFT;

describe('8.9 vSGIs at the virtual CPU interface', () => {
  it('8.9 the winner is a vSGI; HPPIR tells it without side effect', async () => {
    const driver = await resident();
    driver.sendVsgi(driver.vpe, 5);
    expect(driver.machine.virtualOutputs(0)).toMatchObject({ winner: 'vsgi', virq: true, vfiq: false });
    expect([driver.guest(0, 'HPPIR1'), driver.guest(0, 'HPPIR0')]).toEqual([5, 1023]);
    expect(driver.pendingVsgis(0, driver.vpe)).toBe(1 << 5);
  });

  it('8.9 Group 0: vFIQ, acknowledged by IAR0 only', async () => {
    const driver = await resident({ group: 0 });
    driver.sendVsgi(driver.vpe, 5);
    expect([driver.virq(0), driver.vfiq(0)]).toEqual([false, true]);
    expect(driver.guest(0, 'IAR1')).toBe(1023);
    expect(driver.guest(0, 'IAR0')).toBe(5);
    expect(driver.ich(0, 'AP0R0')).toBe(1n << 20n);
    expect(driver.ich(0, 'AP1R0')).toBe(0n);
  });

  it('8.9 the acknowledged vSGI is not pending any more and has only an active priority', async () => {
    const driver = await resident();
    driver.sendVsgi(driver.vpe, 5);
    expect(driver.guest(0, 'IAR1')).toBe(5);
    expect(driver.pendingVsgis(0, driver.vpe)).toBe(0);
    expect(driver.ich(0, 'AP1R0')).toBe(1n << 20n);
    expect(driver.guest(0, 'RPR')).toBe(PRIORITY);
    expect(driver.virq(0)).toBe(false);
    expect(driver.machine.counters().virtualAcknowledged).toMatchObject({
      vsgi: 1,
      vlpi: 0,
      listRegister: 0,
    });
  });

  it('7.6 no active state: it can be pending again while the guest handles it, and comes after its end', async () => {
    const driver = await resident();
    driver.sendVsgi(driver.vpe, 5);
    driver.guest(0, 'IAR1');
    driver.sendVsgi(driver.vpe, 5);
    expect(driver.pendingVsgis(0, driver.vpe)).toBe(1 << 5);
    expect(driver.virq(0)).toBe(false);
    driver.setGuest(0, 'EOIR1', 5);
    expect(driver.virq(0)).toBe(true);
    expect(driver.guestTakeAll(0)).toEqual([5]);
  });

  it('7.6 in EOImode 1 the priority drop is enough for the next one: there is nothing to deactivate', async () => {
    const driver = await resident();
    driver.setIch(0, 'VMCR', EOI_MODE_1);
    driver.sendVsgi(driver.vpe, 5);
    driver.guest(0, 'IAR1');
    driver.setGuest(0, 'EOIR1', 5);
    driver.sendVsgi(driver.vpe, 5);
    expect(driver.guest(0, 'IAR1')).toBe(5);
  });

  it('8.9 priority decides among vSGIs, then the lower INTID', async () => {
    const driver = await resident();
    sendFive(driver);
    expect(driver.guestTakeAll(0)).toEqual([3, 1, 4, 0, 2]);
  });

  it('8.9 or the higher INTID, where the policy tieBreak says so', async () => {
    const driver = await startMapped41({ policy: { tieBreak: 'highest-intid' } });
    driver.load(0, driver.vpe);
    sendFive(driver);
    expect(driver.guestTakeAll(0)).toEqual([3, 4, 1, 2, 0]);
  });

  it('8.9 a vSGI of higher priority preempts', async () => {
    const driver = await resident();
    driver.configureVsgi(driver.vpe, 1, { priority: 0x40 });
    driver.sendVsgi(driver.vpe, 5);
    driver.guest(0, 'IAR1');
    driver.sendVsgi(driver.vpe, 1);
    expect(driver.virq(0)).toBe(true);
    expect(driver.guest(0, 'IAR1')).toBe(1);
    driver.setGuest(0, 'EOIR1', 1);
    expect(driver.guest(0, 'RPR')).toBe(PRIORITY);
  });

  it('8.9 VPMR masks them, HCR.En=0 too', async () => {
    const driver = await resident();
    driver.sendVsgi(driver.vpe, 5);
    driver.setGuest(0, 'PMR', PRIORITY);
    expect(driver.virq(0)).toBe(false);
    driver.setGuest(0, 'PMR', PRIORITY + 8);
    expect(driver.virq(0)).toBe(true);
    driver.setIch(0, 'HCR', 0);
    expect(driver.virq(0)).toBe(false);
    expect(driver.guest(0, 'IAR1')).toBe(1023);
  });

  it.each([
    [0, 'IGRPEN0'],
    [1, 'IGRPEN1'],
  ] as const)('8.9 a group %i vSGI needs the group enabled by the guest', async (group, register) => {
    const driver = await resident({ group });
    const line = (): boolean => (group ? driver.virq(0) : driver.vfiq(0));
    driver.setGuest(0, register, 0);
    driver.sendVsgi(driver.vpe, 5);
    expect(line()).toBe(false);
    driver.setGuest(0, register, 1);
    expect(line()).toBe(true);
  });

  it.each([
    [0b01, true, false],
    [0b10, false, true],
    [0b00, false, false],
  ])('8.9 VGrpNEn of VPENDBASER %i decide what is forwarded', async (groups, fiq, irq) => {
    const driver = await resident();
    driver.configureVsgi(driver.vpe, 6, { group: 0 });
    driver.put(0);
    driver.load(0, driver.vpe, groups);
    driver.sendVsgi(driver.vpe, 5);
    expect([driver.vfiq(0), driver.virq(0)]).toEqual([false, irq]);
    driver.sendVsgi(driver.vpe, 6);
    expect([driver.vfiq(0), driver.virq(0)]).toEqual([fiq, irq]);
  });

  it('8.8 vSGIs count for no maintenance condition', async () => {
    const driver = await resident();
    driver.setIch(0, 'HCR', 1 | (1 << 1) | (1 << 3));
    driver.sendVsgi(driver.vpe, 5);
    expect(driver.ich(0, 'MISR')).toBe(0b1010n);
  });
});

describe('8.9 ties among list registers, vSGIs and VLPIs (section 11, item 14: documented choice)', () => {
  const LR = 40;
  const order = async (lr: number, vsgi: number, vlpi: number): Promise<number[]> => {
    const driver = await resident({ priority: vsgi });
    driver.setVirtualConfig(driver.vpe, VINTID, vlpi, true);
    driver.inv(DEVICE, EVENT);
    driver.machine.sendMsi(DEVICE, EVENT);
    driver.sendVsgi(driver.vpe, 5);
    driver.setIch(0, 'LR0', listRegister(LR, { priority: lr }));
    return driver.guestTakeAll(0);
  };

  it('equal priority: the list register, then the vSGI, then the VLPI', async () => {
    expect(await order(PRIORITY, PRIORITY, PRIORITY)).toEqual([LR, 5, VINTID]);
  });

  it.each([
    [
      [0x20, 0x40, 0x60],
      [LR, 5, VINTID],
    ],
    [
      [0x20, 0x60, 0x40],
      [LR, VINTID, 5],
    ],
    [
      [0x40, 0x20, 0x60],
      [5, LR, VINTID],
    ],
    [
      [0x60, 0x20, 0x40],
      [5, VINTID, LR],
    ],
    [
      [0x40, 0x60, 0x20],
      [VINTID, LR, 5],
    ],
    [
      [0x60, 0x40, 0x20],
      [VINTID, 5, LR],
    ],
    [
      [0x60, 0x40, 0x40],
      [5, VINTID, LR],
    ],
    [
      [0x40, 0x40, 0x20],
      [VINTID, LR, 5],
    ],
    [
      [0x40, 0x60, 0x40],
      [LR, VINTID, 5],
    ],
  ])('priorities %j of list register, vSGI, VLPI: %j', async ([lr, vsgi, vlpi], expected) => {
    expect(await order(lr as number, vsgi as number, vlpi as number)).toEqual(expected);
  });

  it('a better candidate of the other group hides ours', async () => {
    const driver = await resident({ group: 0, priority: 0x20 });
    driver.machine.sendMsi(DEVICE, EVENT);
    driver.sendVsgi(driver.vpe, 5);
    expect([driver.virq(0), driver.vfiq(0)]).toEqual([false, true]);
    expect(driver.guest(0, 'IAR1')).toBe(1023);
    expect(driver.guest(0, 'IAR0')).toBe(5);
    driver.setGuest(0, 'EOIR0', 5);
    expect(driver.guestTakeAll(0)).toEqual([VINTID]);
  });
});

describe('8.4 ICH_HCR_EL2.DVIM', () => {
  it('8.4 masks VLPIs and vSGIs at the CPU interface; list registers go on', async () => {
    const driver = await resident();
    driver.machine.sendMsi(DEVICE, EVENT);
    driver.sendVsgi(driver.vpe, 5);
    driver.setIch(0, 'HCR', HCR.EN | HCR.DVIM);
    expect(driver.ich(0, 'HCR')).toBe(BigInt(HCR.EN | HCR.DVIM));
    expect(driver.virq(0)).toBe(false);
    expect([driver.guest(0, 'IAR1'), driver.guest(0, 'HPPIR1')]).toEqual([1023, 1023]);
    driver.setIch(0, 'LR0', listRegister(40, { priority: 0xf0 }));
    expect(driver.guestTakeAll(0)).toEqual([40]);
    driver.setIch(0, 'HCR', HCR.EN);
    expect(driver.guestTakeAll(0)).toEqual([5, VINTID]);
  });

  it('8.4, 3.12 what it masks is pending all the same: PendingLast=1', async () => {
    const driver = await resident();
    driver.setIch(0, 'HCR', HCR.EN | HCR.DVIM);
    driver.machine.sendMsi(DEVICE, EVENT);
    expect(driver.put(0)).toBe(true);
  });

  it('8.4 DVIM and vSGIEOICount are RES0 before GICv4.1', async () => {
    const driver = await startMappedVpe();
    driver.setIch(0, 'HCR', HCR.EN | HCR.DVIM | HCR.VSGI_EOI_COUNT);
    expect(driver.ich(0, 'HCR')).toBe(BigInt(HCR.EN));
  });

  it('8.4 DVIM is RES0 where ICH_VTR_EL2.DVIM=0', async () => {
    const driver = await startMapped41({ identification: { ICH_VTR_EL2: 0x9028_0003 } });
    driver.setIch(0, 'HCR', HCR.EN | HCR.DVIM | HCR.VSGI_EOI_COUNT);
    expect(driver.ich(0, 'HCR')).toBe(BigInt(HCR.EN | HCR.VSGI_EOI_COUNT));
  });
});

describe('8.4 ICH_HCR_EL2.vSGIEOICount', () => {
  const end = async (
    hcr: number,
    vmcr: number | undefined,
    act: (driver: Mapped) => void,
  ): Promise<bigint> => {
    const driver = await resident();
    driver.setIch(0, 'HCR', hcr);
    if (vmcr !== undefined) driver.setIch(0, 'VMCR', vmcr);
    driver.sendVsgi(driver.vpe, 5);
    expect(driver.guest(0, 'IAR1')).toBe(5);
    act(driver);
    return eoiCount(driver);
  };
  const eoi = (driver: Mapped): void => driver.setGuest(0, 'EOIR1', 5);
  const eoiAndDir = (driver: Mapped): void => {
    eoi(driver);
    driver.setGuest(0, 'DIR', 5);
  };

  it.each([
    ['EOImode 0: the end of a vSGI counts', HCR.EN, undefined, eoi, 1n],
    ['EOImode 0: it does not with vSGIEOICount', HCR.EN | HCR.VSGI_EOI_COUNT, undefined, eoi, 0n],
    ['EOImode 1: EOIR does not count', HCR.EN, EOI_MODE_1, eoi, 0n],
    ['EOImode 1: DIR counts', HCR.EN, EOI_MODE_1, eoiAndDir, 1n],
    ['EOImode 1: DIR does not with vSGIEOICount', HCR.EN | HCR.VSGI_EOI_COUNT, EOI_MODE_1, eoiAndDir, 0n],
  ] as const)('8.4 %s', async (_, hcr, vmcr, act, expected) => {
    expect(await end(hcr, vmcr, act)).toBe(expected);
  });

  it('8.4 other INTIDs count with vSGIEOICount as well', async () => {
    const driver = await resident();
    driver.setIch(0, 'HCR', HCR.EN | HCR.VSGI_EOI_COUNT);
    driver.setIch(0, 'AP1R0', 1n << 20n);
    driver.setGuest(0, 'EOIR1', 40);
    expect(eoiCount(driver)).toBe(1n);
  });

  it('8.4 an SGI in a list register is deactivated there and never counts', async () => {
    const driver = await resident();
    driver.setIch(0, 'LR0', listRegister(5));
    expect(driver.guestTake(0)).toBe(5);
    expect(eoiCount(driver)).toBe(0n);
    expect(driver.ich(0, 'LR0') >> 62n).toBe(0n);
  });
});
