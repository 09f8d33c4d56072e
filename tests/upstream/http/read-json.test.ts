import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { openJsonReader } from '../../../src/upstream/http/read-json.ts';
import { openProviderClient } from '../../../src/upstream/oidc/provider-client.ts';
import { readUserGroups } from '../../../src/upstream/oidc/user-info.ts';
import { postWebhook } from '../../../src/upstream/post-webhook.ts';
import { serve } from './test-server.ts';

test('JSON is read, 404 is nothing, and every other answer has its code', async (context) => {
  const answers: [number, string][] = [
    [200, '{"a": 1}'],
    [404, ''],
    [503, ''],
    [403, ''],
    [200, '<html>'],
  ];
  const server = await serve(context, (_, response) => {
    const [status, body] = answers.shift() ?? [500, ''];
    response.writeHead(status).end(body);
  });
  const { read } = openJsonReader(server.url, 'Bodhi');
  assert.deepEqual(await read(server.url), { a: 1 });
  assert.equal(await read(server.url), undefined);
  await assert.rejects(read(server.url), { code: 'upstream.unreachable', fate: 'retry' });
  await assert.rejects(read(server.url), { code: 'upstream.refused', fate: 'drop' });
  await assert.rejects(read(server.url), { code: 'upstream.strange_answer', fate: 'retry' });
});

test('an answer that unpacks to hundreds of megabytes costs next to nothing', async (context) => {
  const bomb = gzipSync(Buffer.alloc(400 * 1024 * 1024, ' '));
  const server = await serve(context, (_, response) => {
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb);
  });
  const { read } = openJsonReader(server.url, 'Errata Tool');
  const before = process.memoryUsage().rss;
  await assert.rejects(read(server.url), { code: 'http.too_large', message: /^Errata Tool sends more/ });
  assert.ok(process.memoryUsage().rss - before < 150 * 1024 * 1024);
});

test('a system is not followed to another host, and takes no token or notification there', async (context) => {
  const secret = await serve(context, (_, response) => response.end('{"groups": ["admins"]}'), '127.0.0.9');
  const server = await serve(context, (request, response) => {
    response.writeHead(307, { location: `${secret.url}${request.url ?? ''}` }).end();
  });
  await assert.rejects(openJsonReader(server.url, 'Bodhi').read(server.url), { code: 'repo.not_allowed' });
  using provider = openProviderClient([server.url], '');
  await assert.rejects(readUserGroups(provider, server.url, 'token'), {
    code: 'oidc.unanswered',
    fate: 'retry',
  });
  await assert.rejects(postWebhook({ url: server.url, body: {} }), { code: 'http.redirect_refused' });
  assert.deepEqual(secret.asked, []);
});
