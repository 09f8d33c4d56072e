import { html } from 'hono/html';
import { findDecisions } from '../../database/decisions.ts';
import { findCauses } from '../../database/window-causes.ts';
import { findWindow } from '../../database/windows.ts';
import { formatDuration } from '../../model/duration.ts';
import type { RegisterRoute } from '../context.ts';
import { eventSentence } from '../event-sentence.ts';
import { ApiProblem } from '../problem.ts';
import { chainSection } from './chain-section.ts';
import { badge, factList, moment } from './elements.ts';
import { registerPage, type Page } from './page.ts';

const MOST_EVENTS = 200;

/** GET /console/windows/ID: one window of a rule, the events in it, and what was decided on it. */
export const registerWindowPage: RegisterRoute = (app, api) => {
  registerPage(
    app,
    api,
    { path: '/console/windows/:id{[0-9]{1,15}}', keys: [] },
    async (context, request): Promise<Page> => {
      const { prefix, now } = context;
      const { kysely } = context.database;
      const id = Number(request.req.param('id'));
      const row = await findWindow(kysely, id);
      if (row === undefined) throw new ApiProblem(404, 'window.unknown', `There is no window ${id}.`);
      const [decision] = await findDecisions(kysely, { window: id, onlyWindows: true, limit: 1 });
      const causes = await findCauses(kysely, id);
      const outcome = decision?.outcome ?? row.outcome ?? 'waiting';
      return {
        title: `Window ${id}, ${outcome}`,
        here: 'rules',
        body: html`<h1>Window ${id} ${badge(outcome)}</h1>
          <p class="lead">
            ${
              decision?.why ??
              (row.closed_at === null
                ? 'It collects events and is decided when they rest.'
                : 'It is being decided.')
            }
          </p>
          ${await chainSection(context, { kind: 'window', id })}
          <h2>Facts</h2>
          ${factList([
            ['Rule', html`<a href="${prefix}/console/rules/${row.rule}">${row.rule}</a>`],
            ['Group', row.group_key === '{}' || row.group_key === '[]' ? null : row.group_key],
            ['Opened', moment(row.opened_at, now)],
            ['Last event', moment(row.last_at, now)],
            ['Due', moment(row.due_at, now)],
            ['Decided', row.decided_at === null ? null : moment(row.decided_at, now)],
            ['Settles', `${formatDuration(row.settle_ms)}, at most ${formatDuration(row.max_wait_ms)}`],
            ['Priority', row.priority],
          ])}
          <h2>Events <span class="soft">${causes.length}</span></h2>
          <ul>
            ${causes
              .slice(-MOST_EVENTS)
              .toReversed()
              .map(
                ({ id: event, input }) =>
                  html`<li>
                    <a href="${prefix}/console/events/${event}">${eventSentence(input.event)}</a>
                    ${moment(new Date(input.receivedAt), now)}
                  </li>`,
              )}
          </ul>`,
      };
    },
  );
};
