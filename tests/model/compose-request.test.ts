import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseComposeRequest, parseFirstReleaseRequest } from '../../src/model/compose-request.ts';
import { ReactorError } from '../../src/model/errors.ts';
import { defaultRequest } from '../default-request.ts';

const defaults = {
  arches: ['x86_64'],
  sigkeys: ['default'],
  secondsToLive: 86_400,
  maxSecondsToLive: 259_200,
  rawConfigNames: ['pungi_cfg'],
  rawConfigLimits: {},
  baseModuleNames: ['platform'],
  targetDirs: ['private'],
  hubs: ['brew', 'centos'],
};
const tag = { type: 'tag', source: 'f26' };
const parse = (body: unknown) => parseComposeRequest(body, defaults);

test('what is not given has the default', () => {
  assert.deepEqual(parse({ source: tag }), {
    sourceType: 'tag',
    source: ['f26'],
    ...defaultRequest,
    sigkeys: ['default'],
    secondsToLive: 86_400,
  });
});

test('every field is read', () => {
  const request = parse({
    source: {
      ...tag,
      packages: ['gcc-c++', 'a*', 'gcc-c++'],
      builds: ['a-1-1'],
      sigkeys: ['abc', ''],
      koji_event: 5,
      modular_koji_tags: ['m'],
      module_defaults_url: 'https://example.com/d.git',
      module_defaults_commit: 'main',
      scratch_modules: ['a:b'],
      scratch_build_tasks: ['12'],
      modules: ['n:s'],
      base_module_br_name: 'platform',
      base_module_br_stream: 'f26',
      base_module_br_stream_version_lte: 9,
      base_module_br_stream_version_gte: true,
    },
    seconds_to_live: 60,
    flags: ['check_deps', 'no_deps', 'no_flags'],
    results: ['boot.iso', 'iso'],
    arches: ['s390x', 'x86_64', 's390x'],
    multilib_arches: ['x86_64'],
    multilib_method: ['devel', 'runtime'],
    lookaside_repos: ['http://localhost/a'],
    parent_pungi_compose_ids: ['P-1'],
    label: 'Beta-1.1',
    compose_type: 'nightly',
    respin_of: 'P-0',
    target_dir: 'private',
  });
  assert.deepEqual(request, {
    sourceType: 'tag',
    source: ['f26'],
    packages: ['gcc-c++', 'a*', 'gcc-c++'],
    builds: ['a-1-1'],
    sigkeys: ['abc', ''],
    kojiEvent: 5,
    modularKojiTags: ['m'],
    moduleDefaults: { url: 'https://example.com/d.git', commit: 'main' },
    scratchModules: ['a:b'],
    scratchBuildTasks: ['12'],
    modules: ['n:s'],
    baseModule: { name: 'platform', stream: 'f26', streamVersionLte: 9, streamVersionGte: 1 },
    parentPungiComposeIds: ['P-1'],
    flags: ['no_deps', 'check_deps'],
    results: ['repository', 'iso', 'boot.iso'],
    arches: ['s390x', 'x86_64'],
    multilibArches: ['x86_64'],
    multilibMethods: ['runtime', 'devel'],
    lookasideRepos: ['http://localhost/a'],
    label: 'Beta-1.1',
    composeType: 'nightly',
    respinOf: 'P-0',
    targetDir: 'private',
    secondsToLive: 60,
  });
});

test('an empty list is told apart from none, except for arches', () => {
  const request = parse({ source: { ...tag, packages: [], builds: [], sigkeys: [] }, arches: [] });
  assert.deepEqual([request.packages, request.builds, request.sigkeys], [[], [], []]);
  assert.deepEqual(request.arches, ['x86_64']);
});

test('a text where a list is meant is its words, not its letters', () => {
  const request = parse({ source: tag, arches: 'x86_64 s390x', flags: 'no_deps' });
  assert.deepEqual(request.arches, ['x86_64', 's390x']);
  assert.deepEqual(request.flags, ['no_deps']);
});

for (const [body, seconds] of [
  [{ seconds_to_live: 0 }, 86_400],
  [{ seconds_to_live: 999_999_999 }, 259_200],
  [{ 'seconds-to-live': '120' }, 120],
  [{ 'seconds-to-live': 90.7 }, 90],
  [{ 'seconds-to-live': '120', seconds_to_live: 30 }, 30],
] as const) {
  test(`${JSON.stringify(body)} is a life of ${seconds} seconds`, () => {
    assert.equal(parse({ ...body, source: tag }).secondsToLive, seconds);
  });
}

test('words of a source stand once, in order', () => {
  const { source } = parse({ source: { type: 'pulp', source: 'c  a b a' } });
  assert.deepEqual(source, ['c', 'a', 'b']);
});

test('build needs no source, module needs none with scratch modules', () => {
  assert.deepEqual(parse({ source: { type: 'build', builds: ['a-1-1'] } }).source, []);
  assert.deepEqual(parse({ source: { type: 'module', scratch_modules: ['a:b:1:c'] } }).source, []);
});

test('composes of this service are a source', () => {
  assert.deepEqual(parse({ source: { type: 'compose', source: '7 nightly' } }).source, ['7', 'nightly']);
});

test('modules of release 0.0.1 are written with dashes', () => {
  const flat = { source_type: 'module', source: 'base-runtime-f26 nodejs-18-2022' };
  assert.deepEqual(parseFirstReleaseRequest(flat, defaults).source, ['base-runtime-f26', 'nodejs-18-2022']);
  const base = { source_type: 'module', source: 'platform-f26' };
  assert.throws(() => parseFirstReleaseRequest(base, defaults), /platform was requested/);
});

test('the first problem in the order of keys is the one that is told', () => {
  assert.throws(() => parse({ label: 1, x: null, source: tag }), /label should be a string/);
  assert.throws(() => parse({ x: null, label: 1, source: tag }), /NoneType/);
});

test('whatever JSON is sent, the answer is a request or a ReactorError', () => {
  const names = fc.constantFrom('source', 'type', 'packages', 'flags', 'arches', 'sigkeys', 'label', 'x');
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      fc.constantFrom('tag', 'f26', 'module', 'no_deps', 'a:b', ''),
      fc.jsonValue({ maxDepth: 1 }),
      fc.array(tie('tree'), { maxLength: 3 }),
      fc.dictionary(names, tie('tree'), { maxKeys: 4 }),
    ),
  }));
  fc.assert(
    fc.property(tree, (body) => {
      try {
        parse(body);
      } catch (error) {
        assert.ok(error instanceof ReactorError, String(error));
      }
    }),
  );
});

for (const [what, body] of [
  ['an arch', { source: tag, arches: ['x86_64', '../../../../odcs-12/compose/Temporary/x86_64'] }],
  ['an arch', { source: tag, arches: ['..'] }],
  ['an arch', { source: tag, multilib_arches: ['x86_64/../..'] }],
  ['a label', { source: tag, label: '../RC-1.0' }],
  ['a compose type', { source: tag, compose_type: '../nightly' }],
  ['the id of a compose', { source: tag, respin_of: '-x/..' }],
  ['the id of a compose', { source: tag, parent_pungi_compose_ids: ['-config/x'] }],
  ['a signing key', { source: { ...tag, sigkeys: ['../../x'] } }],
  ['the NVR of a build', { source: { ...tag, builds: ['../a-1-1'] } }],
  ['the name of a module', { source: { ...tag, base_module_br_name: '../platform' } }],
  ['a series', { source: { type: 'compose', source: '../7' } }],
  ['a content set or a repository of Pulp', { source: { type: 'pulp', source: '../../users' } }],
] as const) {
  test(`a request with ${JSON.stringify(body)} is refused as it holds what cannot be ${what}`, () => {
    assert.throws(
      () => parse(body),
      ({ code, message, hint }: ReactorError) =>
        code === 'request.invalid_name' && message.endsWith(`cannot be ${what}.`) && hint !== undefined,
    );
  });
}

for (const source of ['../n:s', 'n:../s', 'n:s:../1', 'n:s:1:../c']) {
  test(`a module ${source} is refused wherever it is named`, () => {
    for (const body of [
      { type: 'module', source },
      { ...tag, modules: [source] },
      { ...tag, scratch_modules: [source] },
    ])
      assert.throws(() => parse({ source: body }), { code: 'module.invalid' });
  });
}

for (const source of [
  'file:///etc/compose/Server',
  '/srv/compose/Server',
  'Server',
  'http://h.example.com/',
  'http://h.example.com/compose/..',
  'http://h.example.com/compose/Server#x',
  'http://h.example.com/compose/Server?x',
  'http://h.example.com/compose/A http://h.example.com/compose/B',
]) {
  test(`${source} is refused as a variant of a Pungi compose`, () => {
    assert.throws(() => parse({ source: { type: 'pungi_compose', source } }), {
      code: 'request.invalid_source',
    });
  });
}

test('the words of a definition may pin its parts, in both forms; elsewhere the sign is refused as ODCS refuses it', () => {
  const source = { type: 'definition', source: 'main#a1b2 baseos=17 appstream=18' };
  const words = ['main#a1b2', 'baseos=17', 'appstream=18'];
  assert.deepEqual(parse({ source }).source, words);
  assert.deepEqual(parse({ source_type: source.type, source: source.source }).source, words);
  for (const body of [
    { source: { ...source, type: 'tag' } },
    { source: { ...source, type: 'compose' } },
    { source: { ...source, base_module_br_stream: 'f=1' } },
    { source, label: 'RC=1' },
    { source, arches: ['x86=64'] },
  ]) {
    assert.throws(
      () => parse(body),
      (error) => error instanceof ReactorError && error.code === 'request.invalid_value',
    );
  }
});
