import { connect, type AddressInfo } from 'node:net';
import { createApp } from '../../src/api/app.ts';
import type { ApiContext, RegisterRoute } from '../../src/api/context.ts';
import { createHttpServer } from '../../src/api/http-server.ts';

export interface Listening extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** Sends bytes as they are and returns all that comes back, the way no HTTP library would let us. */
  readonly speak: (bytes: string | Buffer) => Promise<string>;
}

/** The application behind the real HTTP server, on a free port. */
export async function listen(context: ApiContext, more: readonly RegisterRoute[] = []): Promise<Listening> {
  const app = createApp(context, more);
  const server = createHttpServer({
    fetch: (request, bindings) => app.fetch(request, bindings),
    log: context.log,
    tls: null,
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    speak: (bytes) => speak(port, bytes),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function speak(port: number, bytes: string | Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = [];
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    socket.on('data', (piece) => pieces.push(piece));
    socket.on('error', reject);
    socket.on('close', () => resolve(Buffer.concat(pieces).toString('latin1')));
  });
}
