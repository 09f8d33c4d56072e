import { connect as connectAmqp, type ConsumeMessage } from 'amqplib';
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { announceComposes } from '../../src/composer/announce.ts';
import { systemClock } from '../../src/clock.ts';
import { createFedoraMessagingPublisher } from '../../src/buses/fedora-messaging-publisher.ts';
import { openStompConnection, type StompMessage } from '../../src/buses/stomp-connection.ts';
import { createUmbPublisher } from '../../src/buses/umb-publisher.ts';
import { openTestDatabase } from '../database/open-test-database.ts';
import { queueConfig, silentLog, until } from '../listeners/listening.ts';
import { activemqPackages, startActivemq } from './activemq.ts';
import { ensurePackages } from './debian-packages.ts';
import { rabbitmqPackages, startRabbitmq } from './rabbitmq.ts';

const packages = ensurePackages([...activemqPackages, ...rabbitmqPackages]);
const options = packages.ready ? {} : { skip: packages.reason };
const database = await openTestDatabase();
after(() => database.close());

async function insertAnnouncement(state: string): Promise<string> {
  const { id } = await database.handle
    .insertInto('composes')
    .values({
      owner: 'osbs',
      request: '{}',
      source_type: 1,
      source: 'f44',
      state: 'done',
      state_reason: null,
      time_submitted: new Date(0),
      time_to_expire: new Date(0),
      arches: 'x86_64',
      sigkeys: '',
      compose_type: 'test',
      target_dir: 'default',
      priority: 'normal',
      warnings: '[]',
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  const messageId = `8d9b4f0e-0000-5000-8000-00000000000${id}`;
  const body = { event: 'state-changed', compose: { id, state_name: state, owner: 'osbs', source: 'Žofie' } };
  await database.handle
    .insertInto('announcements')
    .values({
      message_id: messageId,
      compose_id: id,
      state,
      body: JSON.stringify(body),
      created_at: new Date('2026-11-22T08:00:00.123Z'),
      finished_at: null,
      last_error: null,
    })
    .execute();
  return messageId;
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
  const context = { database, clock: systemClock, log: silentLog, publishers };
  try {
    const first = await insertAnnouncement('done');
    await announceComposes(context);
    await announceComposes(context);
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
    const second = await insertAnnouncement('removed');
    await assert.rejects(announceComposes(context), /wait for umb/);
    const row = await database.handle
      .selectFrom('announcements')
      .selectAll()
      .where('message_id', '=', second)
      .executeTakeFirstOrThrow();
    assert.deepEqual(Object.keys(row.accepted), ['fedora-messaging']);
    assert.match(row.last_error ?? '', /^umb: /);
    await activemq.start();
    await announceComposes(context);
    const done = await database.handle
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
