import { html } from 'hono/html';
import { findStageTimes } from '../../database/composes.ts';
import { listComposes } from '../../database/list-composes.ts';
import { listEvents } from '../../database/list-events.ts';
import { findPauses } from '../../database/rule-pauses.ts';
import type { ComposeState } from '../../model/compose.ts';
import type { Compose } from '../../model/compose-json.ts';
import type { HealthPart, RegisterRoute } from '../context.ts';
import { findHealth } from '../routes/health.ts';
import { readShownRules } from '../rule-set.ts';
import { distance } from '../distance.ts';
import { composeTable, moment, type Tone } from './elements.ts';
import { livePart } from './follow-changes.ts';
import { registerPage, type Html, type Page, type PageContext } from './page.ts';
import { ruleStrips } from './rule-strips.ts';
import { stageStrip } from './stage-strip.ts';
import { serviceSection } from './service-section.ts';
import { problemList } from './rule-problems.ts';

const shown = 8;
/** How long a failure stays on the page. */
const RECENT_MS = 7 * 86_400_000;

/** The front page: is all well, what runs, what waits, what failed and why, what was done. Source: ODCS contract 7. */
export const registerStartPage: RegisterRoute = (app, api) => {
  registerPage(app, api, { path: '/', keys: 'any' }, async (context): Promise<Page> => {
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
    const parts = await findHealth(context);
    const stages = await stageStrips(context, generating.composes);
    return {
      title: 'Overview',
      here: 'start',
      reloadSeconds: 30,
      body: html`<h1>Overview</h1>
        ${livePart(
          context,
          { id: 'live', subjects: ['composes', 'progress', 'decisions', 'rules'] },
          html`${healthNotice(parts)} ${await troubleNotice(context)}
          ${
            nothing
              ? html`<p class="empty">
                  No compose was asked for yet. Ask for one:
                  <code>odcs-reactor compose create repo DIRECTORY --packages 'bash' --wait</code>
                </p>`
              : html`<ul class="tiles">
                  ${tile('busy', generating.total, 'being made')}
                  ${tile('busy', waiting.total, await oldestWords(context, waiting.total))}
                  ${tile('bad', recent.length, 'failed in 7 days')}
                  ${tile('good', done.total, 'done and there')}
                </ul>`
          }
          ${composeSection(context, { title: 'Being made or waiting', total, query: 'generating', more: stages }, running)}
          ${await ruleStrips(context)}
          ${composeSection(
            context,
            { title: 'Failed in the last 7 days', total: recent.length, query: 'failed' },
            recent,
          )}
          ${composeSection(context, { title: 'Done lately', total: done.total, query: 'done' }, done.composes)}
          ${await serviceSection(context, parts)}`,
        )}`,
    };
  });
};

function tile(tone: Tone, count: number, words: string): Html {
  return html`<li class="tile ${count > 0 ? tone : ''}"><b>${count}</b> ${words}</li>`;
}

/** How long the queue is, in words: since when its first waits. */
async function oldestWords({ database, now }: PageContext, count: number): Promise<string> {
  if (count === 0) return 'waiting';
  const { composes } = await listComposes(database.kysely, {
    filters: { state: 'wait' },
    orderBy: 'id',
    isDescending: false,
    limit: 1,
    offset: 0,
  });
  const [oldest] = composes;
  return oldest === undefined
    ? 'waiting'
    : `waiting, the oldest ${distance(oldest.timeSubmitted.getTime() - now.getTime()).replace(/ ago$/, '')}`;
}

async function newest(
  context: PageContext,
  state: ComposeState,
): Promise<{ readonly composes: readonly Compose[]; readonly total: number }> {
  return listComposes(context.database.kysely, {
    filters: { state },
    orderBy: 'id',
    isDescending: true,
    limit: shown,
    offset: 0,
  });
}

async function stageStrips(
  { database, now }: PageContext,
  composes: readonly Compose[],
): Promise<ReadonlyMap<number, Html>> {
  const strips = new Map<number, Html>();
  for (const compose of composes) {
    const times = await findStageTimes(database.kysely, compose.id);
    strips.set(compose.id, stageStrip(compose, times, now));
  }
  return strips;
}

function healthNotice(parts: readonly HealthPart[]): Html {
  const ill = parts.filter((part) => !part.isWell);
  if (ill.length === 0) {
    return html`<p class="notice good">Everything here is well. <a href="#service">Its parts</a></p>`;
  }
  return html`<div class="notice bad" role="alert">
    <p><strong>Not everything is well.</strong></p>
    <ul>
      ${ill.map(({ name, detail }) => html`<li><strong>${name}</strong>: ${detail}</li>`)}
    </ul>
  </div>`;
}

/** What somebody should look at: paused rules, wrong rule files, messages that were not understood. */
async function troubleNotice(context: PageContext): Promise<Html> {
  const { prefix, now } = context;
  const { kysely } = context.database;
  const pauses = await findPauses(kysely);
  const { problems } = await readShownRules(context);
  const [poison] = await listEvents(kysely, { isPoison: true }, 1);
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

function composeSection(
  context: PageContext,
  head: {
    readonly title: string;
    readonly total: number;
    readonly query: ComposeState;
    readonly more?: ReadonlyMap<number, Html>;
  },
  composes: readonly Compose[],
): Html {
  if (composes.length === 0) return html``;
  return html`<h2>${head.title} <span class="soft">${head.total}</span></h2>
    ${composeTable(context, composes, head.more)}
    ${
      head.total > composes.length
        ? html`<p><a href="${context.prefix}/console/composes?state=${head.query}">All of them</a></p>`
        : ''
    }`;
}
