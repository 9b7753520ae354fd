import { describe, expect, test } from 'vitest';
import type { MachineOptions } from '../../bindings/config.ts';
import { Driver } from '../support/driver.ts';
import { virtualCommands } from '../support/vpe_driver.ts';
import { commands41 } from '../support/vpe41_driver.ts';
import { ReferenceGic } from './gic.ts';

const VALID = 1n << 63n;
const PAGE = 0x1_0000;
const VPE = 7;
const VLPI = 8193;
const DOORBELL = 9000;
const DEVICE = 1;
/** ICH_VMCR_EL2 of section 8.10: VPMR 0xF8, VBPR0 2, VBPR1 3, VFIQEn, VENG1. */
const VMCR = 0xf84c_000a;

/** A guest of PE 0, by register names without prefix and exception level. */
class Guest {
  readonly gic: ReferenceGic;

  constructor(gic: ReferenceGic) {
    this.gic = gic;
    this.setIch('HCR', 1);
    this.setIch('VMCR', VMCR);
  }

  read(name: string): number {
    return Number(this.gic.readSystemRegister(0, `ICV_${name}_EL1`));
  }

  write(name: string, value: number): void {
    this.gic.writeSystemRegister(0, `ICV_${name}_EL1`, value);
  }

  ich(name: string): bigint {
    return this.gic.readSystemRegister(0, `ICH_${name}_EL2`);
  }

  setIch(name: string, value: number | bigint): void {
    this.gic.writeSystemRegister(0, `ICH_${name}_EL2`, value);
  }

  get virq(): boolean {
    return this.gic.virtualOutputs(0).virq;
  }
}

/** vPE 7 mapped to PE 0; event 0 of device 1 is its VLPI 8193, enabled at priority 0xA0; LPI 9000 is its doorbell. */
function startVpe(architecture: 'GICv4.0' | 'GICv4.1'): {
  gic: ReferenceGic;
  driver: Driver;
  guest: Guest;
  vpt: number;
  vpendbaser: number;
} {
  const options: MachineOptions = { cpus: 2, architecture };
  const gic = new ReferenceGic(options);
  const driver = new Driver(gic, gic.config);
  const [table, vpt, configTable] = [0, 1, 2].map(() => driver.allocate(PAGE, PAGE)) as [
    number,
    number,
    number,
  ];
  const frame = driver.gicr(0, 0x2_0000);
  const is41 = architecture === 'GICv4.1';
  gic.write(driver.gits(0x0110), 8, VALID | (2n << 8n) | BigInt(table));
  gic.write(frame + 0x70, 8, is41 ? VALID | (2n << 53n) | BigInt(table) : BigInt(configTable) | 15n);
  driver.start();
  gic.write(configTable + VLPI - 8192, 1, 0xa3);
  driver.setConfig(DOORBELL, 0xa0, true);
  const vpe = { id: VPE, vpt, configTable, size: 15, doorbell: DOORBELL };
  driver.command(is41 ? commands41.vmapp(vpe, 0n) : virtualCommands.vmapp(VPE, 0n, vpt, 15));
  driver.mapd(DEVICE, 5);
  driver.command(virtualCommands.vmapti(DEVICE, 0, VPE, VLPI, is41 ? 1023 : DOORBELL));
  return { gic, driver, guest: new Guest(gic), vpt, vpendbaser: frame + 0x78 };
}

describe('reference model, virtual CPU interface', () => {
  test('the worked sequence (section 8.10)', () => {
    const guest = new Guest(new ReferenceGic({ cpus: 1, architecture: 'GICv4.0' }));
    guest.setIch('LR0', 0x50a0_0000_0000_0028n);
    guest.setIch('LR1', 0x5020_0000_0000_0029n);
    expect([guest.virq, guest.read('HPPIR1'), guest.read('RPR')]).toEqual([true, 41, 0xff]);
    expect(guest.read('IAR1')).toBe(41);
    expect([guest.ich('LR1') >> 48n, guest.ich('AP1R0'), guest.read('RPR'), guest.virq]).toEqual([
      0x9020n,
      0x10n,
      0x20,
      false,
    ]);
    expect(guest.read('IAR1')).toBe(1023);
    guest.write('EOIR1', 41);
    expect([guest.ich('AP1R0'), guest.ich('LR1') >> 48n, guest.ich('ELRSR'), guest.virq]).toEqual([
      0n,
      0x1020n,
      0xen,
      true,
    ]);
    expect([guest.read('IAR1'), guest.ich('AP1R0'), guest.read('RPR')]).toEqual([40, 0x10_0000n, 0xa0]);
    guest.setIch('LR1', 0x5020_0000_0000_0029n);
    expect([guest.virq, guest.read('IAR1'), guest.ich('AP1R0')]).toEqual([true, 41, 0x10_0010n]);
    guest.write('EOIR1', 41);
    expect(guest.ich('AP1R0')).toBe(0x10_0000n);
    guest.write('EOIR1', 50);
    expect([guest.ich('AP1R0'), guest.ich('HCR')]).toEqual([0n, 0x0800_0001n]);
  });

  test('recipes 27 and 28: HW=1 deactivates the physical PPI, EOI=1 asks for maintenance (section 8.9)', () => {
    const gic = new ReferenceGic({ cpus: 1, architecture: 'GICv4.0' });
    const guest = new Guest(gic);
    const sgi = gic.config.addressMap.gicr + PAGE;
    gic.write(sgi + 0x0300, 4, 1 << 20);
    guest.setIch('LR0', 0x70a0_0014_0000_0014n);
    guest.setIch('LR1', 0x5080_0200_0000_001bn);
    for (const intid of [0x1b, 0x14]) {
      expect(guest.read('IAR1')).toBe(intid);
      guest.write('EOIR1', intid);
    }
    expect(gic.read(sgi + 0x0300, 4)).toBe(0);
    expect([guest.ich('EISR'), guest.ich('ELRSR'), guest.ich('MISR')]).toEqual([2n, 0xdn, 1n]);
    expect(gic.virtualOutputs(0).maintenance).toBe(true);
    expect(gic.read(sgi + 0x0200, 4)).toBe(2 ** 25);
  });
});

describe('reference model, GICv4', () => {
  test('recipes 15 to 19: doorbell, residency, PendingLast (section 7)', () => {
    const { gic, driver, guest, vpt, vpendbaser } = startVpe('GICv4.0');
    expect([gic.sendMsi(DEVICE, 0), gic.sendMsi(DEVICE, 0)]).toEqual(['pending', 'coalesced']);
    expect(gic.read(vpt + (VLPI >> 3), 1)).toBe(2);
    expect([driver.takeAll(0), guest.virq]).toEqual([[DOORBELL], false]);
    gic.write(vpendbaser, 8, VALID | BigInt(vpt));
    expect([guest.virq, guest.read('IAR1')]).toEqual([true, VLPI]);
    guest.write('EOIR1', VLPI);
    gic.write(vpendbaser, 8, BigInt(vpt));
    expect(gic.read(vpendbaser, 8)).toBe(BigInt(vpt));
    gic.write(vpendbaser, 8, VALID | BigInt(vpt));
    guest.write('PMR', 0);
    gic.sendMsi(DEVICE, 0);
    gic.write(vpendbaser, 8, BigInt(vpt));
    expect(gic.read(vpendbaser, 8)).toBe(BigInt(vpt) | (1n << 61n));
    expect(driver.takeAll(0)).toEqual([]);
  });

  test('recipes 24 to 26: a default doorbell for each request, virtual SGIs (section 7.6)', () => {
    const { gic, driver, guest, vpendbaser } = startVpe('GICv4.1');
    const load = VALID | (3n << 58n) | BigInt(VPE);
    gic.write(vpendbaser, 8, load);
    gic.write(vpendbaser, 8, (1n << 61n) | BigInt(VPE));
    gic.sendMsi(DEVICE, 0);
    expect(driver.takeAll(0)).toEqual([]);
    gic.write(vpendbaser, 8, load);
    expect(guest.read('IAR1')).toBe(VLPI);
    guest.write('EOIR1', VLPI);
    gic.write(vpendbaser, 8, (1n << 62n) | BigInt(VPE));
    gic.sendMsi(DEVICE, 0);
    gic.sendMsi(DEVICE, 0);
    expect(driver.takeAll(0)).toEqual([DOORBELL]);
    gic.write(vpendbaser, 8, load);
    driver.command([0x0000_0005_0040_0523n, BigInt(VPE) << 32n, 0n, 0n]);
    gic.write(driver.gits(0x2_0020), 8, (BigInt(VPE) << 32n) | 5n);
    expect([gic.virtualOutputs(0).winner, guest.read('IAR1'), guest.read('RPR')]).toEqual(['vsgi', 5, 0x40]);
  });
});
