import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';

const source = resolve(import.meta.dirname, '../src');

/**
 * Which files of a service use the file system with synchronous calls, and why they may: on a slow mount each call holds
 * whatever else the process has to do. Commands are programs of their own.
 */
const allowed: Readonly<Record<string, readonly string[]>> = {
  'A file that the settings name, or one at the start.': [
    'app/reactor.ts',
    'app/read-version.ts',
    'app/tls-files.ts',
    'buses/amqp-connection.ts',
    'buses/fedora-messaging-config.ts',
    'buses/stomp-connection.ts',
    'composer/images/image-koji.ts',
    'config.ts',
    'database/embedded-engine.ts',
    'database/lock-directory.ts',
    'database/migrate-tables.ts',
    'upstream/koji/koji-profile.ts',
    'upstream/ldap/ldap-groups.ts',
    'upstream/oidc/provider-client.ts',
    'upstream/pulp/open-pulp.ts',
  ],
  'A step that nobody may come between, of one compose, file or link.': [
    'app/report-stillness.ts',
    'composer/fetch-packages.ts',
    'composer/images/name-images.ts',
    'composer/images/place-image.ts',
    'composer/images/publish-with-images.ts',
    'composer/koji/index-copies.ts',
    'composer/lock/lock-compose.ts',
    'composer/pen.ts',
    'composer/publish.ts',
    'composer/pungi/run-pungi.ts',
    'composer/retire.ts',
    'composer/variant-repositories.ts',
    'rpm/regular-file.ts',
    'upstream/repo-access.ts',
  ],
  'A handful: packs and sets that are kept, records of a repository, trees of a part, links of releases, what a definition names.':
    [
      'cache/cache-place.ts',
      'cache/copy-facts.ts',
      'cache/pack-store.ts',
      'cache/pack-writer.ts',
      'composer/build/write-provenance.ts',
      'composer/gather/section-file.ts',
      'composer/koji/prepared-sets.ts',
      'composer/main-inputs/config-directory.ts',
      'composer/main-inputs/definition-directory.ts',
      'composer/main-inputs/read-part-packages.ts',
      'composer/parts/read-part.ts',
      'composer/release-links.ts',
      'rpm/repodata/link-repodata.ts',
      'rpm/repodata/metadata-file.ts',
      'rpm/repodata/publish-repomd.ts',
      'rpm/repodata/write-durably.ts',
      'rpm/repodata/write-repodata.ts',
      'upstream/git.ts',
    ],
  'As many as there are, in turns: tests/composer/slow-files.test.ts.': [
    'cache/package-store.ts',
    'composer/koji/koji-files.ts',
    'composer/repositories/locate-package.ts',
    'composer/series-links.ts',
    'rpm/header/read-rpm-header.ts',
  ],
  'As many as there are, in threads of their own or in a command.': [
    'composer/build/place-files.ts',
    'composer/build/read-digests.ts',
    'composer/file-digests.ts',
    'rpm/createrepo/createrepo.ts',
    'rpm/createrepo/list-rpms.ts',
  ],
};

test('nothing of a service uses files with synchronous calls, but what says why', () => {
  const found = readdirSync(source, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.startsWith('commands/'))
    .filter((name) => {
      const [, imported = ''] =
        /^import \{([^}]*)\} from 'node:fs';/m.exec(readFileSync(join(source, name), 'utf8')) ?? [];
      return /\w+Sync\b/.test(imported);
    });
  assert.deepEqual(found.sort(), Object.values(allowed).flat().sort());
});
