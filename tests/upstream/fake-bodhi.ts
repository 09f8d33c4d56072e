import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Ending } from '../ending.ts';

/** An update as Bodhi's REST API shows it, the members that are read. */
export interface BodhiItem {
  readonly alias: string;
  readonly status: string;
  /** `YYYY-MM-DD hh:mm:ss`, UTC. */
  readonly date_pushed: string | null;
  readonly [key: string]: unknown;
}

export interface FakeBodhi {
  readonly url: string;
  /** Query strings in the order they came. */
  readonly queries: string[];
  /** Statuses to answer with in place of the data, used up one by one. */
  readonly faults: number[];
}

/** A Bodhi over HTTP on a free port of loopback that lists updates by push time, stopped with the test. */
export async function startFakeBodhi(context: Ending, items: readonly BodhiItem[]): Promise<FakeBodhi> {
  const queries: string[] = [];
  const faults: number[] = [];
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://elsewhere.example');
    const fault = faults.shift();
    if (fault !== undefined || url.pathname !== '/updates/') {
      response.writeHead(fault ?? 404).end('{}');
      return;
    }
    queries.push(url.search.slice(1));
    const parameters = url.searchParams;
    const since = (parameters.get('pushed_since') ?? '').replace('T', ' ');
    const found = items.filter(({ date_pushed: pushed }) => pushed !== null && pushed >= since);
    const page = Number(parameters.get('page') ?? 1);
    // Bodhi answers at most a hundred rows; few make pages of a few updates.
    const rows = Math.min(Number(parameters.get('rows_per_page') ?? 20), 2);
    const updates = found.slice((page - 1) * rows, page * rows);
    const body = {
      updates,
      page,
      pages: Math.ceil(found.length / rows),
      rows_per_page: rows,
      total: found.length,
    };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, queries, faults };
}
