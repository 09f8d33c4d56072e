import { sql, type Expression, type SelectQueryBuilder, type SqlBool } from 'kysely';
import { composeStates, type ComposeState } from '../model/compose.ts';
import type { Compose } from '../model/compose-json.ts';
import { toCompose } from './composes.ts';
import type { DatabaseHandle } from './database-handle.ts';
import type { Tables } from './tables.ts';

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
  /** How many there are in all: exact up to `MOST_COUNTED` and on the last page, else about. */
  readonly total: number;
}

/** More composes than these are not counted for each page: PostgreSQL's statistics tell how many there are, about. */
export const MOST_COUNTED = 10_000;

/**
 * Lists the composes of one page. States are ordered by their numbers; equal rows by id. Read them with
 * `readComposes`, which does not hold a whole page of large ones. Source: ODCS contract 4.
 */
export async function listComposeIds(kysely: DatabaseHandle, page: ComposePage): Promise<ListedComposes> {
  const { filters, isDescending } = page;
  if (filters.matchesNothing === true) return { listed: [], total: 0 };
  let query = kysely.selectFrom('composes');
  for (const [name, column] of Object.entries(columns) as [keyof typeof columns, never][]) {
    const value = filters[name];
    if (value !== undefined) query = query.where(sql<SqlBool>`${sql.ref(column)} = ${value}`);
  }
  const matching = query.select('id');
  const counted = await countMatching(kysely, matching);
  if (page.limit === 0) return { listed: [], total: counted.total };
  const direction = isDescending ? 'desc' : 'asc';
  // One more tells whether there is a next page. Pages that are passed over are read in the index alone.
  const ordered = page.orderBy === 'id' ? matching : matching.orderBy(orderOf(page.orderBy), direction);
  const found = await ordered
    .orderBy('id', direction)
    .limit(page.limit + 1)
    .offset(page.offset)
    .execute();
  const ids = found.slice(0, page.limit).map(({ id }) => id);
  return {
    listed: await measureRequests(kysely, ids),
    total: counted.isExact ? counted.total : totalOf(counted.total, page, found.length),
  };
}

/** Returns what statistics say of how many there are, held against the page that was read. */
function totalOf(estimate: number, { offset, limit }: ComposePage, found: number): number {
  if (found > limit) return Math.max(estimate, offset + found);
  return found > 0 ? offset + found : Math.min(estimate, offset);
}

async function countMatching(
  kysely: DatabaseHandle,
  matching: SelectQueryBuilder<Tables, 'composes', { id: number }>,
): Promise<{ readonly total: number; readonly isExact: boolean }> {
  const { total } = await kysely
    .selectFrom(matching.limit(MOST_COUNTED + 1).as('matching'))
    .select((expressions) => expressions.fn.countAll<number>().as('total'))
    .executeTakeFirstOrThrow();
  if (total <= MOST_COUNTED) return { total, isExact: true };
  const { rows } = await sql<{
    'QUERY PLAN': readonly [{ readonly Plan: { readonly 'Plan Rows': number } }];
  }>`explain (format json) ${matching}`.execute(kysely);
  const estimate = rows[0]?.['QUERY PLAN'][0].Plan['Plan Rows'] ?? 0;
  return { total: Math.max(estimate, total), isExact: false };
}

/** Returns ids in their order, with how large what each asks for is. */
async function measureRequests(
  kysely: DatabaseHandle,
  ids: readonly number[],
): Promise<ListedComposes['listed']> {
  if (ids.length === 0) return [];
  const rows = await kysely
    .selectFrom('composes')
    .select(['id', sql<number>`pg_column_size(request)`.as('bytes')])
    .where(sql<SqlBool>`id = any(${`{${ids.join(',')}}`}::bigint[])`)
    .execute();
  const bytes = new Map(rows.map((row) => [row.id, row.bytes]));
  return ids.map((id) => ({ id, bytes: bytes.get(id) ?? 0 }));
}

/** As stored, that is compressed; a slice of them takes some ten milliseconds to write. */
const SLICE_BYTES = 64 * 1024;
const SLICE_ROWS = 100;

/** Reads listed composes in their order, in slices of a bounded size: one row at least, 100 at most. */
export async function* readComposes(
  kysely: DatabaseHandle,
  listed: ListedComposes['listed'],
): AsyncGenerator<readonly Compose[]> {
  for (let start = 0; start < listed.length;) {
    let end = start;
    for (let bytes = 0; end < listed.length && end - start < SLICE_ROWS; end += 1) {
      bytes += listed[end]?.bytes ?? 0;
      if (bytes > SLICE_BYTES && end > start) break;
    }
    const ids = listed.slice(start, end).map(({ id }) => id);
    const found = new Map((await findComposes(kysely, ids)).map((compose) => [compose.id, compose]));
    yield ids.flatMap((id) => found.get(id) ?? []);
    start = end;
  }
}

/** One page of composes and how many there are in all; for pages of a few. */
export async function listComposes(
  kysely: DatabaseHandle,
  page: ComposePage,
): Promise<{ readonly composes: readonly Compose[]; readonly total: number }> {
  const { listed, total } = await listComposeIds(kysely, page);
  const composes: Compose[] = [];
  for await (const slice of readComposes(kysely, listed)) composes.push(...slice);
  return { composes, total };
}

function orderOf(order: ComposeOrder): Expression<unknown> {
  if (order !== 'state') return sql.ref(order);
  const whens = Object.entries(composeStates).map(
    ([name, number]) => sql`when ${sql.lit(name)} then ${sql.lit(number)}`,
  );
  return sql`case state ${sql.join(whens, sql` `)} end`;
}

/** The composes of these ids, in no order. */
export async function findComposes(
  kysely: DatabaseHandle,
  ids: readonly number[],
): Promise<readonly Compose[]> {
  if (ids.length === 0) return [];
  const rows = await kysely
    .selectFrom('composes')
    .selectAll()
    .where('id', 'in', [...ids])
    .execute();
  return rows.map(toCompose);
}

/** The compose that was asked for with this key before, or undefined. */
export async function findComposeByKey(
  kysely: DatabaseHandle,
  owner: string,
  key: string,
): Promise<Compose | undefined> {
  const row = await kysely
    .selectFrom('composes')
    .selectAll()
    .where('owner', '=', owner)
    .where('idempotency_key', '=', key)
    .executeTakeFirst();
  return row === undefined ? undefined : toCompose(row);
}
