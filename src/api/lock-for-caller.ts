import { ReactorError } from '../model/errors.ts';
import { parseLockRequest, type LockRequest } from '../model/lock-request.ts';
import type { LockFile } from '../rpm/lock-file.ts';
import type { ApiContext, AskedLock } from './context.ts';
import { notServed, requireDone } from './place-of-compose.ts';
import { ApiProblem } from './problem.ts';

/**
 * Returns the lock file of a compose. What cannot be locked is the caller's to mend: throws `lock.*` (400), besides
 * `lock.unavailable` (501) where this process cannot, `lock.unreadable`, and what `requireDone` throws.
 */
export async function lockForCaller(
  { lock }: Pick<ApiContext, 'lock'>,
  asked: AskedLock,
  signal: AbortSignal,
): Promise<LockFile> {
  requireDone(asked.compose);
  if (asked.compose.targetDir !== 'default') throw notServed(asked.compose);
  if (lock === undefined) {
    throw new ApiProblem(501, 'lock.unavailable', 'This server cannot read the repodata of composes.', {
      hint: 'Ask one that has the role composer.',
    });
  }
  try {
    return await lock(asked, signal);
  } catch (error) {
    const isOurs = error instanceof ReactorError && error.code.startsWith('lock.');
    throw !isOurs || error.code === 'lock.unreadable' ? error : refusalOf(error);
  }
}

/** Reads what a caller wants locked, as `parseLockRequest` does. Throws `lock.request_invalid` (400). */
export function readLockWish(body: unknown): LockRequest {
  try {
    return parseLockRequest(body);
  } catch (error) {
    throw error instanceof ReactorError ? refusalOf(error) : error;
  }
}

function refusalOf(error: ReactorError): ApiProblem {
  const details = error.hint === undefined ? {} : { hint: error.hint };
  return new ApiProblem(400, error.code, error.message, { ...details, cause: error });
}
