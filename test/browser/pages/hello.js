// A machine with one LPI mapped, and its way to the PE: what a small driver does.
const RAM = 0x4000_0000;
const CONFIGURATION = RAM + 0x1_0000;
const PENDING = RAM + 0x2_0000;
const ITT = RAM + 0x6_0000;
const LPI = 8197;
const VALID = 1n << 63n;

export const options = { cpus: 2, ram: { base: RAM, size: 1 << 20 } };

/** Sets GIC and ITS up; DeviceID 0x10, EventID 5 becomes LPI 8197 of PE 0. */
export function boot(gic) {
  const [its, redistributor, cpu] = [gic.its(0), gic.redistributor(0), gic.cpu(0)];
  gic.write(gic.config.addressMap.gicd, 4, 2);
  redistributor.write('GICR_WAKER', 0);
  redistributor.write('GICR_PROPBASER', BigInt(CONFIGURATION) | 15n);
  redistributor.write('GICR_PENDBASER', BigInt(PENDING));
  redistributor.write('GICR_CTLR', 1);
  its.write('GITS_BASER0', VALID | BigInt(RAM + 0x3_0000) | 0x200n);
  its.write('GITS_BASER1', VALID | BigInt(RAM + 0x4_0000) | 0x200n);
  its.write('GITS_CBASER', VALID | BigInt(RAM + 0x5_0000));
  its.write('GITS_CTLR', 1);
  its.command(
    { command: 'MAPD', deviceId: 0x10, size: 4, ittAddress: ITT, valid: true },
    { command: 'MAPC', icid: 0, rdBase: 0, valid: true },
    { command: 'MAPTI', deviceId: 0x10, eventId: 5, pIntid: LPI, icid: 0 },
  );
  gic.ram(CONFIGURATION, 8192)[LPI - 8192] = 0xa1;
  cpu.write('ICC_PMR_EL1', 0xf8);
  cpu.write('ICC_IGRPEN1_EL1', 1);
}

/** Sends the MSI and takes the interrupt: its outcome and the INTID that the PE acknowledged. */
export function deliver(gic) {
  const cpu = gic.cpu(0);
  const outcome = gic.sendMsi(0x10, 5);
  const intid = cpu.acknowledge();
  cpu.endOfInterrupt(intid);
  return { outcome, intid };
}

/** The byte of the pending table that the LPI's bit 5 is in. */
export const pendingByte = PENDING + (LPI >> 3);
/** A byte of RAM that nothing else uses. */
export const stopByte = RAM + 0xf_0000;
