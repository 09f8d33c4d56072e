import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { profilePlaces, readKojiProfile } from '../../../src/upstream/koji/koji-profile.ts';

const home = mkdtempSync(join(tmpdir(), 'koji-profile-'));
after(() => rmSync(home, { recursive: true }));

mkdirSync(join(home, '.koji', 'config.d'), { recursive: true });
const site = join(home, 'koji.conf');
writeFileSync(
  site,
  '[koji]\n;comment\nserver = http://hub.example.org/kojihub\ntopdir = /mnt/koji\nTopURL: http://hub.example.org/\n',
);
writeFileSync(
  join(home, '.koji', 'config.d', '10-brew.conf'),
  '[brew]\nserver = https://brew/kojihub\nserverca = ~/ca.pem\n',
);
writeFileSync(
  join(home, '.koji', 'config.d', '20-more.conf'),
  '[koji]\nserver = http://other/kojihub\n[empty]\ntopdir=/x\n',
);
writeFileSync(join(home, '.koji', 'config.d', 'ignored.txt'), '[koji]\nserver = http://wrong\n');
const places = [site, join(home, '.koji', 'config.d'), join(home, 'missing')];

test('later files override earlier ones key by key', () => {
  const profile = readKojiProfile('koji', places);
  assert.deepEqual(
    [profile.server, profile.topDir, profile.topUrl, profile.serverCa],
    ['http://other/kojihub', '/mnt/koji', 'http://hub.example.org', null],
  );
  assert.equal(profile.files.length, 2);
});

test('several hubs live side by side, and a tilde is the home directory', () => {
  const profile = readKojiProfile('brew', places, home);
  assert.deepEqual([profile.server, profile.serverCa], ['https://brew/kojihub', join(home, 'ca.pem')]);
});

test('an unknown profile is told with the known ones, an incomplete one with its file', () => {
  assert.throws(() => readKojiProfile('nope', places), {
    code: 'koji.profile_unknown',
    hint: 'There are: koji, brew, empty.',
    fate: 'halt',
  });
  assert.throws(() => readKojiProfile('empty', places), { code: 'koji.profile_incomplete' });
  const broken = join(home, 'broken.conf');
  writeFileSync(broken, '[koji]\nserver\n');
  assert.throws(() => readKojiProfile('koji', [broken]), {
    code: 'koji.profile_unreadable',
    where: `${broken}:2`,
  });
});

test("the places are those of Koji's own client", () => {
  assert.deepEqual(profilePlaces('/home/me'), [
    '/etc/koji.conf',
    '/etc/koji.conf.d',
    '/home/me/.koji/config.d',
    '/home/me/.koji/config',
  ]);
  assert.deepEqual(profilePlaces('/home/me', '/srv/koji.conf'), ['/srv/koji.conf']);
});
