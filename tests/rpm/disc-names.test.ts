import assert from 'node:assert/strict';
import { test } from 'node:test';
import { discFileName, discVolumeId } from '../../src/rpm/disc-names.ts';
import type { ComposeIdentity } from '../../src/rpm/productmd.ts';
import type { ProductmdRelease, ProductmdVariant } from '../../src/rpm/productmd-variant.ts';

const variant: ProductmdVariant = {
  uid: 'Temporary',
  id: 'Temporary',
  name: 'Temporary',
  type: 'variant',
  parent: null,
  release: null,
  emptyArches: [],
  descriptions: {},
};
const identity: ComposeIdentity = {
  name: 'odcs-1234567',
  date: '20261122',
  type: 'test',
  respin: 0,
  label: null,
  timestamp: 0,
};
const fedora: ProductmdRelease = {
  name: 'Fedora',
  short: 'Fedora',
  version: '40.1',
  type: 'ga',
  isInternal: false,
  baseProduct: null,
  treeinfoVersion: null,
};

test('a disc of a compose of its own is named as those of ODCS', () => {
  assert.equal(discVolumeId(identity, { variant, arch: 'x86_64' }), 'odcs-1234567-1 Temporary.x86_64');
  assert.equal(discVolumeId(identity, { variant, arch: 'src' }), 'odcs-1234567-1 Temporary.src');
  assert.equal(
    discFileName(identity, { variant, arch: 'src' }),
    'odcs-1234567-1-20261122.t.0-Temporary-source-dvd1.iso',
  );
});

test('a volume id that is too long leaves the variant out, then ends early', () => {
  const release = { ...fedora, short: 'a'.repeat(20) };
  const of = (short: string): string =>
    discVolumeId({ ...identity, release: { ...release, short } }, { variant, arch: 'x86_64' });
  assert.equal(of('a'.repeat(16)), `${'a'.repeat(16)}-40.1 x86_64`);
  assert.equal(of('a'.repeat(40)), 'a'.repeat(32));
});

test('a layered release is named with its base, and without it where that is too long', () => {
  const base = { name: 'RHEL', short: 'RHEL', version: '9', type: 'ga' };
  const release = { ...fedora, short: 'DP', version: '1', baseProduct: base };
  const server = { ...variant, uid: 'Server' };
  const of = (given: ProductmdRelease): string =>
    discVolumeId({ ...identity, release: given }, { variant: server, arch: 'x86_64' });
  assert.equal(of(release), 'DP-1 RHEL-9 Server.x86_64');
  assert.equal(of({ ...release, short: 'D'.repeat(12) }), `${'D'.repeat(12)}-1 RHEL-9 x86_64`.slice(0, 32));
  assert.equal(of({ ...release, baseProduct: { ...base, short: 'R'.repeat(20) } }), 'DP-1 Server.x86_64');
});

test('a layered product is named by its own release, the base and its parent', () => {
  const product: ProductmdVariant = {
    ...variant,
    uid: 'Server-Gluster',
    id: 'Gluster',
    type: 'layered-product',
    parent: 'Server',
    release: { name: 'Gluster', short: 'RHS', version: '3' },
  };
  const of = { variant: product, arch: 'x86_64' };
  assert.equal(discVolumeId({ ...identity, release: fedora }, of), 'RHS-3 Fedora-40 Server.x86_64');
  assert.equal(
    discFileName({ ...identity, release: fedora }, of),
    'Fedora-40.1-20261122.t.0-Server-x86_64-dvd1.iso',
  );
});
