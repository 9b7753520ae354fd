import { describe, expect, it } from 'vitest';
import { DEVICE, DOORBELL, EVENT, VINTID, virtualCommands } from '../support/vpe_driver.ts';
import { startMapped41 } from '../support/vpe41_driver.ts';

const OWN = DOORBELL + 1;
/** 0x01_CC_EE with this model's own reason for a doorbell (section 6.1). */
const doorbellError = (command: number): number => 0x01_0013 | (command << 8);

describe('7.6 doorbells of single events (GITS_TYPER.nID=0)', () => {
  it('7.6 an event that has one rings it, whether a default doorbell was requested or not', async () => {
    const driver = await startMapped41();
    driver.vmapti(DEVICE, 6, driver.vpe, VINTID + 1, OWN);
    driver.machine.sendMsi(DEVICE, 6);
    expect(driver.takeAll(0)).toEqual([OWN]);
    driver.clear(DEVICE, 6);
    driver.load(0, driver.vpe);
    driver.put(0, { doorbell: true });
    driver.machine.sendMsi(DEVICE, 6);
    expect(driver.takeAll(0)).toEqual([DOORBELL, OWN]);
  });

  it('7.6 not while the vPE is resident, on whatever PE of its group', async () => {
    const driver = await startMapped41();
    driver.vmapti(DEVICE, 6, driver.vpe, VINTID + 1, OWN);
    driver.load(3, driver.vpe);
    driver.machine.sendMsi(DEVICE, 6);
    expect(driver.takeAll(0)).toEqual([]);
    expect(driver.guestTakeAll(3)).toEqual([VINTID + 1]);
  });

  it('6.18 VMOVI with D=1 sets one, or 1023 for none', async () => {
    const driver = await startMapped41();
    driver.vmovi(DEVICE, EVENT, driver.vpe, OWN);
    driver.machine.sendMsi(DEVICE, EVENT);
    expect(driver.takeAll(0)).toEqual([OWN]);
    driver.clear(DEVICE, EVENT);
    driver.vmovi(DEVICE, EVENT, driver.vpe, 1023);
    driver.machine.sendMsi(DEVICE, EVENT);
    expect(driver.takeAll(0)).toEqual([]);
  });
});

describe('6.16 to 6.18 doorbells of single events where they are not supported (nID=1)', () => {
  const { vmapti, vmapi, vmovi } = virtualCommands;

  it.each([
    ['VMAPTI', 0x2a, vmapti(DEVICE, 6, 7, VINTID + 1, OWN)],
    ['VMAPI', 0x2b, vmapi(0x11, 8200, 7, OWN)],
    ['VMOVI', 0x21, vmovi(DEVICE, EVENT, 7, OWN)],
  ] as const)('%s with a doorbell is an error that changes nothing', async (_, command, words) => {
    const driver = await startMapped41({ individualDoorbells: false });
    driver.mapd(0x11, 14);
    expect(driver.errors([words])).toBe(1);
    expect(driver.diagnosed().map(({ code, operands }) => [code, operands.error])).toEqual([
      ['COMMAND_ERROR', doorbellError(command)],
    ]);
    expect(driver.machine.interruptEntry(0, DEVICE, 6)).toBeUndefined();
    expect(driver.machine.interruptEntry(0, 0x11, 8200)).toBeUndefined();
    expect(driver.machine.interruptEntry(0, DEVICE, EVENT)).toMatchObject({ doorbell: 1023 });
  });

  it('1023 is in order, and the default doorbell still rings', async () => {
    const driver = await startMapped41({ individualDoorbells: false });
    driver.mapd(0x11, 14);
    const accepted = [
      vmapti(DEVICE, 6, 7, VINTID + 1, 1023),
      vmapi(0x11, 8200, 7, 1023),
      vmovi(DEVICE, EVENT, 7, 1023),
      vmovi(DEVICE, EVENT, 7),
    ];
    expect(driver.errors(accepted)).toBe(0);
    driver.load(0, driver.vpe);
    driver.put(0, { doorbell: true });
    driver.machine.sendMsi(DEVICE, 6);
    expect(driver.takeAll(0)).toEqual([DOORBELL]);
  });
});
