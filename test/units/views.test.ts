import { describe, expect, it } from 'vitest';
import { Counter } from '../../bindings/index.ts';
import { DEVICE, EVENT, startMappedVpe, VINTID } from '../support/vpe_driver.ts';

describe('views of the engine’s memory, which follow it without a copy', () => {
  it('its(n).vpePendingTable: the virtual pending table of a vPE', async () => {
    const driver = await startMappedVpe();
    const table = driver.machine.its(0).vpePendingTable(driver.vpe.id);
    expect(table).toHaveLength(8192);
    driver.machine.sendMsi(DEVICE, EVENT);
    expect(((table[VINTID >> 3] as number) >> (VINTID & 7)) & 1).toBe(1);
  });

  it('its(n).vpePendingTable is empty for a vPE that is not mapped', async () => {
    const driver = await startMappedVpe();
    expect(driver.machine.its(0).vpePendingTable(driver.vpe.id + 1)).toHaveLength(0);
  });

  it('counterWords: the counters by number, as counters() has them by name', async () => {
    const { machine } = await startMappedVpe();
    const words = machine.counterWords;
    const before = words[Counter.VLPIS_WAITING] as bigint;
    machine.sendMsi(DEVICE, EVENT);
    expect((words[Counter.VLPIS_WAITING] as bigint) - before).toBe(1n);
    expect(Number(words[Counter.COMMANDS])).toBe(machine.counters().commands);
  });
});
