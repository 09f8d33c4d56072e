import { Counter, type Registry } from 'prom-client';
import type { EndedStage, StageObserver } from '../../instrument.ts';
import type { Log } from '../../log.ts';
import { messageOf } from '../../model/errors.ts';
import { configuredPolicy } from '../../upstream/http/fetch-policy.ts';
import { discard, HttpClient } from '../../upstream/http/http-client.ts';
import { toExportRequest, toOtlpSpans, type OtlpSpan, type SpanResource } from './otlp-spans.ts';

export interface SpanExporterInput {
  /** Of the collector, without `/v1/traces`. */
  readonly endpoint: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly resource: SpanResource;
  /** Share of the traces that begin here which are kept. */
  readonly traceRatio: number;
  readonly registry: Registry;
  readonly log: Log;
}

const FLUSH_MS = 2_000;
const BATCH = 512;
/** Spans that wait for a collector that does not take them; further ones are lost. */
const MOST_WAITING = 16_384;
const TIMEOUT_MS = 10_000;

/**
 * Sends spans to a collector over OTLP/HTTP in JSON, every two seconds and as often as enough of them wait. A collector
 * that is away holds nothing up: spans that it does not take are counted and lost.
 */
export class SpanExporter implements StageObserver, AsyncDisposable {
  readonly traceRatio: number;
  readonly #input: SpanExporterInput;
  readonly #url: string;
  readonly #client: HttpClient;
  readonly #counter: Counter<'outcome'>;
  readonly #timer: NodeJS.Timeout;
  #waiting: OtlpSpan[] = [];
  #sending: Promise<void> | null = null;
  #isFailing = false;

  constructor(input: SpanExporterInput) {
    this.#input = input;
    this.traceRatio = input.traceRatio;
    this.#url = `${input.endpoint.replace(/\/+$/, '')}/v1/traces`;
    this.#client = new HttpClient({ policy: configuredPolicy([input.endpoint]), connections: 1, tries: 3 });
    this.#counter = new Counter({
      name: 'odcs_spans_total',
      help: 'Spans that the collector of traces was sent, and those that were lost.',
      labelNames: ['outcome'],
      registers: [input.registry],
    });
    this.#counter.inc({ outcome: 'sent' }, 0);
    this.#counter.inc({ outcome: 'lost' }, 0);
    this.#timer = setInterval(() => void this.#flush(), FLUSH_MS);
    this.#timer.unref();
  }

  stageEnded(ended: EndedStage): void {
    if (ended.spans.length === 0) return;
    const spans = toOtlpSpans(ended);
    const room = MOST_WAITING - this.#waiting.length;
    this.#waiting.push(...spans.slice(0, room));
    if (spans.length > room) this.#counter.inc({ outcome: 'lost' }, spans.length - Math.max(0, room));
    if (this.#waiting.length >= BATCH) void this.#flush();
  }

  /** Sends what waits, once, and ends. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await this.#flush();
    await this.#flush();
    this.#client.close();
  }

  #flush(): Promise<void> {
    if (this.#sending !== null) return this.#sending;
    this.#sending = this.#sendAll().finally(() => {
      this.#sending = null;
    });
    return this.#sending;
  }

  async #sendAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, BATCH);
      if (!(await this.#send(batch))) return;
    }
  }

  /** Returns whether the collector took a batch. */
  async #send(batch: readonly OtlpSpan[]): Promise<boolean> {
    const { headers, resource, log } = this.#input;
    const request = {
      url: this.#url,
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify(toExportRequest(resource, batch)),
      redirects: 'refuse',
      timeoutMs: TIMEOUT_MS,
    } as const;
    try {
      await this.#client.fetch(request, (answer) => discard(answer.body));
    } catch (error) {
      this.#counter.inc({ outcome: 'lost' }, batch.length);
      if (!this.#isFailing) log.warn({ reason: messageOf(error) }, 'traces cannot be sent');
      this.#isFailing = true;
      return false;
    }
    this.#counter.inc({ outcome: 'sent' }, batch.length);
    if (this.#isFailing) log.info({}, 'traces are sent again');
    this.#isFailing = false;
    return true;
  }
}
