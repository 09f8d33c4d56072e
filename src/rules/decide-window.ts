import { countRequests } from '../database/compose-requests.ts';
import { insertDecisions } from '../database/decisions.ts';
import { endGroup } from '../database/rule-groups.ts';
import { readSeries } from '../database/series-history.ts';
import { findPause, pauseRule } from '../database/rule-pauses.ts';
import { transaction, type TransactionContext, type UnitOfWork } from '../database/transaction.ts';
import type { StoredEvent } from '../database/input-events.ts';
import { countCauses, findCauses } from '../database/window-causes.ts';
import { findWindow, findWindowBefore, markDecided, type WindowRow } from '../database/windows.ts';
import { placeComposeRequest } from '../lifecycle/place-request.ts';
import { instrument, noteStage, withTrace } from '../instrument.ts';
import { lockSeries } from '../lifecycle/series-lock.ts';
import { toPriority } from '../model/compose.ts';
import { ReactorError } from '../model/errors.ts';
import type { Rule, RuleSet } from '../model/rule.ts';
import { askCompose, fillRequirements } from './ask-compose.ts';
import { findGone, tagOfBody } from './group-subject.ts';
import {
  coverableSince,
  decideWindow,
  isSweptOnly,
  type AskedCompose,
  type WindowDecision,
} from './decide.ts';
import { readGroupKey, type Group } from './group.ts';
import { checkRequirement, type StateSources } from './require.ts';

/** What deciding a window needs. */
export interface DecideContext {
  readonly database: TransactionContext;
  readonly rules: RuleSet;
  readonly sources: StateSources;
  /** Called when a rule paused itself. */
  readonly onPause: (rule: Rule, why: string) => void;
}

const DAY_MS = 86_400_000;
/** A window of a mass rebuild has thousands of causes. */
const MOST_LINKS = 32;

/**
 * Decides a closed window once: checks the state it requires, asks for a compose or says why not, and records it.
 * Returns the outcome; null where the window is open, gone or decided already. Throws what an upstream threw, to
 * be tried again.
 */
export async function decideClosedWindow(context: DecideContext, windowId: number): Promise<string | null> {
  const window = await findWindow(context.database.kysely, windowId);
  if (window === undefined || window.closed_at === null || window.decided_at !== null) return null;
  const rule = context.rules.rules.find(({ name }) => name === window.rule);
  if (rule === undefined || rule.mode === 'off') {
    const what = rule === undefined ? 'is no longer there' : 'is off';
    return record(context, window, simple('disabled', `The rule ${window.rule} ${what}.`));
  }
  const pause = await findPause(context.database.kysely, rule.name);
  if (pause !== undefined) {
    return record(
      context,
      window,
      simple('paused', `The rule is paused by ${pause.paused_by}: ${pause.reason}`),
    );
  }
  const stored = await findCauses(context.database.kysely, window.id);
  const fields = { window: window.id, rule: rule.name };
  const [first, ...others] = stored.flatMap(({ trace }) => trace ?? []);
  const settled = { from: window.opened_at, to: window.closed_at };
  // One trace goes on: that of the first message; what else led here is named.
  return withTrace(
    [first],
    async () => {
      noteStage('settle', { ...fields, events: stored.length }, settled);
      return instrument('decide', fields, async () => {
        const prepared = await prepare(context, { window, stored }, rule);
        return 'outcome' in prepared
          ? record(context, window, prepared)
          : place(context, window, rule, prepared);
      });
    },
    others.slice(0, MOST_LINKS),
  );
}

interface Prepared {
  readonly asked: AskedCompose;
  /** Numbers of the events that led here, ascending. */
  readonly causes: readonly number[];
  /** Since when a compose must have read its inputs to cover the causes; null where none can. */
  readonly receivedAt: Date | null;
  readonly waiting: readonly string[];
  /** Whether nothing but sweeps led here. */
  readonly isSwept: boolean;
  /** Whether it has just been waited for longer than `require_within`. */
  readonly isOverdue: boolean;
}

/** Everything that needs the network, before the transaction. */
async function prepare(
  context: DecideContext,
  { window, stored }: { readonly window: WindowRow; readonly stored: readonly StoredEvent[] },
  rule: Rule,
): Promise<Prepared | WindowDecision> {
  const group = readGroupKey(window.group_key);
  const events = stored.map(({ input }) => input);
  const now = context.database.clock.now();
  try {
    const asked = askCompose(rule, group, events);
    const isSwept = isSweptOnly(events);
    const gone = await decideGone(context, rule, { group, asked, isSwept });
    if (gone !== null) return gone;
    const waiting: string[] = [];
    for (const requirement of fillRequirements(rule, group, events)) {
      const state = await instrument('require', { check: requirement.check }, () =>
        checkRequirement(requirement, context.sources, now),
      );
      if (!state.met) waiting.push(state.waiting);
    }
    let isOverdue = false;
    if (waiting.length > 0 && rule.requireWithinMs !== null) {
      const first = Math.min(...stored.map(({ input }) => Date.parse(input.receivedAt)));
      const latest = new Date(first + rule.requireWithinMs);
      if (now > latest) {
        waiting.push('this is longer than require_within');
        const before = await findWindowBefore(context.database.kysely, window);
        // It is said when it happens, not whenever it is looked at again.
        const wasOverdue = before?.outcome === 'not_ready' && (before.decided_at ?? latest) > latest;
        isOverdue = !wasOverdue;
      }
    }
    const causes = stored.map(({ id }) => id).toSorted((left, right) => left - right);
    return { asked, causes, receivedAt: coverableSince(events), waiting, isSwept, isOverdue };
  } catch (error) {
    if (!(error instanceof ReactorError) || error.fate === 'retry') throw error;
    const hint = error.hint === undefined ? '' : ` ${error.hint}`;
    return simple('failed', `${error.message}${hint} (${error.code})`);
  }
}

/**
 * Ends a group whose tag, update or advisory is gone. A rule that follows one tag is told that it is gone by the sweep
 * that found it; a message leads to a request, which fails with the composer's own words.
 */
async function decideGone(
  { sources }: DecideContext,
  rule: Rule,
  asked: { readonly group: Group; readonly asked: AskedCompose; readonly isSwept: boolean },
): Promise<WindowDecision | null> {
  const tag = tagOfBody(asked.asked.body);
  if (rule.groupBy.length > 0) {
    const sentence = await findGone(rule, asked.group, { tag, sources });
    return sentence === null ? null : simple('gone', `${sentence} The group ends.`);
  }
  if (!asked.isSwept || tag === null || sources.koji === undefined) return null;
  return (await sources.koji.isTagThere(tag))
    ? null
    : simple('failed', `Unknown Koji tag ${tag}. Look for it with: koji list-tags (koji.tag_unknown)`);
}

async function place(
  context: DecideContext,
  window: WindowRow,
  rule: Rule,
  { asked, causes, receivedAt, waiting, isSwept, isOverdue }: Prepared,
): Promise<string | null> {
  const priority = toPriority(window.priority);
  const result = await transaction(context.database, async (tx) => {
    const { now } = tx;
    await lockSeries(tx.sql, asked.series);
    const history = await readSeries(tx.sql, { ...asked, receivedAt });
    const decision = decideWindow({
      rule,
      priority,
      asked,
      waiting,
      ...history,
      requestsToday: await countRequests(tx.sql, rule.name, new Date(now.getTime() - DAY_MS)),
      now,
    });
    if (!(await markDecided(tx.sql, window.id, decision.outcome, now))) return null;
    let requestId: number | null = null;
    let superseded: readonly number[] = [];
    if (decision.outcome === 'requested') {
      const request = {
        rule: rule.name,
        series: asked.series,
        body: asked.body,
        priority,
        causes,
        minEvent: asked.minEvent,
        chain: asked.chain,
        unchanged: asked.unchanged,
        notBefore: decision.notBefore,
        isSwept,
      };
      const placement = await placeComposeRequest(tx, request, rule.whenBusy);
      requestId = placement.id;
      superseded = placement.superseded;
    }
    if (decision.pause) {
      await pauseRule(tx.sql, { rule: rule.name, by: 'its daily limit', reason: decision.why, now });
    }
    const merged = superseded.length === 0 ? '' : ` It took in request ${superseded.join(', ')}.`;
    await insertWindowDecision(context, tx, {
      window,
      decision: { ...decision, why: decision.why + merged },
      requestId,
      asked,
      isOverdue,
    });
    return decision;
  });
  if (result?.pause === true) context.onPause(rule, result.why);
  return result?.outcome ?? null;
}

async function record(
  context: DecideContext,
  window: WindowRow,
  decision: WindowDecision,
): Promise<string | null> {
  return transaction(context.database, async (tx) => {
    if (!(await markDecided(tx.sql, window.id, decision.outcome, tx.now))) return null;
    if (decision.outcome === 'gone') {
      await endGroup(tx.sql, { rule: window.rule, groupKey: window.group_key }, tx.now);
    }
    await insertWindowDecision(context, tx, { window, decision });
    return decision.outcome;
  });
}

interface DecidedWindow {
  readonly window: WindowRow;
  readonly decision: WindowDecision;
  /** The request it led to. */
  readonly requestId?: number | null;
  readonly asked?: AskedCompose;
  readonly isOverdue?: boolean;
}

async function insertWindowDecision(
  context: DecideContext,
  tx: UnitOfWork,
  { window, decision, requestId = null, asked, isOverdue = false }: DecidedWindow,
): Promise<void> {
  await insertDecisions(tx.sql, [
    {
      at: tx.now,
      rule: window.rule,
      ruleSet: context.rules.version,
      eventId: null,
      windowId: window.id,
      requestId,
      composeId: decision.coveredBy,
      outcome: decision.outcome,
      why: decision.why,
      trail: [
        {
          causes: (await countCauses(tx.sql, [window.id])).get(window.id) ?? 0,
          opened_at: window.opened_at.toISOString(),
          closed_at: window.closed_at?.toISOString() ?? null,
          ...(asked === undefined
            ? {}
            : { series: asked.series, min_event: asked.minEvent, chain: asked.chain }),
        },
      ],
    },
  ]);
  const rule = context.rules.rules.find(({ name }) => name === window.rule);
  // How a request ends is told when it has ended.
  if (rule === undefined || rule.notify.length === 0 || decision.outcome === 'requested') return;
  const { id } = await tx.sql
    .selectFrom('decisions')
    .select('id')
    .where('window_id', '=', window.id)
    .where('event_id', 'is', null)
    .executeTakeFirstOrThrow();
  const news = isOverdue
    ? [{ decisionId: id }, { decisionId: id, word: 'overdue' as const }]
    : [{ decisionId: id }];
  await tx.sendAll('rule.notify', news);
}

function simple(outcome: WindowDecision['outcome'], why: string): WindowDecision {
  return { outcome, why, notBefore: null, coveredBy: null, pause: false };
}
