import type { Compose } from '../model/compose-json.ts';
import { composeDirectoryName } from '../model/compose.ts';
import type { ComposeIdentity } from '../rpm/productmd.ts';
import type { Selection } from './selection.ts';

/**
 * Returns what the metadata of a compose call it. Composes of one release and day are told apart by their respin: the
 * number of the compose.
 */
export function identityOf(compose: Compose, { release }: Pick<Selection, 'release'>): ComposeIdentity {
  const since = compose.timeStarted ?? compose.timeSubmitted;
  return {
    name: composeDirectoryName({ id: compose.id, reusedId: null }),
    date: since.toISOString().slice(0, 10).replaceAll('-', ''),
    type: compose.composeType,
    respin: release === null ? 0 : compose.id,
    label: compose.label,
    timestamp: Math.floor(since.getTime() / 1000),
    parentIds: compose.request.parentPungiComposeIds ?? [],
    respinOf: compose.respinOf,
    ...(release === null ? {} : { release }),
  };
}
