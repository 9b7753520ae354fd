// An emulator with the GIC in it: CPUs that execute guest code, a bus, a disk, a clock.
//
// The GIC gives the emulator RAM, register frames, system registers, timers, and the IRQ line of each CPU. The guest, an
// operating system of a few lines, takes interrupts of its timer, of the disk by way of the ITS, and from one CPU to the
// other.
import {
  createMachine,
  encodeCommand,
  type ItsCommand,
  loadEngine,
  memoryPages,
  registerAddress,
} from 'gicv4';

const RAM = 0x4000_0000;
const CONSOLE = 0x2000_0000;
const POWER = 0x2000_1000;
const DISK = 0x2000_2000;
const DISK_DEVICE_ID = 8;

// The memory is the emulator's, which may have several machines on one compiled engine. CPUs, DMA and the ITS work on
// the same bytes of RAM, in place.
const options = { cpus: 2, ram: { base: RAM, size: 2 ** 20 }, timerFrequency: 100_000_000 };
const engine = await loadEngine('single');
const memory = new WebAssembly.Memory({ initial: memoryPages(engine, options) });
const gic = await createMachine(options, { module: engine.module, memory });
const { addressMap, ram } = gic.config;

/** Ticks of CNTPCT_EL0. */
let now = 0n;
let running = true;
/** When the disk will be done with what it was told. */
let diskDue: bigint | undefined;

// The bus: who answers at which address.
type Size = 1 | 4 | 8;
interface Region {
  readonly base: number;
  readonly size: number;
  load?(address: number, size: Size): bigint;
  store(address: number, size: Size, value: bigint, cpu: number): void;
}
const toGic = {
  load: (address: number, size: Size) => BigInt(gic.read(address, size)),
  store: (address: number, size: Size, value: bigint) => gic.write(address, size, value),
};
const regions: readonly Region[] = [
  { base: ram.base, size: ram.size, ...toGic },
  { base: addressMap.gicd, size: 0x1_0000, ...toGic },
  { base: addressMap.gicr, size: 0x2_0000 * options.cpus, ...toGic },
  { base: addressMap.gits, size: 0x2_0000, ...toGic },
  {
    base: DISK,
    size: 8,
    store() {
      diskDue = now + 500n;
    },
  },
  {
    base: POWER,
    size: 8,
    store() {
      running = false;
    },
  },
  {
    base: CONSOLE,
    size: 8,
    store: (_address, _size, intid, cpu) => console.log(`tick ${now}: CPU ${cpu} takes interrupt ${intid}`),
  },
];
function regionOf(address: number): Region {
  const region = regions.find(({ base, size }) => address >= base && address < base + size);
  if (!region) throw new Error(`external abort at 0x${address.toString(16)}`);
  return region;
}

/** The disk is done: it writes EventID 0 to GITS_TRANSLATER, and the bus adds the DeviceID. */
function finishDisk(): void {
  diskDue = undefined;
  gic.sendMsi(DISK_DEVICE_ID, 0);
}

// Guest code: each `yield` is an instruction that leaves the CPU, and gives what it loads.
type Instruction =
  | { readonly op: 'ldr'; readonly address: number; readonly size: Size }
  | { readonly op: 'str'; readonly address: number; readonly size: Size; readonly value: bigint }
  | { readonly op: 'mrs'; readonly register: string }
  | { readonly op: 'msr'; readonly register: string; readonly value: bigint }
  | { readonly op: 'wfi' };
type Code = Generator<Instruction, void, bigint>;

class Cpu {
  /** The code that runs and, above it, a handler that interrupts it. */
  readonly #frames: { readonly code: Code; loaded: bigint }[];
  readonly #number: number;
  readonly #vector: () => Code;
  irq = false;
  asleep = false;

  constructor(number: number, code: Code, vector: () => Code) {
    this.#number = number;
    this.#vector = vector;
    this.#frames = [{ code, loaded: 0n }];
  }

  step(): void {
    if (this.irq) {
      this.asleep = false;
      if (this.#frames.length === 1) this.#frames.push({ code: this.#vector(), loaded: 0n });
    }
    const frame = this.#frames.at(-1);
    if (!frame || this.asleep) return;
    const { done, value } = frame.code.next(frame.loaded);
    // The end of a handler is its ERET.
    if (done) this.#frames.pop();
    else frame.loaded = this.#execute(value);
  }

  #execute(instruction: Instruction): bigint {
    switch (instruction.op) {
      case 'ldr':
        return regionOf(instruction.address).load?.(instruction.address, instruction.size) ?? 0n;
      case 'str': {
        const { address, size, value } = instruction;
        regionOf(address).store(address, size, value, this.#number);
        return 0n;
      }
      case 'mrs':
        return gic.readSystemRegister(this.#number, instruction.register, 1);
      case 'msr':
        gic.writeSystemRegister(this.#number, instruction.register, instruction.value, 1);
        return 0n;
      case 'wfi':
        this.asleep = !this.irq;
        return 0n;
    }
  }
}

// The guest.
const ldr = (address: number, size: Size): Instruction => ({ op: 'ldr', address, size });
const str = (address: number, value: bigint | number, size: Size = 4): Instruction => {
  return { op: 'str', address, size, value: BigInt(value) };
};
const mrs = (register: string): Instruction => ({ op: 'mrs', register });
const msr = (register: string, value: bigint | number): Instruction => {
  return { op: 'msr', register, value: BigInt(value) };
};
const at = (name: string, unit = 0): number => registerAddress(gic.config, name, unit) as number;
const VALID = 1n << 63n;
const [CONFIGURATION, PENDING, DEVICES, COLLECTIONS, QUEUE, ITT] = [0, 1, 3, 4, 5, 6].map(
  (n) => RAM + n * 0x1_0000,
) as [number, number, number, number, number, number];
const TIMER = 27;
const DISK_LPI = 8192;

function* boot(cpu: number): Code {
  yield str(at('GICR_WAKER', cpu), 0);
  yield str(at('GICR_PROPBASER', cpu), BigInt(CONFIGURATION) | 13n, 8);
  yield str(at('GICR_PENDBASER', cpu), PENDING + cpu * 0x1_0000, 8);
  yield str(at('GICR_CTLR', cpu), 1);
  yield str(at('GICR_IGROUPR0', cpu), 0xffff_ffff);
  yield str(at('GICR_ISENABLER0', cpu), (1 << TIMER) | 1);
  yield msr('ICC_PMR_EL1', 0xf8);
  yield msr('ICC_IGRPEN1_EL1', 1);
  if (cpu === 0) {
    yield str(at('GICD_CTLR'), 2);
    yield* bootIts();
    yield* armTimer();
  }
  while (true) yield { op: 'wfi' };
}

/** The disk's interrupt goes to CPU 1. */
function* bootIts(): Code {
  yield str(at('GITS_BASER0'), VALID | BigInt(DEVICES) | 0x200n, 8);
  yield str(at('GITS_BASER1'), VALID | BigInt(COLLECTIONS) | 0x200n, 8);
  yield str(at('GITS_CBASER'), VALID | BigInt(QUEUE), 8);
  yield str(at('GITS_CTLR'), 1);
  yield str(CONFIGURATION, 0xa1, 1);
  const commands: ItsCommand[] = [
    { command: 'MAPD', deviceId: DISK_DEVICE_ID, size: 1, ittAddress: ITT, valid: true },
    { command: 'MAPC', icid: 1, rdBase: 1, valid: true },
    { command: 'MAPTI', deviceId: DISK_DEVICE_ID, eventId: 0, pIntid: DISK_LPI, icid: 1 },
  ];
  const bytes = commands.flatMap((command) => [...encodeCommand(command)]);
  for (const [n, byte] of bytes.entries()) yield str(QUEUE + n, byte, 1);
  yield str(at('GITS_CWRITER'), bytes.length, 8);
  while ((yield ldr(at('GITS_CREADR'), 8)) !== BigInt(bytes.length));
}

function* armTimer(): Code {
  yield msr('CNTV_CVAL_EL0', (yield mrs('CNTVCT_EL0')) + 1000n);
  yield msr('CNTV_CTL_EL0', 1);
}

let timerInterrupts = 0;
function* handle(): Code {
  const intid = yield mrs('ICC_IAR1_EL1');
  yield str(CONSOLE, intid);
  if (Number(intid) === TIMER) {
    timerInterrupts++;
    yield* armTimer();
    if (timerInterrupts === 1) yield str(DISK, 1);
    if (timerInterrupts === 2) yield msr('ICC_SGI1R_EL1', 0b10); // SGI 0 to CPU 1
    if (timerInterrupts === 3) yield str(POWER, 0);
  }
  yield msr('ICC_EOIR1_EL1', intid);
}

// The loop: a tick is an instruction of each CPU. Where all of them sleep, time goes on to what happens next.
const cpus = Array.from({ length: options.cpus }, (_, cpu) => new Cpu(cpu, boot(cpu), handle));
while (running) {
  for (const cpu of cpus) cpu.step();
  now++;
  if (cpus.every(({ asleep }) => asleep)) {
    const due = [gic.nextTimerDeadline(), diskDue].filter((tick) => tick !== undefined);
    const [first] = due.sort((a, b) => Number(a - b));
    if (first === undefined) throw new Error('all CPUs sleep, and nothing will wake them');
    now = first;
  }
  gic.advanceCounter(now);
  if (diskDue !== undefined && now >= diskDue) finishDisk();
  for (const cpu of gic.takeChangedCpus()) cpus[cpu]!.irq = gic.irq(cpu);
}
console.log(`powered off at tick ${now}; diagnostics of the GIC: ${gic.takeDiagnostics().length}`);

/* Prints:
tick 1113: CPU 0 takes interrupt 27
tick 1618: CPU 1 takes interrupt 8192
tick 2115: CPU 0 takes interrupt 27
tick 2121: CPU 1 takes interrupt 0
tick 3117: CPU 0 takes interrupt 27
powered off at tick 3122; diagnostics of the GIC: 0
*/
