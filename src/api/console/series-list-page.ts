import { html } from 'hono/html';
import { findLatest, listSeries } from '../../database/series.ts';
import type { RegisterRoute } from '../context.ts';
import { seriesJson } from '../series-json.ts';
import { moment, seriesLink, stackTable } from './elements.ts';
import { livePart } from './follow-changes.ts';
import { registerPage, type Page } from './page.ts';

const perPage = 100;

/** GET /console/series: the lines of composes by name, and what each shows now. */
export const registerSeriesListPage: RegisterRoute = (app, api) => {
  registerPage(
    app,
    api,
    { path: '/console/series', keys: ['after'] },
    async (context, request): Promise<Page> => {
      const { kysely } = context.database;
      const after = (request.req.query('after') ?? '').slice(0, 300);
      const found = await listSeries(kysely, { after, limit: perPage + 1 });
      const shown = found.slice(0, perPage);
      const latest = await findLatest(
        kysely,
        shown.map(({ name }) => name),
      );
      const rows = shown.map((row) => {
        const compose = latest.get(row.name);
        const { latest_repofile: file } = seriesJson(context, row, compose);
        return html`<tr>
          <td>${seriesLink(context, row.name)}</td>
          <td>
            ${
              compose === undefined
                ? html`<span class="soft">no finished compose</span>`
                : html`<a href="${context.prefix}/console/composes/${compose.id}">compose ${compose.id}</a>
                    ${compose.timeDone === null ? '' : moment(compose.timeDone, context.now)}`
            }
          </td>
          <td data-label="Of">
            ${
              row.rule === null
                ? row.owner
                : html`rule <a href="${context.prefix}/console/rules/${row.rule}">${row.rule}</a>`
            }
          </td>
          <td>${file === null ? '' : html`<a class="plain" href="${file}">.repo</a>`}</td>
        </tr>`;
      });
      const last = shown.at(-1)?.name ?? '';
      return {
        title: 'Series',
        here: 'series',
        body: livePart(
          context,
          { id: 'list', subjects: ['composes'] },
          html`<h1>Series</h1>
            ${
              rows.length === 0
                ? html`<p class="empty">
                    There is none. A rule continues one with each compose; a request may name one with
                    <code>"series": "NAME"</code>:
                    <code>odcs-reactor compose create TYPE SOURCE --series NAME</code>
                  </p>`
                : stackTable(['Series', 'Shows', 'Continued by', html`<span class="soft">File</span>`], rows)
            }
            ${
              found.length > perPage
                ? html`<p>
                    <a href="${context.prefix}/console/series?after=${encodeURIComponent(last)}">More</a>
                  </p>`
                : ''
            }`,
        ),
      };
    },
  );
};
