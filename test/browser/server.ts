import { createReadStream, statSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
};

export interface ServerOptions {
  /** Send the headers that make a page cross-origin isolated. */
  readonly isolated?: boolean;
  /** Send modules of WebAssembly as a server does that does not know their type. */
  readonly wasmType?: string;
}

/** Serves the files of a folder on this machine. */
export class StaticServer {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(
    root: string,
    { isolated = false, wasmType }: ServerOptions = {},
  ): Promise<StaticServer> {
    const server = createServer((request, response) => {
      const file = join(
        root,
        normalize(decodeURIComponent(new URL(request.url ?? '/', 'http://x').pathname)),
      );
      if (!statSync(file, { throwIfNoEntry: false })?.isFile()) {
        response.writeHead(404).end();
        return;
      }
      const type = types[extname(file)] ?? 'application/octet-stream';
      response.setHeader('Content-Type', extname(file) === '.wasm' ? (wasmType ?? type) : type);
      if (isolated) {
        response.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
        response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp');
      }
      createReadStream(file).pipe(response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new StaticServer(server);
  }

  url(path: string): string {
    return new URL(path, `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`).href;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
