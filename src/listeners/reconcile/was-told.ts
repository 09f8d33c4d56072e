import { sql } from 'kysely';
import type { Database } from '../../database/database.ts';
import type { EventKind } from '../../model/event.ts';

const CLOCK_SKEW_MS = 60_000;

/**
 * Whether a change is known already: an event of this kind with these fields came in since shortly before a time
 * (milliseconds). The instance is not asked, so that a wrong setting doubles nothing.
 */
export async function wasTold(
  handle: Database['handle'],
  change: { readonly kind: EventKind; readonly since: number; readonly fields: object },
): Promise<boolean> {
  const row = await handle
    .selectFrom('events')
    .select('id')
    .where('kind', '=', change.kind)
    .where('received_at', '>=', new Date(change.since - CLOCK_SKEW_MS))
    .where(sql<boolean>`event @> ${JSON.stringify(change.fields)}::jsonb`)
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}
