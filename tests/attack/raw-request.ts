import { connect } from 'node:net';
import { once } from 'node:events';

/**
 * Sends bytes as they are to the service and returns what comes back until it closes, at most `milliseconds`. No client
 * library would send what is sent here.
 */
export async function sendRaw(url: string, bytes: string | Buffer, milliseconds = 5_000): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  let text = '';
  socket.on('error', () => undefined);
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
  const timer = setTimeout(() => socket.destroy(), milliseconds);
  socket.on('connect', () => socket.end(bytes));
  await once(socket, 'close').catch(() => undefined);
  clearTimeout(timer);
  return text;
}

/** Returns the status of the first answer in what came back, 0 where there is none. */
export function statusOf(text: string): number {
  return Number(/^HTTP\/1\.[01] (\d{3})/.exec(text)?.[1] ?? 0);
}
