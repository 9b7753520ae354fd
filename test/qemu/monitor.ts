import { QemuError } from './errors.ts';
import { LineConnection } from './line_connection.ts';
import { RequestQueue } from './request_queue.ts';

interface Reply {
  readonly return?: unknown;
  readonly error?: unknown;
  readonly event?: string;
}

/** A client of QEMU's machine protocol, QMP: JSON objects, one a line. Errors are `QemuError`s. */
export class Monitor {
  readonly #connection: LineConnection;
  readonly #replies: RequestQueue<Reply>;
  readonly #resets: RequestQueue<Reply>;

  private constructor(connection: LineConnection, replies: RequestQueue<Reply>, resets: RequestQueue<Reply>) {
    this.#connection = connection;
    this.#replies = replies;
    this.#resets = resets;
  }

  /** Waits at a UNIX socket for QEMU to connect; `patience` milliseconds for that and for each answer. */
  static async accept(path: string, patience = 60_000): Promise<Monitor> {
    const replies = new RequestQueue<Reply>(patience);
    const resets = new RequestQueue<Reply>(patience);
    const connection = await LineConnection.accept(path, patience, {
      onLine: (line) => receive(JSON.parse(line) as Reply, replies, resets),
      onClose: () => {
        const error = new QemuError('ENDED', 'QEMU closed the monitor connection');
        replies.fail(error);
        resets.fail(error);
      },
    });
    const monitor = new Monitor(connection, replies, resets);
    await monitor.execute('qmp_capabilities');
    return monitor;
  }

  async execute(command: string, values: Record<string, unknown> = {}): Promise<unknown> {
    const reply = this.#replies.add(command);
    this.#connection.send(JSON.stringify({ execute: command, arguments: values }));
    return (await reply).return;
  }

  /** Resets the machine and waits until that is done. */
  async reset(): Promise<void> {
    const done = this.#resets.add('RESET');
    await Promise.all([this.execute('system_reset'), done]);
  }

  /** The path of the first device whose type matches. */
  async findDevice(type: RegExp): Promise<string> {
    const parent = '/machine/unattached';
    const children = (await this.execute('qom-list', { path: parent })) as { name: string; type: string }[];
    const found = children.find((child) => type.test(child.type.replace(/^child<(.*)>$/, '$1')));
    if (!found) throw new QemuError('REFUSED', `no device of type ${type} in ${parent}`);
    return `${parent}/${found.name}`;
  }

  close(): void {
    this.#connection.close();
  }
}

function receive(reply: Reply, replies: RequestQueue<Reply>, resets: RequestQueue<Reply>): void {
  if (reply.event === 'RESET') return resets.answer(reply, () => undefined);
  if (reply.return === undefined && reply.error === undefined) return;
  replies.answer(reply, (command) =>
    reply.error === undefined
      ? undefined
      : new QemuError('REFUSED', `${command}: ${JSON.stringify(reply.error)}`),
  );
}
