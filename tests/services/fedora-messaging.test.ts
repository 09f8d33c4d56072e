import { connect as connectAmqp, type ChannelModel } from 'amqplib';
import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { after, test, type TestContext } from 'node:test';
import { listenToFedoraMessaging } from '../../src/buses/fedora-messaging-consumer.ts';
import type { Supervisor } from '../../src/buses/supervise.ts';
import { openDatabase } from '../../src/database/database.ts';
import { openTestDatabase } from '../database/open-test-database.ts';
import {
  countEvents,
  hasEvents,
  openInbox,
  queueConfig,
  silentLog,
  until,
  untilConnected,
} from '../listeners/listening.ts';
import { ensurePackages } from './debian-packages.ts';
import { postgresqlPackages, startPostgresql } from './postgresql.ts';
import { rabbitmqPackages, startRabbitmq } from './rabbitmq.ts';

const packages = ensurePackages([...rabbitmqPackages, ...postgresqlPackages]);
const options = packages.ready ? {} : { skip: packages.reason };
const broker = packages.ready ? await startRabbitmq() : null;
const database = await openTestDatabase();
const inbox = openInbox(database);
after(async () => {
  await inbox.close();
  await database.close();
  await broker?.stop();
});

const supervision = { firstDelayMs: 50, lastDelayMs: 500, connectTimeoutMs: 5_000 };
const topic = 'org.fedoraproject.prod.buildsys.tag';

function theBroker(): NonNullable<typeof broker> {
  assert.ok(broker);
  return broker;
}

function listen(t: TestContext, queue: string, more = ''): Supervisor {
  const config = queueConfig(theBroker().url, queue, more);
  const listener = listenToFedoraMessaging({ config, inbox, log: silentLog, metrics: null, supervision });
  t.after(() => listener.stop());
  return listener;
}

async function withModel<T>(work: (model: ChannelModel) => Promise<T>): Promise<T> {
  const model = await connectAmqp(theBroker().url);
  model.on('error', () => undefined);
  try {
    return await work(model);
  } finally {
    await model.close().catch(() => undefined);
  }
}

let serial = 0;

async function publish(
  count: number,
  more: { body?: Buffer; headers?: Record<string, unknown>; routingKey?: string } = {},
): Promise<string[]> {
  return withModel(async (model) => {
    const channel = await model.createConfirmChannel();
    const ids = Array.from({ length: count }, () => `id-${++serial}`);
    for (const messageId of ids) {
      const body =
        more.body ??
        Buffer.from(
          JSON.stringify({ tag: 'f44', name: 'ed', version: '1', release: `${serial}`, instance: 'primary' }),
        );
      channel.publish('amq.topic', more.routingKey ?? topic, body, {
        messageId,
        contentEncoding: 'utf-8',
        persistent: true,
        headers: { 'sent-at': '2026-11-22T08:00:00+00:00', ...more.headers },
      });
    }
    await channel.waitForConfirms();
    return ids;
  });
}

async function untilStored(ids: readonly string[]): Promise<void> {
  await until(async () => {
    const rows = await database.kysely
      .selectFrom('events')
      .select('id')
      .where('message_id', 'in', [...ids])
      .execute();
    return rows.length === ids.length;
  }, `${ids.length} messages stored`);
}

async function queueDepth(queue: string): Promise<number> {
  return withModel(async (model) => {
    const channel = await model.createChannel();
    return (await channel.checkQueue(queue)).messageCount;
  });
}

test('messages are stored with their meaning, then acknowledged', options, async (t) => {
  const listener = listen(t, 'odcs_plain');
  await untilConnected(listener);
  const ids = await publish(50);
  await untilStored(ids);
  const row = await database.kysely
    .selectFrom('events')
    .selectAll()
    .where('message_id', '=', ids[0] ?? '')
    .executeTakeFirstOrThrow();
  assert.equal(row.topic, 'buildsys.tag');
  assert.equal(row.raw_topic, topic);
  assert.equal(row.instance, 'fedora');
  assert.equal(row.sent_at?.toISOString(), '2026-11-22T08:00:00.000Z');
  assert.equal(row.kind, 'koji.tag');
  await listener.stop();
  assert.equal(await queueDepth('odcs_plain'), 0);
  assert.equal(listener.health().state, 'stopped');
});

test('hostile messages are stored with their reason and hold nothing up', options, async (t) => {
  const listener = listen(t, 'odcs_hostile');
  await untilConnected(listener);
  const headers = Object.fromEntries(
    Array.from({ length: 1500 }, (_, at) => [`header-${at}`, 'x'.repeat(12)]),
  );
  const ids = [
    ...(await publish(1, { body: Buffer.from('not JSON \u0000') })),
    ...(await publish(1, { body: Buffer.alloc(20_000_000, 0x20) })),
    ...(await publish(1, { headers: { ...headers, nul: 'a\u0000b', half: '\ud800' } })),
    ...(await publish(1, { routingKey: 'org.fedoraproject.prod.nobody.knows' })),
    ...(await publish(1, { body: Buffer.from('['.repeat(100_000)) })),
    ...(await publish(1)),
  ];
  await untilStored(ids);
  const rows = await database.kysely
    .selectFrom('events')
    .select(['kind', 'reason'])
    .where('message_id', 'in', ids)
    .orderBy('id')
    .execute();
  assert.deepEqual(
    rows.map((row) => row.kind ?? row.reason?.slice(0, 20)),
    ['The body is not JSON', 'The body has 2000000', 'koji.tag', 'other', 'The body is nested d', 'koji.tag'],
  );
  await listener.stop();
  assert.equal(await queueDepth('odcs_hostile'), 0);
});

test('the same message a thousand times is one event', options, async (t) => {
  const listener = listen(t, 'odcs_doubles');
  await untilConnected(listener);
  const before = await countEvents(database);
  await withModel(async (model) => {
    const channel = await model.createConfirmChannel();
    for (let at = 0; at < 1000; at++) {
      channel.publish(
        'amq.topic',
        topic,
        Buffer.from('{"tag":"f44","name":"a","version":"1","release":"1"}'),
        { messageId: 'same' },
      );
    }
    await channel.waitForConfirms();
  });
  await untilStored(await publish(1));
  assert.equal((await countEvents(database)) - before, 2);
  await listener.stop();
});

test('a deleted queue, a closed connection and a killed broker are survived', options, async (t) => {
  const listener = listen(t, 'odcs_defects');
  await untilConnected(listener);
  await withModel(async (model) => (await model.createChannel()).deleteQueue('odcs_defects'));
  await untilConnected(listener, 2);
  await untilStored(await publish(3));

  await theBroker().control('close_all_connections', 'test');
  await untilConnected(listener, 3);
  await untilStored(await publish(3));

  await theBroker().kill();
  await until(() => listener.health().state !== 'connected', 'the end is noticed');
  await theBroker().start();
  await untilConnected(listener, 4);
  await untilStored(await publish(3));
  await listener.stop();
});

test('a silent broker is noticed within two heartbeats', options, async (t) => {
  const listener = listen(t, 'odcs_silent');
  await untilConnected(listener);
  theBroker().freeze();
  try {
    await until(() => listener.health().state !== 'connected', 'silence is noticed', 5);
  } finally {
    theBroker().resume();
  }
  await untilConnected(listener, 2);
  await untilStored(await publish(1));
  await listener.stop();
});

test(
  'a passive declare of a missing queue is told, tried again, and works once the queue is there',
  options,
  async (t) => {
    const listener = listen(t, 'odcs_missing', 'passive_declares = true');
    await until(() => listener.health().reason?.includes('NOT_FOUND'), 'the reason is told');
    await withModel(async (model) => {
      await (await model.createChannel()).assertQueue('odcs_missing', { durable: true });
    });
    await untilConnected(listener);
    await untilStored(await publish(1));
    await listener.stop();
  },
);

test('a server that dies in the middle of the handshake, or says nothing, is given up', options, async () => {
  const sockets: { destroy(): void }[] = [];
  let accepted = 0;
  const server = createServer((socket) => {
    accepted++;
    sockets.push(socket);
    socket.on('error', () => undefined);
    if (accepted % 2 === 0) socket.once('data', () => socket.resetAndDestroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  const config = queueConfig(`amqp://guest:guest@127.0.0.1:${address.port}`, 'odcs_dead');
  const listener = listenToFedoraMessaging({
    config,
    inbox,
    log: silentLog,
    metrics: null,
    supervision: { ...supervision, connectTimeoutMs: 300 },
  });
  await until(() => accepted >= 4, 'four attempts');
  await listener.stop();
  for (const socket of sockets) socket.destroy();
  server.close();
});

test(
  'while PostgreSQL is down nothing is taken from the broker, and all is stored when it is back',
  options,
  async () => {
    const postgresql = await startPostgresql();
    const own = await openDatabase({ url: postgresql.url, dataDir: '' });
    const ownInbox = openInbox(own);
    const config = queueConfig(theBroker().url, 'odcs_outage');
    const listener = listenToFedoraMessaging({
      config,
      inbox: ownInbox,
      log: silentLog,
      metrics: null,
      supervision,
    });
    try {
      await untilConnected(listener);
      await publish(10);
      await until(async () => (await countEvents(own)) === 10, 'ten events');
      await postgresql.kill();
      await publish(500);
      await until(() => listener.health().state === 'paused', 'the pause is told');
      assert.equal(ownInbox.health().state, 'stalled');
      await until(async () => (await queueDepth('odcs_outage')) === 500, 'the broker keeps them');
      await postgresql.restart();
      await until(() => hasEvents(own, 510), 'all events');
      await until(() => listener.health().state === 'connected', 'consuming again');
      assert.equal(listener.health().connections, 1);
    } finally {
      await listener.stop();
      await ownInbox.close();
      await own.close();
      await postgresql.stop();
    }
  },
);
