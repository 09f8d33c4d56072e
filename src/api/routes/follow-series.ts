import { createHash } from 'node:crypto';
import { findInputEvents } from '../../database/input-events.ts';
import { findLatest } from '../../database/series.ts';
import { escapeXml } from '../../rpm/repodata/escape-xml.ts';
import { changeWords, readSeriesHistory, type SeriesEntry } from '../../series/read-history.ts';
import { clientOf } from '../client.ts';
import { eventSentence } from '../event-sentence.ts';
import type { ApiContext, RegisterRoute } from '../context.ts';
import { problemAnswers } from '../documentation.ts';
import { seriesOfRequest } from '../series-of-request.ts';
import { seriesParameter } from './show-series.ts';

const FEED_ENTRIES = 20;
const FRESH = 'max-age=60';

/** The feed and the badge of a series, for those who follow it from elsewhere. */
export const registerFollowSeries: RegisterRoute = (app, context) => {
  app.openAPIRegistry.registerPath({
    method: 'get',
    path: '/api/1/series/{name}/feed.atom',
    summary: 'Its newest composes as an Atom feed',
    operationId: 'showSeriesFeed',
    tags: ['series'],
    request: { params: seriesParameter },
    responses: {
      200: { description: 'Atom', content: { 'application/atom+xml': { schema: { type: 'string' } } } },
      ...problemAnswers,
    },
  });
  app.openAPIRegistry.registerPath({
    method: 'get',
    path: '/api/1/series/{name}/badge.svg',
    summary: 'A badge that says what it shows',
    operationId: 'showSeriesBadge',
    tags: ['series'],
    request: { params: seriesParameter },
    responses: {
      200: { description: 'SVG', content: { 'image/svg+xml': { schema: { type: 'string' } } } },
      ...problemAnswers,
    },
  });
  app.get('/api/1/series/:name/feed.atom', async (request) => {
    const { name } = await seriesOfRequest(context, request);
    const { publicBase } = clientOf(request.req.raw, request.env, context.config);
    const page = { before: null, limit: FEED_ENTRIES };
    const { entries } = await readSeriesHistory(context.database.kysely, name, page);
    const causes = await readCauses(context, entries);
    return sendText(formatFeed({ name, publicBase, entries, causes }), 'application/atom+xml; charset=utf-8');
  });
  app.get('/api/1/series/:name/badge.svg', async (request) => {
    const { name } = await seriesOfRequest(context, request);
    const latest = (await findLatest(context.database.kysely, [name])).get(name);
    const done = latest?.timeDone?.toISOString().slice(0, 16).replace('T', ' ');
    const value = latest === undefined ? 'no compose' : `${latest.id} · ${done ?? ''} UTC`;
    return sendText(formatBadge(name, value, latest === undefined ? '#6b6b6b' : '#136c34'), 'image/svg+xml');
  });
};

function sendText(text: string, type: string): Response {
  return new Response(text, {
    headers: {
      'Content-Type': type,
      'Cache-Control': FRESH,
      'Access-Control-Allow-Origin': '*',
      'Content-Security-Policy': 'sandbox',
      'X-Content-Type-Options': 'nosniff',
      ETag: `"${createHash('sha256').update(text).digest('base64url').slice(0, 22)}"`,
    },
  });
}

/** Returns what the causes of these composes say, by number of the event. */
async function readCauses(
  context: ApiContext,
  entries: readonly SeriesEntry[],
): Promise<ReadonlyMap<number, string>> {
  const ids = [...new Set(entries.flatMap(({ causes }) => causes))];
  const events = await findInputEvents(context.database.kysely, ids);
  return new Map(events.map(({ id, input }) => [id, eventSentence(input.event)]));
}

interface Feed {
  readonly name: string;
  readonly publicBase: string;
  readonly entries: readonly SeriesEntry[];
  readonly causes: ReadonlyMap<number, string>;
}

// oxlint-disable-next-line no-control-regex
const unwritable = /[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g;

function xmlText(text: string): string {
  return escapeXml(text.toWellFormed().replace(unwritable, ' '));
}

function formatFeed({ name, publicBase, entries, causes }: Feed): string {
  const page = `${publicBase}/console/series/${encodeURIComponent(name)}`;
  const updated = entries[0]?.compose.timeDone ?? new Date(0);
  const items = entries.map((entry) => {
    const { compose, change } = entry;
    const why = entry.causes.flatMap((id) => causes.get(id) ?? []);
    const lines = [...(change?.sentences ?? []), ...why.map((sentence) => `because ${sentence}`)];
    const title = [`Compose ${compose.id}`, changeWords(change)].filter((part) => part !== '').join(': ');
    return `<entry>
<id>${xmlText(`${publicBase}/console/composes/${compose.id}`)}</id>
<title>${xmlText(title)}</title>
<updated>${(compose.timeDone ?? compose.timeSubmitted).toISOString()}</updated>
<author><name>${xmlText(entry.rule ?? compose.owner)}</name></author>
<link rel="alternate" href="${xmlText(`${publicBase}/console/composes/${compose.id}`)}"/>
<content type="text">${xmlText(lines.join('\n'))}</content>
</entry>
`;
  });
  return `<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom">
<id>${xmlText(page)}</id>
<title>${xmlText(`Series ${name}`)}</title>
<updated>${updated.toISOString()}</updated>
<link rel="alternate" href="${xmlText(page)}"/>
<link rel="self" href="${xmlText(`${publicBase}/api/1/series/${encodeURIComponent(name)}/feed.atom`)}"/>
${items.join('')}</feed>
`;
}

/** About how wide a letter of 11 px is. */
const LETTER = 6.6;

function formatBadge(label: string, value: string, colour: string): string {
  const [left, right] = [label, value].map((text) => Math.ceil(text.length * LETTER) + 12);
  const width = (left ?? 0) + (right ?? 0);
  const words = xmlText(`${label}: ${value}`);
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="20" role="img" aria-label="${words}">
<title>${words}</title>
<rect width="${left}" height="20" fill="#444"/><rect x="${left}" width="${right}" height="20" fill="${colour}"/>
<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">
<text x="6" y="14">${xmlText(label)}</text><text x="${(left ?? 0) + 6}" y="14">${xmlText(value)}</text>
</g></svg>
`;
}
