import { findCompose } from '../../database/composes.ts';
import { findEventsAbout } from '../../database/find-events.ts';
import type { StoredEvent } from '../../database/input-events.ts';
import { findComposes, listComposes, type ComposeFilters } from '../../database/list-composes.ts';
import { findSeries } from '../../database/series.ts';
import type { Compose } from '../../model/compose-json.ts';
import { readFindQuery, type FindQuery } from '../../model/find-query.ts';
import type { ApiContext } from '../context.ts';
import { readShownRules } from '../rule-set.ts';
import { findHeldBuilds, type HeldBuilds } from './held-builds.ts';
import { findVerdicts, type RuleVerdict } from './rule-verdicts.ts';
import { findWhatToCheck } from './what-to-check.ts';

/** All that is known of something, and what came of it. */
export interface FindAnswer {
  readonly query: FindQuery;
  /** One sentence that says what came of it. */
  readonly sentence: string;
  readonly verdicts: readonly RuleVerdict[];
  /** Newest first. */
  readonly events: readonly StoredEvent[];
  /** What was composed of it and what it names, newest first. */
  readonly composes: readonly Compose[];
  readonly held: readonly HeldBuilds[];
  readonly series: string | null;
  readonly rule: string | null;
  /** What to look at where nothing of it ever arrived; empty where something did. */
  readonly checks: readonly string[];
}

const MOST_EVENTS = 50;
const MOST_COMPOSES = 10;

/** Finds what is known of something that somebody typed. */
export async function findAnswer(context: ApiContext, typed: string): Promise<FindAnswer> {
  const query = readFindQuery(typed);
  const { kysely } = context.database;
  const empty = {
    query,
    verdicts: [],
    events: [],
    composes: [],
    held: [],
    series: null,
    rule: null,
    checks: [],
  };
  if (query.word === '') return { ...empty, sentence: 'Type what you look for.' };
  const events = await findEventsAbout(kysely, query, MOST_EVENTS);
  const verdicts = await findVerdicts(context, events);
  const named = await findNamedComposes(context, query);
  const ofVerdicts = await findComposes(
    kysely,
    verdicts.flatMap(({ compose }) => compose ?? []),
  );
  const composes = new Map([...ofVerdicts, ...named].map((compose) => [compose.id, compose]));
  const held = await findHeldBuilds(context, query);
  const series = (await findSeries(kysely, query.word))?.name ?? null;
  const { set } = await readShownRules(context);
  const rule = set.rules.find(({ name }) => name === query.word)?.name ?? null;
  const isKnown = composes.size > 0 || held.length > 0 || series !== null || rule !== null;
  return {
    query,
    sentence: sentenceOf({ query, verdicts, events, isKnown, rules: set.rules.length }),
    verdicts,
    events,
    composes: [...composes.values()].toSorted((left, right) => right.id - left.id),
    held,
    series,
    rule,
    checks: events.length === 0 && !isKnown ? await findWhatToCheck(context, query) : [],
  };
}

/** Composes that carry the name: by number, compose id, series, source or owner. */
async function findNamedComposes(
  { database: { kysely } }: ApiContext,
  { word, kind }: FindQuery,
): Promise<readonly Compose[]> {
  const number = /^(?:odcs-)?(\d{1,9})(?:-\d+-.*)?$/.exec(word)?.[1];
  if (number !== undefined) {
    const compose = await findCompose(kysely, Number(number));
    if (compose !== undefined) return [compose];
  }
  if (kind !== 'name' && kind !== 'build' && kind !== 'module') return [];
  const ways: readonly ComposeFilters[] = [
    { pungiComposeId: word },
    { series: word },
    { source: word },
    { owner: word },
  ];
  const found: Compose[] = [];
  for (const filters of ways) {
    const page = { filters, orderBy: 'id', isDescending: true, limit: MOST_COMPOSES, offset: 0 } as const;
    found.push(...(await listComposes(kysely, page)).composes);
  }
  return found.toSorted((left, right) => right.id - left.id).slice(0, MOST_COMPOSES);
}

const MOST_WORDS = 5;

function sentenceOf(found: {
  readonly query: FindQuery;
  readonly verdicts: readonly RuleVerdict[];
  readonly events: readonly StoredEvent[];
  readonly isKnown: boolean;
  readonly rules: number;
}): string {
  const { query, verdicts, events, isKnown, rules } = found;
  if (events.length === 0) {
    return isKnown
      ? `No event tells of ${query.word}, but there is something of that name here.`
      : `Nothing of ${query.word} ever arrived.`;
  }
  const heard =
    events.length === 1
      ? 'One event tells'
      : `${events.length}${events.length === MOST_EVENTS ? ' or more' : ''} events tell`;
  if (verdicts.length === 0) {
    const none = rules === 0 ? 'there are no rules' : 'no rule listens to what they say';
    return `${heard} of ${query.word}, but ${none}, so nothing was composed.`;
  }
  const said = verdicts.slice(0, MOST_WORDS).map(({ rule, words }) => `${rule} ${words}`);
  const more = verdicts.length > MOST_WORDS ? `; and ${verdicts.length - MOST_WORDS} more` : '';
  const count = verdicts.length === 1 ? 'One rule' : `${verdicts.length} rules`;
  return `${count} looked at it: ${said.join('; ')}${more}.`;
}
