import { sql } from 'kysely';
import type { Rule } from '../model/rule.ts';
import { readersOfRule } from '../model/rule-readers.ts';
import type { DatabaseHandle } from './database-handle.ts';

/**
 * Notes which of the rules that run not everybody may read, and to whom the series they continue are open. Rules that
 * are gone stay private: what they decided is not shown to everybody because of that.
 */
export async function noteReadersOfRules(
  kysely: DatabaseHandle,
  rules: readonly Pick<Rule, 'name' | 'owner' | 'readers'>[],
): Promise<void> {
  const told = JSON.stringify(rules.map((rule) => ({ name: rule.name, readers: readersOfRule(rule) })));
  await sql`
    insert into private_rules (name, readers)
    select name, readers from jsonb_to_recordset(${told}::jsonb) as told(name text, readers jsonb)
    where jsonb_typeof(readers) = 'object'
    on conflict (name) do update set readers = excluded.readers
    where private_rules.readers is distinct from excluded.readers`.execute(kysely);
  await sql`
    delete from private_rules using jsonb_to_recordset(${told}::jsonb) as told(name text, readers jsonb)
    where private_rules.name = told.name and coalesce(jsonb_typeof(told.readers), 'null') = 'null'`.execute(
    kysely,
  );
  await sql`
    update series set readers = nullif(told.readers, 'null'::jsonb)
    from jsonb_to_recordset(${told}::jsonb) as told(name text, readers jsonb)
    where series.rule = told.name and series.readers is distinct from nullif(told.readers, 'null'::jsonb)`.execute(
    kysely,
  );
}

/** Returns the names of these rules that not everybody may read. */
export async function findPrivateRules(
  kysely: DatabaseHandle,
  names: readonly string[],
): Promise<ReadonlySet<string>> {
  if (names.length === 0) return new Set();
  const rows = await kysely
    .selectFrom('private_rules')
    .select('name')
    .where('name', 'in', [...names])
    .execute();
  return new Set(rows.map(({ name }) => name));
}
