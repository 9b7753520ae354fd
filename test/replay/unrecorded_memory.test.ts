import { describe, expect, it } from 'vitest';
import { replayFile } from '../../bindings/replay/replay.ts';
import type { ReplayReport } from '../../bindings/replay/report.ts';
import { temporaryFile } from './temporary_file.ts';

const gicr = (offset: string, data: string, size = 8): string =>
  `gicv3_redist_write GICv3 redistributor 0x0 write: offset ${offset} data ${data} size ${size} secure 0`;
const gits = (offset: string, data: string, size = 8): string =>
  `gicv3_its_write GICv3 ITS write: offset ${offset} data ${data} size ${size}`;
const icc = (register: string, event: string, value: string): string =>
  `gicv3_icc_${event} GICv3 ${register} cpu 0x0 value ${value}`;
const command = (slot: number, name: string, operands = ''): string[] => [
  `gicv3_its_process_command GICv3 ITS: processing command at offset 0x${slot.toString(16)}: 0x0`,
  `gicv3_its_cmd_${name} GICv3 ITS: command ${name.toUpperCase()} ${operands}`.trimEnd(),
];
const pending = (intid: number, priority: number): string =>
  `gicv3_cpuif_update GICv3 CPU i/f 0x0 HPPI update: irq ${intid} group 2 prio ${priority}`;
const wires = (irq: 0 | 1): string =>
  `gicv3_cpuif_set_irqs GICv3 CPU i/f 0x0 HPPI update: setting FIQ 0 IRQ ${irq}`;
const read = 'gicv3_dist_read GICv3 distributor read: offset 0x0 data 0x52 size 4 secure 0';
const msi =
  'gicv3_its_translation_write GICv3 ITS TRANSLATER write: offset 0x40 data 0x0 size 4 requester_id 0x8';

/** A driver sets the GIC up: a two-level device table, one device with one event, LPI 8192 at PE 0. */
const setUp = [
  'gicv3_dist_write GICv3 distributor write: offset 0x0 data 0x2 size 4 secure 0',
  gicr('0x14', '0x0', 4),
  gicr('0x70', '0x4400000f'),
  gicr('0x78', '0x44100000'),
  gicr('0x0', '0x1', 4),
  icc('ICC_PMR', 'pmr_write', '0xf0').replace('ICC_PMR', 'ICC_PMR write'),
  icc('ICC_IGRPEN1', 'igrpen_write', '0x1').replace('ICC_IGRPEN1', 'ICC_IGRPEN1 write'),
  gits('0x100', '0xc107000044200200'),
  gits('0x108', '0x8407000044210200'),
  gits('0x80', '0x800000004422000f'),
  gits('0x0', '0x1', 4),
  ...command(0, 'mapc', 'ICID 0x0 RDbase 0x0 V 1'),
  ...command(1, 'mapd', 'DeviceID 0x8 Size 0x2 ITT_addr 0x442300 V 1'),
  ...command(2, 'mapti', 'DeviceID 0x8 EventID 0x0 ICID 0x0 pINTID 0x2000'),
  gits('0x88', '0x60'),
];
const taken = [
  ...[pending(0, 255), wires(0), 'gicv3_icc_iar1_read GICv3 ICC_IAR1 read cpu 0x0 value 0x2000'],
  'gicv3_icc_eoir_write GICv3 ICC_EOIR1 write cpu 0x0 value 0x2000',
];

async function replayLog(...lines: string[]): Promise<ReplayReport> {
  return replayFile(temporaryFile('qemu.log', `${[...setUp, ...lines].join('\n')}\n`));
}

describe('a raw log, which lacks memory contents', () => {
  it('has level 1 entries and LPI configuration supplied', async () => {
    const report = await replayLog(msi, pending(8192, 160), wires(1), ...taken, read);
    expect(report.firstMismatches).toEqual([]);
    expect(report.skipped).toMatchObject({ 'level-1-entry': 1, 'property-table': 1, 'command-bytes': 3 });
    expect(report.checkedByKind).toMatchObject({ pending: 2, wires: 2, acknowledge: 1 });
    expect(report.commands).toEqual({ MAPC: 1, MAPD: 1, MAPTI: 1 });
  });

  it('shows that an LPI is disabled, and later that it is enabled with another priority', async () => {
    const report = await replayLog(
      msi,
      read,
      ...command(3, 'inv', 'DeviceID 0x8 EventID 0x0'),
      pending(8192, 0x80),
      wires(1),
      gits('0x88', '0x80'),
      ...taken,
      msi,
      pending(8192, 0x80),
      wires(1),
      read,
    );
    expect(report.firstMismatches).toEqual([]);
    expect(report.skipped['lpi-configuration']).toBe(4);
  });

  it('blames the model where a result contradicts what an earlier one has shown', async () => {
    const report = await replayLog(msi, pending(8192, 160), wires(1), ...taken, msi, read);
    expect(report.mismatches).toBe(2);
    const line = setUp.length + 3 + taken.length + 1;
    expect(report.firstMismatches[0]).toMatchObject({ kind: 'pending', expected: 'no change', line });
    expect(report.skipped['lpi-configuration']).toBeUndefined();
  });

  it('takes the operands of SYNC and INVALL as zero', async () => {
    const report = await replayLog(
      ...command(3, 'invall'),
      ...command(4, 'sync'),
      gits('0x88', '0xa0'),
      read,
    );
    expect(report.mismatches).toBe(0);
    expect(report.skipped['untold-operands']).toBe(2);
  });

  it('passes on a command that QEMU does not know', async () => {
    const creadr = 'gicv3_its_read GICv3 ITS read: offset 0x90 data 0x80 size 8';
    const report = await replayLog(...command(3, 'unknown', '0x7f'), gits('0x88', '0x80'), creadr);
    expect(report.mismatches).toBe(0);
    expect(report.commands.UNKNOWN).toBe(1);
  });
});
