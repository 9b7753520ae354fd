/** One side of a pair of threads that send each other messages. */
export interface Endpoint {
  post(message: unknown): void;
  /** `onError` learns of the other side's end, whatever the reason. */
  listen(onMessage: (message: unknown) => void, onError?: (error: Error) => void): void;
  /** Ends the other side. */
  end(): void;
}

/** A worker of the web, as far as it is used. */
export interface WebWorker {
  /** As in the web. */
  postMessage(message: unknown): void;
  /** As in the web: `message` and `error` are listened to. */
  addEventListener(type: string, listener: (event: Event) => void): void;
  /** As in the web. */
  terminate(): void;
}

/** A worker of `node:worker_threads`, as far as it is used. */
export interface NodeWorker {
  /** As in Node. */
  postMessage(message: unknown): void;
  /** As in Node: `message`, `error` and `exit` are listened to. */
  // biome-ignore lint/suspicious/noExplicitAny: what is passed depends on the event.
  on(event: string, listener: (value: any) => void): unknown;
  /** As in Node. */
  terminate(): Promise<number>;
}

export function webEndpoint(worker: WebWorker): Endpoint {
  return {
    post: (message) => worker.postMessage(message),
    listen(onMessage, onError) {
      worker.addEventListener('message', (event) => onMessage((event as MessageEvent).data));
      if (!onError) return;
      worker.addEventListener('error', (event) => {
        // Whoever listens tells of it.
        event.preventDefault();
        // A script that cannot be loaded gives an event without a message.
        onError(new Error((event as ErrorEvent).message ?? 'the script of the worker could not be loaded'));
      });
    },
    end: () => worker.terminate(),
  };
}

export function nodeEndpoint(worker: NodeWorker): Endpoint {
  return {
    post: (message) => worker.postMessage(message),
    listen(onMessage, onError) {
      worker.on('message', onMessage);
      if (!onError) return;
      worker.on('error', onError);
      worker.on('exit', (code: number) => onError(new Error(`the worker ended with code ${code}`)));
    },
    end: () => void worker.terminate(),
  };
}
