import { describe, expect, it } from 'vitest';
import { GicError } from '../../bindings/errors.ts';
import type { CaptureEvent } from '../../bindings/replay/events.ts';
import { QemuLogParser } from '../../bindings/replay/qemu_log.ts';

function parse(...lines: string[]): { events: CaptureEvent[]; skipped: Record<string, number> } {
  const parser = new QemuLogParser('qemu.log');
  const events: CaptureEvent[] = [];
  parser.parse(Buffer.from(`${lines.join('\n')}\n`), (event) => events.push(event));
  return { events, skipped: Object.fromEntries(parser.skipped) };
}

function one(line: string): CaptureEvent | undefined {
  return parse(line).events[0];
}

const stamp = '26250@1795247412.042237:';

describe('QemuLogParser', () => {
  it.each([
    [
      'gicv3_dist_read GICv3 distributor read: offset 0xffe8 data 0x3b size 4 secure 0',
      { kind: 'register-read', block: 'GICD', cpu: -1, offset: 0xffe8, size: 4, value: 0x3b },
    ],
    [
      'gicv3_dist_write GICv3 distributor write: offset 0x84 data 0xffffffff size 4 secure 0',
      { kind: 'register-write', block: 'GICD', offset: 0x84, value: 0xffff_ffff },
    ],
    [
      'gicv3_dist_badread GICv3 distributor read: offset 0xc size 4 secure 0: error',
      { kind: 'refused-read', block: 'GICD', offset: 0xc, size: 4 },
    ],
    [
      'gicv3_dist_badwrite GICv3 distributor write: offset 0xc data 0x1 size 4 secure 0: error',
      { kind: 'refused-write', block: 'GICD', offset: 0xc, size: 4, value: 1 },
    ],
    [
      'gicv3_redist_read GICv3 redistributor 0x3 read: offset 0x8 data 0x301000311 size 8 secure 0',
      { kind: 'register-read', block: 'GICR', cpu: 3, offset: 8, size: 8, value: 0x3_0100_0311 },
    ],
    [
      'gicv3_redist_write GICv3 redistributor 0x102 write: offset 0x14 data 0x0 size 4 secure 0',
      { kind: 'register-write', block: 'GICR', cpu: 18, offset: 0x14 },
    ],
    [
      'gicv3_its_write GICv3 ITS write: offset 0x100 data 0xf9070000425a0600 size 8',
      { kind: 'register-write', block: 'GITS', size: 8, value: 0xf907_0000_425a_0600n },
    ],
    [
      'gicv3_its_badwrite GICv3 ITS write: offset 0x8 data 0xffffffff size 4: error',
      { kind: 'refused-write', block: 'GITS', offset: 8, size: 4 },
    ],
    [
      'gicv3_its_translation_write GICv3 ITS TRANSLATER write: offset 0x40 data 0x4 size 4 requester_id 0x10',
      { kind: 'msi', deviceId: 0x10, eventId: 4 },
    ],
    [
      'gicv3_dist_set_irq GICv3 distributor interrupt 79 level changed to 1',
      { kind: 'spi-line', intid: 79, level: true },
    ],
    [
      'gicv3_redist_set_irq GICv3 redistributor 0x1 interrupt 27 level changed to 0',
      { kind: 'ppi-line', cpu: 1, intid: 27, level: false },
    ],
    [
      'gicv3_redist_send_sgi GICv3 redistributor 0x2 pending SGI 1',
      { kind: 'sgi-arrival', cpu: 2, intid: 1 },
    ],
    [
      'gicv3_icc_generate_sgi GICv3 CPU i/f 0x1 generating SGI 1 IRM 0 target affinity 0x0xx targetlist 0xe',
      { kind: 'sgi-request', cpu: 1, intid: 1, allOthers: false, cluster: 0, targetList: 0xe },
    ],
    [
      'gicv3_icc_generate_sgi GICv3 CPU i/f 0x0 generating SGI 5 IRM 1 target affinity 0x1xx targetlist 0x3',
      { kind: 'sgi-request', intid: 5, allOthers: true, cluster: 1, targetList: 3 },
    ],
    [
      'gicv3_icc_iar1_read GICv3 ICC_IAR1 read cpu 0x0 value 0x1b',
      { kind: 'acknowledge', interface: 'ICC', register: 'ICC_IAR1_EL1', value: 27 },
    ],
    [
      'gicv3_icc_eoir_write GICv3 ICC_EOIR1 write cpu 0x0 value 0x1b',
      { kind: 'system-write', register: 'ICC_EOIR1_EL1', value: 27 },
    ],
    [
      'gicv3_icc_ap_write GICv3 ICC_AP1R0 write cpu 0x2 value 0x0',
      { kind: 'system-write', cpu: 2, register: 'ICC_AP1R0_EL1' },
    ],
    [
      'gicv3_icc_ctlr_read GICv3 ICC_CTLR read cpu 0x0 value 0x8c00',
      { kind: 'system-read', register: 'ICC_CTLR_EL1', value: 0x8c00 },
    ],
    [
      'gicv3_icc_hppir1_read GICv3 ICC_HPPIR1 read cpu 0x0 value 0x1b',
      { kind: 'system-read', register: 'ICC_HPPIR1_EL1' },
    ],
    [
      'gicv3_ich_lr_write GICv3 ICH_LR0_EL2 write cpu 0x1 value 0x70a0001b0000001b',
      { kind: 'system-write', interface: 'ICH', register: 'ICH_LR0_EL2', value: 0x70a0_001b_0000_001bn },
    ],
    [
      'gicv3_icv_iar_read GICv3 ICV_IAR1 read cpu 0x1 value 0x2004',
      { kind: 'acknowledge', interface: 'ICV', register: 'ICV_IAR1_EL1' },
    ],
    [
      'gicv3_its_ite_write GICv3 ITS: Interrupt Table write for ITTaddr 0x48513c00 EventID 0x1: valid 1 inttype 1 intid 0x2001 ICID 0x0 vPEID 0x0 doorbell 0x3ff',
      {
        kind: 'table-write',
        table: 'interrupt',
        fields: { ITTaddr: 0x4851_3c00, EventID: 1, intid: 0x2001 },
      },
    ],
    [
      'gicv3_cpuif_update GICv3 CPU i/f 0x1 HPPI update: irq 27 group 2 prio 160',
      { kind: 'pending', cpu: 1, intid: 27, group: 1, priority: 160 },
    ],
    [
      'gicv3_cpuif_set_irqs GICv3 CPU i/f 0x1 HPPI update: setting FIQ 0 IRQ 1',
      { kind: 'wires', cpu: 1, fiq: false, irq: true },
    ],
    [
      'gicv3_cpuif_virt_update GICv3 CPU i/f 0x0 virt HPPI update LR index -1 HPPVLPI 0 grp 0 prio 255',
      { kind: 'virtual-pending', cpu: 0, winner: -1, priority: 255 },
    ],
    [
      'gicv3_cpuif_virt_set_maint_irq GICv3 CPU i/f 0x0 virt HPPI update: setting maintenance-irq 1',
      { kind: 'maintenance', cpu: 0, level: true },
    ],
  ])('%s', (text, expected) => {
    expect(one(stamp + text)).toMatchObject(expected);
    expect(one(text)).toMatchObject(expected);
  });

  it('tells the command by the name of its event, not by its text, at the slot of the line before', () => {
    const { events } = parse(
      `${stamp}gicv3_its_process_command GICv3 ITS: processing command at offset 0x3: 0x2a`,
      `${stamp}gicv3_its_cmd_vmapti GICv3 ITS: command VMAPI DeviceID 0x8 EventID 0x1 vPEID 0x2 vINTID 0x2004 Dbell_pINTID 0x3ff`,
    );
    expect(events).toMatchObject([
      {
        kind: 'command',
        name: 'VMAPTI',
        offset: 0x60,
        raw: undefined,
        line: 2,
        fields: { DeviceID: 8, EventID: 1, vPEID: 2, vINTID: 0x2004, Dbell_pINTID: 0x3ff },
      },
    ]);
  });

  it('reads a command without operands', () => {
    const { events } = parse(
      `${stamp}gicv3_its_process_command GICv3 ITS: processing command at offset 0x1: 0x5`,
      `${stamp}gicv3_its_cmd_sync GICv3 ITS: command SYNC`,
    );
    expect(events).toMatchObject([{ name: 'SYNC', offset: 0x20, fields: {} }]);
  });

  it('counts commands that this version of QEMU does not tell', () => {
    const slot = (n: number): string =>
      `${stamp}gicv3_its_process_command GICv3 ITS: processing command at offset 0x${n}: 0x5`;
    expect(parse(slot(0), slot(1), slot(2)).skipped).toEqual({ 'command-not-told': 2 });
  });

  it('takes time from the stamps, in nanoseconds from the first one', () => {
    const { events } = parse(
      '1@10.999999:gicv3_dist_set_irq GICv3 distributor interrupt 36 level changed to 1',
      '1@11.000001:gicv3_dist_set_irq GICv3 distributor interrupt 36 level changed to 0',
    );
    expect(events.map(({ time }) => time)).toEqual([0, 2000]);
  });

  it('makes changes of evaluations, for each PE', () => {
    const pending = (cpu: number, irq: number, prio: number): string =>
      `${stamp}gicv3_cpuif_update GICv3 CPU i/f 0x${cpu} HPPI update: irq ${irq} group 2 prio ${prio}`;
    const { events, skipped } = parse(
      pending(0, 0, 255),
      pending(1, 0, 255),
      pending(0, 27, 160),
      pending(0, 27, 160),
      pending(0, 27, 255),
      pending(0, 30, 255),
      pending(1, 0, 255),
    );
    expect(events.map(({ line }) => line)).toEqual([1, 2, 3, 5]);
    expect(skipped).toEqual({ 'unchanged-result': 3 });
  });

  it('counts what is no event of a GIC, and keeps messages', () => {
    const { events, skipped } = parse(
      'PLUG st cpu=0 name=cmdq pa=0x42590000 size=8 val=0x0',
      `${stamp}virtio_notify vdev 0x55 vq 0x66`,
      `${stamp}gicv3_icc_nmiar1_read GICv3 ICC_NMIAR1 read cpu 0x0 value 0x1`,
      `${stamp}gicv3_its_dte_read GICv3 ITS: Device Table read for DeviceID 0x10: valid 1 size 0x2 ITTaddr 0x48513c00`,
      `${stamp}gicv3_something_new GICv3 number 1`,
      'gicv3_dist_read: invalid guest read at offset 000000000000000c size 4',
    );
    expect(skipped).toEqual({
      'plugin-line': 1,
      'other-device': 1,
      'table-look-up': 1,
      'unknown-gic-event': 1,
    });
    expect(events).toMatchObject([
      { kind: 'system-read', register: 'ICC_NMIAR1_EL1' },
      { kind: 'message', text: 'gicv3_dist_read: invalid guest read at offset 000000000000000c size 4' },
    ]);
  });

  it.each([
    'gicv3_dist_read GICv3 distributor read: offset',
    'gicv3_dist_write GICv3 distributor write: offset 0x0 data 0x0 size 3 secure 0',
    'gicv3_redist_read GICv3 redistributor',
    'gicv3_cpuif_update GICv3 CPU i/f 0x1 HPPI update: irq',
    'gicv3_icc_pmr_write GICv3 cpu 0x0',
    'gicv3_its_cmd_inv GICv3 ITS: command INV DeviceID 0x10 EventID 0x0',
  ])('refuses "%s", naming file and line', (text) => {
    let error: unknown;
    try {
      parse('PLUG first', stamp + text);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(GicError);
    expect(error).toMatchObject({ code: 'INVALID_INPUT', field: 'qemu.log:2' });
  });
});
