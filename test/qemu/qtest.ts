import { QemuError } from './errors.ts';
import { LineConnection } from './line_connection.ts';
import { RequestQueue } from './request_queue.ts';

export type AccessSize = 1 | 4 | 8;

const suffixes = { 1: 'b', 4: 'l', 8: 'q' } as const;

/** Bytes of a command that stores memory: QEMU's work grows with the square of a line's length. */
const LONGEST_STORE = 0x4000;

/**
 * A client of QEMU's qtest protocol (docs/devel/qtest.rst of QEMU). Commands are executed in the order in which they
 * are given, and none waits for the answer of the one before it. Errors are `QemuError`s.
 */
export class QtestClient {
  readonly #connection: LineConnection;
  readonly #answers: RequestQueue<string>;

  private constructor(connection: LineConnection, answers: RequestQueue<string>) {
    this.#connection = connection;
    this.#answers = answers;
  }

  /** Waits at a UNIX socket for QEMU to connect; `patience` milliseconds for that and for each answer. */
  static async accept(path: string, patience = 60_000): Promise<QtestClient> {
    const answers = new RequestQueue<string>(patience);
    const connection = await LineConnection.accept(path, patience, {
      onLine: (line) => receive(line, answers),
      onClose: () => answers.fail(new QemuError('ENDED', 'QEMU closed the qtest connection')),
    });
    return new QtestClient(connection, answers);
  }

  /** One command; what its answer has after `OK`. */
  command(command: string): Promise<string> {
    const answer = this.#answers.add(command);
    this.#connection.send(command);
    return answer;
  }

  async write(address: number, size: AccessSize, value: number | bigint): Promise<void> {
    await this.command(`write${suffixes[size]} ${hex(address)} ${hex(value)}`);
  }

  async read(address: number, size: AccessSize): Promise<bigint> {
    return BigInt(await this.command(`read${suffixes[size]} ${hex(address)}`));
  }

  async writeBytes(address: number, bytes: Uint8Array): Promise<void> {
    const stores: Promise<string>[] = [];
    for (let at = 0; at < bytes.length; at += LONGEST_STORE) {
      const part = Buffer.from(bytes.subarray(at, at + LONGEST_STORE));
      stores.push(this.command(`write ${hex(address + at)} ${hex(part.length)} 0x${part.toString('hex')}`));
    }
    await Promise.all(stores);
  }

  async readBytes(address: number, length: number): Promise<Uint8Array> {
    const answer = await this.command(`read ${hex(address)} ${hex(length)}`);
    return new Uint8Array(Buffer.from(answer.slice(2), 'hex'));
  }

  async fill(address: number, length: number, value: number): Promise<void> {
    await this.command(`memset ${hex(address)} ${hex(length)} ${hex(value)}`);
  }

  /** Drives an input wire of the device at a path of QEMU's object model. */
  async setWire(device: string, wire: number, level: boolean): Promise<void> {
    await this.command(`set_irq_in ${device} unnamed-gpio-in ${wire} ${level ? 1 : 0}`);
  }

  /** Waits until all commands given before are executed. */
  async settle(): Promise<void> {
    await this.command('endianness');
  }

  close(): void {
    this.#connection.close();
  }
}

function receive(line: string, answers: RequestQueue<string>): void {
  answers.answer(line.slice('OK '.length), (command) =>
    line.startsWith('OK')
      ? undefined
      : new QemuError('REFUSED', `qtest: ${command.slice(0, 100)}: ${line.slice(0, 200)}`),
  );
}

function hex(value: number | bigint): string {
  return `0x${value.toString(16)}`;
}
