import { sql } from 'kysely';
import type { DomainEvent } from '../model/event.ts';
import { matchNamePattern } from '../model/name-pattern.ts';
import type { UnitOfWork } from './transaction.ts';

/** Whether an event names a build that is under embargo now. */
export const isEmbargoed = sql<boolean>`(
  exists (select from embargoed_builds where nvr in (event ->> 'nvr', event ->> 'subject'))
  or (jsonb_typeof(event -> 'builds') = 'array' and exists (
    select from jsonb_array_elements(event -> 'builds') as named join embargoed_builds on nvr = named ->> 'nvr')))`;

/**
 * Notes which builds come under embargo and which leave it, in the order of their messages: a build is under embargo as
 * long as it is in one of these tags (names or patterns).
 */
export async function noteEmbargoes(
  tx: UnitOfWork,
  { events, tags }: { readonly events: readonly DomainEvent[]; readonly tags: readonly string[] },
): Promise<void> {
  const isOfEmbargo = tags.map(matchNamePattern);
  for (const event of events) {
    if (event.kind !== 'koji.tag' && event.kind !== 'koji.untag') continue;
    const { nvr, tag } = event;
    if (!isOfEmbargo.some((matches) => matches(tag))) continue;
    if (event.kind === 'koji.tag') {
      await tx.sql
        .insertInto('embargoed_builds')
        .values({ nvr, tag, since: tx.now })
        .onConflict((conflict) => conflict.columns(['nvr', 'tag']).doNothing())
        .execute();
    } else {
      await tx.sql.deleteFrom('embargoed_builds').where('nvr', '=', nvr).where('tag', '=', tag).execute();
    }
  }
}
