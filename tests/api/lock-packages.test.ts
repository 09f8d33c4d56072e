import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { givenCompose } from './compose-rows.ts';
import { openTestApi } from './open-test-api.ts';

const api = await openTestApi();
after(() => api[Symbol.asyncDispose]());

for (const [title, state, targetDir, status, code] of [
  ['waits', 'wait', 'default', 409, 'compose.not_done'],
  ['failed', 'failed', 'default', 409, 'compose.not_done'],
  ['was removed', 'removed', 'default', 410, 'compose.removed'],
  ['lies in a directory that is not served', 'done', 'private', 404, 'series.not_served'],
  ['is there, where no composer is', 'done', 'default', 501, 'lock.unavailable'],
] as const) {
  test(`a compose that ${title} has no lock file, and a sentence says why`, async () => {
    const id = await givenCompose(api, { state });
    await api.database.kysely
      .updateTable('composes')
      .set({ target_dir: targetDir })
      .where('id', '=', id)
      .execute();
    for (const method of ['GET', 'POST']) {
      const body = method === 'POST' ? { body: { packages: ['ed'] } } : {};
      const answer = await api.call(method, `/api/1/composes/${id}/rpms.lock.yaml`, body);
      assert.deepEqual([answer.status, answer.json['code']], [status, code], answer.text);
    }
  });
}
