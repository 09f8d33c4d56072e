import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { test, type TestContext } from 'node:test';
import { bodhiEvents } from '../../../src/composer/koji/advisory-events.ts';
import { openAdvisoryFinder, type AdvisoryFinder } from '../../../src/composer/koji/advisory-finder.ts';
import type { DatabaseHandle } from '../../../src/database/database-handle.ts';
import { createLog } from '../../../src/log.ts';
import { connectBodhiAdvisories } from '../../../src/upstream/bodhi-advisories.ts';
import { atTime } from '../../database/at-time.ts';
import { openTestDatabase } from '../../database/open-test-database.ts';
import { openInbox } from '../../listeners/listening.ts';
import { startFakeBodhi } from '../../upstream/fake-bodhi.ts';

const START = Date.parse('2026-11-22T10:00:00Z');
const log = createLog('silent');

const update = {
  alias: 'FEDORA-2026-1',
  status: 'stable',
  type: 'security',
  severity: 'high',
  suggest: 'reboot',
  display_name: '',
  title: 'openssl-3.2.1-2.fc44',
  notes: 'Fixes <b>CVE-2026-10001</b>.\r\n',
  release: { name: 'F44', long_name: 'Fedora 44' },
  builds: [{ nvr: 'openssl-3.2.1-2.fc44' }, { nvr: 'ed-1.20-1.fc44' }],
  bugs: [{ bug_id: 7, title: 'CVE-2026-10002 openssl: overflow' }],
  user: { name: 'jana', email: 'jana@example.com' },
  date_submitted: '2026-11-20 10:00:00',
  date_pushed: '2026-11-21 10:00:00',
  date_modified: null,
};

class Bench {
  now = START;
  readonly #finder: AdvisoryFinder;

  constructor(url: string, more: { readonly kysely?: DatabaseHandle; readonly limitMs?: number } = {}) {
    const clock = { now: () => new Date(this.now) };
    this.#finder = openAdvisoryFinder({
      source: connectBodhiAdvisories(url),
      events: bodhiEvents,
      kysely: null,
      clock,
      ...more,
    });
  }

  find(nvrs: readonly string[], signal = new AbortController().signal) {
    return this.#finder.find(nvrs, { signal, log });
  }

  async ids(nvrs: readonly string[]): Promise<readonly string[]> {
    return (await this.find(nvrs)).advisories.map(({ advisory }) => advisory.id);
  }
}

test('advisories are found by build, and say what Bodhi says of the update', async (context) => {
  const bodhi = await startFakeBodhi(context, [update, { ...update, alias: 'OTHER', builds: [] }]);
  const { advisories, remark } = await new Bench(bodhi.url).find(['ed-1.20-1.fc44', 'bash-5-1.fc44']);
  assert.equal(remark, null);
  const [found, ...rest] = advisories;
  assert.deepEqual(rest, []);
  assert.deepEqual(found?.nvrs, ['ed-1.20-1.fc44', 'openssl-3.2.1-2.fc44']);
  const { references, ...said } = found.advisory;
  assert.deepEqual(said, {
    id: 'FEDORA-2026-1',
    from: 'jana@example.com',
    status: 'stable',
    type: 'security',
    version: '2.0',
    title: 'openssl-3.2.1-2.fc44',
    issued: '2026-11-21 10:00:00',
    updated: '2026-11-21 10:00:00',
    severity: 'Important',
    release: 'Fedora 44',
    rights: '',
    summary: 'FEDORA-2026-1 security update',
    description: 'Fixes <b>CVE-2026-10001</b>.',
    solution: '',
  });
  assert.deepEqual(
    references.map(({ type, id }) => `${type} ${id}`),
    ['self FEDORA-2026-1', 'bugzilla 7', 'cve CVE-2026-10001', 'cve CVE-2026-10002'],
  );
  assert.deepEqual(found.suggests, ['reboot']);
});

test('builds are asked about once an hour, many at once', async (context) => {
  const bodhi = await startFakeBodhi(context, [update]);
  const bench = new Bench(bodhi.url);
  const nvrs = Array.from({ length: 120 }, (_, at) => `p${at}-1-1`);
  assert.deepEqual(await bench.ids([...nvrs, 'ed-1.20-1.fc44']), ['FEDORA-2026-1']);
  assert.equal(bodhi.queries.length, 3);
  assert.match(
    bodhi.queries[0] ?? '',
    /^builds=ed-1\.20-1\.fc44%2Cp0-1-1%2C.*&status=stable&status=testing&/,
  );
  assert.deepEqual(await bench.ids([...nvrs, 'ed-1.20-1.fc44']), ['FEDORA-2026-1']);
  assert.equal(bodhi.queries.length, 3);
  bench.now += 61 * 60_000;
  await bench.ids(['ed-1.20-1.fc44']);
  assert.equal(bodhi.queries.length, 4);
});

test('a Bodhi that fails is a remark, is left alone for a minute, and what was known still counts', async (context) => {
  const bodhi = await startFakeBodhi(context, [update]);
  const bench = new Bench(bodhi.url);
  await bench.find(['ed-1.20-1.fc44']);
  bodhi.faults.push(503);
  const broken = await bench.find(['ed-1.20-1.fc44', 'bash-5-1']);
  assert.match(broken.remark ?? '', /^Bodhi .*503.*: advisories about some builds may be missing/);
  assert.deepEqual(
    broken.advisories.map(({ advisory }) => advisory.id),
    ['FEDORA-2026-1'],
  );
  const asked = bodhi.queries.length;
  assert.match((await bench.find(['bash-5-1'])).remark ?? '', /^Bodhi did not answer a moment ago: /);
  assert.equal(bodhi.queries.length, asked);
  bench.now += 61_000;
  assert.equal((await bench.find(['bash-5-1'])).remark, null);
});

async function listenSilently(
  context: TestContext,
): Promise<{ readonly url: string; readonly server: Server }> {
  const server = createServer(() => undefined).listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  return { url: `http://127.0.0.1:${address.port}`, server };
}

test('a Bodhi that takes a question and says nothing is waited for no longer than the limit', async (context) => {
  const { url } = await listenSilently(context);
  const { advisories, remark } = await new Bench(url, { limitMs: 50 }).find(['bash-5-1']);
  assert.deepEqual(advisories, []);
  assert.match(remark ?? '', /^Bodhi is slow: /);
});

test('a compose that is cancelled meanwhile does not wait for Bodhi', async (context) => {
  const { url, server } = await listenSilently(context);
  const cancel = new AbortController();
  const asked = once(server, 'request');
  const finding = new Bench(url, { limitMs: 60_000 }).find(['bash-5-1'], cancel.signal);
  await asked;
  cancel.abort(new Error('cancelled'));
  await assert.rejects(finding, /cancelled/);
});

test('stored events stand in for a Bodhi that is away, and make it be asked anew', async (context) => {
  const bodhi = await startFakeBodhi(context, []);
  const database = await openTestDatabase();
  const bench = new Bench(bodhi.url, { kysely: database.kysely });
  const inbox = openInbox(atTime(database, { now: () => new Date(bench.now) }));
  context.after(async () => {
    await inbox.close();
    await database.close();
  });
  const tell = (body: object, kind: string, messageId: string) =>
    inbox.receive({
      bus: 'fedora-messaging',
      rawTopic: `org.fedoraproject.prod.bodhi.update.${kind}`,
      headers: {},
      body: Buffer.from(JSON.stringify(body)),
      contentEncoding: null,
      producer: null,
      messageId,
      sentAt: null,
    });
  assert.deepEqual(await bench.ids(['ed-1.20-1.fc44']), []);
  await tell({ update }, 'complete.stable', 'pushed');
  bodhi.faults.push(503);
  const told = await bench.find(['ed-1.20-1.fc44', 'bash-5-1']);
  assert.deepEqual(
    told.advisories.map(({ advisory }) => [advisory.id, advisory.type, advisory.severity]),
    [['FEDORA-2026-1', 'security', 'Important']],
  );
  assert.match(told.remark ?? '', /^Bodhi .*: advisories about some builds may be missing/);
  bench.now += 61_000;
  const asked = bodhi.queries.length;
  await bench.find(['ed-1.20-1.fc44']);
  assert.equal(bodhi.queries.length, asked + 1);
});

test('a Bodhi that contradicts itself tells each advisory once, of builds it names itself, and is asked no endless pages', async (context) => {
  const other = { ...update, title: 'told otherwise', builds: [{ nvr: 'ed-1.20-1.fc44' }] };
  const strange = { ...update, alias: 'FEDORA-2026-2', builds: [{ nvr: 'nobody-asked-1' }] };
  const bodhi = await startFakeBodhi(context, [update, other, strange]);
  const { advisories, remark } = await new Bench(bodhi.url).find(['ed-1.20-1.fc44', 'bash-5-1']);
  assert.equal(remark, null);
  assert.deepEqual(
    advisories.map(({ advisory, nvrs }) => [advisory.id, nvrs]),
    [['FEDORA-2026-1', ['ed-1.20-1.fc44', 'openssl-3.2.1-2.fc44']]],
  );
  const many = Array.from({ length: 40 }, (_, at) => ({ ...update, alias: `FEDORA-2026-${at}` }));
  const endless = await startFakeBodhi(context, many);
  await new Bench(endless.url).find(['ed-1.20-1.fc44']);
  assert.equal(endless.queries.length, 4);
});

test('an update of 500 builds is found for every one of them', async (context) => {
  const nvrs = Array.from({ length: 500 }, (_, at) => `p${at}-1-1`);
  const bodhi = await startFakeBodhi(context, [{ ...update, builds: nvrs.map((nvr) => ({ nvr })) }]);
  const { advisories, remark } = await new Bench(bodhi.url).find(nvrs);
  assert.equal(remark, null);
  assert.deepEqual(
    advisories.map((advisory) => advisory.nvrs.length),
    [500],
  );
  assert.equal(bodhi.queries.length, 10);
});
