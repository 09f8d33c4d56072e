import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openStompConnection } from '../../src/buses/stomp-connection.ts';
import { listenToUmb } from '../../src/buses/umb-consumer.ts';
import type { Supervisor } from '../../src/buses/supervise.ts';
import { openTestDatabase } from '../database/open-test-database.ts';
import {
  connectionsWhenRefused,
  openInbox,
  silentLog,
  until,
  untilConnected,
} from '../listeners/listening.ts';
import { activemqPackages, startActivemq } from './activemq.ts';
import { makeCertificates } from './certificates.ts';
import { ensurePackages } from './debian-packages.ts';

const packages = ensurePackages([...activemqPackages, 'openssl']);
const options = packages.ready ? {} : { skip: packages.reason };

test(
  'a broker that asks for a client certificate is read with one, and refuses a stranger',
  options,
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'odcs-tls-'));
    const made = makeCertificates(folder, 'odcs');
    const broker = await startActivemq({ tls: { authority: made.authority, ...made.server } });
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
    const url = `stomp+ssl://localhost:${broker.port}`;
    const listen = (pair: { readonly certificate: string; readonly key: string }) => {
      const started = listenToUmb({
        urls: [url],
        destinations: ['/queue/Consumer.odcs.tls.VirtualTopic.eng.>'],
        credentials: { ...pair, ca: made.authority },
        maxBytes: 1_048_576,
        heartbeatMs: 1_000,
        inbox,
        log: silentLog,
        metrics: null,
        supervision: { firstDelayMs: 50, lastDelayMs: 200, connectTimeoutMs: 5_000 },
      });
      listeners.push(started);
      return started;
    };

    const listener = listen(made.client);
    await untilConnected(listener);
    const own = { url, ...made.client, ca: made.authority, heartbeatMs: 10_000, maxBytes: 1000 };
    const connection = await openStompConnection(own, () => undefined, AbortSignal.timeout(5_000));
    const body = JSON.stringify({
      tag: { id: 1, name: 'f44' },
      build: { id: 2, nvr: 'ed-1-1', package_name: 'ed' },
      user: { name: 'kojiadmin' },
    });
    connection.send('SEND', { destination: '/topic/VirtualTopic.eng.brew.build.tag' }, body);
    const stored = await until(
      () => database.kysely.selectFrom('events').select(['kind', 'bus']).executeTakeFirst(),
      'the message is stored',
    );
    assert.deepEqual(stored, { kind: 'koji.tag', bus: 'umb' });
    connection.destroy();
    await listener.stop();

    const stranger = listen(made.stranger);
    assert.equal(await connectionsWhenRefused(stranger), 0);
    await stranger.stop();
  },
);
