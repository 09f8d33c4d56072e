import { connect as connectAmqp } from 'amqplib';
import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { listenToFedoraMessaging } from '../../src/buses/fedora-messaging-consumer.ts';
import type { Supervisor } from '../../src/buses/supervise.ts';
import { openTestDatabase } from '../database/open-test-database.ts';
import {
  connectionsWhenRefused,
  openInbox,
  queueConfig,
  silentLog,
  until,
  untilConnected,
} from '../listeners/listening.ts';
import { makeCertificates } from './certificates.ts';
import { ensurePackages } from './debian-packages.ts';
import { rabbitmqPackages, startRabbitmq } from './rabbitmq.ts';
import { findFreePort } from './service-process.ts';

const packages = ensurePackages([...rabbitmqPackages, 'openssl']);
const options = packages.ready ? {} : { skip: packages.reason };

test(
  'a client certificate is the whole login: TLS with SASL EXTERNAL, as the field runs its brokers',
  options,
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'odcs-tls-'));
    chmodSync(folder, 0o755);
    const made = makeCertificates(folder, 'odcs');
    const port = await findFreePort();
    const broker = await startRabbitmq({
      plugins: ['rabbitmq_auth_mechanism_ssl'],
      configuration: [
        `listeners.ssl.1 = 127.0.0.1:${port}`,
        `ssl_options.cacertfile = ${made.authority}`,
        `ssl_options.certfile = ${made.server.certificate}`,
        `ssl_options.keyfile = ${made.server.key}`,
        'ssl_options.verify = verify_peer',
        'ssl_options.fail_if_no_peer_cert = true',
        'auth_mechanisms.1 = EXTERNAL',
        'auth_mechanisms.2 = PLAIN',
        'ssl_cert_login_from = common_name',
      ],
    });
    const database = await openTestDatabase();
    const inbox = openInbox(database);
    const listeners: Supervisor[] = [];
    after(async () => {
      for (const listener of listeners) await listener.stop();
      await inbox.close();
      await database.close();
      await broker.stop();
      rmSync(folder, { recursive: true, force: true });
    });
    await broker.control('add_user', 'odcs', 'never-used');
    await broker.control('set_permissions', 'odcs', '.*', '.*', '.*');
    const listen = (pair: { readonly certificate: string; readonly key: string }, queue: string) => {
      const tls = `[tls]\nca_cert = "${made.authority}"\ncertfile = "${pair.certificate}"\nkeyfile = "${pair.key}"\n`;
      const config = queueConfig(`amqps://odcs:@localhost:${port}`, queue, tls);
      const supervision = { firstDelayMs: 50, lastDelayMs: 200, connectTimeoutMs: 5_000 };
      const started = listenToFedoraMessaging({ config, inbox, log: silentLog, metrics: null, supervision });
      listeners.push(started);
      return started;
    };

    const listener = listen(made.client, 'odcs');
    await untilConnected(listener);
    // A broker lists a connection some time after it took it.
    const columns = ['user', 'ssl', 'auth_mechanism'];
    await until(
      async () => /odcs\s+true\s+EXTERNAL/.test(await broker.control('list_connections', ...columns)),
      'the broker knows the user by its certificate',
    );
    const model = await connectAmqp(broker.url);
    const channel = await model.createConfirmChannel();
    const body = Buffer.from('{"tag":"f44","name":"ed","version":"1","release":"1","instance":"primary"}');
    channel.publish('amq.topic', 'org.fedoraproject.prod.buildsys.tag', body, { messageId: 'over-tls' });
    await channel.waitForConfirms();
    await model.close();
    const stored = await until(
      () =>
        database.kysely
          .selectFrom('events')
          .select('kind')
          .where('message_id', '=', 'over-tls')
          .executeTakeFirst(),
      'the message is stored',
    );
    assert.equal(stored.kind, 'koji.tag');
    await listener.stop();

    const stranger = listen(made.stranger, 'odcs');
    assert.equal(await connectionsWhenRefused(stranger), 0);
    await stranger.stop();
  },
);
