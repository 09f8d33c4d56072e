import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compareEvr, type Evr } from '../../src/model/evr.ts';
import { findImageChanges, toAnnouncedImages } from '../../src/model/image-changes.ts';
import { compareHeld, readHeldPackages, readVersion, type Image } from '../../src/model/image.ts';

test('packages are read as rpm, dnf and lock files write them', () => {
  assert.deepEqual(
    readHeldPackages([
      'bash-5.2.26-3.fc42.x86_64',
      ' openssl-libs-1:3.2.1-4.fc42.x86_64 ',
      'tzdata-2026a-1.fc42.noarch',
      'java-21-openjdk-headless-21.0.3.0.9-1.fc42',
      'gpg-pubkey-105ef944-65ca83d1',
      'ed-1.14-2.src',
    ]),
    {
      bash: '5.2.26-3.fc42',
      'java-21-openjdk-headless': '21.0.3.0.9-1.fc42',
      'openssl-libs': '1:3.2.1-4.fc42',
      tzdata: '2026a-1.fc42',
    },
  );
});

test('of several versions of a package the newest counts', () => {
  assert.deepEqual(readHeldPackages(['kernel-6.9-1.x86_64', 'kernel-6.10-1.x86_64', 'kernel-6.8-1.x86_64']), {
    kernel: '6.10-1',
  });
});

for (const text of ['bash', '', 'bash-5.2', '../../x-1-1.noarch', 'a b-1-1.noarch', 'x-1-1 1.noarch']) {
  test(`${JSON.stringify(text)} is no package`, () => {
    assert.throws(() => readHeldPackages([text]), { code: 'image.package_unreadable' });
  });
}

test('versions with an epoch are ordered as rpm does, and one without takes the other’s', () => {
  const word = fc.stringMatching(/^[a-z0-9.~^]{1,6}$/);
  const evr = fc.record({ epoch: fc.nat(3).map(String), version: word, release: word });
  fc.assert(
    fc.property(evr, evr, (left: Evr, right: Evr) => {
      const bare = { ...left, epoch: null };
      assert.equal(Math.sign(compareHeld(left, right)), Math.sign(compareEvr(left, right)));
      const same = Math.sign(compareEvr({ ...left, epoch: right.epoch }, right));
      assert.equal(Math.sign(compareHeld(bare, right)), same);
      assert.equal(Math.sign(compareHeld(right, bare)), -same);
    }),
  );
  assert.deepEqual(readVersion('1:3.2.1-4'), { epoch: '1', version: '3.2.1', release: '4' });
});

function image(name: string, packages: Image['packages']): Image {
  return { name, series: 'base', reference: null, packages };
}
const evr = (version: string, epoch = '0'): Evr => ({ epoch, version, release: '1' });

test('an image changes by what a compose has newer than it, in each of its arches', () => {
  const offered = new Map([
    [
      'x86_64',
      new Map([
        ['ed', evr('2')],
        ['bind', evr('9', '32')],
        ['new', evr('1')],
      ]),
    ],
    ['aarch64', new Map([['ed', evr('1')]])],
  ]);
  const images = [
    image('older', { x86_64: { ed: '1-1', other: '1-1' }, aarch64: { ed: '1-1' } }),
    image('same', { x86_64: { ed: '0:2-1', bind: '9-1' } }),
    image('newer', { x86_64: { ed: '3-1' } }),
    image('another arch', { s390x: { ed: '1-1' } }),
    image('bound', { x86_64: { bind: '32:8-1', ed: '0:1-1' } }),
  ];
  const changes = findImageChanges(images, offered);
  assert.deepEqual(changes, [
    {
      image: { name: 'bound', reference: null },
      arches: {
        x86_64: [
          { name: 'bind', from: '32:8-1', to: '32:9-1' },
          { name: 'ed', from: '0:1-1', to: '0:2-1' },
        ],
      },
    },
    {
      image: { name: 'older', reference: null },
      arches: { x86_64: [{ name: 'ed', from: '1-1', to: '0:2-1' }] },
    },
  ]);
  assert.deepEqual(toAnnouncedImages(changes), { images: ['bound', 'older'], more: false });
});
