import { describe, expect, it } from 'vitest';
import { DEVICE, EVENT, VINTID } from '../support/vpe_driver.ts';
import { startMapped41, TWO_GROUPS, type Vpe41, type Vpe41Driver } from '../support/vpe41_driver.ts';

type Mapped = Vpe41Driver & { readonly vpe: Vpe41 };

/** vPE 7 is mapped at ITS 0; event 5 of the device is its VLPI 8193 at ITS 0, 8194 at ITS 1, 8195 at ITS 2. */
async function start(options = {}): Promise<Mapped> {
  const driver = await startMapped41({ itsCount: 3, ...options });
  for (const its of [1, 2]) {
    driver.mapd(DEVICE, 5, its);
    driver.vmapti(DEVICE, EVENT, driver.vpe, VINTID + its, 1023, its);
  }
  driver.codes();
  return driver;
}

const send = (driver: Mapped): string[] => [0, 1, 2].map((its) => driver.machine.sendMsi(DEVICE, EVENT, its));
const [pending, unmapped, coalesced] = ['pending', 'vpe-unmapped', 'coalesced'];

describe.each([
  ['one table for all ITSs and redistributors (SVPET=1)', { sharedVpeTable: 1 }],
  ['a table for each ITS and one for the redistributors (SVPET=0)', { sharedVpeTable: 0 }],
])('6.15 several ITSs map one vPE: %s', (_, options) => {
  it('6.15 only the ITSs that have mapped it reach it', async () => {
    const driver = await start(options);
    expect(send(driver)).toEqual([pending, unmapped, unmapped]);
    driver.map(driver.vpe, { its: 2, alloc: false });
    expect(send(driver)).toEqual([coalesced, unmapped, pending]);
    driver.map(driver.vpe, { its: 1, alloc: false });
    expect(send(driver)).toEqual([coalesced, pending, coalesced]);
    driver.load(0, driver.vpe);
    expect(driver.guestTakeAll(0)).toEqual([VINTID, VINTID + 1, VINTID + 2]);
    expect(driver.codes().filter((code) => code !== 'MSI_DROPPED')).toEqual([]);
  });

  it('6.15 V=0, Alloc=0: this ITS drops its mapping, the others keep theirs', async () => {
    const driver = await start(options);
    for (const its of [1, 2]) driver.map(driver.vpe, { its, alloc: false });
    driver.unmap(driver.vpe, { its: 0, alloc: false });
    expect(send(driver)).toEqual([unmapped, pending, pending]);
    driver.unmap(driver.vpe, { its: 2, alloc: false });
    expect(send(driver)).toEqual([unmapped, coalesced, unmapped]);
    driver.load(0, driver.vpe);
    expect(driver.guestTakeAll(0)).toEqual([VINTID + 1, VINTID + 2]);
    expect(driver.codes().filter((code) => code !== 'MSI_DROPPED')).toEqual([]);
  });

  it('6.15 the last unmapping, Alloc=1, leaves what came from all ITSs in the VPT', async () => {
    const driver = await start(options);
    for (const its of [1, 2]) driver.map(driver.vpe, { its, alloc: false });
    driver.load(3, driver.vpe);
    expect(send(driver)).toEqual([pending, pending, pending]);
    driver.put(3);
    for (const its of [1, 0]) driver.unmap(driver.vpe, { its, alloc: false });
    driver.unmap(driver.vpe, { its: 2 });
    expect(driver.codes()).toEqual([]);
    expect(driver.pendingVlpis(driver.vpe)).toEqual([VINTID, VINTID + 1, VINTID + 2]);
    expect(send(driver)).toEqual([unmapped, unmapped, unmapped]);
    driver.load(3, driver.vpe);
    expect(driver.codes().at(-1)).toBe('VPE_NOT_MAPPED');
  });

  it('6.15 Alloc=1 while others still map it: UNPREDICTABLE, diagnosed, unmapped there too', async () => {
    const driver = await start(options);
    driver.map(driver.vpe, { its: 1, alloc: false });
    driver.unmap(driver.vpe, { its: 0 });
    expect(driver.codes()).toEqual(['VPE_RELEASED_WHILE_MAPPED']);
    expect(send(driver)).toEqual([unmapped, unmapped, unmapped]);
    driver.map(driver.vpe, { its: 0 });
    expect(send(driver)).toEqual([pending, unmapped, unmapped]);
  });

  it('6.15 Alloc=1 at a second ITS: UNPREDICTABLE, diagnosed; the first one has to map it again', async () => {
    const driver = await start(options);
    driver.map(driver.vpe, { its: 1 });
    expect(driver.codes()).toEqual(['VPE_REMAPPED']);
    expect(send(driver)).toEqual([unmapped, pending, unmapped]);
  });

  it('6.22, 5.12 VSGI and GITS_SGIR work at any ITS that has mapped it', async () => {
    const driver = await start(options);
    driver.map(driver.vpe, { its: 1, alloc: false });
    driver.configureVsgi(driver.vpe, 3, { its: 1 });
    driver.sendVsgi(driver.vpe, 3, 0);
    expect(driver.pendingVsgis(0, driver.vpe)).toBe(8);
    driver.sendVsgi(driver.vpe, 3, 2);
    expect(driver.diagnosed().map(({ code, unit }) => [code, unit])).toEqual([['VSGI_DROPPED', 2]]);
    driver.clearVsgi(driver.vpe, 3, 1);
    expect(driver.pendingVsgis(0, driver.vpe)).toBe(0);
  });

  it('6.15 each ITS unmaps on its own also after a move to a group whose table they do not share', async () => {
    const driver = await start({ ...TWO_GROUPS, ...options });
    driver.map(driver.vpe, { its: 1, alloc: false });
    driver.vmovp41(driver.vpe, 2);
    driver.unmap(driver.vpe, { its: 0, alloc: false });
    expect(send(driver)).toEqual([unmapped, pending, unmapped]);
    driver.codes();
    driver.unmap(driver.vpe, { its: 1 });
    driver.map(driver.vpe, { its: 1, cpu: 3 });
    expect(driver.codes()).toEqual([]);
    driver.load(3, driver.vpe);
    expect(driver.guestTakeAll(3)).toEqual([VINTID + 1]);
  });

  it('6.19 one VMOVP moves it for all ITSs (VMOVP=1)', async () => {
    const driver = await start(options);
    driver.map(driver.vpe, { its: 2, alloc: false });
    driver.vmovp41(driver.vpe, 3, { its: 2 });
    expect([0, 1, 2].map((its) => driver.machine.vpeEntry(its, 7)?.cpu)).toEqual([3, undefined, 3]);
    expect(send(driver)).toEqual([pending, unmapped, pending]);
  });

  it('6.19 VMOVP on each ITS of ITSList (VMOVP=0): nothing moves before the last one has come', async () => {
    const driver = await start({ ...TWO_GROUPS, ...options, vmovpOnAnyIts: false });
    const together = { sequence: 9, list: 0b11 };
    driver.map(driver.vpe, { its: 1, alloc: false });
    driver.configureVsgi(driver.vpe, 3);
    driver.sendVsgi(driver.vpe, 3);
    driver.vmovp41(driver.vpe, 2, { its: 0, doorbell: 9001, together });
    expect([0, 1].map((its) => driver.machine.vpeEntry(its, 7)?.cpu)).toEqual([0, 0]);
    driver.ring(0);
    expect(driver.pendingVsgis(0, driver.vpe)).toBe(8);
    driver.vmovp41(driver.vpe, 2, { its: 1, doorbell: 9001, together });
    expect([0, 1].map((its) => driver.machine.vpeEntry(its, 7)?.cpu)).toEqual([2, 2]);
    expect(driver.pendingVsgis(2, driver.vpe)).toBe(8);
    expect([0, 1].map((its) => driver.machine.sendMsi(DEVICE, EVENT, its))).toEqual([pending, pending]);
    driver.load(2, driver.vpe);
    expect(driver.guestTakeAll(2)).toEqual([3, VINTID, VINTID + 1]);
    driver.put(2, { doorbell: true });
    driver.machine.sendMsi(DEVICE, EVENT, 1);
    expect(driver.takeAll(2)).toEqual([9001]);
    expect(driver.codes()).toEqual([]);
  });
});
