import type { MachineOptions } from '../config.ts';
import type { Engine, EngineBuild } from '../engine.ts';
import { type EngineOptions, loadEngine, memoryOf } from '../engine_loading.ts';
import { GicError } from '../errors.ts';
import type { Machine } from '../machine.ts';
import { type MachineShape, MachineView } from '../machine_view.ts';
import type { SharedMachine } from '../shared_machine.ts';
import type { Endpoint, NodeWorker, WebWorker } from './endpoint.ts';
import { type Answer, type Created, type RemoteMethod, type Request, receivedError } from './messages.ts';
import { endpointOf, startThread } from './threads.ts';

/** Where the machine runs, and on which engine. */
export interface WorkerOptions extends EngineOptions {
  /** A worker whose script calls `serveMachine`; by default one that serves the machine and nothing else. */
  readonly worker?: WebWorker | NodeWorker;
}

/**
 * Makes a machine in a worker, which runs until `dispose` or an error that nothing in it catches. Throws a `GicError` for
 * a configuration that is out of range, and what ends the worker before the machine is there.
 */
export async function startWorker(
  options: MachineOptions = {},
  where: EngineBuild | WorkerOptions = {},
): Promise<WorkerMachine> {
  const engine = await loadEngine(where);
  const worker = typeof where === 'string' ? undefined : where.worker;
  const requests = new Requests(worker ? endpointOf(worker) : startThread());
  try {
    const created = await requests.send({ kind: 'create', engine, options, memory: memoryOf(where) });
    return new WorkerMachine(requests, engine, created as Created);
  } catch (error) {
    requests.end();
    throw error;
  }
}

/** A machine that runs in a worker. */
export class WorkerMachine {
  readonly shape: MachineShape;
  readonly build: EngineBuild;
  readonly #requests: Requests;
  readonly #shared: SharedMachine | undefined;
  readonly #view: MachineView | undefined;

  constructor(requests: Requests, engine: Engine, { shape, memory }: Created) {
    this.#requests = requests;
    this.build = engine.build;
    this.shape = shape;
    this.#shared = memory && { engine, shape, memory };
    this.#view = memory && new MachineView(shape, memory);
  }

  /**
   * The machine's memory as it is at this moment, also while the worker is busy. Throws a `GicError` UNSUPPORTED_HOST
   * for a machine of the build `single`.
   */
  get view(): MachineView {
    return this.#view ?? this.#notShared('view');
  }

  /** The machine for other threads: `new Injector(shared)`, `new MachineView(shape, memory)`. Throws as `view` does. */
  get shared(): SharedMachine {
    return this.#shared ?? this.#notShared('shared');
  }

  /** Calls a method of the machine. */
  call<Method extends RemoteMethod>(
    method: Method,
    ...args: Parameters<Machine[Method]>
  ): Promise<ReturnType<Machine[Method]>> {
    return this.#requests.send({ kind: 'call', method, args }) as Promise<ReturnType<Machine[Method]>>;
  }

  /** Has the worker run one of the programs that its script gives to `serveMachine`; resolves to what that returns. */
  run(program: string, ...args: readonly unknown[]): Promise<unknown> {
    return this.#requests.send({ kind: 'run', program, args });
  }

  /** Ends the worker. What it has not answered, and later calls, reject with a `GicError` DISPOSED. */
  dispose(): void {
    this.#view?.dispose();
    this.#requests.end();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #notShared(field: string): never {
    throw new GicError('UNSUPPORTED_HOST', field, this.build, 'a machine of the build "shared"');
  }
}

interface Waiting {
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

type Unnumbered<R> = R extends unknown ? Omit<R, 'id'> : never;

/** Requests to a worker that wait for their answers. */
export class Requests {
  readonly #worker: Endpoint;
  readonly #waiting = new Map<number, Waiting>();
  #sent = 0;
  /** Why there is no worker any more. */
  #ended: unknown;

  constructor(worker: Endpoint) {
    this.#worker = worker;
    worker.listen(
      (message) => this.#receive(message as Answer),
      (error) => {
        this.#fail(error);
        // As in Node: what nothing catches ends the worker.
        this.#worker.end();
      },
    );
  }

  async send(request: Unnumbered<Request>): Promise<unknown> {
    if (this.#ended !== undefined) throw this.#ended;
    const id = this.#sent++;
    // First, because it throws where something cannot be posted.
    this.#worker.post({ id, ...request });
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  }

  end(): void {
    this.#fail(new GicError('DISPOSED', 'machine', 'disposed', 'a machine whose worker has not been ended'));
    this.#worker.end();
  }

  #receive(answer: Answer | undefined): void {
    const waiting = answer && this.#waiting.get(answer.id);
    // The worker may send other messages than ours.
    if (!waiting) return;
    this.#waiting.delete(answer.id);
    if ('error' in answer) waiting.reject(receivedError(answer.error));
    else waiting.resolve(answer.value);
  }

  #fail(error: unknown): void {
    this.#ended ??= error;
    for (const { reject } of this.#waiting.values()) reject(this.#ended);
    this.#waiting.clear();
  }
}
