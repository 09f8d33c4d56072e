import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { completeFiles } from '../../../src/composer/gather/complete-files.ts';
import {
  fileSourcesOf,
  gatherWithFiles,
  loadRepositories,
} from '../../../src/composer/gather/load-repositories.ts';
import { isRuntimePath } from '../../../src/composer/gather/multilib-methods.ts';
import { writeRepository, type UniverseRecord } from '../../universe-repository.ts';

const directory = mkdtempSync(join(tmpdir(), 'complete-files-'));
after(() => rmSync(directory, { recursive: true }));

function record(name: string, arch: string, rest: Partial<UniverseRecord>): UniverseRecord {
  return {
    name,
    arch,
    epoch: '0',
    version: '1',
    release: '1',
    sourcerpm: `${name}-1-1.src.rpm`,
    provides: [],
    requires: [],
    files: [],
    ...rest,
  };
}

async function* records(): AsyncGenerator<UniverseRecord> {
  yield record('tool', 'x86_64', { files: [['/usr/bin/tool', 'file', 1]] });
  yield record('user', 'aarch64', { requires: ['/usr/bin/tool'] });
}

test('files are read once for all that an index is asked, also for paths that only another arch has', async () => {
  await writeRepository(records(), directory);
  const loaded = await loadRepositories({}, [{ location: directory, isLookaside: false }]);
  let reads = 0;
  const sources = fileSourcesOf(loaded).map((source) => ({
    ...source,
    readFilelists: () => {
      reads += 1;
      return source.readFilelists();
    },
  }));
  for (let time = 0; time < 3; time += 1) {
    const result = await gatherWithFiles({}, loaded.index, sources, { arch: 'aarch64', packages: ['user'] });
    assert.deepEqual(
      result.unresolved.map(({ by }) => loaded.index.nameOf(by)),
      ['user'],
    );
  }
  assert.equal(reads, 1);
});

test('files of a filelists.xml that is not whole are not taken in', async () => {
  async function* ofFiles(): AsyncGenerator<UniverseRecord> {
    yield record('tool', 'x86_64', { files: [['/usr/share/tool', 'file', 1]] });
    yield record('user', 'x86_64', { requires: ['/usr/share/tool'] });
  }
  await writeRepository(ofFiles(), directory);
  const { index, repositories } = await loadRepositories({}, [{ location: directory, isLookaside: false }]);
  const before = index.columns.provideName.length;
  async function* readBroken(): AsyncGenerator<Buffer> {
    yield Buffer.from('<filelists>\n');
    for (let id = 0; id < index.count; id += 1) {
      const files = '<file>/usr/share/tool</file><file>/usr/lib/libx.so.1</file>';
      yield Buffer.from(`<package pkgid="${index.pkgidOf(id)}">${files}</package>\n`);
    }
    throw new Error('the checksum differs');
  }
  const source = { repository: 0, where: 'filelists', readFilelists: readBroken };
  await assert.rejects(completeFiles(index, [source]), /the checksum differs/);
  assert.equal(index.columns.provideName.length, before);
  assert.deepEqual([...index.columns.hasRuntimeFile.used()], [-1, -1]);
  await completeFiles(index, fileSourcesOf({ index, repositories }));
  assert.equal(index.columns.provideName.length, before + 1);
});

test('files of a package that two repositories have are those of the repository that lists them', async () => {
  await writeRepository(records(), directory);
  const places = [
    { location: directory, isLookaside: true },
    { location: directory, isLookaside: false },
  ];
  const loaded = await loadRepositories({}, places);
  const { index } = loaded;
  const [, second] = fileSourcesOf(loaded);
  assert.ok(second);
  await completeFiles(index, [second]);
  const read = Array.from({ length: index.count }, (_, id) => id)
    .filter((id) => index.columns.hasRuntimeFile.at(id) >= 0)
    .map((id) => index.columns.repository.at(id));
  assert.deepEqual(new Set(read), new Set([second.repository]));
});

test('the files of the runtime method are told from their neighbours', () => {
  const paths = [
    '/usr/lib/gtk-2.0/2.10.0/engines/libx.so',
    '/usr/lib/gstreamer-1.0/libx.so',
    '/usr/lib64/qt5/plugins/x.so',
    '/usr/lib/kde4/plugins/x/y.so',
    '/usr/lib/qt5/qml/Qt/x.so',
    '/usr/lib/gdk-pixbuf-2.0/2.10.0/loaders/x.so',
    '/usr/lib/xine/plugins/2.0/x.so',
    '/usr/lib/oprofile/libx.so.1',
    '/usr/lib/wine/x.so',
    '/usr/lib/sane/libsane-x.so',
    '/usr/lib/libx.so.1',
    '/etc/ld.so.conf.d/x.conf',
    '/lib/security/pam_x.so',
  ];
  assert.deepEqual(
    paths.filter((path) => !isRuntimePath(path)),
    [],
  );
  const others = ['/usr/lib/libx.so', '/usr/lib/qt5/bin/x', '/usr/share/wine/x.so', '/usr/lib/python3/x.py'];
  assert.deepEqual(others.filter(isRuntimePath), []);
});
