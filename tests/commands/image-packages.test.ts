import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import {
  readBilledPackages,
  readInstalledPackages,
  readLockedPackages,
} from '../../src/commands/image-packages.ts';
import { formatLockFile } from '../../src/rpm/lock-file.ts';
import { readHeldPackages } from '../../src/model/image.ts';

const folder = mkdtempSync(join(tmpdir(), 'odcs-image-'));
after(() => rmSync(folder, { recursive: true, force: true }));

function given(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

test('a lock file tells the packages of each arch, an epoch that it leaves out is 0', () => {
  const locked = (arch: string) => ({
    arch,
    packages: ['1.14-2', '1:3.2.1-4'].map((evr, index) => ({
      url: `https://odcs.example.com/${index === 0 ? 'ed-1.14-2' : 'openssl-libs-3.2.1-4'}.${arch}.rpm`,
      repoid: 'odcs',
      size: 1,
      checksum: `sha256:${'0'.repeat(64)}`,
      name: index === 0 ? 'ed' : 'openssl-libs',
      evr,
      sourcerpm: null,
    })),
    source: [],
    moduleMetadata: [],
  });
  const text = formatLockFile({ arches: [locked('x86_64'), locked('aarch64')], notes: [] });
  const lists = readLockedPackages(given('rpms.lock.yaml', text));
  assert.deepEqual(Object.keys(lists).sort(), ['aarch64', 'x86_64']);
  assert.deepEqual(readHeldPackages(lists['x86_64'] ?? []), { ed: '0:1.14-2', 'openssl-libs': '1:3.2.1-4' });
});

test('bills of materials of either format tell the RPMs by their package URLs', () => {
  const purls = [
    'pkg:rpm/fedora/ed@1.14-2?arch=x86_64&upstream=ed-1.14-2.src.rpm',
    'pkg:rpm/redhat/openssl-libs@3.2.1-4?arch=x86_64&epoch=1',
    'pkg:rpm/libstdc%2B%2B@14-1?arch=x86_64',
    'pkg:npm/left-pad@1.0.0',
  ];
  const held = { ed: '1.14-2', 'libstdc++': '14-1', 'openssl-libs': '1:3.2.1-4' };
  const cyclonedx = {
    bomFormat: 'CycloneDX',
    components: [{ name: 'file' }, ...purls.map((purl) => ({ purl }))],
  };
  const spdx = {
    spdxVersion: 'SPDX-2.3',
    packages: purls.map((purl) => ({
      externalRefs: [{ referenceType: 'purl', referenceLocator: purl }],
    })),
  };
  for (const [name, json] of Object.entries({ cyclonedx, spdx })) {
    const file = given(`${name}.json`, JSON.stringify(json));
    assert.deepEqual(readHeldPackages(readBilledPackages(file)), held, name);
  }
});

test('the output of rpm -qa is a list', () => {
  const file = given('installed.txt', 'ed-1.14-2.x86_64\n\nbash-5.2-1.x86_64\n');
  assert.deepEqual(readInstalledPackages(file), ['ed-1.14-2.x86_64', 'bash-5.2-1.x86_64']);
});

for (const [title, read] of [
  ['a lock file that is not there', () => readLockedPackages(join(folder, 'none'))],
  ['a lock file that is something else', () => readLockedPackages(given('a.yaml', 'arches: 1'))],
  ['a bill that is no JSON', () => readBilledPackages(given('a.json', '{'))],
  ['a bill of something else', () => readBilledPackages(given('b.json', '{"components": []}'))],
  [
    'a bill without RPMs',
    () => readBilledPackages(given('c.json', '{"bomFormat": "CycloneDX", "components": []}')),
  ],
] as const) {
  test(`${title} is refused by its name`, () => {
    assert.throws(read, { code: 'image.file_unreadable' });
  });
}
