import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import { enrichEvent, needsEnrichment } from '../../src/listeners/enrich.ts';
import type { DomainEvent } from '../../src/model/event.ts';
import { connectBodhi } from '../../src/upstream/bodhi.ts';
import { connectErrata } from '../../src/upstream/errata.ts';

const answers: Record<string, unknown> = {
  '/updates/FEDORA-2026-1': {
    update: {
      alias: 'FEDORA-2026-1',
      status: 'stable',
      type: 'security',
      severity: 'urgent',
      release: { name: 'F44' },
      builds: [{ nvr: 'openssl-3.2.1-2.fc44' }],
    },
  },
  '/updates/strange': { nothing: true },
  '/api/v1/erratum/7': {
    errata: { rhsa: { security_impact: 'Critical', fulladvisory: 'RHSA-2026:7-01', content_types: ['rpm'] } },
  },
  '/advisory/7/builds.json': { 'RHEL-9': [{ 'bash-5.1-2.el9': {} }] },
};
let failures = 0;
const server = createServer((request, response) => {
  const path = request.url ?? '';
  if (path === '/updates/down') {
    failures += 1;
    response.writeHead(502).end('proxy');
    return;
  }
  const answer = answers[path];
  response.writeHead(answer === undefined ? 404 : 200).end(JSON.stringify(answer ?? {}));
});
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
after(() => server.close());
const address = server.address() as AddressInfo;
const url = `http://127.0.0.1:${address.port}/`;
const sources = {
  bodhi: connectBodhi(url),
  errata: connectErrata(url),
  koji: {
    tagsFedBy: async (tag: string) => [tag, 'f44-build'],
    binaryNames: async (nvrs: readonly string[]) =>
      new Map(
        nvrs.filter((nvr) => !nvr.startsWith('gone')).map((nvr) => [nvr, [`${nvr.split('-')[0]}-libs`]]),
      ),
  },
};

test('a tag event learns which tags it feeds', async () => {
  const event = { kind: 'koji.tag', tag: 'f44', package: 'ed', nvr: 'ed-1-1', side_tag: false } as const;
  assert.ok(needsEnrichment(sources, event));
  assert.deepEqual(await enrichEvent(sources, event), { ...event, feeds: ['f44', 'f44-build'] });
  assert.equal(needsEnrichment({}, event), false);
});

test('an update learns what Bodhi knows and keeps what it said itself', async () => {
  const event = {
    kind: 'bodhi.update',
    phase: 'complete',
    alias: 'FEDORA-2026-1',
    builds: [],
    type: 'bugfix',
  } as const;
  assert.deepEqual(await enrichEvent(sources, event), {
    ...event,
    severity: 'urgent',
    release: 'F44',
    status: 'stable',
    builds: [{ nvr: 'openssl-3.2.1-2.fc44', package: 'openssl', rpms: ['openssl-libs'] }],
  });
});

test('an advisory learns its severity and builds', async () => {
  const event = { kind: 'errata.status', id: 7, embargoed: false, to: 'SHIPPED_LIVE' } as const;
  const enriched = await enrichEvent(sources, event);
  assert.deepEqual(enriched, {
    ...event,
    name: 'RHSA-2026:7-01',
    severity: 'Critical',
    content_types: ['rpm'],
    builds: [{ nvr: 'bash-5.1-2.el9', package: 'bash', rpms: ['bash-libs'] }],
  });
});

test('the builds of a pushed update learn their binary packages, one that is gone does not', async () => {
  const known = { nvr: 'ed-1-1', package: 'ed' };
  const gone = { nvr: 'gone-1-1', package: 'gone' };
  const told = { nvr: 'vim-1-1', package: 'vim', rpms: ['vim-minimal'] };
  const update = {
    kind: 'bodhi.update',
    phase: 'complete',
    alias: 'FEDORA-2026-1',
    type: 'security',
    severity: 'high',
    builds: [known, gone, told],
  } as const;
  assert.ok(needsEnrichment(sources, update));
  assert.deepEqual(await enrichEvent(sources, update), {
    ...update,
    builds: [{ ...known, rpms: ['ed-libs'] }, gone, told],
  });
  assert.equal(needsEnrichment(sources, { ...update, builds: [told] }), false);
  assert.equal(needsEnrichment(sources, { ...update, phase: 'edit' }), false);
  assert.equal(needsEnrichment({ bodhi: sources.bodhi }, update), false);
});

test('an embargoed advisory is asked about by nobody', () => {
  const event: DomainEvent = { kind: 'errata.status', id: 7, embargoed: true };
  assert.equal(needsEnrichment(sources, event), false);
});

test('what the source does not know adds nothing, what it cannot say is an error that may pass', async () => {
  const update = { kind: 'bodhi.update', phase: 'complete', builds: [] } as const;
  const unknown = { ...update, alias: 'nobody' };
  assert.deepEqual(await enrichEvent(sources, unknown), unknown);
  await assert.rejects(enrichEvent(sources, { ...update, alias: 'down' }), {
    code: 'upstream.unreachable',
    fate: 'retry',
  });
  await assert.rejects(enrichEvent(sources, { ...update, alias: 'strange' }), {
    code: 'upstream.strange_answer',
  });
  assert.equal(failures, 1);
});
