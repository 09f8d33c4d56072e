import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, test } from 'node:test';
import { OpenStreams } from '../../src/api/event-stream.ts';
import { EventTail } from '../../src/api/event-tail.ts';
import type { ApiContext } from '../../src/api/context.ts';
import { listEvents, lookAtEvents, newestEventId } from '../../src/database/list-events.ts';
import type { TransactionHandle } from '../../src/database/database-handle.ts';
import { transaction } from '../../src/database/transaction.ts';
import { listen } from './listen.ts';
import { openTestApi } from './open-test-api.ts';

const api = await openTestApi();
after(() => api[Symbol.asyncDispose]());
const { kysely } = api.database;

let messages = 0;
/** Stores an event as a listener does, in a transaction; returns its number. */
async function store(
  to: TransactionHandle,
  topic = 'buildsys.tag',
  reason: string | null = null,
): Promise<number> {
  messages += 1;
  const at = new Date('2026-11-22T08:00:00Z');
  const { id } = await to
    .insertInto('events')
    .values({
      bus: 'test',
      message_id: `m${messages}`,
      topic,
      raw_topic: topic,
      received_at: at,
      sent_at: at,
      producer: null,
      instance: 'fedora',
      kind: null,
      event: null,
      reason,
      headers: '{}',
      body: Buffer.from('{}'),
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  return id;
}
const storeOne = (topic?: string, reason?: string): Promise<number> =>
  transaction(api.database, ({ sql: to }) => store(to, topic, reason));

/** Reads a stream over the wire until `count` numbers of events have come. */
async function readIds(response: Response, count: number): Promise<number[]> {
  assert.equal(response.status, 200);
  assert.ok(response.body !== null);
  const ids: number[] = [];
  let rest = '';
  for await (const piece of response.body.pipeThrough(new TextDecoderStream())) {
    const lines = `${rest}${piece}`.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line.startsWith('id: ')) ids.push(Number(line.slice(4)));
    if (ids.length >= count) break;
  }
  return ids;
}

/** The context with a tail that counts how often it asks the database. */
function counting(
  interval: number,
): { context: ApiContext; counts: { looks: number; pages: number } } & Disposable {
  const counts = { looks: 0, pages: 0 };
  const events = new EventTail({
    look: (from, limit) => {
      counts.looks += 1;
      return lookAtEvents(kysely, from, limit);
    },
    list: (filters, limit) => {
      counts.pages += 1;
      return listEvents(kysely, filters, limit);
    },
    newest: () => newestEventId(kysely),
    onError: (error) => {
      throw error;
    },
    interval,
  });
  return { context: { ...api.context, events }, counts, [Symbol.dispose]: () => events[Symbol.dispose]() };
}

test('a reader gets what comes from now on, one that returns what it missed', async () => {
  await using server = await listen(api.context);
  const first = await storeOne();
  const reading = await fetch(`${server.url}/api/1/events/stream`);
  const [second, third] = [await storeOne(), await storeOne()];
  assert.deepEqual(await readIds(reading, 2), [second, third]);
  const headers = { 'Last-Event-ID': String(first) };
  const returning = await fetch(`${server.url}/api/1/events/stream`, { headers });
  assert.deepEqual(await readIds(returning, 2), [second, third]);
});

test('a reader gets what its filters pick', async () => {
  await using server = await listen(api.context);
  const reading = await fetch(`${server.url}/api/1/events/stream?topic=wanted`);
  await storeOne('other');
  const wanted = await storeOne('wanted');
  assert.deepEqual(await readIds(reading, 1), [wanted]);
});

test('long pasts are read page by page and without a gap', async () => {
  await using server = await listen(api.context);
  const before = await newestEventId(kysely);
  const ids = await transaction(api.database, async ({ sql: to }) => {
    const stored: number[] = [];
    for (let count = 0; count < 600; count += 1) stored.push(await store(to));
    return stored;
  });
  const reading = await fetch(`${server.url}/api/1/events/stream?after=${before}`);
  assert.deepEqual(await readIds(reading, ids.length), ids);
});

test('an event that is committed after one with a greater number is not passed over', async (context) => {
  if (api.database.kind === 'embedded') return context.skip('one transaction at a time there');
  await using server = await listen(api.context);
  const reading = await fetch(`${server.url}/api/1/events/stream`);
  const release = Promise.withResolvers<void>();
  const inserted = Promise.withResolvers<number>();
  const late = transaction(api.database, async ({ sql: to }) => {
    inserted.resolve(await store(to));
    await release.promise;
  });
  const lower = await inserted.promise;
  const higher = await storeOne();
  assert.ok(higher > lower);
  const returning = await fetch(`${server.url}/api/1/events/stream?after=${lower - 1}`);
  release.resolve();
  await late;
  assert.deepEqual(await readIds(reading, 2), [lower, higher]);
  assert.deepEqual(await readIds(returning, 2), [lower, higher]);
});

test('a number that no event has holds nobody up', async () => {
  await using server = await listen(api.context);
  const reading = await fetch(`${server.url}/api/1/events/stream`);
  await assert.rejects(
    transaction(api.database, async ({ sql: to }) => {
      await store(to);
      throw new Error('rolled back');
    }),
  );
  const next = await storeOne();
  assert.deepEqual(await readIds(reading, 1), [next]);
});

test('500 readers cost as many statements as one, and lists are answered meanwhile', async () => {
  using tail = counting(200);
  await using server = await listen(tail.context);
  const abort = new AbortController();
  const readers = await Promise.all(
    Array.from({ length: 500 }, () => fetch(`${server.url}/api/1/events/stream`, { signal: abort.signal })),
  );
  const before = { ...tail.counts };
  const began = performance.now();
  const reading = readers.map((reader) => readIds(reader, 1));
  const id = await storeOne();
  const answers = await Promise.all(
    Array.from({ length: 5 }, () => fetch(`${server.url}/api/1/composes/`).then((answer) => answer.status)),
  );
  assert.deepEqual(answers, [200, 200, 200, 200, 200]);
  for (const ids of await Promise.all(reading)) assert.deepEqual(ids, [id]);
  const mostLooks = Math.ceil((performance.now() - began) / 200) + 1;
  assert.ok(tail.counts.looks - before.looks <= mostLooks, `${tail.counts.looks - before.looks} looks`);
  assert.equal(tail.counts.pages, 0);
  abort.abort();
});

test('nobody looks when nobody reads', async () => {
  using tail = counting(1);
  await using server = await listen(tail.context);
  const abort = new AbortController();
  const reading = await fetch(`${server.url}/api/1/events/stream`, { signal: abort.signal });
  const id = await storeOne();
  assert.deepEqual(await readIds(reading, 1), [id]);
  abort.abort();
  while (api.context.streams.count > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  const { looks } = tail.counts;
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.ok(tail.counts.looks - looks <= 1);
});

test('beyond max_streams a reader is told to come back, and a place that is left is taken', async () => {
  const config = { ...api.context.config, max_streams: 2 };
  await using server = await listen({ ...api.context, config });
  const url = `${server.url}/api/1/events/stream`;
  const abort = new AbortController();
  await fetch(url, { signal: abort.signal });
  await fetch(url);
  const refused = await fetch(url);
  const { code } = (await refused.json()) as { code: string };
  assert.deepEqual(
    [refused.status, refused.headers.get('retry-after'), code],
    [503, '30', 'request.too_many_streams'],
  );
  assert.equal((await fetch(url, { method: 'HEAD' })).status, 200);
  abort.abort();
  while (api.context.streams.count > 1) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal((await fetch(url)).status, 200);
});

test('a reader that takes nothing is cut off, one that is slow misses nothing', async () => {
  const streams = new OpenStreams({ keepAliveMs: 3_000 });
  await using server = await listen({ ...api.context, streams });
  const lazy = connect(server.port, '127.0.0.1', () => {
    lazy.write('GET /api/1/events/stream HTTP/1.1\r\nHost: x\r\n\r\n');
  });
  lazy.once('data', () => lazy.pause());
  lazy.on('error', () => undefined);
  const slow = await fetch(`${server.url}/api/1/events/stream`);
  const reading = readIds(slow, 200);
  // More at once than a socket takes.
  const ids = await transaction(api.database, async ({ sql: to }) => {
    const stored: number[] = [];
    for (let count = 0; count < 200; count += 1) stored.push(await store(to, 'big', 'x'.repeat(60_000)));
    return stored;
  });
  assert.deepEqual(await reading, ids);
  while (streams.count > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  lazy.destroy();
});
