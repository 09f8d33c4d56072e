import type { Agent as HttpAgent } from 'node:http';
import type { Agent as HttpsAgent } from 'node:https';
import { setTimeout as wait } from 'node:timers/promises';
import { ReactorError } from '../../model/errors.ts';
import { KojiFault } from './hub-fault.ts';
import { exchange, makeAgent, StaleConnectionError, type HubTransport } from './hub-transport.ts';
import type { XmlRpcAnswer, XmlRpcRows } from './xml-rpc-read.ts';
import { isArray, isStruct, type XmlRpcKeywords, type XmlRpcValue } from './xml-rpc-value.ts';
import { withKeywords, writeCall } from './xml-rpc-write.ts';

/** How patient the client is; every time in milliseconds. */
export interface HubPatience {
  /** Tries after a broken connection, a broken answer or a 5xx, the first included. */
  readonly tries: number;
  /** Tries after an exception inside the hub (fault 1), the first included. */
  readonly exceptionTries: number;
  /** Wait before the third try; doubles up to `longestWaitMs`. The second try comes at once. */
  readonly firstWaitMs: number;
  readonly longestWaitMs: number;
  /** How long a hub that says it is offline is waited for inside one call. */
  readonly offlineMs: number;
  readonly silenceMs: number;
  /** How long nothing is asked after all tries were in vain: calls fail at once with the same error. */
  readonly restMs: number;
}

export interface KojiHubOptions {
  readonly url: string;
  readonly authorities?: string;
  readonly certificate?: string;
  readonly patience?: Partial<HubPatience>;
  readonly maxConnections?: number;
  /** Waits; a test passes its own. */
  readonly sleep?: (milliseconds: number, signal: AbortSignal | undefined) => Promise<void>;
  /** Called for every failed try that is repeated. */
  readonly onRetry?: (error: unknown, waitMs: number) => void;
}

/** One entry of a multicall. */
export interface HubCall {
  readonly method: string;
  readonly args: readonly XmlRpcValue[];
  readonly keywords?: XmlRpcKeywords;
}

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

const DEFAULT_PATIENCE: HubPatience = {
  tries: 6,
  exceptionTries: 3,
  firstWaitMs: 500,
  longestWaitMs: 20_000,
  offlineMs: 60_000,
  silenceMs: 600_000,
  restMs: 0,
};

// The hub refuses requests above 4 MiB.
const MAX_REQUEST_BYTES = 3_500_000;
const DEFAULT_BATCH = 500;

/**
 * A Koji hub that is asked without logging in. Every call is a read, so all of them are repeated where the
 * network or the hub asks for it. Close it when done: it keeps connections.
 * Source: Koji contract 1.
 */
export class KojiHub {
  readonly url: string;
  readonly #agent: HttpAgent | HttpsAgent;
  readonly #transport: HubTransport;
  readonly #patience: HubPatience;
  readonly #sleep: (milliseconds: number, signal: AbortSignal | undefined) => Promise<void>;
  readonly #onRetry: (error: unknown, waitMs: number) => void;
  #rest: { readonly until: number; readonly failure: unknown } | null = null;

  /** Throws `koji.hub_url_invalid`. */
  constructor(options: KojiHubOptions) {
    const url = parseHubUrl(options.url);
    this.url = options.url;
    this.#patience = { ...DEFAULT_PATIENCE, ...options.patience };
    this.#agent = makeAgent(url, options.maxConnections ?? 8);
    this.#transport = {
      url,
      agent: this.#agent,
      silenceMs: this.#patience.silenceMs,
      userAgent: 'odcs-reactor',
      ...(options.authorities === undefined ? {} : { authorities: options.authorities }),
      ...(options.certificate === undefined ? {} : { certificate: options.certificate }),
    };
    this.#sleep =
      options.sleep ??
      (async (milliseconds, signal) => {
        await wait(milliseconds, undefined, signal === undefined ? {} : { signal });
      });
    this.#onRetry = options.onRetry ?? (() => undefined);
  }

  /** Closes idle connections and breaks the ones in use. */
  close(): void {
    this.#agent.destroy();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /**
   * Makes one call and returns its value. Throws `KojiFault` and what `exchange` throws, after the tries that
   * the patience allows.
   */
  async call(
    method: string,
    args: readonly XmlRpcValue[] = [],
    keywords: XmlRpcKeywords = {},
    options: CallOptions = {},
  ): Promise<XmlRpcValue> {
    return this.#retrying(method, writeCall(method, args, keywords), () => undefined, options.signal);
  }

  /**
   * Makes one call with a large answer. `makeRows` is asked anew for each try, so that the rows of a broken
   * answer are forgotten. Returns the value without its rows.
   */
  async callRows(
    method: string,
    args: readonly XmlRpcValue[],
    keywords: XmlRpcKeywords,
    makeRows: () => XmlRpcRows,
    options: CallOptions = {},
  ): Promise<XmlRpcValue> {
    return this.#retrying(method, writeCall(method, args, keywords), makeRows, options.signal);
  }

  /**
   * Makes many calls in few requests and returns values and faults in the same order. There is no common
   * snapshot between them. Source: Koji contract 1.3.
   */
  async multicall(
    calls: readonly HubCall[],
    options: CallOptions & { readonly batch?: number } = {},
  ): Promise<readonly (XmlRpcValue | KojiFault)[]> {
    const results: (XmlRpcValue | KojiFault)[] = [];
    for (const batch of splitCalls(calls, options.batch ?? DEFAULT_BATCH)) {
      const body = batch.map((call) => ({
        methodName: call.method,
        params: withKeywords(call.args, call.keywords ?? {}),
      }));
      const answer = await this.call('multiCall', [body], {}, options);
      results.push(...this.#entriesOf(batch, answer));
    }
    return results;
  }

  #entriesOf(batch: readonly HubCall[], answer: XmlRpcValue): (XmlRpcValue | KojiFault)[] {
    if (!isArray(answer) || answer.length !== batch.length) {
      throw new ReactorError('koji.answer_unexpected', 'multiCall answered another number of results.', {
        where: this.url,
      });
    }
    return answer.map((entry, index) => {
      const method = batch[index]?.method ?? '';
      if (isArray(entry) && entry[0] !== undefined) return entry[0];
      const code = isStruct(entry) ? entry['faultCode'] : undefined;
      const text = isStruct(entry) ? entry['faultString'] : undefined;
      if (typeof code === 'number') return new KojiFault(this.url, method, code, String(text ?? ''));
      throw new ReactorError('koji.answer_unexpected', `multiCall answered nothing known to ${method}.`, {
        where: this.url,
      });
    });
  }

  async #retrying(
    method: string,
    body: string,
    makeRows: () => XmlRpcRows | undefined,
    signal: AbortSignal | undefined,
  ): Promise<XmlRpcValue> {
    if (this.#rest !== null && performance.now() < this.#rest.until) throw this.#rest.failure;
    let failures = 0;
    let waited = 0;
    let isFresh = false;
    for (;;) {
      let failure: unknown;
      try {
        const answer = await exchange(this.#transport, { method, body, rows: makeRows(), isFresh, signal });
        this.#rest = null;
        return valueOf(this.url, method, answer);
      } catch (error) {
        failure = error;
      }
      signal?.throwIfAborted();
      if (failure instanceof StaleConnectionError) {
        isFresh = true;
        continue;
      }
      failures += 1;
      const pause = pauseAfter(failure, failures, waited, this.#patience);
      if (pause === undefined) {
        this.#restAfter(failure);
        throw failure;
      }
      this.#onRetry(failure, pause);
      isFresh = true;
      if (pause > 0) await this.#sleep(pause, signal);
      waited += pause;
    }
  }

  /** A hub that is away is not waited for anew by each who asks. */
  #restAfter(failure: unknown): void {
    if (failure instanceof KojiFault || !(failure instanceof ReactorError) || failure.fate !== 'retry')
      return;
    this.#rest = { until: performance.now() + this.#patience.restMs, failure };
  }
}

function valueOf(url: string, method: string, answer: XmlRpcAnswer): XmlRpcValue {
  if (answer.kind === 'fault') throw new KojiFault(url, method, answer.code, answer.text);
  return answer.value;
}

/**
 * How long to wait before the next try, or nothing where there is none. `failures` counts the failed tries,
 * `waitedMs` is what was waited so far. Source: Koji contract 1.4.
 */
function pauseAfter(
  error: unknown,
  failures: number,
  waitedMs: number,
  patience: HubPatience,
): number | undefined {
  const growing = Math.min(patience.firstWaitMs * 2 ** Math.max(0, failures - 2), patience.longestWaitMs);
  if (error instanceof KojiFault) {
    switch (error.faultClass) {
      case 'offline':
        return waitedMs + growing <= patience.offlineMs ? growing : undefined;
      case 'flaky':
        return failures < patience.exceptionTries ? growing : undefined;
      case 'final':
        return undefined;
      default:
        return error.faultClass satisfies never;
    }
  }
  if (!(error instanceof ReactorError) || error.fate !== 'retry' || failures >= patience.tries)
    return undefined;
  const isBroken = error.code === 'koji.hub_unreachable' || error.code === 'koji.answer_cut';
  return failures === 1 && isBroken ? 0 : growing;
}

function* splitCalls(calls: readonly HubCall[], batch: number): Generator<readonly HubCall[]> {
  let part: HubCall[] = [];
  let bytes = 0;
  for (const call of calls) {
    const size = writeCall(call.method, call.args, call.keywords).length + 100;
    if (part.length > 0 && (part.length >= batch || bytes + size > MAX_REQUEST_BYTES)) {
      yield part;
      part = [];
      bytes = 0;
    }
    part.push(call);
    bytes += size;
  }
  if (part.length > 0) yield part;
}

function parseHubUrl(text: string): URL {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new ReactorError('koji.hub_url_invalid', `"${text}" is not the URL of a Koji hub.`, {
      hint: 'Write it as in a Koji profile, for example https://koji.example.org/kojihub.',
      fate: 'halt',
    });
  }
  return url;
}
