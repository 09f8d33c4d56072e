import { sql, type Selectable, type SelectQueryBuilder } from 'kysely';
import type { DecisionsTable } from './rule-tables.ts';
import type { Tables } from './tables.ts';
import type { DatabaseHandle, TransactionHandle } from './database-handle.ts';

export type DecisionRow = Selectable<DecisionsTable>;

/** A decision to be recorded: of one rule on one event, or on one window. */
export interface NewDecision {
  readonly at: Date;
  readonly rule: string;
  readonly ruleSet: string;
  readonly eventId: number | null;
  readonly windowId: number | null;
  readonly requestId: number | null;
  readonly composeId: number | null;
  readonly outcome: string;
  readonly why: string;
  readonly trail: readonly unknown[];
}

/** Records decisions in one statement; one that is there already (same event and rule, same window) stays. */
export async function insertDecisions(
  transaction: TransactionHandle,
  decisions: readonly NewDecision[],
): Promise<void> {
  if (decisions.length === 0) return;
  const rows = JSON.stringify(
    decisions.map((decision) => ({
      at: decision.at.toISOString(),
      rule: decision.rule,
      rule_set: decision.ruleSet,
      event_id: decision.eventId,
      window_id: decision.windowId,
      request_id: decision.requestId,
      compose_id: decision.composeId,
      outcome: decision.outcome,
      why: decision.why,
      trail: decision.trail,
    })),
  );
  await sql`
    insert into decisions (at, rule, rule_set, event_id, window_id, request_id, compose_id, outcome, why, trail)
    select * from jsonb_to_recordset(${rows}::jsonb) as row (
      at timestamptz, rule text, rule_set text, event_id bigint, window_id bigint, request_id bigint,
      compose_id bigint, outcome text, why text, trail jsonb)
    on conflict do nothing`.execute(transaction);
}

/** One decision, or undefined. */
export async function findDecision(kysely: DatabaseHandle, id: number): Promise<DecisionRow | undefined> {
  return kysely.selectFrom('decisions').selectAll().where('id', '=', id).executeTakeFirst();
}

/** What decisions are asked for: all conditions hold, newest first. */
export interface DecisionQuery {
  readonly event?: number;
  /** Of any of these; not together with `event`. */
  readonly events?: readonly number[];
  readonly rule?: string;
  readonly compose?: number;
  readonly window?: number;
  readonly request?: number;
  readonly outcome?: string;
  /** Leaves out what rules said `no` to. */
  readonly onlyWindows?: boolean;
  readonly beforeId?: number;
  readonly limit: number;
}

/** Decisions by event (with those on the windows it went into), rule, compose or window. */
export async function findDecisions(kysely: DatabaseHandle, query: DecisionQuery): Promise<DecisionRow[]> {
  const { event, limit } = query;
  const matching = filterDecisions(kysely.selectFrom('decisions').selectAll(), query);
  const events = query.events ?? (event === undefined ? undefined : [event]);
  if (events === undefined) return matching.orderBy('id', 'desc').limit(limit).execute();
  if (events.length === 0) return [];
  // Two questions, each with an index of its own: as one with `or` it reads every decision.
  const ofWindows = matching.where('event_id', 'is', null).where('window_id', 'in', (where) =>
    where
      .selectFrom('decisions as of_event')
      .select('of_event.window_id')
      .where('of_event.event_id', 'in', [...events]),
  );
  return kysely
    .selectFrom(
      matching
        .where('event_id', 'in', [...events])
        .unionAll(ofWindows)
        .as('decision'),
    )
    .selectAll()
    .orderBy('id', 'desc')
    .limit(limit)
    .execute();
}

function filterDecisions(
  decisions: SelectQueryBuilder<Tables, 'decisions', DecisionRow>,
  { rule, compose, window, request, outcome, onlyWindows, beforeId }: DecisionQuery,
): SelectQueryBuilder<Tables, 'decisions', DecisionRow> {
  let select = decisions;
  if (rule !== undefined) select = select.where('rule', '=', rule);
  if (compose !== undefined) select = select.where('compose_id', '=', compose);
  if (window !== undefined) select = select.where('window_id', '=', window);
  if (request !== undefined) select = select.where('request_id', '=', request);
  if (outcome !== undefined) select = select.where('outcome', '=', outcome);
  if (onlyWindows === true) select = select.where('event_id', 'is', null);
  if (beforeId !== undefined) select = select.where('id', '<', beforeId);
  return select;
}

/** What was decided on a window, in short. */
export type WindowOutcome = Pick<DecisionRow, 'id' | 'at' | 'rule' | 'outcome' | 'window_id' | 'compose_id'>;

/** Returns what was decided on windows, those of every rule or of one, since a moment, newest first. */
export async function listWindowOutcomes(
  kysely: DatabaseHandle,
  { since, limit, rule }: { readonly since: Date; readonly limit: number; readonly rule?: string },
): Promise<readonly WindowOutcome[]> {
  const decided = kysely
    .selectFrom('decisions')
    .select(['id', 'at', 'rule', 'outcome', 'window_id', 'compose_id'])
    .where('event_id', 'is', null)
    .where('at', '>=', since);
  return (rule === undefined ? decided : decided.where('rule', '=', rule))
    .orderBy('at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit)
    .execute();
}

/**
 * Forgets that rules said `no` to events before a moment, at most `limit` at once: earlier versions kept a row for each.
 * Returns how many.
 */
export async function pruneDecisions(kysely: DatabaseHandle, before: Date, limit: number): Promise<number> {
  const result = await sql`
    delete from decisions where id in (
      select id from decisions where outcome = 'not_matched' and at < ${before} order by at limit ${limit})`.execute(
    kysely,
  );
  return Number(result.numAffectedRows ?? 0);
}
