import { setTimeout as wait } from 'node:timers/promises';
import type { Agent, Dispatcher } from 'undici';
import type { FetchPolicy } from './fetch-policy.ts';
import { HttpFailure, toFailure } from './http-failure.ts';
import { checkedLookup } from './private-address.ts';
import { readText } from './read-body.ts';

/** Whom a server is trusted to be, and who we are to it; PEM. */
export interface TlsIdentity {
  /** Authorities the server's certificate may come from; those of the system where absent. */
  readonly authorities?: string;
  /** A client certificate and its key, shown to a server that asks for one. */
  readonly certificate?: string;
}

/** How long is waited, in milliseconds. */
export interface HttpTimes {
  readonly connect: number;
  /** From the request to the first line of the answer. */
  readonly headers: number;
  /** Between two pieces of a body. */
  readonly silence: number;
  /** Before the third try; doubled each time. */
  readonly retry: number;
}

export interface HttpClientOptions {
  readonly policy: FetchPolicy;
  /** TLS of a server by its origin. */
  readonly tls?: (origin: string) => TlsIdentity | undefined;
  /** Connections to one origin at once. */
  readonly connections?: number;
  readonly times?: Partial<HttpTimes>;
  /** How often one request is tried in all. */
  readonly tries?: number;
  readonly sleep?: (milliseconds: number, signal?: AbortSignal) => Promise<void>;
}

export interface HttpRequest {
  readonly url: string;
  readonly method?: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal?: AbortSignal | undefined;
  /** How long one try may take altogether, its body included. */
  readonly timeoutMs?: number;
  /** The URL that named this one, where that was no person: then it is judged as a redirect is. */
  readonly ledFrom?: string | undefined;
  /**
   * Redirects are followed, each held to the policy, unless they are refused: to another origin without what says who
   * asks, and with another method than GET only where the answer says that the request is to be repeated.
   */
  readonly redirects?: 'follow' | 'refuse';
}

/** An answer whose body has not been read; it must be, or dumped. */
export interface HttpAnswer {
  /** The URL that answered in the end. */
  readonly url: string;
  readonly status: number;
  readonly headers: Dispatcher.ResponseData['headers'];
  readonly body: Dispatcher.ResponseData['body'];
}

const TIMES: HttpTimes = { connect: 10_000, headers: 60_000, silence: 60_000, retry: 500 };
const MOST_REDIRECTS = 5;
const LONGEST_WAIT = 30_000;
const MOST_SAID = 4096;
const redirecting = new Set([301, 302, 303, 307, 308]);
/** Those that say the request as it is belongs elsewhere; the others ask for a GET. */
const repeating = new Set([307, 308]);
/** What says who asks is for the origin that was asked. */
const credentials = /^(?:authorization|cookie)$/i;

/**
 * Fetches over HTTP: the only way out of this service but for the hub's calls and git. Every URL is held to the policy,
 * those of redirects and the address that is connected to included. Connections are kept until it is closed. The library
 * is read for the first request: a process that fetches nothing goes without it.
 */
export class HttpClient implements Disposable {
  readonly tries: number;
  readonly #policy: FetchPolicy;
  readonly #openAgent: () => Promise<Agent>;
  #agent: Promise<Agent> | null = null;
  #isClosed = false;
  readonly #times: HttpTimes;
  readonly #sleep: (milliseconds: number, signal?: AbortSignal) => Promise<void>;

  constructor(options: HttpClientOptions) {
    const { policy } = options;
    this.#policy = policy;
    this.tries = options.tries ?? 4;
    this.#times = { ...TIMES, ...options.times };
    this.#sleep =
      options.sleep ??
      (async (milliseconds, signal) => {
        await wait(milliseconds, undefined, signal === undefined ? {} : { signal });
      });
    this.#openAgent = () => openAgent(options, this.#times);
  }

  /**
   * Sends one request, once, and returns the answer of any status but redirects, which are followed. Throws
   * `HttpFailure`, `repo.not_allowed`, `http.address_refused`, or the reason of the signal.
   */
  async open(request: HttpRequest): Promise<HttpAnswer> {
    const ledFrom = request.ledFrom === undefined ? null : URL.parse(request.ledFrom);
    const path: URL[] = ledFrom === null ? [] : [ledFrom];
    let url = this.#parse(request.url, request.url);
    for (;;) {
      this.#policy.check(url, path);
      const answer = await this.#send(
        url,
        path.every(({ origin }) => origin === url.origin) ? request : withoutCredentials(request),
      );
      // A body that is broken off says so to whoever reads it, and to nobody where nobody does.
      answer.body.on('error', ignore);
      if (!redirecting.has(answer.statusCode)) {
        return { url: url.href, status: answer.statusCode, headers: answer.headers, body: answer.body };
      }
      await discard(answer.body);
      const { location } = answer.headers;
      const isAsked = request.method === undefined || request.method === 'GET' || request.method === 'HEAD';
      const isSame = isAsked || repeating.has(answer.statusCode);
      if (request.redirects === 'refuse' || typeof location !== 'string' || !isSame) {
        throw new HttpFailure('redirect', url.href, `it answered ${answer.statusCode}`);
      }
      path.push(url);
      if (path.length > MOST_REDIRECTS) {
        throw new HttpFailure('redirect', request.url, `there are more than ${MOST_REDIRECTS}`);
      }
      url = this.#parse(location, url.href);
    }
  }

  /**
   * Sends a request until `read` has had a good answer of it: again where it did not come through or the server says
   * it is busy or broken, never where it refuses. Throws as `open` does, and what `read` throws.
   */
  async fetch<Result>(request: HttpRequest, read: (answer: HttpAnswer) => Promise<Result>): Promise<Result> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#fetchOnce(request, read);
      } catch (thrown) {
        request.signal?.throwIfAborted();
        const failure = thrown instanceof HttpFailure ? thrown : null;
        if (failure === null || !failure.mayPass || attempt >= this.tries) throw thrown;
        await this.#sleep(this.#pauseAfter(failure, attempt), request.signal);
      }
    }
  }

  /** Closes idle connections and breaks the ones in use. */
  close(): void {
    this.#isClosed = true;
    // What is still asked then fails by itself.
    this.#agent?.then((agent) => agent.destroy()).catch(ignore);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #fetchOnce<Result>(
    request: HttpRequest,
    read: (answer: HttpAnswer) => Promise<Result>,
  ): Promise<Result> {
    const { timeoutMs, signal } = request;
    if (timeoutMs === undefined) return this.#readOnce(request, read);
    const limit = AbortSignal.timeout(timeoutMs);
    try {
      const until = signal === undefined ? limit : AbortSignal.any([signal, limit]);
      return await this.#readOnce({ ...request, signal: until }, read);
    } catch (thrown) {
      if (!limit.aborted || signal?.aborted === true) throw thrown;
      throw new HttpFailure('unreachable', request.url, `it took more than ${timeoutMs / 1000} s`, {
        cause: thrown,
      });
    }
  }

  async #readOnce<Result>(
    request: HttpRequest,
    read: (answer: HttpAnswer) => Promise<Result>,
  ): Promise<Result> {
    const answer = await this.open(request);
    if (answer.status < 200 || answer.status >= 300) throw await refusalOf(answer);
    try {
      return await read(answer);
    } catch (thrown) {
      request.signal?.throwIfAborted();
      throw isOfConnection(thrown) ? toFailure(thrown, answer.url) : thrown;
    }
  }

  async #send(url: URL, request: HttpRequest): Promise<Dispatcher.ResponseData> {
    try {
      const agent = await this.#openedAgent();
      return await agent.request({
        origin: url.origin,
        path: `${url.pathname}${url.search}`,
        method: request.method ?? 'GET',
        headers: { 'user-agent': 'odcs-reactor', 'accept-encoding': 'identity', ...request.headers },
        ...(request.body === undefined ? {} : { body: request.body }),
        ...(request.signal === undefined ? {} : { signal: request.signal }),
      });
    } catch (thrown) {
      request.signal?.throwIfAborted();
      throw toFailure(thrown, url.href);
    }
  }

  /** Returns what sends requests; one that is closed by now refuses them. */
  async #openedAgent(): Promise<Agent> {
    const agent = await (this.#agent ??= this.#openAgent());
    if (this.#isClosed) await agent.destroy();
    return agent;
  }

  #parse(text: string, base: string): URL {
    const url = URL.parse(text, base);
    const isHttp = url?.protocol === 'http:' || url?.protocol === 'https:';
    if (url === null || !isHttp || url.username !== '' || url.password !== '') {
      throw new HttpFailure('redirect', base, `"${text.slice(0, 200)}" is no http(s) URL without a password`);
    }
    return url;
  }

  #pauseAfter(failure: HttpFailure, attempt: number): number {
    const asked = failure.retryAfterMs;
    if (asked !== null) return Math.min(asked, LONGEST_WAIT);
    // A connection that lay idle may have been closed from the other side: not an outage.
    if (attempt === 1 && failure.kind === 'unreachable') return 0;
    return Math.min(this.#times.retry * 2 ** Math.max(0, attempt - 1), LONGEST_WAIT);
  }
}

function ignore(): void {}

/** Returns what keeps the connections to all servers. */
async function openAgent(
  { policy, tls, connections = 8 }: HttpClientOptions,
  { connect: timeout, headers: headersTimeout, silence: bodyTimeout }: HttpTimes,
): Promise<Agent> {
  const { Agent, Pool } = await import('undici');
  const lookup = checkedLookup((host, address) => policy.mayBeAt(host, address));
  return new Agent({
    factory: (origin) => {
      const { authorities, certificate } = tls?.(new URL(origin).origin) ?? {};
      return new Pool(origin, {
        connections,
        allowH2: false,
        headersTimeout,
        bodyTimeout,
        connect: {
          timeout,
          lookup,
          ...(authorities === undefined ? {} : { ca: authorities }),
          ...(certificate === undefined ? {} : { cert: certificate, key: certificate }),
        },
      });
    },
  });
}

function withoutCredentials(request: HttpRequest): HttpRequest {
  const headers = Object.entries(request.headers ?? {}).filter(([name]) => !credentials.test(name));
  return { ...request, headers: Object.fromEntries(headers) };
}

/** Reads past the rest of a small body, so that its connection can be used again; breaks off a large one. */
export async function discard(body: HttpAnswer['body']): Promise<void> {
  await body.dump({ limit: MOST_SAID }).catch(() => undefined);
}

/** Returns the failure that an answer with a status other than success is. */
async function refusalOf(answer: HttpAnswer): Promise<HttpFailure> {
  const { url, status, headers } = answer;
  const said = await readText(answer, { limit: MOST_SAID, isCut: true }).catch(() => '');
  const retryAfterMs = readRetryAfter(headers['retry-after']);
  return new HttpFailure('status', url, `answered ${status}`, { status, said, retryAfterMs });
}

function readRetryAfter(header: string | string[] | undefined): number | null {
  if (typeof header !== 'string') return null;
  if (/^\d{1,9}$/.test(header)) return Number(header) * 1000;
  const until = Date.parse(header);
  return Number.isNaN(until) ? null : Math.max(0, until - Date.now());
}

/** Whether an error comes from a connection, or from a body that is damaged, and not from who reads. */
function isOfConnection(thrown: unknown): boolean {
  const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
  return /^(?:UND_ERR_|Z_|ECONN|EPIPE|ETIMEDOUT|ERR_STREAM_PREMATURE_CLOSE|ERR_SSL)/.test(code);
}
