import type { JobAttempt } from '../database/jobs.ts';
import { messageOf, ReactorError } from '../model/errors.ts';

/** What a repository that is being written, or a stale mirror, brings: over within seconds, or never. */
const brief = new Set([
  'repodata.checksum_mismatch',
  'repodata.size_mismatch',
  'repodata.file_missing',
  'repo.file_missing',
  'compose.package_changed',
  'compose.package_unreadable',
  'store.size_differs',
  'store.digest_differs',
  'signing.failed',
]);
const BRIEF_ATTEMPTS = 3;

/**
 * Returns whether a later attempt may do better: an upstream that is away is asked for minutes, inputs that do not fit
 * together and errors nobody foresaw a few times only.
 */
export function isWorthRetrying(error: unknown, job: Pick<JobAttempt, 'isLast' | 'number'>): boolean {
  if (job.isLast) return false;
  if (!(error instanceof ReactorError)) return job.number < BRIEF_ATTEMPTS;
  return error.fate === 'retry' && (!brief.has(error.code) || job.number < BRIEF_ATTEMPTS);
}

/** Returns what `state_reason` says: the sentence, where, and what to do. */
export function sentenceOf(error: unknown): string {
  if (!(error instanceof ReactorError)) return `Error while generating compose: ${messageOf(error)}`;
  if (error.code === 'compose.cancelled') return error.message;
  const where = error.where === undefined ? '' : ` (${error.where})`;
  const hint = error.hint === undefined ? '' : ` ${error.hint}`;
  return `Error while generating compose: ${error.message}${where}${hint}`;
}
