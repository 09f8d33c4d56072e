import type { Priority } from './compose.ts';
import type { EventKind } from './event.ts';
import type { Keep } from './keep.ts';
import type { Readers } from './readers.ts';

export type RuleMode = 'active' | 'shadow' | 'off';
/**
 * What is done where nothing changed since the last compose of a series: nothing, nothing also where only texts of
 * advisories changed, or a compose all the same.
 */
export type WhenUnchanged = 'skip' | 'skip_texts' | 'compose';

export type WhenBusy = 'latest' | 'queue' | 'cancel_running';

export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: JsonValue;
}

export type Scalar = string | number | boolean;

/** One thing asked of one field. All tests of a trigger must hold. */
export type FieldTest =
  | { readonly field: string; readonly op: 'any_of' | 'none_of'; readonly values: readonly ScalarPattern[] }
  | { readonly field: string; readonly op: 'exists'; readonly wanted: boolean }
  | { readonly field: string; readonly op: 'gt' | 'gte' | 'lt' | 'lte'; readonly wanted: number }
  | { readonly field: string; readonly op: EvrOperator; readonly wanted: string }
  | { readonly field: string; readonly op: Quantifier; readonly tests: readonly FieldTest[] };

export type EvrOperator = 'at_least' | 'at_most' | 'newer_than' | 'older_than';
export type Quantifier = 'some' | 'all' | 'none';

/** A value, or a string with wildcards. */
export interface ScalarPattern {
  readonly value: Scalar;
  readonly glob: boolean;
}

/** One entry of `on:` that names an event. */
export interface Trigger {
  readonly event: EventKind;
  readonly match: readonly FieldTest[];
  readonly unless: readonly FieldTest[];
}

/** One state check: its name and parameters, templates unfilled. */
export interface Requirement {
  readonly check: string;
  readonly parameters: JsonObject;
}

/** What may be told: how windows end, that state checks wait for longer than they should, and that images change. */
export const notifiedOutcomes = [
  'composed',
  'unchanged',
  'covered',
  'failed',
  'not_ready',
  'gone',
  'overdue',
  'refused',
  'rate_limited',
  'shadow',
  'image_changed',
] as const;
export type NotifiedOutcome = (typeof notifiedOutcomes)[number];

/** Who hears of what the rule did: the bus or address, and on which outcomes. */
export interface Notification {
  readonly channel: 'bus' | 'webhook';
  /** The bus as listeners call it, or a URL. */
  readonly to: string;
  /** Empty for the usual ones. */
  readonly only: readonly NotifiedOutcome[];
}

/** A rule as the engine uses it. Durations in milliseconds, null where the file says nothing. */
export interface Rule {
  readonly name: string;
  readonly owner: string;
  readonly description: string;
  readonly mode: RuleMode;
  readonly triggers: readonly Trigger[];
  /** Cron expressions, UTC, five fields. */
  readonly schedules: readonly string[];
  readonly groupBy: readonly string[];
  readonly settleMs: number;
  readonly maxWaitMs: number;
  readonly reconcileMs: number | null;
  readonly minIntervalMs: number;
  readonly minIntervalForAll: boolean;
  readonly priority: Priority;
  readonly require: readonly Requirement[];
  readonly requireWithinMs: number | null;
  /** Template of the line of composes this rule continues; null for the rule's name and group. */
  readonly series: string | null;
  /** Which composes of its series outlive their time; null for none. */
  readonly keep: Keep | null;
  /** Who may read it, its series and its composes beside its owner; null for everybody. */
  readonly readers: Readers | null;
  /** The ODCS request body, templates unfilled. */
  readonly compose: JsonObject;
  readonly unchanged: WhenUnchanged;
  readonly whenBusy: WhenBusy;
  readonly notify: readonly Notification[];
  readonly maxChain: number;
  /** Composes a day after which the rule pauses itself. */
  readonly dailyLimit: number;
  /** Path of the file it was read from. */
  readonly file: string;
}

/** All rules that run together, and the hash that names them. */
export interface RuleSet {
  /** Hash of the files' content: stamped on each decision. */
  readonly version: string;
  readonly rules: readonly Rule[];
}

const rank: Record<Priority, number> = { security: 2, normal: 1, bulk: 0 };

/** The more urgent of the two. */
export function higherPriority(left: Priority, right: Priority): Priority {
  return rank[left] >= rank[right] ? left : right;
}
