import { sql, type Kysely } from 'kysely';

/** The whole configurations that Pungi made composes of, beside them: lists of composes do not read them. */
export async function up(db: Kysely<never>): Promise<void> {
  await sql`create table pungi_config_dumps (
    compose_id bigint primary key references composes (id),
    dump text not null
  )`.execute(db);
}
