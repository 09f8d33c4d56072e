import assert from 'node:assert/strict';
import { mkdtempSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { mendReleaseLinks, moveReleaseLinks } from '../../src/composer/release-links.ts';
import type { Database } from '../../src/database/database.ts';
import { transaction } from '../../src/database/transaction.ts';
import { beginCompose, moveHeldCompose } from '../../src/lifecycle/move-compose.ts';
import { createLog } from '../../src/log.ts';
import { givenCompose } from './asked.ts';
import { latch, openTwoProcesses, untilBlockedOr } from './two-processes.ts';

const processes = await openTwoProcesses();
const { first, second } = processes;
const targetDir = mkdtempSync(join(tmpdir(), 'odcs-races-release-'));
after(async () => {
  await processes[Symbol.asyncDispose]();
  rmSync(targetDir, { recursive: true, force: true });
});

const directories = { targetDirs: { default: targetDir } };
const storage = { trouble: async () => null, isOurs: async () => true };
const linkOf = (release: string): string => readlinkSync(join(targetDir, `test/latest-${release}`));

/** A compose of a release that an attempt is making. */
async function givenTaken(release: string) {
  const id = await givenCompose(first);
  return transaction(first, async (tx) => {
    const taken = await beginCompose(tx, id);
    assert.ok(taken);
    const pinned = { pungiComposeId: `${release}-20261122.t.${id}`, latestLink: `test/latest-${release}` };
    await moveHeldCompose(tx, taken, 'pin', { reason: null, pinned });
    return taken;
  });
}

type Taken = Awaited<ReturnType<typeof givenTaken>>;

/** Ends a compose and moves its links; what has been done is not seen by others before `commit` is open. */
function endCompose(database: Database, taken: Taken, commit: Promise<void>, hasMoved: () => void) {
  return transaction(database, async (tx) => {
    await moveHeldCompose(tx, taken, 'publish', { reason: 'made' });
    await moveReleaseLinks(directories, tx, taken.compose);
    hasMoved();
    await commit;
  });
}

test('an earlier compose that ends while a later one does leaves the link with the later one', async () => {
  const [earlier, later] = [await givenTaken('Crossing-1'), await givenTaken('Crossing-1')];
  const commit = latch();
  const hasMoved = latch();
  const endingLater = endCompose(first, later, commit.opened, hasMoved.open);
  await hasMoved.opened;
  const endingEarlier = endCompose(second, earlier, Promise.resolve(), () => undefined);
  await untilBlockedOr(first, endingEarlier);
  commit.open();
  await Promise.all([endingLater, endingEarlier]);
  assert.equal(linkOf('Crossing-1'), `../odcs-${later.id}`);
});

test('a link of a release that the janitor mends while a compose ends is not set back', async () => {
  const [before, newer] = [await givenTaken('Mended-1'), await givenTaken('Mended-1')];
  await endCompose(first, before, Promise.resolve(), () => undefined);
  const commit = latch();
  const hasMoved = latch();
  const ending = endCompose(first, newer, commit.opened, hasMoved.open);
  await hasMoved.opened;
  const mending = mendReleaseLinks({ ...directories, database: second, log: createLog('silent'), storage });
  await untilBlockedOr(first, mending);
  commit.open();
  await Promise.all([ending, mending]);
  assert.equal(linkOf('Mended-1'), `../odcs-${newer.id}`);
});
