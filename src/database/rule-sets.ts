import { sql } from 'kysely';
import type { DatabaseHandle } from './database-handle.ts';
import type { FileProblem } from '../model/file-problem.ts';

/** One rule file of a set. */
export interface RuleDocument {
  readonly file: string;
  readonly text: string;
}

/** A set of rules as it was read, and why what lies in the directory now does not run, in words of the rules. */
export interface StoredRuleSet {
  readonly version: string;
  readonly documents: readonly RuleDocument[];
  readonly problems: readonly FileProblem[];
}

/** Notes that a set of rules runs now. */
export async function noteRunningSet(kysely: DatabaseHandle, set: StoredRuleSet, now: Date): Promise<void> {
  const problems = JSON.stringify(set.problems);
  const known = await kysely
    .updateTable('rule_sets')
    .set({ running_at: now, problems })
    .where('version', '=', set.version)
    .returning('version')
    .executeTakeFirst();
  if (known !== undefined) return;
  await kysely
    .insertInto('rule_sets')
    .values({
      version: set.version,
      documents: JSON.stringify(set.documents),
      problems,
      first_at: now,
      running_at: now,
    })
    .onConflict((conflict) => conflict.column('version').doUpdateSet({ running_at: now, problems }))
    .execute();
}

/** Returns the version of the set that runs and the problems of the files beside it; null where none ever ran. */
export async function findRunningVersion(
  kysely: DatabaseHandle,
): Promise<Pick<StoredRuleSet, 'version' | 'problems'> | null> {
  const row = await kysely
    .selectFrom('rule_sets')
    .select(['version', 'problems'])
    .orderBy('running_at', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row ?? null;
}

/** Returns the files of a set that runs or ran; null where it is not kept. */
export async function findRuleDocuments(
  kysely: DatabaseHandle,
  version: string,
): Promise<readonly RuleDocument[] | null> {
  const row = await kysely
    .selectFrom('rule_sets')
    .select('documents')
    .where('version', '=', version)
    .executeTakeFirst();
  return row?.documents ?? null;
}

/** Forgets sets that ran last before a moment, at most `limit` at once; the newest stays. Returns how many. */
export async function pruneRuleSets(
  kysely: DatabaseHandle,
  { before, limit }: { readonly before: Date; readonly limit: number },
): Promise<number> {
  const result = await sql`
    delete from rule_sets where version in (
      select version from rule_sets where running_at < ${before}
        and version <> (select version from rule_sets order by running_at desc limit 1)
      order by running_at limit ${limit})`.execute(kysely);
  return Number(result.numAffectedRows ?? 0);
}
