import { z } from '@hono/zod-openapi';
import type { SeriesRow } from '../database/series.ts';
import { composeJson, type Compose } from '../model/compose-json.ts';
import { formatDuration } from '../model/duration.ts';
import type { Keep } from '../model/keep.ts';
import { seriesOutcomes } from '../model/series-notification.ts';
import { seriesRepoid, seriesUrl } from '../rpm/series-repo.ts';
import type { SeriesEntry } from '../series/read-history.ts';
import type { ApiContext } from './context.ts';
import type { NextOfSeries } from './next-of-series.ts';

export const keepSchema = z.object({
  last: z.number().int().nullable(),
  daily: z.string().nullable(),
  weekly: z.string().nullable(),
});

export const seriesSchema = z
  .object({
    name: z.string(),
    owner: z.string(),
    rule: z.string().nullable(),
    keep: keepSchema.nullable(),
    notify: z
      .array(z.object({ host: z.string(), only: z.array(z.enum(seriesOutcomes)) }))
      .openapi({ description: 'The hosts that are told how its composes end, where no rule says so' }),
    readers: z
      .object({ users: z.array(z.string()), groups: z.array(z.string()) })
      .nullable()
      .openapi({ description: 'Who may read it beside its owner; null for everybody' }),
    repoid: z.string(),
    latest: z.number().int().nullable().openapi({ description: 'Id of its newest done compose' }),
    latest_done: z.string().nullable(),
    latest_url: z.string().nullable(),
    latest_repofile: z.string().nullable(),
  })
  .openapi('Series');

/** A series as the API shows it; `latest` is its newest done compose. */
export function seriesJson(
  { targetDirUrls }: Pick<ApiContext, 'targetDirUrls'>,
  row: SeriesRow,
  latest: Compose | undefined,
): z.infer<typeof seriesSchema> {
  const url = latest?.targetDir === 'default' ? seriesUrl(targetDirUrls.default, row.name) : null;
  return {
    name: row.name,
    owner: row.owner,
    rule: row.rule,
    keep: keepJson(row.keep),
    // What follows the host often holds a secret.
    notify: (row.notify ?? []).map(({ webhook, only }) => ({ host: new URL(webhook).host, only: [...only] })),
    readers: row.readers === null ? null : { users: [...row.readers.users], groups: [...row.readers.groups] },
    repoid: seriesRepoid(row.name),
    latest: latest?.id ?? null,
    latest_done: latest?.timeDone?.toISOString() ?? null,
    latest_url: url === null ? null : `${url}/latest`,
    latest_repofile: url === null ? null : `${url}/latest.repo`,
  };
}

/** What is kept of a series as the API shows it. */
export function keepJson(keep: Keep | null): z.infer<typeof keepSchema> | null {
  if (keep === null) return null;
  const written = (span: number | null): string | null => (span === null ? null : formatDuration(span));
  return { last: keep.last, daily: written(keep.dailyMs), weekly: written(keep.weeklyMs) };
}

export const seriesEntrySchema = z.object({
  id: z.number().int(),
  state: z.string(),
  done: z.string().nullable(),
  expires: z.string(),
  removed: z.string().nullable(),
  /** The compose whose directory it shows. */
  reuses: z.number().int().nullable(),
  packages: z.number().int().nullable(),
  rule: z.string().nullable(),
  owner: z.string(),
  causes: z.array(z.number().int()).openapi({ description: 'Newest events that led to it' }),
  toplevel_url: z.string(),
  change: z
    .object({
      since: z.number().int(),
      added: z.number().int(),
      removed: z.number().int(),
      upgraded: z.number().int(),
      downgraded: z.number().int(),
      replaced: z.number().int(),
      options: z.number().int(),
      sentences: z.array(z.string()),
    })
    .nullable(),
});

/** One compose of a series as the API shows it. */
export function seriesEntryJson(
  { targetDirUrls }: Pick<ApiContext, 'targetDirUrls'>,
  { compose, packages, rule, causes, change }: SeriesEntry,
): z.infer<typeof seriesEntrySchema> {
  return {
    id: compose.id,
    state: compose.state,
    done: compose.timeDone?.toISOString() ?? null,
    expires: compose.timeToExpire.toISOString(),
    removed: compose.timeRemoved?.toISOString() ?? null,
    reuses: compose.reusedId,
    packages,
    rule,
    owner: compose.owner,
    causes: [...causes],
    toplevel_url: composeJson(compose, targetDirUrls).toplevel_url,
    change: change === null ? null : { ...change, sentences: [...change.sentences] },
  };
}

export const nextSchema = z
  .object({
    kind: z.enum(['running', 'waiting', 'window']),
    rule: z.string().nullable(),
    at: z.string().nullable(),
  })
  .nullable();

/** What comes next in a series as the API shows it. */
export function nextJson(next: NextOfSeries | null): z.infer<typeof nextSchema> {
  if (next === null) return null;
  switch (next.kind) {
    case 'running':
      return { kind: 'running', rule: null, at: null };
    case 'waiting':
      return { kind: 'waiting', rule: null, at: next.notBefore?.toISOString() ?? null };
    case 'window':
      return { kind: 'window', rule: next.rule, at: next.dueAt.toISOString() };
    default:
      return next satisfies never;
  }
}
