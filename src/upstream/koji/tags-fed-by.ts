import { HubRow, rowsOf } from './hub-row.ts';
import { getTag } from './hub-tags.ts';
import type { KojiHub } from './hub.ts';

/**
 * A tag and every tag that inherits it, by name: those whose content changes with it. A tag that does not exist
 * feeds itself only. Source: Koji contract 3, `getFullInheritance` with `reverse`.
 */
export async function tagsFedBy(hub: KojiHub, tag: string): Promise<readonly string[]> {
  if ((await getTag(hub, tag)) === null) return [tag];
  const about = `getFullInheritance below ${tag}`;
  const answer = await hub.call('getFullInheritance', [tag], { reverse: true });
  return [
    ...new Set([tag, ...rowsOf(answer, about).map((row) => new HubRow(row, about).text('name'))]),
  ].sort();
}
