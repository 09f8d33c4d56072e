import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Ending } from '../ending.ts';
import { sharedPath } from '../shared.ts';

/** One item of the REST API, verbose. */
export interface MbsItem {
  readonly [key: string]: unknown;
  readonly id: number;
  readonly name: string;
  readonly stream: string;
  readonly version: string;
  readonly context: string;
  readonly state: number;
  readonly base_module_buildrequires: readonly {
    name: string;
    stream: string;
    stream_version: number | null;
  }[];
}

export interface FakeMbs {
  /** Up to `/module-build-service`. */
  readonly url: string;
  /** Query strings in the order they came. */
  readonly queries: string[];
  /** What is answered in place of the data, used up one by one. */
  readonly faults: ((response: ServerResponse) => void)[];
}

export const mbsDatasets = ['fixture', 'odcs-tests', 'rules'] as const;

/** The recorded items of one dataset. */
export function readMbsItems(name: (typeof mbsDatasets)[number]): MbsItem[] {
  const { items } = JSON.parse(
    readFileSync(sharedPath(`modules/oracle/datasets/mbs-${name}.json`), 'utf8'),
  ) as {
    items: MbsItem[];
  };
  return items;
}

/**
 * A Module Build Service over HTTP on a free port of loopback, filtering as the real one does, stopped with the test.
 * Source: module contract 2.4.
 */
export async function startFakeMbs(
  context: Ending,
  items: readonly MbsItem[],
  finalModulemd: Readonly<Record<number, Readonly<Record<string, string>>>> = {},
): Promise<FakeMbs> {
  const queries: string[] = [];
  const faults: FakeMbs['faults'] = [];
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    const url = new URL(request.url ?? '', 'http://elsewhere.example');
    const fault = faults.shift();
    if (fault !== undefined) return fault(response);
    const final = /\/1\/final-modulemd\/(\d+)$/.exec(url.pathname);
    if (final !== null) return reply(response, 200, finalModulemd[Number(final[1])] ?? {});
    if (url.pathname !== '/module-build-service/1/module-builds/')
      return reply(response, 404, { error: 'Not Found' });
    queries.push(url.search.slice(1));
    const { status, body } = answer(items, url);
    return reply(response, status, body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/module-build-service`, queries, faults };
}

function reply(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

const STATES = ['init', 'wait', 'build', 'done', 'failed', 'ready', 'garbage'];

function answer(items: readonly MbsItem[], url: URL): { status: number; body: unknown } {
  const parameters = url.searchParams;
  const states = parameters
    .getAll('state')
    .map((state) => (/^\d+$/.test(state) ? Number(state) : STATES.indexOf(state)));
  if (states.includes(-1))
    return { status: 400, body: { error: 'Bad Request', message: 'Invalid state was supplied' } };
  const bounds = ['base_module_br_stream_version_lte', 'base_module_br_stream_version_gte'];
  if (bounds.some((name) => Number.isNaN(Number(parameters.get(name) ?? 0)))) {
    return { status: 500, body: { error: 'Internal Server Error' } };
  }
  const [name, stream, version, context] = (parameters.get('nsvc') ?? '').split(':');
  const wanted = { name, stream, version, context };
  const found = items.filter(
    (item) =>
      (Object.keys(wanted) as (keyof typeof wanted)[]).every(
        (key) => !wanted[key] || item[key] === wanted[key],
      ) &&
      (states.length === 0 || states.includes(item.state)) &&
      String(item['time_modified']) >= (parameters.get('modified_after') ?? '') &&
      matchesBaseModule(item, parameters),
  );
  const order = parameters.get('order_desc_by') === 'version';
  if (parameters.get('order_by') === 'id') found.sort((a, b) => a.id - b.id);
  else
    found.sort(
      (a, b) => (order ? Number(BigInt(b.version) - BigInt(a.version)) : b.id - a.id) || a.id - b.id,
    );
  const page = Number(parameters.get('page') ?? 1);
  const perPage = Number(parameters.get('per_page') ?? 10);
  const next = new URL(url);
  next.searchParams.set('page', String(page + 1));
  const isVerbose = /^(true|1)$/i.test(parameters.get('verbose') ?? '');
  return {
    status: 200,
    body: {
      items: found
        .slice((page - 1) * perPage, page * perPage)
        .map((item) => (isVerbose ? item : brief(item))),
      meta: {
        total: found.length,
        page,
        per_page: perPage,
        next: page * perPage < found.length ? next.href : null,
      },
    },
  };
}

function brief(item: MbsItem): Record<string, unknown> {
  const { modulemd: _modulemd, base_module_buildrequires: _base, ...rest } = item;
  return rest;
}

function matchesBaseModule(item: MbsItem, parameters: URLSearchParams): boolean {
  const get = (key: string): string | null => parameters.get(`base_module_br_${key}`);
  const [name, stream, lte, gte] = ['name', 'stream', 'stream_version_lte', 'stream_version_gte'].map(get);
  if (!name && !stream && !lte && !gte) return true;
  return item.base_module_buildrequires.some(
    (base) =>
      (!name || base.name === name) &&
      (!stream || base.stream === stream) &&
      (!lte || (base.stream_version !== null && base.stream_version <= Number(lte))) &&
      (!gte || (base.stream_version !== null && base.stream_version >= Number(gte))),
  );
}
