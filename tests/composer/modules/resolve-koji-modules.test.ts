import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import { formatNsvc } from '../../../src/model/nsvc.ts';
import { kojiModuleHub } from '../../../src/composer/modules/koji-module-hub.ts';
import { resolveKojiModules } from '../../../src/composer/modules/resolve-koji-modules.ts';
import type { ModuleResolution } from '../../../src/composer/modules/resolved-module.ts';
import { resolveWholeTags } from '../../../src/composer/modules/resolve-whole-tags.ts';
import { sharedPath } from '../../shared.ts';
import { readModuleHubData, startModuleHub, type ModuleHubData } from '../../upstream/koji/module-hub.ts';

interface Vector {
  readonly id: string;
  readonly title: string;
  readonly request: {
    readonly source: { readonly source: string; readonly modular_koji_tags: string };
    readonly flags: readonly string[];
  };
  readonly dataset: string;
  readonly expected?: readonly string[];
  readonly error?: { readonly message: string };
}

/** What differs from the original's answers on purpose; docs/modules.md says why. */
const mended: Record<string, { readonly code: string; readonly message: RegExp }> = {
  'koji-08': { code: 'module.unknown', message: /^Failed to find module lib:x_1 in the Koji tags PARENT\.$/ },
  'koji-10': { code: 'module.unknown', message: /^Failed to find module nosuch:1 in the Koji tags T\.$/ },
  'koji-11': { code: 'module.unknown', message: /^Failed to find module nosuch:1:1 in Koji\.$/ },
  'koji-23': { code: 'module.invalid', message: /app:1:1\? holds a glob character/ },
};

const vectors = (
  JSON.parse(readFileSync(sharedPath('modules/oracle/vectors.json'), 'utf8')) as Vector[]
).filter(({ id }) => id.startsWith('koji-'));

async function resolve(
  context: TestContext,
  data: ModuleHubData,
  source: string,
  tags: string,
  flags: readonly string[] = [],
): Promise<ModuleResolution> {
  const { hub } = await startModuleHub(context, data);
  const wish = {
    words: source.split(' '),
    tags: tags.split(' '),
    withDependencies: !flags.includes('no_deps'),
    baseModuleNames: ['platform', 'bootstrap'],
  };
  return resolveKojiModules(wish, kojiModuleHub(hub, data.event.id));
}

async function nsvcs(resolving: Promise<ModuleResolution>): Promise<string[]> {
  return (await resolving).modules.map(formatNsvc);
}

for (const { id, title, request, dataset, expected, error } of vectors) {
  const different = mended[id];
  test(`${id}: ${title}${different === undefined ? '' : ' (mended)'}`, async (context) => {
    const data = readModuleHubData(dataset.includes('fixture') ? 'fixture' : 'rules');
    const { source, modular_koji_tags: tags } = request.source;
    const resolving = nsvcs(resolve(context, data, source, tags, request.flags));
    if (expected === undefined && different === undefined)
      await assert.rejects(resolving, { message: error?.message });
    else if (different !== undefined) await assert.rejects(resolving, { name: 'ReactorError', ...different });
    else assert.deepEqual(await resolving, expected);
  });
}

const rules = readModuleHubData('rules');

const cases: [string, string, string, string[], string[]][] = [
  ['the first tag that has the stream', 'leaf:s', 'T2 T', [], ['leaf:s:3:c']],
  ['the order of tags', 'leaf:s', 'T T2', [], ['leaf:s:1:c']],
  ['no dependencies with no_deps', 'app:1', 'T', ['no_deps'], ['app:1:10:c1', 'app:1:10:c2']],
  ['both streams of one name', 'app:1 app:2', 'T', ['no_deps'], ['app:1:10:c1', 'app:1:10:c2', 'app:2:1:c1']],
  ['one build once', 'leaf:s:2:c leaf:s:2', 'T', [], ['leaf:s:2:c']],
  ['nothing for an excluded stream', 'neg:s', 'T', [], ['neg:s:1:c']],
];
for (const [title, source, tags, flags, expected] of cases) {
  test(`${source} from ${tags} gives ${title}`, async (context) => {
    assert.deepEqual(await nsvcs(resolve(context, rules, source, tags, flags)), expected);
  });
}

const refused: [string, string, string, string, RegExp][] = [
  [
    'a missing dependency',
    'ghost:s',
    'T',
    'module.unknown',
    /nosuch:s in the Koji tags T\. It is required by ghost:s:1:c\.$/,
  ],
  [
    'two versions of a stream',
    'leaf:s leaf:s:2:c',
    'T',
    'module.conflict',
    /^leaf:s:2:c conflicts with leaf:s:1:c$/,
  ],
  ['an unknown tag', 'app:1', 'NOPE', 'koji.tag_unknown', /NOPE/],
  ['a base module', 'platform:f42', 'T', 'module.base_requested', /platform was requested/],
];
for (const [title, source, tags, code, message] of refused) {
  test(`${title} is refused by ${code}`, async (context) => {
    await assert.rejects(resolve(context, rules, source, tags), { name: 'ReactorError', code, message });
  });
}

test('a stream with a dash and one with an underscore are kept apart', async (context) => {
  const [dashed] = rules.builds.filter(({ nvr }) => nvr === 'lib-x_1-5.c');
  const newer = JSON.parse(
    JSON.stringify(dashed).replaceAll('x-1', 'x_1').replaceAll('5', '9'),
  ) as typeof dashed;
  assert.ok(newer);
  const tags = { T: { parents: [], builds: [5, 8, 9] } };
  const builds = [...rules.builds.filter(({ id }) => id !== 9), newer];
  const data = { ...rules, builds, tags };
  assert.deepEqual(await nsvcs(resolve(context, data, 'lib:x-1', 'T', ['no_deps'])), ['lib:x-1:5:c']);
  assert.deepEqual(await nsvcs(resolve(context, data, 'lib:x_1', 'T', ['no_deps'])), ['lib:x_1:9:c']);
});

test('deleted builds are not found by their full name', async (context) => {
  const data = { ...rules, builds: rules.builds.map((build) => ({ ...build, state: 2 })) };
  await assert.rejects(resolve(context, data, 'leaf:s:2:c', 'T'), { code: 'module.unknown' });
});

test('contexts of two platforms in one tag are told apart in a warning', async (context) => {
  const { warnings } = await resolve(context, readModuleHubData('fixture'), 'basket:1.10', 'f42-modular');
  assert.match(warnings.join(), /mixes modules for the platforms f41 .* and f42 /);
});

test('whole tags give the newest of every stream, the first tag that has it deciding', async (context) => {
  const { hub } = await startModuleHub(context, rules);
  const { modules } = await resolveWholeTags(['T2', 'T'], ['platform'], kojiModuleHub(hub, rules.event.id));
  const found = modules.map(formatNsvc);
  for (const nsvc of [
    'app:1:10:c1',
    'app:1:10:c2',
    'app:2:1:c1',
    'leaf:s:3:c',
    'lib:x-1:5:c',
    'lib:y:9:c',
    'ovr:s:5:c',
  ]) {
    assert.ok(found.includes(nsvc), nsvc);
  }
  assert.ok(!found.includes('app:1:9:c1') && !found.includes('leaf:s:1:c') && !found.includes('ovr:s:7:c'));
});
