import { z } from 'zod';
import { messageOf, ReactorError } from '../model/errors.ts';
import type { Nsvc } from '../model/nsvc.ts';
import { configuredPolicy } from './http/fetch-policy.ts';
import { HttpClient } from './http/http-client.ts';
import { describeFailure, HttpFailure, type HttpPeer } from './http/http-failure.ts';
import { readText, TEXT_ENCODINGS } from './http/read-body.ts';

/** The states of a module build that composes care about, by MBS's numbers. Source: module contract 2.4. */
export const moduleStates = { init: 0, wait: 1, build: 2, done: 3, failed: 4, ready: 5, garbage: 6 } as const;
export type ModuleState = keyof typeof moduleStates;

/** A base module (platform) that a module was built against. */
export interface BaseModule {
  readonly name: string;
  readonly stream: string;
  /** The stream as a number, `f42` 420000; null where it has none. */
  readonly streamVersion: number | null;
}

/** One build of MBS with what composes ask of it. */
export interface ModuleBuild extends Nsvc {
  readonly id: number;
  readonly state: ModuleState | 'unknown';
  readonly isScratch: boolean;
  readonly kojiTag: string | null;
  /** The document for all arches. */
  readonly modulemd: string;
  readonly baseModules: readonly BaseModule[];
}

/** What MBS filters by; a bound that is absent is not sent. */
export interface ModuleQuery {
  /** `N:S`, `N:S:V` or `N:S:V:C`; parts after the fourth are ignored by MBS. */
  readonly nsvc: string;
  /** Any state when empty. */
  readonly states: readonly ModuleState[];
  readonly baseModuleName?: string;
  readonly baseModuleStream?: string;
  readonly baseModuleStreamVersionLte?: number;
  readonly baseModuleStreamVersionGte?: number;
}

/** A change of a module build, without its documents. */
export interface ModuleChange {
  readonly id: number;
  readonly name: string;
  readonly stream: string;
  readonly version: string;
  readonly context: string | null;
  readonly state: ModuleState | 'unknown';
  readonly isScratch: boolean;
  readonly kojiTag: string | null;
  readonly owner: string | null;
  /** Milliseconds. */
  readonly modifiedAt: number;
}

export interface Mbs {
  /**
   * Pages of the builds in these states that were modified since a time, in order of their ids: so a build modified
   * meanwhile moves none to a page that was read already.
   */
  listModifiedBuilds(
    since: Date,
    states: readonly ModuleState[],
  ): AsyncGenerator<readonly ModuleChange[], void, undefined>;
  /** Pages of builds, the highest version first; stop iterating to stop asking. */
  listModuleBuilds(query: ModuleQuery): AsyncGenerator<readonly ModuleBuild[], void, undefined>;
  /** Whether there is a build of `N:S`, `N:S:V` or `N:S:V:C` in one of these states. */
  hasModuleBuilds(query: Pick<ModuleQuery, 'nsvc' | 'states'>): Promise<boolean>;
  /** The documents of a scratch build, arch to text. */
  readFinalModulemd(id: number): Promise<ReadonlyMap<string, string>>;
}

export interface MbsOptions {
  /** Up to `/module-build-service`. */
  readonly url: string;
  /** For one request, headers and body. */
  readonly timeoutMilliseconds?: number;
  /** How often one request is tried in all. */
  readonly attempts?: number;
  /** Wait before the second try; doubled each time. */
  readonly retryMilliseconds?: number;
  readonly perPage?: number;
}

/** Bytes of one page, after decoding: a hundred modules with their documents. */
const ANSWER_LIMIT = 64 << 20;

const itemShape = z.object({
  id: z.number(),
  name: z.string(),
  stream: z.string(),
  version: z.union([z.string(), z.int()]).transform(String),
  context: z.string().nullish(),
  state: z.number(),
  scratch: z.boolean().nullish(),
  koji_tag: z.string().nullish(),
  modulemd: z.string().nullish(),
  base_module_buildrequires: z
    .array(z.object({ name: z.string(), stream: z.string(), stream_version: z.number().nullish() }))
    .nullish(),
});
const metaShape = z.object({ total: z.number(), next: z.string().nullish() });
const pageShape = z.object({ items: z.array(itemShape), meta: metaShape });
const changeShape = itemShape.extend({
  owner: z.string().nullish(),
  time_modified: z.iso.datetime({ offset: true, local: true }),
});
const changesShape = z.object({ items: z.array(changeShape), meta: metaShape });
const finalShape = z.record(z.string(), z.string());

/**
 * Returns a client of the Module Build Service. Failed connections, broken bodies and answers 429 and 5xx are tried
 * again; its calls throw `mbs.unreachable`, `mbs.http_error`, `mbs.answer_malformed`, `mbs.answer_incomplete`, `http.*`.
 * Source: module contract 2.1 and 2.4.
 */
export function connectMbs(options: MbsOptions): Mbs {
  const mbs: MbsContext = {
    base: options.url.replace(/\/+$/, ''),
    timeoutMs: options.timeoutMilliseconds ?? 60_000,
    client: new HttpClient({
      policy: configuredPolicy([options.url]),
      ...(options.attempts === undefined ? {} : { tries: options.attempts }),
      ...(options.retryMilliseconds === undefined ? {} : { times: { retry: options.retryMilliseconds } }),
    }),
  };
  return {
    async *listModuleBuilds(query) {
      const parameters = parametersOf(query, options.perPage ?? 100);
      for await (const items of readPages(mbs, parameters, pageShape)) yield items.map(toModuleBuild);
    },
    async *listModifiedBuilds(since, states) {
      const parameters: [string, string][] = [
        ['modified_after', `${since.toISOString().slice(0, 19)}Z`],
        ...states.map((state): [string, string] => ['state', String(moduleStates[state])]),
        ['order_by', 'id'],
        ['per_page', String(options.perPage ?? 100)],
      ];
      for await (const items of readPages(mbs, parameters, changesShape)) yield items.map(toModuleChange);
    },
    async hasModuleBuilds({ nsvc, states }) {
      const url = new URL(`${mbs.base}/1/module-builds/`);
      url.searchParams.append('nsvc', nsvc);
      for (const state of states) url.searchParams.append('state', String(moduleStates[state]));
      url.searchParams.append('per_page', '1');
      const { meta } = await readAnswer(mbs, url, pageShape);
      return meta.total > 0;
    },
    async readFinalModulemd(id) {
      const answer = await readAnswer(mbs, new URL(`${mbs.base}/1/final-modulemd/${id}`), finalShape);
      return new Map(Object.entries(answer));
    },
  };
}

interface MbsContext {
  readonly base: string;
  readonly client: HttpClient;
  readonly timeoutMs: number;
}

interface Page<T> {
  readonly items: readonly T[];
  readonly meta: z.infer<typeof metaShape>;
}

async function* readPages<T>(
  mbs: MbsContext,
  parameters: readonly [string, string][],
  shape: z.ZodType<Page<T>>,
): AsyncGenerator<readonly T[], void, undefined> {
  const url = new URL(`${mbs.base}/1/module-builds/`);
  for (const [key, value] of parameters) url.searchParams.append(key, value);
  let seen = 0;
  for (let page: number | null = 1; page !== null;) {
    if (page > 1) url.searchParams.set('page', String(page));
    const { items, meta } = await readAnswer(mbs, url, shape);
    seen += items.length;
    yield items;
    const next = nextPage(meta.next, page, url);
    if (next === null && seen < meta.total) throw incomplete(url, seen, meta.total);
    page = next;
  }
}

/** The parameters in the order ODCS sends them; `state` is repeated. Source: module contract 2.1. */
function parametersOf(query: ModuleQuery, perPage: number): [string, string][] {
  const { baseModuleName, baseModuleStream, baseModuleStreamVersionLte, baseModuleStreamVersionGte } = query;
  const optional: [string, string | number | undefined][] = [
    ['base_module_br_name', baseModuleName],
    ['base_module_br_stream', baseModuleStream],
    ['base_module_br_stream_version_lte', baseModuleStreamVersionLte],
    ['base_module_br_stream_version_gte', baseModuleStreamVersionGte],
  ];
  return [
    ['nsvc', query.nsvc],
    ...query.states.map((state): [string, string] => ['state', String(moduleStates[state])]),
    ['verbose', 'True'],
    ['order_desc_by', 'version'],
    ['per_page', String(perPage)],
    ...optional.flatMap(([key, value]): [string, string][] =>
      value === undefined ? [] : [[key, String(value)]],
    ),
  ];
}

/** Only the page number of `meta.next` is used: behind a proxy its host and scheme may be wrong. */
function nextPage(next: string | null | undefined, page: number, url: URL): number | null {
  if (!next) return null;
  const number = Number(URL.parse(next, url.href)?.searchParams.get('page'));
  if (Number.isSafeInteger(number) && number > page) return number;
  throw malformed(url, `after page ${page} it points to "${next}"`);
}

function stateOf(number: number): ModuleState | 'unknown' {
  const states = Object.entries(moduleStates) as [ModuleState, number][];
  return states.find(([, known]) => known === number)?.[0] ?? 'unknown';
}

/** MBS's times are UTC whether they say so or not. */
function toModuleChange(item: z.infer<typeof changeShape>): ModuleChange {
  const { id, name, stream, version, time_modified: time } = item;
  return {
    id,
    name,
    stream,
    version,
    context: item.context ?? null,
    state: stateOf(item.state),
    isScratch: item.scratch ?? false,
    kojiTag: item.koji_tag ?? null,
    owner: item.owner ?? null,
    modifiedAt: Date.parse(/(?:Z|[-+]\d\d:?\d\d)$/.test(time) ? time : `${time}Z`),
  };
}

function toModuleBuild(item: z.infer<typeof itemShape>): ModuleBuild {
  return {
    id: item.id,
    name: item.name,
    stream: item.stream,
    version: item.version,
    context: item.context ?? '00000000',
    state: stateOf(item.state),
    isScratch: item.scratch ?? false,
    kojiTag: item.koji_tag ?? null,
    modulemd: item.modulemd ?? '',
    baseModules: (item.base_module_buildrequires ?? []).map((module) => ({
      name: module.name,
      stream: module.stream,
      streamVersion: module.stream_version ?? null,
    })),
  };
}

/** Sends one question until it has an answer of the right shape, or MBS refuses it. */
async function readAnswer<T>(mbs: MbsContext, url: URL, shape: z.ZodType<T>): Promise<T> {
  let body: string;
  try {
    body = await readWithin(mbs, url);
  } catch (thrown) {
    if (thrown instanceof HttpFailure && thrown.kind === 'status') {
      throw httpError(url, thrown.status, thrown.said);
    }
    throw describeFailure(thrown, peer, url.href);
  }
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch (thrown) {
    throw malformed(url, messageOf(thrown), thrown);
  }
  const answer = shape.safeParse(json);
  if (answer.success) return answer.data;
  const issue = answer.error.issues[0];
  throw malformed(url, `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`, answer.error);
}

async function readWithin({ client, timeoutMs }: MbsContext, url: URL): Promise<string> {
  const headers = { accept: 'application/json', 'accept-encoding': TEXT_ENCODINGS };
  return client.fetch({ url: url.href, headers, timeoutMs }, (answer) =>
    readText(answer, { limit: ANSWER_LIMIT }),
  );
}

const peer: HttpPeer = {
  name: 'MBS',
  codes: { unreachable: 'mbs.unreachable', refused: 'mbs.http_error' },
  hints: { unreachable: 'Check that the Module Build Service answers, and the setting mbs_url.' },
};

function httpError(url: URL, status: number, body: string): ReactorError {
  const said = body.replace(/\s+/g, ' ').slice(0, 200);
  return new ReactorError(
    'mbs.http_error',
    `MBS has failed to query ${url.href} : HTTP ${status} ${said}`.trim(),
    {
      hint: 'See the log of the Module Build Service.',
      where: url.href,
      fate: status >= 500 || status === 429 || status === 408 ? 'retry' : 'drop',
    },
  );
}

function malformed(url: URL, why: string, cause?: unknown): ReactorError {
  return new ReactorError('mbs.answer_malformed', `The answer of MBS is not what it should be: ${why}`, {
    hint: 'Check that the setting mbs_url names a Module Build Service and not a page in front of it.',
    where: url.href,
    fate: 'retry',
    cause,
  });
}

function incomplete(url: URL, seen: number, total: number): ReactorError {
  return new ReactorError('mbs.answer_incomplete', `MBS promised ${total} module builds and sent ${seen}.`, {
    hint: 'Its records may have changed while they were read; ask again.',
    where: url.href,
    fate: 'retry',
  });
}
