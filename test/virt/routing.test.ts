import { describe, expect, it } from 'vitest';
import { GicError, systemRegisters } from '../../bindings/index.ts';
import { listRegister, startGuest, type VpeDriver, vmcr } from '../support/vpe_driver.ts';

/** HCR_EL2: physical FIQ and IRQ routing. */
const FMO = 1 << 3;
const IMO = 1 << 4;

/** Section 8.1: which bit sends an EL1 access to the virtual interface. */
const classes = {
  group0: ['IAR0', 'EOIR0', 'HPPIR0', 'BPR0', 'AP0R0', 'AP0R1', 'AP0R2', 'AP0R3', 'IGRPEN0'],
  group1: ['IAR1', 'EOIR1', 'HPPIR1', 'BPR1', 'AP1R0', 'AP1R1', 'AP1R2', 'AP1R3', 'IGRPEN1'],
  common: ['PMR', 'RPR', 'CTLR', 'DIR'],
  sgi: ['SGI0R', 'SGI1R', 'ASGI1R'],
} as const;
const all = [...classes.group0, ...classes.group1, ...classes.common, ...classes.sgi, 'SRE'];

/** What a register reads as in the physical and in the virtual interface of `distinguishable`. */
const readable = [
  { name: 'PMR', kind: 'common', physical: 0xf8, virtual: 0x80 },
  { name: 'RPR', kind: 'common', physical: 0xff, virtual: 0x20 },
  { name: 'CTLR', kind: 'common', physical: 2, virtual: 0, mask: 3 },
  { name: 'BPR0', kind: 'group0', physical: 4, virtual: 6 },
  { name: 'IGRPEN0', kind: 'group0', physical: 0, virtual: 1 },
  { name: 'AP0R0', kind: 'group0', physical: 0, virtual: 0x100 },
  { name: 'BPR1', kind: 'group1', physical: 5, virtual: 7 },
  { name: 'IGRPEN1', kind: 'group1', physical: 0, virtual: 1 },
  { name: 'AP1R0', kind: 'group1', physical: 0, virtual: 0x10 },
  { name: 'HPPIR1', kind: 'group1', physical: 1023, virtual: 40 },
] as const;

async function distinguishable(): Promise<VpeDriver> {
  const driver = await startGuest({ cpus: 1 });
  const physical = { PMR: 0xf8, CTLR: 2, BPR0: 4, IGRPEN0: 0, BPR1: 5, IGRPEN1: 0 };
  for (const [name, value] of Object.entries(physical)) {
    driver.machine.writeSystemRegister(0, `ICC_${name}_EL1`, value);
  }
  driver.setIch(0, 'VMCR', vmcr({ priorityMask: 0x80, binaryPoint0: 6, binaryPoint1: 7 }));
  driver.setIch(0, 'AP0R0', 0x100);
  driver.setIch(0, 'AP1R0', 0x10);
  driver.setIch(0, 'LR0', listRegister(40));
  return driver;
}

const routed = (kind: string, hcr: number): boolean =>
  kind === 'group0' ? (hcr & FMO) !== 0 : kind === 'group1' ? (hcr & IMO) !== 0 : hcr !== 0;

/** Accesses a register from EL1 in the way that it can be accessed; whether that trapped to EL2. */
function traps(driver: VpeDriver, name: string): boolean {
  const full = `ICC_${name}_EL1`;
  const { access } = systemRegisters.find((register) => register.name === full)!;
  try {
    if (access === 'WO') driver.machine.writeSystemRegister(0, full, 1023, 1);
    else driver.machine.readSystemRegister(0, full, 1);
    return false;
  } catch (error) {
    if (!(error instanceof GicError) || error.code !== 'TRAPPED') throw error;
    return true;
  }
}

describe('8.1 where an access from EL1 goes', () => {
  const routings = [0, FMO, IMO, FMO | IMO];
  it.each(routings)('8.1 HCR_EL2=%i: reads', async (hcr) => {
    const driver = await distinguishable();
    driver.machine.writeSystemRegister(0, 'HCR_EL2', hcr);
    expect(driver.machine.readSystemRegister(0, 'HCR_EL2')).toBe(BigInt(hcr));
    for (const { name, kind, physical, virtual, ...rest } of readable) {
      const mask = 'mask' in rest ? rest.mask : 0xffff_ffff;
      const read = Number(driver.machine.readSystemRegister(0, `ICC_${name}_EL1`, 1)) & mask;
      expect([name, read]).toEqual([name, routed(kind, hcr) ? virtual : physical]);
      const el2 = Number(driver.machine.readSystemRegister(0, `ICC_${name}_EL1`, 2)) & mask;
      expect([name, el2]).toEqual([name, physical]);
    }
  });

  it.each(routings)('8.1 HCR_EL2=%i: writes', async (hcr) => {
    const driver = await distinguishable();
    driver.machine.writeSystemRegister(0, 'HCR_EL2', hcr);
    const values = { PMR: 0x40, BPR0: 5, BPR1: 6, IGRPEN0: 1, IGRPEN1: 1, AP0R0: 1, AP1R0: 2 };
    for (const [name, value] of Object.entries(values)) {
      const register = readable.find((entry) => entry.name === name)!;
      const before = [`ICC_${name}_EL1`, `ICV_${name}_EL1`].map((full) =>
        Number(driver.machine.readSystemRegister(0, full)),
      );
      driver.setGuest(0, name, value);
      const after = [`ICC_${name}_EL1`, `ICV_${name}_EL1`].map((full) =>
        Number(driver.machine.readSystemRegister(0, full)),
      );
      const virtual = routed(register.kind, hcr);
      expect([name, ...after]).toEqual([name, ...(virtual ? [before[0], value] : [value, before[1]])]);
    }
  });

  it.each([
    { group: 0, bit: FMO, other: IMO },
    { group: 1, bit: IMO, other: FMO },
  ] as const)(
    '8.1 acknowledge and end of Group $group: its own bit alone decides',
    async ({ group, bit, other }) => {
      const driver = await startGuest({ cpus: 1 });
      const sgi = 3;
      driver.machine.write(driver.gicrSgi(0, 0x0080), 4, group << sgi);
      driver.machine.write(driver.gicrSgi(0, 0x0400 + sgi), 1, 0xa0);
      driver.machine.write(driver.gicrSgi(0, 0x0100), 4, 1 << sgi);
      driver.machine.write(driver.gicrSgi(0, 0x0200), 4, 1 << sgi);
      driver.setIch(0, 'LR0', listRegister(40, { group }));
      const active = () => [
        driver.machine.read(driver.gicrSgi(0, 0x0300), 4),
        Number(driver.ich(0, 'LR0') >> 62n),
      ];
      driver.machine.writeSystemRegister(0, 'HCR_EL2', other);
      expect(driver.guest(0, `IAR${group}`)).toBe(sgi);
      expect(active()).toEqual([1 << sgi, 1]);
      driver.setGuest(0, `EOIR${group}`, sgi);
      expect(active()).toEqual([0, 1]);
      driver.machine.writeSystemRegister(0, 'HCR_EL2', bit);
      expect(driver.guest(0, `IAR${group}`)).toBe(40);
      expect(active()).toEqual([0, 2]);
      driver.setGuest(0, `EOIR${group}`, 40);
      expect(active()).toEqual([0, 0]);
    },
  );

  it('8.1 DIR follows either bit', async () => {
    for (const hcr of [FMO, IMO]) {
      const driver = await startGuest({ cpus: 1 });
      driver.setIch(0, 'VMCR', vmcr({ eoiMode: 1 }));
      driver.setIch(0, 'LR0', listRegister(40, { state: 2 }));
      driver.machine.writeSystemRegister(0, 'HCR_EL2', hcr);
      driver.setGuest(0, 'DIR', 40);
      expect(driver.ich(0, 'LR0') >> 62n).toBe(0n);
    }
  });

  it('8.1 SGI generation has no virtual form: it traps with IMO or FMO, else it is physical', async () => {
    const driver = await startGuest({ cpus: 2 });
    for (const hcr of [FMO, IMO, FMO | IMO]) {
      driver.machine.writeSystemRegister(0, 'HCR_EL2', hcr);
      expect(classes.sgi.map((name) => traps(driver, name))).toEqual([true, true, true]);
    }
    expect(driver.machine.counters().sgis.sent).toBe(0);
    driver.machine.writeSystemRegister(0, 'HCR_EL2', 0);
    driver.machine.write(driver.gicrSgi(1, 0x0080), 4, 1 << 5);
    driver.machine.writeSystemRegister(0, 'ICC_SGI1R_EL1', 0x0500_0002n, 1);
    expect(driver.machine.read(driver.gicrSgi(1, 0x0200), 4)).toBe(1 << 5);
  });

  it('8.1 ICV_* have the encodings of ICC_*, ICH_* their own', () => {
    const encodings = new Map(systemRegisters.map(({ name, encoding }) => [name, encoding.join(',')]));
    for (const [name, encoding] of encodings) {
      if (name.startsWith('ICV_'))
        expect([name, encoding]).toEqual([name, encodings.get(`ICC_${name.slice(4)}`)]);
    }
    const expected: Record<string, string> = {
      HCR: '11,0',
      VTR: '11,1',
      MISR: '11,2',
      EISR: '11,3',
      ELRSR: '11,5',
      VMCR: '11,7',
    };
    for (let n = 0; n < 16; n++) expected[`LR${n}`] = n < 8 ? `12,${n}` : `13,${n - 8}`;
    for (let n = 0; n < 4; n++) Object.assign(expected, { [`AP0R${n}`]: `8,${n}`, [`AP1R${n}`]: `9,${n}` });
    for (const [name, place] of Object.entries(expected)) {
      expect([name, encodings.get(`ICH_${name}_EL2`)]).toEqual([name, `3,4,12,${place}`]);
    }
  });
});

describe('8.4 accesses of EL1 that trap to EL2', () => {
  const TALL1 = 1 << 12;
  const TALL0 = 1 << 11;
  const TC = 1 << 10;
  const TDIR = 1 << 14;

  const trapped: { bits: number; name: string; names: readonly string[] }[] = [
    { bits: 0, name: 'none', names: [] },
    { bits: TALL0, name: 'TALL0', names: classes.group0 },
    { bits: TALL1, name: 'TALL1', names: classes.group1 },
    { bits: TC, name: 'TC', names: [...classes.common, ...classes.sgi] },
    { bits: TDIR, name: 'TDIR', names: ['DIR'] },
    { bits: TALL0 | TDIR, name: 'TALL0 and TDIR', names: [...classes.group0, 'DIR'] },
    { bits: TALL0 | TALL1 | TC, name: 'all', names: all.filter((name) => name !== 'SRE') },
  ];
  it.each(trapped)('8.4 ICH_HCR_EL2 $name', async ({ bits, names }) => {
    const driver = await startGuest({ cpus: 1, virtualPreemptionBits: 7, virtualPriorityBits: 7 });
    driver.setIch(0, 'HCR', bits | 1);
    for (const hcr of [0, FMO | IMO]) {
      driver.machine.writeSystemRegister(0, 'HCR_EL2', hcr);
      const sgis = hcr ? classes.sgi : [];
      expect(all.filter((name) => traps(driver, name))).toEqual(
        all.filter((name) => names.includes(name) || sgis.some((sgi) => sgi === name)),
      );
    }
  });

  it('8.4 a trapped access has no effect, and EL2 itself is not trapped', async () => {
    const driver = await startGuest({ cpus: 1 });
    driver.setIch(0, 'LR0', listRegister(40));
    driver.setIch(0, 'HCR', TALL1 | 1);
    expect(() => driver.guest(0, 'IAR1')).toThrow(
      expect.objectContaining({ code: 'TRAPPED', value: 'ICC_IAR1_EL1' }),
    );
    expect(driver.ich(0, 'LR0')).toBe(listRegister(40));
    expect(driver.machine.readSystemRegister(0, 'ICC_IAR1_EL1', 2)).toBe(1023n);
    expect(driver.machine.readSystemRegister(0, 'ICV_IAR1_EL1')).toBe(40n);
  });
});
