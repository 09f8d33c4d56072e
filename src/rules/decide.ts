import { formatDuration } from '../model/duration.ts';
import type { ComposeStateEvent, InputEvent } from '../model/event.ts';
import type { HubName } from '../model/hub-name.ts';
import type { Priority } from '../model/compose.ts';
import type { JsonObject, Rule } from '../model/rule.ts';

/** How a window ended before anything was composed, or that it asked. The composer replaces `requested` later. */
export type WindowOutcome =
  | 'requested'
  | 'covered'
  | 'not_ready'
  | 'gone'
  | 'rate_limited'
  | 'refused'
  | 'shadow'
  | 'paused'
  | 'disabled'
  | 'failed';

/** What a rule would ask of the composer. */
export interface AskedCompose {
  readonly series: string;
  readonly body: JsonObject;
  readonly minEvent: number | null;
  readonly chain: readonly string[];
  /** `compose` where the rule, or somebody who triggered it, wants a compose although nothing changed. */
  readonly unchanged: Rule['unchanged'];
}

export interface WindowDecision {
  readonly outcome: WindowOutcome;
  readonly why: string;
  /** The earliest start, where `min_interval` holds the request back. */
  readonly notBefore: Date | null;
  /** The compose that already holds what was asked for. */
  readonly coveredBy: number | null;
  /** Whether the rule is to stand still from now on. */
  readonly pause: boolean;
}

/** Everything a decision is made of; nothing of it is read by deciding. */
export interface DecisionInput {
  readonly rule: Rule;
  readonly priority: Priority;
  readonly asked: AskedCompose;
  /** Sentences of the state checks that wait; empty when all are met. */
  readonly waiting: readonly string[];
  readonly coveredBy: {
    readonly requestId: number;
    readonly composeId: number | null;
    /** When it began to read its inputs, after the causes were received. */
    readonly readAt: Date;
  } | null;
  readonly lastStart: Date | null;
  /** Requests of the rule in the last 24 hours. */
  readonly requestsToday: number;
  readonly now: Date;
}

/**
 * Decides a closed window: chain guard, state checks, coverage, daily limit, shadow, interval, in this order.
 * Pure. Source: RULES 4.4, 4 to 7 and 11.
 */
export function decideWindow(input: DecisionInput): WindowDecision {
  const { rule, asked } = input;
  if (asked.chain.includes(asked.series)) {
    return ended(
      'refused',
      `A cycle: series ${asked.series} would be composed because of itself (${asked.chain.join(' -> ')}).`,
    );
  }
  if (asked.chain.length > rule.maxChain) {
    return ended(
      'refused',
      `The chain ${asked.chain.join(' -> ')} is longer than max_chain (${rule.maxChain}).`,
    );
  }
  if (input.waiting.length > 0) return ended('not_ready', `Waiting: ${input.waiting.join('; ')}.`);
  if (input.coveredBy !== null && asked.unchanged !== 'compose') {
    const { requestId, composeId, readAt } = input.coveredBy;
    const by = composeId === null ? `request ${requestId}, which is under way` : `compose ${composeId}`;
    return {
      ...ended(
        'covered',
        `What happened is covered by ${by}: it read the tag at ${readAt.toISOString()}, after the last of the messages had come.`,
      ),
      coveredBy: composeId,
    };
  }
  if (input.requestsToday >= rule.dailyLimit) {
    return {
      ...ended(
        'rate_limited',
        `${input.requestsToday} composes in 24 hours reach daily_limit (${rule.dailyLimit}); the rule is paused until somebody resumes it.`,
      ),
      pause: true,
    };
  }
  if (rule.mode === 'shadow') {
    return ended('shadow', `In shadow: would ask for series ${asked.series}, and composes nothing.`);
  }
  const notBefore = startOf(input);
  const why =
    notBefore === null
      ? ''
      : `, not before ${notBefore.toISOString()} (min_interval ${formatDuration(rule.minIntervalMs)})`;
  return { ...ended('requested', `Asked for series ${asked.series}${why}.`), notBefore };
}

function startOf({ rule, priority, lastStart, now }: DecisionInput): Date | null {
  if (lastStart === null || rule.minIntervalMs === 0) return null;
  if (priority === 'security' && !rule.minIntervalForAll) return null;
  const earliest = new Date(lastStart.getTime() + rule.minIntervalMs);
  // A start that lies in the future was written before the clock stepped back: it holds nothing back for longer
  // than the interval itself.
  const latest = new Date(now.getTime() + rule.minIntervalMs);
  if (earliest <= now) return null;
  return earliest < latest ? earliest : latest;
}

function ended(outcome: WindowOutcome, why: string): WindowDecision {
  return { outcome, why, notBefore: null, coveredBy: null, pause: false };
}

/**
 * The series a compose made because of these events would be a consequence of, root first: the longest chain of
 * the composes among them, each with its own series at the end.
 */
export function chainOf(events: readonly InputEvent[]): readonly string[] {
  return events
    .map(({ event }) => event)
    .filter((event): event is ComposeStateEvent => event.kind === 'compose.state')
    .map(({ chain = [], series }) => (series === undefined ? chain : [...chain, series]))
    .reduce<readonly string[]>((longest, chain) => (chain.length > longest.length ? chain : longest), []);
}

/**
 * Returns when the last of the causes was received, for a compose that read its inputs later covers them; null where one
 * of them tells of something that Koji's tags do not show: signatures, other sources, a person's or a schedule's wish.
 */
export function coverableSince(events: readonly InputEvent[]): Date | null {
  let latest = 0;
  for (const { event, receivedAt } of events) {
    switch (event.kind) {
      case 'koji.tag':
      case 'koji.untag':
      case 'koji.package_list':
        break;
      case 'state.swept':
        if (event.koji_event === undefined || event.force === true) return null;
        break;
      default:
        return null;
    }
    latest = Math.max(latest, Date.parse(receivedAt));
  }
  return latest === 0 ? null : new Date(latest);
}

/** Whether nothing but sweeps led here: no message, and nobody's wish. */
export function isSweptOnly(events: readonly InputEvent[]): boolean {
  return events.every(({ event }) => event.kind === 'state.swept' && event.at_once !== true);
}

/**
 * Returns the greatest event of a Koji hub among the causes; null where any of those that speak of a tag does not say one,
 * or speaks of another hub, whose events are numbered by themselves. Sweeps speak of the hub that is composed from.
 */
export function greatestKojiEvent(events: readonly InputEvent[], hub: HubName): number | null {
  let greatest: number | null = null;
  for (const { event } of events) {
    if (event.kind !== 'koji.tag' && event.kind !== 'koji.untag' && event.kind !== 'state.swept') return null;
    if (event.kind !== 'state.swept' && (event.hub ?? null) !== hub) return null;
    if (event.koji_event === undefined) return null;
    greatest = Math.max(greatest ?? 0, event.koji_event);
  }
  return greatest;
}
