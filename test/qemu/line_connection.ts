import { createServer, type Socket } from 'node:net';
import { QemuError } from './errors.ts';

/** Who uses a connection. */
export interface LineUser {
  /** A line that the other side sent, without its end. */
  onLine(line: string): void;
  /** The other side is gone. */
  onClose(): void;
}

/** Lines sent to and received from a program that connects to a UNIX socket, such as QEMU. */
export class LineConnection {
  readonly #socket: Socket;
  #unfinished: string[] = [];
  #corked = false;

  private constructor(socket: Socket, user: LineUser) {
    this.#socket = socket;
    // What is wrong with a socket closes it too.
    socket.on('error', () => undefined);
    socket.on('close', () => user.onClose());
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => this.#receive(text, user));
  }

  /** Listens at `path` until a program connects, and no longer than `patience` milliseconds. */
  static accept(path: string, patience: number, user: LineUser): Promise<LineConnection> {
    return new Promise((resolve, reject) => {
      const server = createServer((socket) => {
        clearTimeout(timer);
        server.close();
        resolve(new LineConnection(socket, user));
      });
      const timer = setTimeout(() => {
        server.close();
        reject(new QemuError('TIMEOUT', `nothing connects to ${path} in ${patience} ms`));
      }, patience);
      timer.unref();
      server.unref();
      server.on('error', reject);
      server.listen(path);
    });
  }

  /** Lines that are sent in one turn of the event loop travel together. */
  send(line: string): void {
    if (!this.#corked) {
      this.#corked = true;
      this.#socket.cork();
      setImmediate(() => {
        this.#corked = false;
        this.#socket.uncork();
      });
    }
    this.#socket.write(`${line}\n`);
  }

  close(): void {
    this.#socket.destroy();
  }

  /** A long line comes in many parts, which are put together once. */
  #receive(text: string, user: LineUser): void {
    const [end = '', ...others] = text.split('\n');
    this.#unfinished.push(end);
    for (const start of others) {
      const line = this.#unfinished.join('');
      this.#unfinished = [start];
      user.onLine(line);
    }
  }
}
