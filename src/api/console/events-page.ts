import { html } from 'hono/html';
import { listEvents } from '../../database/list-events.ts';
import type { RegisterRoute } from '../context.ts';
import { eventFiltersOf } from '../routes/list-events.ts';
import { moment, stackTable } from './elements.ts';
import { eventSentence } from '../event-sentence.ts';
import { livePart } from './follow-changes.ts';
import { registerPage, type Page } from './page.ts';

const perPage = 50;
const kept = ['kind', 'bus', 'topic', 'instance', 'before'] as const;

/** GET /console/events: what came in over the buses, newest first. */
export const registerEventsPage: RegisterRoute = (app, api) => {
  registerPage(app, api, { path: '/console/events', keys: kept }, async (context, request): Promise<Page> => {
    const { prefix, now } = context;
    const query = new URLSearchParams();
    for (const name of kept) {
      const value = request.req.query(name);
      if (value !== undefined && value !== '') query.set(name, value);
    }
    const events = await listEvents(context.database.kysely, eventFiltersOf(query), perPage);
    const rows = events.map(
      (row) =>
        html`<tr>
          <td><a href="${prefix}/console/events/${row.id}">${row.id}</a></td>
          <td>
            ${
              row.event === null
                ? html`<span class="bad">not understood</span> ${row.reason}`
                : eventSentence(row.event)
            }
            <div class="small soft">${row.topic}</div>
          </td>
          <td>${row.bus}, ${row.instance}</td>
          <td>${moment(row.received_at, now)}</td>
        </tr>`,
    );
    const last = events.at(-1);
    const older = new URLSearchParams(query);
    older.set('before', String(last?.id ?? 0));
    const field = (name: string) => query.get(name) ?? '';
    return {
      title: 'Events',
      here: 'events',
      body: html`<h1>Events</h1>
        <p>
          What came in over the buses.
          <a href="${prefix}/console/events?kind=poison">What was not understood</a>
        </p>
        <form method="get">
          <label
            >Kind <input name="kind" value="${field('kind')}" placeholder="koji.tag" maxlength="60"
          /></label>
          <label>Topic <input name="topic" value="${field('topic')}" maxlength="255" /></label>
          <button>Find</button>
        </form>
        ${livePart(
          context,
          { id: 'list', subjects: ['events'] },
          html`${
            events.length === 0
              ? html`<p class="empty">
                  No event came in that is so. <a href="${prefix}/#service">The buses</a> say whether they
                  deliver; <code>odcs-reactor events tail</code> shows the same.
                </p>`
              : stackTable(['Event', 'What', 'From', 'Received'], rows)
          }
          ${
            events.length === perPage
              ? html`<p><a href="${prefix}/console/events?${older.toString()}">Older</a></p>`
              : ''
          }`,
        )}`,
    };
  });
};
