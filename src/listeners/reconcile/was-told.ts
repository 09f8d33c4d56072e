import { sql } from 'kysely';
import type { Database } from '../../database/database.ts';
import type { EventKind } from '../../model/event.ts';

/** So much earlier than a change its message may have come, by the clocks of both. */
export const CLOCK_SKEW_MS = 60_000;
/** What a topic without an organisation names, which the webhook takes from anybody. */
const ANYBODY = 'local';

/** A change of one system, as the message that tells it would say. */
export interface ToldChange {
  readonly kind: EventKind;
  /** Since when a message may have told it, in milliseconds. */
  readonly since: number;
  /** The fields that tell this change from others of its kind. */
  readonly fields: object;
  /** Whose system changed: `fedora`, `centos`, `brew`, … */
  readonly instance: string;
}

/**
 * Whether a change is known already: an event of this kind with these fields came in since shortly before a time.
 * Another instance may have the same tag, build or module number, so its events do not count; unless no bus ever
 * told such an event of this instance, for then the settings call it by another name than its messages do, and
 * everything would be doubled.
 */
export async function wasTold(kysely: Database['kysely'], change: ToldChange): Promise<boolean> {
  const rows = await kysely
    .selectFrom('events')
    .select('instance')
    .distinct()
    .where('kind', '=', change.kind)
    .where('received_at', '>=', new Date(change.since - CLOCK_SKEW_MS))
    .where(sql<boolean>`event @> ${JSON.stringify(change.fields)}::jsonb`)
    .execute();
  if (rows.length === 0) return false;
  return (
    rows.some(({ instance }) => instance === change.instance || instance === ANYBODY) ||
    !(await isHeard(kysely, change))
  );
}

async function isHeard(kysely: Database['kysely'], { kind, instance }: ToldChange): Promise<boolean> {
  const row = await kysely
    .selectFrom('events')
    .select('id')
    .where('kind', '=', kind)
    .where('instance', '=', instance)
    .where('bus', '<>', 'internal')
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}
