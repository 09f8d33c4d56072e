import type { Database } from '../database/database.ts';
import { findIncomplete, markCompleted, type IncompleteEvent } from '../database/input-events.ts';
import { transaction } from '../database/transaction.ts';
import { instrument, withTrace } from '../instrument.ts';
import type { Log } from '../log.ts';
import { ReactorError } from '../model/errors.ts';
import type { DomainEvent } from '../model/event.ts';
import { enrichEvent, type EnrichSources } from './enrich.ts';

export interface EnrichingContext {
  readonly database: Database;
  readonly log: Log;
  readonly sources: EnrichSources;
}

const CONCURRENCY = 4;
/** A merged rebuild is 44,000 events at once. */
const BATCH = 50;

/**
 * Takes stored events that lack something, adds it, and hands them to the rules. What cannot be completed goes on as
 * it came (the queue's dead letters are matched): rules answer `unknown` to fields that are missing, and say so.
 */
export async function startEnriching(context: EnrichingContext): Promise<void> {
  const { database, log } = context;
  await database.jobs.workTogether('event.enrich', {
    concurrency: CONCURRENCY,
    batch: BATCH,
    onError: (_name, data, error) => log.warn({ ...data, err: error }, 'an event could not be enriched yet'),
    handleAll: async (jobs) => {
      const ids = jobs.map(({ eventId }) => eventId);
      const groups = groupBySource(await findIncomplete(database.kysely, ids));
      const done = await Promise.allSettled(groups.map((events) => completeEvents(context, events)));
      for (const result of done) if (result.status === 'rejected') throw result.reason;
    },
  });
}

/** Events of tags, which come in crowds and ask the same, together; of the others none waits for another's source. */
function groupBySource(events: readonly IncompleteEvent[]): readonly (readonly IncompleteEvent[])[] {
  const { tags = [], others = [] } = Object.groupBy(events, ({ event }) =>
    event.kind === 'koji.tag' || event.kind === 'koji.untag' ? 'tags' : 'others',
  );
  return [...(tags.length === 0 ? [] : [tags]), ...others.map((event) => [event])];
}

/** Completes those whose sources answer, and then throws what asking the first of the others threw. */
async function completeEvents(
  { database, log, sources }: EnrichingContext,
  events: readonly IncompleteEvent[],
): Promise<void> {
  const enrich = ({ id, event, trace }: IncompleteEvent): Promise<DomainEvent> =>
    withTrace([trace], () =>
      instrument('enrich', { event: id, kind: event.kind }, () =>
        enrichEvent(sources, event).catch((error: unknown) => {
          if (!(error instanceof ReactorError) || error.fate === 'retry') throw error;
          log.error({ eventId: id, err: error }, 'an event goes on as it came');
          return event;
        }),
      ),
    );
  const answers = await Promise.allSettled(events.map(enrich));
  const complete = answers.flatMap((answer, at) => {
    const { id } = events[at] ?? {};
    return answer.status === 'fulfilled' && id !== undefined ? [{ id, event: answer.value }] : [];
  });
  if (complete.length > 0) {
    await transaction(database, async (tx) => {
      const completed = await markCompleted(tx.sql, complete);
      await tx.sendAll(
        'event.match',
        completed.map((eventId) => ({ eventId })),
      );
    });
  }
  for (const answer of answers) if (answer.status === 'rejected') throw answer.reason;
}
