import * as a64 from './a64.ts';
import { QemuError } from './errors.ts';
import type { QtestClient } from './qtest.ts';

/** RAM that the PEs use, above QEMU's device tree. Programs under test stay away from it. */
const CODE = 0x4020_0000;
const VECTORS = 0x4020_1000;
const SNIPPETS = 0x4020_2000;
const CURSOR = 0x4021_0000;
const LIST = 0x4021_1000;
const LIST_END = 0x4041_1000;

/** An entry of the list: number of the PE plus one, code of the access, value, syndrome of an exception. */
const ENTRY_WORDS = 4;
const ENTRY_BYTES = 8 * ENTRY_WORDS;
const ENTRY_CODE = 0x08;
const ENTRY_VALUE = 0x10;
const ENTRY_SYNDROME = 0x18;

/** X19 holds the address of the cursor, X20 the current entry, X21 the number of the PE plus one. */
const AT_CURSOR = 19;
const AT_ENTRY = 20;
const SELF = 21;

const HCR_RW_IMO_FMO = 0x8000_0018;
const EL1H_MASKED = 0x3c5;
const PSCI_CPU_ON = 0xc400_0003;
const SYNDROME_CLASS_HVC = 0x16n;
/** Milliseconds that accesses may take; some take hundreds where other programs keep the host busy. */
const PATIENCE = 60_000;

/** An access to a system register: MSR of `value`, or MRS where there is none. */
export interface SystemAccess {
  readonly cpu: number;
  readonly register: string;
  readonly el: 1 | 2;
  readonly value?: bigint;
}

/** How a PE reaches the register of a name: ICV_* by the encodings of ICC_* at EL1. */
export function systemRegisterReached(name: string): { register: string; el: 1 | 2 } {
  return name.startsWith('ICV_')
    ? { register: name.replace('ICV_', 'ICC_'), el: 1 }
    : { register: name, el: 2 };
}

/**
 * QEMU's PEs, which do nothing but work off a list of accesses to system registers in RAM, each PE what is for it.
 * At EL1, HCR_EL2.IMO and FMO are set, so that ICC_* names reach the virtual CPU interface.
 */
export class GuestCpus {
  /** Makes the first PE start at the code; it starts the others. */
  static readonly bootArguments: readonly string[] = [
    '-device',
    `loader,addr=0x${CODE.toString(16)},cpu-num=0`,
  ];

  readonly #qtest: QtestClient;
  readonly #count: number;
  readonly #resume: () => Promise<unknown>;
  readonly #snippets = new Map<string, number>();
  #nextSnippet = SNIPPETS;
  #nextEntry = LIST;
  #running = false;

  constructor(qtest: QtestClient, count: number, resume: () => Promise<unknown>) {
    this.#qtest = qtest;
    this.#count = count;
    this.#resume = resume;
  }

  /** To be told after a reset: the PEs stand still. */
  stopped(): void {
    this.#running = false;
  }

  /** Makes the accesses one after the other; the values read or written. */
  async access(accesses: readonly SystemAccess[]): Promise<bigint[]> {
    if (!this.#running) await this.#start();
    const at = this.#nextEntry;
    const length = ENTRY_BYTES * accesses.length;
    this.#nextEntry += length;
    if (this.#nextEntry >= LIST_END) {
      throw new RangeError(`more than ${(LIST_END - LIST) / ENTRY_BYTES} accesses to system registers`);
    }
    const entries = accesses.flatMap((access) => [
      BigInt(access.cpu + 1),
      BigInt(this.#snippet(access)),
      access.value ?? 0n,
      0n,
    ]);
    // The first word sets the PEs going; the list ends with an entry for none.
    const bytes = new Uint8Array(BigUint64Array.from([...entries, 0n]).buffer);
    await Promise.all([
      this.#qtest.writeBytes(at + 8, bytes.subarray(8)),
      this.#qtest.write(at, 8, entries[0] ?? 0n),
    ]);
    await this.#finished(accesses, at);
    const results = new BigUint64Array((await this.#qtest.readBytes(at, length)).buffer);
    accesses.forEach(({ el, register }, index) => {
      const syndrome = results[ENTRY_WORDS * index + ENTRY_SYNDROME / 8] ?? 0n;
      if (syndrome >> 26n !== (el === 1 ? SYNDROME_CLASS_HVC : 0n))
        throw new QemuError('EXCEPTION', `${register} at EL${el}: ESR_EL2 0x${syndrome.toString(16)}`);
    });
    return accesses.map((_, index) => results[ENTRY_WORDS * index + ENTRY_VALUE / 8] ?? 0n);
  }

  /** Waits until the PEs are through with the accesses whose entries begin at `first`. */
  async #finished(accesses: readonly SystemAccess[], first: number): Promise<void> {
    const deadline = performance.now() + PATIENCE;
    for (;;) {
      const cursor = Number(await this.#qtest.read(CURSOR, 8));
      if (cursor === this.#nextEntry) return;
      if (performance.now() < deadline) continue;
      const { cpu, register } = accesses[(cursor - first) / ENTRY_BYTES] ?? {};
      throw new QemuError('TIMEOUT', `PE ${cpu} does not access ${register} in ${PATIENCE} ms`);
    }
  }

  #snippet({ register, el, value }: SystemAccess): number {
    const name = `${register} ${el} ${value === undefined ? 'read' : 'write'}`;
    const known = this.#snippets.get(name);
    if (known !== undefined) return known;
    const access =
      value === undefined
        ? [a64.mrs(2, register)]
        : [a64.ldr(2, AT_ENTRY, ENTRY_VALUE), a64.msr(register, 2), a64.ISB];
    const el1At = el === 1 ? this.#place([...access, a64.HVC]) : 0;
    const at = this.#place(el === 1 ? enterEl1(el1At) : [...access, ...done()]);
    this.#snippets.set(name, at);
    return at;
  }

  async #start(): Promise<void> {
    this.#running = true;
    this.#snippets.clear();
    this.#nextSnippet = SNIPPETS;
    this.#nextEntry = LIST;
    // The PEs are resumed by another connection, which does not wait for this one.
    await Promise.all([
      this.#qtest.write(LIST, 8, 0),
      this.#qtest.write(CURSOR, 8, LIST),
      this.#put(CODE, bootCode(this.#count)),
      this.#put(VECTORS + 0x200, fromVector(false)),
      this.#put(VECTORS + 0x400, fromVector(true)),
    ]);
    await this.#resume();
  }

  #place(code: readonly number[]): number {
    const at = this.#nextSnippet;
    // Should this fail, so do the commands that follow it.
    this.#put(at, code).catch(() => undefined);
    this.#nextSnippet += 4 * code.length;
    return at;
  }

  #put(at: number, code: readonly number[]): Promise<void> {
    return this.#qtest.writeBytes(at, new Uint8Array(Uint32Array.from(code).buffer));
  }
}

/** Waits for an entry of one's own. WFE lets the other PEs run. */
const next = [
  a64.ldr(AT_ENTRY, AT_CURSOR, 0),
  a64.ldr(1, AT_ENTRY, 0),
  a64.sub(1, 1, SELF),
  a64.cbz(1, 3),
  a64.WFE,
  a64.b(-5),
  a64.ldr(1, AT_ENTRY, ENTRY_CODE),
  a64.br(1),
];

const begin = [
  ...a64.mov(1, VECTORS),
  a64.msr('VBAR_EL2', 1),
  a64.mrs(SELF, 'MPIDR_EL1'),
  a64.andByte(SELF, SELF),
  a64.addImmediate(SELF, SELF, 1),
  ...a64.mov(AT_CURSOR, CURSOR),
];

/** The first PE starts the others at `begin`. */
function bootCode(count: number): number[] {
  const entry = CODE + 4 * (count - 1) * startCpu(0, 0).length;
  const others = Array.from({ length: count - 1 }, (_, index) => startCpu(index + 1, entry)).flat();
  return [...others, ...begin, ...next];
}

function startCpu(cpu: number, entry: number): number[] {
  return [...a64.mov(0, PSCI_CPU_ON), ...a64.mov(1, cpu), ...a64.mov(2, entry), ...a64.mov(3, 0), a64.SMC];
}

/** Ends an access whose value is in X2. */
function done(syndrome = a64.XZR): number[] {
  return [
    a64.str(2, AT_ENTRY, ENTRY_VALUE),
    a64.str(syndrome, AT_ENTRY, ENTRY_SYNDROME),
    a64.addImmediate(AT_ENTRY, AT_ENTRY, ENTRY_BYTES),
    a64.str(AT_ENTRY, AT_CURSOR, 0),
    ...next,
  ];
}

/** Physical interrupts would be taken from EL1 to EL2 at once; with ICC_PMR_EL1 at 0 there is none. */
function enterEl1(at: number): number[] {
  return [
    a64.mrs(5, 'ICC_PMR_EL1'),
    a64.msr('ICC_PMR_EL1', a64.XZR),
    a64.mrs(7, 'HCR_EL2'),
    ...a64.mov(6, HCR_RW_IMO_FMO),
    a64.msr('HCR_EL2', 6),
    ...a64.mov(4, at),
    a64.msr('ELR_EL2', 4),
    ...a64.mov(4, EL1H_MASKED),
    a64.msr('SPSR_EL2', 4),
    a64.ERET,
  ];
}

function fromVector(fromEl1: boolean): number[] {
  const restore = fromEl1 ? [a64.msr('HCR_EL2', 7), a64.msr('ICC_PMR_EL1', 5)] : [];
  return [...restore, a64.mrs(3, 'ESR_EL2'), ...done(3)];
}
