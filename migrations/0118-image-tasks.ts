import { sql, type Kysely } from 'kysely';

/** The tasks of Koji that make images of composes. What is called is kept before it is called. */
export async function up(db: Kysely<never>): Promise<void> {
  await sql`create table image_tasks (
    compose_id bigint not null references composes (id),
    position integer not null,
    task jsonb not null,
    call jsonb not null,
    state text not null,
    after_task bigint,
    task_id bigint,
    task_url text,
    reason text,
    begun_at timestamptz,
    ended_at timestamptz,
    primary key (compose_id, position)
  )`.execute(db);
  await sql`create index image_tasks_open on image_tasks (compose_id) where state in ('asked', 'running')`.execute(
    db,
  );
}
