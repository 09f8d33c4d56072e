import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Ending } from '../ending.ts';

/** An advisory as Errata Tool has it: its builds, and what its REST API says of it. */
export interface ErrataItem {
  readonly id: number;
  readonly status: string;
  readonly nvrs: readonly string[];
  readonly answer: unknown;
}

export interface FakeErrata {
  readonly url: string;
  /** Paths in the order they were asked for. */
  readonly paths: string[];
  /** Statuses to answer with in place of the data, used up one by one. */
  readonly faults: number[];
}

/** An Errata Tool over HTTP on a free port of loopback that knows advisories by build, stopped with the test. */
export async function startFakeErrata(context: Ending, items: readonly ErrataItem[]): Promise<FakeErrata> {
  const paths: string[] = [];
  const faults: number[] = [];
  const answerOf = (path: string): unknown => {
    const nvr = /^\/api\/v1\/build\/(.+)$/.exec(path)?.[1];
    if (nvr !== undefined) {
      const holding = items.filter(({ nvrs }) => nvrs.includes(decodeURIComponent(nvr)));
      return { all_errata: holding.map(({ id, status }) => ({ id, name: `RHSA-2026:${id}`, status })) };
    }
    const id = Number(/^\/api\/v1\/erratum\/(\d+)$/.exec(path)?.[1]);
    return items.find((item) => item.id === id)?.answer;
  };
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    paths.push(path);
    const fault = faults.shift();
    const answer = fault === undefined ? answerOf(path) : undefined;
    response.writeHead(answer === undefined ? (fault ?? 404) : 200).end(JSON.stringify(answer ?? {}));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, paths, faults };
}
