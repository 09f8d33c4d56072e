import { findComposeRequest, type ComposeRequestRow } from '../../database/compose-requests.ts';
import { findCompose } from '../../database/composes.ts';
import type { DatabaseHandle } from '../../database/database-handle.ts';
import { findDecisions, type DecisionRow } from '../../database/decisions.ts';
import { findInputEvents, findInternalEvents, type StoredEvent } from '../../database/input-events.ts';
import { findComposes } from '../../database/list-composes.ts';
import { findCauses } from '../../database/window-causes.ts';
import { findWindow, type WindowRow } from '../../database/windows.ts';
import type { Compose } from '../../model/compose-json.ts';
import { eventSentence } from '../event-sentence.ts';
import type { Chain, ChainColumn, ChainEdge, ChainNode } from './chain.ts';

/** What a chain is looked at from. */
export interface ChainStart {
  readonly kind: 'event' | 'window' | 'request' | 'compose';
  readonly id: number;
}

const MOST_EVENTS = 4;
const MOST_WINDOWS = 6;
const MOST_CHILDREN = 5;

/** Collects the parts of one chain, each once. */
class ChainBuilder {
  readonly #nodes = new Map<string, ChainNode>();
  readonly #edges = new Map<string, ChainEdge>();

  /** Returns the key of the part. */
  add(node: ChainNode): string {
    if (!this.#nodes.has(node.key)) this.#nodes.set(node.key, node);
    return node.key;
  }

  join(from: string, to: string): void {
    if (this.#nodes.has(from) && this.#nodes.has(to)) this.#edges.set(`${from} ${to}`, { from, to });
  }

  has(key: string): boolean {
    return this.#nodes.has(key);
  }

  /** How many parts stand in a column. */
  count(column: ChainColumn): number {
    return [...this.#nodes.values()].filter((node) => node.column === column).length;
  }

  finish(here: string): Chain {
    return { nodes: [...this.#nodes.values()], edges: [...this.#edges.values()], here };
  }
}

/** Finds how something came about and what came of it; the newest of each kind, where there are many. */
export async function findChain(kysely: DatabaseHandle, start: ChainStart): Promise<Chain> {
  const chain = new ChainBuilder();
  const decisions = await decisionsOf(kysely, start);
  const windows = [...new Set(decisions.flatMap(({ window_id: id }) => id ?? []))].slice(0, MOST_WINDOWS);
  const requests = new Set(decisions.flatMap(({ request_id: id }) => id ?? []));
  const composes = new Set(decisions.flatMap(({ compose_id: id }) => id ?? []));
  if (start.kind === 'window' && !windows.includes(start.id)) windows.push(start.id);
  if (start.kind === 'request') requests.add(start.id);
  if (start.kind === 'compose') composes.add(start.id);

  for (const id of requests) await addRequest(kysely, chain, id, composes);
  for (const id of windows) await addWindow(kysely, chain, id, decisions);
  const made = await findComposes(kysely, [...composes]);
  for (const compose of made) addCompose(chain, compose);
  for (const { window_id: window, request_id: request, compose_id: compose } of decisions) {
    if (window === null) continue;
    if (request !== null) chain.join(`w${window}`, `r${request}`);
    else if (compose !== null) chain.join(`w${window}`, `c${compose}`);
  }
  await addEvents(kysely, chain, start, windows);
  await addChildren(kysely, chain, made);
  return chain.finish(`${start.kind.charAt(0)}${start.id}`);
}

async function decisionsOf(
  kysely: DatabaseHandle,
  { kind, id }: ChainStart,
): Promise<readonly DecisionRow[]> {
  switch (kind) {
    case 'event':
      return (await findDecisions(kysely, { event: id, limit: 100 })).filter(
        ({ outcome }) => outcome !== 'not_matched',
      );
    case 'window':
      return findDecisions(kysely, { window: id, onlyWindows: true, limit: 10 });
    case 'request':
      return findDecisions(kysely, { request: id, onlyWindows: true, limit: 10 });
    case 'compose': {
      const request = (await findCompose(kysely, id))?.requestId ?? null;
      return request === null ? [] : findDecisions(kysely, { request, onlyWindows: true, limit: 10 });
    }
    default:
      return kind satisfies never;
  }
}

async function addRequest(
  kysely: DatabaseHandle,
  chain: ChainBuilder,
  id: number,
  composes: Set<number>,
): Promise<void> {
  const row = await findComposeRequest(kysely, id);
  if (row === undefined) return;
  chain.add(requestNode(row));
  if (row.compose_id !== null) composes.add(row.compose_id);
  if (row.superseded_by !== null && !chain.has(`r${row.superseded_by}`)) {
    await addRequest(kysely, chain, row.superseded_by, composes);
    chain.join(`r${id}`, `r${row.superseded_by}`);
  }
}

function requestNode(row: ComposeRequestRow): ChainNode {
  return {
    key: `r${row.id}`,
    column: 'request',
    name: `request ${row.id}`,
    title: row.series,
    state: row.state,
    at: row.started_at ?? row.created_at,
    path: `/console/requests/${row.id}`,
  };
}

async function addWindow(
  kysely: DatabaseHandle,
  chain: ChainBuilder,
  id: number,
  decisions: readonly DecisionRow[],
): Promise<void> {
  const row = await findWindow(kysely, id);
  if (row !== undefined) chain.add(windowNode(row, decisions));
}

function windowNode(row: WindowRow, decisions: readonly DecisionRow[]): ChainNode {
  const decided = decisions.find(
    ({ window_id: window, event_id: event }) => window === row.id && event === null,
  );
  return {
    key: `w${row.id}`,
    column: 'window',
    name: `window ${row.id}`,
    title: row.rule,
    state: decided?.outcome ?? row.outcome ?? 'waiting',
    at: row.decided_at ?? row.due_at,
    path: `/console/windows/${row.id}`,
  };
}

function addCompose(chain: ChainBuilder, compose: Compose): void {
  const key = chain.add(composeNode(compose, 'compose'));
  if (compose.requestId !== null) chain.join(`r${compose.requestId}`, key);
  addImages(chain, compose, 'child');
}

function composeNode(compose: Compose, column: 'compose' | 'child'): ChainNode {
  return {
    key: `c${compose.id}`,
    column,
    name: `compose ${compose.id}`,
    title: compose.series ?? compose.owner,
    state: compose.state,
    at: compose.timeDone ?? compose.timeStarted ?? compose.timeSubmitted,
    path: `/console/composes/${compose.id}`,
  };
}

/** Images stand right of their compose, so that no line runs behind another compose. */
function addImages(
  chain: ChainBuilder,
  { id, changedImages, timeDone }: Compose,
  column: 'child' | 'images',
): void {
  if (changedImages === null || changedImages.images.length === 0) return;
  const count = `${changedImages.images.length}${changedImages.more ? '+' : ''}`;
  const key = chain.add({
    key: `i${id}`,
    column,
    name: `${count} image${count === '1' ? '' : 's'}`,
    title: changedImages.images.slice(0, 3).join(', '),
    state: null,
    at: timeDone,
    path: `/console/composes/${id}#images`,
  });
  chain.join(`c${id}`, key);
}

async function addEvents(
  kysely: DatabaseHandle,
  chain: ChainBuilder,
  start: ChainStart,
  windows: readonly number[],
): Promise<void> {
  if (start.kind === 'event') {
    const [stored] = await findInputEvents(kysely, [start.id]);
    if (stored === undefined) return;
    const key = chain.add(eventNode(stored));
    for (const window of windows) chain.join(key, `w${window}`);
    return;
  }
  const each = Math.max(1, Math.floor(MOST_EVENTS / Math.max(1, windows.length)));
  for (const window of windows) {
    const causes = await findCauses(kysely, window);
    for (const stored of causes.slice(-each)) chain.join(chain.add(eventNode(stored)), `w${window}`);
    if (causes.length <= each) continue;
    const key = chain.add({
      key: `m${window}`,
      column: 'event',
      name: `${causes.length - each} more`,
      title: 'events before them',
      state: null,
      at: null,
      path: `/console/windows/${window}`,
    });
    chain.join(key, `w${window}`);
  }
}

function eventNode({ id, input: { event, receivedAt } }: StoredEvent): ChainNode {
  const isOwn = event.kind === 'compose.state' && event.system === 'odcs' && /^\d+$/.test(event.id);
  return {
    key: `e${id}`,
    column: 'event',
    name: isOwn ? `compose ${event.id}` : `event ${id}`,
    title: eventSentence(event),
    state: null,
    at: new Date(receivedAt),
    path: isOwn ? `/console/composes/${event.id}` : `/console/events/${id}`,
  };
}

/** What rules made of these composes in their turn. */
async function addChildren(
  kysely: DatabaseHandle,
  chain: ChainBuilder,
  made: readonly Compose[],
): Promise<void> {
  for (const parent of made) {
    const told = await findInternalEvents(kysely, [
      `compose:${parent.id}:done`,
      `compose:${parent.id}:failed`,
    ]);
    const decisions = await findDecisions(kysely, { events: told, limit: 50 });
    const ids = new Set(decisions.flatMap(({ compose_id: id }) => id ?? []));
    for (const child of await findComposes(kysely, [...ids])) {
      if (chain.has(`c${child.id}`) || chain.count('child') >= MOST_CHILDREN) continue;
      const key = chain.add(composeNode(child, 'child'));
      chain.join(`c${parent.id}`, key);
      addImages(chain, child, 'images');
    }
    const decided = new Set(decisions.flatMap((row) => (row.event_id === null ? (row.window_id ?? []) : [])));
    for (const { window_id: window, event_id: event } of decisions) {
      if (event === null || window === null || decided.has(window)) continue;
      const row = await findWindow(kysely, window);
      if (row === undefined || chain.count('child') >= MOST_CHILDREN) continue;
      chain.join(`c${parent.id}`, chain.add({ ...windowNode(row, decisions), column: 'child' }));
    }
  }
}
