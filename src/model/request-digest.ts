import { createHash } from 'node:crypto';
import type { ComposeRequest } from './compose.ts';

/**
 * Returns the digest of what a request asks for; how long the compose lives is left out. Null where its plan is its own:
 * it is to be made anew, or what it is made of depends on who may read it.
 */
export function digestOfRequest({ secondsToLive: _lives, ...asked }: ComposeRequest): string | null {
  if (asked.flags.includes('no_reuse') || asked.sourceType === 'compose') return null;
  const fields = Object.entries(asked).toSorted(([left], [right]) => (left < right ? -1 : 1));
  return createHash('sha256').update(JSON.stringify(fields)).digest('hex');
}
