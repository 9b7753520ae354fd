import { describe, expect, it } from 'vitest';
import { hex } from '../support/gic.ts';
import { startGuest, startVpeDriver } from '../support/vpe_driver.ts';

const allOnes = 0xffff_ffff_ffff_ffffn;

describe('8.4 ICH_HCR_EL2', () => {
  it('8.4 is zero after reset', async () => {
    expect((await startVpeDriver()).ich(0, 'HCR')).toBe(0n);
  });

  it('8.4 EOIcount, TDIR, TALL1, TALL0, TC, the maintenance enables and En can be written; all else is RES0', async () => {
    const driver = await startGuest();
    driver.setIch(0, 'HCR', allOnes);
    expect(hex(driver.ich(0, 'HCR'))).toBe('0xf8005cff');
    driver.setIch(0, 'HCR', 0);
    expect(driver.ich(0, 'HCR')).toBe(0n);
  });

  it('8.4 each PE has its own', async () => {
    const driver = await startVpeDriver();
    driver.setIch(2, 'HCR', 0x1800_0001);
    expect([0, 1, 2, 3].map((cpu) => driver.ich(cpu, 'HCR'))).toEqual([0n, 0n, 0x1800_0001n, 0n]);
  });
});

describe('8.5 ICH_VTR_EL2', () => {
  it.each([
    ['GICv4.0', '0x90280003'],
    ['GICv3', '0x90380003'],
  ] as const)(
    '8.5 the example of %s: nV4, A3V, TDS, 5 bits, 4 list registers',
    async (architecture, value) => {
      const driver = await startVpeDriver({ architecture });
      expect(hex(driver.ich(0, 'VTR'))).toBe(value);
      driver.setIch(0, 'VTR', 0);
      expect(hex(driver.ich(0, 'VTR'))).toBe(value);
    },
  );

  it.each([
    [5, 5],
    [6, 5],
    [7, 6],
    [7, 7],
    [8, 7],
  ])('8.5 %i priority bits, %i preemption bits', async (virtualPriorityBits, virtualPreemptionBits) => {
    const driver = await startVpeDriver({ virtualPriorityBits, virtualPreemptionBits });
    const vtr = Number(driver.ich(0, 'VTR'));
    expect([(vtr >>> 29) + 1, ((vtr >>> 26) & 7) + 1]).toEqual([virtualPriorityBits, virtualPreemptionBits]);
  });

  it.each([
    [16, 0],
    [20, 1],
  ])('8.5 IDbits with INTIDs of %i bits is %i', async (intidBits, idBits) => {
    const driver = await startVpeDriver({ intidBits });
    expect((Number(driver.ich(0, 'VTR')) >>> 23) & 7).toBe(idBits);
  });

  it.each(Array.from({ length: 16 }, (_, n) => n + 1))(
    '8.5 ListRegs with %i list registers; the others are absent',
    async (listRegisters) => {
      const driver = await startGuest({ cpus: 1, listRegisters });
      expect(Number(driver.ich(0, 'VTR')) & 0x1f).toBe(listRegisters - 1);
      expect(driver.ich(0, 'ELRSR')).toBe(BigInt(2 ** listRegisters - 1));
      for (let n = 0; n < 16; n++) driver.setIch(0, `LR${n}`, 0x1080_0000_0000_0020n + BigInt(n));
      const kept = Array.from({ length: 16 }, (_, n) => driver.ich(0, `LR${n}`));
      const expected = kept.map((_, n) => (n < listRegisters ? 0x1080_0000_0000_0020n + BigInt(n) : 0n));
      expect(kept).toEqual(expected);
      expect(driver.diagnosed('UNIMPLEMENTED_SYSTEM_REGISTER')).toHaveLength(2 * (16 - listRegisters));
    },
  );
});

describe('8.6 ICH_VMCR_EL2', () => {
  it('8.6 the example: VPMR 0xF8, VBPR0 2, VBPR1 3, VFIQEn, VENG1', async () => {
    const driver = await startVpeDriver();
    driver.setIch(0, 'VMCR', 0xf84c_000a);
    expect(hex(driver.ich(0, 'VMCR'))).toBe('0xf84c000a');
    expect([
      Number(driver.machine.readSystemRegister(0, 'ICV_PMR_EL1')),
      Number(driver.machine.readSystemRegister(0, 'ICV_BPR0_EL1')),
      Number(driver.machine.readSystemRegister(0, 'ICV_BPR1_EL1')),
      Number(driver.machine.readSystemRegister(0, 'ICV_IGRPEN0_EL1')),
      Number(driver.machine.readSystemRegister(0, 'ICV_IGRPEN1_EL1')),
    ]).toEqual([0xf8, 2, 3, 0, 1]);
  });

  it('8.6 all ones: VAckCtl and the reserved bits are zero', async () => {
    const driver = await startVpeDriver();
    driver.setIch(0, 'VMCR', allOnes);
    expect(hex(driver.ich(0, 'VMCR'))).toBe(hex(0xf8fc_021bn));
  });

  it('8.6 all zeros: VFIQEn is RES1, the binary points are at their minimum', async () => {
    const driver = await startVpeDriver();
    driver.setIch(0, 'VMCR', 0);
    expect(hex(driver.ich(0, 'VMCR'))).toBe(hex((2n << 21n) | (3n << 18n) | 8n));
  });

  it.each([5, 6, 7])(
    '8.6, 8.9 with %i preemption bits too small binary points become the minimum',
    async (pre) => {
      const driver = await startVpeDriver({ virtualPriorityBits: pre, virtualPreemptionBits: pre });
      for (let bpr = 0; bpr < 8; bpr++) {
        driver.setIch(0, 'VMCR', (bpr << 21) | (bpr << 18));
        const vmcr = Number(driver.ich(0, 'VMCR'));
        expect([(vmcr >> 21) & 7, (vmcr >> 18) & 7]).toEqual([
          Math.max(bpr, 7 - pre),
          Math.max(bpr, 8 - pre),
        ]);
      }
    },
  );

  it.each([
    [5, 0xf8],
    [6, 0xfc],
    [7, 0xfe],
    [8, 0xff],
  ])('1.4 with %i priority bits the lower bits of VPMR are RAZ/WI', async (virtualPriorityBits, mask) => {
    const driver = await startVpeDriver({ virtualPriorityBits });
    driver.setIch(0, 'VMCR', 0xff00_0000);
    expect(Number(driver.ich(0, 'VMCR')) >>> 24).toBe(mask);
  });
});

describe('8.7 ICH_LR<n>_EL2', () => {
  it.each([
    0x5080_0200_0000_001bn,
    0x9080_0200_0000_001bn,
    0x1080_0200_0000_001bn,
    0x70a0_001b_0000_001bn,
    0xb0a0_001b_0000_001bn,
    0x7020_0064_0000_0028n,
    0x50a0_0000_0000_2000n,
    0xc040_0000_0000_0005n,
  ])('8.7 the example %s reads back as written', async (value) => {
    const driver = await startVpeDriver();
    for (const n of [0, 3]) {
      driver.setIch(1, `LR${n}`, value);
      expect(hex(driver.ich(1, `LR${n}`))).toBe(hex(value));
    }
    expect(driver.ich(1, 'LR1')).toBe(0n);
  });

  it('8.7 HW=0: of the pINTID field only the EOI bit is kept; NMI, [58:56] and [47:45] are RES0', async () => {
    const driver = await startVpeDriver();
    driver.setIch(0, 'LR0', allOnes & ~(1n << 61n));
    expect(hex(driver.ich(0, 'LR0'))).toBe(hex(0xd0f8_0200_ffff_ffffn));
  });

  it.each([
    [0, 0x3ff],
    [32, 0x1fff],
  ])(
    '8.7 HW=1 with %i Extended SPIs: the highest pINTID is %i, [44:42] are RES0 without extended ranges',
    async (extendedSpis, pIntid) => {
      const driver = await startVpeDriver({ extendedSpis });
      driver.setIch(0, 'LR0', allOnes);
      expect(hex(driver.ich(0, 'LR0'))).toBe(hex(0xf0f8_0000_ffff_ffffn | (BigInt(pIntid) << 32n)));
    },
  );

  it('8.7 with extended PPIs [44:42] hold pINTIDs too', async () => {
    const driver = await startVpeDriver({ extendedPpis: 32 });
    driver.setIch(0, 'LR0', 0xb0a0_0000_0000_0020n | (1056n << 32n));
    expect(driver.ich(0, 'LR0') & 0x1fff_0000_0000n).toBe(1056n << 32n);
  });

  it.each([
    [5, 0xf8n],
    [6, 0xfcn],
    [7, 0xfen],
    [8, 0xffn],
  ])('8.7 with %i priority bits the lower bits of Priority are RES0', async (virtualPriorityBits, mask) => {
    const driver = await startVpeDriver({ virtualPriorityBits });
    driver.setIch(0, 'LR0', 0xffn << 48n);
    expect(driver.ich(0, 'LR0')).toBe(mask << 48n);
  });
});

describe('8.9 ICH_AP0R<n>_EL2 and ICH_AP1R<n>_EL2', () => {
  it.each([
    [5, 1],
    [6, 2],
    [7, 4],
  ])('8.9 with %i preemption bits there are %i of each', async (virtualPreemptionBits, count) => {
    const driver = await startGuest({ cpus: 1, virtualPriorityBits: 7, virtualPreemptionBits });
    for (const group of [0, 1]) {
      for (let n = 0; n < 4; n++) driver.setIch(0, `AP${group}R${n}`, 0x8000_0001 + 2 ** (4 + n + group));
      const kept = [0, 1, 2, 3].map((n) => Number(driver.ich(0, `AP${group}R${n}`)));
      expect(kept).toEqual([0, 1, 2, 3].map((n) => (n < count ? 0x8000_0001 + 2 ** (4 + n + group) : 0)));
      const alias = [0, 1, 2, 3].map((n) => driver.guest(0, `AP${group}R${n}`));
      expect(alias).toEqual(kept);
    }
    expect(driver.diagnosed('UNIMPLEMENTED_SYSTEM_REGISTER')).toHaveLength((4 - count) * 2 * 3);
  });

  it('8.9 the guest’s ICV_AP<m>R<n> are the same registers', async () => {
    const driver = await startGuest({ cpus: 1 });
    driver.setGuest(0, 'AP0R0', 0x10);
    driver.setGuest(0, 'AP1R0', 0x20);
    expect([driver.ich(0, 'AP0R0'), driver.ich(0, 'AP1R0')]).toEqual([0x10n, 0x20n]);
  });
});

describe('reset of a CPU interface', () => {
  it('clears the virtual interface; the vPE stays resident', async () => {
    const driver = await startGuest({ cpus: 2 });
    const vpe = driver.mapVpe(7);
    driver.scheduleIn(0, vpe);
    driver.setIch(0, 'LR0', 0x50a0_0000_0000_0028n);
    driver.setIch(0, 'AP1R0', 1);
    driver.machine.resetCpuInterface(0);
    expect(driver.virq(0)).toBe(false);
    expect(['HCR', 'LR0', 'AP1R0', 'MISR'].map((name) => driver.ich(0, name))).toEqual([0n, 0n, 0n, 0n]);
    expect(hex(driver.ich(0, 'VMCR'))).toBe('0x4c0008');
    expect(driver.vpendbaser(0) >> 63n).toBe(1n);
    expect(driver.ich(1, 'HCR')).toBe(1n);
  });
});
