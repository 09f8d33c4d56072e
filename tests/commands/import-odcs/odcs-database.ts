import { DatabaseSync } from 'node:sqlite';

/** Columns of ODCS 0.2.0; each later release added some. */
const first = `id integer primary key, owner varchar not null, source_type integer not null, source varchar not null,
  koji_event integer, koji_task_id integer, state integer not null, state_reason varchar, results integer, packages varchar,
  flags integer, time_to_expire datetime not null, time_submitted datetime not null, time_done datetime,
  time_removed datetime, removed_by varchar, reused_id integer, sigkeys varchar, arches varchar`;

/** What each release added, in their order. */
export const releases = {
  '0.2.0': '',
  '0.2.13': 'multilib_arches varchar, multilib_method integer',
  '0.2.16': 'builds varchar',
  '0.2.21': 'lookaside_repos varchar',
  '0.2.23': 'modular_koji_tags varchar, module_defaults_url varchar',
  '0.2.35': 'time_started datetime',
  '0.2.40':
    'target_dir varchar, celery_task_id varchar, compose_type varchar, label varchar, pungi_compose_id varchar',
  '0.2.49': 'scratch_modules varchar, parent_pungi_compose_ids varchar, pungi_config_dump varchar',
  '0.2.50': 'scratch_build_tasks varchar',
  '0.2.52': `modules varchar, respin_of varchar, base_module_br_name varchar, base_module_br_stream varchar,
    base_module_br_stream_version_lte integer, base_module_br_stream_version_gte integer`,
} as const;
export type Release = keyof typeof releases;

/** Makes an ODCS database as a release had it. */
export function makeOdcsDatabase(path: string, release: Release): DatabaseSync {
  const names = Object.keys(releases);
  const columns = Object.values(releases)
    .slice(0, names.indexOf(release) + 1)
    .filter((added) => added !== '');
  const database = new DatabaseSync(path);
  database.exec(`create table users (id integer primary key, username varchar)`);
  database.exec(`create table composes (${[first, ...columns].join(', ')})`);
  return database;
}

type Value = string | number | null;

/** Inserts a compose; what is not said is as ODCS has it for a done compose of a tag. */
export function insertCompose(database: DatabaseSync, row: Readonly<Record<string, Value>>): void {
  const whole: Record<string, Value> = {
    owner: 'osbs',
    source_type: 1,
    source: 'f26',
    state: 2,
    results: 1,
    flags: 0,
    time_submitted: '2026-11-20 08:00:00.123456',
    time_to_expire: '2026-11-30 08:00:00.000000',
    arches: 'x86_64',
    sigkeys: '',
    ...row,
  };
  const names = Object.keys(whole);
  const marks = names.map(() => '?').join(', ');
  database
    .prepare(`insert into composes (${names.join(', ')}) values (${marks})`)
    .run(...Object.values(whole));
}
