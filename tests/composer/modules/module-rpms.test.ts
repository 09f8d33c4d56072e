import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import { loadModulePools, type ModulePool } from '../../../src/composer/modules/module-pools.ts';
import { selectModuleRpms, type ModuleRpm } from '../../../src/composer/modules/module-rpms.ts';
import { openTopDir } from '../../../src/composer/koji/koji-files.ts';
import { formatNevra } from '../../../src/model/nevra.ts';
import { formatNsvc, parseNsvc } from '../../../src/model/nsvc.ts';
import { formatModules } from '../../../src/rpm/productmd.ts';
import { productmdModules, withModulemdPaths } from '../../../src/rpm/productmd-modules.ts';
import { sharedPath } from '../../shared.ts';
import { readModuleHubData, startModuleHub, type ModuleHubData } from '../../upstream/koji/module-hub.ts';

const fixture = readModuleHubData('fixture');

type Expected = Record<string, unknown> & { readonly nsvc: readonly string[] };
interface ExpectedTree {
  readonly rpm: readonly string[];
  readonly debuginfo: readonly string[];
  readonly srpm: readonly string[];
  readonly modules: readonly string[];
  readonly koji_tags: Readonly<Record<string, string>>;
}
const expected = JSON.parse(
  readFileSync(sharedPath('modules/fixture/expected-compose.json'), 'utf8'),
) as Record<string, Expected>;

async function load(
  context: TestContext,
  nsvcs: readonly string[],
  arches: readonly string[],
  data: ModuleHubData = fixture,
): Promise<readonly ModulePool[]> {
  const { hub } = await startModuleHub(context, data);
  const files = openTopDir(sharedPath('modules/fixture/koji-topdir'));
  const event = { id: data.event.id, at: data.event.ts * 1000 };
  return loadModulePools({ hub, files }, { modules: nsvcs.map(parseNsvc), arches, event });
}

function nevras(rpms: readonly ModuleRpm[]): string[] {
  return rpms.map((rpm) => formatNevra(rpm.package.rpm));
}

for (const [name, compose] of Object.entries(expected)) {
  for (const [setting, trees] of Object.entries(compose)) {
    if (setting === 'nsvc') continue;
    const multilib = /multilib_arches=\[(.*)\]/.exec(setting)?.[1]?.split(', ') ?? [];
    test(`the compose of ${name} (${setting}) holds what the reference composer chose`, async (context) => {
      const wanted = trees as Record<string, ExpectedTree>;
      const arches = Object.keys(wanted);
      const chosen = selectModuleRpms(await load(context, compose.nsvc, arches), arches, multilib);
      assert.deepEqual(chosen.warnings, []);
      for (const tree of chosen.trees) {
        const {
          rpm,
          debuginfo,
          srpm,
          modules,
          koji_tags: tags,
        } = wanted[tree.arch] ?? assert.fail(tree.arch);
        assert.deepEqual(nevras(tree.binary), rpm);
        assert.deepEqual(nevras(tree.debug), debuginfo);
        assert.deepEqual(nevras(tree.source), srpm);
        assert.deepEqual(
          tree.modules.map(({ stream }) => formatNsvc(stream)),
          modules,
        );
        for (const { stream, kojiTag } of tree.modules) assert.equal(kojiTag, tags[formatNsvc(stream)]);
      }
    });
  }
}

const damson = expected['damson']?.nsvc ?? [];

test('modules.json is the one that productmd writes', async (context) => {
  const text = readFileSync(sharedPath('modules/fixture/expected-modules.json'), 'utf8');
  const { payload } = JSON.parse(text) as {
    payload: { modules: { Temporary: Record<string, Record<string, unknown>> } };
  };
  const arches = Object.keys(payload.modules.Temporary);
  const nsvcs = Object.keys(payload.modules.Temporary[arches[0] ?? ''] ?? {});
  const { trees } = selectModuleRpms(await load(context, nsvcs, arches), arches, []);
  const entries = productmdModules('Temporary', new Map(trees.map(({ arch, modules }) => [arch, modules])));
  const zeros = '0'.repeat(64);
  const paths = arches.map((arch) => {
    const path = `Temporary/${arch}/os/repodata/${zeros}-modules.yaml.gz`;
    return { variant: 'Temporary', arch, path };
  });
  const identity = {
    name: 'odcs-1234',
    date: '20250101',
    type: 'test',
    respin: 0,
    label: null,
    timestamp: 0,
  };
  assert.equal(formatModules(identity, withModulemdPaths(entries, paths)).trim(), text.trim());
  assert.deepEqual(productmdModules('Temporary', new Map([['x86_64', []]])), {});
});

test('an arch the module was not built for is refused with those it was built for', async (context) => {
  await assert.rejects(load(context, damson, ['x86_64', 's390x']), {
    code: 'module.arch_missing',
    message:
      /^Module apple:main:4220250103000000:b0c0ffee does not have metadata for arch s390x and is not filtered/,
    hint: /aarch64, i686, x86_64/,
  });
});

const missing: [string, string, Partial<ModuleHubData>, RegExp][] = [
  ['an unknown module', 'nosuch:1:1:c', {}, /has no module build/],
  [
    'a build of the stream with an underscore',
    'cherry:stable_2:4220250104000000:deadbeef',
    {},
    /of the stream stable-2/,
  ],
  [
    'a deleted build',
    damson[0] ?? '',
    { builds: fixture.builds.map((build) => ({ ...build, state: 2 })) },
    /is deleted/,
  ],
  ['a build after the event', damson[0] ?? '', { event: { id: 1, ts: 0 } }, /completed after the Koji event/],
];
for (const [title, nsvc, change, hint] of missing) {
  test(`${title} is not found`, async (context) => {
    await assert.rejects(load(context, [nsvc], ['x86_64'], { ...fixture, ...change }), {
      code: 'koji.module_missing',
      hint,
    });
  });
}

test('an old build without files for arches is refused instead of skipped', async (context) => {
  const archives = {
    '9005': (fixture.archives?.['9005'] ?? []).filter(({ filename }) => filename === 'modulemd.txt'),
  };
  await assert.rejects(load(context, damson.slice(0, 1), ['x86_64'], { ...fixture, archives }), {
    code: 'module.no_arch_metadata',
  });
});

test('packages that the document lists and the tag lacks are named', async (context) => {
  const rpms = (fixture.rpms ?? []).filter(({ name }) => name !== 'apple-doc');
  const pools = await load(context, damson.slice(0, 1), ['x86_64'], { ...fixture, rpms });
  const { trees, warnings } = selectModuleRpms(pools, ['x86_64'], []);
  assert.deepEqual(nevras(trees[0]?.binary ?? []), ['apple-1:1.0-1.module_f42+201+b0c0ffee.x86_64']);
  assert.match(
    warnings.join(),
    /lists packages for x86_64 .* does not hold: apple-doc-1:1\.0-1\S+\.noarch\.$/,
  );
});
