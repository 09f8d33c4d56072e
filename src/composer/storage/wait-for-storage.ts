import { setTimeout as pause } from 'node:timers/promises';
import type { StorageWatch } from './storage-watch.ts';

const LOOK_EVERY = 2_000;
/** An attempt that others follow leaves its place to composes of other target directories after so long. */
const LONGEST_WAIT = 30_000;

/**
 * Waits until a target directory can be written. `onTrouble` is told what is wrong, each sentence once. Throws
 * `storage.not_ready` after half a minute, unless this is the last attempt, and the reason of the signal.
 */
export async function waitForStorage(
  storage: Pick<StorageWatch, 'trouble'>,
  targetDir: string,
  attempt: { readonly signal: AbortSignal; readonly isLast: boolean },
  onTrouble: (sentence: string) => Promise<void>,
): Promise<void> {
  let told = '';
  for (let waited = 0; ; waited += LOOK_EVERY) {
    const trouble = await storage.trouble(targetDir);
    attempt.signal.throwIfAborted();
    if (trouble === null) return;
    if (waited >= LONGEST_WAIT && !attempt.isLast) throw trouble;
    if (trouble.message !== told) await onTrouble(trouble.message);
    told = trouble.message;
    await pause(LOOK_EVERY, undefined, { signal: attempt.signal }).catch(() => undefined);
    attempt.signal.throwIfAborted();
  }
}
