import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Bus } from '../../../src/model/event.ts';
import { reconcileKoji, type KojiChanges } from '../../../src/listeners/reconcile/koji.ts';
import { wasTold, type ToldChange } from '../../../src/listeners/reconcile/was-told.ts';
import { atTime } from '../../database/at-time.ts';
import { openTestDatabase } from '../../database/open-test-database.ts';
import type { TagHappening } from '../../../src/upstream/koji/hub-events.ts';
import { startReconciling } from '../../../src/listeners/reconcile/start-reconciling.ts';
import { openInbox, silentLog, until } from '../listening.ts';

const database = await openTestDatabase();
const now = new Date('2026-11-22T10:00:00Z');
const inbox = openInbox(atTime(database, { now: () => now }));
after(async () => {
  await inbox.close();
  await database.close();
});

function happening(event: number, release: string, secondsAgo: number): TagHappening {
  return {
    kind: 'tagged',
    event,
    at: now.getTime() - secondsAgo * 1000,
    tagId: 1,
    tagName: 'f44',
    buildId: event,
    name: 'ed',
    version: '1',
    release,
    user: 'alice',
  };
}

const all = [
  happening(101, '1', 200),
  happening(102, '2', 100),
  happening(103, '3', 50),
  happening(104, '4', 5),
];

function kojiAt(event: number, at: number): KojiChanges {
  return {
    lastEvent: async (before) => (before === undefined ? { id: event, at } : { id: 90, at: before }),
    history: async (afterEvent) =>
      all.filter((happening) => happening.event > afterEvent && happening.event <= event),
    ownerOf: async (buildId) => (buildId === 101 ? 'bob' : null),
  };
}

async function storedReleases(): Promise<(string | undefined)[]> {
  const rows = await database.kysely
    .selectFrom('events')
    .select(['event', 'bus', 'instance'])
    .orderBy('id')
    .execute();
  return rows.map(({ bus, event, instance }) =>
    event?.kind === 'koji.tag'
      ? [bus, instance, event.nvr, event.koji_event ?? '-', event.user ?? '-', event.owner ?? '-'].join(' ')
      : undefined,
  );
}

test('taggings no message told are stored once, the youngest are left to the bus', async () => {
  const context = { database, inbox, now, instance: 'centos' };
  assert.equal(await reconcileKoji({ ...context, hub: null, koji: kojiAt(100, now.getTime() - 300_000) }), 0);
  await inbox.receive({
    bus: 'fedora-messaging',
    rawTopic: 'org.fedoraproject.prod.buildsys.tag',
    headers: {},
    body: Buffer.from('{"tag":"f44","name":"ed","version":"1","release":"2"}'),
    contentEncoding: null,
    messageId: 'told',
    sentAt: null,
    producer: null,
  });
  assert.equal(await reconcileKoji({ ...context, hub: null, koji: kojiAt(104, now.getTime()) }), 2);
  assert.equal(await reconcileKoji({ ...context, hub: null, koji: kojiAt(104, now.getTime()) }), 0);
  assert.deepEqual(await storedReleases(), [
    'fedora-messaging fedora ed-1-2 - - -',
    'internal centos ed-1-1 101 alice bob',
    'internal centos ed-1-3 103 alice -',
  ]);
  const later = new Date(now.getTime() + 60_000);
  assert.equal(
    await reconcileKoji({ ...context, now: later, hub: null, koji: kojiAt(104, now.getTime()) }),
    1,
  );
});

test('a message of another instance tells nothing, as soon as the own one is heard', async () => {
  const told = (topic: string, messageId: string, release: string, bus: Bus = 'fedora-messaging') =>
    inbox.receive({
      bus,
      rawTopic: topic,
      headers: {},
      body: Buffer.from(JSON.stringify({ tag: 'f44', name: 'ed', version: '9', release })),
      contentEncoding: null,
      messageId,
      sentAt: null,
      producer: null,
    });
  const change = (release: string, instance: string): ToldChange => ({
    kind: 'koji.tag',
    since: now.getTime(),
    fields: { tag: 'f44', nvr: `ed-9-${release}` },
    instance,
  });
  const ask = (release: string, instance: string) => wasTold(database.kysely, change(release, instance));
  await told('org.fedoraproject.prod.buildsys.tag', 'one', '1');
  assert.equal(await ask('1', 'fedora'), true);
  assert.equal(await ask('2', 'fedora'), false);
  assert.equal(await ask('1', 'mistyped'), true, 'a wrong setting doubles nothing');
  assert.equal(await ask('1', 'centos'), true, 'what was found without a message is not heard');
  await told('org.centos.prod.buildsys.tag', 'two', '2');
  assert.equal(await ask('1', 'centos'), false);
  assert.equal(await ask('2', 'centos'), true);
  assert.equal(await ask('2', 'fedora'), false);
  await told('buildsys.tag', 'three', '3', 'webhook');
  assert.equal(await ask('3', 'centos'), true, 'the webhook does not say whose it is');
});

test('a look that is wanted while another runs follows it, and a failed one does not end them', async () => {
  let looks = 0;
  const first = Promise.withResolvers<number>();
  const running = startReconciling({
    log: silentLog,
    look: async () => {
      looks++;
      if (looks === 1) return first.promise;
      return 0;
    },
  });
  await until(() => looks === 1, 'the first look');
  running.wake();
  running.wake();
  first.reject(new Error('Koji is away'));
  await until(() => looks === 2, 'the second look');
  await running[Symbol.asyncDispose]();
  assert.equal(looks, 2);
});
