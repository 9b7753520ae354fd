import { beforeEach, describe, expect, it } from 'vitest';
import { createMachine, diagnosticTable, type Machine } from '../../bindings/index.ts';
import { Driver } from '../support/driver.ts';
import { VPE_RAM } from '../support/vpe_driver.ts';

const CPUS = 40;
const RESERVED = 0x0f04_0000;

let machine: Machine;
let driver: Driver;

/** Device 1 whose event n is LPI 8192 + n at PE n, everything on. */
beforeEach(async () => {
  machine = await createMachine({ cpus: CPUS, ram: { ...VPE_RAM, size: 0x80_0000 } });
  driver = new Driver(machine, machine.config).start();
  driver.mapd(1, 6);
  for (let cpu = 0; cpu < CPUS; cpu++) {
    driver.setConfig(8192 + cpu, 0xa0, true);
    driver.mapc(cpu, cpu);
    driver.mapti(1, cpu, 8192 + cpu, cpu);
  }
  machine.takeChangedCpus();
  machine.takeDiagnostics();
});

describe('takeChangedCpus', () => {
  it('names none of a new machine', async () => {
    expect((await createMachine({ cpus: CPUS })).takeChangedCpus()).toEqual([]);
  });

  it('names the PEs whose outputs changed, once, in ascending order', () => {
    for (const cpu of [39, 3, 32, 31]) machine.sendMsi(1, cpu);
    expect(machine.takeChangedCpus()).toEqual([3, 31, 32, 39]);
    expect(machine.takeChangedCpus()).toEqual([]);
  });

  it('leaves out PEs where nothing changed: an interrupt that is no better, one that coalesces', () => {
    machine.sendMsi(1, 3);
    machine.takeChangedCpus();
    machine.sendMsi(1, 3);
    driver.setConfig(9000, 0xf0, true);
    driver.mapti(1, 60, 9000, 3);
    machine.sendMsi(1, 60);
    expect(driver.isPending(3, 9000)).toBe(true);
    expect(machine.takeChangedCpus()).toEqual([]);
  });

  it('tells of an acknowledge, a mask and a disabled group', () => {
    machine.sendMsi(1, 3);
    machine.takeChangedCpus();
    driver.mask(3);
    expect([machine.takeChangedCpus(), machine.irq(3)]).toEqual([[3], false]);
    driver.unmask(3);
    driver.take(3);
    expect(machine.takeChangedCpus()).toEqual([3]);
    machine.sendMsi(1, 5);
    machine.takeChangedCpus();
    machine.write(driver.gicd(0), 4, 0);
    expect(machine.takeChangedCpus()).toEqual([5]);
  });

  it('tells of virtual outputs', () => {
    const pe = machine.cpu(7);
    pe.write('ICH_VMCR_EL2', 0xf84c_000bn);
    pe.write('ICH_HCR_EL2', 1);
    machine.takeChangedCpus();
    pe.write('ICH_LR0_EL2', 0x50a0_0000_0000_0028n);
    expect([machine.takeChangedCpus(), pe.virtual.virq]).toEqual([[7], true]);
  });
});

describe('takeDiagnostics', () => {
  it('tells what was diagnosed, with operands by name, text and section, oldest first', () => {
    machine.sendMsi(77, 5);
    machine.read(RESERVED, 4);
    const taken = machine.takeDiagnostics();
    expect(taken).toMatchObject([
      { code: 'MSI_DROPPED', unit: 0, operands: { deviceId: 77, eventId: 5 } },
      { code: 'UNMAPPED_ADDRESS', operands: { write: 0, addressLow: RESERVED, addressHigh: 0, size: 4 } },
    ]);
    for (const { code, text, spec } of taken) {
      expect({ text, spec }).toEqual({ text: diagnosticTable[code].text, spec: diagnosticTable[code].spec });
    }
    expect(taken[1]!.sequence - taken[0]!.sequence).toBe(1);
    expect(machine.takeDiagnostics()).toEqual([]);
  });

  it('keeps the newest 1024 of more; the numbers show the gap', () => {
    machine.read(RESERVED, 4);
    const first = machine.takeDiagnostics()[0]!.sequence;
    for (let n = 0; n < 1500; n++) machine.sendMsi(77, n);
    const taken = machine.takeDiagnostics();
    expect(taken).toHaveLength(1024);
    expect(taken[0]).toMatchObject({ sequence: first + 1 + 1500 - 1024, operands: { eventId: 1500 - 1024 } });
    expect(taken.at(-1)).toMatchObject({ sequence: first + 1500, operands: { eventId: 1499 } });
  });

  it('has a description of every code', () => {
    for (const { text, spec, operands } of Object.values(diagnosticTable)) {
      expect([text.length > 10, spec.length > 0, operands.length <= 4]).toEqual([true, true, true]);
    }
  });
});

describe('counters', () => {
  it('tell what happened, and add up', () => {
    const before = machine.counters();
    for (let n = 0; n < 5; n++) machine.sendMsi(1, 3);
    machine.sendMsi(1, 63);
    machine.sendMsi(2, 0);
    driver.int(1, 4);
    driver.int(1, 63);
    driver.take(3);
    machine.cpu(3).acknowledge();
    machine.write(driver.gicr(9, 0x0040), 8, 8195n);
    const { msi, int, setlpir, commands, commandErrors, acknowledged, spurious, priorityDrops } =
      machine.counters();
    expect(msi).toEqual({
      total: 7,
      pending: 1,
      coalesced: 4,
      dropped: { 'event-unmapped': 1, 'device-unmapped': 1 },
    });
    expect(int).toEqual({ total: 2, pending: 1, coalesced: 0, dropped: { 'event-unmapped': 1 } });
    expect(setlpir).toMatchObject({ total: 1, pending: 1 });
    expect([commands - before.commands, commandErrors - before.commandErrors]).toEqual([2, 1]);
    expect(acknowledged).toEqual({ sgi: 0, ppi: 0, spi: 0, lpi: 1 });
    expect([spurious, priorityDrops]).toEqual([1, 1]);
  });

  it('are a copy: what was taken before does not change', () => {
    const before = machine.counters();
    machine.sendMsi(1, 3);
    expect(before.msi.total).toBe(0);
    expect(machine.counters().msi.total).toBe(1);
  });
});

describe('views', () => {
  it('the pending table is a part of the RAM that is current without another call', () => {
    const { pendingTable } = machine.redistributor(3);
    expect(pendingTable.buffer).toBe(machine.memory.buffer);
    machine.sendMsi(1, 3);
    expect(pendingTable[8195 >> 3]).toBe(1 << (8195 & 7));
    driver.take(3);
    expect(pendingTable[8195 >> 3]).toBe(0);
  });

  it('list registers are a part of the memory too, and follow the guest', () => {
    const pe = machine.cpu(7);
    const { listRegisters } = pe;
    expect(listRegisters.buffer).toBe(machine.memory.buffer);
    pe.write('HCR_EL2', 0x18);
    pe.write('ICH_VMCR_EL2', 0xf84c_000bn);
    pe.write('ICH_HCR_EL2', 1);
    pe.write('ICH_LR0_EL2', 0x50a0_0000_0000_0028n);
    expect(listRegisters[0]).toBe(0x50a0_0000_0000_0028n);
    expect(pe.read('ICC_IAR1_EL1', 1)).toBe(40n);
    expect(listRegisters[0]).toBe(0x90a0_0000_0000_0028n);
    pe.write('ICC_EOIR1_EL1', 40, 1);
    expect(listRegisters[0]).toBe(0x10a0_0000_0000_0028n);
  });
});

describe('errors of the API leave everything unchanged', () => {
  it.each<[string, string, () => unknown]>([
    ['UNKNOWN_NAME', 'name', () => machine.cpu(0).read('ICC_FOO_EL1')],
    ['UNKNOWN_NAME', 'name', () => machine.cpu(0).write('GICD_CTLR', 1)],
    ['UNKNOWN_NAME', 'name', () => machine.its(0).write('GITS_NOTHING', 1)],
    ['UNKNOWN_NAME', 'name', () => machine.redistributor(0).read('ICC_PMR_EL1')],
    ['INVALID_ARGUMENT', 'value', () => machine.cpu(0).write('ICC_PMR_EL1', -1)],
    ['INVALID_ARGUMENT', 'value', () => machine.cpu(0).write('ICC_PMR_EL1', 2n ** 64n)],
    ['INVALID_ARGUMENT', 'value', () => machine.redistributor(0).write('GICR_CTLR', 2 ** 32)],
    ['INVALID_ARGUMENT', 'value', () => machine.its(0).write('GITS_CWRITER', -1n)],
    ['INVALID_ARGUMENT', 'cpu', () => machine.cpu(CPUS)],
    ['INVALID_ARGUMENT', 'cpu', () => machine.redistributor(-1)],
    ['INVALID_ARGUMENT', 'intid', () => machine.redistributor(0).setPpi(40, true)],
    ['INVALID_ARGUMENT', 'intid', () => machine.setSpi(8192, true)],
    ['INVALID_ARGUMENT', 'deviceId', () => machine.its(0).sendMsi(-1, 0)],
    ['INVALID_ARGUMENT', 'eventId', () => machine.its(0).sendMsi(0, 2 ** 32)],
    ['INVALID_ARGUMENT', 'address', () => machine.ram(0, 4)],
    ['INVALID_ARGUMENT', 'size', () => machine.read(0, 3 as 4)],
  ])('%s: %s (%s)', (code, field, call) => {
    machine.sendMsi(1, 3);
    machine.takeDiagnostics();
    machine.takeChangedCpus();
    const memory = new Uint8Array(machine.memory.buffer).slice();
    expect(call).toThrow(expect.objectContaining({ name: 'GicError', code, field }));
    expect(Buffer.compare(new Uint8Array(machine.memory.buffer), memory)).toBe(0);
  });
});
