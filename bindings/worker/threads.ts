// Threads of Node. In the modules for browsers, threads_web.ts stands in the place of this file.
import { parentPort, Worker } from 'node:worker_threads';
import { type Endpoint, type NodeWorker, nodeEndpoint, type WebWorker, webEndpoint } from './endpoint.ts';

/** Starts a thread that serves a machine and nothing else. */
export function startThread(): Endpoint {
  return nodeEndpoint(new Worker(new URL('./thread.js', import.meta.url)));
}

/** The way to a worker that a user made. */
export function endpointOf(worker: WebWorker | NodeWorker): Endpoint {
  return 'on' in worker ? nodeEndpoint(worker) : webEndpoint(worker);
}

/** The way from a worker to the thread that started it; undefined in no worker. */
export function parentEndpoint(): Pick<Endpoint, 'post' | 'listen'> | undefined {
  const port = parentPort;
  return port
    ? {
        post: (message) => port.postMessage(message),
        listen: (onMessage) => void port.on('message', onMessage),
      }
    : undefined;
}
