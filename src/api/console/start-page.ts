import { html } from 'hono/html';
import { listComposes } from '../../database/list-composes.ts';
import { listEvents } from '../../database/list-events.ts';
import { findPauses } from '../../database/rule-pauses.ts';
import { countCauses } from '../../database/window-causes.ts';
import { listOpenWindows } from '../../database/windows.ts';
import type { ComposeState } from '../../model/compose.ts';
import type { Compose } from '../../model/compose-json.ts';
import type { RegisterRoute } from '../context.ts';
import { findHealth } from '../routes/health.ts';
import { readShownRules } from '../rule-set.ts';
import { distance } from '../distance.ts';
import { composeTable, moment } from './elements.ts';
import { registerPage, type Html, type Page, type PageContext } from './page.ts';
import { problemList } from './rule-problems.ts';

const shown = 10;
/** How long a failure stays on the page. */
const RECENT_MS = 7 * 86_400_000;

/** The front page: is all well, what runs, what waits, what failed and why, what was done. Source: ODCS contract 7. */
export const registerStartPage: RegisterRoute = (app, api) => {
  registerPage(app, api, '/', async (context): Promise<Page> => {
    const [generating, waiting, failed, done] = [
      await newest(context, 'generating'),
      await newest(context, 'wait'),
      await newest(context, 'failed'),
      await newest(context, 'done'),
    ];
    const recent = failed.composes.filter(
      ({ timeDone, timeSubmitted }) =>
        (timeDone ?? timeSubmitted).getTime() > context.now.getTime() - RECENT_MS,
    );
    const running = [...generating.composes, ...waiting.composes];
    const total = generating.total + waiting.total;
    const nothing = total + failed.total + done.total === 0;
    return {
      title: 'Overview',
      here: 'start',
      body: html`<h1>Overview</h1>
        ${await healthNotice(context)} ${await troubleNotice(context)}
        ${nothing ? html`<p>No compose was asked for yet.</p>` : ''}
        ${composeSection(context, { title: 'Being made or waiting', total, query: 'generating' }, running)}
        ${await windowSection(context)}
        ${composeSection(
          context,
          { title: 'Failed in the last 7 days', total: recent.length, query: 'failed' },
          recent,
        )}
        ${composeSection(context, { title: 'Done lately', total: done.total, query: 'done' }, done.composes)}`,
    };
  });
};

async function newest(
  context: PageContext,
  state: ComposeState,
): Promise<{ readonly composes: readonly Compose[]; readonly total: number }> {
  return listComposes(context.database.handle, {
    filters: { state },
    orderBy: 'id',
    isDescending: true,
    limit: shown,
    offset: 0,
  });
}

async function healthNotice(context: PageContext): Promise<Html> {
  const parts = await findHealth(context);
  const ill = parts.filter((part) => !part.isWell);
  const list = parts.map(
    (part) =>
      html`<li>
        <strong class="${part.isWell ? 'good' : 'bad'}"
          >${part.name}: ${part.isWell ? 'well' : 'not well'}</strong
        >
        ${part.detail}
      </li>`,
  );
  if (ill.length === 0) {
    return html`<details class="notice good">
      <summary>Everything here is well.</summary>
      <ul>
        ${list}
      </ul>
    </details>`;
  }
  return html`<div class="notice bad" role="alert">
    <p><strong>Not everything is well.</strong></p>
    <ul>
      ${list}
    </ul>
  </div>`;
}

/** What somebody should look at: paused rules, wrong rule files, messages that were not understood. */
async function troubleNotice(context: PageContext): Promise<Html> {
  const { prefix, now } = context;
  const { handle } = context.database;
  const pauses = await findPauses(handle);
  const { problems } = await readShownRules(context);
  const [poison] = await listEvents(handle, { isPoison: true }, 1);
  const isFresh = poison !== undefined && poison.received_at.getTime() > now.getTime() - RECENT_MS;
  return html`${problemList(problems)}
  ${pauses.map(
    (pause) =>
      html`<p class="notice busy">
        Rule <a href="${prefix}/console/rules/${pause.rule}">${pause.rule}</a> is paused by
        ${pause.paused_by}: ${pause.reason}
      </p>`,
  )}
  ${
    isFresh
      ? html`<p class="notice busy">
          <a href="${prefix}/console/events?kind=poison">Messages that were not understood</a>, the last one
          ${moment(poison.received_at, now)}.
        </p>`
      : ''
  }`;
}

async function windowSection(context: PageContext): Promise<Html> {
  const windows = await listOpenWindows(context.database.handle, shown);
  if (windows.length === 0) return html``;
  const counts = await countCauses(
    context.database.handle,
    windows.map(({ id }) => id),
  );
  const rows = windows.map((window) => {
    const count = counts.get(window.id) ?? 0;
    return html`<li>
      <a href="${context.prefix}/console/rules/${window.rule}">${window.rule}</a>
      ${window.group_key === '{}' || window.group_key === '[]' ? '' : html`<code>${window.group_key}</code>`}
      after ${count} event${count === 1 ? '' : 's'}, decides
      ${distance(window.due_at.getTime() - context.now.getTime())}
    </li>`;
  });
  return html`<h2>Rules that wait for quiet</h2>
    <ul>
      ${rows}
    </ul>`;
}

function composeSection(
  context: PageContext,
  head: { readonly title: string; readonly total: number; readonly query: ComposeState },
  composes: readonly Compose[],
): Html {
  if (composes.length === 0) return html``;
  return html`<h2>${head.title} <span class="soft">${head.total}</span></h2>
    ${composeTable(context, composes)}
    ${
      head.total > composes.length
        ? html`<p><a href="${context.prefix}/console/composes?state=${head.query}">All of them</a></p>`
        : ''
    }`;
}
