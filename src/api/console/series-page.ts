import { html } from 'hono/html';
import { findInputEvents } from '../../database/input-events.ts';
import { findLatest, type SeriesRow } from '../../database/series.ts';
import type { Compose } from '../../model/compose-json.ts';
import { changeWords, readSeriesHistory, type SeriesEntry } from '../../series/read-history.ts';
import type { RegisterRoute } from '../context.ts';
import { findNextOfSeries, type NextOfSeries } from '../next-of-series.ts';
import { seriesJson } from '../series-json.ts';
import { seriesOfRequest } from '../series-of-request.ts';
import { badge, copyBox, moment, stackTable } from './elements.ts';
import { eventSentence } from '../event-sentence.ts';
import { registerPage, type Html, type Page, type PageContext } from './page.ts';
import { seriesImages } from './series-images.ts';
import { spaceSection } from './space-section.ts';

const perPage = 20;
const mostCauses = 5;
const mostChanges = 12;

/** GET /console/series/NAME: what it shows, how to use it, what comes next, and how it came there. */
export const registerSeriesPage: RegisterRoute = (app, api) => {
  registerPage(
    app,
    api,
    { path: '/console/series/:name', keys: ['before', 'space'] },
    async (context, request): Promise<Page> => {
      const { kysely } = context.database;
      const row = await seriesOfRequest(context, request);
      const before = /^\d{1,15}$/.exec(request.req.query('before') ?? '')?.[0];
      const page = { before: before === undefined ? null : Number(before), limit: perPage };
      const { entries, hasMore } = await readSeriesHistory(kysely, row.name, page);
      const latest = (await findLatest(kysely, [row.name])).get(row.name);
      const ids = entries.flatMap(({ causes }) => causes.slice(-mostCauses));
      const events = await findInputEvents(kysely, [...new Set(ids)]);
      const causes = new Map(events.map(({ id, input }) => [id, eventSentence(input.event)]));
      const api1 = `${context.prefix}/api/1/series/${encodeURIComponent(row.name)}`;
      return {
        title: `Series ${row.name}`,
        here: 'series',
        body: html`<h1>Series ${row.name}</h1>
          <p>
            Continued by
            ${
              row.rule === null
                ? row.owner
                : html`rule <a href="${context.prefix}/console/rules/${row.rule}">${row.rule}</a>`
            }.
            ${nextSentence(context, await findNextOfSeries(context, row.name))}
          </p>
          ${useSection(context, row, latest)}
          <h2 id="history">History</h2>
          ${entries.length === 0 ? html`<p>No compose of it was ever done.</p>` : historyTable(context, entries, causes)}
          ${hasMore ? html`<p><a href="?before=${entries.at(-1)?.compose.id}">Older</a></p>` : ''}
          ${await seriesImages(context, row.name)}
          ${
            request.req.query('space') === '1'
              ? await spaceSection(context, row)
              : html`<p><a href="?space=1#space">What they take on disk</a></p>`
          }
          <p class="small">
            <a href="${api1}">The same as JSON</a> · <a href="${api1}/feed.atom">Atom feed</a> ·
            <a href="${api1}/badge.svg">Badge</a>
          </p>`,
      };
    },
  );
};

function nextSentence({ now }: PageContext, next: NextOfSeries | null): Html {
  if (next === null) return html``;
  switch (next.kind) {
    case 'running':
      return html`The next compose is being made.`;
    case 'waiting':
      return html`The next one
      waits${next.notBefore === null ? '.' : html` until ${moment(next.notBefore, now)}.`}`;
    case 'window':
      return html`Events came in; ${next.rule} decides ${moment(next.dueAt, now)}.`;
    default:
      return next satisfies never;
  }
}

function useSection(context: PageContext, row: SeriesRow, latest: Compose | undefined): Html {
  if (latest === undefined) return html`<p class="notice">It has no finished compose now.</p>`;
  const shown = html`It shows
    <a href="${context.prefix}/console/composes/${latest.id}">compose ${latest.id}</a>${
      latest.timeDone === null ? '' : html`, done ${moment(latest.timeDone, context.now)}`
    }.`;
  const { latest_repofile: file, latest_url: url, repoid } = seriesJson(context, row, latest);
  if (file === null || url === null) {
    return html`<p class="notice good">
      ${shown} It lies in the target directory ${latest.targetDir}, which is not served here.
    </p>`;
  }
  return html`<p class="notice good">${shown}</p>
    <h2 id="use">Use it</h2>
    <p>This address stays the same; what lies there changes with each compose:</p>
    ${copyBox('use-latest', `curl -fo /etc/yum.repos.d/${repoid}.repo '${file}'`)}
    <p>What it showed at a moment stays at an address of its own:</p>
    ${copyBox('use-moment', `${url.replace(/latest$/, '')}at/${context.now.toISOString().slice(0, 16)}Z/`)}`;
}

function historyTable(
  context: PageContext,
  entries: readonly SeriesEntry[],
  causes: ReadonlyMap<number, string>,
): Html {
  const { prefix, now } = context;
  const rows = entries.map((entry) => {
    const { compose, change } = entry;
    const why = entry.causes
      .slice(-mostCauses)
      .flatMap((id) =>
        causes.has(id) ? [html`<a href="${prefix}/console/events/${id}">${causes.get(id)}</a>`] : [],
      );
    const changes = change?.sentences.slice(0, mostChanges) ?? [];
    return html`<tr>
      <td><a href="${prefix}/console/composes/${compose.id}">${compose.id}</a> ${badge(compose.state)}</td>
      <td>${compose.timeDone === null ? '' : moment(compose.timeDone, now)}</td>
      <td class="number" data-label="Packages">${entry.packages ?? ''}</td>
      <td>
        ${
          changes.length === 0
            ? changeWords(change)
            : html`<details>
                <summary>${changeWords(change)}</summary>
                <ul class="small">
                  ${changes.map((sentence) => html`<li>${sentence}</li>`)}
                </ul>
                <a class="small" href="${prefix}/api/1/composes/${compose.id}/manifest?since=${change?.since}"
                  >All changes as JSON</a
                >
              </details>`
        }
        ${why.map((cause) => html`<div class="small">${cause}</div>`)}
      </td>
    </tr>`;
  });
  return stackTable(
    ['Compose', 'Done', html`<span class="number">Packages</span>`, 'What changed, and why'],
    rows,
  );
}
