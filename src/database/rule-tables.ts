import type { ColumnType, Generated } from 'kysely';
import type { FileProblem } from '../model/file-problem.ts';
import type { Readers } from '../model/readers.ts';
import type { Json, NullableTime, Time } from './column-types.ts';

/** Why something was, or was not, composed. Append only. */
export interface DecisionsTable {
  id: Generated<number>;
  at: Time;
  rule: string;
  rule_set: string;
  event_id: number | null;
  window_id: number | null;
  request_id: number | null;
  compose_id: number | null;
  outcome: string;
  why: string;
  trail: Json<unknown[]>;
}

/** An open group of events that is waiting for quiet. */
export interface SettleWindowsTable {
  id: Generated<number>;
  rule: string;
  rule_set: string;
  /** JSON of the group's values, fields in the rule's order. */
  group_key: string;
  opened_at: Time;
  last_at: Time;
  due_at: Time;
  closed_at: NullableTime;
  outcome: string | null;
  priority: string;
  /** Quiet time wanted and cap, milliseconds, as the rule had them at the last event. */
  settle_ms: number;
  max_wait_ms: number;
  decided_at: ColumnType<Date | null, Date | undefined, Date>;
}

/** The events of a window; rows are only added. */
export interface WindowCausesTable {
  window_id: number;
  event_id: number;
}

/** A set of rules that runs or ran. */
export interface RuleSetsTable {
  version: string;
  documents: Json<readonly { readonly file: string; readonly text: string }[]>;
  /** Why what lies in the directory does not run, while this does. */
  problems: Json<readonly FileProblem[]>;
  first_at: Time;
  /** When a process last said that it runs. */
  running_at: Time;
}

/** A group of a rule: one value of what its `group_by` names. */
export interface RuleGroupsTable {
  rule: string;
  /** As in `settle_windows`. */
  group_key: string;
  /** When an event of the group opened a window; sweeps do not count. */
  seen_at: Time;
  /** When a sweep looked at it. */
  looked_at: NullableTime;
  /** When it was found that what the group is about is gone. */
  gone_at: NullableTime;
}

/** A rule that was told to stand still, by a person or by its own daily limit. */
export interface RulePausesTable {
  rule: string;
  paused_at: Time;
  paused_by: string;
  reason: string;
}

/** The last time a rule's schedule or sweep came round, so that none is missed or made twice. */
export interface RuleClocksTable {
  rule: string;
  /** `sweep`, or a cron expression. */
  clock: string;
  last_at: Time;
}

/** Rules that not everybody may read; a rule that is gone stays private. */
export interface PrivateRulesTable {
  name: string;
  readers: Json<Readers>;
}
