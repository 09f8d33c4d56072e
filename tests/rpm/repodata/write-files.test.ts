import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { rawFilesOf } from '../../../src/rpm/header/rpm-files.ts';
import { parseRpmHeader } from '../../../src/rpm/header/rpm-header.ts';
import { isPrimaryFile } from '../../../src/rpm/primary-file.ts';
import { writeFiles } from '../../../src/rpm/repodata/write-files.ts';
import { XmlBytes } from '../../../src/rpm/repodata/xml-bytes.ts';
import { xmlText } from '../../../src/rpm/repodata/xml-of-raw.ts';
import { buildRpm, int16, int32, plainTags, strings } from '../header/build-rpm.ts';

const name = fc.oneof(
  fc.constantFrom(
    '',
    'f',
    'sendmail',
    'mail',
    'a/b',
    'n/x',
    'c/passwd',
    'bin',
    'a&b',
    'caf\xe9',
    'caf\xc3\xa9',
    '\x01',
  ),
  fc.string({ unit: 'binary-ascii', maxLength: 8 }).map((text) => text.replaceAll('\0', '')),
  fc.constant('long'.repeat(400)),
);
const directory = fc.constantFrom(
  '',
  '/',
  '/usr/bin/',
  '/usr/lib/',
  '/usr/lib/send',
  '/usr/lib',
  '/etc/',
  '/etc',
  '/et',
  'etc/',
  '/usr/libexec/sbin/x/',
  'bin/',
  'in/',
  '/a<b/',
  '/usr/bin',
  '/\xe9/bin/',
);

test('files copied from the bytes of a header are the files of the header', () => {
  const file = fc.record({
    name,
    dir: fc.nat(3),
    mode: fc.constantFrom(0o100644, 0o040755, 0o120777, 0o160000),
    flags: fc.constantFrom(0, 1 << 6, (1 << 6) | 1, 1),
  });
  const directories = fc.array(directory, { minLength: 4, maxLength: 4 });
  fc.assert(
    fc.property(directories, fc.array(file, { minLength: 1, maxLength: 12 }), (dirs, files) => {
      const main = new Map([
        ...plainTags('p'),
        [1117, strings(...files.map((file) => file.name))] as const,
        [1118, strings(...dirs)] as const,
        [1116, int32(...files.map(({ dir }) => dir))] as const,
        [1030, int16(...files.map(({ mode }) => mode))] as const,
        [1037, int32(...files.map(({ flags }) => flags))] as const,
      ]);
      const header = parseRpmHeader(buildRpm({ main }), 'case');
      const [filelists, primary] = [new XmlBytes(), new XmlBytes()];
      const own = writeFiles(header, filelists, primary)();
      const raw = rawFilesOf(header);
      const line = ({ path, type }: (typeof raw)[number]) =>
        `  <file${type === 'file' ? '' : ` type="${type}"`}>${xmlText(path)}</file>\n`;
      const inPrimary = raw.filter(({ path }) => isPrimaryFile(path));
      const written = (xml: XmlBytes) => Buffer.from(xml.view()).toString('latin1');
      assert.equal(written(filelists), raw.map(line).join(''));
      assert.equal(written(primary), inPrimary.map((file) => `  ${line(file)}`).join(''));
      assert.deepEqual(
        own,
        inPrimary.map(({ path }) => path),
      );
    }),
  );
});
