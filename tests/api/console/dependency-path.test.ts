// Runs once: no database decides a path.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dependencyPath, pathSection, readReason } from '../../../src/api/console/dependency-path.ts';
import type { HeldPackage } from '../../../src/api/console/compose-contents.ts';
import { parseNevra } from '../../../src/model/nevra.ts';

const held = (nevra: string, why: string): HeldPackage => ({
  nevra: parseNevra(nevra),
  kind: 'binary',
  sigkey: '-',
  why,
});
const bash = held('bash-0:5.2-1.x86_64', 'bash-5.2-1.x86_64 is input, it matches "bash".');
const readline = held(
  'readline-0:8.2-1.x86_64',
  'readline-8.2-1.x86_64 is required by bash-5.2-1.x86_64 through "libreadline.so.8()(64bit)".',
);
const ncurses = held(
  'ncurses-libs-1:6.5-2.x86_64',
  'ncurses-libs-1:6.5-2.x86_64 is required by readline-8.2-1.x86_64 through "libtinfo.so.6()(64bit)".',
);

test('a path leads from what was asked for to a package, each step with the dependency', () => {
  const path = dependencyPath([ncurses, readline, bash], ncurses);
  assert.deepEqual(
    path.map(({ nevra, how }) => [nevra.name, how]),
    [
      ['bash', 'input, it matches "bash".'],
      ['readline', 'requires libreadline.so.8()(64bit)'],
      ['ncurses-libs', 'requires libtinfo.so.6()(64bit)'],
    ],
  );
});

test('every reason that names another package is read', () => {
  const reasons = [
    'a-1-1.noarch is required by b-1-1.noarch through "c".',
    'a-1-1.noarch is required to build b-1-1.noarch through "c".',
    'a-1-1.noarch is a langpack of b-1-1.noarch.',
    'a-1-1.noarch is the source of b-1-1.noarch.',
    'a-1-1.noarch is debuginfo of b-1-1.noarch.',
    'a-1-1.noarch is of the same build as b-1-1.noarch.',
    'a-1-1.noarch is multilib of b-1-1.noarch by runtime.',
  ];
  for (const reason of reasons) assert.equal(readReason(reason)?.by, 'b-1-1.noarch', reason);
  assert.equal(readReason('a-1-1.noarch is input, it matches "a".'), null);
});

test('packages that require each other are no path without end, and one whose asker is gone begins it', () => {
  const a = held('a-0:1-1.noarch', 'a-1-1.noarch is required by b-1-1.noarch through "b".');
  const b = held('b-0:1-1.noarch', 'b-1-1.noarch is required by a-1-1.noarch through "a".');
  assert.equal(dependencyPath([a, b], a).length, 2);
  assert.equal(dependencyPath([ncurses], ncurses).length, 1);
});

test('a way that several arches have is drawn once, and a name that nothing has draws nothing', () => {
  const arches = new Map([
    ['x86_64', [bash, readline]],
    ['aarch64', [bash, readline]],
  ]);
  const text = String(pathSection(arches, 'readline'));
  assert.equal(text.match(/<ol/g)?.length, 1);
  assert.match(text, /x86_64, aarch64/);
  assert.equal(String(pathSection(arches, 'emacs')), '');
});
