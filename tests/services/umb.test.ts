import assert from 'node:assert/strict';
import { createServer, type Socket } from 'node:net';
import { after, test, type TestContext } from 'node:test';
import { openDatabase } from '../../src/database/database.ts';
import { openStompConnection, type StompMessage } from '../../src/buses/stomp-connection.ts';
import type { Supervisor } from '../../src/buses/supervise.ts';
import { listenToUmb, type UmbContext } from '../../src/buses/umb-consumer.ts';
import { openTestDatabase } from '../database/open-test-database.ts';
import {
  countEvents,
  hasEvents,
  openInbox,
  silentLog,
  until,
  untilConnected,
} from '../listeners/listening.ts';
import { activemqPackages, startActivemq } from './activemq.ts';
import { ensurePackages } from './debian-packages.ts';
import { postgresqlPackages, startPostgresql } from './postgresql.ts';

const packages = ensurePackages([...activemqPackages, ...postgresqlPackages]);
const options = packages.ready ? {} : { skip: packages.reason };
const broker = packages.ready ? await startActivemq() : null;
const database = await openTestDatabase();
const inbox = openInbox(database);
after(async () => {
  await inbox.close();
  await database.close();
  await broker?.stop();
});

const credentials = { certificate: '', key: '', ca: '' };
const supervision = { firstDelayMs: 50, lastDelayMs: 500, connectTimeoutMs: 3_000 };
const topic = '/topic/VirtualTopic.eng.brew.build.tag';
const tagging = JSON.stringify({
  tag: { id: 1, name: 'f44' },
  build: { id: 2, nvr: 'ed-1-1', package_name: 'ed' },
  user: { name: 'kojiadmin' },
});

function theBroker(): NonNullable<typeof broker> {
  assert.ok(broker);
  return broker;
}

function listen(t: TestContext, name: string, more: Partial<UmbContext> = {}): Supervisor {
  const listener = listenToUmb({
    urls: [theBroker().url],
    destinations: [`/queue/Consumer.odcs.${name}.VirtualTopic.eng.>`],
    credentials,
    maxBytes: 1_048_576,
    heartbeatMs: 1_000,
    inbox,
    log: silentLog,
    metrics: null,
    supervision,
    ...more,
  });
  t.after(() => listener.stop());
  return listener;
}

async function withConnection<T>(
  work: (send: (body: string, headers?: Record<string, string>) => Promise<void>) => Promise<T>,
): Promise<T> {
  const plain = { url: theBroker().url, ...credentials, heartbeatMs: 10_000, maxBytes: 1000 };
  const connection = await openStompConnection(plain, () => undefined, AbortSignal.timeout(5_000));
  try {
    return await work((body, headers = {}) =>
      connection.request('SEND', { destination: topic, persistent: 'true', ...headers }, body),
    );
  } finally {
    connection.destroy();
  }
}

async function publish(count: number, headers: Record<string, string> = {}): Promise<void> {
  await withConnection(async (send) => {
    await Promise.all(Array.from({ length: count }, () => send(tagging, headers)));
  });
}

async function untilCount(expected: number): Promise<void> {
  await until(async () => (await countEvents(database)) === expected, `${expected} events`);
}

/** What is left in a consumer's queue: a second consumer gets it. */
async function drain(name: string): Promise<number> {
  let count = 0;
  const plain = { url: theBroker().url, ...credentials, heartbeatMs: 10_000, maxBytes: 1000 };
  const connection = await openStompConnection(plain, () => count++, AbortSignal.timeout(5_000));
  await connection.request('SUBSCRIBE', {
    destination: `/queue/Consumer.odcs.${name}.VirtualTopic.eng.>`,
    id: '1',
    ack: 'client-individual',
  });
  await connection.request('SEND', { destination: '/queue/round-trip' }, 'x');
  connection.destroy();
  return count;
}

test('messages are stored with topic, producer and meaning, then acknowledged', options, async (t) => {
  const listener = listen(t, 'plain');
  await untilConnected(listener);
  await publish(20);
  await untilCount(20);
  const row = await database.kysely.selectFrom('events').selectAll().limit(1).executeTakeFirstOrThrow();
  assert.equal(row.raw_topic, topic);
  assert.equal(row.topic, 'brew.build.tag');
  assert.equal(row.instance, 'brew');
  assert.equal(row.kind, 'koji.tag');
  assert.ok(row.sent_at);
  await listener.stop();
  assert.equal(await drain('plain'), 0);
});

test(
  'long headers, many headers, big bodies and no JSON are stored and hold nothing up',
  options,
  async (t) => {
    const listener = listen(t, 'hostile');
    await untilConnected(listener);
    const before = await countEvents(database);
    const many = Object.fromEntries(Array.from({ length: 300 }, (_, at) => [`h${at}`, 'x']));
    await withConnection(async (send) => {
      await send(tagging, { synopsis: 'x'.repeat(5000) });
      await send(tagging, many);
      await send(tagging, { hasOwnProperty: 'x', constructor: 'y', ['__proto__']: 'z' });
      await send('not JSON');
      await send(`{"a":"${'x'.repeat(3_000_000)}"}`);
      await send(tagging);
    });
    await untilCount(before + 6);
    const reasons = await database.kysely
      .selectFrom('events')
      .select('reason')
      .where('reason', 'is not', null)
      .execute();
    assert.equal(reasons.length, 2);
  },
);

test('a killed broker is survived, and what was not acknowledged comes once', options, async (t) => {
  const listener = listen(t, 'killed');
  await untilConnected(listener);
  const before = await countEvents(database);
  await publish(30);
  await theBroker().kill();
  await until(() => listener.health().state !== 'connected', 'the end is noticed');
  await theBroker().start();
  await untilConnected(listener, 2);
  await publish(5);
  await untilCount(before + 35);
});

test('a silent broker is noticed within two heartbeats', options, async (t) => {
  const listener = listen(t, 'silent', { heartbeatMs: 2_000 });
  await untilConnected(listener);
  theBroker().freeze();
  try {
    await until(() => listener.health().state !== 'connected', 'silence is noticed', 4);
  } finally {
    theBroker().resume();
  }
  await untilConnected(listener, 2);
});

test('the next broker is tried when one does not answer', options, async (t) => {
  const listener = listen(t, 'turn', { urls: ['stomp://127.0.0.1:1', theBroker().url] });
  await untilConnected(listener);
});

test('while PostgreSQL is down nothing is taken, and all is stored when it is back', options, async (t) => {
  const postgresql = await startPostgresql();
  const own = await openDatabase({ url: postgresql.url, dataDir: '' });
  const ownInbox = openInbox(own);
  // A machine that is busy restarting a database is not to lose the broker over it.
  const listener = listen(t, 'outage', { inbox: ownInbox, heartbeatMs: 10_000 });
  try {
    await untilConnected(listener);
    await publish(10);
    await until(async () => (await countEvents(own)) === 10, 'ten events');
    await postgresql.kill();
    await publish(300);
    await until(() => listener.health().state === 'paused', 'the pause is told');
    await postgresql.restart();
    await until(() => hasEvents(own, 310), 'all events');
    assert.equal(listener.health().connections, 1);
    await listener.stop();
    assert.equal(await drain('outage'), 0);
  } finally {
    await listener.stop();
    await ownInbox.close();
    await own.close();
    await postgresql.stop();
  }
});

/** A STOMP server that answers CONNECT with the given text, then whatever else. */
async function fakeServer(t: TestContext, answer: (socket: Socket) => void): Promise<string> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => answer(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  return `stomp://127.0.0.1:${address.port}`;
}

const connected = 'CONNECTED\nversion:1.2\nheart-beat:0,0\n\n\0\n';
const text = 'a sentence in plain text';

/** Frames that end a process which leaves them to stompit. */
const deadly: Record<string, [string, RegExp]> = {
  'an ERROR frame with plain text instead of CONNECTED': [
    `ERROR\nmessage:refused\ncontent-type:text/plain\ncontent-length:${text.length}\n\n${text}\0`,
    /refused: a sentence/,
  ],
  'an ERROR frame with plain text later': [
    `${connected}ERROR\nmessage:gone\ncontent-type:text/plain\ncontent-length:${text.length}\n\n${text}\0`,
    /gone: a sentence/,
  ],
  'a header without a colon': [`${connected}MESSAGE\nabc\n\n\0`, /header parse error/],
  'a header line without end': [`${connected}MESSAGE\na:${'x'.repeat(70_000)}`, /line length/],
};

for (const [name, [answer, reason]] of Object.entries(deadly)) {
  test(`${name} ends the connection, not the process`, async (t) => {
    const url = await fakeServer(t, (socket) => socket.write(answer));
    const plain = { url, ...credentials, heartbeatMs: 10_000, maxBytes: 1000 };
    const told = await openStompConnection(plain, () => undefined, AbortSignal.timeout(5_000)).then(
      (connection) => connection.ended,
      (error: unknown) => String(error),
    );
    assert.match(told, reason);
  });
}

test('a receipt or a message nobody asked for is passed over, whatever it is called', async (t) => {
  const frames =
    'RECEIPT\nreceipt-id:__proto__\n\n\0\nMESSAGE\nhasOwnProperty:x\nsubscription:__proto__\nmessage-id:7\n\nhello\0\n';
  const url = await fakeServer(t, (socket) => socket.write(connected + frames));
  const arrived = Promise.withResolvers<StompMessage>();
  const plain = { url, ...credentials, heartbeatMs: 10_000, maxBytes: 1000 };
  const connection = await openStompConnection(plain, arrived.resolve, AbortSignal.timeout(5_000));
  assert.equal((await arrived.promise).body.toString(), 'hello');
  connection.destroy();
});

test('a server that accepts and says nothing is given up, and open receipts are rejected at the end', async (t) => {
  const silent = await fakeServer(t, () => undefined);
  const plain = { ...credentials, heartbeatMs: 10_000, maxBytes: 1000 };
  await assert.rejects(
    openStompConnection({ url: silent, ...plain }, () => undefined, AbortSignal.timeout(200)),
    /timeout/,
  );
  const url = await fakeServer(t, (socket) => {
    socket.write(connected);
    socket.once('data', () => socket.end());
  });
  const connection = await openStompConnection(
    { url, ...plain },
    () => undefined,
    AbortSignal.timeout(5_000),
  );
  await assert.rejects(connection.request('SEND', { destination: '/topic/x' }, 'x'), /ended/);
});
