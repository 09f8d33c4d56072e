import { findDecisions, type DecisionRow } from '../../database/decisions.ts';
import type { StoredEvent } from '../../database/input-events.ts';
import { findWindow } from '../../database/windows.ts';
import type { ApiContext } from '../context.ts';
import { findRefusals } from '../explain-event.ts';

/** What one rule made of the events that were found: the newest answer that says most. */
export interface RuleVerdict {
  readonly rule: string;
  /** An outcome of decisions; `waiting` while its window is open, `not_matched` where it said no. */
  readonly outcome: string;
  /** What follows the name of the rule: `composed 812`, `does not fire: "release" is F43, wanted F44`. */
  readonly words: string;
  readonly event: number | null;
  readonly window: number | null;
  readonly compose: number | null;
  /** When it was decided, or will be. */
  readonly at: Date;
  /** How often it decided before, on events that were found as well. */
  readonly earlier: number;
}

const MOST_DECISIONS = 500;
/** So many of the newest events are explained anew; an old no is seldom another one. */
const EXPLAINED = 5;
const MOST_REFUSALS = 30;

/** Returns what each rule made of events, newest first given: those that did something first, those that said no last. */
export async function findVerdicts(
  context: ApiContext,
  events: readonly StoredEvent[],
): Promise<readonly RuleVerdict[]> {
  const ids = events.map(({ id }) => id);
  const { kysely } = context.database;
  const rows = await findDecisions(kysely, { events: ids, limit: MOST_DECISIONS });
  const byRule = Map.groupBy(
    rows.filter(({ outcome }) => outcome !== 'not_matched'),
    ({ rule }) => rule,
  );
  const verdicts: RuleVerdict[] = [];
  for (const [rule, decisions] of byRule) verdicts.push(await verdictOf(context, rule, decisions));
  return [...verdicts.toSorted(byWorth), ...(await refusalsOf(context, events, new Set(byRule.keys())))];
}

async function verdictOf(
  { database: { kysely } }: ApiContext,
  rule: string,
  decisions: readonly DecisionRow[],
): Promise<RuleVerdict> {
  const windows = decisions.filter(({ event_id: event }) => event === null);
  const decided = new Set(windows.map(({ window_id: window }) => window));
  const open = decisions.find(
    ({ event_id: event, window_id: window }) => event !== null && window !== null && !decided.has(window),
  );
  const window = open?.window_id == null ? undefined : await findWindow(kysely, open.window_id);
  if (open !== undefined && window !== undefined && window.decided_at === null) {
    return {
      ...verdict(rule, open),
      outcome: 'waiting',
      words: window.closed_at === null ? 'collects events and decides when they rest' : 'is deciding now',
      at: window.due_at,
      earlier: windows.length,
    };
  }
  const [newest = decisions[0], ...earlier] = windows;
  if (newest === undefined) throw new Error('A rule is grouped by its decisions.');
  const of = decisions.find(
    ({ event_id: event, window_id: id }) => event !== null && id === newest.window_id,
  );
  return {
    ...verdict(rule, newest),
    event: newest.event_id ?? of?.event_id ?? null,
    earlier: earlier.length,
  };
}

function verdict(rule: string, row: DecisionRow): RuleVerdict {
  return {
    rule,
    outcome: row.outcome,
    words: wordsOf(row),
    event: row.event_id,
    window: row.window_id,
    compose: row.compose_id,
    at: row.at,
    earlier: 0,
  };
}

function wordsOf({ rule, outcome, compose_id: compose, why }: DecisionRow): string {
  if (outcome === 'composed' && compose !== null) return `composed ${compose}`;
  if (outcome === 'requested' && compose !== null) return `is composing ${compose}`;
  if (why.startsWith('Waiting: ')) return `waits: ${withoutName(rule, why.slice('Waiting: '.length))}`;
  const said = withoutName(rule, why);
  const isSentence = /^(?:The|It|Compose|Nothing)\b/.test(said);
  const reason = isSentence ? `${said.charAt(0).toLowerCase()}${said.slice(1)}` : said;
  return outcome === 'unknown' ? reason : `${outcome.replaceAll('_', ' ')}: ${reason}`;
}

/** A sentence as it goes on after the name of its rule, without the final stop. */
export function withoutName(rule: string, sentence: string): string {
  const rest = sentence.startsWith(`${rule} `) ? sentence.slice(rule.length + 1) : sentence;
  return rest.replace(/\.$/, '');
}

const worth = ['waiting', 'requested', 'composed', 'failed', 'not_ready', 'unknown'];

function byWorth(left: RuleVerdict, right: RuleVerdict): number {
  const rank = ({ outcome }: RuleVerdict): number => (worth.indexOf(outcome) + worth.length) % worth.length;
  return rank(left) - rank(right) || right.at.getTime() - left.at.getTime();
}

/** Rules that listen to the kinds of these events, and said no to the newest of each. */
async function refusalsOf(
  context: ApiContext,
  events: readonly StoredEvent[],
  known: ReadonlySet<string>,
): Promise<readonly RuleVerdict[]> {
  const kinds = Map.groupBy(events, ({ input }) => input.event.kind);
  const newest = [...kinds.values()].flatMap(([first]) => first ?? []).slice(0, EXPLAINED);
  const said = new Map<string, RuleVerdict>();
  for (const stored of newest) {
    for (const { rule, sentence } of (await findRefusals(context, stored, MOST_REFUSALS)).first) {
      if (known.has(rule) || said.has(rule)) continue;
      said.set(rule, {
        rule,
        outcome: 'not_matched',
        words: withoutName(rule, sentence),
        event: stored.id,
        window: null,
        compose: null,
        at: new Date(stored.input.receivedAt),
        earlier: 0,
      });
    }
  }
  return [...said.values()].slice(0, MOST_REFUSALS);
}
