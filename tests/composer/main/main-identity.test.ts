import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findProductId } from '../../../src/composer/main/product-ids.ts';
import { findPhaseFaults, identityOf, latestLinkOf } from '../../../src/composer/main/main-identity.ts';

const release = {
  name: 'F',
  short: 'F',
  version: '40.1.2',
  type: 'ga',
  isInternal: false,
  discinfoDescription: null,
  treeinfoVersion: null,
};
const base = { name: 'B', short: 'B', version: '9', type: 'eus' };
const chosen = {
  date: '20261129',
  type: 'nightly',
  respin: 3,
  label: null,
  timestamp: 1,
  isSupported: false,
  mayLackLabel: false,
} as const;

test('ids are made of release, base product, date, type and respin', () => {
  assert.equal(identityOf({ release, baseProduct: null }, chosen).id, 'F-40.1.2-20261129.n.3');
  assert.equal(
    identityOf(
      { release: { ...release, type: 'updates' }, baseProduct: base },
      { ...chosen, type: 'production', mayLackLabel: true },
    ).id,
    'F-40.1.2-updates-B-9-eus-20261129.3',
  );
});

test('labels have a known name and two numbers, and say whether a compose is final', () => {
  const isFinal = (label: string, isSupported = false): boolean =>
    identityOf({ release, baseProduct: null }, { ...chosen, label, isSupported }).isFinal;
  assert.deepEqual([isFinal('RC-1.0'), isFinal('Beta-1.0'), isFinal('Beta-1.0', true)], [true, false, true]);
  for (const label of ['RC-1', 'rc-1.0', 'Foo-1.0', 'RC-1.0\n']) {
    assert.throws(() => identityOf({ release, baseProduct: null }, { ...chosen, label }), {
      code: 'main.label_invalid',
    });
  }
});

test('the link to the latest compose is cut by parts of the version', () => {
  const nameOf = (components: number): string | null =>
    latestLinkOf({ release, baseProduct: null }, 'FINISHED', { components, statuses: [] }).name;
  assert.deepEqual([-1, -2, -9, 0, 1, 9].map(nameOf), [
    'latest-F-40.1',
    'latest-F-40',
    'latest-F-40',
    'latest-F',
    'latest-F-40',
    'latest-F-40.1.2',
  ]);
  const layered = latestLinkOf({ release, baseProduct: base }, 'FINISHED', {
    components: -1,
    statuses: ['FINISHED'],
  });
  assert.equal(layered.name, 'latest-F-40.1-B-9');
});

test('a phase that needs a skipped one is a fault', () => {
  assert.deepEqual(
    findPhaseFaults((phase) => phase === 'pkgset'),
    ["pkgset phase is skipped but it's needed by gather phase"],
  );
});

test('a product certificate is found by variant and arch', () => {
  const fine = { isMissingFine: false, isPrefixFine: true };
  assert.equal(findProductId(['a-B-x86_64-1.pem', 'B-s390x-1.pem'], 'B', 'x86_64', fine), 'a-B-x86_64-1.pem');
  assert.equal(findProductId([], 'B', 'x86_64', { ...fine, isMissingFine: true }), null);
  assert.throws(() => findProductId(['a-B-x86_64-1.pem'], 'B', 'x86_64', { ...fine, isPrefixFine: false }), {
    code: 'main.product_id',
  });
  assert.throws(() => findProductId(['B-x86_64-1.pem', 'B-x86_64-2.pem'], 'B', 'x86_64', fine), {
    code: 'main.product_id',
  });
});
