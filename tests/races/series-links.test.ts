import assert from 'node:assert/strict';
import { mkdtempSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { mendSeriesLinks, moveSeriesLinks } from '../../src/composer/series-links.ts';
import { transaction } from '../../src/database/transaction.ts';
import { createCompose } from '../../src/lifecycle/create-compose.ts';
import { beginCompose, moveHeldCompose } from '../../src/lifecycle/move-compose.ts';
import { createLog } from '../../src/log.ts';
import { defaultRequest } from '../default-request.ts';
import { latch, openTwoProcesses, untilBlockedOr } from './two-processes.ts';

const processes = await openTwoProcesses();
const { first, second } = processes;
const targetDir = mkdtempSync(join(tmpdir(), 'odcs-races-series-'));
after(async () => {
  await processes[Symbol.asyncDispose]();
  rmSync(targetDir, { recursive: true, force: true });
});

const directories = {
  targetDirs: { default: targetDir },
  targetDirUrls: { default: 'http://odcs.example.com/composes', extra: {} },
};

/** A compose of the series that an attempt is making. */
async function givenTaken() {
  const request = { ...defaultRequest, sourceType: 'tag', source: ['f44'] } as const;
  const { id } = await transaction(first, (tx) =>
    createCompose(tx, { owner: 'tester', request, priority: 'normal', series: 'nightly' }),
  );
  const taken = await transaction(first, (tx) => beginCompose(tx, id));
  assert.ok(taken);
  return taken;
}

test('a link that the janitor mends while a compose ends is not set back', async () => {
  const storage = { trouble: async () => null, isOurs: async () => true };
  const before = await givenTaken();
  await transaction(first, async (tx) => {
    await moveHeldCompose(tx, before, 'publish', { reason: 'made' });
    await moveSeriesLinks(directories, tx, before.id);
  });
  const newer = await givenTaken();
  const commit = latch();
  const hasMoved = latch();
  const ending = transaction(first, async (tx) => {
    await moveHeldCompose(tx, newer, 'publish', { reason: 'made' });
    await moveSeriesLinks(directories, tx, newer.id);
    hasMoved.open();
    await commit.opened;
  });
  await hasMoved.opened;
  const mending = mendSeriesLinks({
    ...directories,
    database: second,
    log: createLog('silent'),
    storage,
  });
  await untilBlockedOr(first, mending);
  commit.open();
  await Promise.all([ending, mending]);
  assert.equal(readlinkSync(join(targetDir, 'series/nightly/latest')), `../../odcs-${newer.id}`);
});
