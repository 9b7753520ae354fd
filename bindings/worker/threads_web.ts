// Threads of a browser.
import { type Endpoint, type NodeWorker, nodeEndpoint, type WebWorker, webEndpoint } from './endpoint.ts';

/** Starts a thread that serves a machine and nothing else. */
export function startThread(): Endpoint {
  // In one expression, so that bundlers find the file.
  return webEndpoint(new Worker(new URL('./worker_thread.js', import.meta.url), { type: 'module' }));
}

/** The way to a worker that a user made. */
export function endpointOf(worker: WebWorker | NodeWorker): Endpoint {
  return 'on' in worker ? nodeEndpoint(worker) : webEndpoint(worker);
}

/** The way from a worker to the thread that started it; undefined in no worker. */
export function parentEndpoint(): Pick<Endpoint, 'post' | 'listen'> | undefined {
  const scope = globalThis as unknown as WebWorker & { readonly window?: unknown };
  return scope.window === undefined ? webEndpoint(scope) : undefined;
}
