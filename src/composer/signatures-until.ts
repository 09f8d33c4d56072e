import type { ComposeRequest } from '../model/compose.ts';
import type { SelectContext } from './selection.ts';

/** Returns until when a compose waits for signatures that are on their way, counted from when it was asked for. */
export function signaturesUntil(
  { tagOptions }: Pick<ComposeRequest, 'tagOptions'>,
  askedAt: Date,
): Pick<SelectContext, 'signaturesUntil'> {
  const waitMs = tagOptions?.waitForSignaturesMs ?? 0;
  return waitMs === 0 ? {} : { signaturesUntil: new Date(askedAt.getTime() + waitMs) };
}
