import { findNamedCompose } from '../database/named-composes.ts';
import { currentReader, readAs, wholeReader } from '../database/readable.ts';
import type { ComposeRequest } from '../model/compose.ts';
import { mayRead } from '../model/readers.ts';
import type { ApiContext } from './context.ts';
import { ApiProblem } from './problem.ts';

/**
 * Throws `compose.part_unknown` (400) where a compose of composes names one that does not exist, or that the caller may
 * not read: the answers are the same.
 */
export async function checkParts(context: ApiContext, asked: ComposeRequest): Promise<void> {
  if (asked.sourceType !== 'compose') return;
  for (const word of asked.source) {
    const part = await readAs(wholeReader, () => findNamedCompose(context.database.kysely, word));
    if (part !== undefined && mayRead(currentReader(), part)) continue;
    const isId = /^\d+$/.test(word);
    throw new ApiProblem(
      400,
      'compose.part_unknown',
      isId ? `There is no compose ${word}.` : `The series "${word}" has no finished compose.`,
      { hint: 'Name composes by id, or by the series of a rule.' },
    );
  }
}
