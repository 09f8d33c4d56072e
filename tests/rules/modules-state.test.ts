// Runs once: MBS is asked, no database.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { modulesState } from '../../src/rules/modules-state.ts';
import { connectMbs } from '../../src/upstream/mbs.ts';
import { readMbsItems, startFakeMbs, type MbsItem } from '../upstream/fake-mbs.ts';

const READY = 5;
const BUILD = 2;
const recorded = readMbsItems('fixture');

/** A recorded build of basket for f41, changed. */
function ofBasket(change: Partial<Record<string, unknown>>): MbsItem {
  const item = recorded.find(({ id }) => id === 102) ?? assert.fail('basket was not recorded');
  return { ...item, ...change };
}

const cases: readonly [string, readonly MbsItem[], [string, string], readonly string[]][] = [
  ['the newest version of a platform counts, not an older one', [], ['basket:1.10', 'f42'], ['ready']],
  ['all contexts of it count', [], ['elder:1', 'f42'], ['ready', 'ready']],
  ['a build that is only done is not ready', [], ['apple:main', 'f42'], ['done']],
  ['a platform that it was not built for has none', [], ['elder:1', 'f41'], []],
  [
    'a newer build that goes on is what counts',
    [ofBasket({ id: 901, version: '4220990101120000', state: BUILD })],
    ['basket:1.10', 'f41'],
    ['build'],
  ],
  [
    'a newer scratch build does not count',
    [ofBasket({ id: 902, version: '4220990101120000', state: BUILD, scratch: true })],
    ['basket:1.10', 'f41'],
    ['ready'],
  ],
  [
    'one that became garbage does not count',
    [ofBasket({ id: 903, version: '4220990101120000', state: 6 })],
    ['basket:1.10', 'f41'],
    ['ready'],
  ],
];
for (const [title, more, [module, platform], expected] of cases) {
  test(title, async (context) => {
    const mbs = await startFakeMbs(context, [...recorded, ...more]);
    assert.deepEqual(
      await modulesState(connectMbs({ url: mbs.url })).newestStates(module, platform),
      expected,
    );
  });
}

test('no more is read than the newest version', async (context) => {
  const many = Array.from({ length: 300 }, (_nothing, index) =>
    ofBasket({ id: 1000 + index, version: String(4220250201000000 + index), state: READY }),
  );
  const mbs = await startFakeMbs(context, many);
  assert.deepEqual(await modulesState(connectMbs({ url: mbs.url })).newestStates('basket:1.10', 'f41'), [
    'ready',
  ]);
  assert.equal(mbs.queries.length, 1);
});
