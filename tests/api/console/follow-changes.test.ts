import assert from 'node:assert/strict';
import { after, beforeEach, test } from 'node:test';
import { ChangeWatch } from '../../../src/api/change-watch.ts';
import { insertDecisions } from '../../../src/database/decisions.ts';
import { lookAtChanges, type Change, type ChangeSubject } from '../../../src/database/look-at-changes.ts';
import { pauseRule, resumeRule } from '../../../src/database/rule-pauses.ts';
import { noteRunningSet } from '../../../src/database/rule-sets.ts';
import { transaction } from '../../../src/database/transaction.ts';
import { storeEvent } from '../../rules/engine.ts';
import { tagEvent } from '../../rules/input-event.ts';
import { changeCompose, givenCompose } from '../compose-rows.ts';
import { hearChanges } from '../hear-changes.ts';
import { openTestApi } from '../open-test-api.ts';

const api = await openTestApi();
after(() => api[Symbol.asyncDispose]());
const { kysely } = api.database;
beforeEach(() => {
  api.now = new Date(api.now.getTime() + 60_000);
});

const EVERYTHING = 'of=composes,progress,events,decisions,rules&since=9999999999999';
const pause = (rule: string): Promise<void> =>
  pauseRule(kysely, { rule, by: 'alice', reason: 'a test', now: api.now });
let progress = 0;

const changes: Readonly<Record<string, readonly [ChangeSubject, () => Promise<unknown>]>> = {
  'a compose that is asked for': ['composes', () => givenCompose(api)],
  'how far a compose is': [
    'progress',
    async () => {
      progress += 1;
      const told = JSON.stringify({ stage: 'repodata', done: progress, total: 9, unit: 'packages' });
      await changeCompose(api, running, { progress: told });
    },
  ],
  'an event that came in': ['events', () => storeEvent(api.database, tagEvent({ tag: 'f44' }), api.now)],
  'an event that the rules have seen': [
    'events',
    () => kysely.updateTable('events').set({ matched_at: api.now }).where('matched_at', 'is', null).execute(),
  ],
  'a decision': [
    'decisions',
    () =>
      transaction(api.database, ({ sql }) =>
        insertDecisions(sql, [
          {
            at: api.now,
            rule: 'nightly',
            ruleSet: 'v1',
            eventId: null,
            windowId: null,
            requestId: null,
            composeId: null,
            outcome: 'not_ready',
            why: 'Waits.',
            trail: [],
          },
        ]),
      ),
  ],
  'a rule that is paused': ['rules', () => pause('nightly')],
  'a rule that goes on': ['rules', () => resumeRule(kysely, 'nightly')],
  'another set of rules': [
    'rules',
    () => noteRunningSet(kysely, { version: 'v2', documents: [], problems: [] }, api.now),
  ],
};
const running = await givenCompose(api, { state: 'generating' });
await storeEvent(api.database, tagEvent({ tag: 'f43' }), api.now);

for (const [what, [subject, change]] of Object.entries(changes)) {
  test(`a page that is open is told of ${what}, by its subject alone`, async () => {
    await using heard = await hearChanges(api.context, EVERYTHING);
    // What was there before the first look counts as changed.
    await heard.until('composes');
    await change();
    assert.deepEqual([...(await heard.until(subject))], [subject]);
  });
}

test('a page hears what changed between its making and its stream, and nothing older', async () => {
  await using first = await hearChanges(api.context, EVERYTHING);
  await first.until('composes');
  const made = new Date(api.now.getTime() + 1_000);
  api.now = new Date(made.getTime() + 1_000);
  await pause('between');
  await first.until('rules');
  const of = 'of=composes,rules';
  await using late = await hearChanges(api.context, `${of}&since=${made.getTime()}`);
  assert.deepEqual([...(await late.until('rules'))], ['rules']);
  await using later = await hearChanges(api.context, `${of}&since=${api.now.getTime() + 1}`);
  await givenCompose(api);
  assert.deepEqual([...(await later.until('composes'))], ['composes']);
  await resumeRule(kysely, 'between');
});

test('500 open pages cost one look at a time, and none once they are closed', async () => {
  let looks = 0;
  let atOnce = 0;
  using watch = new ChangeWatch({
    look: async () => {
      looks += 1;
      atOnce += 1;
      assert.equal(atOnce, 1);
      const found = await lookAtChanges(kysely);
      atOnce -= 1;
      return found;
    },
    now: () => api.now,
    onError: (error) => assert.fail(String(error)),
    interval: 200,
  });
  const context = { ...api.context, changes: watch };
  const pages = await Promise.all(
    Array.from({ length: 500 }, () => hearChanges(context, 'of=rules,composes&since=0')),
  );
  await Promise.all(pages.map(({ until }) => until('composes')));
  const [before, began] = [looks, performance.now()];
  await pause('crowd');
  await Promise.all(pages.map(({ until }) => until('rules')));
  const most = Math.ceil((performance.now() - began) / 200) + 1;
  assert.ok(looks - before <= most, `${looks - before} looks`);
  await resumeRule(kysely, 'crowd');
  await Promise.all(pages.map((page) => page[Symbol.asyncDispose]()));
  const left = looks;
  await new Promise((resolve) => setTimeout(resolve, 500));
  assert.ok(looks - left <= 1);
});

test('a look that fails is made again', async () => {
  const failures: unknown[] = [];
  let isFirst = true;
  using watch = new ChangeWatch({
    look: async () => {
      if (!isFirst) return lookAtChanges(kysely);
      isFirst = false;
      throw new Error('the database is away');
    },
    now: () => api.now,
    onError: (error) => failures.push(error),
    interval: 2,
  });
  await using heard = await hearChanges({ ...api.context, changes: watch }, 'of=composes&since=0');
  await heard.until('composes');
  assert.equal(failures.length, 1);
});

test('an address that does not say of what and since when is refused', async () => {
  const ask = async (query: string): Promise<readonly unknown[]> => {
    const { status, json } = await api.call('GET', `/console/changes${query}`);
    return [status, json['code']];
  };
  const refused = [400, 'request.invalid_query'];
  assert.deepEqual(await ask(''), refused);
  assert.deepEqual(await ask('?of=composes'), refused);
  assert.deepEqual(await ask('?of=composes,secrets&since=0'), refused);
  assert.deepEqual(await ask('?of=composes&since=yesterday'), refused);
  assert.deepEqual(await ask('?of=composes&since=0&rule=nightly'), [400, 'request.unknown_query']);
});

for (const [page, subjects] of [
  ['/', 'composes,progress,decisions,rules'],
  ['/console/composes', 'composes,progress'],
  ['/console/series', 'composes'],
  ['/console/events', 'events'],
  ['/console/rules', 'rules'],
] as const) {
  test(`${page} is live`, async () => {
    const { text } = await api.call('GET', page);
    const since = api.now.getTime();
    assert.ok(text.includes(`data-changes="/console/changes?of=${subjects}&amp;since=${since}"`), page);
  });
}

test('a look that was asked for before everybody left tells those who came later nothing', async () => {
  const change = (key: string): Change => ({ subject: 'rules', key, private_to: [], is_embargoed: false });
  const slow = Promise.withResolvers<readonly Change[]>();
  const begun = Promise.withResolvers<void>();
  const again = Promise.withResolvers<void>();
  let looks = 0;
  using watch = new ChangeWatch({
    look: () => {
      looks += 1;
      if (looks === 1) begun.resolve();
      if (looks === 4) again.resolve();
      return looks === 1 ? slow.promise : Promise.resolve([change('old'), change('new')]);
    },
    now: () => api.now,
    onError: (error) => assert.fail(String(error)),
    interval: 1,
  });
  const leave = watch.follow(api.now, () => assert.fail('told after leaving'));
  await begun.promise;
  leave();
  const told: string[] = [];
  const isTold = new Promise<void>((resolve) => {
    watch.follow(api.now, (changes) => {
      told.push(...changes.map(({ key }) => key));
      resolve();
    });
  });
  await isTold;
  slow.resolve([change('old')]);
  await again.promise;
  assert.deepEqual(told, ['old', 'new']);
});
