import { html } from 'hono/html';
import { findDecisions, listWindowOutcomes } from '../../database/decisions.ts';
import { findPause, pauseRule, resumeRule, type RulePause } from '../../database/rule-pauses.ts';
import { formatDuration } from '../../model/duration.ts';
import type { Rule } from '../../model/rule.ts';
import { actorOf, identify } from '../auth.ts';
import type { ApiContext, ApiRequest, RegisterRoute } from '../context.ts';
import { ApiProblem, pageProblemOf } from '../problem.ts';
import { readForm } from '../read-body.ts';
import { refuseForeignPage } from '../refuse-foreign-page.ts';
import { maySteer, readReason, requireOwner, triggerRule } from '../routes/steer-rule.ts';
import { backtestStoredEvents } from '../backtest-stored-events.ts';
import { findRuleDocuments, findRunningVersion } from '../../database/rule-sets.ts';
import { outcomeText, ruleStrips } from './rule-strips.ts';
import { triggerForm, triggerPreview, wishOfForm } from './rule-trigger.ts';
import { backtestWindows, windowsSection } from './rule-windows.ts';
import { findShownRule } from '../rule-set.ts';
import { badge, decisionTable, moment, withoutRepetition } from './elements.ts';
import { livePart } from './follow-changes.ts';
import { pageContextOf, problemPage, registerPage, sendConsolePage } from './page.ts';
import type { Html, Page, PageContext } from './page.ts';

const path = '/console/rules/:name';

/**
 * GET /console/rules/NAME: one rule, how it is and what it decided; POST to its `pause` and `resume` by whom may,
 * who alone see the buttons.
 */
export const registerRulePage: RegisterRoute = (app, api) => {
  registerPage(app, api, { path, keys: ['all', 'try'] }, async (context, request): Promise<Page> => {
    const rule = await findShownRule(context, request.req.param('name') ?? '');
    return rulePage(context, request, {
      rule,
      trigger: { reason: '', force: false, group: '' },
      preview: html``,
    });
  });
  app.post(`${path}/trigger`, async (request) => {
    const context = pageContextOf(api, request);
    try {
      return await answerTrigger(context, request);
    } catch (error) {
      return await sendConsolePage(context, problemPage(context, pageProblemOf(request, error, api)));
    }
  });
  for (const verb of ['pause', 'resume'] as const) {
    app.post(`${path}/${verb}`, async (request) => {
      const context = pageContextOf(api, request);
      try {
        const name = await steer(context, request, verb);
        return new Response(null, {
          status: 303,
          headers: { Location: `${context.prefix}/console/rules/${name}` },
        });
      } catch (error) {
        return await sendConsolePage(context, problemPage(context, pageProblemOf(request, error, api)));
      }
    });
  }
};

interface ShownRule {
  readonly rule: Rule;
  /** What the form that triggers it says. */
  readonly trigger: Parameters<typeof triggerForm>[2];
  readonly preview: Html;
}

async function rulePage(
  context: PageContext,
  request: ApiRequest,
  { rule, trigger, preview }: ShownRule,
): Promise<Page> {
  const { kysely } = context.database;
  const pause = await findPause(kysely, rule.name);
  const isOwner = await isAllowed(context, request, rule);
  const all = request.req.query('all') === '1';
  const decisions = await findDecisions(kysely, { rule: rule.name, limit: 50, onlyWindows: !all });
  const other = all
    ? html`<a href="${context.prefix}/console/rules/${rule.name}">Only what it decided on windows</a>`
    : html`<a href="${context.prefix}/console/rules/${rule.name}?all=1">Every event it saw too</a>`;
  const isTried = request.req.query('try') === '7d';
  // To try a week again at every decision would cost more than it shows.
  const live = (id: string, content: Html): Html =>
    isTried ? content : livePart(context, { id, subjects: ['decisions', 'rules'] }, content);
  return {
    title: `Rule ${rule.name}`,
    here: 'rules',
    body: html`${live(
        'state',
        html`<h1>${rule.name} ${badge(pause === undefined ? rule.mode : 'paused')}</h1>
          <p>${rule.description}</p>
          ${pauseNotice(context, pause)} ${isOwner ? steeringForm(context, rule, pause) : ''}`,
      )}
      ${isOwner ? await triggerForm(context, rule, trigger) : ''} ${preview}
      ${live('day', html`${await ruleStrips(context, rule.name)} ${await windowsSection(context, rule)}`)}
      ${facts(rule)} ${await fileSection(context, rule)}
      ${isTried ? await trySection(context, rule) : tryForm()}
      <h2 id="decisions">Decisions</h2>
      ${live(
        'decided',
        decisions.length === 0
          ? html`<p>None yet.</p>`
          : decisionTable(context, withoutRepetition(decisions), { rule: rule.name }),
      )}
      <p>${other}</p>
      <h2>The compose it asks for</h2>
      <pre tabindex="0">${JSON.stringify(rule.compose, null, 2)}</pre>`,
  };
}

/** Triggers a rule, or shows what that would change. Throws `permission.…`, `request.missing_reason`. */
async function answerTrigger(context: PageContext, request: ApiRequest): Promise<Response> {
  refuseForeignPage(context, request);
  const identity = await identify(context, request);
  const rule = await findShownRule(context, request.req.param('name') ?? '');
  requireOwner(identity, context, rule);
  const fields = await readForm(request);
  const isPreview = fields.get('do') === 'preview';
  const said = (fields.get('reason') ?? '').trim().slice(0, 500);
  const reason = isPreview ? said : readReason('trigger', said);
  const wish = wishOfForm(fields, actorOf(identity), reason);
  if (!isPreview) {
    const id = await triggerRule(context, rule, wish);
    return new Response(null, {
      status: 303,
      headers: { Location: `${context.prefix}/console/events/${id}` },
    });
  }
  const preview = await triggerPreview(context, request, { rule, wish, identity });
  const trigger = { reason, force: wish.force, group: fields.get('group') ?? '' };
  return sendConsolePage(context, await rulePage(context, request, { rule, trigger, preview }));
}

/** Does what a button says; returns the rule's name. Throws `permission.…`, `request.missing_reason`. */
async function steer(context: PageContext, request: ApiRequest, verb: 'pause' | 'resume'): Promise<string> {
  refuseForeignPage(context, request);
  const identity = await identify(context, request);
  const rule = await findShownRule(context, request.req.param('name') ?? '');
  requireOwner(identity, context, rule);
  const { kysely } = context.database;
  if (verb === 'resume') {
    await resumeRule(kysely, rule.name);
    return rule.name;
  }
  const form = await readForm(request);
  const reason = readReason(verb, (form.get('reason') ?? '').trim().slice(0, 500));
  await pauseRule(kysely, { rule: rule.name, by: actorOf(identity), reason, now: context.now });
  return rule.name;
}

/** Whether the reader may steer the rule; one who is not known may not. */
async function isAllowed(context: ApiContext, request: ApiRequest, rule: Rule): Promise<boolean> {
  try {
    return maySteer(await identify(context, request), context, rule);
  } catch (error) {
    if (error instanceof ApiProblem) return false;
    throw error;
  }
}

/** The file of the set that runs, with what it matches; where it is not kept, what it was read as. */
async function fileSection({ database }: PageContext, rule: Rule): Promise<Html> {
  const running = await findRunningVersion(database.kysely);
  const documents = running === null ? null : await findRuleDocuments(database.kysely, running.version);
  const text = documents?.find(({ file }) => file === rule.file)?.text;
  return html`<h2 id="file">What it matches</h2>
    <p class="soft small">
      ${text === undefined ? 'As it was read.' : html`<code>${rule.file.split('/').at(-1) ?? ''}</code>, in the set that runs.`}
    </p>
    <pre tabindex="0">
${text ?? JSON.stringify({ on: rule.triggers, schedules: rule.schedules, require: rule.require }, null, 2)}</pre>`;
}

const TRIED_MS = 7 * 86_400_000;
const MOST_OUTCOMES = 5000;

function tryForm(): Html {
  return html`<form method="get" action="#try">
    <input type="hidden" name="try" value="7d" />
    <button>Try it on the last 7 days</button>
  </form>`;
}

/** What the rule would have done with the stored events of a week; nothing is changed. */
async function trySection(context: PageContext, rule: Rule): Promise<Html> {
  const { answers, events, ticks, decidedBy, windows } = await backtestStoredEvents(context, rule, TRIED_MS);
  const outcomes = await listWindowOutcomes(context.database.kysely, {
    since: new Date(context.now.getTime() - TRIED_MS),
    limit: MOST_OUTCOMES,
    rule: rule.name,
  });
  const did = outcomeText(outcomes);
  const fields = decidedBy
    .slice(0, 5)
    .map(({ field, answer, count }) => `${field} (${answer}, ${count} times)`);
  return html`<h2 id="try">On the last 7 days</h2>
    <p class="lead">
      ${events} events of its kinds: ${answers.yes} fire it, ${answers.no} do not, ${answers.unknown} cannot
      be told${ticks === 0 ? '' : `; ${ticks} tick${ticks === 1 ? '' : 's'} of its schedule`};
      ${windows.length} window${windows.length === 1 ? '' : 's'}.
    </p>
    ${fields.length === 0 ? '' : html`<p>What decides against it: ${fields.join(', ')}.</p>`}
    <p>It did: ${did}.</p>
    ${backtestWindows(context, windows)}`;
}

function pauseNotice(context: PageContext, pause: RulePause | undefined): Html {
  if (pause === undefined) return html``;
  return html`<div class="notice bad">
    <p>
      <strong>Paused</strong> by ${pause.paused_by} ${moment(pause.paused_at, context.now)}: ${pause.reason}
    </p>
  </div>`;
}

function steeringForm(context: PageContext, rule: Rule, pause: RulePause | undefined): Html {
  const action = `${context.prefix}/console/rules/${rule.name}/${pause === undefined ? 'pause' : 'resume'}`;
  return pause === undefined
    ? html`<form method="post" action="${action}">
        <label>Reason <input name="reason" required maxlength="500" /></label>
        <button>Pause</button>
      </form>`
    : html`<form method="post" action="${action}"><button>Resume</button></form>`;
}

function facts(rule: Rule): Html {
  const items: readonly (readonly [string, string])[] = [
    ['Owner', rule.owner],
    ['Starts on', [...rule.triggers.map(({ event }) => event), ...rule.schedules].join(', ')],
    ['Settles', `${formatDuration(rule.settleMs)}, at most ${formatDuration(rule.maxWaitMs)}`],
    ['Group by', rule.groupBy.join(', ')],
    ['Requires', rule.require.map(({ check }) => check).join(', ')],
    ['Priority', rule.priority],
    ['Series', rule.series ?? rule.name],
    ['At most', `${rule.dailyLimit} composes a day, then it pauses itself`],
    ['File', rule.file],
  ];
  return html`<h2>Facts</h2>
    <dl>
      ${items.map(([name, value]) =>
        value === ''
          ? ''
          : html`<dt>${name}</dt>
              <dd>${value}</dd>`,
      )}
    </dl>`;
}
