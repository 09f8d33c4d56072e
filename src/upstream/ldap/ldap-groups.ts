import type { Client } from 'ldapts';
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { messageOf, ReactorError } from '../../model/errors.ts';

export interface LdapServer {
  /** `ldap://host[:port]` or `ldaps://host[:port]`. */
  readonly url: string;
  /**
   * Where groups lie, `ou=groups,dc=example,dc=com`, and the filter that finds those of a user there, with `{}` for the
   * name: `(memberUid={})`.
   */
  readonly filters: ReadonlyMap<string, string>;
  /** Who asks; null asks without a name. */
  readonly login: { readonly dn: string; readonly password: string } | null;
  /** Whether an `ldap://` connection is encrypted before anything is asked. */
  readonly isStartTls: boolean;
  /** Path of the certificates the server is checked against, PEM; empty means those of Node. */
  readonly authority: string;
  /** Milliseconds for connecting and for each answer. */
  readonly timeoutMs?: number;
}

/** Asks an LDAP server for the groups of users, over one connection that is kept as long as the server keeps it. */
export class LdapGroups implements Disposable {
  readonly #server: LdapServer;
  readonly #timeoutMs: number;
  #connection: Promise<Client> | undefined;

  constructor(server: LdapServer) {
    this.#server = server;
    this.#timeoutMs = server.timeoutMs ?? 10_000;
  }

  /**
   * Returns the groups (`cn`) right below the bases that their filters find, each once. Throws `ldap.unreachable`
   * (retry). Source: ODCS contract 9.
   */
  async groupsOf(user: string): Promise<readonly string[]> {
    const kept = this.#connection;
    try {
      return await this.#search(user);
    } catch (error) {
      // The server may have ended a connection that nobody used for long.
      if (kept === undefined) throw this.#unreachable(error);
      try {
        return await this.#search(user);
      } catch (again) {
        throw this.#unreachable(again);
      }
    }
  }

  [Symbol.dispose](): void {
    this.#leave();
  }

  async #search(user: string): Promise<readonly string[]> {
    try {
      const client = await (this.#connection ??= this.#connect());
      // The client would connect again by itself, but neither encrypt nor log in.
      if (!client.isConnected) throw new Error('the connection has ended');
      const { Filter } = await import('ldapts');
      const found = new Set<string>();
      for (const [base, pattern] of this.#server.filters) {
        // Escaped, so that no user name is taken for a piece of a filter.
        const filter = pattern.replaceAll('{}', () => Filter.escape(user));
        const { searchEntries } = await client.search(base, {
          scope: 'one',
          filter: filter.startsWith('(') ? filter : `(${filter})`,
          attributes: ['cn'],
        });
        for (const { cn = [] } of searchEntries) for (const name of [cn].flat()) found.add(String(name));
      }
      return [...found];
    } catch (error) {
      this.#leave();
      throw error;
    }
  }

  async #connect(): Promise<Client> {
    const { url, login, isStartTls, authority } = this.#server;
    const parsed = URL.parse(url);
    if (parsed === null || (parsed.protocol !== 'ldap:' && parsed.protocol !== 'ldaps:')) {
      throw new Error(`"${url}" is no address such as ldaps://ldap.example.com`);
    }
    const host = parsed.hostname.replace(/^\[|\]$/g, '');
    const tlsOptions: ConnectionOptions = {
      host,
      ...(isIP(host) === 0 ? { servername: host } : {}),
      ...(authority === '' ? {} : { ca: readFileSync(authority) }),
    };
    // Read by those who have such a server only.
    const ldapts = await import('ldapts');
    const client = new ldapts.Client({
      url,
      timeout: this.#timeoutMs,
      connectTimeout: this.#timeoutMs,
      ...(parsed.protocol === 'ldaps:' ? { tlsOptions } : {}),
    });
    try {
      if (isStartTls && parsed.protocol === 'ldap:') await this.#inTime(client.startTLS(tlsOptions));
      await client.bind(login?.dn ?? '', login?.password ?? '');
      return client;
    } catch (error) {
      client.unbind().catch(() => undefined);
      throw error;
    }
  }

  /** The library bounds no handshake. */
  #inTime(work: Promise<void>): Promise<void> {
    const { promise, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => reject(new Error('no handshake in time')), this.#timeoutMs);
    return Promise.race([work, promise]).finally(() => clearTimeout(timer));
  }

  #leave(): void {
    const connection = this.#connection;
    this.#connection = undefined;
    connection?.then((client) => client.unbind()).catch(() => undefined);
  }

  #unreachable(cause: unknown): ReactorError {
    return new ReactorError(
      'ldap.unreachable',
      `The LDAP server does not tell groups: ${messageOf(cause).trim()}.`,
      { where: this.#server.url, fate: 'retry', cause },
    );
  }
}
