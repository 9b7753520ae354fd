import { describe, expect, it } from 'vitest';
import { listRegister, startGuest, vmcr } from '../support/vpe_driver.ts';

/** Enables of ICH_HCR_EL2 and the bit of ICH_MISR_EL2 that each is for. */
const EN = 1;
const UIE = 1 << 1;
const LRENPIE = 1 << 2;
const NPIE = 1 << 3;
const VGRP0EIE = 1 << 4;
const VGRP0DIE = 1 << 5;
const VGRP1EIE = 1 << 6;
const VGRP1DIE = 1 << 7;
const EOI_COUNT = 2 ** 27;

const states = [0, 1, 2, 3] as const;

describe('8.8 ICH_EISR_EL2 and ICH_ELRSR_EL2', () => {
  const cases = states.flatMap((state) =>
    [
      { link: 'HW=0, EOI=0', fields: {}, eisr: false, elrsr: state === 0 },
      { link: 'HW=0, EOI=1', fields: { eoi: true }, eisr: state === 0, elrsr: false },
      { link: 'HW=1', fields: { pIntid: 40 }, eisr: false, elrsr: state === 0 },
      {
        link: 'HW=1 with bit 41 in pINTID',
        fields: { pIntid: 40 | (1 << 9) },
        eisr: false,
        elrsr: state === 0,
      },
    ].map((entry) => ({ state, ...entry })),
  );

  it.each(cases)(
    '8.8 State $state, $link: EISR $eisr, ELRSR $elrsr',
    async ({ state, fields, eisr, elrsr }) => {
      const driver = await startGuest({ cpus: 1 });
      for (let n = 0; n < 4; n++) driver.setIch(0, `LR${n}`, listRegister(50 + n, { state: 2 }));
      for (const n of [0, 2, 3]) {
        driver.setIch(0, `LR${n}`, listRegister(32, { state, ...fields }));
        expect([driver.ich(0, 'EISR'), driver.ich(0, 'ELRSR')]).toEqual([
          eisr ? 1n << BigInt(n) : 0n,
          elrsr ? 1n << BigInt(n) : 0n,
        ]);
        driver.setIch(0, `LR${n}`, listRegister(50 + n, { state: 2 }));
      }
    },
  );

  it('8.8 with all 16 list registers each has its bit', async () => {
    const driver = await startGuest({ cpus: 1, listRegisters: 16 });
    for (let n = 0; n < 16; n++)
      driver.setIch(0, `LR${n}`, listRegister(32 + n, { state: n & 1 ? 0 : 2, eoi: n % 3 === 0 }));
    expect(driver.ich(0, 'EISR')).toBe((1n << 3n) | (1n << 9n) | (1n << 15n));
    expect(driver.ich(0, 'ELRSR')).toBe((1n << 1n) | (1n << 5n) | (1n << 7n) | (1n << 11n) | (1n << 13n));
  });

  it('8.8 they are read-only', async () => {
    const driver = await startGuest({ cpus: 1 });
    for (const name of ['EISR', 'ELRSR', 'MISR']) driver.setIch(0, name, 0xffff);
    expect(['EISR', 'ELRSR', 'MISR'].map((name) => driver.ich(0, name))).toEqual([0n, 0xfn, 0n]);
  });
});

describe('8.8 ICH_MISR_EL2', () => {
  it('8.8 bit 0, EOI: EISR is not zero, with no enable of its own', async () => {
    const driver = await startGuest({ cpus: 1 });
    driver.setIch(0, 'LR2', listRegister(32, { state: 0, eoi: true }));
    expect(driver.ich(0, 'MISR')).toBe(1n);
    driver.setIch(0, 'LR2', 0);
    expect(driver.ich(0, 'MISR')).toBe(0n);
  });

  it.each([
    { valid: 0, misr: 2n },
    { valid: 1, misr: 2n },
    { valid: 2, misr: 0n },
    { valid: 4, misr: 0n },
  ])('8.8 bit 1, U: with $valid valid list registers, whatever their state', async ({ valid, misr }) => {
    for (const state of [1, 2, 3] as const) {
      const driver = await startGuest({ cpus: 1 });
      for (let n = 0; n < valid; n++) driver.setIch(0, `LR${3 - n}`, listRegister(32 + n, { state }));
      expect(driver.ich(0, 'MISR')).toBe(0n);
      driver.setIch(0, 'HCR', EN | UIE);
      expect(driver.ich(0, 'MISR')).toBe(misr);
    }
  });

  it.each([0, 1, 31])('8.8 bit 2, LRENP: with EOIcount %i', async (count) => {
    const driver = await startGuest({ cpus: 1 });

    driver.setIch(0, 'HCR', EN + LRENPIE + count * EOI_COUNT);
    expect(driver.ich(0, 'MISR')).toBe(count ? 4n : 0n);
    driver.setIch(0, 'HCR', EN + count * EOI_COUNT);
    expect(driver.ich(0, 'MISR')).toBe(0n);
  });

  it.each([
    { lrs: [0, 0], misr: 8n },
    { lrs: [2, 3], misr: 8n },
    { lrs: [2, 1], misr: 0n },
    { lrs: [1, 1], misr: 0n },
  ] as const)('8.8 bit 3, NP: with list registers in the states $lrs', async ({ lrs, misr }) => {
    const driver = await startGuest({ cpus: 1 });
    for (const [n, state] of lrs.entries()) driver.setIch(0, `LR${n}`, listRegister(32 + n, { state }));
    expect(driver.ich(0, 'MISR')).toBe(0n);
    driver.setIch(0, 'HCR', EN | NPIE);
    expect(driver.ich(0, 'MISR')).toBe(misr);
  });

  it.each([
    { groups: 0, misr: [0n, 0x20n, 0n, 0x80n] },
    { groups: 1, misr: [0x10n, 0n, 0n, 0x80n] },
    { groups: 2, misr: [0n, 0x20n, 0x40n, 0n] },
    { groups: 3, misr: [0x10n, 0n, 0x40n, 0n] },
  ])(
    '8.8 bits 4 to 7, VGrp0E, VGrp0D, VGrp1E, VGrp1D: with VENG1, VENG0 = $groups',
    async ({ groups, misr }) => {
      const driver = await startGuest({ cpus: 1 });
      driver.setIch(0, 'VMCR', vmcr({ groups }));
      const seen = [VGRP0EIE, VGRP0DIE, VGRP1EIE, VGRP1DIE].map((enable) => {
        driver.setIch(0, 'HCR', EN | enable);
        return driver.ich(0, 'MISR');
      });
      expect(seen).toEqual(misr);
      driver.setIch(0, 'HCR', EN | VGRP0EIE | VGRP0DIE | VGRP1EIE | VGRP1DIE);
      expect(driver.ich(0, 'MISR')).toBe(misr.reduce((sum, bit) => sum | bit, 0n));
    },
  );

  it('8.8 the guest’s own writes of ICC_IGRPEN<n> raise and clear VGrpNE and VGrpND', async () => {
    const driver = await startGuest({ cpus: 1 });
    driver.setIch(0, 'HCR', EN | VGRP0DIE | VGRP1EIE);
    expect(driver.ich(0, 'MISR')).toBe(0x40n);
    driver.setGuest(0, 'IGRPEN0', 0);
    driver.setGuest(0, 'IGRPEN1', 0);
    expect(driver.ich(0, 'MISR')).toBe(0x20n);
  });

  it('8.8 all conditions at once', async () => {
    const driver = await startGuest({ cpus: 1 });
    driver.setIch(0, 'VMCR', vmcr({ groups: 1 }));
    driver.setIch(0, 'LR0', listRegister(32, { state: 0, eoi: true }));
    driver.setIch(0, 'HCR', 0xf800_00ff);
    expect(driver.ich(0, 'MISR')).toBe(0b1001_1111n);
  });

  it('8.8 directly injected VLPIs count for neither U nor NP', async () => {
    const driver = await startGuest({ cpus: 1 });
    driver.mapd(1, 5);
    const vpe = driver.mapVpe(7);
    driver.setVirtualConfig(vpe, 8192, 0xa0, true);
    driver.vmapti(1, 0, vpe, 8192);
    driver.scheduleIn(0, vpe);
    driver.setIch(0, 'HCR', EN | UIE | NPIE);
    driver.machine.sendMsi(1, 0);
    expect(driver.virq(0)).toBe(true);
    expect(driver.ich(0, 'MISR')).toBe(0b1010n);
  });
});
