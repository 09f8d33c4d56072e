import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, test } from 'node:test';
import { createApp } from '../../src/api/app.ts';
import { receiveEventRoute } from '../../src/api/routes/receive-event.ts';
import { ruleDirectory } from '../rules/engine.ts';
import { ruleText } from '../rules/rule-text.ts';
import { changeCompose, givenCompose } from './compose-rows.ts';
import { listen } from './listen.ts';
import { openTestApi } from './open-test-api.ts';

const api = await openTestApi();
const rules = ruleDirectory({ 'nightly.yaml': ruleText('- event: koji.tag', '') });
const logged: { level: number; msg: string }[] = [];
const log = api.context.log.child({});
for (const [level, name] of [
  [50, 'error'],
  [40, 'warn'],
] as const) {
  log[name] = (...parts: unknown[]): void => void logged.push({ level, msg: String(parts.at(-1)) });
}
const receive = receiveEventRoute(() => Promise.resolve({ id: 1, isNew: true }));
const context = {
  ...api.context,
  log,
  config: { ...api.context.config, rules_dir: rules.path },
  lock: () => Promise.resolve({ arches: [], notes: [] }),
};
const server = await listen(context, [receive]);
after(async () => {
  await server[Symbol.asyncDispose]();
  rules.remove();
  await api[Symbol.asyncDispose]();
});

interface Heard {
  readonly status: number;
  readonly head: string;
  readonly json: Record<string, unknown>;
}

function hear(text: string): Heard {
  const [head = '', ...rest] = text.split('\r\n\r\n');
  const status = Number(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1]);
  const body = rest.join('\r\n\r\n');
  const json: unknown = body.startsWith('{') ? JSON.parse(body) : {};
  return { status, head, json: { ...(json as object) } };
}

async function ask(method: string, path: string, body?: string): Promise<Heard> {
  const answer = await fetch(`${server.url}${path}`, { method, ...(body === undefined ? {} : { body }) });
  const text = await answer.text();
  const json: unknown = text.startsWith('{') ? JSON.parse(text) : {};
  return { status: answer.status, head: '', json: { ...(json as object) } };
}

const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;

for (const [title, method, path, body, status, code] of [
  ['deep lists', 'POST', '/api/1/composes/', deep, 400, 'request.invalid_value'],
  [
    'deep lists in the form of the first release',
    'POST',
    '/odcs/1/composes',
    deep,
    400,
    'request.invalid_value',
  ],
  ['deep lists of a renewal', 'PATCH', '/api/1/composes/1', deep, 400, 'request.invalid_value'],
  ['deep lists in a source', 'POST', '/api/1/composes/', `{"source":${deep}}`, 400, 'request.invalid_value'],
  ['deep lists for a rule', 'POST', '/api/1/rules/nightly/pause', deep, 400, 'request.invalid_body'],
  [
    'a NUL in a reason',
    'POST',
    '/api/1/rules/nightly/pause',
    '{"reason":"\\u0000"}',
    400,
    'request.invalid_body',
  ],
  [
    'half a letter in a reason',
    'POST',
    '/api/1/rules/nightly/pause',
    '{"reason":"\\ud800"}',
    400,
    'request.invalid_body',
  ],
  [
    'half a letter in a group',
    'POST',
    '/api/1/rules/nightly/trigger',
    '{"reason":"x","group":{"tag":"\\udc00"}}',
    400,
    'request.invalid_body',
  ],
  [
    '10,001 packages',
    'POST',
    '/api/1/composes/',
    JSON.stringify({
      source: { type: 'tag', source: 'a', packages: Array.from({ length: 10_001 }, String) },
    }),
    400,
    'request.value_too_large',
  ],
  [
    'a long label',
    'POST',
    '/api/1/composes/',
    JSON.stringify({ source: { type: 'tag', source: 'a' }, label: 'l'.repeat(65_537) }),
    400,
    'request.value_too_large',
  ],
  [
    'many words',
    'POST',
    '/api/1/composes/',
    JSON.stringify({ source: { type: 'tag', source: 'a '.repeat(20_000) } }),
    400,
    'request.value_too_large',
  ],
] as const) {
  test(`${title}: ${method} ${path} is refused`, async () => {
    const { status: answered, json } = await ask(method, path, body);
    assert.deepEqual([answered, json['code'], json['status']], [status, code, status]);
  });
}

test('true sentences for numbers, and for renewals that are no objects', async () => {
  const asked = async (koji_event: string): Promise<unknown> =>
    (
      await ask(
        'POST',
        '/api/1/composes/',
        `{"source":{"type":"tag","source":"a","koji_event":${koji_event}}}`,
      )
    ).json['message'];
  assert.equal(await asked('-1'), 'koji_event should not be negative');
  assert.equal(
    await asked(String(2 ** 62)),
    `koji_event should not be greater than ${Number.MAX_SAFE_INTEGER}`,
  );
  assert.equal(await asked('1.5'), 'koji_event should be an integer');
  const id = await givenCompose(api, { state: 'done' });
  for (const [body, received] of [
    ['[]', '[]'],
    ['null', 'None'],
    ['false', 'False'],
  ] as const) {
    const { status, json } = await ask('PATCH', `/api/1/composes/${id}`, body);
    assert.deepEqual(
      [status, json['message']],
      [400, `The request should be a JSON object, received: ${received}`],
    );
  }
  assert.equal((await ask('PATCH', `/api/1/composes/${id}`, '{}')).status, 200);
});

/** Sends a body in chunks until the server answers or all is sent; returns the answer and the bytes sent. */
function flood(method: string, path: string, bytes: number): Promise<{ text: string; sent: number }> {
  return new Promise((resolve) => {
    let [text, sent] = ['', 0];
    const piece = Buffer.alloc(65_536, 'a');
    const chunk = Buffer.concat([
      Buffer.from(`${piece.length.toString(16)}\r\n`),
      piece,
      Buffer.from('\r\n'),
    ]);
    const socket = connect(server.port, '127.0.0.1', () => {
      socket.write(`${method} ${path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n`);
      pump();
    });
    const pump = (): void => {
      if (text !== '') return;
      if (sent >= bytes) return void socket.write('0\r\n\r\n');
      sent += piece.length;
      socket.write(chunk, pump);
    };
    socket.on('data', (data: Buffer) => {
      text += data.toString('latin1');
      if (text.includes('\r\n\r\n')) socket.destroy();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve({ text, sent }));
  });
}

test('every route that reads a body stops at 1 MiB', async () => {
  const ofSeries = { source: { type: 'tag', source: 'f26' }, series: 'nightly' };
  const id = await givenCompose(api, { state: 'done' }, ofSeries);
  const routes = createApp(context, [receive]).routes;
  const paths = new Set(
    routes
      .filter(({ method }) => ['POST', 'PUT', 'PATCH'].includes(method))
      .map(
        ({ method, path }) =>
          `${method} ${path.replace(/:id\{[^}]*\}/, String(id)).replace(':name', 'nightly')}`,
      ),
  );
  assert.ok(paths.size >= 10, [...paths].join(', '));
  for (const route of paths) {
    if (/resume/.test(route) && route.includes('console')) continue;
    const [method = '', path = ''] = route.split(' ');
    const { text } = await flood(method, path, 3 * 1_048_576);
    assert.match(text, /^HTTP\/1\.1 413 /, route);
  }
  const announced = `POST /api/1/composes/ HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000\r\n\r\n`;
  assert.equal(hear(await server.speak(announced)).status, 413);
});

test('a query or a path with a NUL finds nothing on any route, and half a letter harms none', async () => {
  const routes = createApp(context, [receive]).routes.filter(({ method }) => method === 'GET');
  const paths = new Set(routes.map(({ path }) => path.replace(/:id\{[^}]*\}/, '1')));
  for (const path of paths) {
    for (const value of ['%00', '%ED%A0%80', '%']) {
      const at = path.replace(':name', value).replace('*', value);
      const keys = [
        'topic',
        'kind',
        'bus',
        'owner',
        'source',
        'label',
        'series',
        'rule',
        'outcome',
        'state',
        'since',
      ];
      const query = keys.map((key) => `${key}=${value}`).join('&');
      for (const target of [`${at}?${query}`, at]) {
        const stream = /stream|\/events$/.test(at) && !target.includes('%00');
        const { status } = stream ? { status: 200 } : await ask('GET', target);
        assert.ok(status < 500 || (status === 503 && at.includes('health')), `${target}: ${status}`);
        if (target.includes('%00')) assert.ok(status === 400 || status === 404, `${target}: ${status}`);
      }
    }
  }
});

for (const [title, bytes, status] of [
  ['HTTP/1.0 without Host', 'GET /healthz HTTP/1.0\r\n\r\n', 200],
  ['OPTIONS over HTTP/1.0 without Host', 'OPTIONS / HTTP/1.0\r\n\r\n', 200],
  ['a redirect over HTTP/1.0 without Host', 'GET /api/1/about HTTP/1.0\r\n\r\n', 308],
  ['HTTP/1.1 without Host', 'GET /healthz HTTP/1.1\r\n\r\n', 400],
  ['a malformed Host', 'GET / HTTP/1.1\r\nHost: a b\r\n\r\n', 400],
  ['an empty port', 'GET / HTTP/1.1\r\nHost: a:b:c\r\n\r\n', 400],
  ['OPTIONS *', 'OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n', 400],
  ['an unknown method', 'FOO / HTTP/1.1\r\nHost: x\r\n\r\n', 400],
  ['a method nobody serves', 'PURGE / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n', 405],
  ['no HTTP at all', '\x16\x03\x01\r\n\r\n', 400],
  ['huge headers', `GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
  ['a length twice', 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n', 400],
] as const) {
  test(`${title} is answered ${status}`, async () => {
    const heard = hear(await server.speak(bytes));
    assert.equal(heard.status, status);
    if (status >= 400) {
      assert.match(heard.head, /content-type: application\/(?:problem\+)?json/i);
      assert.equal(heard.json['status'], status);
      assert.match(String(heard.json['code']), /^request\./);
    }
    if (status === 308)
      assert.match(heard.head, new RegExp(`location: http://127\\.0\\.0\\.1:${server.port}/`, 'i'));
  });
}

test('HEAD says how long a compose, a list and a problem are', async () => {
  const id = await givenCompose(api);
  for (const path of [`/api/1/composes/${id}`, '/api/1/composes/', '/api/1/composes/999999']) {
    const whole = await fetch(`${server.url}${path}`);
    const head = await fetch(`${server.url}${path}`, { method: 'HEAD' });
    const length = String((await whole.arrayBuffer()).byteLength);
    assert.deepEqual([head.status, head.headers.get('content-length')], [whole.status, length], path);
  }
});

test('a client that hangs up in the middle of a body is nobody to be warned of', async () => {
  logged.length = 0;
  for (const type of ['Content-Length: 500', 'Transfer-Encoding: chunked']) {
    await new Promise<void>((resolve) => {
      const socket = connect(server.port, '127.0.0.1', () => {
        socket.write(`POST /api/1/composes/ HTTP/1.1\r\nHost: x\r\n${type}\r\n\r\n{"sou`, () => {
          setTimeout(() => socket.destroy(), 50);
        });
      });
      socket.on('close', () => resolve());
    });
  }
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.deepEqual(logged, []);
});

test(
  'a list of large composes comes whole and in order, while others are served',
  { timeout: 300_000 },
  async () => {
    await api.reset();
    const packages = Array.from({ length: 10_000 }, (_, number) => `${'p'.repeat(60)}${number}`);
    const ids: number[] = [];
    for (let count = 0; count < 12; count += 1) {
      ids.push(await givenCompose(api, {}, { source: { type: 'tag', source: 'a', packages } }));
    }
    await changeCompose(api, ids[0] ?? 0, { owner: 'first' });
    // A server of its own: the other may just be ending connections that stood idle meanwhile.
    await using fresh = await listen(context);
    const [list, alive] = await Promise.all([
      fetch(`${fresh.url}/api/1/composes/?per_page=100&order_by=id`).then((answer) => answer.json()),
      fetch(`${fresh.url}/healthz`),
    ]);
    assert.equal(alive.status, 200);
    const { items, meta } = list as {
      items: { id: number; packages: string }[];
      meta: { total: number };
    };
    assert.deepEqual(
      items.map(({ id }) => id),
      ids,
    );
    assert.ok(items.every((item) => item.packages.split(' ').length === 10_000));
    assert.equal(meta.total, 12);
  },
);
