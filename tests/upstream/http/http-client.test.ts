import assert from 'node:assert/strict';
import { lookup } from 'node:dns/promises';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import {
  configuredPolicy,
  repositoryPolicy,
  type FetchPolicy,
} from '../../../src/upstream/http/fetch-policy.ts';
import { parseHostList } from '../../../src/upstream/http/host-list.ts';
import { discard, HttpClient, type HttpClientOptions } from '../../../src/upstream/http/http-client.ts';
import { describeFailure, HttpFailure } from '../../../src/upstream/http/http-failure.ts';
import { HttpFiles } from '../../../src/upstream/http/http-files.ts';
import { isPrivateAddress } from '../../../src/upstream/http/private-address.ts';
import { readBytes, readText, TEXT_ENCODINGS } from '../../../src/upstream/http/read-body.ts';
import { makeCertificate, startTlsFront } from '../koji/tls-front.ts';
import { serve } from './test-server.ts';

const anything: FetchPolicy = { check: () => undefined, mayBeAt: () => true };
const MIB = 1024 * 1024;

function open(context: TestContext, options: Partial<HttpClientOptions> = {}): HttpClient {
  const client = new HttpClient({ policy: anything, tries: 1, ...options });
  context.after(() => client.close());
  return client;
}

function read(client: HttpClient, url: string, more: { timeoutMs?: number; signal?: AbortSignal } = {}) {
  return client.fetch({ url, ...more }, (answer) => readBytes(answer, { limit: MIB }));
}

async function failureOf(work: Promise<unknown>): Promise<HttpFailure> {
  const thrown: unknown = await work.then(
    () => assert.fail('it did not fail'),
    (error: unknown) => error,
  );
  assert.ok(thrown instanceof HttpFailure, String(thrown));
  return thrown;
}

test('redirects are followed, whole and relative ones, each held to the policy', async (context) => {
  const server = await serve(context, (request, response) => {
    if (request.url === '/a?q=%2F') response.writeHead(302, { location: `${server.url}/b?q=%2F+` }).end();
    else if (request.url === '/b?q=%2F+') response.writeHead(308, { location: 'c%20d' }).end();
    else response.end('here');
  });
  const checked: string[] = [];
  const policy = { ...anything, check: (url: URL) => void checked.push(url.pathname) };
  assert.equal((await read(open(context, { policy }), `${server.url}/a?q=%2F`)).toString(), 'here');
  assert.deepEqual(server.asked, ['/a?q=%2F', '/b?q=%2F+', '/c%20d']);
  assert.deepEqual(checked, ['/a', '/b', '/c%20d']);
});

test('who asks is told to the origin that was asked alone, wherever it redirects to', async (context) => {
  const tokens: Record<string, unknown[]> = {};
  const note = (where: string, headers: IncomingHttpHeaders): void => {
    (tokens[where] ??= []).push(headers.authorization, headers.cookie, headers.accept);
  };
  const other = await serve(context, (request, response) => {
    note('other', request.headers);
    if (request.url === '/back') response.writeHead(302, { location: `${server.url}/end` }).end();
    else response.end('there');
  });
  const server = await serve(context, (request, response) => {
    note(request.url ?? '', request.headers);
    if (request.url === '/same') response.writeHead(302, { location: '/away' }).end();
    else if (request.url === '/away') response.writeHead(307, { location: `${other.url}/back` }).end();
    else response.end('here');
  });
  const headers = { Authorization: 'Bearer secret', cookie: 'secret', accept: 'text/plain' };
  await open(context).fetch({ url: `${server.url}/same`, headers }, (answer) => discard(answer.body));
  const all = ['Bearer secret', 'secret', 'text/plain'];
  const none = [undefined, undefined, 'text/plain'];
  assert.deepEqual(tokens, { '/same': all, '/away': all, other: none, '/end': none });
});

test('what is posted is sent again only where a redirect asks for that', async (context) => {
  const posted: string[] = [];
  const server = await serve(context, (request, response) => {
    posted.push(`${request.method} ${request.url}`);
    const status = Number(/^\/(\d+)$/.exec(request.url ?? '')?.[1] ?? 200);
    response.writeHead(status, { location: '/end' }).end('done');
  });
  const client = open(context);
  const post = (status: number): Promise<string> =>
    client.fetch({ url: `${server.url}/${status}`, method: 'POST', body: '{}' }, (answer) =>
      readText(answer, { limit: MIB }),
    );
  for (const status of [301, 302, 303]) assert.equal((await failureOf(post(status))).kind, 'redirect');
  for (const status of [307, 308]) assert.equal(await post(status), 'done');
  assert.deepEqual(posted, [
    'POST /301',
    'POST /302',
    'POST /303',
    'POST /307',
    'POST /end',
    'POST /308',
    'POST /end',
  ]);
});

test('of a server without ranges nothing is held but the part that was asked for', async (context) => {
  const sent = 64 * MIB;
  const server = await serve(context, (_, response) => {
    let left = sent;
    const write = (): void => {
      for (; left > 0; left -= MIB) if (!response.write(Buffer.alloc(MIB, left / MIB))) break;
      left -= MIB;
      if (left >= 0) response.once('drain', write);
      else response.end('end');
    };
    write();
  });
  const files = new HttpFiles({ policy: anything, tries: 1, peer });
  context.after(() => files.close());
  const concat = context.mock.method(Buffer, 'concat');
  const part = await files.read(`${server.url}/a`, sent - 10, 100);
  assert.equal(part.length, 13);
  assert.equal(Buffer.from(part).toString('latin1', 10), 'end');
  const held = concat.mock.calls.map(({ arguments: [pieces] }) =>
    pieces.reduce((sum, piece) => sum + piece.length, 0),
  );
  assert.ok(Math.max(...held) < MIB, `${Math.max(...held)} bytes were held`);
});

test('a redirect to a host, port or scheme that is not allowed is not asked', async (context) => {
  const secret = await serve(context, (_, response) => response.end('secret'));
  const far = await serve(context, (_, response) => response.end('secret'), '127.0.0.9');
  for (const location of [secret.url, far.url, 'file:///etc/passwd', 'http://user:word@127.0.0.1/']) {
    const server = await serve(context, (_, response) => response.writeHead(307, { location }).end());
    for (const policy of [
      repositoryPolicy(parseHostList(['127.0.0.1'])),
      configuredPolicy([server.url]),
      configuredPolicy([server.url], parseHostList(['127.0.0.1', '127.0.0.9'])),
    ]) {
      await assert.rejects(read(open(context, { policy }), server.url), (error) => {
        return error instanceof HttpFailure
          ? error.kind === 'redirect'
          : /repo\.not_allowed/.test(codeOf(error));
      });
    }
  }
  assert.deepEqual([...secret.asked, ...far.asked], []);
});

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

test('a port listed with its host may be led to', async (context) => {
  const other = await serve(context, (_, response) => response.end('there'));
  const server = await serve(context, (_, response) =>
    response.writeHead(301, { location: other.url }).end(),
  );
  const policy = repositoryPolicy(parseHostList(['127.0.0.1', `127.0.0.1:${other.port}`]));
  assert.equal((await read(open(context, { policy }), server.url)).toString(), 'there');
});

test('redirects end after five, and where they are refused at the first', async (context) => {
  let hops = 0;
  const server = await serve(context, (_, response) =>
    response.writeHead(302, { location: `/${hops++}` }).end(),
  );
  const client = open(context);
  assert.equal((await failureOf(read(client, server.url))).kind, 'redirect');
  assert.equal(server.asked.length, 6);
  const posted = client.fetch({ url: server.url, method: 'POST', body: '{}', redirects: 'refuse' }, () =>
    Promise.resolve(),
  );
  assert.equal((await failureOf(posted)).kind, 'redirect');
  assert.equal(server.asked.length, 7);
});

test('a name that leads to a private address is not connected to', async (context) => {
  const { address } = await lookup('localhost');
  const server = await serve(context, (_, response) => response.end('secret'), address);
  const url = `http://localhost:${server.port}/`;
  assert.equal((await read(open(context), url)).toString(), 'secret');
  const policy: FetchPolicy = { ...anything, mayBeAt: () => false };
  await assert.rejects(read(open(context, { policy, tries: 4 }), url), {
    code: 'http.address_refused',
    message: /^localhost leads to (127\.0\.0\.1|::1)/,
  });
  assert.equal(server.asked.length, 1);
});

test('private addresses are known however they are written', () => {
  const inward = [
    '127.0.0.1',
    '10.9.8.7',
    '172.31.0.1',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '0.0.0.0',
  ];
  const inward6 = [
    '::1',
    '::',
    'fd00::1',
    'fe80::1',
    '::ffff:127.0.0.1',
    '::ffff:a00:1',
    '64:ff9b::7f00:1',
    'ff02::1',
  ];
  for (const address of [...inward, ...inward6]) assert.ok(isPrivateAddress(address), address);
  for (const address of ['93.184.216.34', '172.32.0.1', '2606:2800:220:1::1', '::ffff:8.8.8.8', 'name']) {
    assert.ok(!isPrivateAddress(address), address);
  }
});

test('a body that is too long is refused by its length, or when it has become too long', async (context) => {
  let sent = 0;
  const server = await serve(context, (request, response) => {
    if (request.url === '/said') response.writeHead(200, { 'content-length': 2 * MIB });
    const piece = Buffer.alloc(64 * 1024);
    const more = (): void => {
      while (!response.destroyed && response.write(piece)) sent += piece.length;
      response.once('drain', more);
    };
    more();
  });
  const client = open(context, { tries: 4 });
  for (const path of ['/said', '/endless']) {
    sent = 0;
    const failure = await failureOf(read(client, `${server.url}${path}`));
    assert.deepEqual([failure.kind, failure.mayPass], ['too_large', false]);
    assert.ok(sent < 16 * MIB, `${sent} bytes were sent`);
  }
  assert.equal(server.asked.length, 2);
});

test('text is decoded within the limit, a bomb is not; files are never unpacked', async (context) => {
  const text = '{"a": 1}';
  const bomb = gzipSync(Buffer.alloc(256 * MIB));
  const server = await serve(context, (request, response) => {
    const isBomb = request.url === '/bomb';
    const isOdd = request.url === '/odd';
    response.writeHead(200, { 'content-encoding': isOdd ? 'compress' : 'gzip' });
    response.end(isBomb ? bomb : gzipSync(text));
  });
  const client = open(context);
  const headers = { 'accept-encoding': TEXT_ENCODINGS };
  const asText = (path: string) =>
    client.fetch({ url: `${server.url}${path}`, headers }, (answer) => readText(answer, { limit: MIB }));
  assert.equal(await asText('/small'), text);
  const before = process.memoryUsage().rss;
  assert.equal((await failureOf(asText('/bomb'))).kind, 'too_large');
  assert.ok(process.memoryUsage().rss - before < 100 * MIB);
  assert.equal((await failureOf(asText('/odd'))).kind, 'encoding');
  assert.deepEqual(await read(client, `${server.url}/small`), gzipSync(text));
});

test('what may pass is tried again, what is refused is not, and Retry-After is heeded', async (context) => {
  const answers: [number, Record<string, string>][] = [
    [503, {}],
    [429, { 'retry-after': '7' }],
    [200, {}],
    [404, {}],
    [403, {}],
  ];
  const server = await serve(context, (_, response) => {
    const [status, headers] = answers.shift() ?? [500, {}];
    response.writeHead(status, headers).end();
  });
  const waits: number[] = [];
  const client = open(context, {
    tries: 3,
    times: { retry: 100 },
    sleep: (milliseconds) => Promise.resolve(void waits.push(milliseconds)),
  });
  await read(client, server.url);
  assert.deepEqual(waits, [100, 7000]);
  for (const status of [404, 403]) {
    const failure = await failureOf(read(client, server.url));
    assert.deepEqual([failure.status, failure.mayPass], [status, false]);
  }
  assert.equal(server.asked.length, 5);
  const failure = await failureOf(read(client, server.url));
  assert.deepEqual([failure.status, server.asked.length], [500, 8]);
});

const peer = { name: 'Bodhi', codes: { unreachable: 'upstream.unreachable', refused: 'upstream.refused' } };

test('errors say for whom something was fetched, and the real cause', async (context) => {
  const reset = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => reset.listen(0, '127.0.0.1', resolve));
  context.after(() => reset.close());
  const folder = mkdtempSync(join(tmpdir(), 'http-tls-'));
  context.after(() => rmSync(folder, { recursive: true }));
  const plain = await serve(context, (_, response) => response.end('safe'));
  const certificate = makeCertificate(folder);
  const secure = await startTlsFront(plain.url, certificate);
  context.after(() => secure.close());
  const cases: [string, RegExp][] = [
    [
      'http://127.0.0.1:1/',
      /^Bodhi cannot be reached: the connection was refused \(connect ECONNREFUSED 127\.0\.0\.1:1\)\.$/,
    ],
    [
      'http://no-such-host.invalid/',
      /DNS does not (know the name|answer) \(getaddrinfo \w+ no-such-host\.invalid\)/,
    ],
    [`http://127.0.0.1:${(reset.address() as AddressInfo).port}/`, /the connection broke off/],
    [secure.url, /TLS: .*(certificate|self.signed)/i],
  ];
  for (const [url, expected] of cases) {
    const failure = describeFailure(await failureOf(read(open(context), url)), peer, url);
    assert.match(failure.message, expected);
    assert.deepEqual([failure.code, failure.fate, failure.where], ['upstream.unreachable', 'retry', url]);
  }
  const authorities = readFileSync(certificate.authority, 'utf8');
  const trusting = open(context, { tls: () => ({ authorities }) });
  assert.equal((await read(trusting, secure.url)).toString(), 'safe');
});

test('a server that says nothing, or stops in the middle, is given up', async (context) => {
  const server = await serve(context, (request, response) => {
    if (request.url === '/half') response.write('half');
    if (request.url === '/drip') setInterval(() => response.write('x'), 50).unref();
  });
  const client = open(context, { times: { headers: 300, silence: 300 } });
  assert.match((await failureOf(read(client, server.url))).message, /time-out while waiting for the answer/);
  assert.match((await failureOf(read(client, `${server.url}/half`))).message, /time-out in the middle/);
  const dripping = read(client, `${server.url}/drip`, { timeoutMs: 400 });
  assert.match((await failureOf(dripping)).message, /more than 0\.4 s/);
});

test('a signal ends a request at once with its reason, also in the middle of a body', async (context) => {
  const server = await serve(context, (_, response) => {
    response.write('half');
    response.on('close', () => closed.resolve());
  });
  const closed = Promise.withResolvers<void>();
  const leaving = new AbortController();
  const reason = new Error('somebody left');
  const half = open(context, { tries: 4 }).fetch(
    { url: server.url, signal: leaving.signal },
    async (answer) => {
      setImmediate(() => leaving.abort(reason));
      return readBytes(answer, { limit: MIB });
    },
  );
  await assert.rejects(half, (error) => error === reason);
  await closed.promise;
  assert.equal(server.asked.length, 1);
});

test('a part that is not the one that was asked for is refused', async (context) => {
  const server = await serve(context, (_, response) => {
    response.writeHead(206, { 'content-range': 'bytes 5-9/100', 'content-length': 5 }).end('wrong');
  });
  using files = new HttpFiles({ peer, policy: anything, tries: 1 });
  await assert.rejects(files.read(server.url, 50, 5), { code: 'upstream.refused' });
});
