import type { Database } from '../database/database.ts';
import type { Log } from '../log.ts';
import { messageOf } from '../model/errors.ts';

export interface WarmingContext {
  readonly database: Pick<Database, 'jobs'>;
  readonly log: Log;
  /** Reads what a build says of its packages; returns how many are known then. */
  readonly warm: (nvr: string, signal: AbortSignal) => Promise<number>;
}

/**
 * Reads builds that were tagged before a compose asks for them, one at a time, until the queue stops. What cannot
 * be read is left to the compose that needs it.
 */
export async function startWarming({ database, log, warm }: WarmingContext): Promise<void> {
  await database.jobs.work('build.warm', {
    concurrency: 1,
    onError: (_name, data, error) => log.info({ ...data, reason: messageOf(error) }, 'a build was not read'),
    handleJob: async ({ nvr }, { signal }) => {
      try {
        const packages = await warm(nvr, signal);
        log.debug({ nvr, packages }, 'a build was read before it is asked for');
      } catch (error) {
        log.info({ nvr, reason: messageOf(error) }, 'a build could not be read before it is asked for');
      }
    },
  });
}
