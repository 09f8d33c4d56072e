import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkName, isName, isRpmFileName, type NameKind } from '../../src/model/names.ts';

/** Names that hubs, buses and repositories were seen to use. */
const seen: Readonly<Record<NameKind, readonly string[]>> = {
  arch: ['x86_64', 'aarch64', 'ppc64le', 's390x', 'i686', 'noarch', 'src', 'armv7hl', 'x86_64_v2'],
  variant: ['Temporary', 'Server', 'Server-optional', 'BaseOS'],
  package: ['gcc-c++', 'perl-Foo', 'libz++', '389-ds-base', '0ad', 'python3.12', '_x', 'org.apache-maven'],
  version: ['1.0^git1', '1.0+b~rc1', '3.0.4', '0', '20240101', '1.0~rc1^20240101git1234567'],
  release: ['1.fc42', '17.el6_10,draft_617', '4.module+el8+123+abc'],
  nvr: ['openssl-3.2.1-4.fc42', 'mini-tools-1.3-1.fc42,draft_23', 'nodejs-18-3620220414203055.5e5ad4a0'],
  hub: ['brew', 'centos', 'fedora-stg'],
  hubTag: ['brew:rhel-9-candidate', 'centos:c9s-gate'],
  hubNvr: ['openssl-3.2.1-4.fc42', 'brew:openssl-3.2.1-4.el9,draft_23', 'centos:libz++-1.0^git1-2~rc1'],
  label: ['RC-1.0', 'Beta-1.1', 'waits', 'Größe'],
  composeType: ['test', 'nightly', 'ci', 'layered-test'],
  composeId: ['Fedora-44-20260101.n.0', 'RHEL-9.4.0-20240101.0', 'odcs-12-1-20260101.t.0'],
  targetDir: ['default', 'private', 'qa.internal_1'],
  series: ['f44', 'nodejs:18', 'nightly-f44', 'product~1.0'],
  placed: ['f44-build-side-123', 'openssl-3.2.1-4.fc42', 'nodejs:18'],
  volume: ['DEFAULT', 'vol_archive', 'fc42-volume'],
  sigkey: ['f5d95b82', 'F5D95B82', '11223344'],
  moduleName: ['nodejs', 'perl-DBD-SQLite', 'testmodule', '389-ds'],
  moduleStream: ['18', '1.10', 'rhel-8', 'f42', 'el8.3.0'],
  moduleVersion: ['3620220414203055', '20180205135154', '1'],
  moduleContext: ['5e5ad4a0', '00000000', 'c0ffee42_1'],
  updateAlias: ['FEDORA-2024-abcdef1234', 'FEDORA-EPEL-2026-0123456789', 'FEDORA-FLATPAK-2018-1'],
  contentSet: ['rhel-9-for-x86_64-baseos-rpms', 'rhel-8-for-x86_64-baseos-eus-rpms__8_DOT_1'],
  image: ['httpd-24', 'ubi9_minimal.x86', 'fedora-bootc:44'],
  rawConfig: ['pungi_cfg', 'fedora-44'],
};

for (const [kind, names] of Object.entries(seen) as [NameKind, readonly string[]][]) {
  test(`every ${kind} that was seen is one`, () => {
    assert.deepEqual(
      names.filter((name) => !isName(kind, name)),
      [],
    );
  });

  test(`nothing that leads elsewhere is a ${kind}`, () => {
    const leading = [
      '',
      '.',
      '..',
      '../x',
      '/x',
      'x/y',
      'x/../y',
      './x',
      'x\0',
      'x\ny',
      'x\n',
      ' x',
      'x y',
      '\\x',
      '-x/',
      '%2e%2e',
    ];
    assert.deepEqual(
      leading.filter((name) => isName(kind, name)),
      [],
    );
    assert.equal(isName(kind, 'x'.repeat(10_000)), false);
  });
}

test('a name that is none is refused with what it was and how such names are written', () => {
  assert.throws(
    () => checkName('arch', '../../../odcs-12', { code: 'request.invalid_name', where: 'arches' }),
    {
      code: 'request.invalid_name',
      message: '"../../../odcs-12" cannot be an arch.',
      hint: 'Arches are written like x86_64 or aarch64.',
      where: 'arches',
    },
  );
});

test('an RPM may be called what dnf can fetch, odd as it is', () => {
  const odd = [
    'app-1:1.0-1.src.rpm',
    'app#.rpm',
    'app?.rpm',
    'app%.rpm',
    'app\\.rpm',
    'zażółć-1-1.noarch.rpm',
    'a b.rpm',
  ];
  assert.deepEqual(
    odd.filter((name) => !isRpmFileName(name)),
    [],
  );
});

test('what is no visible file of its own is no RPM file name', () => {
  const none = [
    '',
    '.rpm',
    '..',
    '../a.rpm',
    'a/b.rpm',
    '/a.rpm',
    '.hidden.rpm',
    'a\0.rpm',
    'a\n.rpm',
    'a.deb',
    '\ud800.rpm',
  ];
  assert.deepEqual(
    none.filter((name) => isRpmFileName(name)),
    [],
  );
  assert.equal(isRpmFileName(`${'ł'.repeat(126)}.rpm`), false, '256 bytes are more than a file name has');
});
