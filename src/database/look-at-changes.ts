import { sql } from 'kysely';
import type { Readable } from '../model/readers.ts';
import type { DatabaseHandle } from './database-handle.ts';
import { isEmbargoed } from './embargoed-builds.ts';

/** What pages show that may change while they are looked at. */
export const changeSubjects = ['composes', 'progress', 'events', 'decisions', 'rules'] as const;
export type ChangeSubject = (typeof changeSubjects)[number];

/** Something that has changed, without a word of what it is: whoever may read it reads it again. */
export interface Change {
  readonly subject: ChangeSubject;
  /** Another one for each change. */
  readonly key: string;
  /** Whose it is, where not everybody may read it: only who may read all of them hears of it. */
  readonly private_to: readonly Readable[];
  readonly is_embargoed: boolean;
}

/** More than this between two looks hide each other; pages are read again now and then without being told. */
const NEWEST = 100;

const ofCompose = sql`jsonb_build_object('owner', composes.owner, 'readers', composes.readers)`;
const ofRule = sql`jsonb_build_object('owner', '', 'readers', private_rules.readers)`;

/**
 * Returns the newest of every subject, in one statement and whoever may read it: states and progress of composes, stored
 * events, decisions, and which rules run and stand still.
 */
export async function lookAtChanges(kysely: DatabaseHandle): Promise<readonly Change[]> {
  const { rows } = await sql<Change>`
    with newest_events as (select * from events order by id desc limit ${NEWEST}),
      newest_decisions as (select * from decisions order by id desc limit ${NEWEST}),
      newest_states as (select id, compose_id from announcements order by id desc limit ${NEWEST})
    select 'composes' as subject, 'state ' || newest_states.id as key,
      case when composes.readers is null then '[]' else jsonb_build_array(${ofCompose}) end as private_to,
      false as is_embargoed
    from newest_states join composes on composes.id = newest_states.compose_id
    union all
    select 'progress', 'progress ' || id || ' ' || progress::text,
      case when readers is null then '[]' else jsonb_build_array(${ofCompose}) end, false
    from composes where state = 'generating' and progress is not null
    union all
    select 'events', 'event ' || newest_events.id || ' ' || (matched_at is not null),
      coalesce((
        select jsonb_build_array(${ofCompose}) from composes
        where kind = 'compose.state' and event ->> 'system' = 'odcs' and composes.readers is not null
          and composes.id = case when event ->> 'id' ~ '^[0-9]{1,9}$' then (event ->> 'id')::integer end
      ), (
        select jsonb_build_array(${ofRule}) from private_rules
        where kind in ('schedule.tick', 'state.swept') and private_rules.name = event ->> 'rule'
      ), '[]'), ${isEmbargoed}
    from newest_events
    union all
    select 'decisions', 'decision ' || newest_decisions.id,
      case when private_rules.name is null then '[]' else jsonb_build_array(${ofRule}) end
        || case when composes.id is null then '[]' else jsonb_build_array(${ofCompose}) end,
      exists (select from embargoed_builds) and (
        exists (select from events where events.id = newest_decisions.event_id and ${isEmbargoed})
        or exists (
          select from window_causes join events on events.id = window_causes.event_id
          where window_causes.window_id = newest_decisions.window_id and ${isEmbargoed}))
    from newest_decisions
      left join private_rules on private_rules.name = newest_decisions.rule
      left join composes on composes.id = newest_decisions.compose_id and composes.readers is not null
    union all
    select 'rules', 'pause ' || rule_pauses.rule || ' ' || paused_at,
      case when private_rules.name is null then '[]' else jsonb_build_array(${ofRule}) end, false
    from rule_pauses left join private_rules on private_rules.name = rule_pauses.rule
    union all
    (select 'rules', 'set ' || version, '[]', false from rule_sets order by running_at desc limit 1)`.execute(
    kysely,
  );
  return rows;
}
