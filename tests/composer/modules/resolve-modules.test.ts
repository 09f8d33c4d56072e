import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { test, type TestContext } from 'node:test';
import { formatNsvc } from '../../../src/model/nsvc.ts';
import { connectMbs, type ModuleBuild } from '../../../src/upstream/mbs.ts';
import { indexModuleBuilds } from '../../../src/composer/modules/newest-builds.ts';
import {
  resolveModules,
  resolveModulesIn,
  type ModuleWish,
} from '../../../src/composer/modules/resolve-modules.ts';
import type { ModuleResolution } from '../../../src/composer/modules/resolved-module.ts';
import { sharedPath } from '../../shared.ts';
import { mbsDatasets, readMbsItems, startFakeMbs } from '../../upstream/fake-mbs.ts';

interface Vector {
  readonly id: string;
  readonly title: string;
  readonly request: {
    readonly source: Readonly<Record<string, string | number>> & { readonly source: string };
    readonly flags: readonly string[];
  };
  readonly dataset: string;
  readonly expected?: readonly string[];
  readonly error?: { readonly message: string };
}

/** What differs from the original's answers on purpose; docs/modules.md says why. */
const mended: Record<string, readonly string[] | { readonly message: string }> = {
  'mbs-37': ['dep2:s:1:dep2f411', 'dep2:s:2:dep2f422', 'twoplat:s:1:f41ctx00', 'twoplat:s:1:f42ctx00'],
  'mbs-52': ['nobase:s:1:c', 'num:1:10:aaaaaaaa', 'num:1:10:bbbbbbbb'],
  'mbs-55': ['num:1:10:aaaaaaaa', 'num:1:10:bbbbbbbb', 'rawhidebase:s:1:c'],
  'mbs-59': ['scr:s:2:c'],
};

const vectors = (
  JSON.parse(readFileSync(sharedPath('modules/oracle/vectors.json'), 'utf8')) as Vector[]
).filter(({ id }) => id.startsWith('mbs-'));

function wish(
  words: string,
  more: Partial<ModuleWish> & { bounds?: Partial<ModuleWish['baseModule']> } = {},
): ModuleWish {
  const { bounds, ...rest } = more;
  return {
    words: words.split(' ').filter(Boolean),
    withDependencies: true,
    includeDone: false,
    baseModuleNames: ['platform', 'bootstrap'],
    baseModule: { name: null, stream: null, streamVersionLte: null, streamVersionGte: null, ...bounds },
    ...rest,
  };
}

function wishOf({ request: { source, flags } }: Vector): ModuleWish {
  const text = (key: string): string | null => (typeof source[key] === 'string' ? source[key] : null);
  const number = (key: string): number | null => (typeof source[key] === 'number' ? source[key] : null);
  return wish(source.source, {
    withDependencies: !flags.includes('no_deps'),
    includeDone: flags.includes('include_done_modules'),
    bounds: {
      name: text('base_module_br_name'),
      stream: text('base_module_br_stream'),
      streamVersionLte: number('base_module_br_stream_version_lte'),
      streamVersionGte: number('base_module_br_stream_version_gte'),
    },
  });
}

function nsvcs(resolution: ModuleResolution): string[] {
  return resolution.modules.map(formatNsvc);
}

/** Resolves over HTTP and over builds in memory, which must agree. */
async function resolveBoth(
  context: TestContext,
  dataset: string,
  asked: ModuleWish,
): Promise<ModuleResolution> {
  const name = mbsDatasets.find((known) => dataset === known) ?? 'rules';
  const fake = await startFakeMbs(context, readMbsItems(name));
  const mbs = connectMbs({ url: fake.url, perPage: 10 });
  const builds: ModuleBuild[] = [];
  for await (const page of mbs.listModuleBuilds({ nsvc: '', states: [] })) builds.push(...page);
  let inMemory: ModuleResolution | Error;
  try {
    inMemory = resolveModulesIn(asked, indexModuleBuilds(builds));
  } catch (error) {
    assert.ok(error instanceof Error);
    inMemory = error;
  }
  if (inMemory instanceof Error) {
    await assert.rejects(resolveModules(asked, mbs), { message: inMemory.message });
    throw inMemory;
  }
  const overHttp = await resolveModules(asked, mbs);
  assert.deepEqual(overHttp, inMemory);
  return overHttp;
}

for (const vector of vectors) {
  const dataset = basename(vector.dataset, '.json').slice('mbs-'.length);
  const expected = mended[vector.id] ?? vector.expected ?? { message: vector.error?.message ?? '' };
  test(`${vector.id}: ${vector.title}${vector.id in mended ? ' (mended)' : ''}`, async (context) => {
    const resolving = resolveBoth(context, dataset, wishOf(vector));
    if ('message' in expected) await assert.rejects(resolving, { message: expected.message });
    else assert.deepEqual(nsvcs(await resolving), expected);
  });
}

const cases: [string, string, ModuleWish, readonly string[]][] = [
  ['all contexts, also those beyond ten, and no older version', 'rules', wish('many:s'), many()],
  ['the newest version by number', 'rules', wish('num:1'), ['num:1:10:aaaaaaaa', 'num:1:10:bbbbbbbb']],
  [
    'a newer done build when asked for done ones',
    'rules',
    wish('num:1', { includeDone: true }),
    ['num:1:11:aaaaaaaa'],
  ],
  ['a done build by its full name', 'rules', wish('done:s:5:c', { withDependencies: false }), ['done:s:5:c']],
  [
    'a done dependency when asked for done ones',
    'rules',
    wish('done:s', { includeDone: true }),
    ['done:s:5:c', 'donedep:s:5:c'],
  ],
  [
    'a ready dependency before a newer done one',
    'rules',
    wish('needsnewer:s', { includeDone: true }),
    ['donenewer:s:1:c', 'needsnewer:s:1:c'],
  ],
  [
    'a pinned older version for its dependants',
    'rules',
    wish('pin:s:1 needspin:s'),
    ['needspin:s:1:c', 'pin:s:1:c'],
  ],
  [
    'the platform asked for',
    'rules',
    wish('plat:s', { bounds: { name: 'platform', stream: 'f41' } }),
    ['plat:s:4120250101000000:f41ctx00'],
  ],
  ['both streams of a list', 'rules', wish('multidep:s'), ['multi:a:1:c', 'multi:b:2:c', 'multidep:s:1:c']],
  [
    'the streams of all alternatives',
    'rules',
    wish('twodeps:s'),
    ['multi:a:1:c', 'multi:b:2:c', 'twodeps:s:1:c'],
  ],
  ['nothing for an excluded stream', 'rules', wish('notdep:s'), ['notdep:s:1:c']],
  [
    'dependencies of a document of version 1',
    'rules',
    wish('old:s'),
    ['num:1:10:aaaaaaaa', 'num:1:10:bbbbbbbb', 'old:s:1:c'],
  ],
  ['nothing for an empty source', 'rules', wish(''), []],
  [
    'a dashed name with one reading',
    'fixture',
    wish('cherry-stable-2'),
    ['cherry:stable-2:4220250104000000:deadbeef'],
  ],
  [
    'a dashed name with a version',
    'fixture',
    wish('basket-2.0-4200020250202020202'),
    ['basket:2.0:4200020250202020202:0a1b2c3d'],
  ],
  ['a dashed name with dashes on both sides', 'rules', wish('dash-dev-el-8'), ['dash-dev:el-8:1:c']],
];
for (const [title, dataset, asked, expected] of cases) {
  test(`${asked.words.join(' ') || 'an empty wish'} gives ${title}`, async (context) => {
    assert.deepEqual(nsvcs(await resolveBoth(context, dataset, asked)), expected);
  });
}

function many(): string[] {
  return Array.from({ length: 12 }, (_, index) => `many:s:1:c${String(index).padStart(7, '0')}`);
}

test('a dashed name that exists in two readings is refused with both', async (context) => {
  const [item] = readMbsItems('rules').filter(({ name }) => name === 'dash-dev');
  assert.ok(item);
  const fake = await startFakeMbs(context, [item, { ...item, id: 999, name: 'dash', stream: 'dev-el-8' }]);
  await assert.rejects(resolveModules(wish('dash-dev-el-8'), connectMbs({ url: fake.url })), {
    code: 'module.ambiguous',
    message: 'The module dash-dev-el-8 can be read as dash-dev:el-8, dash:dev-el-8.',
  });
});

const refused: [string, ModuleWish, string, RegExp][] = [
  [
    'a base module',
    wish('platform:f42'),
    'module.base_requested',
    /base modules, but platform was requested/,
  ],
  ['an unknown module', wish('nosuch:1'), 'module.unknown', /nosuch:1 in ready state/],
  ['a dashed name without any reading', wish('no-such-1'), 'module.unknown', /no-such-1 in ready state/],
  ['one word', wish('apple'), 'module.invalid', /got apple/],
  [
    'two versions of a stream',
    wish('num:1:9 num:1:10'),
    'module.conflict',
    /^num:1:10:aaaaaaaa conflicts with num:1:9:/,
  ],
];
for (const [title, asked, code, message] of refused) {
  test(`${title} is refused by ${code}`, async (context) => {
    await assert.rejects(resolveBoth(context, 'rules', asked), { name: 'ReactorError', code, message });
  });
}

test('an unknown module comes with a hint to what MBS has instead', async (context) => {
  await assert.rejects(resolveBoth(context, 'rules', wish('done:s')), {
    hint: 'MBS has done:s:5:c in state done.',
  });
});

test('modules of two platforms are told apart in a warning', async (context) => {
  const { warnings } = await resolveBoth(context, 'fixture', wish('basket:1.10'));
  assert.match(
    warnings.join(),
    /platforms f41 \(basket:1\.10:\d+:00000041\) and f42 \(basket:1\.10:\d+:5e001234\)/,
  );
  const bounded = await resolveBoth(
    context,
    'fixture',
    wish('basket:1.10', { bounds: { name: 'platform', stream: 'f42' } }),
  );
  assert.deepEqual(bounded.warnings, []);
});

test('modules of one major release are of one platform', async (context) => {
  const bounds = { name: 'platform', stream: 'el8.3.0' };
  assert.deepEqual((await resolveBoth(context, 'rules', wish('rh:s', { bounds }))).warnings, []);
});

test('what is left out of a compose is named', async (context) => {
  const alone = await resolveBoth(context, 'fixture', wish('damson:1', { withDependencies: false }));
  assert.match(
    alone.warnings.join(),
    /^damson:1:\S+ requires apple:main and cherry:stable-2, which the compose does not/,
  );
  const any = await resolveBoth(context, 'rules', wish('anydep:s'));
  assert.match(any.warnings.join(), /requires any stream of num, which/);
  const not = await resolveBoth(context, 'rules', wish('notdep:s'));
  assert.match(not.warnings.join(), /requires any stream of num but 1, which/);
});

test('a broken document is named by its module', async (context) => {
  const [item] = readMbsItems('rules');
  assert.ok(item);
  const fake = await startFakeMbs(context, [{ ...item, modulemd: 'a: [' }]);
  await assert.rejects(resolveModules(wish(`${item.name}:${item.stream}`), connectMbs({ url: fake.url })), {
    code: 'modulemd.yaml_invalid',
    where: /^num:1:9:aaaaaaaa/,
  });
});
