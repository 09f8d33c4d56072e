import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { formatSpan, spanOf, type Chain } from '../../src/api/chain/chain.ts';
import { findChain, type ChainStart } from '../../src/api/chain/find-chain.ts';
import { transaction, type UnitOfWork } from '../../src/database/transaction.ts';
import { createComposeOfRequest } from '../../src/lifecycle/create-compose.ts';
import { beginCompose, moveHeldCompose } from '../../src/lifecycle/move-compose.ts';
import { beginRequest } from '../../src/lifecycle/move-request.ts';
import { readRules } from '../../src/rules/reload.ts';
import { atTime } from '../database/at-time.ts';
import { defaultRequest } from '../default-request.ts';
import { Engine, ruleDirectory } from '../rules/engine.ts';
import { tagEvent } from '../rules/input-event.ts';
import { openTestApi } from './open-test-api.ts';

const api = await openTestApi();
const rule = (name: string, on: string): string => `version: 1
name: ${name}
owner: rel-eng
description: A test.
on:
${on}
settle: 1m
compose:
  source: { type: tag, source: f44 }
`;
const directory = ruleDirectory({
  'parent.yaml': rule('parent', '  - event: koji.tag'),
  'child.yaml': rule(
    'child',
    '  - event: compose.state\n    match: { system: odcs, state: done, series: parent }',
  ),
});
after(async () => {
  await api[Symbol.asyncDispose]();
  directory.remove();
});
const reading = await readRules(directory.path);
assert.ok(reading.ok);
const engine = new Engine(api.database, reading.set);
const begin = api.now;
const at = (seconds: number): Date => new Date(begin.getTime() + seconds * 1000);
const during = <T>(seconds: number, work: (tx: UnitOfWork) => Promise<T>): Promise<T> =>
  transaction(atTime(api.database, at(seconds)), work);

/** Ends the pending request of a series with a compose that is done after 40 seconds; returns both ids. */
async function answer(series: string, seconds: number) {
  const { id } = await api.database.kysely
    .selectFrom('compose_requests')
    .select('id')
    .where('series', '=', series)
    .executeTakeFirstOrThrow();
  const row = await during(seconds, (tx) => beginRequest(tx, id));
  assert.ok(row !== undefined);
  const request = { ...defaultRequest, sourceType: 'tag' as const, source: ['f44'] };
  const compose = await during(seconds, (tx) =>
    createComposeOfRequest(tx, { owner: `rule:${series}`, request, priority: 'normal' }, row),
  );
  const held = await during(seconds, (tx) => beginCompose(tx, compose.id));
  assert.ok(held !== undefined);
  const changedImages = { images: ['toolbox'], more: false };
  await during(seconds + 40, (tx) =>
    moveHeldCompose(tx, held, 'publish', { reason: null, pinned: { changedImages } }),
  );
  return { request: id, compose: compose.id };
}

const event = await engine.receive(tagEvent(), at(0));
await engine.receive(tagEvent({ nvr: 'curl-8-1', package: 'curl' }), at(10));
await engine.advance(at(80));
const parent = await answer('parent', 90);
const told = await api.database.kysely
  .selectFrom('events')
  .select('id')
  .where('bus', '=', 'internal')
  .executeTakeFirstOrThrow();
await engine.match(told.id, at(131));
await engine.advance(at(200));
const child = await answer('child', 210);

const chainOf = (kind: ChainStart['kind'], id: number): Promise<Chain> =>
  findChain(api.database.kysely, { kind, id });
const namesOf = ({ nodes }: Chain): readonly string[] =>
  nodes.map(({ name, column }) => `${column} ${name}`).sort();

test('a chain leads from events over window and request to the compose, those made of it, and images', async () => {
  const chain = await chainOf('compose', parent.compose);
  const window = chain.nodes.find(({ column }) => column === 'window');
  assert.deepEqual(namesOf(chain), [
    `child 1 image`,
    `child compose ${child.compose}`,
    `compose compose ${parent.compose}`,
    `event event ${event}`,
    `event event ${event + 1}`,
    `images 1 image`,
    `request request ${parent.request}`,
    `window ${window?.name ?? ''}`,
  ]);
  assert.equal(chain.here, `c${parent.compose}`);
  const spans = chain.edges.map((edge) => [
    `${edge.from[0]}${edge.to[0]}`,
    formatSpan(spanOf(chain, edge) ?? -1),
  ]);
  assert.deepEqual(spans.toSorted(), [
    ['cc', '2 min'],
    ['ci', '< 1 s'],
    ['ci', '< 1 s'],
    ['ew', '70 s'],
    ['ew', '80 s'],
    ['rc', '40 s'],
    ['wr', '10 s'],
  ]);
});

test('the same chain is seen from its event, its window and its request', async () => {
  const whole = await chainOf('compose', parent.compose);
  const window = Number(whole.nodes.find(({ column }) => column === 'window')?.key.slice(1));
  for (const [kind, id] of [
    ['window', window],
    ['request', parent.request],
  ] as const) {
    assert.deepEqual(namesOf(await chainOf(kind, id)), namesOf(whole), kind);
  }
  const ofEvent = await chainOf('event', event);
  assert.deepEqual(
    namesOf(ofEvent),
    namesOf(whole).filter((name) => name !== `event event ${event + 1}`),
  );
});

test('a compose made of another one says so', async () => {
  const chain = await chainOf('compose', child.compose);
  const cause = chain.nodes.find(({ column }) => column === 'event');
  assert.deepEqual(
    [cause?.name, cause?.path],
    [`compose ${parent.compose}`, `/console/composes/${parent.compose}`],
  );
});

test('only a compose of this service is shown for the event that tells of it', async () => {
  for (const [serial, state] of [
    { system: 'pungi' as const, id: '17', state: 'FINISHED' },
    { system: 'odcs' as const, id: 'of-elsewhere', state: 'done' },
  ].entries()) {
    const id = await engine.receive({ kind: 'compose.state', ...state }, at(300 + serial));
    const [node] = (await chainOf('event', id)).nodes;
    assert.deepEqual([node?.name, node?.path], [`event ${id}`, `/console/events/${id}`]);
  }
});

test('the pages of all of them show the chain, drawn and as words', async () => {
  const whole = await chainOf('compose', parent.compose);
  const window = whole.nodes.find(({ column }) => column === 'window');
  for (const path of [
    `/console/events/${event}`,
    window?.path ?? '',
    `/console/requests/${parent.request}`,
    `/console/composes/${parent.compose}`,
  ]) {
    const { status, text } = await api.call('GET', path);
    assert.equal(status, 200, path);
    assert.match(text, /<svg[^>]+class="chain"/, path);
    assert.match(text, new RegExp(`<desc id="chain-words">[^<]*led to compose ${parent.compose}`), path);
    assert.match(text, /<ol class="chain-list">/, path);
    // An event has no state: no colour, no sign, and a title of two lines.
    assert.match(
      text,
      /class="fill-none"[^]*?<text class="title"[^>]*>[^<]+<\/text>\s*<text class="soft"/,
      path,
    );
    assert.match(text, /class="fill-good"[^]*?<text class="good"[^>]*>✓ done<\/text>/, path);
    assert.doesNotMatch(text, /class="fill-calm"|– null/, path);
  }
  assert.equal((await api.call('GET', '/console/windows/99999')).status, 404);
  assert.equal((await api.call('GET', '/console/requests/99999')).status, 404);
});

/** The edges of a drawing that have a span: where they begin and end, and where it is written. */
function labelledEdges(text: string) {
  const pattern =
    /d="M(\S+) (\S+)C[^"]* (\S+) (\S+)"\s*\/><text class="scale" x="\S+" y="(\S+)" text-anchor="(\w+)"/g;
  return [...text.matchAll(pattern)].map(([, , beginY, , endY, y, anchor]) => {
    const [begin, end] = [Number(beginY), Number(endY)];
    const [own, other] = anchor === 'end' ? [end, begin] : [begin, end];
    return { own, other, y: Number(y) };
  });
}

test('no edge of a chain is drawn through the span that is written at it', async () => {
  const { text } = await api.call('GET', `/console/composes/${parent.compose}`);
  const edges = labelledEdges(text);
  assert.ok(edges.some(({ own, other }) => own > other));
  assert.ok(edges.some(({ own, other }) => own < other));
  for (const { own, other, y } of edges) assert.equal(y > own, own > other);
});

test('spans are told in the unit that fits', () => {
  const told = [200, 42_000, 600_000, 11_100_000, 7_200_000, 200_000_000].map(formatSpan);
  assert.deepEqual(told, ['< 1 s', '42 s', '10 min', '3 h 5 min', '2 h', '2 d']);
});
