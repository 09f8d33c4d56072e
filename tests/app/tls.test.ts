import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request, type RequestOptions } from 'node:https';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { TLSSocket } from 'node:tls';
import { createApp } from '../../src/api/app.ts';
import { startHttpServer, type HttpServer } from '../../src/app/http-server.ts';
import { readTlsFiles } from '../../src/app/tls-files.ts';
import { loadConfig, type Config } from '../../src/config.ts';
import { createLog } from '../../src/log.ts';
import { openTestApi } from '../api/open-test-api.ts';
import { makeCertificates, type Certificates } from '../services/certificates.ts';
import { ensurePackages } from '../services/debian-packages.ts';

const packages = ensurePackages(['openssl']);
const options = packages.ready ? {} : { skip: packages.reason };
const folder = mkdtempSync(join(tmpdir(), 'odcs-tls-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const api = await openTestApi();
after(() => api[Symbol.asyncDispose]());

let certificates: Certificates;
before(() => {
  if (packages.ready) certificates = makeCertificates(folder, 'osbs');
});

const openssl = (...words: readonly string[]): string =>
  execFileSync('openssl', [...words], { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

interface Pair {
  readonly certificate: string;
  readonly key: string;
}

/** Makes a certificate of the authority for a client, with further words for openssl. */
function makeClient(name: string, subject: string, ...more: readonly string[]): Pair {
  const made = [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-utf8',
  ];
  const leaf = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-addext', 'basicConstraints=critical,CA:FALSE'];
  openssl(
    ...made,
    ...leaf,
    '-multivalue-rdn',
    '-subj',
    subject,
    '-keyout',
    `${name}.key`,
    '-out',
    `${name}.pem`,
    ...more,
  );
  return { certificate: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) };
}

async function startService(overrides: Partial<Config> = {}): Promise<HttpServer> {
  const { config } = loadConfig({
    file: undefined,
    environment: {},
    overrides: {
      target_dir: api.targetDir,
      auth_backend: 'ssl',
      tls_certificate: certificates.server.certificate,
      tls_key: certificates.server.key,
      tls_client_ca: certificates.authority,
      allowed_clients: { users: { 'CN=osbs': {} }, groups: {} },
      ...overrides,
    },
  });
  const log = createLog('silent');
  const server = await startHttpServer({ host: '127.0.0.1', port: 0, tls: config }, log);
  server.app = createApp({ ...api.context, config });
  return server;
}

interface Asked {
  readonly pair?: Pair;
  readonly method?: 'GET' | 'POST';
  readonly path?: string;
  readonly headers?: Record<string, string>;
  readonly agent?: Agent;
}

interface Answered {
  readonly status: number | undefined;
  readonly json: Record<string, unknown>;
  /** Whether the TLS session was an earlier one. */
  readonly isResumed: boolean;
}

function ask(
  server: HttpServer,
  { pair, method = 'POST', path = '/api/1/composes/', ...more }: Asked = {},
): Promise<Answered> {
  const url = new URL(path, server.url.replace('127.0.0.1', 'localhost'));
  const given: RequestOptions = {
    method,
    ca: readFileSync(certificates.authority),
    agent: more.agent ?? false,
    headers: more.headers ?? {},
    ...(pair === undefined ? {} : { cert: readFileSync(pair.certificate), key: readFileSync(pair.key) }),
  };
  return new Promise((resolve, reject) => {
    const sent = request(url, given, (answer) => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (chunk: string) => (text += chunk));
      const { socket } = answer;
      const isResumed = socket instanceof TLSSocket && socket.isSessionReused();
      answer.on('end', () =>
        resolve({ status: answer.statusCode, json: JSON.parse(text) as Answered['json'], isResumed }),
      );
    });
    sent.on('error', reject);
    sent.end(method === 'POST' ? '{"source":{"type":"tag","source":"f39"}}' : undefined);
  });
}

const seen = ({ status, json }: Answered): unknown[] => [
  status,
  json['owner'] ?? json['code'],
  json['message'],
];

test(
  'a client certificate makes its bearer known without a proxy, by its whole subject',
  options,
  async () => {
    await using server = await startService();
    assert.match(server.url, /^https:/);
    assert.deepEqual(seen(await ask(server, { pair: certificates.client })), [200, 'CN=osbs', undefined]);
    const list = await ask(server, { method: 'GET', path: '/api/1/composes/?per_page=1' });
    assert.equal(list.status, 200, 'reading needs no certificate');
    assert.match(JSON.stringify(list.json['meta']), /"first":"https:/);
  },
);

test('subjects are written as Apache writes them', options, async () => {
  await using server = await startService();
  const subjects = [
    '/C=US/O=Example, Inc./OU=Build + Ship/CN=osbs',
    '/O=Ünïcode/CN=#one "two" <three>; four\\\\five=six',
    '/O=Two names/CN=first+OU=second',
    '/DC=org/DC=example/UID=someone/emailAddress=a@b.example',
  ];
  for (const [number, subject] of subjects.entries()) {
    const pair = makeClient(`named-${number}`, subject);
    const shown = openssl(
      'x509',
      '-in',
      pair.certificate,
      '-noout',
      '-subject',
      '-nameopt',
      'RFC2253,-esc_msb',
    );
    const expected = shown.trim().replace(/^subject=/, '');
    const { status, json } = await ask(server, { pair });
    assert.deepEqual(
      [status, json['message']],
      [403, `User ${expected} is not in role allowed_clients.`],
      'the certificate is verified, its bearer has no role',
    );
  }
});

test(
  'no certificate, one of a stranger, for servers, expired or revoked, is refused with a sentence',
  options,
  async () => {
    writeFileSync(join(folder, 'index.txt'), '');
    writeFileSync(join(folder, 'crlnumber'), '01');
    writeFileSync(
      join(folder, 'ca.conf'),
      '[ca]\ndefault_ca = own\n[own]\ndatabase = index.txt\ncrlnumber = crlnumber\nnew_certs_dir = .\nrand_serial = yes\n' +
        'certificate = ca.pem\nprivate_key = ca.key\ndefault_md = sha256\ndefault_crl_days = 2\npolicy = any\n' +
        '[any]\ncommonName = supplied\n',
    );
    const revoked = makeClient('revoked', '/CN=osbs');
    openssl('ca', '-config', 'ca.conf', '-revoke', 'revoked.pem');
    openssl('ca', '-config', 'ca.conf', '-gencrl', '-out', 'crl.pem');
    openssl('req', '-new', '-key', 'client.key', '-subj', '/CN=osbs', '-out', 'old.csr');
    const times = ['-startdate', '20200101000000Z', '-enddate', '20200102000000Z'];
    openssl('ca', '-batch', '-config', 'ca.conf', '-in', 'old.csr', '-out', 'old.pem', '-notext', ...times);
    const old = { certificate: join(folder, 'old.pem'), key: certificates.client.key };
    const forServers = makeClient('for-servers', '/CN=osbs', '-addext', 'extendedKeyUsage=serverAuth');
    const nameless = makeClient('nameless', '/');

    await using server = await startService({ tls_client_crl: join(folder, 'crl.pem') });
    assert.equal((await ask(server, { pair: certificates.client })).status, 200);
    for (const [pair, why] of [
      [undefined, 'NONE'],
      [certificates.stranger, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
      [forServers, 'INVALID_PURPOSE'],
      [old, 'CERT_HAS_EXPIRED'],
      [revoked, 'CERT_REVOKED'],
    ] as const) {
      assert.deepEqual(seen(await ask(server, pair === undefined ? {} : { pair })), [
        401,
        'auth.certificate_unverified',
        `Cannot verify client: ${why}`,
      ]);
    }
    const { status, json } = await ask(server, { pair: nameless });
    assert.deepEqual([status, json['code']], [401, 'auth.certificate_nameless']);
  },
);

test('headers of a proxy make nobody known where certificates are verified here', options, async () => {
  await using server = await startService();
  const headers = { 'X-SSL-Client-Verify': 'SUCCESS', 'X-SSL-Client-S-DN': 'CN=osbs' };
  const { status, json } = await ask(server, { headers });
  assert.deepEqual([status, json['code']], [401, 'auth.certificate_unverified']);
});

test('who speaks no TLS is cut off, and the others go on', options, async () => {
  await using server = await startService();
  const said = await new Promise<string>((resolve, reject) => {
    const socket = createConnection(Number(new URL(server.url).port), '127.0.0.1', () => {
      socket.write('GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n');
    });
    let text = '';
    socket.on('data', (chunk) => (text += chunk.toString('latin1')));
    socket.on('error', reject);
    socket.on('close', () => resolve(text));
  });
  assert.doesNotMatch(said, /HTTP\/1\.1 200/);
  assert.equal((await ask(server, { method: 'GET', path: '/healthz' })).status, 200);
});

test('files that cannot be used are refused at the start', options, () => {
  const good = {
    tls_certificate: certificates.server.certificate,
    tls_key: certificates.server.key,
    tls_client_ca: '',
    tls_client_crl: '',
  };
  writeFileSync(join(folder, 'empty.pem'), '');
  for (const [name, file] of [
    ['tls_certificate', join(folder, 'empty.pem')],
    ['tls_key', join(folder, 'nowhere.pem')],
    ['tls_key', certificates.client.key],
    ['tls_client_crl', certificates.server.certificate],
  ] as const) {
    assert.throws(() => readTlsFiles({ ...good, [name]: file }), { code: 'config.invalid_value' }, name);
  }
});

test(
  'a certificate that was renewed is taken into use without a restart, a broken one is not',
  options,
  async () => {
    const certificate = join(folder, 'used.pem');
    const key = join(folder, 'used.key');
    const use = (pair: Pair): void => {
      copyFileSync(pair.certificate, certificate);
      copyFileSync(pair.key, key);
    };
    use(certificates.server);
    await using server = await startService({ tls_certificate: certificate, tls_key: key });
    const reached = (): Promise<Answered> => ask(server, { method: 'GET', path: '/healthz' });
    assert.equal((await reached()).status, 200);
    // A certificate for another name stands for one that is new: clients notice it.
    use(makeClient('renewed', '/CN=elsewhere', '-addext', 'subjectAltName=DNS:elsewhere'));
    server.lookAtTls();
    await assert.rejects(reached(), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
    use(certificates.server);
    server.lookAtTls();
    assert.equal((await reached()).status, 200);
    writeFileSync(certificate, 'no certificate');
    server.lookAtTls();
    assert.equal((await reached()).status, 200);
  },
);

test(
  'a revoked client is refused on its next connection, though it resumes its session',
  options,
  async () => {
    copyFileSync(join(folder, 'ca.pem'), join(folder, 'clients.pem'));
    await using server = await startService({ tls_client_ca: join(folder, 'clients.pem') });
    using agent = keepingAgent();
    const asked = { pair: certificates.client, agent: agent.agent };
    assert.equal((await ask(server, asked)).status, 200);
    const again = await ask(server, asked);
    assert.deepEqual([again.status, again.isResumed], [200, true]);
    // As if the authority were another one now.
    copyFileSync(join(folder, 'other.pem'), join(folder, 'clients.pem'));
    server.lookAtTls();
    const { status, json } = await ask(server, asked);
    assert.deepEqual([status, json['code']], [401, 'auth.certificate_unverified']);
  },
);

/** Resumes TLS sessions, on a connection of its own for each request. */
function keepingAgent(): Disposable & { readonly agent: Agent } {
  const agent = new Agent({ keepAlive: false, maxCachedSessions: 10 });
  return { agent, [Symbol.dispose]: () => agent.destroy() };
}
