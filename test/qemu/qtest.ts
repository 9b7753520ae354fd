import { LineConnection } from './line_connection.ts';

type AccessSize = 1 | 4 | 8;

interface Waiting {
  readonly command: string;
  readonly resolve: (answer: string) => void;
  readonly reject: (error: Error) => void;
}

const suffixes = { 1: 'b', 4: 'l', 8: 'q' } as const;

/**
 * A client of QEMU's qtest protocol. Commands are executed in the order in which they are given, and none waits for
 * the answer of the one before it.
 */
export class QtestClient {
  readonly #connection: LineConnection;
  readonly #waiting: Waiting[];

  private constructor(connection: LineConnection, waiting: Waiting[]) {
    this.#connection = connection;
    this.#waiting = waiting;
  }

  /** Waits at a UNIX socket for QEMU to connect. */
  static async accept(path: string): Promise<QtestClient> {
    const waiting: Waiting[] = [];
    const connection = await LineConnection.accept(
      path,
      (line) => answer(waiting, line),
      () => {
        for (const { command, reject } of waiting.splice(0))
          reject(new Error(`qtest: ${command}: QEMU ended`));
      },
    );
    return new QtestClient(connection, waiting);
  }

  /** One command; what its answer has after `OK`. */
  command(command: string): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ command, resolve, reject });
      this.#connection.send(command);
    });
  }

  async write(address: number, size: AccessSize, value: number | bigint): Promise<void> {
    await this.command(`write${suffixes[size]} ${hex(address)} ${hex(value)}`);
  }

  async read(address: number, size: AccessSize): Promise<bigint> {
    return BigInt(await this.command(`read${suffixes[size]} ${hex(address)}`));
  }

  async writeBytes(address: number, bytes: Uint8Array): Promise<void> {
    if (bytes.length === 0) return;
    await this.command(`write ${hex(address)} ${hex(bytes.length)} 0x${Buffer.from(bytes).toString('hex')}`);
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

  close(): void {
    this.#connection.close();
  }
}

function answer(waiting: Waiting[], line: string): void {
  const first = waiting.shift();
  if (line.startsWith('OK')) first?.resolve(line.slice(3));
  else first?.reject(new Error(`qtest: ${first.command}: ${line}`));
}

function hex(value: number | bigint): string {
  return `0x${value.toString(16)}`;
}
