import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { delegateCompose } from '../../src/composer/delegate-compose.ts';
import { findCompose } from '../../src/database/composes.ts';
import { findPungiConfigDump } from '../../src/database/pungi-config-dumps.ts';
import { transaction } from '../../src/database/transaction.ts';
import { giveUpCompose } from '../../src/lifecycle/give-up.ts';
import { beginCompose, moveHeldCompose } from '../../src/lifecycle/move-compose.ts';
import { createLog } from '../../src/log.ts';
import { givenCompose } from './asked.ts';
import { latch, openTwoProcesses, untilBlockedOr } from './two-processes.ts';

const processes = await openTwoProcesses();
const { first, second } = processes;
const targetDir = mkdtempSync(join(tmpdir(), 'odcs-races-delegate-'));
after(async () => {
  await processes[Symbol.asyncDispose]();
  rmSync(targetDir, { recursive: true, force: true });
});

const context = {
  database: first,
  log: createLog('silent'),
  targetDirs: { default: targetDir },
  targetDirUrls: { default: 'http://odcs.example.com/composes', extra: {} },
};
const identity = {
  name: 'odcs-1',
  date: '20261122',
  type: 'test',
  respin: 0,
  label: null,
  timestamp: 0,
} as const;
const pins = { source: 'fix#abc', kojiEvent: null };

/** A compose of a release that another program makes; it is made once `made` is resolved. */
async function givenDelegated() {
  const id = await givenCompose(first);
  const taken = await transaction(first, async (tx) => {
    const begun = await beginCompose(tx, id);
    assert.ok(begun);
    await moveHeldCompose(tx, begun, 'pin', { reason: null, pinned: { latestLink: 'test/latest-Made-1' } });
    return begun;
  });
  const made = latch();
  const delegate = {
    options: {},
    make: async () => {
      await made.opened;
      return {
        pungiComposeId: `Made-1-20261122.t.${id}`,
        configDump: '{"of": "the delegate"}',
        warnings: [],
      };
    },
  };
  const watch = {
    signal: new AbortController().signal,
    progress: () => undefined,
    limitTime: () => undefined,
  };
  const selection = { pins, warnings: [], remarks: [] };
  const work = { taken, delegate, selection, identity, targetDir };
  return { id, made, delegating: delegateCompose(context, work, watch) };
}

test('a compose that was ended elsewhere while another program made it stays as it was ended', async () => {
  const { id, made, delegating } = await givenDelegated();
  const refused = assert.rejects(delegating, { code: 'compose.ended_elsewhere' });
  const commit = latch();
  const hasEnded = latch();
  const ending = transaction(second, async (tx) => {
    assert.equal(await giveUpCompose(tx, id), true);
    hasEnded.open();
    await commit.opened;
  });
  await hasEnded.opened;
  made.open();
  await untilBlockedOr(first, refused);
  commit.open();
  await Promise.all([ending, refused]);
  assert.equal((await findCompose(first.kysely, id))?.state, 'failed');
  assert.equal(await findPungiConfigDump(first.kysely, id), null);
  assert.ok(!existsSync(join(targetDir, 'test/latest-Made-1')));
});

test('a compose that another attempt took while another program made it is left to that one', async () => {
  const { id, made, delegating } = await givenDelegated();
  const refused = assert.rejects(delegating, { code: 'compose.ended_elsewhere' });
  const later = await transaction(second, (tx) => beginCompose(tx, id));
  assert.ok(later);
  made.open();
  await refused;
  const compose = await findCompose(first.kysely, id);
  assert.deepEqual([compose?.state, compose?.attempt], ['generating', later.attempt]);
  assert.equal(await findPungiConfigDump(first.kysely, id), null);
});

test('a compose that nobody else ended is done once another program has made it', async () => {
  const { id, made, delegating } = await givenDelegated();
  made.open();
  await delegating;
  const compose = await findCompose(first.kysely, id);
  assert.deepEqual([compose?.state, compose?.pungiComposeId], ['done', `Made-1-20261122.t.${id}`]);
  assert.equal(await findPungiConfigDump(first.kysely, id), '{"of": "the delegate"}');
  assert.ok(existsSync(join(targetDir, 'test')));
});
