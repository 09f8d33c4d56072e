import { spawn, type ChildProcess } from 'node:child_process';
import { createServer } from 'node:http';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const main = resolve(import.meta.dirname, '../../src/main.ts');

/** A `serve` of its own, as an operator runs it. */
export interface ServeProcess {
  readonly url: string;
  readonly process: ChildProcess;
  /** What it wrote to standard error. */
  readonly log: () => string;
  /** Sends the signal and waits for the end. */
  end(signal: NodeJS.Signals): Promise<void>;
}

/** What came of a `serve` that ended before it listened. */
export class ServeEnded extends Error {
  readonly exitCode: number | null;

  constructor(exitCode: number | null, log: string) {
    super(log);
    this.exitCode = exitCode;
  }
}

/** Starts `serve` on a free port, of this program or another copy of it, and waits until it listens. Throws `ServeEnded`. */
export async function startServe(
  environment: Record<string, string>,
  { program = main }: { readonly program?: string } = {},
): Promise<ServeProcess> {
  const child = spawn(process.execPath, [program, 'serve', '--port', '0'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env['PATH'] ?? '',
      ODCS_LOG_LEVEL: 'warn',
      ODCS_SHUTDOWN_GRACE: '0',
      ...environment,
    },
  });
  let log = '';
  child.stderr.on('data', (chunk: Buffer) => (log += chunk.toString()));
  const exited = new Promise<number | null>((settle) => child.once('close', (code) => settle(code)));
  const url = await new Promise<string>((settle, reject) => {
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      const listening = /listens on (\S+)\n/.exec(output);
      if (listening?.[1] !== undefined) settle(listening[1]);
    });
    void exited.then((code) => reject(new ServeEnded(code, log)));
  });
  return {
    url,
    process: child,
    log: () => log,
    async end(signal) {
      child.kill(signal);
      await exited;
    },
  };
}

export interface SlowServer extends AsyncDisposable {
  readonly url: string;
  /** Lets the packages through that are asked for from now on, and those that wait. */
  open(): void;
  /** Resolves once a package is being waited for. */
  readonly held: Promise<void>;
}

/** Serves a repository on the loopback interface, whose packages do not come before it is opened. */
export async function startSlowServer(directory: string): Promise<SlowServer> {
  const gate = Promise.withResolvers<void>();
  const held = Promise.withResolvers<void>();
  const server = createServer(async (request, response) => {
    const path = join(directory, decodeURIComponent(new URL(request.url ?? '/', 'http://x').pathname));
    if (path.endsWith('.rpm')) {
      held.resolve();
      await gate.promise;
    }
    if (existsSync(path)) response.end(readFileSync(path));
    else response.writeHead(404).end();
  });
  const port = await new Promise<number>((settle) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      settle(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
  return {
    url: `http://127.0.0.1:${port}`,
    open: () => gate.resolve(),
    held: held.promise,
    [Symbol.asyncDispose]: () =>
      new Promise((settle) => {
        gate.resolve();
        server.close(() => settle());
        server.closeAllConnections();
      }),
  };
}
