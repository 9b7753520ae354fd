import { createServer, type Socket } from 'node:net';

/** Lines sent to and received from a program that connects to a UNIX socket, such as QEMU. */
export class LineConnection {
  readonly #socket: Socket;
  readonly #onLine: (line: string) => void;
  #unfinished = '';
  #corked = false;

  private constructor(socket: Socket, onLine: (line: string) => void, onClose: () => void) {
    this.#socket = socket;
    this.#onLine = onLine;
    socket.on('error', () => undefined);
    socket.on('close', onClose);
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => this.#receive(text));
  }

  /** Listens at `path` until a program connects. `onClose` tells that it is gone. */
  static accept(path: string, onLine: (line: string) => void, onClose: () => void): Promise<LineConnection> {
    return new Promise((resolve, reject) => {
      const server = createServer((socket) => {
        server.close();
        resolve(new LineConnection(socket, onLine, onClose));
      });
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

  #receive(text: string): void {
    const lines = (this.#unfinished + text).split('\n');
    this.#unfinished = lines.pop() ?? '';
    lines.forEach(this.#onLine);
  }
}
