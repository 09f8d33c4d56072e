import type { Compose } from '../model/compose-json.ts';
import { toCompose } from './composes.ts';
import type { DatabaseHandle } from './database-handle.ts';

/** What a compose is looked for by. */
interface InputsSearch {
  readonly inputs: string;
  readonly targetDir: string;
  readonly now: Date;
}

/** A done compose, and the link to the latest one of its release. */
export interface ComposeOfInputs {
  readonly compose: Compose;
  readonly latestLink: string | null;
}

/** Returns the newest living compose that was planned from the same inputs, or undefined. */
export async function findComposeOfInputs(
  kysely: DatabaseHandle,
  { inputs, targetDir, now }: InputsSearch,
): Promise<ComposeOfInputs | undefined> {
  const row = await kysely
    .selectFrom('composes')
    .selectAll()
    .where('inputs_digest', '=', inputs)
    .where('inputs_digest', 'is not', null)
    .where('state', '=', 'done')
    .where('target_dir', '=', targetDir)
    .where('time_to_expire', '>', now)
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row === undefined ? undefined : { compose: toCompose(row), latestLink: row.latest_link };
}
