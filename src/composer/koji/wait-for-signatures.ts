import { setTimeout as sleep } from 'node:timers/promises';
import { ReactorError } from '../../model/errors.ts';
import type { SelectContext } from '../selection.ts';
import type { Koji } from './koji.ts';

/** How long one attempt looks again and again; the job of the compose comes again after that, and others have their turn. */
const PATIENCE_MS = 60_000;
const LOOK_EVERY_MS = 10_000;

/** How patient an attempt is; a test has its own. */
export interface SigningPatience {
  readonly patienceMs: number;
  readonly lookEveryMs: number;
}

/**
 * Does work that needs signed packages, again and again as long as the request wants to wait for signatures that are on
 * their way: a minute in one attempt, then `koji.not_signed_yet` is worth another attempt. Throws what the work throws.
 */
export async function waitForSignatures<Result>(
  { clock }: Pick<Koji, 'clock'>,
  { signal, log, signaturesUntil, progress }: SelectContext,
  work: () => Promise<Result>,
  { patienceMs, lookEveryMs }: SigningPatience = { patienceMs: PATIENCE_MS, lookEveryMs: LOOK_EVERY_MS },
): Promise<Result> {
  for (let waitedMs = 0; ; waitedMs += lookEveryMs) {
    try {
      return await work();
    } catch (error) {
      const isUnsigned = error instanceof ReactorError && error.code === 'koji.not_signed_yet';
      if (!isUnsigned || signaturesUntil === undefined || clock.now() >= signaturesUntil) throw error;
      if (waitedMs >= patienceMs) {
        const { code, message, hint } = error;
        throw new ReactorError(code, message, {
          ...(hint === undefined ? {} : { hint }),
          fate: 'retry',
          cause: error,
        });
      }
      log.info({ until: signaturesUntil }, 'packages that are not signed yet are waited for');
      progress('wait for signatures', waitedMs / 1000, patienceMs / 1000, 'seconds');
      await sleep(lookEveryMs, undefined, { signal });
    }
  }
}
