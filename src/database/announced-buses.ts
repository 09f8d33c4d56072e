import { sql } from 'kysely';
import type { DatabaseHandle } from './database-handle.ts';

/** A bus counts for so long after the last announcer that had it. */
const BUS_KEPT_DAYS = 7;

/** Records that an announcer with these buses runs, and returns every bus that some announcer has. */
export async function recordBuses(
  kysely: DatabaseHandle,
  { buses, now }: { readonly buses: readonly string[]; readonly now: Date },
): Promise<readonly string[]> {
  for (const bus of buses) {
    await kysely
      .insertInto('announced_buses')
      .values({ bus, last_seen: now })
      .onConflict((conflict) => conflict.column('bus').doUpdateSet({ last_seen: now }))
      .execute();
  }
  const since = new Date(now.getTime() - BUS_KEPT_DAYS * 86_400_000);
  const rows = await kysely
    .selectFrom('announced_buses')
    .select('bus')
    .where('last_seen', '>=', since)
    .orderBy('bus')
    .execute();
  return rows.map(({ bus }) => bus);
}

/** Finishes what every bus has accepted; all there is where no announcer has any bus. */
export async function finishAnnounced(
  kysely: DatabaseHandle,
  { known, now }: { readonly known: readonly string[]; readonly now: Date },
): Promise<void> {
  await kysely
    .updateTable('announcements')
    .set({ finished_at: now, last_error: null })
    .where('finished_at', 'is', null)
    .where('only_bus', 'is', null)
    .where(sql<boolean>`accepted ?& ${[...known]}::text[]`)
    .execute();
}

/**
 * Marks what is meant for a bus that no announcer has with the reason; it waits for one and is finished, unsent, when
 * none came in a week. Returns how many of each bus were marked now that wait; those that were marked before are left alone.
 */
export async function markHomeless(
  kysely: DatabaseHandle,
  { known, now }: { readonly known: readonly string[]; readonly now: Date },
): Promise<readonly { readonly bus: string; readonly waiting: number }[]> {
  const since = new Date(now.getTime() - BUS_KEPT_DAYS * 86_400_000);
  const { rows } = await sql<{ bus: string; waiting: number }>`
    with homeless as (
      update announcements
      set last_error = 'No announcer has the bus ' || only_bus || '.',
        finished_at = case when created_at < ${since} then ${now}::timestamptz end
      where finished_at is null and only_bus is not null and only_bus <> all(${[...known]}::text[])
        and (last_error is distinct from 'No announcer has the bus ' || only_bus || '.' or created_at < ${since})
      returning only_bus, finished_at
    )
    select only_bus as bus, count(*)::integer as waiting from homeless where finished_at is null
    group by only_bus order by only_bus`.execute(kysely);
  return rows;
}

/** Returns how many announcements wait for longer than ten minutes, and what the oldest waits for. */
export async function findStuck(
  kysely: DatabaseHandle,
  now: Date,
): Promise<{ readonly waiting: number; readonly reason: string | null }> {
  const before = new Date(now.getTime() - 600_000);
  const { rows } = await sql<{ waiting: number; reason: string | null }>`
    select count(*)::integer as waiting,
      (array_agg(last_error order by id) filter (where last_error is not null))[1] as reason
    from announcements where finished_at is null and created_at < ${before}`.execute(kysely);
  return rows[0] ?? { waiting: 0, reason: null };
}
