import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { bytesNeeded } from '../../src/rpm/header/rpm-header.ts';
import { readPayloadFiles } from '../../src/rpm/payload-files.ts';
import { decompress } from '../../src/rpm/repodata/decompress.ts';
import { sharedPath } from '../shared.ts';

const path = sharedPath('pungi/main/koji-topdir/packages/m-libc/1.0/1/x86_64/m-libc-1.0-1.x86_64.rpm');
const rpm = readFileSync(path);
const start = bytesNeeded(rpm, path);

function withPayload(payload: Uint8Array): Buffer {
  return Buffer.concat([rpm.subarray(0, start), payload]);
}

test('the files of a payload are those that rpm lists', async () => {
  const listed = spawnSync('rpm', ['-qp', '--qf', '[%{filemodes:perms} %{filesizes} %{filenames}\n]', path], {
    encoding: 'utf8',
  });
  const recorded = listed.stdout
    .trim()
    .split('\n')
    .filter((line) => line.startsWith('-'))
    .map((line) => line.split(' ').slice(1).join(' '));
  const files = await readPayloadFiles(rpm, path, () => true);
  assert.ok(files.length > 0);
  assert.deepEqual(files.map((file) => `${file.content.length} ${file.path}`).sort(), recorded.sort());
});

test('only wanted files are given, whatever packed the payload', async () => {
  const archive = await decompress(rpm.subarray(start), 2 ** 24, path);
  const [first] = await readPayloadFiles(rpm, path, () => true);
  assert.ok(first);
  for (const payload of [archive, gzipSync(archive), zstdCompressSync(archive)]) {
    const found = await readPayloadFiles(withPayload(payload), path, (name) => name === first.path);
    assert.deepEqual(found, [first]);
  }
});

test('a payload that is cut, or no archive, is refused', async () => {
  const archive = await decompress(rpm.subarray(start), 2 ** 24, path);
  for (const payload of [archive.subarray(0, 200), Buffer.from('no archive at all'), Buffer.alloc(0)]) {
    await assert.rejects(
      readPayloadFiles(withPayload(payload), path, () => true),
      { code: 'rpm.payload_broken' },
    );
  }
  const huge = Buffer.from(archive);
  huge.write('ffffffff', 54, 'latin1');
  await assert.rejects(
    readPayloadFiles(withPayload(huge), path, () => true),
    { code: 'rpm.payload_broken' },
  );
});
