import type { StoredEvent } from '../database/input-events.ts';
import { ReactorError } from '../model/errors.ts';
import type { Rule } from '../model/rule.ts';
import { askCompose } from './ask-compose.ts';
import { groupOf, writeGroupKey, type Group } from './group.ts';
import { matchRule } from './match.ts';
import { ticksBetween, type Period } from './schedule.ts';
import { openOrExtend, type SettleWindow } from './settle.ts';

/** One window a rule would have had, and what it would have asked for. */
export interface BacktestWindow {
  readonly group: Group;
  readonly openedAt: string;
  readonly closedAt: string;
  /** How many ticks of its schedule led to it. */
  readonly ticks: number;
  /** Ids of the events. */
  readonly causes: readonly number[];
  /** What would have been asked; null where the templates could not be filled. */
  readonly asked: { readonly series: string; readonly body: object } | null;
  /** `asks`; `repeats` where the body is that of the series' window before; `fails` with the reason. */
  readonly outcome: 'asks' | 'repeats' | 'fails';
  readonly why: string;
}

export interface Backtest {
  readonly rule: string;
  /** Events of the kinds that the rule lists. */
  readonly events: number;
  /** Ticks of its schedules in the time that was looked at, the first 5,000. */
  readonly ticks: number;
  readonly answers: { readonly yes: number; readonly no: number; readonly unknown: number };
  /** Fields that decided `no` or `unknown`, with how often, most first. */
  readonly decidedBy: readonly { readonly field: string; readonly answer: string; readonly count: number }[];
  readonly windows: readonly BacktestWindow[];
  /** Windows by day, UTC. */
  readonly perDay: readonly { readonly day: string; readonly windows: number; readonly events: number }[];
}

interface Open {
  readonly group: Group;
  readonly window: SettleWindow;
  readonly events: readonly StoredEvent[];
}

const MOST_TICKS = 5_000;

/**
 * Feeds stored events, a page at a time in order of receipt, through the matcher and the windows that the engine
 * uses; nothing is written and nobody is asked. What a window would have found unchanged is known only as far as
 * the same body was asked before: contents are not resolved. Schedules tick in `period`; without one they do not.
 */
export class Backtester {
  readonly #rule: Rule;
  readonly #open = new Map<string, Open>();
  readonly #windows: BacktestWindow[] = [];
  readonly #lastBody = new Map<string, string>();
  readonly #answers = { yes: 0, no: 0, unknown: 0 };
  readonly #decidedBy = new Map<string, number>();
  readonly #groups = new Map<string, Group>();
  readonly #ticks: readonly Date[];
  #ticked = 0;
  #events = 0;

  constructor(rule: Rule, period?: Period) {
    this.#rule = rule;
    this.#ticks = period === undefined ? [] : ticksBetween(rule.schedules, period, MOST_TICKS);
    if (rule.groupBy.length === 0) this.#groups.set(writeGroupKey({}), {});
  }

  /** Takes the next events. */
  take(events: readonly StoredEvent[]): void {
    for (const stored of events) {
      this.#tickUntil(Date.parse(stored.input.receivedAt));
      this.#takeOne(stored);
    }
  }

  /** A tick concerns all groups that are known by then, as those of the engine do. */
  #tickUntil(end: number): void {
    for (let tick = this.#ticks[this.#ticked]; tick !== undefined && tick.getTime() <= end;) {
      this.#ticked += 1;
      const stored = tickEvent(this.#rule, { number: this.#ticked, at: tick });
      for (const group of this.#groups.values()) this.#put(stored, group);
      tick = this.#ticks[this.#ticked];
    }
  }

  #takeOne(stored: StoredEvent): void {
    const match = matchRule(this.#rule, stored.input);
    if (match === null) return;
    this.#events += 1;
    const found = match.answer === 'yes' ? groupOf(this.#rule, stored) : null;
    const missing = found !== null && 'missing' in found ? found.missing : null;
    const answer = missing === null ? match.answer : 'unknown';
    this.#answers[answer] += 1;
    if (answer !== 'yes') {
      const key = `${missing ?? match.decidedBy?.field ?? ''}\0${answer}`;
      this.#decidedBy.set(key, (this.#decidedBy.get(key) ?? 0) + 1);
      return;
    }
    if (found === null || !('values' in found)) return;
    this.#groups.set(writeGroupKey(found.values), found.values);
    this.#put(stored, found.values);
  }

  #put(stored: StoredEvent, group: Group): void {
    const at = Date.parse(stored.input.receivedAt);
    const key = writeGroupKey(group);
    const open = this.#open.get(key);
    const event = { id: stored.id, at, priority: this.#rule.priority };
    const step = openOrExtend(open?.window ?? null, event, this.#rule);
    if (step.closed !== null && open !== undefined) this.#close(open);
    const before = step.closed === null ? (open?.events ?? []) : [];
    this.#open.set(key, { group, window: step.window, events: [...before, stored] });
  }

  #close({ group, window, events }: Open): void {
    const closing = {
      group,
      openedAt: new Date(window.openedAt).toISOString(),
      closedAt: new Date(window.dueAt).toISOString(),
      ticks: window.causes.filter((id) => id < 0).length,
      causes: window.causes.filter((id) => id > 0),
    };
    try {
      const { series, body } = askCompose(
        this.#rule,
        group,
        events.map(({ input }) => input),
      );
      const text = JSON.stringify(body);
      const isRepeated = this.#lastBody.get(series) === text;
      this.#lastBody.set(series, text);
      this.#windows.push({
        ...closing,
        asked: { series, body },
        outcome: isRepeated ? 'repeats' : 'asks',
        why: isRepeated
          ? `The same request as the window of ${series} before: unchanged unless its source changed.`
          : `Asks for series ${series}.`,
      });
    } catch (error) {
      if (!(error instanceof ReactorError)) throw error;
      this.#windows.push({
        ...closing,
        asked: null,
        outcome: 'fails',
        why: `${error.message} (${error.code})`,
      });
    }
  }

  /** Closes what is open and returns the result. */
  finish(): Backtest {
    this.#tickUntil(Infinity);
    for (const open of this.#open.values()) this.#close(open);
    this.#open.clear();
    const windows = this.#windows.toSorted((left, right) => (left.closedAt < right.closedAt ? -1 : 1));
    const days = new Map<string, { windows: number; events: number }>();
    for (const { openedAt, causes } of windows) {
      const day = openedAt.slice(0, 10);
      const count = days.get(day) ?? { windows: 0, events: 0 };
      days.set(day, { windows: count.windows + 1, events: count.events + causes.length });
    }
    return {
      rule: this.#rule.name,
      events: this.#events,
      ticks: this.#ticks.length,
      answers: { ...this.#answers },
      decidedBy: [...this.#decidedBy]
        .map(([key, count]) => {
          const [field = '', answer = ''] = key.split('\0');
          return { field, answer, count };
        })
        .sort((left, right) => right.count - left.count),
      windows,
      perDay: [...days].map(([day, count]) => ({ day, ...count })).sort((a, b) => (a.day < b.day ? -1 : 1)),
    };
  }
}

/** A tick as the engine stores it; its number is negative, so that it is none of the events. */
function tickEvent(rule: Rule, { number, at }: { readonly number: number; readonly at: Date }): StoredEvent {
  const time = at.toISOString();
  return {
    id: -number,
    stage: 'match',
    ruleSet: null,
    trace: null,
    input: {
      bus: 'internal',
      messageId: `tick:${rule.name}:${time}`,
      topic: 'schedule.tick',
      rawTopic: 'schedule.tick',
      receivedAt: time,
      sentAt: time,
      producer: null,
      instance: 'odcs-reactor',
      event: { kind: 'schedule.tick', rule: rule.name, at: time },
    },
  };
}

/** Backtests a rule on events that are at hand, in order of receipt; its schedules tick in `period`. */
export function backtestRule(rule: Rule, events: readonly StoredEvent[], period?: Period): Backtest {
  const tester = new Backtester(rule, period);
  tester.take(events);
  return tester.finish();
}
