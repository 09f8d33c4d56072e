// Runs once: no database decides how addresses are described.
import { createConfig, lintFromString } from '@redocly/openapi-core';
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { z } from 'zod';
import { isOdcsAddress } from '../../src/api/odcs-address.ts';
import { openTestApi, type TestApi } from './open-test-api.ts';

const operation = z.object({
  operationId: z.string(),
  tags: z.array(z.string()).length(1),
  parameters: z
    .array(z.object({ name: z.string(), in: z.string(), description: z.string().min(1) }))
    .default([]),
  responses: z.record(z.string(), z.object({ content: z.record(z.string(), z.unknown()).optional() })),
  security: z.array(z.unknown()).optional(),
});
const methods = ['get', 'post', 'put', 'patch', 'delete'] as const;
const documentSchema = z.object({
  paths: z.record(z.string(), z.partialRecord(z.enum(methods), operation)),
  servers: z.array(z.object({ url: z.string() })),
});

let api: TestApi;
let text: string;
before(async () => {
  api = await openTestApi();
  ({ text } = await api.call('GET', 'http://odcs.test/api/1/openapi.json'));
});
after(() => api[Symbol.asyncDispose]());

function operations() {
  const { paths } = documentSchema.parse(JSON.parse(text));
  return Object.entries(paths).flatMap(([path, byMethod]) =>
    methods.flatMap((method) => {
      const described = byMethod[method];
      return described === undefined ? [] : [{ path, method: method.toUpperCase(), ...described }];
    }),
  );
}

/** What the strict set leaves off, but holds here. */
const stricter = {
  'component-name-unique': 'error',
  'operation-4xx-problem-details-rfc7807': 'error',
  'operation-singular-tag': 'error',
  'operation-tag-defined': 'error',
  'parameter-description': 'error',
} as const;

test('a strict linter finds nothing but the final slashes that ODCS has', async () => {
  const config = await createConfig({ extends: ['recommended-strict'], rules: stricter });
  const problems = await lintFromString({ source: text, absoluteRef: '/openapi.json', config });
  const found = problems.map(({ ruleId, message, location }) => ({
    ruleId,
    message,
    at: location[0]?.pointer ?? '',
  }));
  const ours = found.filter(({ ruleId, at }) => {
    const path = decodeURIComponent(at.replace('#/paths/', '')).replaceAll('~1', '/');
    return ruleId !== 'no-path-trailing-slash' || !isOdcsAddress(path);
  });
  assert.deepEqual(ours, []);
  assert.equal(found.length, 3);
});

test('the linter is one: it finds what is wrong', async () => {
  const config = await createConfig({ extends: ['recommended-strict'], rules: stricter });
  const wrong = text
    .replaceAll('application/problem+json', 'application/x-problem')
    .replace('"summary"', '"sumary"');
  const rules = new Set(
    (await lintFromString({ source: wrong, absoluteRef: '/openapi.json', config })).map(
      ({ ruleId }) => ruleId,
    ),
  );
  assert.ok(rules.has('operation-4xx-problem-details-rfc7807') && rules.has('struct'), [...rules].join());
});

test('every address below /api/1/ is described, and every described one is there', () => {
  const described = operations().map(({ path, method }) => `${method} ${path}`);
  const given = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'].flatMap((method) =>
    api
      .paths(method)
      .filter((path) => path.startsWith('/api/1/'))
      .map((path) => `${method} ${path.replaceAll(/:(\w+)(?:\{\[0-9\][^/]*\})?/g, '{$1}')}`),
  );
  // The webhook is handed in by the listener; the other is this document.
  const expected = new Set(given.filter((path) => !path.endsWith('/openapi.json')));
  const missing = [...expected].filter((path) => {
    const other = path.endsWith('/') ? path.slice(0, -1) : `${path}/`;
    return !described.includes(path) && !described.includes(other);
  });
  assert.deepEqual(missing, []);
  assert.deepEqual(
    described.filter((path) => !expected.has(path)),
    [],
  );
});

test('every address of ours refuses a query key that it does not know', async () => {
  const ours = operations().filter(({ path }) => !isOdcsAddress(path.replace('{id}', '7')));
  assert.ok(ours.length > 25);
  for (const { path, method } of ours) {
    const filled = path.replace('{id}', '7').replace('{name}', 'nothing');
    const { status, json } = await api.call(method, `${filled}?nonsense=1`);
    assert.deepEqual([path, status, json['code']], [path, 400, 'request.unknown_query']);
  }
});

test('ODCS ignores such keys, and so do its addresses', async () => {
  assert.equal((await api.call('GET', '/api/1/composes/?nonsense=1')).status, 200);
  assert.equal((await api.call('GET', '/api/1/about/?nonsense=1')).status, 200);
});

test('problems are RFC 9457; at the addresses of ODCS they are plain JSON unless they are asked for', async () => {
  const typeOf = async (path: string, headers: Record<string, string> = {}) =>
    (await api.call('GET', path, { headers })).headers.get('Content-Type');
  assert.equal(await typeOf('/api/1/series/nothing'), 'application/problem+json');
  assert.equal(await typeOf('/api/1/composes/99'), 'application/json');
  const asked = { Accept: 'application/problem+json' };
  assert.equal(await typeOf('/api/1/composes/99', asked), 'application/problem+json');
  const { json } = await api.call('GET', '/api/1/composes/99');
  assert.equal(json['type'], 'urn:odcs-reactor:problem:compose.not_found');
  assert.deepEqual([json['title'], json['detail']], [json['error'], json['message']]);
});

test('what changes something says which credentials it takes', () => {
  const changing = operations().filter(({ method, path }) => method !== 'GET' && !path.endsWith('.yaml'));
  assert.ok(changing.length >= 8);
  assert.deepEqual(
    changing.filter(({ security = [] }) => security.length < 3).map(({ operationId }) => operationId),
    [],
  );
});

test('the document names the server that was asked, below its prefix', async () => {
  const { servers } = documentSchema.parse(JSON.parse(text));
  assert.deepEqual(servers, [{ url: 'http://odcs.test' }]);
});

test('the reference page shows every operation and every schema, under the policy of all pages', async () => {
  const { status, text: page, headers } = await api.call('GET', '/console/api');
  assert.equal(status, 200);
  assert.match(headers.get('Content-Security-Policy') ?? '', /default-src 'none'/);
  for (const { operationId, path } of operations()) {
    assert.ok(page.includes(`id="${operationId}"`) && page.includes(path), operationId);
  }
  assert.match(page, /id="schema-Compose"/);
  assert.match(page, /&quot;wait&quot; \| &quot;generating&quot;/);
});
