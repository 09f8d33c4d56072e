import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { findSeries, noteKeepOfRules, noteSeries } from '../../src/database/series.ts';
import { keepOfRules } from '../../src/rules/keep-of-rules.ts';
import { transaction } from '../../src/database/transaction.ts';
import { openTestDatabase } from './open-test-database.ts';

const database = await openTestDatabase();
after(() => database.close());

test('a rule that continues a series takes it over, a person does not', async () => {
  const note = (owner: string) =>
    transaction(database, (tx) => noteSeries(tx, { name: 'a', owner, readers: null }));
  const whose = async () => {
    const row = await findSeries(database.kysely, 'a');
    return [row?.owner, row?.rule];
  };
  await note('bob');
  await note('eve');
  assert.deepEqual(await whose(), ['bob', null]);
  await note('rule:nightly');
  assert.deepEqual(await whose(), ['rule:nightly', 'nightly']);
  await note('bob');
  assert.deepEqual(await whose(), ['rule:nightly', 'nightly']);
});

test('series keep what the rules that run say; those of rules that are gone keep nothing', async () => {
  const keep = { last: 3, dailyMs: null, weeklyMs: null };
  const keepOf = async (name: string) => (await findSeries(database.kysely, name))?.keep;
  for (const rule of ['one', 'two']) {
    await transaction(database, (tx) =>
      noteSeries(tx, { name: `of-${rule}`, owner: `rule:${rule}`, readers: null }),
    );
  }
  const ofOne = { name: 'one', keep, series: 'of-one' };
  await noteKeepOfRules(database.kysely, [
    ofOne,
    { name: 'two', keep: { ...keep, last: 5 }, series: 'of-%' },
  ]);
  assert.deepEqual(await keepOf('of-one'), keep);
  assert.equal((await keepOf('of-two'))?.last, 5);
  await noteKeepOfRules(database.kysely, [{ ...ofOne, keep: { ...keep, last: 4 } }]);
  assert.equal((await keepOf('of-one'))?.last, 4);
  assert.equal(await keepOf('of-two'), null);
  await noteKeepOfRules(database.kysely, []);
  assert.equal(await keepOf('of-one'), null);
});

test('a rule whose series is renamed keeps nothing more of the one before', async () => {
  const rule = (series: string | null, groupBy: readonly string[] = []) => ({
    name: 'night_ly',
    keep: { last: 3, dailyMs: null, weeklyMs: null },
    series,
    groupBy,
  });
  const names = ['night_ly', 'night_ly-f44', 'nightxly-f44', 'images-f44', 'pictures'];
  for (const name of names) {
    await transaction(database, (tx) => noteSeries(tx, { name, owner: 'rule:night_ly', readers: null }));
  }
  const keeping = async (...given: Parameters<typeof rule>): Promise<readonly string[]> => {
    await noteKeepOfRules(database.kysely, keepOfRules([rule(...given)]));
    const rows = await Promise.all(names.map((name) => findSeries(database.kysely, name)));
    return rows.flatMap((row) => (row?.keep ? [row.name] : []));
  };
  assert.deepEqual(await keeping('pictures'), ['pictures']);
  assert.deepEqual(await keeping('images-${event.release}'), ['images-f44']);
  assert.deepEqual(await keeping(null), ['night_ly']);
  assert.deepEqual(await keeping(null, ['release']), ['night_ly-f44']);
});
