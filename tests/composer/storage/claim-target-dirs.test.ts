import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { claimTargetDirs } from '../../../src/composer/storage/claim-target-dirs.ts';
import { MARKER, readMarker, writeMarker } from '../../../src/composer/storage/storage-marker.ts';
import { findServiceId } from '../../../src/database/service-identity.ts';
import { createLog } from '../../../src/log.ts';
import { openTestComposer, repoRequest } from '../open-test-composer.ts';

const composer = await openTestComposer();
const { kysely } = composer.context.database;
const folder = mkdtempSync(join(tmpdir(), 'odcs-storage-'));
after(async () => {
  rmSync(folder, { recursive: true });
  await composer[Symbol.asyncDispose]();
});

let made = 0;
const newPath = (): string => join(folder, String((made += 1)));

function claim(directory: string, more: { service?: string; isTakingOver?: boolean } = {}): Promise<void> {
  const context = { kysely, log: createLog('silent'), service: 'mine', isTakingOver: false, ...more };
  return claimTargetDirs(context, { default: directory });
}

function givenDirectory(...entries: readonly string[]): string {
  const directory = newPath();
  mkdirSync(directory);
  for (const entry of entries) mkdirSync(join(directory, entry));
  return directory;
}

test('a service keeps its id, and has one only', async () => {
  const [first, second] = await Promise.all([
    findServiceId(kysely, new Date(1)),
    findServiceId(kysely, new Date(2)),
  ]);
  assert.equal(first, second);
});

test('a directory that does not exist is made and marked, and is known again', async () => {
  const directory = join(newPath(), 'deep');
  await claim(directory);
  assert.equal(await readMarker(directory), 'mine');
  await claim(directory);
  assert.deepEqual(readdirSync(directory), [MARKER]);
});

test('what lies in a directory beside composes does not matter', async () => {
  const directory = givenDirectory('.packages', 'lost+found', 'other');
  await claim(directory);
  assert.equal(await readMarker(directory), 'mine');
});

test('the directory of another service is refused with both ways out, unless it is taken over', async () => {
  const directory = givenDirectory();
  await writeMarker(directory, 'theirs');
  await assert.rejects(claim(directory), ({ code, message, hint, where, fate }: Record<string, string>) => {
    assert.deepEqual([code, where, fate], ['storage.foreign', directory, 'halt']);
    assert.match(message ?? '', /"default" belongs to another service, theirs/);
    assert.match(hint ?? '', /serve --take-over/);
    return true;
  });
  await claim(directory, { isTakingOver: true });
  assert.equal(await readMarker(directory), 'mine');
  assert.deepEqual(readdirSync(directory), [MARKER]);
});

test('of two services that claim a directory at once one is refused', async () => {
  const directory = givenDirectory();
  const claims = await Promise.allSettled(
    ['one', 'two', 'three'].map((service) => claim(directory, { service })),
  );
  assert.equal(claims.filter(({ status }) => status === 'fulfilled').length, 1);
});

test('composes without a marker are adopted where the database knows them all, and refused otherwise', async () => {
  const compose = await composer.insert(repoRequest('/srv/repo', ['ed']));
  const known = givenDirectory(`odcs-${compose.id}`, `.odcs-${compose.id}.ab12.building`);
  await claim(known);
  assert.equal(await readMarker(known), 'mine');
  const unknown = givenDirectory(`odcs-${compose.id}`, 'odcs-900');
  await assert.rejects(claim(unknown), { code: 'storage.composes_unknown', where: unknown, fate: 'halt' });
  assert.deepEqual(readdirSync(unknown).sort(), ['odcs-900', `odcs-${compose.id}`].sort());
});

test('an empty directory where composes should lie is taken for one that is not mounted', async () => {
  const directory = givenDirectory();
  const { id } = await composer.insert(repoRequest('/srv/repo', ['ed']));
  await kysely.updateTable('composes').set({ state: 'done' }).where('id', '=', id).execute();
  await assert.rejects(claim(directory), { code: 'storage.not_mounted', fate: 'halt' });
  assert.equal(existsSync(join(directory, MARKER)), false);
  await claim(directory, { isTakingOver: true });
});

test('a marker that cannot be understood is somebody else', async () => {
  const directory = givenDirectory();
  writeFileSync(join(directory, MARKER), 'x'.repeat(10_000));
  await assert.rejects(claim(directory), { code: 'storage.foreign' });
});

test('a place that is no directory is refused with a sentence', async () => {
  const file = newPath();
  writeFileSync(file, '');
  await assert.rejects(claim(file), { code: 'storage.unusable', where: file, fate: 'halt' });
});
