import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { findSeries, noteKeepOfRules, noteSeries } from '../../src/database/series.ts';
import { transaction } from '../../src/database/transaction.ts';
import { openTestDatabase } from './open-test-database.ts';

const database = await openTestDatabase();
after(() => database.close());

test('a rule that continues a series takes it over, a person does not', async () => {
  const note = (owner: string) =>
    transaction(database, (tx) => noteSeries(tx, { name: 'a', owner, readers: null }));
  const whose = async () => {
    const row = await findSeries(database.handle, 'a');
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
  const keepOf = async (name: string) => (await findSeries(database.handle, name))?.keep;
  for (const rule of ['one', 'two']) {
    await transaction(database, (tx) =>
      noteSeries(tx, { name: `of-${rule}`, owner: `rule:${rule}`, readers: null }),
    );
  }
  await noteKeepOfRules(database.handle, [
    { name: 'one', keep },
    { name: 'two', keep: { ...keep, last: 5 } },
  ]);
  assert.deepEqual(await keepOf('of-one'), keep);
  assert.equal((await keepOf('of-two'))?.last, 5);
  await noteKeepOfRules(database.handle, [{ name: 'one', keep: { ...keep, last: 4 } }]);
  assert.equal((await keepOf('of-one'))?.last, 4);
  assert.equal(await keepOf('of-two'), null);
  await noteKeepOfRules(database.handle, []);
  assert.equal(await keepOf('of-one'), null);
});
