import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ReactorError } from '../../src/model/errors.ts';
import {
  hideServerPaths,
  placesOf,
  serverPathsOf,
  withoutServerPaths,
} from '../../src/model/server-paths.ts';

const paths = serverPathsOf(
  {
    data_dir: '/var/lib/odcs',
    target_dir: '/srv/composes',
    extra_target_dirs: { private: '/srv/private/', team: '/srv/team' },
    definitions_dir: '',
    rules_dir: '/etc/odcs/rules',
  },
  {
    default: 'https://odcs.example.com/composes',
    extra: { private: null, team: 'https://team.example.com/composes' },
  },
  ['/mnt/koji'],
);

for (const [text, shown] of [
  [
    "ENOENT: no such file or directory, mkdir '/srv/composes/.odcs-9.e7d5.building'",
    'ENOENT: no such file or directory',
  ],
  ["It fails: EXDEV: cross-device link, link '/mnt/a' -> '/srv/b'.", 'It fails: EXDEV: cross-device link.'],
  [
    '/srv/composes/odcs-7/compose/x.rpm is gone',
    'https://odcs.example.com/composes/odcs-7/compose/x.rpm is gone',
  ],
  ['in /srv/private/.odcs-9.e7d5.building/compose/x', 'in odcs-9/compose/x'],
  ['/mnt/koji/packages/bash/5/1/x86_64/bash.rpm', 'packages/bash/5/1/x86_64/bash.rpm'],
  ['/srv/team/odcs-3/x is gone', 'https://team.example.com/composes/odcs-3/x is gone'],
  ['The disk of /srv/composes is full', 'The disk of https://odcs.example.com/composes is full'],
  ['needs /usr/bin/bash and http://host/a/b', 'needs /usr/bin/bash and http://host/a/b'],
] as const) {
  test(`clients read "${shown}"`, () => {
    assert.equal(hideServerPaths(text, paths), shown);
  });
}

test('what a request names itself is shown as it was named', () => {
  const named = placesOf({ source: ['/srv/composes/odcs-5/compose', 'f44'], lookasideRepos: ['/data/repo'] });
  assert.equal(
    hideServerPaths('/srv/composes/odcs-5/compose is none', paths, named),
    '/srv/composes/odcs-5/compose is none',
  );
});

test('an error keeps code, fate and cause, and loses a place that nobody named', () => {
  const error = new ReactorError('koji.file_missing', 'A file in /mnt/koji is not there.', {
    where: '/elsewhere/x',
    hint: 'Look at /mnt/koji/packages.',
    fate: 'retry',
  });
  const shown = withoutServerPaths(error, paths);
  assert.ok(shown instanceof ReactorError);
  assert.deepEqual(
    [shown.code, shown.message, shown.hint, shown.where, shown.fate, shown.cause],
    [
      'koji.file_missing',
      'A file in its directory is not there.',
      'Look at packages.',
      undefined,
      'retry',
      error,
    ],
  );
  const named = withoutServerPaths(error, paths, ['/elsewhere']);
  assert.ok(named instanceof ReactorError && named.where === '/elsewhere/x');
  const unforeseen = withoutServerPaths(new Error("EIO: i/o error, read '/srv/x'"), paths);
  assert.ok(unforeseen instanceof Error && unforeseen.message === 'EIO: i/o error');
});
