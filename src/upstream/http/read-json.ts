import { ReactorError } from '../../model/errors.ts';
import { configuredPolicy } from './fetch-policy.ts';
import { HttpClient, type HttpRequest, type TlsIdentity } from './http-client.ts';
import { describeFailure, HttpFailure } from './http-failure.ts';
import { readText, TEXT_ENCODINGS } from './read-body.ts';

const TIMEOUT_MS = 30_000;
/** Bytes of one answer, after decoding. */
const MOST_BYTES = 16 * 1024 * 1024;
/** Who asks is a job, which comes again by itself. */
const TRIES = 1;

/** Asks one system for JSON. */
export interface JsonReader {
  /** The address without slashes at its end. */
  readonly base: string;
  /**
   * GETs JSON; undefined for 404. Throws `upstream.unreachable` (retry) for the network, 5xx and 429,
   * `upstream.refused` for other statuses, `upstream.strange_answer` (retry) for what is not JSON, `http.*`,
   * `repo.not_allowed` where a redirect leads to another host.
   */
  read(url: string, signal?: AbortSignal): Promise<unknown>;
  /** POSTs JSON and reads the answer as `read` does. */
  post(url: string, body: unknown, signal?: AbortSignal): Promise<unknown>;
}

/** How a system is asked that wants to know who asks. */
export interface JsonReaderOptions {
  readonly tls?: TlsIdentity;
  /** Sent with every request, `authorization` for example. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Followed where absent, within the host. */
  readonly redirects?: HttpRequest['redirects'];
}

/** Opens a reader of the system called `name` at `url`. */
export function openJsonReader(url: string, name: string, options: JsonReaderOptions = {}): JsonReader {
  const { tls, redirects = 'follow' } = options;
  const { origin } = URL.parse(url) ?? { origin: '' };
  const client = new HttpClient({
    policy: configuredPolicy([url]),
    tries: TRIES,
    ...(tls === undefined ? {} : { tls: (asked: string) => (asked === origin ? tls : undefined) }),
  });
  const peer = { name, codes: { unreachable: 'upstream.unreachable', refused: 'upstream.refused' } };
  const headers = { accept: 'application/json', 'accept-encoding': TEXT_ENCODINGS, ...options.headers };
  const ask = async (
    request: Pick<HttpRequest, 'url' | 'method' | 'body' | 'headers'>,
    signal: AbortSignal | undefined,
  ): Promise<unknown> => {
    const { url: address } = request;
    let text: string;
    try {
      text = await client.fetch(
        { ...request, headers: { ...headers, ...request.headers }, redirects, signal, timeoutMs: TIMEOUT_MS },
        (answer) => readText(answer, { limit: MOST_BYTES }),
      );
    } catch (thrown) {
      signal?.throwIfAborted();
      if (!(thrown instanceof HttpFailure) || thrown.kind !== 'status') {
        throw describeFailure(thrown, peer, address);
      }
      if (thrown.status === 404) return undefined;
      // A system that is broken or busy refuses nothing.
      throw new ReactorError(
        thrown.mayPass ? 'upstream.unreachable' : 'upstream.refused',
        `${name} ${thrown.message}.`,
        { where: address, fate: thrown.mayPass ? 'retry' : 'drop', cause: thrown },
      );
    }
    try {
      return JSON.parse(text);
    } catch (cause) {
      throw new ReactorError('upstream.strange_answer', `${name} answered something that is not JSON.`, {
        where: address,
        fate: 'retry',
        cause,
      });
    }
  };
  return {
    base: url.replace(/\/+$/, ''),
    read: (address, signal) => ask({ url: address }, signal),
    post: (address, body, signal) =>
      ask(
        {
          url: address,
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(body),
        },
        signal,
      ),
  };
}
