import { Access, AccessList } from '../../assembly/bench/abi.ts';
import type { EngineExports } from '../../bindings/engine.ts';

/** The exports that the bench build can call by itself. */
type Recorded = Pick<
  EngineExports,
  'sendMsi' | 'read' | 'write' | 'readSystemRegister' | 'writeSystemRegister' | 'setSpi'
>;

const accesses: Readonly<Record<keyof Recorded, Access>> = {
  sendMsi: Access.SEND_MSI,
  read: Access.READ,
  write: Access.WRITE,
  readSystemRegister: Access.READ_SYSTEM,
  writeSystemRegister: Access.WRITE_SYSTEM,
  setSpi: Access.SET_SPI,
};

/** Calls of the engine's exports, as lists that the bench build plays. */
export class CallRecorder {
  /** The same exports; those that can be played are noted when they are called, others refuse. */
  readonly engine: EngineExports;
  #words: number[] = [];
  #records = false;

  constructor(engine: EngineExports) {
    const calls = Object.entries(engine).map(([name, value]) => {
      if (typeof value !== 'function') return [name, value];
      return [
        name,
        (...args: number[]) => {
          if (this.#records) this.#note(name, args);
          return (value as (...args: number[]) => unknown)(...args);
        },
      ];
    });
    this.engine = Object.fromEntries(calls) as EngineExports;
  }

  /** The calls that `act` makes. Throws a `TypeError` for one that cannot be played. */
  record(act: () => void): Uint32Array {
    this.#words = [];
    this.#records = true;
    try {
      act();
    } finally {
      this.#records = false;
    }
    return Uint32Array.from(this.#words);
  }

  #note(name: string, args: readonly number[]): void {
    const access = accesses[name as keyof Recorded];
    if (access === undefined) throw new TypeError(`${name} cannot be played`);
    const isBus = access === Access.READ || access === Access.WRITE;
    if (isBus && (args[0] as number) >= 2 ** 32) throw new RangeError(`${name}: an address above 4 GiB`);
    for (let n = 0; n < AccessList.WORDS; n++) this.#words.push(n === 0 ? access : (args[n - 1] ?? 0));
  }
}
