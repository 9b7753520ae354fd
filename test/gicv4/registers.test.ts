import { describe, expect, it } from 'vitest';
import { createMachine, type MachineOptions } from '../../bindings/index.ts';
import { hex } from '../support/gic.ts';
import { startVpeDriver, VPENDBASER, VpeDriver } from '../support/vpe_driver.ts';

/** What the spec's examples of identification registers assume: nothing optional beside GICv4.0. */
const plain: MachineOptions = {
  oneOfN: false,
  messageBasedSpis: false,
  directLpi: false,
  unmappedMsiReporting: false,
};

/** Every bit that a GICv4.0 register of section 3.11 or 3.12 lets software change. */
const attributes = (0b111n << 56n) | (0b11n << 10n) | (0b111n << 7n);
const vpropbaserBits = attributes | 0x000f_ffff_ffff_f000n | 0x1fn;
const allOnes = 0xffff_ffff_ffff_ffffn;

describe('identification of a GICv4.0', () => {
  it('2.3 GICD_TYPER.DVIS: the example 0x037E0008', async () => {
    const driver = await startVpeDriver(plain);
    expect(hex(driver.machine.read(driver.gicd(0x0004), 4))).toBe('0x37e0008');
  });

  it('2.1 PIDR2.ArchRev is 4 in every frame that has it', async () => {
    const driver = await startVpeDriver();
    for (const base of [driver.gicd(0), driver.gicr(0, 0), driver.gits(0)]) {
      expect((driver.machine.read(base + 0xffe8, 4) >> 4) & 0xf).toBe(4);
    }
  });

  it('3.3 GICR_TYPER of PE 2 with Dirty: the example 0x207; VLPIS=1, RVPEID=0, VSGI=0', async () => {
    const driver = await startVpeDriver({ ...plain, dirtyReads: { scheduleIn: 1, scheduleOut: 0 } });
    expect(hex(driver.machine.read(driver.gicr(2, 0x0008), 8))).toBe('0x200000207');
  });

  it('3.3 GICR_TYPER.Dirty is 0 where Dirty does not report parsing', async () => {
    const driver = await startVpeDriver({ ...plain, dirtyReads: { scheduleIn: 0, scheduleOut: 3 } });
    expect(hex(driver.machine.read(driver.gicr(2, 0x0008), 8))).toBe('0x200000203');
  });

  it('5.4 GITS_TYPER: the example 0x3F_0001_EFF3 with Virtual and VMOVP', async () => {
    const driver = await startVpeDriver({ ...plain, ittEntryBytes: 16 });
    expect(hex(driver.machine.read(driver.gits(0x0008), 8))).toBe('0x3f0001eff3');
  });

  it('5.4 GITS_TYPER.VMOVP is 0 where every ITS has to be told', async () => {
    const driver = await startVpeDriver({ ...plain, ittEntryBytes: 16, vmovpOnAnyIts: false });
    expect(hex(driver.machine.read(driver.gits(0x0008), 8))).toBe('0x1f0001eff3');
  });

  it('5.9 GITS_BASER2 is the vPE table: reset value 0x0207000000000200', async () => {
    const driver = new VpeDriver(await createMachine({ architecture: 'GICv4.0' }));
    expect(hex(driver.machine.read(driver.gits(0x0110), 8))).toBe('0x207000000000200');
  });

  it('0 the redistributors are 0x40000 apart, with a VLPI frame at 0x20000', async () => {
    const driver = await startVpeDriver();
    for (const cpu of [0, 1, 3]) {
      driver.setVpropbaser(cpu, BigInt(0x8000_0000 + cpu * 0x1000) | 15n);
    }
    const { gicr } = driver.config.addressMap;
    expect([0, 1, 3].map((cpu) => driver.machine.read(gicr + cpu * 0x4_0000 + 0x2_0070, 8))).toEqual([
      0x8000_000fn,
      0x8000_100fn,
      0x8000_300fn,
    ]);
  });

  it('3.10 a GICv3 has no VLPI frame, no vPE table and no V* commands', async () => {
    const driver = new VpeDriver(await createMachine(plain)).start();
    expect((driver.machine.read(driver.gicr(0, 0x0008), 8) >> 1n) & 1n).toBe(0n);
    expect((driver.machine.read(driver.gits(0x0008), 8) >> 1n) & 1n).toBe(0n);
    expect((driver.machine.read(driver.gicd(0x0004), 4) >> 18) & 1).toBe(0);
    driver.machine.write(driver.gits(0x0110), 8, allOnes);
    expect(driver.machine.read(driver.gits(0x0110), 8)).toBe(0n);
    driver.diagnosed();
    driver.mapVpe(7);
    expect(driver.diagnosed('UNKNOWN_COMMAND').map(({ operands }) => operands.number)).toEqual([0x29]);
  });
});

describe('3.11 GICR_VPROPBASER', () => {
  it('3.11 the example of a VM table reads back as written', async () => {
    const driver = await startVpeDriver();
    driver.setVpropbaser(0, 0x0000_0008_9000_058fn);
    expect(driver.vpropbaser(0)).toBe(0x0000_0008_9000_058fn);
  });

  it('3.11 all bits but the architected fields are RES0; Shareability 3 is reserved', async () => {
    const driver = await startVpeDriver();
    driver.setVpropbaser(0, allOnes & ~(1n << 10n));
    expect(hex(driver.vpropbaser(0))).toBe(hex(vpropbaserBits & ~(1n << 10n)));
    driver.setVpropbaser(0, allOnes);
    expect((driver.vpropbaser(0) >> 10n) & 3n).toBe(0n);
    driver.setVpropbaser(0, 0n);
    expect(driver.vpropbaser(0)).toBe(0n);
  });

  it('3.11 policy lpiTableReservedBits=keep keeps them as written', async () => {
    const driver = await startVpeDriver({ policy: { lpiTableReservedBits: 'keep' } });
    driver.setVpropbaser(0, allOnes);
    expect(driver.vpropbaser(0)).toBe(allOnes);
  });

  it('0 two 32-bit accesses do what a 64-bit one does', async () => {
    const driver = await startVpeDriver();
    const address = driver.gicrVlpi(1, 0x70);
    driver.machine.write(address, 4, 0x9000_058f);
    driver.machine.write(address + 4, 4, 0x0500_0008);
    expect(driver.vpropbaser(1)).toBe(0x0500_0008_9000_058fn);
    expect([driver.machine.read(address, 4), driver.machine.read(address + 4, 4)]).toEqual([
      0x9000_058f, 0x0500_0008,
    ]);
  });

  it.each([
    ['ignore', 0n],
    ['accept', 0x1000n],
  ] as const)(
    '3.11 policy lpiTableWriteWhileEnabled=%s: written while a vPE is resident, UNPREDICTABLE',
    async (policy, change) => {
      const driver = await startVpeDriver({ policy: { lpiTableWriteWhileEnabled: policy } });
      const vpe = driver.mapVpe(1);
      driver.scheduleIn(2, vpe);
      const before = driver.vpropbaser(2);
      driver.setVpropbaser(2, before + 0x1000n);
      expect(driver.vpropbaser(2)).toBe(before + change);
      expect(driver.diagnosed().map(({ code, unit }) => [code, unit])).toEqual([
        ['VPROPBASER_WRITE_WHILE_RESIDENT', 2],
      ]);
    },
  );
});

describe('3.12 GICR_VPENDBASER', () => {
  it('3.12 Valid is 0 after reset', async () => {
    const driver = await startVpeDriver();
    expect(driver.vpendbaser(0) & (VPENDBASER.VALID | VPENDBASER.DIRTY)).toBe(0n);
  });

  it('3.12 Dirty is read-only, all bits but the architected fields are RES0', async () => {
    const driver = await startVpeDriver();
    driver.setVpendbaser(0, allOnes & ~VPENDBASER.VALID & ~(1n << 10n));
    const fields = attributes | 0x000f_ffff_ffff_0000n | VPENDBASER.IDAI;
    expect(hex(driver.vpendbaser(0) & ~VPENDBASER.PENDING_LAST)).toBe(hex(fields & ~(1n << 10n)));
  });

  it('3.12 reserved bits are zero also with policy lpiTableReservedBits=keep', async () => {
    const driver = await startVpeDriver({ policy: { lpiTableReservedBits: 'keep' } });
    driver.setVpendbaser(0, 0x0000_0000_0000_f07fn);
    expect(hex(driver.vpendbaser(0))).toBe(hex(0n));
  });

  it('3.12 the attributes and the address read back while a vPE is resident', async () => {
    const driver = await startVpeDriver();
    driver.setVpropbaser(0, 0x8100_000fn);
    driver.setVpendbaser(0, 0xa000_0000_8000_0780n);
    expect(hex(driver.vpendbaser(0))).toBe('0xa000000080000780');
  });

  it.each([
    { ones: 0n, name: 'PendingLast written as 0' },
    { ones: VPENDBASER.PENDING_LAST, name: 'PendingLast written as 1' },
  ])('3.12 PendingLast is RES1 where Valid is set: $name', async ({ ones }) => {
    const driver = await startVpeDriver();
    const vpe = driver.mapVpe(1);
    driver.setVpropbaser(0, BigInt(vpe.configTable) | 15n);
    driver.setVpendbaser(0, VPENDBASER.VALID | ones | BigInt(vpe.vpt));
    expect(driver.vpendbaser(0) & VPENDBASER.PENDING_LAST).toBe(VPENDBASER.PENDING_LAST);
    expect(driver.scheduleOut(0)).toBe(false);
  });

  it('0 two 32-bit writes schedule a vPE in, the upper one last', async () => {
    const driver = await startVpeDriver();
    const vpe = driver.mapVpe(1);
    const address = driver.gicrVlpi(0, 0x78);
    driver.machine.write(address, 4, vpe.vpt);
    expect(driver.machine.counters().residency.scheduledIn).toBe(0);
    driver.machine.write(address + 4, 4, 0xa000_0000);
    expect(driver.vpendbaser(0)).toBe(0xa000_0000_0000_0000n | BigInt(vpe.vpt));
    expect(driver.machine.counters().residency).toEqual({ scheduledIn: 1, scheduledOut: 0 });
    driver.machine.write(address + 4, 4, 0x2000_0000);
    expect(driver.machine.counters().residency).toEqual({ scheduledIn: 1, scheduledOut: 1 });
    expect(driver.vpendbaser(0)).toBe(BigInt(vpe.vpt));
  });

  it('3.12 changing anything but Valid while Valid=1 is UNPREDICTABLE: the write is ignored and diagnosed', async () => {
    const driver = await startVpeDriver();
    const [first, second] = [driver.mapVpe(1), driver.mapVpe(2)];
    driver.scheduleIn(1, first);
    const before = driver.vpendbaser(1);
    driver.setVpendbaser(1, VPENDBASER.VALID | BigInt(second.vpt));
    expect(driver.vpendbaser(1)).toBe(before);
    expect(driver.diagnosed().map(({ code, unit }) => [code, unit])).toEqual([
      ['VPE_CHANGED_WHILE_RESIDENT', 1],
    ]);
  });
});
