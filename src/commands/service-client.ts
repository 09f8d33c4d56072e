import type { z } from 'zod';
import { ReactorError } from '../model/errors.ts';
import { configuredPolicy } from '../upstream/http/fetch-policy.ts';
import { HttpClient, type HttpRequest } from '../upstream/http/http-client.ts';
import { toFailure } from '../upstream/http/http-failure.ts';
import { readText } from '../upstream/http/read-body.ts';

/** What the commands read of a compose's JSON. */
export interface ShownCompose {
  readonly id: number;
  readonly state_name: string;
  readonly state_reason: string | null;
  readonly source: string;
  readonly owner: string;
  readonly time_submitted: string;
  readonly time_to_expire: string;
  readonly result_repofile: string;
  readonly progress?: {
    readonly stage: string;
    readonly done: number;
    readonly total: number;
    readonly unit: string;
  } | null;
}

export type HttpMethod = NonNullable<HttpRequest['method']>;

/** A service may think for long before it answers, for example when it plans. */
const ANSWER_WITHIN = 600_000;
const MOST_BYTES = 1024 * 1024 * 1024;

/** One service, seen from its client. */
export interface ServiceClient {
  readonly url: string;
  /** Asks and returns the JSON body. Throws `service.unreachable`, `service.refused` with the service's own words. */
  request(method: HttpMethod, path: string, body?: unknown): Promise<unknown>;
  /** Reads a stream of server-sent events until it ends. Throws as `request` does. */
  follow(path: string): AsyncGenerator<ServiceEvent>;
}

/** One of a stream of server-sent events; its data read as JSON. */
export interface ServiceEvent {
  readonly event: string;
  readonly data: unknown;
}

/** A client of the service at `url`; `token` is sent as a bearer where it is given. */
export function createServiceClient(
  { url, token }: { readonly url: string; readonly token?: string | undefined },
  signal: AbortSignal,
): ServiceClient {
  const base = url.replace(/\/+$/, '');
  const times = { headers: ANSWER_WITHIN, silence: ANSWER_WITHIN };
  const client = new HttpClient({ policy: configuredPolicy([base]), tries: 1, times });
  const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const unreachable = (error: unknown): unknown => {
    signal.throwIfAborted();
    if (error instanceof ReactorError) return error;
    const { message } = toFailure(error, base);
    return new ReactorError('service.unreachable', `The service does not answer: ${message}.`, {
      where: base,
      hint: 'Start it with "odcs-reactor serve", or name it with --server or ODCS_SERVER.',
      cause: error,
    });
  };
  return {
    url: base,
    async request(method, path, body) {
      let status: number;
      let text: string;
      try {
        const response = await client.open({
          url: `${base}${path}`,
          method,
          signal,
          headers: {
            accept: 'application/json',
            ...(body === undefined ? {} : { 'content-type': 'application/json' }),
            ...authorization,
          },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        });
        ({ status } = response);
        text = await readText(response, { limit: MOST_BYTES });
      } catch (error) {
        throw unreachable(error);
      }
      if (status >= 200 && status < 300) return parseJson(text);
      throw refusal(text, `${method} ${path}`, status);
    },
    async *follow(path) {
      try {
        const headers = { accept: 'text/event-stream', ...authorization };
        const response = await client.open({ url: `${base}${path}`, signal, headers });
        if (response.status !== 200) {
          throw refusal(await readText(response, { limit: MOST_BYTES }), `GET ${path}`, response.status);
        }
        yield* readServiceEvents(response.body);
      } catch (error) {
        throw unreachable(error);
      }
    },
  };
}

/** Reads the events of a stream of server-sent events. */
async function* readServiceEvents(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<ServiceEvent> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const piece of pieces) {
    const blocks = `${rest}${decoder.decode(piece, { stream: true })}`.split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const lines = block.split('\n');
      const valueOf = (name: string): string =>
        lines
          .filter((line) => line.startsWith(`${name}:`))
          .map((line) => line.slice(name.length + 1).trimStart())
          .join('\n');
      if (valueOf('data') !== '') yield { event: valueOf('event'), data: parseJson(valueOf('data')) };
    }
  }
}

/** The problem that the service answered. */
function refusal(text: string, asked: string, status: number): ReactorError {
  const answer = parseJson(text);
  const problem = typeof answer === 'object' && answer !== null ? answer : {};
  const message = 'message' in problem ? String(problem.message) : `The service answered ${status}.`;
  const hint = 'hint' in problem && typeof problem.hint === 'string' ? { hint: problem.hint } : {};
  return new ReactorError('service.refused', message, { where: `${asked} (${status})`, ...hint });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Reads what the commands need of a compose that the service showed. Throws `service.strange_answer`. */
export function readShownCompose(value: unknown): ShownCompose {
  if (typeof value === 'object' && value !== null && 'id' in value && 'state_name' in value) {
    return value as ShownCompose;
  }
  throw new ReactorError('service.strange_answer', 'The service answered something that is not a compose.', {
    hint: 'Does --server name an ODCS?',
  });
}

/** Reads an answer of the service as what it should be. Throws `service.strange_answer`. */
export function readAnswer<T>(schema: z.ZodType<T>, answer: unknown): T {
  const read = schema.safeParse(answer);
  if (read.success) return read.data;
  throw new ReactorError(
    'service.strange_answer',
    'The service answered something else than was asked for.',
    {
      hint: 'Does --server name an ODCS Reactor?',
    },
  );
}
