// PCI devices that send MSIs: QEMU's `edu`, whose interrupt is raised by a register write.
import type { QtestClient } from './qtest.ts';

const ECAM = 0x40_1000_0000;
const WINDOW = 0x1000_0000;
const WINDOW_STRIDE = 0x10_0000;
const COMMAND = 0x04;
const MEMORY_SPACE_AND_BUS_MASTER = 6;
const BAR0 = 0x10;
const MSI_CAPABILITY = 0x40;
const MSI_ADDRESS_LOW = MSI_CAPABILITY + 0x4;
const MSI_ADDRESS_HIGH = MSI_CAPABILITY + 0x8;
const MSI_DATA = MSI_CAPABILITY + 0xc;
const MSI_ENABLE = 1 << 16;
const INTERRUPT_RAISE = 0x60;
const TRANSLATER = 0x0809_0040;

/** Slot and function of the devices on bus 0. Where function 0 is not the only one, it comes first. */
const places = [
  { slot: 0x01, function: 0 },
  { slot: 0x02, function: 0 },
  { slot: 0x02, function: 3 },
  { slot: 0x1e, function: 0 },
  { slot: 0x1e, function: 7 },
] as const;

/** QEMU takes a PE for the device with DeviceID 0. */
const PE = 0;

const pciDeviceIds = places.map((place) => place.slot * 8 + place.function);

/** DeviceIDs that can send MSIs: that of a PCI device is its requester ID, slot * 8 + function. */
export const msiDeviceIds: readonly number[] = [PE, ...pciDeviceIds];

export const msiDeviceArguments: readonly string[] = places.flatMap((place) => [
  '-device',
  `edu,addr=0x${place.slot.toString(16)}.${place.function}${place.function === 0 ? ',multifunction=on' : ''}`,
]);

/** The devices of a machine. */
export class MsiDevices {
  readonly #qtest: QtestClient;

  constructor(qtest: QtestClient) {
    this.#qtest = qtest;
  }

  /** To be called after a reset: lets the devices send MSIs to GITS_TRANSLATER. */
  async start(): Promise<void> {
    await Promise.all(
      pciDeviceIds.flatMap((deviceId, index) => [
        this.#configure(deviceId, BAR0, WINDOW + index * WINDOW_STRIDE),
        this.#configure(deviceId, COMMAND, MEMORY_SPACE_AND_BUS_MASTER),
        this.#configure(deviceId, MSI_ADDRESS_LOW, TRANSLATER),
        this.#configure(deviceId, MSI_ADDRESS_HIGH, 0),
        this.#configure(deviceId, MSI_CAPABILITY, MSI_ENABLE),
      ]),
    );
  }

  /** Sends an MSI of 16 bits. */
  async send(deviceId: number, eventId: number): Promise<void> {
    if (deviceId === PE) return this.#qtest.write(TRANSLATER, 4, eventId);
    const index = pciDeviceIds.indexOf(deviceId);
    if (index < 0) throw new RangeError(`DeviceID ${deviceId}: expected one of ${msiDeviceIds.join(', ')}`);
    await Promise.all([
      this.#configure(deviceId, MSI_DATA, eventId),
      this.#qtest.write(WINDOW + index * WINDOW_STRIDE + INTERRUPT_RAISE, 4, 1),
    ]);
  }

  #configure(deviceId: number, offset: number, value: number): Promise<void> {
    return this.#qtest.write(ECAM + deviceId * 0x1000 + offset, 4, value);
  }
}
