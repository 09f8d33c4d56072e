import assert from 'node:assert/strict';
import { after, beforeEach, test } from 'node:test';
import { reconcileRepository } from '../../../src/listeners/reconcile/repository.ts';
import { atTime } from '../../database/at-time.ts';
import { openTestDatabase } from '../../database/open-test-database.ts';
import { openInbox } from '../listening.ts';

const START = Date.parse('2026-11-22T10:00:00Z');
const repository = 'https://pulp.example.com/content/baseos/x86_64/os';

function repomd(revision: string, digest: string): string {
  return `<repomd><revision>${revision}</revision><data type="primary"><checksum type="sha256">${digest}</checksum><location href="repodata/primary.xml.gz"/></data></repomd>`;
}

const database = await openTestDatabase();
let now = new Date(START);
const inbox = openInbox(atTime(database, { now: () => now }));
after(async () => {
  await inbox.close();
  await database.close();
});
beforeEach(async () => {
  await database.kysely.deleteFrom('events').execute();
  await database.kysely.deleteFrom('reconcile_cursors').execute();
});

interface Watch {
  /** Looks a number of minutes after the start, at what the repository says then. */
  look(minute: number, text: string): Promise<number>;
  /** Lets somebody tell of a change. */
  tell(minute: number, body: object): Promise<void>;
  /** What came in by looks: the revisions. */
  found(): Promise<readonly (string | undefined)[]>;
}

function watch(): Watch {
  return {
    look(minute, text) {
      now = new Date(START + minute * 60_000);
      const changes = { readRepomd: () => Promise.resolve(Buffer.from(text)) };
      return reconcileRepository({ database, inbox, now, instance: 'local', repository, changes });
    },
    async tell(minute, body) {
      now = new Date(START + minute * 60_000);
      await inbox.receive({
        bus: 'webhook',
        rawTopic: 'repo.changed',
        headers: {},
        body: Buffer.from(JSON.stringify(body)),
        contentEncoding: null,
        messageId: `told ${minute}`,
        sentAt: null,
        producer: null,
      });
    },
    async found() {
      const rows = await database.kysely
        .selectFrom('events')
        .select('event')
        .where('bus', '=', 'internal')
        .orderBy('id')
        .execute();
      return rows.map(({ event }) =>
        event?.kind === 'repo.changed' && event.repo === repository ? event.revision : 'another',
      );
    },
  };
}

test('a repository whose repomd.xml is another one is an event, once', async () => {
  const { look, found } = watch();
  assert.equal(await look(0, repomd('1', 'aa')), 0, 'the first look notes what is there');
  assert.equal(await look(1, repomd('1', 'aa')), 0);
  assert.equal(await look(2, repomd('2', 'bb')), 1);
  assert.equal(await look(3, repomd('2', 'bb')), 0);
  assert.deepEqual(await found(), ['2']);
});

test('a repository that goes back to what it was has changed again', async () => {
  const { look, found } = watch();
  await look(0, repomd('1', 'aa'));
  for (const [minute, revision] of ['2', '1', '2', '1'].entries()) {
    assert.equal(await look(minute / 10 + 0.1, repomd(revision, `a${revision}`)), 1);
  }
  assert.deepEqual(await found(), ['2', '1', '2', '1']);
});

test('what a message told since the last look, by its revision, is not told again', async () => {
  const { look, tell, found } = watch();
  await look(0, repomd('1', 'aa'));
  await tell(0.5, { repo: repository, revision: '2' });
  assert.equal(await look(1, repomd('2', 'bb')), 0);
  await tell(1.5, { repo: repository });
  assert.equal(await look(2, repomd('3', 'cc')), 1, 'one without a revision may tell of another change');
  await tell(2.5, { repo: '/srv/repo', revision: '4' });
  assert.equal(await look(3, repomd('4', 'dd')), 1, 'one of another repository tells nothing of this one');
  assert.deepEqual(await found(), ['3', '4']);
});

test('a revision that stays the same tells nothing of a change', async () => {
  const { look, tell, found } = watch();
  await look(0, repomd('1', 'aa'));
  await tell(0.5, { repo: repository, revision: '1' });
  assert.equal(await look(1, repomd('1', 'bb')), 1);
  assert.equal(await look(1.2, repomd('', 'cc')), 1);
  assert.equal(await look(1.4, repomd('', 'dd')), 1);
  assert.deepEqual(await found(), ['1', undefined, undefined]);
});

test('a page of a server in trouble is no change, and the change behind it is found later', async () => {
  const { look, found } = watch();
  await look(0, repomd('1', 'aa'));
  await assert.rejects(look(1, '<html><body>503</body></html>'), { code: 'repodata.malformed' });
  await assert.rejects(look(2, ''), { code: 'repodata.malformed' });
  assert.equal(await look(3, repomd('1', 'aa')), 0);
  assert.equal(await look(4, repomd('2', 'bb')), 1);
  assert.deepEqual(await found(), ['2']);
});

test('two processes that look at the same time make one event', async () => {
  const { look, found } = watch();
  await look(0, repomd('1', 'aa'));
  // Both have read before either notes what it saw.
  let waiting = 0;
  const both = Promise.withResolvers<undefined>();
  const changes = {
    async readRepomd() {
      waiting += 1;
      if (waiting === 2) both.resolve(undefined);
      await both.promise;
      return Buffer.from(repomd('2', 'bb'));
    },
  };
  now = new Date(START + 60_000);
  const reconcile = () =>
    reconcileRepository({ database, inbox, now, instance: 'local', repository, changes });
  await Promise.all([reconcile(), reconcile()]);
  assert.deepEqual(await found(), ['2']);
});
