import { AsyncLocalStorage } from 'node:async_hooks';
import {
  CommonTableExpressionNameNode,
  CommonTableExpressionNode,
  OperationNodeTransformer,
  RawNode,
  SelectQueryNode,
  sql,
  WithNode,
  type KyselyPlugin,
  type OperationNode,
  type RootOperationNode,
  type TableNode,
} from 'kysely';
import { publicReader, type Reader } from '../model/readers.ts';
import type { Database } from './database.ts';
import { isEmbargoed } from './embargoed-builds.ts';

const reading = new AsyncLocalStorage<Reader>();

/** Who reads where nothing is to be hidden: sums over everything, checks of the service itself. */
export const wholeReader: Reader = { user: null, groups: [], readsAll: true, readsEmbargoed: true };

/** Runs work in which every readable handle shows what a caller may read. */
export function readAs<T>(reader: Reader, work: () => T): T {
  return reading.run(reader, work);
}

/** Returns who reads now: nobody in particular, who sees what is open to everybody, unless `readAs` says otherwise. */
export function currentReader(): Reader {
  return reading.getStore() ?? publicReader;
}

/**
 * Returns a database whose handle shows, of every table below, only the rows that the current reader may read. A
 * statement need not know of it, so that none can forget it: each table is shadowed by a common table expression of its
 * name, which PostgreSQL folds into the statement. Transactions and statements that change something see all.
 */
export function readableDatabase(database: Database): Database {
  return { ...database, kysely: database.kysely.withPlugin(hideUnreadable) };
}

const hideUnreadable: KyselyPlugin = {
  transformQuery: ({ node }) => (currentReader().readsAll ? node : hide(node, currentReader())),
  transformResult: async ({ result }) => result,
};

/**
 * Which rows a reader sees, by table. A later condition may ask earlier tables, which are narrowed already. Those of
 * tables that are read in order up to a limit are no joins: PostgreSQL would think that hardly a row is left of one, and
 * sort all rows instead of following the index.
 */
const conditions = {
  private_rules: (reader: Reader) => sql`not ${named(reader)}`,
  composes: (reader: Reader) => sql`readers is null or ${owned(reader)} or ${named(reader)}`,
  series: (reader: Reader) => sql`readers is null or ${owned(reader)} or ${named(reader)}`,
  images: (reader: Reader) =>
    sql`${owned(reader)} or not exists (select from hidden_series where hidden_series.name = images.series)`,
  compose_requests: (reader: Reader) =>
    sql`${ofReadableRule(sql`rule`)} and not (body ? 'readers' and not ${named(reader, sql`(body -> 'readers')`)})`,
  decisions: ({ readsEmbargoed }: Reader) =>
    sql`${ofReadableRule(sql`rule`)}
      and not ${isAny(sql`hidden_composes where hidden_composes.id = compose_id`)}
      ${
        readsEmbargoed
          ? sql``
          : sql`and not ${isAny(sql`hidden_events where hidden_events.id = event_id`)}
        ${ofReadableCauses(sql`decisions.window_id`)}`
      }`,
  settle_windows: ({ readsEmbargoed }: Reader) =>
    sql`${ofReadableRule(sql`rule`)} ${readsEmbargoed ? sql`` : ofReadableCauses(sql`settle_windows.id`)}`,
  rule_groups: () => ofReadableRule(sql`rule`),
  rule_pauses: () => ofReadableRule(sql`rule`),
  rule_clocks: () => ofReadableRule(sql`rule`),
  events: ({ readsEmbargoed }: Reader) => sql`case when kind = 'compose.state' and event ->> 'system' = 'odcs'
      and event ->> 'id' ~ '^[0-9]{1,9}$'
    then not exists (select from hidden_composes where id = (event ->> 'id')::integer)
    when kind in ('schedule.tick', 'state.swept') then ${ofReadableRule(sql`event ->> 'rule'`)}
    else true end ${readsEmbargoed ? sql`` : sql`and not ${isEmbargoed}`}`,
} as const;

type HiddenTable = keyof typeof conditions;

function owned({ user }: Reader) {
  return user === null ? sql`false` : sql`owner = ${user}`;
}

function named({ user, groups }: Reader, readers = sql`readers`) {
  const ofUser = user === null ? sql`false` : sql`coalesce(${readers} -> 'users' ? ${user}, false)`;
  const ofGroup =
    groups.length === 0 ? sql`false` : sql`coalesce(${readers} -> 'groups' ?| ${[...groups]}::text[], false)`;
  return sql`(${ofUser} or ${ofGroup})`;
}

/** The table `private_rules` shows here the rules that are hidden from the reader. */
function ofReadableRule(rule: ReturnType<typeof sql>) {
  return sql`(${rule} = any (array(select name from private_rules))) is not true`;
}

/** Groups and decisions name the builds of their events. */
function ofReadableCauses(window: ReturnType<typeof sql>) {
  return sql`and not ${isAny(sql`
    window_causes as cause join hidden_events on hidden_events.id = cause.event_id
    where cause.window_id = ${window}`)}`;
}

/** As `exists`, but never made a join of. */
function isAny(rows: ReturnType<typeof sql>) {
  return sql`coalesce((select true from ${rows} limit 1), false)`;
}

/** Returns the statement with every table that it reads narrowed to what the reader may read. */
function hide(node: RootOperationNode, reader: Reader): RootOperationNode {
  if (SelectQueryNode.is(node)) {
    // Parts that were built through the handle are narrowed by the whole.
    return withShadows(new ShadowRemover().transformNode(node), reader);
  }
  return RawNode.is(node) ? hideInText(node, reader) : node;
}

function withShadows(node: SelectQueryNode, reader: Reader): SelectQueryNode {
  const added = shadowsFor(tablesOf(node), reader);
  if (node.with?.recursive === true) throw new Error('A recursive statement cannot be narrowed.');
  const together = listTogether([...added, ...(node.with?.expressions ?? [])]);
  return together === undefined ? node : { ...node, with: together };
}

function listTogether(expressions: readonly CommonTableExpressionNode[]): WithNode | undefined {
  const [first, ...rest] = expressions;
  if (first === undefined) return undefined;
  return rest.reduce(
    (list, expression) => WithNode.cloneWithExpression(list, expression),
    WithNode.create(first),
  );
}

function hideInText(node: RawNode, reader: Reader): RawNode {
  const [first = '', ...others] = node.sqlFragments;
  const verb = /^\s*([a-z]+)/i.exec(first)?.[1]?.toLowerCase();
  // What is explained was narrowed when it was put in here.
  if (verb === 'explain' || verb === 'insert' || verb === 'update' || verb === 'delete') return node;
  const added = shadowsFor(tablesOf(node), reader);
  if (added.length > 0 && verb !== 'select')
    throw new Error(`A statement that begins with ${verb ?? 'nothing'} cannot be narrowed.`);
  const together = listTogether(added);
  if (together === undefined) return node;
  return RawNode.create(['', ` ${first}`, ...others], [together, ...node.parameters]);
}

/** Returns the expressions that shadow these tables, and those that their conditions ask. */
function shadowsFor(tables: ReadonlySet<string>, reader: Reader): CommonTableExpressionNode[] {
  const wanted = new Set([...tables].filter((table) => Object.hasOwn(conditions, table)));
  if (wanted.size === 0) return [];
  const openTables = new Set(['composes', 'series', 'images']);
  const asksRules = [...wanted].some((table) => !openTables.has(table));
  if (asksRules) wanted.add('private_rules');
  const shadows: CommonTableExpressionNode[] = [];
  const shadow = (name: string, expression: ReturnType<typeof sql>): void => {
    const called = CommonTableExpressionNameNode.create(name);
    const made = CommonTableExpressionNode.create(called, sql`(${expression})`.toOperationNode());
    const narrowed = CommonTableExpressionNode.cloneWith(made, { materialized: false });
    shadowNames.add(narrowed.name);
    shadows.push(narrowed);
  };
  const mayBeRead = sql`${owned(reader)} or ${named(reader)}`;
  if (wanted.has('images')) {
    shadow('hidden_series', sql`select name from series where readers is not null and not (${mayBeRead})`);
  }
  if (wanted.has('events') || wanted.has('decisions')) {
    shadow('hidden_composes', sql`select id from composes where readers is not null and not (${mayBeRead})`);
  }
  if ((wanted.has('decisions') || wanted.has('settle_windows')) && !reader.readsEmbargoed) {
    shadow('hidden_events', sql`select id from events where ${isEmbargoed}`);
  }
  for (const table of Object.keys(conditions) as HiddenTable[]) {
    if (!wanted.has(table)) continue;
    shadow(table, sql`select * from ${sql.table(table)} where ${conditions[table](reader)}`);
  }
  return shadows;
}

/** The names of the expressions made here: nodes are copied, their parts are not. */
const shadowNames = new WeakSet<CommonTableExpressionNameNode>();

/** Takes the shadows out of the parts of a statement, which stand where no expressions may. */
class ShadowRemover extends OperationNodeTransformer {
  protected override transformSelectQuery(node: SelectQueryNode): SelectQueryNode {
    const own = node.with?.expressions.filter(({ name }) => !shadowNames.has(name)) ?? [];
    const { with: _with, ...bare } = node;
    const together = listTogether(own);
    return super.transformSelectQuery(together === undefined ? bare : { ...bare, with: together });
  }
}

/** Finds every table that a statement names, in its text as in its nodes. */
class TableFinder extends OperationNodeTransformer {
  readonly found = new Set<string>();

  protected override transformTable(node: TableNode): TableNode {
    this.found.add(node.table.identifier.name);
    return node;
  }

  protected override transformRaw(node: RawNode): RawNode {
    for (const fragment of node.sqlFragments) {
      for (const [word] of fragment.matchAll(/[a-z_]+/g)) this.found.add(word);
    }
    return super.transformRaw(node);
  }
}

function tablesOf(node: OperationNode): ReadonlySet<string> {
  const finder = new TableFinder();
  finder.transformNode(node);
  return finder.found;
}
