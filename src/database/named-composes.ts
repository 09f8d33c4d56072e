import type { Compose } from '../model/compose-json.ts';
import { findCompose, findLastOfSeries } from './composes.ts';
import type { DatabaseHandle, TransactionHandle } from './database-handle.ts';

/** Returns the compose that a part of a compose of composes names: an id, or a series, which stands for its newest. */
export function findNamedCompose(
  kysely: DatabaseHandle | TransactionHandle,
  word: string,
): Promise<Compose | undefined> {
  return /^\d+$/.test(word) ? findCompose(kysely, Number(word)) : findLastOfSeries(kysely, word);
}

/** Returns the composes that these parts name; words that name none are left out. */
export async function findNamedComposes(
  kysely: DatabaseHandle | TransactionHandle,
  words: readonly string[],
): Promise<readonly Compose[]> {
  const parts: Compose[] = [];
  for (const word of words) {
    const part = await findNamedCompose(kysely, word);
    if (part !== undefined) parts.push(part);
  }
  return parts;
}
