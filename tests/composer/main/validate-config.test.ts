import assert from 'node:assert/strict';
import { test } from 'node:test';
import { textsByVariantAndArch, valuesByVariant } from '../../../src/composer/main/config-mappings.ts';
import { findNotNative } from '../../../src/composer/main/find-not-native.ts';
import { loadConfig } from '../../../src/composer/main/load-config.ts';
import { findPatternFault, matchesAtStart } from '../../../src/composer/python-pattern.ts';
import { validateConfig } from '../../../src/composer/main/validate-config.ts';
import { isDictionary, type Config } from '../../../src/composer/main/config-value.ts';
import { configFiles } from './config-files.ts';

const whole = `release_name = "F"
release_short = "F"
release_version = "1"
variants_file = "variants.xml"
pkgset_source = "koji"
koji_profile = "k"
pkgset_koji_tag = "t"
gather_method = "deps"
`;

function configOf(text: string): Config {
  return loadConfig(configFiles({ 'main.conf': text }), 'main.conf').config;
}

test('a whole configuration has no faults', () => {
  assert.deepEqual(validateConfig(configOf(whole)), { warnings: [], errors: [] });
});

test('every required option that is missing is named', () => {
  assert.deepEqual(
    validateConfig(configOf('x = 1')).errors.filter((line) => line.includes('required')),
    [
      'release_name',
      'release_short',
      'release_version',
      'variants_file',
      'pkgset_source',
      'gather_method',
    ].map((name) => `Failed validation in : '${name}' is a required property`),
  );
});

test('shapes are checked to the place of the fault', () => {
  const { errors } = validateConfig(
    configOf(`${whole}tree_arches = "x"
sigkeys = [None, 1]
additional_packages = [("(", {"*": [1]}), ("a", {"*": "x"}), "b", ("c",)]
multilib = [("^A", {"x86_64": ["some"]})]
variant_as_lookaside = [("A", "B", "C")]
repoclosure_strictness = [("^.*$", {"*": "hard"})]`),
  );
  assert.deepEqual(errors, [
    "Failed validation in tree_arches: 'x' is not of type 'array'",
    'Failed validation in sigkeys.1: 1 is not valid under any of the given schemas',
    'Failed validation in additional_packages.0.0: incorrect regular expression: missing ), unterminated subpattern at position 0',
    "Failed validation in additional_packages.0.1.*.0: 1 is not of type 'string'",
    "Failed validation in additional_packages.2: 'b' is not of type 'array'",
    "Failed validation in additional_packages.3: ['c'] is too short",
    "Failed validation in multilib.0.1.x86_64.0: 'some' is not one of ['none', 'all', 'runtime', 'devel', 'kernel', 'yaboot', 'file']",
    "Failed validation in variant_as_lookaside.0: ['A', 'B', 'C'] is too long",
    "Failed validation in repoclosure_strictness.0.1.*: 'hard' is not one of ['off', 'lenient', 'fatal']",
  ]);
});

test('options that exclude each other, and those that need others, are named', () => {
  const repos = whole.replace('"koji"', '"repos"').replace(/koji_profile.*\n/, '');
  assert.deepEqual(validateConfig(configOf(repos)).errors, [
    'ERROR: Config option pkgset_source=repos requires pkgset_repos which is not set.',
    'ERROR: Config option pkgset_source=repos conflicts with option pkgset_koji_tag.',
  ]);
});

test('an unknown option warns, with the known one it may be', () => {
  assert.deepEqual(validateConfig(configOf(`${whole}gather_fultree = True\nzzz = 1`)).warnings, [
    'WARNING: Unrecognized config option: gather_fultree. Did you mean gather_fulltree?',
    'WARNING: Unrecognized config option: zzz.',
  ]);
});

test('patterns match at the start of a uid, as in Python', () => {
  assert.equal(matchesAtStart('App', 'AppStream'), true);
  assert.equal(matchesAtStart('OS$', 'BaseOS'), false);
  assert.equal(matchesAtStart('A|Base', 'BaseOS'), true);
  assert.equal(matchesAtStart('(?i)base(?P<rest>.*)\\Z', 'BaseOS'), true);
  assert.equal(findPatternFault('a)'), 'unbalanced parenthesis at position 1');
  assert.equal(findPatternFault('[a'), 'unterminated character set at position 0');
  assert.equal(findPatternFault('a**'), 'multiple repeat at position 2');
  assert.equal(findPatternFault('^(?!Server)[^-]+$'), null);
});

test('a pattern that takes for ever is given up', () => {
  assert.equal(matchesAtStart('^(Base|App)+(OS|Stream)$', 'BaseOS'), true);
  assert.throws(() => matchesAtStart('^([A-Za-z]+)+$', `${'a'.repeat(60)}-`), {
    code: 'main.pattern_invalid',
  });
  assert.throws(() => matchesAtStart('.*.*.*.*.*.*.*.*.*.*.*x', 'a'.repeat(64)), {
    code: 'main.pattern_invalid',
  });
});

test('mappings add up over entries, with the arch and the star', () => {
  const config =
    configOf(`m = [("^B", {"x86_64": ["a"], "*": "b", "src": ["s"]}), ("Base", {"*": ["c"]}), ("OS", {"*": ["d"]})]
t = {"^.*$": 1, "^Base": 2, "^App": 3}`);
  assert.deepEqual(textsByVariantAndArch(config.get('m'), 'BaseOS', 'x86_64'), ['a', 'b', 'c']);
  assert.deepEqual(textsByVariantAndArch(config.get('m'), 'BaseOS', 's390x'), ['b', 'c']);
  assert.deepEqual(textsByVariantAndArch(config.get('m'), 'BaseOS', 'src'), ['s']);
  const types = config.get('t');
  assert.deepEqual(isDictionary(types) ? valuesByVariant(types, 'BaseOS') : null, [1, 2]);
});

test('what is asked for and not made here is named, unless it is skipped', () => {
  const asked = configOf(`${whole}buildinstall_method = "lorax"
osbuild = {"^B": [{"name": "x"}]}
live_images = []
ostree = {"^B": {}}
skip_phases = ["ostree"]
createrepo_deltas = True`);
  assert.deepEqual(
    findNotNative(asked).map(({ option }) => option),
    ['buildinstall_method', 'skip_phases', 'osbuild', 'createrepo_deltas'],
  );
  assert.deepEqual(findNotNative(configOf(`${whole}skip_phases = ["createiso"]`)), []);
});
