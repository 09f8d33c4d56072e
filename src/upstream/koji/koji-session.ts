import { ReactorError } from '../../model/errors.ts';
import { KojiFault } from './hub-fault.ts';
import { HubRow } from './hub-row.ts';
import { exchange, makeAgent, type HubTransport } from './hub-transport.ts';
import type { CallOptions } from './hub.ts';
import { postNegotiated, type KerberosLogin } from './negotiate.ts';
import type { XmlRpcAnswer } from './xml-rpc-read.ts';
import type { XmlRpcKeywords, XmlRpcValue } from './xml-rpc-value.ts';
import { writeCall } from './xml-rpc-write.ts';

/** How a session is begun. */
export interface KojiLogin {
  /** Of the hub. */
  readonly url: string;
  /** PEM of the authorities that the hub's certificate may come from; the system's own where absent. */
  readonly authorities?: string;
  readonly by: LoginBy;
}

/** Who the service says it is: by the PEM of a client certificate with its key, or by a keytab. */
export type LoginBy =
  | { readonly kind: 'certificate'; readonly certificate: string }
  | ({ readonly kind: 'keytab' } & KerberosLogin);

/** Whom the hub takes the service for. */
export interface KojiUser {
  readonly id: number;
  readonly name: string;
}

/** A call that is not answered within this time may have been made all the same. */
const SILENCE_MS = 120_000;

/**
 * A session of a Koji hub, for what only a user may do. No call is repeated: one that fails in any other way than by a
 * fault may have been made all the same. Source: Koji's client, `ssl_login` and `_prepCall`.
 */
export class KojiSession implements AsyncDisposable {
  readonly #transport: HubTransport;
  readonly #identity: SessionIdentity;
  #calls = 0;

  private constructor(transport: HubTransport, identity: SessionIdentity) {
    this.#transport = transport;
    this.#identity = identity;
  }

  /**
   * Logs in. Throws `koji.login_refused`, `koji.login_insecure`, and what `exchange` and `postNegotiated` throw.
   */
  static async begin({ url, by, authorities }: KojiLogin, options: CallOptions = {}): Promise<KojiSession> {
    if (!url.startsWith('https:')) {
      throw new ReactorError('koji.login_insecure', 'Nobody logs into Koji over plain HTTP.', {
        where: url,
        hint: 'The Koji profile has to name the hub by https.',
        fate: 'halt',
      });
    }
    const hub = new URL(url);
    const transport: HubTransport = {
      url: hub,
      agent: makeAgent(hub, 1),
      silenceMs: SILENCE_MS,
      userAgent: 'odcs-reactor',
      ...(by.kind === 'certificate' ? { certificate: by.certificate } : {}),
      ...(authorities === undefined ? {} : { authorities }),
    };
    return new KojiSession(transport, await logIn(transport, by, options));
  }

  /** Asks whom the hub takes the service for. Throws as `call` does. */
  async readUser(options: CallOptions = {}): Promise<KojiUser> {
    const row = new HubRow(await this.call('getLoggedInUser', [], {}, options), 'getLoggedInUser');
    return { id: row.integer('id'), name: row.text('name') };
  }

  /** Makes one call, once. Throws `KojiFault` and what `exchange` throws. */
  async call(
    method: string,
    args: readonly XmlRpcValue[] = [],
    keywords: XmlRpcKeywords = {},
    { signal }: CallOptions = {},
  ): Promise<XmlRpcValue> {
    const { id, key, isInHeaders } = this.#identity;
    const number = String(this.#calls);
    this.#calls += 1;
    const url = new URL(this.#transport.url);
    if (!isInHeaders) {
      url.search = new URLSearchParams({ 'session-id': id, 'session-key': key, callnum: number }).toString();
    }
    const headers = { 'Koji-Session-Id': id, 'Koji-Session-Key': key, 'Koji-Session-Callnum': number };
    return send({ ...this.#transport, url, headers }, method, writeCall(method, args, keywords), signal);
  }

  /** Ends the session, as far as the hub can be reached. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.call('logout').catch(() => undefined);
    this.#transport.agent.destroy();
  }
}

interface SessionIdentity {
  readonly id: string;
  readonly key: string;
  /** Newer hubs read it in headers; older ones in the URL, which ends in logs of proxies. */
  readonly isInHeaders: boolean;
}

async function logIn(
  transport: HubTransport,
  by: LoginBy,
  { signal }: CallOptions,
): Promise<SessionIdentity> {
  const url = new URL(transport.url);
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/ssllogin`;
  const body = writeCall('sslLogin', [null]);
  const { authorities } = transport;
  try {
    const answer =
      by.kind === 'certificate'
        ? await send({ ...transport, url }, 'sslLogin', body, signal)
        : valueOf(
            await postNegotiated({
              ...by,
              url,
              body,
              signal,
              ...(authorities === undefined ? {} : { authorities }),
            }),
            url,
            'sslLogin',
          );
    const row = new HubRow(answer, 'sslLogin');
    return {
      id: String(row.integer('session-id')),
      key: row.text('session-key'),
      isInHeaders: row.flag('header-auth'),
    };
  } catch (error) {
    transport.agent.destroy();
    const isRefused =
      (error instanceof KojiFault && error.faultClass === 'final') ||
      (error instanceof ReactorError && error.code === 'koji.hub_refused');
    if (!isRefused) throw error;
    throw new ReactorError(
      'koji.login_refused',
      `The Koji hub does not let the service in: ${error.message}`,
      {
        where: transport.url.href,
        hint: hintOf(by),
        cause: error,
      },
    );
  }
}

function hintOf({ kind }: LoginBy): string {
  switch (kind) {
    case 'certificate':
      return 'Look at koji_login_certificate: whose it is, who issued it, and until when it is valid.';
    case 'keytab':
      return 'Look at koji_login_principal: whether the hub knows it, and takes Kerberos at all.';
    default:
      return kind satisfies never;
  }
}

async function send(
  transport: HubTransport,
  method: string,
  body: string,
  signal: AbortSignal | undefined,
): Promise<XmlRpcValue> {
  const answer = await exchange(transport, { method, body, rows: undefined, isFresh: true, signal });
  return valueOf(answer, transport.url, method);
}

function valueOf(answer: XmlRpcAnswer, url: URL, method: string): XmlRpcValue {
  if (answer.kind === 'fault') throw new KojiFault(url.origin, method, answer.code, answer.text);
  return answer.value;
}
