import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Database } from '../database/database.ts';
import { recordProcess } from '../database/processes.ts';
import type { Log } from '../log.ts';
import type { Offers } from '../model/offers.ts';

const EVERY_MS = 10_000;

/** Records that this process runs and what it can make, every ten seconds until it is disposed of. */
export async function keepProcessRow(
  { database, log }: { readonly database: Database; readonly log: Log },
  told: { readonly version: string; readonly roles: readonly string[]; readonly offers: Offers },
): Promise<Disposable> {
  const process = { id: randomUUID(), host: hostname(), ...told };
  const record = (): Promise<void> =>
    recordProcess(database.kysely, { ...process, skewMs: database.clock.skewMs });
  await record();
  const timer = setInterval(() => {
    record().catch((error: unknown) => {
      log.warn({ err: error }, 'This process cannot tell the others that it runs');
    });
  }, EVERY_MS);
  timer.unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
