import { createHash } from 'node:crypto';
import { findSeries } from '../database/series.ts';
import type { UnitOfWork } from '../database/transaction.ts';
import { newsOfCompose, type Compose } from '../model/compose-json.ts';
import { areSameReaders } from '../model/readers.ts';
import type { SeriesOutcome } from '../model/series-notification.ts';

/**
 * Has the webhooks of a person's series told how a compose of it ended; those of a rule hear of its decisions instead.
 * Nothing is told of a compose that the owner of the series may not read: an admin may have continued it with one that is
 * open to fewer people.
 */
export async function tellSeries(tx: UnitOfWork, compose: Compose): Promise<void> {
  const { series, owner, readers } = compose;
  if (series === null) return;
  const row = await findSeries(tx.sql, series);
  if (row === undefined || row.notify === null || row.notify.length === 0) return;
  if (readers !== null && owner !== row.owner && !areSameReaders(readers, row.readers)) return;
  for (const outcome of outcomesOf(compose)) {
    const body = bodyOf(compose, outcome, tx.now);
    for (const { webhook, only } of row.notify) {
      if (only.includes(outcome)) await tx.send('series.webhook', { url: webhook, body });
    }
  }
}

function outcomesOf({ state, changedImages }: Compose): readonly SeriesOutcome[] {
  if (state === 'failed') return ['failed'];
  const changesImages = changedImages !== null && changedImages.images.length > 0;
  return changesImages ? ['composed', 'image_changed'] : ['composed'];
}

/** What webhooks are told; `id` is the same however often it is told. */
function bodyOf(compose: Compose, outcome: SeriesOutcome, now: Date) {
  return {
    event: 'series-continued',
    id: idOf(`${compose.timeSubmitted.toISOString()} ${compose.id} ${outcome}`),
    series: compose.series,
    owner: compose.owner,
    outcome,
    why: outcome === 'failed' ? compose.stateReason : null,
    compose_id: compose.id,
    at: now.toISOString(),
    ...(outcome === 'failed' ? {} : newsOfCompose(compose)),
  };
}

/** A name-based UUID of a text, version 8. */
function idOf(text: string): string {
  const hex = createHash('sha256').update(`odcs-reactor:series:${text}`).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
