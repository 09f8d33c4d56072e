import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { addPrimary } from '../../../src/composer/gather/add-packages.ts';
import { addRecords } from '../../../src/composer/gather/add-records.ts';
import { completeFiles } from '../../../src/composer/gather/complete-files.ts';
import { GatherIndex } from '../../../src/composer/gather/gather-index.ts';
import { ReactorError } from '../../../src/model/errors.ts';
import { decodeRaw } from '../../../src/rpm/header/header-blob.ts';
import { readRpmFile } from '../../../src/rpm/header/read-rpm-header.ts';
import { rawFilesOf } from '../../../src/rpm/header/rpm-files.ts';
import { parseRpmHeader, type RpmHeader } from '../../../src/rpm/header/rpm-header.ts';
import { encodeRecord } from '../../../src/rpm/record-bytes.ts';
import { recordOf } from '../../../src/rpm/record-of.ts';
import { makeFragments } from '../../../src/rpm/repodata/make-fragments.ts';
import { buildRpm, int32, plainTags, strings, int16 } from '../../rpm/header/build-rpm.ts';
import { sharedPath } from '../../shared.ts';

interface TestRpm {
  readonly header: RpmHeader;
  readonly pkgid: string;
  readonly size: number;
}

const trees = [sharedPath('pungi/repos'), sharedPath('pungi/koji-topdir'), sharedPath('odcs/repo')];
const recorded = trees
  .flatMap((tree) =>
    readdirSync(tree, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.rpm'))
      .map((name) => join(tree, name)),
  )
  .map((path): TestRpm => readRpmFile(path));

/** Requires and provides of every kind, and paths that XML has to escape. */
const odd: TestRpm = {
  header: parseRpmHeader(
    buildRpm({
      main: new Map([
        ...plainTags('odd'),
        [1049, strings('rpmlib(x)', 'a&b', 'pre', '/usr/sbin/z', 'l', 'g', 'le', 'ge', 'e', 'bare')],
        [1048, int32(8, 12, 512, 0, 2, 4, 10, 12, 8, 12)],
        [1050, strings('1', '2:1-3', '', '', '1', '0:1-1', ':1', '3:-1', '1-', '')],
        [1047, strings('odd', '(x)', 'new')],
        [1112, int32(8, 0, 12)],
        [1113, strings('1.0-1', '', '5:1~rc1^git<2>-1')],
        [1117, strings('f', 'café', '', 'a"b<c>', 'later', 'sendmail')],
        [1118, strings('/usr/bin/', '/etc/', '/opt/', '/usr/lib/')],
        [1116, int32(0, 0, 1, 1, 2, 3)],
        [1030, int16(0o100644, 0o100644, 0o40755, 0o100644, 0o100644, 0o120777)],
        [1037, int32(0, 64, 64, 0, 0, 0)],
      ]),
    }),
    'odd.rpm',
  ),
  pkgid: 'f'.repeat(64),
  size: 5 * 2 ** 31,
};

const rpms = [...new Map([...recorded, odd].map((rpm) => [rpm.pkgid, rpm])).values()];
const filesOf = ({ header }: TestRpm): string[] => rawFilesOf(header).map(({ path }) => decodeRaw(path));
const locatedOf = ({ header, pkgid, size }: TestRpm) => ({
  record: encodeRecord(recordOf(header)),
  pkgid,
  href: `${pkgid.slice(0, 4)}+ž.rpm`,
  size,
});

function xmlOf(kind: 'primary' | 'filelists', list: readonly TestRpm[]): Buffer {
  const pieces = list.map((rpm) => {
    const made = makeFragments(rpm.header, { ...rpm, fileTime: 1 });
    if (kind === 'filelists') return Buffer.from(made.filelists);
    const location = Buffer.from(`<location href="${locatedOf(rpm).href}"/>\n`);
    const { primary, locationOffset } = made;
    return Buffer.concat([primary.subarray(0, locationOffset), location, primary.subarray(locationOffset)]);
  });
  const root = kind === 'primary' ? 'metadata' : 'filelists';
  const head = `<${root} xmlns="http://linux.duke.edu" xmlns:rpm="http://linux.duke.edu/rpm">`;
  return Buffer.concat([Buffer.from(head), ...pieces, Buffer.from(`</${root}>`)]);
}

function newIndex(): GatherIndex {
  const index = new GatherIndex();
  index.addRepository({ name: 'test', isLookaside: false });
  return index;
}

/** Everything that an index says of its packages, by checksum. */
function contentOf(index: GatherIndex): Map<string, unknown> {
  const { columns, dependencies, strings } = index;
  const textOf = (id: number): string | null => (id < 0 ? null : strings.get(id));
  const described = Array.from({ length: index.count }, (_, id): [string, unknown] => {
    const requires = [];
    for (let at = columns.requiresFrom.at(id); at < columns.requiresTo.at(id); at += 1) {
      const dependency = columns.requires.at(at);
      requires.push([
        textOf(dependencies.nameOf(dependency)),
        dependencies.flagOf(dependency),
        textOf(dependencies.evrOf(dependency)),
      ]);
    }
    const provides = [];
    for (let at = 0; at < columns.provideName.length; at += 1) {
      if (columns.provideOwner.at(at) !== id) continue;
      const evr = textOf(columns.provideEvr.at(at));
      provides.push([textOf(columns.provideName.at(at)), columns.provideFlag.at(at), evr]);
    }
    const sourceNvr = textOf(columns.sourceNvr.at(id));
    const facts = [index.nevraOf(id), index.sourceRpmOf(id), index.locationOf(id), index.sizeOf(id)];
    return [
      index.pkgidOf(id),
      [...facts, sourceNvr, columns.isDebug.at(id), columns.hasRuntimeFile.at(id), requires, provides.sort()],
    ];
  });
  return new Map(described);
}

test('records put into an index what the primary.xml of the same packages puts there', async () => {
  const ofXml = newIndex();
  const primary = xmlOf('primary', rpms);
  await addPrimary(ofXml, 0, [primary], 'primary.xml', primary.length);
  const ofRecords = newIndex();
  addRecords(ofRecords, 0, rpms.map(locatedOf));
  assert.equal(ofXml.count, rpms.length);
  const expected = contentOf(ofXml);
  assert.deepEqual([...contentOf(ofRecords)].sort(), [...expected].sort());
});

test('records with files put there what primary.xml and filelists do', async () => {
  const ofXml = newIndex();
  const primary = xmlOf('primary', rpms);
  await addPrimary(ofXml, 0, [primary], 'primary.xml', primary.length);
  const content = xmlOf('filelists', rpms);
  const source = { repository: 0, where: 'filelists', readFilelists: () => [content] };
  await completeFiles(ofXml, [source]);
  const ofRecords = newIndex();
  addRecords(
    ofRecords,
    0,
    rpms.map((rpm) => ({ ...locatedOf(rpm), files: filesOf(rpm) })),
  );
  // Of source packages no requirement asks for files.
  const binary = (index: GatherIndex): Map<string, unknown> =>
    new Map(
      Array.from(contentOf(index)).filter(
        ([pkgid]) => !index.packagesByPkgid(pkgid).some((id) => index.isSource(id)),
      ),
    );
  assert.deepEqual([...binary(ofRecords)].sort(), [...binary(ofXml)].sort());
  assert.deepEqual(
    [...ofRecords.answeredPaths].map((id) => ofRecords.strings.get(id)).sort(),
    [...ofXml.answeredPaths].map((id) => ofXml.strings.get(id)).sort(),
  );
});

test('records without files leave what was asked of files to be asked again', () => {
  const index = newIndex();
  addRecords(index, 0, [{ ...locatedOf(odd), files: filesOf(odd) }]);
  assert.ok(index.answeredPaths.size > 0);
  addRecords(index, 0, rpms.slice(0, 1).map(locatedOf));
  assert.equal(index.answeredPaths.size, 0);
});

test('a record without name, arch or version is refused', () => {
  for (const field of ['name', 'arch', 'version']) {
    const record = encodeRecord({ ...recordOf(odd.header), [field]: '' });
    assert.throws(
      () => addRecords(newIndex(), 0, [{ ...locatedOf(odd), record }]),
      (error) => error instanceof ReactorError && error.code === 'gather.record_invalid',
    );
  }
});
