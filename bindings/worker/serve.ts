import { GicError } from '../errors.ts';
import { Machine } from '../machine.ts';
import { type Answer, type Created, postedError, type Request, remoteMethods } from './messages.ts';
import { parentEndpoint } from './threads.ts';

/** What a worker can do with its machine when it is told to. Arguments and result have to be such as can be posted. */
// biome-ignore lint/suspicious/noExplicitAny: the caller in the other thread knows the arguments.
export type Programs = Readonly<Record<string, (machine: Machine, ...args: any[]) => unknown>>;

/**
 * Serves a machine to the thread that started this worker with `startWorker`; `run` over there calls one of `programs`
 * here. To be called once, before the worker waits for anything. Throws a `GicError` UNSUPPORTED_HOST in no worker.
 */
export function serveMachine(programs: Programs = {}): void {
  const parent = parentEndpoint();
  if (!parent) throw new GicError('UNSUPPORTED_HOST', 'serveMachine', 'main thread', 'a worker');
  const server = new Server(programs);
  parent.listen(async (message) => {
    if (!isRequest(message)) return;
    const answer = await server.answer(message);
    try {
      parent.post(answer);
    } catch (error) {
      // What a program returned or threw cannot be posted.
      parent.post({ id: message.id, error: postedError(new Error(String(error))) });
    }
  });
}

/** A worker may get other messages than ours. */
function isRequest(message: unknown): message is Request {
  return typeof message === 'object' && message !== null && 'id' in message && 'kind' in message;
}

class Server {
  readonly #programs: Programs;
  #machine: Machine | undefined;

  constructor(programs: Programs) {
    this.#programs = programs;
  }

  async answer(request: Request): Promise<Answer> {
    try {
      return { id: request.id, value: await this.#do(request) };
    } catch (error) {
      return { id: request.id, error: postedError(error) };
    }
  }

  #do(request: Request): unknown {
    if (request.kind === 'create') return this.#create(request);
    if (!this.#machine) throw new GicError('INVALID_ARGUMENT', 'kind', request.kind, '"create" first');
    if (request.kind === 'run') return this.#program(request.program)(this.#machine, ...request.args);
    if (!remoteMethods.includes(request.method)) {
      throw new GicError('UNKNOWN_NAME', 'method', request.method, remoteMethods.join(', '));
    }
    return (this.#machine[request.method] as (...args: readonly unknown[]) => unknown)(...request.args);
  }

  #create({ engine, options, memory }: Request & { kind: 'create' }): Created {
    const machine = new Machine(engine, options, memory);
    this.#machine = machine;
    return { shape: machine.shape, memory: engine.build === 'shared' ? machine.memory : undefined };
  }

  #program(name: string): Programs[string] {
    const program = Object.hasOwn(this.#programs, name) ? this.#programs[name] : undefined;
    if (program) return program;
    const names = Object.keys(this.#programs);
    const expected = names.length > 0 ? names.join(', ') : 'a worker that gives programs to serveMachine';
    throw new GicError('UNKNOWN_NAME', 'program', name, expected);
  }
}
