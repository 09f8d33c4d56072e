import { sql, type Expression, type SqlBool } from 'kysely';
import { composeStates, type ComposeState } from '../model/compose.ts';
import type { Compose } from '../model/compose-json.ts';
import { toCompose } from './composes.ts';
import type { DatabaseHandle } from './database-handle.ts';

/** What composes may be picked by; all that are given must hold. */
export interface ComposeFilters {
  readonly owner?: string;
  /** The number ODCS has for it. */
  readonly sourceType?: number;
  readonly source?: string;
  readonly state?: ComposeState;
  readonly pungiComposeId?: string;
  readonly composeType?: string;
  readonly label?: string;
  readonly series?: string;
  /** True where no compose can match, for example a number that stands for no state. */
  readonly matchesNothing?: boolean;
}

export const composeOrders = [
  'id',
  'owner',
  'source_type',
  'koji_event',
  'state',
  'time_to_expire',
  'time_submitted',
  'time_done',
  'time_removed',
] as const;
export type ComposeOrder = (typeof composeOrders)[number];

export interface ComposePage {
  readonly filters: ComposeFilters;
  readonly orderBy: ComposeOrder;
  readonly isDescending: boolean;
  readonly limit: number;
  readonly offset: number;
}

const columns = {
  owner: 'owner',
  sourceType: 'source_type',
  source: 'source',
  state: 'state',
  pungiComposeId: 'pungi_compose_id',
  composeType: 'compose_type',
  label: 'label',
  series: 'series',
} as const;

/** One page: which composes, in order, and how large what each asks for is. */
export interface ListedComposes {
  readonly listed: readonly { readonly id: number; readonly bytes: number }[];
  /** How many there are in all. */
  readonly total: number;
}

/**
 * Lists the composes of one page. States are ordered by their numbers; equal rows by id. Read them with
 * `readComposes`, which does not hold a whole page of large ones. Source: ODCS contract 4.
 */
export async function listComposeIds(handle: DatabaseHandle, page: ComposePage): Promise<ListedComposes> {
  const { filters, isDescending } = page;
  if (filters.matchesNothing === true) return { listed: [], total: 0 };
  let query = handle.selectFrom('composes');
  for (const [name, column] of Object.entries(columns) as [keyof typeof columns, never][]) {
    const value = filters[name];
    if (value !== undefined) query = query.where(sql<SqlBool>`${sql.ref(column)} = ${value}`);
  }
  const { total } = await query
    .select((expressions) => expressions.fn.countAll<number>().as('total'))
    .executeTakeFirstOrThrow();
  if (page.limit === 0) return { listed: [], total };
  const listed = await query
    .select(['id', sql<number>`pg_column_size(request)`.as('bytes')])
    .orderBy(orderOf(page.orderBy), isDescending ? 'desc' : 'asc')
    .orderBy('id', isDescending ? 'desc' : 'asc')
    .limit(page.limit)
    .offset(page.offset)
    .execute();
  return { listed, total };
}

/** As stored, that is compressed; a slice of them takes some ten milliseconds to write. */
const SLICE_BYTES = 64 * 1024;
const SLICE_ROWS = 100;

/** Reads listed composes in their order, in slices of a bounded size: one row at least, 100 at most. */
export async function* readComposes(
  handle: DatabaseHandle,
  listed: ListedComposes['listed'],
): AsyncGenerator<readonly Compose[]> {
  for (let start = 0; start < listed.length;) {
    let end = start;
    for (let bytes = 0; end < listed.length && end - start < SLICE_ROWS; end += 1) {
      bytes += listed[end]?.bytes ?? 0;
      if (bytes > SLICE_BYTES && end > start) break;
    }
    const ids = listed.slice(start, end).map(({ id }) => id);
    const found = new Map((await findComposes(handle, ids)).map((compose) => [compose.id, compose]));
    yield ids.flatMap((id) => found.get(id) ?? []);
    start = end;
  }
}

/** One page of composes and how many there are in all; for pages of a few. */
export async function listComposes(
  handle: DatabaseHandle,
  page: ComposePage,
): Promise<{ readonly composes: readonly Compose[]; readonly total: number }> {
  const { listed, total } = await listComposeIds(handle, page);
  const composes: Compose[] = [];
  for await (const slice of readComposes(handle, listed)) composes.push(...slice);
  return { composes, total };
}

function orderOf(order: ComposeOrder): Expression<unknown> {
  if (order !== 'state') return sql.ref(order);
  const whens = Object.entries(composeStates).map(
    ([name, number]) => sql`when ${name} then ${sql.lit(number)}`,
  );
  return sql`case state ${sql.join(whens, sql` `)} end`;
}

/** The composes of these ids, in no order. */
export async function findComposes(
  handle: DatabaseHandle,
  ids: readonly number[],
): Promise<readonly Compose[]> {
  if (ids.length === 0) return [];
  const rows = await handle
    .selectFrom('composes')
    .selectAll()
    .where('id', 'in', [...ids])
    .execute();
  return rows.map(toCompose);
}

/** The compose that was asked for with this key before, or undefined. */
export async function findComposeByKey(
  handle: DatabaseHandle,
  owner: string,
  key: string,
): Promise<Compose | undefined> {
  const row = await handle
    .selectFrom('composes')
    .selectAll()
    .where('owner', '=', owner)
    .where('idempotency_key', '=', key)
    .executeTakeFirst();
  return row === undefined ? undefined : toCompose(row);
}
