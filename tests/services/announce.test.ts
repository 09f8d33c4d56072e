import { connect as connectAmqp, type ConsumeMessage } from 'amqplib';
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { publishAnnouncements } from '../../src/app/publish-announcements.ts';
import { createFedoraMessagingPublisher } from '../../src/buses/fedora-messaging-publisher.ts';
import { openStompConnection, type StompMessage } from '../../src/buses/stomp-connection.ts';
import { createUmbPublisher } from '../../src/buses/umb-publisher.ts';
import { transaction } from '../../src/database/transaction.ts';
import { createCompose } from '../../src/lifecycle/create-compose.ts';
import { atTime } from '../database/at-time.ts';
import { openTestDatabase } from '../database/open-test-database.ts';
import { defaultRequest } from '../default-request.ts';
import { queueConfig, silentLog, until } from '../listeners/listening.ts';
import { activemqPackages, startActivemq } from './activemq.ts';
import { ensurePackages } from './debian-packages.ts';
import { rabbitmqPackages, startRabbitmq } from './rabbitmq.ts';

const packages = ensurePackages([...activemqPackages, ...rabbitmqPackages]);
const options = packages.ready ? {} : { skip: packages.reason };
const database = await openTestDatabase();
after(() => database.close());

/** Asks for a compose, and returns the id of the message that announces it. */
async function insertAnnouncement(): Promise<string> {
  const time = new Date('2026-11-22T08:00:00.123Z');
  const { id } = await transaction(atTime(database, time), (tx) =>
    createCompose(tx, {
      owner: 'osbs',
      request: { ...defaultRequest, sourceType: 'tag', source: ['Žofie'] },
      priority: 'normal',
    }),
  );
  const row = await database.kysely
    .selectFrom('announcements')
    .select('message_id')
    .where('compose_id', '=', id)
    .executeTakeFirstOrThrow();
  return row.message_id;
}

test('a compose is announced on both buses, each once, however often it is tried', options, async () => {
  const rabbitmq = await startRabbitmq();
  const activemq = await startActivemq();
  const model = await connectAmqp(rabbitmq.url);
  model.on('error', () => undefined);
  const channel = await model.createChannel();
  channel.on('error', () => undefined);
  const { queue } = await channel.assertQueue('', { exclusive: true });
  await channel.bindQueue(queue, 'amq.topic', 'org.fedoraproject.prod.odcs.#');
  const amqp: ConsumeMessage[] = [];
  await channel.consume(queue, (message) => message !== null && amqp.push(message), { noAck: true });
  const stomp: StompMessage[] = [];
  const plain = {
    url: activemq.url,
    certificate: '',
    key: '',
    ca: '',
    heartbeatMs: 10_000,
    maxBytes: 100_000,
  };
  const reader = await openStompConnection(
    plain,
    (message) => stomp.push(message),
    AbortSignal.timeout(5_000),
  );
  await reader.request('SUBSCRIBE', { destination: '/queue/Consumer.a.b.VirtualTopic.eng.odcs.>', id: '1' });

  const config = { ...queueConfig(rabbitmq.url, 'unused'), topic_prefix: 'org.fedoraproject.prod' };
  const publishers = [
    createFedoraMessagingPublisher(config),
    createUmbPublisher({
      urls: [activemq.url],
      destination: '/topic/VirtualTopic.eng.odcs.state.change',
      credentials: { certificate: '', key: '', ca: '' },
    }),
  ];
  const context = {
    database,
    log: silentLog,
    publishers,
    targetDirUrls: { default: 'http://odcs.example.com/composes', extra: {} },
    privateBuses: [],
  };
  try {
    const first = await insertAnnouncement();
    await publishAnnouncements(context);
    await publishAnnouncements(context);
    await until(() => amqp.length === 1 && stomp.length === 1, 'both messages');
    const [message] = amqp;
    assert.ok(message);
    assert.equal(message.fields.routingKey, 'org.fedoraproject.prod.odcs.compose.state-changed');
    assert.equal(message.properties.messageId, first);
    assert.equal(message.properties.contentEncoding, 'utf-8');
    assert.equal(message.properties.deliveryMode, 2);
    assert.deepEqual(
      { ...message.properties.headers },
      {
        fedora_messaging_schema: 'base.message',
        fedora_messaging_severity: 20,
        'sent-at': '2026-11-22T08:00:00+00:00',
        priority: 0,
        fedora_messaging_user_osbs: true,
      },
    );
    assert.match(message.content.toString('latin1'), /\\u017dofie/);
    assert.equal(JSON.parse(message.content.toString()).compose.source, 'Žofie');
    assert.equal(stomp[0]?.headers['correlation-id'], first);
    assert.equal(stomp[0]?.headers['persistent'], 'true');
    assert.equal(JSON.parse(stomp[0]?.body.toString() ?? '').compose.source, 'Žofie');

    await activemq.kill();
    const second = await insertAnnouncement();
    await assert.rejects(publishAnnouncements(context), /wait for umb/);
    const row = await database.kysely
      .selectFrom('announcements')
      .selectAll()
      .where('message_id', '=', second)
      .executeTakeFirstOrThrow();
    assert.deepEqual(Object.keys(row.accepted), ['fedora-messaging']);
    assert.match(row.last_error ?? '', /^umb: /);
    await activemq.start();
    await publishAnnouncements(context);
    const done = await database.kysely
      .selectFrom('announcements')
      .selectAll()
      .where('message_id', '=', second)
      .executeTakeFirstOrThrow();
    assert.ok(done.finished_at);
    assert.equal(done.last_error, null);
    await until(() => amqp.length === 2, 'the second message');
  } finally {
    for (const publisher of publishers) await publisher.close();
    reader.destroy();
    await model.close().catch(() => undefined);
    await rabbitmq.stop();
    await activemq.stop();
  }
});
