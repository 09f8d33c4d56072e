import { connect, createServer, type Socket } from 'node:net';

/** A TCP proxy before a server, whose network can be taken away. */
export interface SilentProxy extends AsyncDisposable {
  readonly port: number;
  /** Swallows everything from now on, without a word to either side: as where a host vanishes. */
  goDark(): void;
  /** Lets new connections through again; those from before stay dead. */
  light(): void;
}

/** Starts a proxy on a free port of the loopback before a port of the loopback. */
export async function startSilentProxy(target: number): Promise<SilentProxy> {
  let isDark = false;
  const sockets = new Set<Socket>();
  const keep = (socket: Socket): Socket => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => sockets.delete(socket));
    return socket;
  };
  const server = createServer((client) => {
    keep(client);
    if (isDark) return;
    const upstream = keep(connect(target, '127.0.0.1'));
    let isDead = false;
    const dies = (): boolean => (isDead ||= isDark);
    client.on('data', (data) => dies() || upstream.write(data));
    upstream.on('data', (data) => dies() || client.write(data));
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => dies() || client.destroy());
    dead.push(() => (isDead = true));
  });
  const dead: (() => void)[] = [];
  const port = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
  return {
    port,
    goDark() {
      isDark = true;
      for (const die of dead) die();
    },
    light() {
      isDark = false;
    },
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
