import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK, type JWTPayload } from 'jose';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Ending } from '../../ending.ts';
import type { Certificates } from '../../services/certificates.ts';

/** An OIDC provider over HTTP or HTTPS: discovery, keys, introspection, groups. */
export interface FakeIssuer {
  readonly url: string;
  /** Method and path of every request. */
  readonly asked: string[];
  /** `Authorization` of every request to the introspection. */
  readonly logins: string[];
  /** The keys it publishes, by id; tests change them. */
  readonly keys: Map<string, IssuerKey>;
  /** What the introspection answers, by token. */
  readonly introspections: Map<string, Record<string, unknown>>;
  /** What is answered in the place of everything while it is set. */
  trouble: ((request: IncomingMessage, response: ServerResponse) => void) | null;
  /** What discovery says besides. */
  discovery: Record<string, unknown>;
  /** Makes and publishes a key. */
  addKey(id: string, algorithm?: string): Promise<IssuerKey>;
  /** Signs claims with a key, which need not be published. */
  sign(claims: JWTPayload, key: IssuerKey, header?: Record<string, unknown>): Promise<string>;
}

export interface IssuerKey {
  readonly id: string;
  readonly algorithm: string;
  readonly secret: CryptoKey;
  readonly published: JWK;
}

/** Makes a key that nobody has published. */
export async function makeKey(id: string, algorithm = 'RS256'): Promise<IssuerKey> {
  const { publicKey, privateKey } = await generateKeyPair(algorithm, { extractable: true });
  const published = { ...(await exportJWK(publicKey)), kid: id, alg: algorithm, use: 'sig' };
  return { id, algorithm, secret: privateKey, published };
}

/** Starts it on a free port of loopback, ended with the test. */
export async function startFakeIssuer(context: Ending, certificates?: Certificates): Promise<FakeIssuer> {
  const asked: string[] = [];
  const logins: string[] = [];
  const keys = new Map<string, IssuerKey>();
  const introspections: FakeIssuer['introspections'] = new Map();
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    asked.push(`${request.method} ${request.url}`);
    if (issuer.trouble !== null) return issuer.trouble(request, response);
    let text = '';
    request.setEncoding('utf8');
    request.on('data', (chunk: string) => (text += chunk));
    request.on('end', () => {
      const body = bodyOf(request.url ?? '', new URLSearchParams(text), request);
      response.writeHead(body === undefined ? 404 : 200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(body ?? {}));
    });
  };
  const bodyOf = (path: string, form: URLSearchParams, request: IncomingMessage): unknown => {
    switch (path) {
      case '/.well-known/openid-configuration':
        return { issuer: issuer.url, jwks_uri: `${issuer.url}/keys`, ...issuer.discovery };
      case '/keys':
        return { keys: [...keys.values()].map(({ published }) => published) };
      case '/introspect':
        logins.push(request.headers.authorization ?? '');
        return introspections.get(form.get('token') ?? '') ?? { active: false };
      case '/userinfo':
        return { groups: ['from-userinfo'] };
      default:
        return undefined;
    }
  };
  const server =
    certificates === undefined
      ? createServer(answer)
      : createTlsServer(
          {
            key: readFileSync(certificates.server.key),
            cert: readFileSync(certificates.server.certificate),
          },
          answer,
        );
  await new Promise<void>((resolve) => server.listen(0, resolve));
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const issuer: FakeIssuer = {
    url: `${certificates === undefined ? 'http' : 'https'}://localhost:${port}`,
    asked,
    logins,
    keys,
    introspections,
    trouble: null,
    discovery: {},
    async addKey(id, algorithm) {
      const key = await makeKey(id, algorithm);
      keys.set(id, key);
      return key;
    },
    sign: (claims, { id, algorithm, secret }, header = {}) =>
      new SignJWT(claims).setProtectedHeader({ alg: algorithm, kid: id, ...header }).sign(secret),
  };
  return issuer;
}
