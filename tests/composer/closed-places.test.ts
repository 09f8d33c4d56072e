import assert from 'node:assert/strict';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { findPart } from '../../src/composer/parts/find-part.ts';
import { openTestComposer, repoRequest, type TestComposer } from './open-test-composer.ts';
import { sharedPath } from '../shared.ts';

const small = sharedPath('odcs', 'repo');
const tree = 'compose/Temporary/x86_64/os';

let composer: TestComposer;
let openId: number;
let privateId: number;
before(async () => {
  composer = await openTestComposer();
  const request = repoRequest(small, []);
  openId = (await composer.compose(request)).id;
  privateId = (await composer.compose(request, { readers: { users: ['alice'], groups: [] } })).id;
});
after(() => composer[Symbol.asyncDispose]());

async function reasonOf(path: string): Promise<string> {
  const { state, stateReason, id } = await composer.compose(repoRequest(path, []));
  return `${state} ${stateReason ?? ''}`.replaceAll(path, 'PATH').replaceAll(`odcs-${id}`, '');
}

test('the directory of a compose that is open to everybody is a repository', async () => {
  assert.match(await reasonOf(join(composer.targetDir, `odcs-${openId}`, tree)), /^done/);
});

test('the directory of a private compose is none, for all the world as if it did not exist', async () => {
  const absent = await reasonOf(join(composer.targetDir, 'odcs-999999', tree));
  assert.match(absent, /^failed/);
  const same = (text: string): string => text.replaceAll(/odcs-\d+/g, 'odcs-N');
  assert.equal(same(await reasonOf(join(composer.targetDir, `odcs-${privateId}`, tree))), same(absent));
});

test('no link leads to a private compose', async () => {
  const link = join(composer.folder, 'link');
  symlinkSync(join(composer.targetDir, `odcs-${privateId}`), link);
  assert.match(await reasonOf(join(link, tree)), /^failed/);
  assert.match(await reasonOf(join(composer.targetDir, `latest-odcs-${privateId}-1`, tree)), /^failed/);
});

test('a private compose is no lookaside repository', async () => {
  const { state } = await composer.compose(
    repoRequest(small, ['ed'], {
      lookasideRepos: [join(composer.targetDir, `odcs-${privateId}`, tree)],
    }),
  );
  assert.equal(state, 'failed');
});

test('a definition takes no private compose as its part', async () => {
  const { targetDirs, database } = composer.context;
  const parts = { kysely: database.kysely, targetDirs };
  assert.equal((await findPart(parts, String(privateId))).id, privateId);
  assert.equal((await findPart({ ...parts, only: 'open' }, String(openId))).id, openId);
  await assert.rejects(findPart({ ...parts, only: 'open' }, String(privateId)), {
    code: 'compose.part_unknown',
    message: `There is no compose ${privateId}.`,
  });
});
