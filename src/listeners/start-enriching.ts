import type { Database } from '../database/database.ts';
import { markCompleted } from '../database/input-events.ts';
import { transaction } from '../database/transaction.ts';
import { instrument, withTrace } from '../instrument.ts';
import type { Log } from '../log.ts';
import { ReactorError } from '../model/errors.ts';
import { enrichEvent, type EnrichSources } from './enrich.ts';

export interface EnrichingContext {
  readonly database: Database;
  readonly log: Log;
  readonly sources: EnrichSources;
}

/**
 * Takes stored events that lack something, adds it, and hands them to the rules. What cannot be completed goes on as
 * it came (the queue's dead letters are matched): rules answer `unknown` to fields that are missing, and say so.
 */
export async function startEnriching({ database, log, sources }: EnrichingContext): Promise<void> {
  await database.jobs.work('event.enrich', {
    concurrency: 4,
    onError: (_name, data, error) => log.warn({ ...data, err: error }, 'an event could not be enriched yet'),
    handleJob: async ({ eventId }) => {
      const row = await database.kysely
        .selectFrom('events')
        .select(['event', 'trace'])
        .where('id', '=', eventId)
        .where('stage', '=', 'enrich')
        .executeTakeFirst();
      if (row === undefined || row.event === null) return;
      const { event, trace } = row;
      await withTrace([trace], () =>
        instrument('enrich', { event: eventId, kind: event.kind }, async () => {
          const enriched = await enrichEvent(sources, event).catch((error: unknown) => {
            if (!(error instanceof ReactorError) || error.fate === 'retry') throw error;
            log.error({ eventId, err: error }, 'an event goes on as it came');
            return event;
          });
          await transaction(database, async (tx) => {
            if (await markCompleted(tx.sql, eventId, enriched)) await tx.send('event.match', { eventId });
          });
        }),
      );
    },
  });
}
