import { ReactorError } from '../model/errors.ts';
import { USAGE_EXIT } from './command.ts';

/** Where something was refused or failed. */
const REFUSED_EXIT = 1;
/** Where this program is wrong. Source: EX_SOFTWARE of sysexits(3). */
const FAULT_EXIT = 70;

/** Words that are wrong though each is right by itself. */
const wrongWords: ReadonlySet<string> = new Set(['command.option_missing', 'command.unknown']);

/** Returns how a command ends that threw this: wrong words with 2 whoever finds them, what is refused or fails with 1, our faults with 70. */
export function exitCodeOf(error: unknown): number {
  if (!(error instanceof ReactorError)) return FAULT_EXIT;
  return error.code.endsWith('.usage') || wrongWords.has(error.code) ? USAGE_EXIT : REFUSED_EXIT;
}
