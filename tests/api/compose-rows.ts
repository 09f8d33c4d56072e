import type { ComposeState } from '../../src/model/compose.ts';
import type { TestApi } from './open-test-api.ts';

/** What a stored compose is changed to, by column. */
export interface RowChange {
  readonly state?: ComposeState;
  readonly owner?: string;
  readonly source?: string;
  readonly reused_id?: number | null;
  readonly time_to_expire?: Date;
  readonly time_submitted?: Date;
  readonly time_started?: Date;
  readonly time_done?: Date;
  readonly time_removed?: Date;
  readonly removed_by?: string;
  readonly pungi_compose_id?: string;
  readonly sigkeys?: string;
  readonly koji_event?: number;
  readonly state_reason?: string;
  readonly fingerprint?: string;
  readonly progress?: string | null;
  /** As JSON. */
  readonly stages?: string;
  /** As JSON. */
  readonly warnings?: string;
}

/** Asks for a compose and then makes its row what the test needs; returns the id. */
export async function givenCompose(
  api: TestApi,
  change: RowChange = {},
  body: unknown = { source: { type: 'tag', source: 'f26', packages: ['httpd'] } },
): Promise<number> {
  const { json, status, text } = await api.call('POST', '/api/1/composes/', { body });
  if (status !== 200) throw new Error(`The compose was refused: ${text}`);
  const id = Number(json['id']);
  if (Object.keys(change).length > 0) await changeCompose(api, id, change);
  return id;
}

/** Makes a row what the test needs. */
export async function changeCompose(api: TestApi, id: number, change: RowChange): Promise<void> {
  await api.database.kysely.updateTable('composes').set(change).where('id', '=', id).execute();
}
