import { describe, expect, it } from 'vitest';
import type { MachineOptions } from '../../bindings/index.ts';
import type { CommandDoublewords } from '../support/driver.ts';
import { DEVICE, DOORBELL, EVENT, virtualCommands } from '../support/vpe_driver.ts';
import { commands41, startMapped41, TWO_GROUPS, type Vpe41 } from '../support/vpe41_driver.ts';

type Mapped = Awaited<ReturnType<typeof startMapped41>>;

/** Reasons of errors 0x01_CC_EE: those of vPEs are this model's own (section 6.1). */
const SIZE_OUT_OF_RANGE = 0x02;
const VPE_OUT_OF_RANGE = 0x11;
const VPE_UNMAPPED = 0x12;
const DOORBELL_OUT_OF_RANGE = 0x13;

const VMAPP = 0x29;
const VMOVP = 0x22;
const VSGI = 0x23;
const INVDB = 0x2e;

/** The table has room for 2048 vPEIDs. */
const TOO_HIGH = 2048;
/** With GITS_TYPER.PTA=0, a processor number that no PE has. */
const NO_RDBASE = 0x7f_0000n;
const enabled = { enable: true, group: 1, priority: 0xa0 };

/** What must not change: the mapping, the doorbell, the vSGIs. */
function state(driver: Mapped): unknown {
  const { vpe } = driver;
  const table = driver.groupTableAddress(0);
  return {
    entries: [7, 8].map((id) => driver.machine.vpeEntry(0, id)),
    table: [...driver.machine.readMemory(table, 0x200)],
    vsgis: driver.pendingVsgis(0, vpe),
    pending: driver.pendingVlpis(vpe),
  };
}

async function expectError(
  make: (driver: Mapped) => CommandDoublewords,
  error: number,
  options: MachineOptions = {},
): Promise<void> {
  const driver = await startMapped41(options);
  driver.sendVsgi(driver.vpe, 4);
  driver.machine.sendMsi(DEVICE, EVENT);
  const before = state(driver);
  expect(driver.errors([make(driver)])).toBe(1);
  expect(driver.diagnosed().map(({ code, operands }) => [code, operands.error])).toEqual([
    ['COMMAND_ERROR', error],
  ]);
  expect(state(driver)).toEqual(before);
  expect(driver.readPointer().stalled).toBe(false);
}

const code = (command: number, reason: number): number => 0x01_0000 | (command << 8) | reason;
const other = (driver: Mapped, fields: Partial<Vpe41> = {}): Vpe41 => ({ ...driver.vpe, id: 8, ...fields });

describe('6.15 VMAPP (GICv4.1)', () => {
  it.each([
    ["vPEID beyond the ITS's table", (d: Mapped) => d.vmapp41(other(d, { id: TOO_HIGH })), VPE_OUT_OF_RANGE],
    ['vPEID beyond the table, V=0', () => commands41.unmap(TOO_HIGH, true), VPE_OUT_OF_RANGE],
    [
      'RDbase that no redistributor has',
      (d: Mapped) => commands41.vmapp(other(d), NO_RDBASE),
      SIZE_OUT_OF_RANGE,
    ],
    [
      'VPT_size beyond GICD_TYPER.IDbits',
      (d: Mapped) => d.vmapp41(other(d, { size: 16 })),
      SIZE_OUT_OF_RANGE,
    ],
    [
      'Default_Doorbell no LPI: 0',
      (d: Mapped) => d.vmapp41(other(d, { doorbell: 0 })),
      DOORBELL_OUT_OF_RANGE,
    ],
    [
      'Default_Doorbell no LPI: 8191',
      (d: Mapped) => d.vmapp41(other(d, { doorbell: 8191 })),
      DOORBELL_OUT_OF_RANGE,
    ],
    [
      'Default_Doorbell too wide',
      (d: Mapped) => d.vmapp41(other(d, { doorbell: 65536 })),
      DOORBELL_OUT_OF_RANGE,
    ],
  ] as const)('6.15 %s', async (_, make, reason) => {
    await expectError(make, code(VMAPP, reason));
  });

  it('6.15 vPEID wider than GICD_TYPER2 says', async () => {
    await expectError((d) => d.vmapp41(other(d, { id: 0x100 })), code(VMAPP, VPE_OUT_OF_RANGE), {
      vpeIdBits: 8,
    });
  });

  it("6.15 vPEID for which the redistributor's table has no room", async () => {
    const driver = await startMapped41({ sharedVpeTable: 0 });
    driver.setVpropbaser(3, 0n);
    expect(driver.errors([driver.vmapp41(other(driver), { cpu: 3 })])).toBe(1);
    expect(driver.diagnosed().map(({ operands }) => operands.error)).toEqual([code(VMAPP, VPE_OUT_OF_RANGE)]);
    expect(driver.machine.vpeEntry(0, 8)).toBeUndefined();
  });

  it('6.15 the highest vPEID and the largest VPT_size are in order', async () => {
    const driver = await startMapped41();
    expect(
      driver.errors([driver.vmapp41(other(driver, { id: TOO_HIGH - 1, size: 15, doorbell: 65535 }))]),
    ).toBe(0);
  });
});

describe('6.19 VMOVP (GICv4.1)', () => {
  it.each([
    ['vPEID out of range', commands41.vmovp(TOO_HIGH, 0n), VPE_OUT_OF_RANGE],
    ['vPE not mapped', commands41.vmovp(8, 0n), VPE_UNMAPPED],
    ['RDbase that no redistributor has', commands41.vmovp(7, NO_RDBASE), SIZE_OUT_OF_RANGE],
    ['DB=1 with a doorbell that is no LPI', commands41.vmovp(7, 0x1_0000n, 8191), DOORBELL_OUT_OF_RANGE],
    ['DB=1 with a doorbell too wide', commands41.vmovp(7, 0x1_0000n, 65536), DOORBELL_OUT_OF_RANGE],
  ] as const)('6.19 %s', async (_, words, reason) => {
    await expectError(() => words, code(VMOVP, reason));
  });

  it('6.19 to a group whose table has no room', async () => {
    const driver = await startMapped41(TWO_GROUPS);
    driver.setVpropbaser(2, 0n);
    expect(driver.errors([commands41.vmovp(7, driver.rdbase(2), 9001)])).toBe(1);
    expect(driver.diagnosed().map(({ operands }) => operands.error)).toEqual([code(VMOVP, VPE_OUT_OF_RANGE)]);
    driver.load(0, driver.vpe);
    driver.put(0, { doorbell: true });
    driver.machine.sendMsi(DEVICE, EVENT);
    expect(driver.takeAll(0)).toEqual([DOORBELL]);
  });
});

describe('6.20 to 6.23 commands for one vPE', () => {
  it.each([
    ['VSGI', VSGI, (id: number) => commands41.vsgi(id, 5, enabled)],
    ['VSGI with Clear', VSGI, (id: number) => commands41.clearVsgi(id, 5)],
    ['INVDB', INVDB, (id: number) => commands41.invdb(id)],
    ['VINVALL', 0x2d, (id: number) => virtualCommands.vinvall(id)],
    ['VSYNC', 0x25, (id: number) => virtualCommands.vsync(id)],
  ] as const)('%s: vPEID out of range, vPE not mapped', async (_, command, make) => {
    await expectError(() => make(TOO_HIGH), code(command, VPE_OUT_OF_RANGE));
    await expectError(() => make(8), code(command, VPE_UNMAPPED));
  });

  it('6.22 VSGI and INVDB of a vPE that another ITS only has mapped', async () => {
    const driver = await startMapped41({ itsCount: 2 });
    expect(driver.errors([commands41.vsgi(7, 5, enabled), commands41.invdb(7)], 1)).toBe(2);
    expect(driver.errors([commands41.vsgi(7, 5, enabled), commands41.invdb(7)], 0)).toBe(0);
  });

  it('6.22 VSGI is an unknown command where virtual SGIs are left out', async () => {
    const driver = await startMapped41({ virtualSgis: false });
    expect(driver.errors([commands41.vsgi(7, 5, enabled)])).toBe(1);
    expect(driver.codes()).toEqual(['UNKNOWN_COMMAND']);
  });

  it('6.22, 6.23 VSGI and INVDB are unknown commands in GICv4.0', async () => {
    const driver = await startMapped41({ architecture: 'GICv4.0' });
    driver.diagnosed();
    expect(driver.errors([commands41.vsgi(7, 5, enabled), commands41.invdb(7)])).toBe(2);
    expect(driver.codes()).toEqual(['UNKNOWN_COMMAND', 'UNKNOWN_COMMAND']);
  });
});

describe('5.13 the policies of command errors hold for GICv4.1 too', () => {
  it('stall: the queue stops at the command and goes on when it is replaced', async () => {
    const driver = await startMapped41({ policy: { commandError: 'stall' } });
    const bad = driver.readPointer().offset;
    driver.queue(commands41.invdb(8));
    driver.queue(commands41.vsgi(7, 5, enabled));
    driver.ring();
    expect(driver.readPointer()).toEqual({ offset: bad, stalled: true });
    driver.storeCommand(bad, commands41.invdb(7));
    driver.ring(0, { retry: true });
    expect(driver.readPointer()).toEqual({ offset: bad + 64, stalled: false });
    driver.load(0, driver.vpe);
    driver.sendVsgi(driver.vpe, 5);
    expect(driver.virq(0)).toBe(true);
  });

  it('a table outside RAM is a fault, which stalls by default', async () => {
    const driver = await startMapped41({ sharedVpeTable: 0 });
    driver.setVpropbaser(3, (1n << 63n) | (2n << 53n) | 0xf_0000_0000n);
    driver.diagnosed();
    driver.command(driver.vmapp41(other(driver), { cpu: 3 }));
    expect(driver.codes()).toEqual(['TABLE_FAULT', 'QUEUE_STALLED']);
    driver.ring(0, { retry: true });
    expect(driver.readPointer().stalled).toBe(true);
  });
});
