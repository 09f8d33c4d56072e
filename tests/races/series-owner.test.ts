import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { noteSeries } from '../../src/database/series.ts';
import { transaction } from '../../src/database/transaction.ts';
import { lockSeries } from '../../src/lifecycle/series-lock.ts';
import { openTestApi } from '../api/open-test-api.ts';
import { latch, untilBlockedOr } from './two-processes.ts';

const api = await openTestApi();
after(() => api[Symbol.asyncDispose]());
const call = api.withSettings({
  auth_backend: 'kerberos',
  allowed_clients: { users: { eve: {} }, groups: {} },
  allowed_source_types: ['tag'],
  allowed_sources: ['f26'],
});

test('a series that somebody takes at the same instant cannot be continued by another', async () => {
  const commit = latch();
  const isTaken = latch();
  const taking = transaction(api.database, async (tx) => {
    await lockSeries(tx.sql, 'contested');
    await noteSeries(tx, { name: 'contested', owner: 'alice', readers: null });
    isTaken.open();
    await commit.opened;
  });
  await isTaken.opened;
  const body = { source: { type: 'tag', source: 'f26' }, series: 'contested' };
  const headers = { 'X-Remote-User': 'eve@EXAMPLE.COM' };
  const asking = call('POST', '/api/1/composes/', { body, headers });
  await untilBlockedOr(api.database, asking);
  commit.open();
  await taking;
  assert.equal((await asking).status, 403);
});
