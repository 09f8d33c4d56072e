import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { PrimarySink } from '../../../src/rpm/repodata/primary-sink.ts';
import { openRepository } from '../../../src/rpm/repodata/read-repository.ts';
import { scanPrimary } from '../../../src/rpm/repodata/scan-primary.ts';
import { sharedPath } from '../../shared.ts';

/** Everything a scan says, in order, the offsets of packages left out. */
function recorder(): { readonly sink: PrimarySink; readonly events: string[] } {
  const events: string[] = [];
  const evrs: string[] = [];
  let whole = 0;
  const read = (bytes: Uint8Array, from: number, to: number) =>
    Buffer.from(bytes.subarray(from, to)).toString();
  return {
    events,
    sink: {
      begin: () => (events.length = whole),
      text: (field, bytes, from, to) => events.push(`${field} ${read(bytes, from, to)}`),
      evr: (bytes, from, to) => evrs.push(read(bytes, from, to)) - 1,
      version: (evr) => events.push(`evr ${evrs[evr] ?? ''}`),
      size: (bytes) => events.push(`size ${bytes}`),
      dependency: (kind, bytes, from, to, flag, evr) =>
        events.push(`${kind} ${read(bytes, from, to)} ${flag} ${evrs[evr] ?? ''}`),
      file: (bytes, from, to) => events.push(`file ${read(bytes, from, to)}`),
      finish: () => (whole = events.push('finish')),
    },
  };
}

async function eventsOf(content: Buffer): Promise<string[]> {
  const { sink, events } = recorder();
  await scanPrimary([content], 'primary.xml', sink);
  return events;
}

async function* cut(content: Buffer, sizes: readonly number[]): AsyncGenerator<Buffer> {
  let at = 0;
  for (let turn = 0; at < content.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1;
    yield await Promise.resolve(content.subarray(at, at + size));
    at += size;
  }
}

/** The same XML as nobody writes it, so that nothing of it is known by heart. */
function inOtherWords(content: Buffer): Buffer {
  const text = content
    .toString('latin1')
    .replaceAll(/<(rpm:entry|version|checksum|location|size|file)( [^>]*?)(\/?)>/g, (_, tag, rest, empty) => {
      const attributes = String(rest).replaceAll(/([\w:]+)="([^"']*)"/g, "$1 = '$2'");
      return `<${String(tag)} ${attributes} ${String(empty)}>`;
    })
    .replaceAll(/<(name|arch|file|rpm:sourcerpm|rpm:requires|rpm:provides)>/g, '<$1 >');
  return Buffer.from(text, 'latin1');
}

const odd = Buffer.from(
  `<?xml version="1.0"?><metadata><package type="rpm"><name>a</name><arch>noarch</arch>
<version epoch="0" ver="1" rel="2"/><checksum type="sha256" pkgid="YES">01</checksum>
<packager>p</packager>
<summary>a > b &amp; "c</summary><location href="a.rpm"/><format><rpm:requires>
<rpm:entry name="(a &gt;= 1 if b)"/><rpm:entry name="b" flags="EQ" epoch="0" ver="1" rel="2"/>
<rpm:entry name="b" flags="EQ" epoch="0" ver="1"/><rpm:entry name="b" flags="GE" epoch="0" ver="1" pre="1"/>
<rpm:entry name="c" flags="EQ" epoch="0" ver="1" rel="2" pre="1"/><rpm:entry name="\u00e0"/></rpm:requires>
<rpm:recommends><rpm:entry name="no"/></rpm:recommends><rpm:provides/>
<file>/a&amp;b</file><file type="dir">/etc/\u00e0</file><file></file></format></package></metadata>`,
);

for (const name of ['edge', 'edge-lookaside']) {
  test(`the repository ${name} is read alike however its XML is written and cut`, async () => {
    const repository = await openRepository({}, sharedPath('pungi', 'repos', name));
    const content = await repository.readRecord('primary');
    const expected = await eventsOf(content);
    assert.ok(expected.length > 100);
    assert.deepEqual(await eventsOf(inOtherWords(content)), expected);
    const { sink, events } = recorder();
    await scanPrimary(repository.readParts('primary'), 'primary.xml', sink);
    assert.deepEqual(events, expected);
  });
}

test('what is rarely written is read alike in both ways', async () => {
  const expected = await eventsOf(odd);
  assert.deepEqual(await eventsOf(inOtherWords(odd)), expected);
  assert.ok(expected.includes('requires (a >= 1 if b) 0 '));
  assert.ok(expected.includes('requires b 6 0:1'));
  assert.ok(expected.includes('file /a&b'));
  assert.ok(!expected.some((event) => event.includes('no ')));
});

test('what installation scripts require needs no second reading', async () => {
  const text = odd.toString('latin1').replace('(a &gt;= 1 if b)', '/bin/sh').replace('a&amp;b', 'a');
  const { sink, events } = recorder();
  let begins = 0;
  const counting = { ...sink, begin: () => (begins += 1) };
  const entry = '<rpm:entry name="/bin/sh" pre="1"/>';
  const content = Buffer.from(text.replace('<rpm:entry name="/bin/sh"/>', entry), 'latin1');
  assert.ok(content.includes(entry));
  await scanPrimary([content], 'primary.xml', counting);
  assert.equal(begins, 1);
  assert.deepEqual(await eventsOf(inOtherWords(content)), events);
  assert.ok(events.includes('requires /bin/sh 0 '));
});

test('parts of any size give what the whole gives', async () => {
  const expected = await eventsOf(odd);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1 }), async (sizes) => {
      const { sink, events } = recorder();
      await scanPrimary(cut(odd, sizes), 'primary.xml', sink);
      assert.deepEqual(events, expected);
    }),
  );
});

test('what a comment holds ends no package, wherever the parts are cut', async () => {
  const expected = await eventsOf(odd);
  const comment = '<!-- <package type="rpm"><name>b</name></package> -->';
  const commented = odd
    .toString()
    .replaceAll('</package>', `</package>${comment}`)
    .replaceAll('<format>', `${comment}<format>`);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1 }), async (sizes) => {
      const { sink, events } = recorder();
      await scanPrimary(cut(Buffer.from(commented), sizes), 'primary.xml', sink);
      assert.deepEqual(events, expected);
    }),
  );
});

/** The packages of `odd` as another tool might write them. */
const otherways: readonly (readonly [string, (xml: string) => string])[] = [
  [
    'with another prefix',
    (xml) => xml.replaceAll('rpm:', 'r:').replace('<metadata>', '<metadata xmlns:r="x">'),
  ],
  [
    'with a prefix for everything',
    (xml) => xml.replaceAll(/<(\/?)(?=[a-z])(?!rpm:)/g, '<$1c:').replaceAll('rpm:', 'c:'),
  ],
  [
    'with comments that look like elements',
    (xml) => xml.replaceAll('<format>', '<!-- <name>b</name></package> <rpm:provides> --><format>'),
  ],
  ['with CDATA', (xml) => xml.replace('<name>a</name>', '<name><![CDATA[a]]></name>')],
  ['with white space where it says nothing', (xml) => xml.replaceAll(/<\/([\w:]+)>/g, '</$1\n>')],
  [
    'with character numbers',
    (xml) => xml.replaceAll('\u00e0', '&#224;').replaceAll('name="c"', 'name="&#x63;"'),
  ],
];

for (const [how, write] of otherways) {
  test(`a primary.xml ${how} is read like any other`, async () => {
    const content = Buffer.from(write(odd.toString()));
    assert.notDeepEqual(content, odd);
    assert.deepEqual(await eventsOf(content), await eventsOf(odd));
  });
}

test('elements of a package may come in any order', async () => {
  const reversed = odd.toString().replace(/(<name>.*<\/name>)(<arch>.*)(<format>.*<\/format>)/s, '$3$2$1');
  assert.notEqual(reversed, odd.toString());
  assert.deepEqual([...(await eventsOf(Buffer.from(reversed)))].sort(), [...(await eventsOf(odd))].sort());
});
