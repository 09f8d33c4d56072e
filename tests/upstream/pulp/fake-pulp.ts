import { readFileSync, statSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { z } from 'zod';
import { serve, type Ending } from '../http/test-server.ts';

/** A repository as tests give it to either Pulp. */
export interface FakeRepository {
  readonly id: string;
  /** Below the server; the arch and all else are what the notes say. */
  readonly path: string;
  readonly notes?: Readonly<Record<string, string>>;
  /** What lies there: a directory with `repodata/`. */
  directory?: string;
}

export interface AskedRequest {
  readonly method: string;
  readonly url: string;
  readonly authorization: string | undefined;
  readonly body: unknown;
}

export interface FakePulp {
  readonly url: string;
  readonly asked: AskedRequest[];
  readonly repositories: FakeRepository[];
  /** What answers in the place of the API while it is set. */
  trouble: ((request: IncomingMessage, response: ServerResponse) => void) | null;
}

const searchShape = z.object({
  criteria: z.object({
    filters: z.object({
      'notes.content_set': z.object({ $in: z.array(z.string()) }),
      'notes.include_in_download_service': z.string().optional(),
    }),
    fields: z.array(z.string()),
  }),
});

/** Starts a server that answers as Pulp 2 (ODCS contract 18) or Pulp 3 does, and publishes its repositories. */
export async function startFakePulp(
  context: Ending,
  { version, repositories }: { readonly version: 2 | 3; readonly repositories: readonly FakeRepository[] },
): Promise<FakePulp> {
  const asked: AskedRequest[] = [];
  const given = [...repositories];
  const answerOf = version === 2 ? answerAsPulp2 : answerAsPulp3;
  const server = await serve(context, (request, response) => {
    const url = new URL(request.url ?? '', 'http://pulp');
    if (!url.pathname.startsWith('/pulp/api/')) {
      publish(given, url.pathname, response);
      return;
    }
    let text = '';
    request.setEncoding('utf8');
    request.on('data', (chunk: string) => (text += chunk));
    request.on('end', () => {
      const body: unknown = text === '' ? undefined : JSON.parse(text);
      const { authorization } = request.headers;
      asked.push({ method: request.method ?? '', url: request.url ?? '', authorization, body });
      if (pulp.trouble !== null) {
        pulp.trouble(request, response);
        return;
      }
      const answer = answerOf(given, url, body);
      response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(answer ?? { error_message: 'Not found' }));
    });
  });
  const pulp: FakePulp = { url: server.url, asked, repositories: given, trouble: null };
  return pulp;
}

function publish(repositories: readonly FakeRepository[], path: string, response: ServerResponse): void {
  for (const { path: at, directory } of repositories) {
    const prefix = [`/${at}/`, `/pulp/content/${at}/`].find((candidate) => path.startsWith(candidate));
    if (prefix === undefined || directory === undefined) continue;
    const file = join(directory, decodeURIComponent(path.slice(prefix.length)));
    if (statSync(file, { throwIfNoEntry: false })?.isFile() === true) {
      response.end(readFileSync(file));
      return;
    }
  }
  response.writeHead(404).end('<h1>nothing here</h1>');
}

const rowOf2 = ({ id, path, notes = {} }: FakeRepository) => ({
  _id: { $oid: '5f' },
  id,
  notes: { relative_url: path, include_in_download_service: 'True', ...notes },
});

function answerAsPulp2(repositories: readonly FakeRepository[], url: URL, body: unknown): unknown {
  const api = '/pulp/api/v2/repositories/';
  if (!url.pathname.startsWith(api)) return undefined;
  const rest = url.pathname.slice(api.length);
  const rows = repositories.map(rowOf2);
  if (rest !== 'search/') return rows.find(({ id }) => rest === `${id}/`);
  const { filters } = searchShape.parse(body).criteria;
  const { 'notes.content_set': sets, 'notes.include_in_download_service': service } = filters;
  return rows.filter(({ notes }) => {
    const set = Object.entries(notes).find(([name]) => name === 'content_set')?.[1] ?? '';
    return sets.$in.includes(set) && (service === undefined || notes.include_in_download_service === service);
  });
}

function answerAsPulp3(repositories: readonly FakeRepository[], url: URL): unknown {
  if (url.pathname !== '/pulp/api/v3/distributions/rpm/rpm/') return undefined;
  const { searchParams } = url;
  const names = searchParams.get('name__in')?.split(',');
  const [label, value] = searchParams.get('pulp_label_select')?.split('=') ?? [];
  const matching = repositories.filter(
    ({ id, notes = {} }) =>
      (names === undefined || names.includes(id)) && (label === undefined || notes[label] === value),
  );
  const offset = Number(searchParams.get('offset') ?? '0');
  const limit = Number(searchParams.get('limit') ?? '100');
  const results = matching.slice(offset, offset + limit).map(({ id, path, notes = {}, directory }) => ({
    pulp_href: `/pulp/api/v3/distributions/rpm/rpm/${id}/`,
    name: id,
    base_path: path,
    base_url: `/pulp/content/${path}/`,
    content_guard: null,
    hidden: false,
    pulp_labels: notes,
    repository: directory === undefined ? null : `/pulp/api/v3/repositories/rpm/rpm/${id}/`,
    publication: null,
  }));
  return { count: matching.length, next: null, previous: null, results };
}
