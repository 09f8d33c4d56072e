import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkRequirement, type StateSources } from '../../src/rules/require.ts';
import { nextTick } from '../../src/rules/schedule.ts';
import type { JsonObject } from '../../src/model/rule.ts';
import { quietKoji } from './quiet-koji.ts';

const sunday = new Date('2026-03-01T10:00:00Z');

async function ask(check: string, parameters: JsonObject, sources: StateSources = {}, now = sunday) {
  const state = await checkRequirement({ check, parameters }, sources, now);
  return state.met ? 'met' : state.waiting;
}

test('a time window knows days, zones and midnight', async () => {
  assert.equal(await ask('time.window', { from: '09:00', to: '17:00' }), 'met');
  assert.equal(
    await ask('time.window', { from: '09:00', to: '17:00', days: ['Mon', 'Tue'] }),
    'it is sun 10:00 UTC, outside 09:00 to 17:00 on mon, tue',
  );
  assert.equal(
    await ask('time.window', { from: '09:00', to: '10:30', zone: 'Europe/Prague' }),
    'it is sun 11:00 Europe/Prague, outside 09:00 to 10:30',
  );
  const night = { from: '22:00', to: '06:00', days: ['Sat'] };
  assert.equal(await ask('time.window', night, {}, new Date('2026-03-01T05:59:00Z')), 'met');
  assert.notEqual(await ask('time.window', night, {}, new Date('2026-03-01T23:00:00Z')), 'met');
  await assert.rejects(ask('time.window', { from: '1', to: '2', zone: 'Mars/Olympus' }), /no time zone/);
});

test('composes.finished wants every series done and none under way', async () => {
  const states = new Map([
    ['a', { finished: true, running: false }],
    ['b', { finished: true, running: true }],
    ['c', { finished: false, running: false }],
  ]);
  const composes = {
    seriesState: async (series: string) => states.get(series) ?? { finished: false, running: false },
  };
  assert.equal(await ask('composes.finished', { series: ['a'] }, { composes }), 'met');
  assert.equal(
    await ask('composes.finished', { series: ['a', 'b'] }, { composes }),
    'series b is being composed',
  );
  assert.equal(await ask('composes.finished', { series: ['b'], none_running: false }, { composes }), 'met');
  assert.equal(
    await ask('composes.finished', { series: ['c'] }, { composes }),
    'series c has no finished compose',
  );
});

test('an update is met by any of the wanted words', async () => {
  const bodhi = { updateStatus: async (alias: string) => (alias === 'X' ? null : 'testing') };
  assert.equal(await ask('bodhi.update_status', { alias: 'F', is: ['stable', 'testing'] }, { bodhi }), 'met');
  assert.equal(
    await ask('bodhi.update_status', { alias: 'X', is: 'stable' }, { bodhi }),
    'X is unknown to Bodhi, not stable',
  );
});

test('a module is ready when the newest build of each platform is', async () => {
  const states: Readonly<Record<string, readonly string[]>> = {
    f44: ['ready', 'ready'],
    f45: ['build', 'ready', 'build'],
  };
  const mbs = {
    isModuleThere: async () => true,
    newestStates: async (_module: string, platform: string) => states[platform] ?? [],
  };
  const wants = (...platforms: string[]) =>
    ask('mbs.module_ready', { module: 'nodejs:22', platforms }, { mbs });
  assert.equal(await wants('f44'), 'met');
  assert.equal(await wants('f44', 'f45', 'eln'), 'nodejs:22 is build for f45, not built for eln');
});

test('a tag is signed when every build in it is; one that has none, or is not there, is not', async () => {
  const tags = new Map([
    ['side', { builds: 2, unsigned: ['vim-1-1'] }],
    ['fine', { builds: 2, unsigned: [] }],
    ['empty', { builds: 0, unsigned: [] }],
  ]);
  const asked: (readonly string[])[] = [];
  const koji = {
    ...quietKoji,
    signaturesOfTag: async (tag: string, keys: readonly string[]) => {
      asked.push(keys);
      return tags.get(tag) ?? null;
    },
  };
  const of = (tag: string) => ask('koji.tag_signed', { tag, keys: ['6d9f90a6'] }, { koji });
  assert.equal(await of('fine'), 'met');
  assert.equal(await of('side'), 'vim-1-1 in side not signed');
  assert.equal(await of('empty'), 'nothing is in empty');
  assert.equal(await of('gone'), 'there is no tag gone');
  assert.deepEqual(asked[0], ['6d9f90a6']);
});

test('a system that is not configured is said, not passed over', async () => {
  await assert.rejects(ask('koji.no_open_builds', { tag: 'f44' }), /Koji is not configured/);
});

test('schedules are in UTC, and the next tick lies after the given moment', () => {
  assert.equal(nextTick('0 5 * * *', sunday).toISOString(), '2026-03-02T05:00:00.000Z');
  assert.equal(nextTick('0 10 * * *', sunday).toISOString(), '2026-03-02T10:00:00.000Z');
  assert.throws(() => nextTick('0 5 * *x *', sunday), /is no schedule/);
});
