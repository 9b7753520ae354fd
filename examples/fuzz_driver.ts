// An ITS driver with a mistake in it, and a fuzzer that finds it.
//
// Random bytes become calls of the driver and MSIs of its device, an oracle says which handlers have to run, and
// fast-check (`npm install fast-check`) cuts down what fails. Any other fuzzer can hand its bytes to `perform`.
import fc from 'fast-check';
import { createMachine, type ItsCommand, type Machine } from 'gicv4';

const DEVICE = 0x10;
const FIRST_LPI = 8192;
const ENABLED = 0xa1; // priority 0xa0
const DISABLED = 0xa0;

const gic = await createMachine({ cpus: 1, ram: { base: 0x4000_0000, size: 2 ** 20 } }, 'single');
const [configuration, pending, deviceTable, collectionTable, queue, itt] = [0, 1, 2, 3, 4, 5].map(
  (n) => gic.config.ram.base + n * 0x1_0000,
) as [number, number, number, number, number, number];

/** Gives LPIs to the events of one device. */
class Driver {
  readonly #gic: Machine;
  readonly #discardsAlways: boolean;
  readonly #lpis = new Map<number, number>();
  readonly #masked = new Set<number>();
  readonly #free = [FIRST_LPI, FIRST_LPI + 1, FIRST_LPI + 2, FIRST_LPI + 3];

  constructor(gic: Machine, discardsAlways: boolean) {
    this.#gic = gic;
    this.#discardsAlways = discardsAlways;
  }

  isMapped = (event: number): boolean => this.#lpis.has(event);
  isMasked = (event: number): boolean => this.#masked.has(event);

  map(event: number): void {
    const lpi = this.#free.pop() as number;
    this.#lpis.set(event, lpi);
    this.#its({ command: 'MAPTI', deviceId: DEVICE, eventId: event, pIntid: lpi, icid: 0 });
    this.#configure(event, ENABLED);
  }

  unmap(event: number): void {
    // "A masked interrupt does not arrive, so nothing has to be discarded."
    if (this.#discardsAlways || !this.#masked.has(event)) {
      this.#its({ command: 'DISCARD', deviceId: DEVICE, eventId: event });
    }
    this.#free.push(this.#lpis.get(event) as number);
    this.#lpis.delete(event);
    this.#masked.delete(event);
  }

  setMasked(event: number, masked: boolean): void {
    if (masked) this.#masked.add(event);
    else this.#masked.delete(event);
    this.#configure(event, masked ? DISABLED : ENABLED);
  }

  /** The CPU's interrupt handler: the events whose handlers run. */
  takeInterrupts(): number[] {
    const pe = this.#gic.cpu(0);
    const events: number[] = [];
    for (let intid = pe.acknowledge(); intid !== 1023; intid = pe.acknowledge()) {
      pe.endOfInterrupt(intid);
      for (const [event, lpi] of this.#lpis) if (lpi === intid) events.push(event);
    }
    return events;
  }

  #configure(event: number, byte: number): void {
    const lpi = this.#lpis.get(event) as number;
    this.#gic.ram(configuration + lpi - FIRST_LPI, 1)[0] = byte;
    this.#its({ command: 'INV', deviceId: DEVICE, eventId: event });
  }

  #its(command: ItsCommand): void {
    this.#gic.its(0).command(command, { command: 'SYNC', rdBase: 0 });
  }
}

/** What a byte tells to do, in a state of the driver: bits [1:0] are the event, the others choose. */
function actionOf(byte: number, driver: Driver): [name: string, act: () => void] {
  const event = byte & 3;
  const actions: [string, () => void][] = [[`MSI ${event}`, () => void gic.sendMsi(DEVICE, event)]];
  if (driver.isMapped(event)) {
    const masked = driver.isMasked(event);
    actions.push([`unmap ${event}`, () => driver.unmap(event)]);
    actions.push([`${masked ? 'unmask' : 'mask'} ${event}`, () => driver.setMasked(event, !masked)]);
  } else {
    actions.push([`map ${event}`, () => driver.map(event)]);
  }
  return actions[(byte >> 2) % actions.length] as [string, () => void];
}

/** Performs an input, from the same state each time. Throws where other handlers run than those that should. */
function perform(input: Uint8Array, discardsAlways: boolean): void {
  gic.restore(booted);
  const driver = new Driver(gic, discardsAlways);
  const signalled = new Set<number>();
  const history: string[] = [];
  for (const byte of input) {
    const event = byte & 3;
    const [name, act] = actionOf(byte, driver);
    act();
    if (name.startsWith('MSI') && driver.isMapped(event)) signalled.add(event);
    if (!driver.isMapped(event)) signalled.delete(event);
    const taken = driver.takeInterrupts();
    const due = [...signalled].filter((event) => !driver.isMasked(event));
    for (const event of due) signalled.delete(event);
    history.push(name);
    if (taken.sort().join() !== due.sort().join()) {
      throw new Error(`${history.join(', ')}: handlers of events [${taken}] run instead of [${due}]`);
    }
  }
}

function boot(): void {
  const its = gic.its(0);
  const redistributor = gic.redistributor(0);
  const valid = 1n << 63n;
  gic.write(gic.config.addressMap.gicd, 4, 2);
  redistributor.write('GICR_WAKER', 0);
  redistributor.write('GICR_PROPBASER', BigInt(configuration) | 13n);
  redistributor.write('GICR_PENDBASER', pending);
  redistributor.write('GICR_CTLR', 1);
  its.write('GITS_BASER0', valid | BigInt(deviceTable) | 0x200n);
  its.write('GITS_BASER1', valid | BigInt(collectionTable) | 0x200n);
  its.write('GITS_CBASER', valid | BigInt(queue));
  its.write('GITS_CTLR', 1);
  its.command(
    { command: 'MAPD', deviceId: DEVICE, size: 2, ittAddress: itt, valid: true },
    { command: 'MAPC', icid: 0, rdBase: 0, valid: true },
  );
  gic.cpu(0).write('ICC_PMR_EL1', 0xf8);
  gic.cpu(0).write('ICC_IGRPEN1_EL1', 1);
}

boot();
const booted = gic.snapshot();
const inputs = fc.uint8Array({ maxLength: 100 });

for (const discardsAlways of [false, true]) {
  console.log(`The driver that discards ${discardsAlways ? 'always' : 'unless masked'}:`);
  const property = fc.property(inputs, (input) => perform(input, discardsAlways));
  const { numRuns, counterexample, errorInstance } = fc.check(property, { seed: 1, numRuns: 500 });
  if (!counterexample) console.log(`  ${numRuns} inputs, all as it should be`);
  else {
    console.log(`  input ${numRuns} fails; cut down it is the bytes ${counterexample[0]}`);
    console.log(`  ${(errorInstance as Error).message}`);
  }
}

/* Prints:
The driver that discards unless masked:
  input 191 fails; cut down it is the bytes 214,70,102,18,12
  map 2, mask 2, unmap 2, MSI 2, map 0: handlers of events [0] run instead of []
The driver that discards always:
  500 inputs, all as it should be
*/
