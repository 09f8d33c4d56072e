import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errataEvents } from '../../../src/composer/koji/advisory-events.ts';
import { openAdvisoryFinder, type FoundAdvisories } from '../../../src/composer/koji/advisory-finder.ts';
import type { DatabaseHandle } from '../../../src/database/database-handle.ts';
import type { ErrataEvent } from '../../../src/model/event.ts';
import { createLog } from '../../../src/log.ts';
import { connectErrataAdvisories } from '../../../src/upstream/errata-advisories.ts';
import { openTestDatabase } from '../../database/open-test-database.ts';
import { openInbox } from '../../listeners/listening.ts';
import { startFakeErrata, type ErrataItem } from '../../upstream/fake-errata.ts';

const log = createLog('silent');

const item: ErrataItem = {
  id: 7,
  status: 'SHIPPED_LIVE',
  nvrs: ['openssl-3.2.1-2.el9', 'openssl-fips-1-1.el9'],
  answer: {
    errata: {
      rhsa: {
        fulladvisory: 'RHSA-2026:1234-08',
        status: 'SHIPPED_LIVE',
        synopsis: 'Important: openssl security update',
        security_impact: 'Important',
        issue_date: '2026-11-20T15:03:52Z',
        update_date: '2026-11-21T15:03:52Z',
      },
    },
    content: {
      content: {
        cve: 'CVE-2026-10001 CVE-2026-10002',
        topic: 'An update for openssl is now available.',
        description: 'Fixes </description><b>CVE-2026-10009</b> & more.',
        solution: 'Apply it.',
      },
    },
    bugs: {
      bugs: [
        { bug: { id: 9, short_desc: 'CVE-2026-10003 a private one', is_private: 1 } },
        { bug: { id: 8, short_desc: 'CVE-2026-10001 openssl: overflow', is_private: 0 } },
      ],
    },
  },
};

function openFinder(url: string, more: { readonly kysely?: DatabaseHandle; readonly now?: () => Date } = {}) {
  const { kysely = null, now = () => new Date('2026-11-22T10:00:00Z') } = more;
  const source = connectErrataAdvisories(url);
  const finder = openAdvisoryFinder({ source, events: errataEvents, kysely, clock: { now } });
  return (nvrs: readonly string[]): Promise<FoundAdvisories> =>
    finder.find(nvrs, { signal: new AbortController().signal, log });
}

test('an advisory that was shipped is found by its builds, and says what Errata Tool says of it', async (context) => {
  const errata = await startFakeErrata(context, [item, { ...item, id: 8, status: 'QE', nvrs: item.nvrs }]);
  const find = openFinder(errata.url);
  const { advisories, remark } = await find([...item.nvrs, 'bash-5-1.el9']);
  assert.equal(remark, null);
  const [found, ...rest] = advisories;
  assert.deepEqual(rest, []);
  assert.deepEqual(found?.nvrs, item.nvrs);
  const { references, ...said } = found.advisory;
  assert.deepEqual(said, {
    id: 'RHSA-2026:1234',
    from: '',
    status: 'final',
    type: 'security',
    version: '8',
    title: 'Important: openssl security update',
    issued: '2026-11-20 15:03:52',
    updated: '2026-11-21 15:03:52',
    severity: 'Important',
    release: '',
    rights: '',
    summary: 'An update for openssl is now available.',
    description: 'Fixes </description><b>CVE-2026-10009</b> & more.',
    solution: 'Apply it.',
  });
  assert.deepEqual(
    references.map(({ type, id }) => `${type} ${id}`),
    ['self RHSA-2026:1234', 'bugzilla 8', 'cve CVE-2026-10001', 'cve CVE-2026-10002'],
  );
  const asked = errata.paths.length;
  assert.equal(errata.paths.filter((path) => path === '/api/v1/erratum/7').length, 1);
  await find(item.nvrs);
  assert.equal(errata.paths.length, asked);
});

test('an advisory that Errata Tool itself says is not shipped is told to nobody, whatever its builds say', async (context) => {
  const answer = {
    errata: { rhsa: { fulladvisory: 'RHSA-2026:1234-01', status: 'REL_PREP', synopsis: 'secret' } },
  };
  const errata = await startFakeErrata(context, [{ ...item, answer }]);
  assert.deepEqual((await openFinder(errata.url)(item.nvrs)).advisories, []);
});

test('an advisory of 500 builds is asked for once, and found for every one of them', async (context) => {
  const nvrs = Array.from({ length: 500 }, (_, at) => `p${at}-1-1.el9`);
  const errata = await startFakeErrata(context, [{ ...item, nvrs }]);
  const { advisories, remark } = await openFinder(errata.url)(nvrs);
  assert.equal(remark, null);
  assert.equal(advisories[0]?.nvrs.length, 500);
  assert.equal(errata.paths.filter((path) => path.startsWith('/api/v1/erratum/')).length, 1);
});

test('an Errata Tool that fails or answers strangely is a remark', async (context) => {
  const errata = await startFakeErrata(context, [item]);
  errata.faults.push(503);
  const { advisories, remark } = await openFinder(errata.url)(item.nvrs);
  assert.deepEqual(advisories, []);
  assert.match(remark ?? '', /^Errata Tool .*503.*: advisories about some builds may be missing/);
  const strange = await startFakeErrata(context, [{ ...item, answer: { errata: { rhsa: {} } } }]);
  assert.match((await openFinder(strange.url)(item.nvrs)).remark ?? '', /^Errata Tool answered something/);
});

test('events of advisories make their builds be asked about anew', async (context) => {
  const items: ErrataItem[] = [];
  const errata = await startFakeErrata(context, items);
  const database = await openTestDatabase();
  const find = openFinder(errata.url, { kysely: database.kysely, now: () => database.clock.now() });
  const inbox = openInbox(database);
  context.after(async () => {
    await inbox.close();
    await database.close();
  });
  assert.deepEqual((await find(item.nvrs)).advisories, []);
  items.push(item);
  assert.deepEqual((await find(item.nvrs)).advisories, []);
  const tell = (body: object, topic: string, messageId: string) =>
    inbox.receive({
      bus: 'umb',
      rawTopic: `/topic/VirtualTopic.eng.errata.${topic}`,
      headers: {},
      body: Buffer.from(JSON.stringify(body)),
      contentEncoding: null,
      producer: null,
      messageId,
      sentAt: null,
    });
  await tell({ errata_id: 7, brew_build: 'openssl-3.2.1-2.el9', product: 'RHEL' }, 'builds.added', 'added');
  const completed = await find(item.nvrs);
  assert.deepEqual(
    completed.advisories.map(({ nvrs }) => nvrs),
    [['openssl-3.2.1-2.el9']],
  );
  await tell({ errata_id: 7, brew_build: 'openssl-3.2.1-2.el9', product: 'RHEL' }, 'builds.removed', 'gone');
  items.splice(0);
  assert.deepEqual((await find(item.nvrs)).advisories, []);
});

test('an event of an advisory that was shipped stands in where Errata Tool is away; an embargoed one tells nothing', () => {
  const event = {
    kind: 'errata.status',
    id: 7,
    type: 'RHSA',
    name: 'RHSA-2026:1234-08',
    synopsis: 'Important: openssl security update',
    severity: 'Important',
    to: 'SHIPPED_LIVE',
    embargoed: false,
    builds: [{ nvr: 'openssl-3.2.1-2.el9', package: 'openssl' }],
  } as const;
  const read = (told: ErrataEvent) =>
    errataEvents.read({
      bus: 'umb',
      messageId: 'm',
      topic: 'errata.activity.status',
      rawTopic: '',
      receivedAt: '2026-11-22T10:00:00.000Z',
      sentAt: null,
      producer: null,
      instance: 'brew',
      event: told,
    })?.advisory;
  const { id, type, severity, title } = read(event)?.advisory ?? {};
  assert.deepEqual(
    [id, type, severity, title],
    ['RHSA-2026:1234', 'security', 'Important', 'Important: openssl security update'],
  );
  assert.equal(read({ ...event, embargoed: true }), undefined);
  assert.equal(read({ ...event, to: 'REL_PREP' }), undefined);
  assert.equal(read({ ...event, to: 'DROPPED_NO_SHIP' }), null);
});
