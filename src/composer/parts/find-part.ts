import { findNamedCompose } from '../../database/named-composes.ts';
import type { DatabaseHandle } from '../../database/database-handle.ts';
import type { Compose } from '../../model/compose-json.ts';
import { composeDirectoryName } from '../../model/compose.ts';
import { ReactorError } from '../../model/errors.ts';
import { pathBelow } from '../pen.ts';
import type { PublishedPart } from './read-part.ts';

/** Where composes of this service are looked up. */
export interface PartContext {
  readonly kysely: DatabaseHandle;
  /** Name of a target directory to its path. */
  readonly targetDirs: Readonly<Record<string, string>>;
  /** `open` where what is made of parts has readers of its own: private ones are not found then. */
  readonly only?: 'open';
}

/**
 * Finds a finished compose by its id, or the newest done one of a series. Throws `compose.part_unknown`,
 * `compose.part_not_done` (retried while it is being made), `compose.part_unreadable`.
 */
export async function findPart(context: PartContext, word: string): Promise<PublishedPart> {
  const isId = /^\d+$/.test(word);
  const compose = await findNamedCompose(context.kysely, word);
  if (compose === undefined || (context.only === 'open' && compose.readers !== null)) {
    throw new ReactorError(
      'compose.part_unknown',
      isId ? `There is no compose ${word}.` : `The series "${word}" has no finished compose.`,
      { hint: 'Name composes by id, or by the series of a rule.' },
    );
  }
  return toPart(context, compose);
}

function toPart({ targetDirs }: PartContext, compose: Compose): PublishedPart {
  if (compose.state !== 'done') {
    const isUnderWay = compose.state === 'wait' || compose.state === 'generating';
    throw new ReactorError('compose.part_not_done', `Compose ${compose.id} is ${compose.state}, not done.`, {
      fate: isUnderWay ? 'retry' : 'drop',
    });
  }
  const targetDir = targetDirs[compose.targetDir];
  if (targetDir === undefined) {
    throw new ReactorError(
      'compose.part_unreadable',
      `The target directory of compose ${compose.id} is not configured.`,
    );
  }
  return { id: compose.id, directory: pathBelow(targetDir, composeDirectoryName(compose)) };
}
