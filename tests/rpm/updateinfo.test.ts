import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { listCves, uniteAdvisories, type Advisory } from '../../src/rpm/advisory.ts';
import { formatUpdateinfo } from '../../src/rpm/format-updateinfo.ts';
import { readWrittenUpdateinfo } from '../../src/rpm/read-written-updateinfo.ts';
import { readUpdateinfo } from '../../src/rpm/updateinfo.ts';

const everything = { where: 'updateinfo', holds: () => true };

function read(
  xml: string | Uint8Array,
  holds: (nevra: string) => boolean = () => true,
): Promise<readonly Advisory[]> {
  return readUpdateinfo(Buffer.from(xml), { where: 'updateinfo', holds });
}

// oxlint-disable-next-line no-control-regex
const unfit = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/;

/** Text as an XML document can hold it; that of elements without white space around it. */
const attribute = fc
  .string({ unit: 'binary', maxLength: 30 })
  .filter((text) => text.isWellFormed() && !unfit.test(text));
const hostile = fc.constantFrom(
  '</description></update><update><id>X</id>',
  ']]>',
  '<![CDATA[ & ]]>',
  '&lt;b&gt; & "quoted" \'single\'',
  '<!--',
  'CVE-2026-1234 <script>alert(1)</script>',
  'line\r\nline\ttab',
  '<?xml version="1.0"?>',
);
const word = fc.oneof(attribute, hostile);
const text = word.map((value) => value.trim());
const name = fc.stringMatching(/^[a-z][a-z0-9+.-]{0,8}$/);
const bare = fc.stringMatching(/^[a-z0-9][a-z0-9.~^]{0,5}$/);
const advisoryPackage = fc.record({
  name,
  epoch: fc.constantFrom('0', '1', '32'),
  version: bare,
  release: bare,
  arch: fc.constantFrom('x86_64', 'noarch', 'src'),
  fileName: text.filter((value) => value !== ''),
  source: word,
  suggests: fc.subarray(['reboot', 'restart', 'relogin'] as const),
});
const advisoryModule = fc.record({ name: word, stream: word, version: word, context: word, arch: word });
const advisory: fc.Arbitrary<Advisory> = fc.record({
  id: text.filter((value) => value !== ''),
  from: word,
  status: word,
  type: word,
  version: word,
  title: text,
  issued: text,
  updated: text,
  severity: text,
  release: text,
  rights: text,
  summary: text,
  description: text,
  solution: text,
  references: fc.array(fc.record({ href: word, id: word, title: word, type: word }), { maxLength: 3 }),
  collections: fc.array(
    fc.record({
      short: word,
      name: text,
      module: fc.option(advisoryModule),
      packages: fc.array(advisoryPackage, { minLength: 1, maxLength: 3 }),
    }),
    { minLength: 1, maxLength: 3 },
  ),
});

test('what was written is read as it was, whatever the texts hold', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(advisory, { maxLength: 4 }), async (advisories) => {
      const written = formatUpdateinfo(advisories);
      // The generated ones may lack a prototype.
      assert.deepEqual(await readUpdateinfo(written, everything), structuredClone(advisories));
    }),
  );
});

test('advisories are united the same in any order, and uniting again changes nothing', () => {
  const same = fc.constantFrom('A-1', 'A-2');
  const some = fc.array(
    fc.tuple(advisory, same, fc.constantFrom('', '2026-01-01', '1767225601')).map(([drawn, id, updated]) => ({
      ...drawn,
      id,
      updated,
    })),
    { maxLength: 4 },
  );
  fc.assert(
    fc.property(some, (advisories) => {
      const united = uniteAdvisories(advisories);
      assert.deepEqual(
        uniteAdvisories(advisories.toReversed()).map((advisory) => ({ ...advisory, collections: [] })),
        united.map((advisory) => ({ ...advisory, collections: [] })),
      );
      assert.deepEqual(formatUpdateinfo(uniteAdvisories(united)), formatUpdateinfo(united));
    }),
  );
});

test('characters that XML cannot hold do not make a file that nobody can read', async () => {
  const [sample] = await read(sampleXml);
  assert.ok(sample);
  const written = formatUpdateinfo([
    { ...sample, description: 'bell \u0007, half \uD800, \uFFFF', from: '\u0000' },
  ]);
  const [again] = await read(written);
  assert.equal(again?.description, 'bell \uFFFD, half \uFFFD, \uFFFD');
  assert.equal(again?.from, '\uFFFD');
});

const sampleXml = `<?xml version="1.0" encoding="UTF-8"?>
<updates>
  <update from="a@b" status="stable" type="security" version="2.0">
    <id>FEDORA-2026-1</id><title>ed &lt;fixed&gt;</title>
    <issued date="2026-11-01 10:00:00"/><updated date="2026-11-02 10:00:00"/>
    <severity>Important</severity>
    <references>
      <reference href="https://bugs/1" id="1" title="CVE-2026-10001 CVE-2026-10002 ed: overflow" type="bugzilla"/>
      <reference href="https://cve/" id="CVE-2026-10001" title="CVE-2026-10001" type="cve"/>
    </references>
    <pkglist><collection short="F42"><name>Fedora 42</name>
      <package name="ed" version="1.20" release="1" epoch="0" arch="x86_64" src="ed-1.20-1.src.rpm">
        <filename>ed-1.20-1.x86_64.rpm</filename><sum type="sha256">00</sum>
        <reboot_suggested>True</reboot_suggested><restart_suggested>0</restart_suggested>
      </package>
      <package name="ed" version="1.20" release="1" arch="s390x"><filename>ed.rpm</filename></package>
      <package name="bash" version="5" release="1" epoch="2" arch="x86_64"/>
      <package name="broken"/>
    </collection></pkglist>
  </update>
  <update><title>without id</title><pkglist><collection>
    <package name="ed" version="1.20" release="1" arch="x86_64"/></collection></pkglist></update>
  <update><id>EMPTY</id></update>
  <something><id>unknown</id></something>
</updates>`;

test('texts that are longer than readers take are cut, so that what was written can be read', async () => {
  const [sample] = await read(sampleXml);
  assert.ok(sample);
  const long = '">&'.repeat(400_000);
  const reference = { href: long, id: long, title: long, type: long };
  const texts = { from: long, status: long, type: long, version: long, title: long, description: long };
  const collections = sample.collections.map((collection) => ({ ...collection, short: long, name: long }));
  const written = formatUpdateinfo([
    { ...sample, ...texts, issued: long, references: [reference], collections },
  ]);
  const [again] = await read(written);
  assert.equal(again?.references[0]?.title, long.slice(0, 1500));
  assert.ok(Buffer.compare(formatUpdateinfo([again]), written) === 0);
});

test('only packages of interest are read, and advisories that are about any', async () => {
  const [ed, ...rest] = await read(sampleXml, (nevra) => nevra === 'ed-0:1.20-1.x86_64');
  assert.deepEqual(rest, []);
  assert.deepEqual(ed?.collections, [
    {
      short: 'F42',
      name: 'Fedora 42',
      module: null,
      packages: [
        {
          name: 'ed',
          epoch: '0',
          version: '1.20',
          release: '1',
          arch: 'x86_64',
          fileName: 'ed-1.20-1.x86_64.rpm',
          source: 'ed-1.20-1.src.rpm',
          suggests: ['reboot'],
        },
      ],
    },
  ]);
  assert.equal(ed.title, 'ed <fixed>');
  assert.deepEqual(listCves(ed), ['CVE-2026-10001', 'CVE-2026-10002']);
  assert.deepEqual(await read(sampleXml, () => false), []);
  const [all] = await read(sampleXml);
  assert.deepEqual(
    all?.collections[0]?.packages.map((rpm) => rpm.fileName),
    ['ed-1.20-1.x86_64.rpm', 'ed.rpm', 'bash-5-1.x86_64.rpm'],
  );
});

test('of two editions the newer text counts, and the packages of both are kept', async () => {
  const holds = (name: string) => (nevra: string) => nevra.startsWith(name);
  const older = await read(sampleXml.replace('2026-11-02', '2026-11-01'), holds('bash'));
  const newer = await read(sampleXml.replace('Important', 'Critical'), holds('ed-'));
  for (const both of [
    [...older, ...newer],
    [...newer, ...older],
  ]) {
    const [united, ...rest] = uniteAdvisories(both);
    assert.deepEqual(rest, []);
    assert.equal(united?.severity, 'Critical');
    assert.deepEqual(
      united.collections.map(({ packages }) => packages.map((rpm) => `${rpm.name}.${rpm.arch}`)),
      [['bash.x86_64', 'ed.s390x', 'ed.x86_64']],
    );
  }
});

test('what is no updateinfo is refused', async () => {
  const refused = [
    ['<metadata/>', 'repodata.malformed'],
    ['<updates><update>', 'repodata.malformed'],
    ['', 'repodata.malformed'],
    ['<!DOCTYPE a [<!ENTITY b "c">]><updates/>', 'repodata.entity'],
    [`<updates><update><id>${'x'.repeat(2_000_000)}</id></update></updates>`, 'repodata.malformed'],
  ] as const;
  for (const [xml, code] of refused) await assert.rejects(read(xml), { code }, xml.slice(0, 40));
});

test('an updateinfo is written as it always was', async () => {
  const said = { from: 'a "b" <c@d>', status: 'final', type: 'security', version: '1\t2' };
  const texts = {
    id: 'RHSA-2026:1',
    title: 'Tom & "Jerry" <fixed>\r\nčaj \u{1F375} \u0007',
    issued: '2026-11-01 10:00:00',
    updated: '',
    severity: 'Low',
    release: '',
    rights: '',
    summary: "it's",
    description: 'one\n\ttwo \uD800',
    solution: '~',
  };
  const bash = { name: 'bash', epoch: '2', version: '5', release: '1', arch: 'x86_64', fileName: 'b&.rpm' };
  const packages = [
    { ...bash, source: 'bash-5-1.src.rpm', suggests: ['reboot', 'relogin'] as const },
    { ...bash, arch: 's390x', source: '', suggests: [] },
  ];
  const module = { name: 'm', stream: 'a&b', version: '1', context: 'c', arch: 'x86_64' };
  const written = formatUpdateinfo([
    {
      ...said,
      ...texts,
      references: [{ href: 'https://b?a=1&b=2', id: '1', title: 'line\nbreak', type: 'bugzilla' }],
      collections: [
        { short: 's', name: '', module, packages },
        { short: '', name: 'n>', module: null, packages: [] },
      ],
    },
  ]);
  assert.equal(
    Buffer.from(written).toString('utf8'),
    `<?xml version="1.0" encoding="UTF-8"?>
<updates>
  <update from="a &quot;b&quot; &lt;c@d&gt;" status="final" type="security" version="1&#9;2">
    <id>RHSA-2026:1</id>
    <title>Tom &amp; &quot;Jerry&quot; &lt;fixed&gt;&#13;
čaj \u{1F375} \uFFFD</title>
    <issued date="2026-11-01 10:00:00"/>
    <severity>Low</severity>
    <summary>it's</summary>
    <description>one
	two \uFFFD</description>
    <solution>~</solution>
    <references>
      <reference href="https://b?a=1&amp;b=2" id="1" title="line&#10;break" type="bugzilla"/>
    </references>
    <pkglist>
      <collection short="s">
        <module name="m" stream="a&amp;b" version="1" context="c" arch="x86_64"/>
        <package name="bash" version="5" release="1" epoch="2" arch="x86_64" src="bash-5-1.src.rpm">
          <filename>b&amp;.rpm</filename>
          <reboot_suggested>True</reboot_suggested>
          <relogin_suggested>True</relogin_suggested>
        </package>
        <package name="bash" version="5" release="1" epoch="2" arch="s390x">
          <filename>b&amp;.rpm</filename>
        </package>
      </collection>
      <collection short="">
        <name>n&gt;</name>
      </collection>
    </pkglist>
  </update>
</updates>
`,
  );
});

test('what this process wrote is read as anybody reads it, also where some of it was read before', async () => {
  const where = 'updateinfo';
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof(advisory, advisory.map(unreadable)), { maxLength: 4 }),
      async (advisories) => {
        for (const some of [advisories.slice(0, 2), advisories, advisories.toReversed()]) {
          const written = formatUpdateinfo(some);
          const asOthers = await readUpdateinfo(Buffer.from(written), everything);
          assert.deepEqual(await readWrittenUpdateinfo(written, { where }), asOthers);
        }
      },
    ),
  );
});

/** Makes texts of an advisory other than they are once they were written, or readers pass over it. */
function unreadable(advisory: Advisory): Advisory {
  const [first] = advisory.title;
  if (first === undefined) return { ...advisory, id: '' };
  return {
    ...advisory,
    title: ` \uD800${advisory.title} `,
    issued: ` ${advisory.issued}`,
    from: 'x'.repeat(2000),
  };
}

test('advisories that were read once are not read again', async () => {
  const advisories = await read(sampleXml);
  const [first] = await readWrittenUpdateinfo(formatUpdateinfo(advisories), { where: 'one' });
  const [again] = await readWrittenUpdateinfo(formatUpdateinfo(advisories), { where: 'another' });
  assert.ok(first !== undefined && again === first);
});

test('an advisory that is alone is the same object in every union', async () => {
  const advisories = await read(sampleXml);
  const [first] = uniteAdvisories(advisories);
  const [again] = uniteAdvisories(advisories);
  assert.ok(first !== undefined && again === first);
  assert.deepEqual(uniteAdvisories([...advisories, ...advisories]), [first]);
});
