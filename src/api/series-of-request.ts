import { findLastOfSeries } from '../database/composes.ts';
import { findSeries, type SeriesRow } from '../database/series.ts';
import type { DatabaseHandle, TransactionHandle } from '../database/database-handle.ts';
import type { Compose } from '../model/compose-json.ts';
import { isName } from '../model/names.ts';
import { areSameReaders, mayRead, type Readers } from '../model/readers.ts';
import type { Identity } from './auth.ts';
import { ownerOf } from './auth.ts';
import { isAdmin } from './authorise.ts';
import type { ApiContext, ApiRequest } from './context.ts';
import { ApiProblem } from './problem.ts';
import { readerOf } from './reader-of-request.ts';
import { findComposeAt } from './series-files.ts';

/** The problem of a series that no compose ever continued. */
export function noSuchSeries(name: string): ApiProblem {
  return new ApiProblem(
    404,
    'series.not_found',
    `There is no series ${JSON.stringify(name.slice(0, 200))}.`,
    {
      hint: 'GET /api/1/series/ lists them. One that was renamed goes on under its new name only.',
    },
  );
}

/** Returns the series that a path names. Throws `series.not_found` (404). */
export async function seriesOfRequest(context: ApiContext, request: ApiRequest): Promise<SeriesRow> {
  const name = request.req.param('name') ?? '';
  const row = isName('series', name) ? await findSeries(context.database.kysely, name) : undefined;
  if (row === undefined) throw noSuchSeries(name);
  return row;
}

/**
 * Returns the compose that the series of a path shows, or showed at `?at=MOMENT`. Throws `series.not_found`,
 * `series.nothing_shown` (404), and what `findComposeAt` throws.
 */
export async function composeOfSeriesRequest(
  context: ApiContext,
  request: ApiRequest,
): Promise<{ readonly compose: Compose; readonly series: string; readonly at: string | undefined }> {
  const { name } = await seriesOfRequest(context, request);
  const { kysely } = context.database;
  const at = request.req.query('at');
  const compose =
    at === undefined
      ? await findLastOfSeries(kysely, name)
      : await findComposeAt({ kysely, now: context.clock.now() }, name, at);
  if (compose === undefined) {
    throw new ApiProblem(404, 'series.nothing_shown', `The series ${name} has no finished compose.`);
  }
  return { compose, series: name, at };
}

/**
 * Throws `series.not_yours` (403) where a caller may not continue a series: it belongs to somebody else, or to a rule,
 * and the caller is no admin; whose it is is told only to those who may read it. Throws `series.readers_differ` (409)
 * where it is open to others than the request wants. A name that nobody has is free.
 */
export async function checkMayContinue(
  kysely: DatabaseHandle | TransactionHandle,
  {
    series,
    readers,
    identity,
    config,
  }: {
    readonly series: string;
    /** Whom the request names; null where it names nobody. */
    readonly readers: Readers | null;
    readonly identity: Identity;
    readonly config: ApiContext['config'];
  },
): Promise<void> {
  const row = await findSeries(kysely, series);
  if (row === undefined) return;
  if (row.owner === ownerOf(identity) || isAdmin(identity, config)) return checkSameReaders(row, readers);
  const whose = row.rule === null ? row.owner : `the rule ${row.rule}`;
  const isHidden = !mayRead(readerOf(identity, config), row);
  throw new ApiProblem(
    403,
    'series.not_yours',
    `The series ${series} is continued by ${isHidden ? 'others' : whose} only.`,
    {
      hint: 'Name another series, or leave it out.',
    },
  );
}

/** Throws `series.readers_differ` (409). */
function checkSameReaders(row: SeriesRow, readers: Readers | null): void {
  if (readers === null || areSameReaders(readers, row.readers)) return;
  throw new ApiProblem(
    409,
    'series.readers_differ',
    `The series ${row.name} is open to ${row.readers === null ? 'everybody' : 'others than these readers'}.`,
    { hint: 'Leave readers out, or name another series.' },
  );
}
