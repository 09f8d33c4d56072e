import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';

const AGAIN_MS = 250;
const PATIENCE_MS = 15_000;
const composeSchema = z.object({ id: z.number() });
const eventSchema = z.object({ id: z.number().nullable() });

/** Asks until the service accepts, as a careful client does; the key makes that one compose. Returns its id. */
export async function askForCompose(url: string, key: string, body: object): Promise<number> {
  const text = await insist(`${url}/api/1/composes/`, body, { 'Idempotency-Key': key });
  return composeSchema.parse(JSON.parse(text)).id;
}

/** Sends the service an event until it accepts it. Returns the number it has there. */
export async function tellEvent(url: string, event: object): Promise<number | null> {
  return eventSchema.parse(JSON.parse(await insist(`${url}/api/1/events`, event, {}))).id;
}

/** Asks once for a compose to be cancelled. Returns whether the service says that it will be. */
export async function cancelCompose(url: string, id: number): Promise<boolean> {
  try {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    return (await fetch(`${url}/api/1/composes/${id}`, { method: 'DELETE', signal })).ok;
  } catch {
    // Whether it heard is not known; a client that must know asks again.
    return false;
  }
}

/** Waits until the service answers that it can work. */
export async function untilReady(url: string): Promise<void> {
  const deadline = performance.now() + 120_000;
  for (;;) {
    const ready = await fetch(`${url}/ready`).then(
      (response) => response.ok,
      () => false,
    );
    if (ready) return;
    if (performance.now() > deadline) throw new Error('The service is not ready in time.');
    await pause(200);
  }
}

/** Sends a body until the service takes it. Throws where it says that the request itself is wrong. */
async function insist(url: string, body: object, headers: Record<string, string>): Promise<string> {
  for (;;) {
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', ...headers },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
      const text = await response.text();
      if (response.ok) return text;
      if (response.status < 500) throw new WrongRequest(`${response.status} ${text}`);
    } catch (error) {
      if (error instanceof WrongRequest) throw error;
    }
    await pause(AGAIN_MS);
  }
}

class WrongRequest extends Error {}
