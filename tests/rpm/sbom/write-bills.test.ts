import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Spec, Validation } from '@cyclonedx/cyclonedx-library';
import { Ajv } from 'ajv';
import { default as addFormats } from 'ajv-formats';
import { PackageURL } from 'packageurl-js';
import type { ListedPackage } from '../../../src/rpm/repodata/list-packages.ts';
import type { BillPackage, WriteBill } from '../../../src/rpm/sbom/bill-of-materials.ts';
import { namespaceOf, packageUrlOf } from '../../../src/rpm/sbom/package-url.ts';
import { writeCyclonedx } from '../../../src/rpm/sbom/write-cyclonedx.ts';
import { writeSpdx } from '../../../src/rpm/sbom/write-spdx.ts';

const ed: ListedPackage = {
  name: 'ed',
  epoch: '0',
  version: '1.14.1',
  release: '2~rc^1',
  arch: 'x86_64',
  checksum: { type: 'sha256', value: 'ab'.repeat(32) },
  size: 81_234,
  href: 'Packages/e/ed-1.14.1-2.x86_64.rpm',
  base: null,
  sourceRpm: 'ed-1.14.1-2.src.rpm',
  vendor: '',
  license: 'GPL-3.0-or-later',
  summary: 'The "line" editor <b>',
  url: 'https://www.gnu.org/software/ed/',
};
const source: ListedPackage = {
  ...ed,
  arch: 'src',
  sourceRpm: null,
  checksum: { type: 'sha', value: 'cd'.repeat(20) },
};
const odd: ListedPackage = {
  ...ed,
  name: 'libstdc++',
  epoch: '3',
  checksum: { type: 'sha224', value: 'ef'.repeat(28) },
  vendor: 'Red Hat, Inc.',
  license: '',
  summary: '',
  url: 'not an address',
};

function billed(listed: ListedPackage, more: Partial<BillPackage> = {}): BillPackage {
  const fileName = `${listed.name}-1.14.1-2.${listed.arch}.rpm`;
  const url = `https://odcs.example.com/composes/odcs-7/${encodeURIComponent(fileName)}`;
  return { listed, purl: packageUrlOf(listed, 'odcs-7'), fileName, url, module: null, ...more };
}

const subject = {
  name: 'odcs-7',
  version: '7',
  url: 'https://odcs.example.com/composes/odcs-7',
  created: new Date('2026-11-22T10:00:00.123Z'),
  fingerprint: 'f'.repeat(64),
  toolVersion: '1.2.3',
};

async function textOf(write: WriteBill, packages: readonly BillPackage[]): Promise<string> {
  let text = '';
  for await (const piece of write(subject, inParts(packages))) text += piece;
  return text;
}

async function* inParts(packages: readonly BillPackage[]): AsyncGenerator<readonly BillPackage[]> {
  for (const rpm of packages) yield [rpm];
}

const bills: Readonly<Record<string, readonly BillPackage[]>> = {
  'nothing at all': [],
  'a binary and its source': [billed(ed), billed(source)],
  'what lacks half and is odd': [billed(odd, { url: null, module: 'nodejs:18:8080020230:abcd' })],
};

for (const [title, packages] of Object.entries(bills)) {
  test(`CycloneDX of ${title} is valid by the schema of the format`, async () => {
    const text = await textOf(writeCyclonedx, packages);
    const validator = new Validation.JsonStrictValidator(Spec.Version.v1dot6);
    assert.equal(await validator.validate(text), null);
    assert.equal(await textOf(writeCyclonedx, packages), text);
  });
}

/** Says what is wrong with SPDX by the schema of the format; nothing where it is well. */
const complaintsOfSpdx = (() => {
  const ajv = new Ajv({ allErrors: true });
  addFormats.default(ajv);
  const path = join(import.meta.dirname, 'spdx-2.3.schema.json');
  const validate = ajv.compile(JSON.parse(readFileSync(path, 'utf8')) as object);
  return (text: string): readonly string[] => {
    validate(JSON.parse(text));
    return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
  };
})();

for (const [title, packages] of Object.entries(bills)) {
  test(`SPDX of ${title} is valid by the schema of the format`, async () => {
    const text = await textOf(writeSpdx, packages);
    assert.deepEqual(complaintsOfSpdx(text), []);
    assert.equal(await textOf(writeSpdx, packages), text);
  });
}

test('SPDX that breaks the schema is noticed', async () => {
  const text = await textOf(writeSpdx, [billed(ed), billed(source)]);
  for (const [from, to, complaint] of [
    ['"algorithm":"SHA256"', '"algorithm":"SHA-256"', '/packages/1/checksums/0/algorithm'],
    ['"downloadLocation":', '"location":', '/packages/0'],
    ['"relationshipType":"CONTAINS"', '"relationshipType":"HOLDS"', '/relationships/1/relationshipType'],
  ] as const) {
    const broken = text.replace(from, to);
    assert.notEqual(broken, text);
    assert.match(complaintsOfSpdx(broken).join('\n'), new RegExp(`^${complaint}`, 'm'));
  }
});

test('a schema that is broken is noticed', async () => {
  const text = (await textOf(writeCyclonedx, [billed(ed)])).replace('"library"', '"lib"');
  const validator = new Validation.JsonStrictValidator(Spec.Version.v1dot6);
  assert.notEqual(await validator.validate(text), null);
});

test('SPDX says which packages there are, and from which sources binaries are made', async () => {
  const bill = JSON.parse(await textOf(writeSpdx, [billed(ed), billed(source), billed(odd)])) as {
    creationInfo: { created: string };
    packages: Record<string, unknown>[];
    relationships: Record<string, string>[];
  };
  assert.equal(bill.creationInfo.created, '2026-11-22T10:00:00Z');
  assert.deepEqual(
    bill.packages.map(({ SPDXID, name, licenseComments = null }) => [SPDXID, name, licenseComments]),
    [
      ['SPDXRef-Compose', 'odcs-7', null],
      ['SPDXRef-Package-1', 'ed', 'The package says: GPL-3.0-or-later'],
      ['SPDXRef-Package-2', 'ed', 'The package says: GPL-3.0-or-later'],
      ['SPDXRef-Package-3', 'libstdc++', null],
    ],
  );
  assert.deepEqual(bill.packages[2]?.['checksums'], [{ algorithm: 'SHA1', checksumValue: 'cd'.repeat(20) }]);
  const related = bill.relationships.map(
    ({ spdxElementId, relationshipType, relatedSpdxElement }) =>
      `${spdxElementId} ${relationshipType} ${relatedSpdxElement}`,
  );
  assert.deepEqual(related, [
    'SPDXRef-DOCUMENT DESCRIBES SPDXRef-Compose',
    'SPDXRef-Compose CONTAINS SPDXRef-Package-1',
    'SPDXRef-Package-1 GENERATED_FROM SPDXRef-Package-2',
    'SPDXRef-Compose CONTAINS SPDXRef-Package-2',
    'SPDXRef-Compose CONTAINS SPDXRef-Package-3',
    'SPDXRef-Package-3 GENERATED_FROM SPDXRef-Package-2',
  ]);
});

test('package URLs are those of Hermeto, and others read them', () => {
  const digest = 'ab'.repeat(32);
  assert.equal(
    packageUrlOf({ ...ed, release: '2' }, 'odcs-1'),
    `pkg:rpm/ed@1.14.1-2?arch=x86_64&checksum=sha256:${digest}&repository_id=odcs-1`,
  );
  const { type, namespace, name, version, qualifiers } = PackageURL.fromString(packageUrlOf(odd, 'odcs-1'));
  assert.deepEqual(
    { type, namespace, name, version, ...qualifiers },
    {
      type: 'rpm',
      namespace: 'redhat',
      name: 'libstdc++',
      version: '1.14.1-2~rc^1',
      arch: 'x86_64',
      checksum: `sha224:${'ef'.repeat(28)}`,
      epoch: '3',
      repository_id: 'odcs-1',
    },
  );
});

for (const [vendor, namespace] of [
  ['', null],
  ['Fedora Project', 'fedora'],
  ['Red Hat, Inc.', 'redhat'],
  ['SUSE LLC <https://www.suse.com/>', 'suse'],
  ['Rocky Enterprise Software Foundation', 'rocky_enterprise_software_foundation'],
] as const) {
  test(`the vendor "${vendor}" is the namespace ${namespace}`, () => {
    assert.equal(namespaceOf(vendor), namespace);
  });
}
