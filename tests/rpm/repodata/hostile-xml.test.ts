import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertLinear } from '../../fuzz/growth.ts';
import { listXmlShapes } from '../../fuzz/xml-shapes.ts';
import { GatherIndex } from '../../../src/composer/gather/gather-index.ts';
import { addPrimary } from '../../../src/composer/gather/add-packages.ts';
import { parseRepomd } from '../../../src/rpm/repodata/repomd.ts';

const LARGEST = 128 * 1024;

test('the time for a byte does not grow with the file, whatever stands in it', async () => {
  let shapes = 0;
  for (const shape of listXmlShapes()) {
    await assertLinear(shape, { from: 8 * 1024, to: LARGEST });
    shapes += 1;
  }
  assert.ok(shapes > 500);
});

async function readPrimary(inside: string): Promise<void> {
  const index = new GatherIndex();
  const content = Buffer.from(`<metadata><package type="rpm">${inside}</package></metadata>`);
  const repository = index.addRepository({ name: 'test', isLookaside: false });
  await addPrimary(index, repository, [content], 'primary.xml', content.length);
}

const whole = `<name>a</name><arch>noarch</arch><version epoch="0" ver="1" rel="2"/>
<checksum type="sha256" pkgid="YES">01</checksum><location href="a.rpm"/>`;

test('a tag, a text and a depth beyond all reason are refused with their place', async () => {
  const cases: readonly [string, RegExp][] = [
    [`${whole}<location x="${'x'.repeat(65_536)}" href="a.rpm"/>`, /A tag has more than 65536 bytes/],
    [`${whole}<location ${'x="" '.repeat(20_000)}`, /A tag has more than 65536 bytes/],
    [`${whole}<description >${'x'.repeat(2_000_000)}</description>`, /more than 1048576 bytes of text/],
    [`${whole}<a >${'<a>'.repeat(100)}`, /Elements lie more than 64 deep/],
  ];
  for (const [inside, message] of cases) {
    await assert.rejects(
      () => readPrimary(inside),
      (error: unknown) => {
        assert.ok(error instanceof Error && 'code' in error && 'where' in error);
        assert.equal(error.code, 'repodata.malformed');
        assert.match(error.message, message);
        const offset = /^primary\.xml:(\d+)$/.exec(String(error.where))?.[1];
        assert.ok(Number(offset) > whole.length, String(error.where));
        return true;
      },
    );
  }
});

test('what an attribute holds is not taken for another attribute', () => {
  const { records } = parseRepomd(
    Buffer.from(
      `<repomd><data type="primary"><checksum type="md5">0</checksum><location x=' href="b" ' href = 'a'/></data></repomd>`,
    ),
    'repomd.xml',
  );
  assert.equal(records[0]?.href, 'a');
});
