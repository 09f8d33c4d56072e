import assert from 'node:assert/strict';
import { test } from 'node:test';
import { composeRecorded, type ComposeFacts } from './compose-recorded.ts';
import { universe } from './recorded-vectors.ts';

const base = `release_name = "Fixture"
release_short = "Fix"
release_version = "40"
variants_file = "variants.xml"
koji_profile = "fixture"
pkgset_source = "koji"
pkgset_koji_tag = "m-40"
check_deps = False
skip_phases = ["createiso", "repoclosure"]
`;

const arches = (names: readonly string[]): string =>
  `<arches>${names.map((name) => `<arch>${name}</arch>`).join('')}</arches>`;

interface VariantText {
  readonly id: string;
  readonly arches?: readonly string[];
  readonly attributes?: string;
  readonly body?: string;
  readonly type?: string;
}

function variantText({
  id,
  arches: own = ['x86_64'],
  attributes = '',
  body = '',
  type = 'variant',
}: VariantText): string {
  return `<variant id="${id}" name="${id}" type="${type}"${attributes}>${arches(own)}${body}</variant>`;
}

/** Plans a compose of the recorded packages. What is not said of the configuration is as in the records. */
async function plan(
  config: string,
  variants: readonly VariantText[],
  others: Readonly<Record<string, string>> = {},
  args: readonly string[] = ['--test'],
): Promise<ComposeFacts> {
  const method = /^gather_method/m.test(config) ? '' : 'gather_method = "deps"\n';
  const files = {
    'fixture.conf': base + method + config,
    'variants.xml': `<variants>\n${variants.map(variantText).join('\n')}\n</variants>\n`,
    ...others,
  };
  const result = {
    exit: 0,
    errors: [],
    warnings: [],
    metadata: {},
    rpms: {},
    comps: {},
    work_comps: {},
    repodata: {},
    files: [],
    treeinfo: {},
    discinfo: {},
    media_repo: {},
  };
  return composeRecorded({ name: 'made up', args: [...args], files, result });
}

/** Names of the packages in a tree. */
function namesIn(facts: ComposeFacts, tree: string): string[] {
  assert.deepEqual(facts.errors, []);
  return (facts.rpms[tree] ?? []).map((path) => (path.split('/').at(-1) ?? '').replace(/-[^-]+-[^-]+$/, ''));
}

test('with noarch left out of ExclusiveArch a package for other arches is taken off an arch', async () => {
  const asked = 'additional_packages = [("^A", {"*": ["m-fence"]})]\n';
  const variants = [{ id: 'A', arches: ['x86_64', 'aarch64'] }];
  assert.ok(namesIn(await plan(asked, variants), 'A/aarch64/os').includes('m-fence'));
  const strict = await plan(`${asked}pkgset_exclusive_arch_considers_noarch = False`, variants);
  assert.ok(!namesIn(strict, 'A/aarch64/os').includes('m-fence'));
  assert.ok(namesIn(strict, 'A/x86_64/os').includes('m-fence'));
});

test('what a lookaside variant had from its own lookaside is not shipped either', async () => {
  const facts = await plan(
    `additional_packages = [("^Z", {"*": ["m-libc", "m-core"]}), ("^A", {"*": ["m-gcc"]}), ("^M", {"*": ["m-bash", "m-gcc"]})]
variant_as_lookaside = [("M", "A"), ("A", "Z")]`,
    [{ id: 'M' }, { id: 'A' }, { id: 'Z' }],
  );
  const [m, a, z] = ['M', 'A', 'Z'].map((uid) => new Set(namesIn(facts, `${uid}/x86_64/os`)));
  assert.ok(z?.has('m-libc') && !a?.has('m-libc') && !m?.has('m-libc'));
  assert.ok(a?.has('m-gcc') && !m?.has('m-gcc'));
  assert.ok(
    z?.has('m-bash') === true && m?.has('m-bash'),
    'what only Z has, and A never touched, is shipped',
  );
});

test('the lookaside repository of one variant takes nothing from the builds of another', async () => {
  const facts = await plan(
    `gather_fulltree = True
additional_packages = [("^A", {"*": ["m-libc"]}), ("^B", {"*": ["m-bash"]})]
gather_lookaside_repos = [("^B", {"*": "file://${universe}/repos/look"})]`,
    [{ id: 'A' }, { id: 'B' }],
  );
  assert.ok(namesIn(facts, 'A/x86_64/os').includes('m-libc-static'));
  assert.ok(!namesIn(facts, 'B/x86_64/os').includes('m-libc'));
});

test('an implicit optional completes the builds of its parent and needs no groups', async () => {
  const facts = await plan('additional_packages = [("^S$", {"*": ["m-libs"]})]', [
    { id: 'S', attributes: ' has_optional="true"' },
  ]);
  assert.ok(namesIn(facts, 'S/x86_64/os').includes('m-libs'));
  const optional = namesIn(facts, 'S-optional/x86_64/os');
  assert.ok(optional.includes('m-libs-devel') && !optional.includes('m-libs'));
});

test('with methods by variant no unsigned package of the tag is tolerated', async () => {
  const facts = await plan(
    'gather_method = {"^.*$": {"comps": "deps"}}\nsigkeys = ["540FF9E7"]\nadditional_packages = [("^A", {"*": ["m-setup"]})]',
    [{ id: 'A' }],
  );
  assert.match(facts.errors[0] ?? '', /^Compose run failed: RPM\(s\) not found for sigs: \('540FF9E7',\)/);
});

test('prepopulated packages join what comps asks for, by name and arch', async () => {
  const facts = await plan(
    'gather_prepopulate = "some/where/pre.json"\nadditional_packages = [("^A", {"*": ["m-setup"]})]',
    [{ id: 'A' }],
    { 'pre.json': '{"A": {"x86_64": {"any": ["m-game.x86_64", "m-libc.s390x", "nope.noarch"]}}}' },
  );
  const names = namesIn(facts, 'A/x86_64/os');
  assert.ok(names.includes('m-game') && names.includes('m-setup'));
});

test('a filter of sources takes the source away and has its epoch guessed', async () => {
  const facts = await plan(
    'filter_packages = [("^A", {"*": ["m-httpd.src"]})]\nadditional_packages = [("^A", {"*": ["m-httpd"]})]',
    [{ id: 'A' }],
  );
  assert.ok(!namesIn(facts, 'A/source/tree').includes('m-httpd'));
  assert.ok(
    facts.warnings.some(
      (line) => line.includes('m-httpd') && line.endsWith('guessing epoch: m-httpd-1:2.4-1.src.rpm'),
    ),
  );
});

test('what all of a tag has comes with nodeps as a mapping, debuginfo too', async () => {
  const facts = await plan(
    'gather_method = {"^.*$": {"comps": "nodeps"}}\nadditional_packages = [("^A", {"*": ["*"]})]',
    [{ id: 'A' }],
  );
  assert.ok(namesIn(facts, 'A/x86_64/os').includes('m-stray'));
  assert.ok(namesIn(facts, 'A/x86_64/debug/tree').includes('m-gcc-debuginfo'));
});

test('a further module build replaces others of its stream', async () => {
  const facts = await plan(
    `gather_method = {"^.*$": {"comps": "deps", "module": "nodeps"}}
pkgset_koji_module_builds = {"A": ["basket:1.10:4220241201000000:5e001234"]}`,
    [{ id: 'A', body: '<modules><module>basket:1.10</module></modules>' }],
  );
  assert.deepEqual(
    (facts.rpms['A/x86_64/os'] ?? []).filter((path) => path.includes('basket-libs')),
    ['Packages/basket-libs-1.9-1.module_f42+100+5e001234.x86_64.rpm'],
  );
});

test('modules that filter_modules leaves out are not in that arch', async () => {
  const facts = await plan(
    `gather_method = {"^.*$": {"comps": "deps", "module": "nodeps"}}
filter_modules = [("^A$", {"aarch64": ["bask*:1.*"]})]`,
    [{ id: 'A', arches: ['aarch64', 'x86_64'], body: '<modules><module>basket:1.10</module></modules>' }],
  );
  assert.deepEqual(
    [namesIn(facts, 'A/aarch64/os').length, namesIn(facts, 'A/x86_64/os').length > 0],
    [0, true],
  );
});

test('patterns that no module of the tags has warn', async () => {
  const facts = await plan('gather_method = {"^.*$": {"comps": "deps", "module": "nodeps"}}', [
    { id: 'A', body: '<modules><module>nope:1</module><kojitag>f42-modular</kojitag></modules>' },
  ]);
  assert.deepEqual(facts.warnings, [
    "Configuration specified patterns (nope:1) that don't match any modules in the configured tags.",
  ]);
});

test('a release on a base product says so wherever it is named', async () => {
  const facts = await plan(
    `base_product_name = "Base"
base_product_short = "B"
base_product_version = "9"
additional_packages = [("^A", {"*": ["m-setup"]})]`,
    [{ id: 'A' }],
  );
  assert.equal(facts.id, 'Fix-40-B-9-@DATE@.t.0');
  assert.equal(facts.latestLink, 'latest-Fix-40-B-9');
  assert.deepEqual(facts.dotFiles.get('A/x86_64/os/.discinfo')?.split('\n')[1], 'Fixture 40 for Base 9');
  assert.match(
    facts.dotFiles.get('A/x86_64/os/.treeinfo') ?? '',
    /\[base_product\]\nname = Base\nshort = B\nversion = 9\n/,
  );
  assert.match(facts.dotFiles.get('A/x86_64/os/.treeinfo') ?? '', /\[release\]\nis_layered = true\n/);
});

test('what a variant needs of another is unresolved for repoclosure unless that is its lookaside', async () => {
  const config = `additional_packages = [("^B", {"*": ["m-libc"]}), ("^A", {"*": ["m-bash"]})]
skip_phases = ["createiso"]
filter_packages = [("^A", {"*": ["m-libc"]})]
`;
  const variants = [{ id: 'A' }, { id: 'B' }];
  const alone = await plan(config, variants);
  assert.match(
    alone.logs['x86_64/repoclosure-A.x86_64.log'] ?? '',
    /package: m-bash-1\.0-1\.x86_64 from Fix-40-@DATE@\.t\.0-repoclosure-A\.x86_64\n/,
  );
  assert.ok(alone.warnings.some((line) => line.startsWith('Repoclosure failed for A.x86_64\n')));
  const leaning = await plan(`${config}variant_as_lookaside = [("A", "B")]`, variants);
  assert.match(leaning.logs['x86_64/repoclosure-A.x86_64.log'] ?? '', /^COMMAND: dnf repoclosure .*\n-+\n$/);
});

test('files of a package of the compose lie in a tree', async () => {
  const facts = await plan(
    `additional_packages = [("^BaseOS", {"*": ["m-setup"]})]
extra_files = [("^.*$", {"*": [{"scm": "rpm", "repo": "m-release-%(variant_id_lower)s.noarch", "file": "/usr/share/m/*", "target": "rel"}]})]`,
    [{ id: 'BaseOS' }],
  );
  assert.deepEqual(facts.errors, []);
  assert.ok(facts.dotFiles.has('BaseOS/x86_64/os/rel/m-release-baseos'));
});

test('extra files from outside of the configuration, or to outside of their tree, are refused', async () => {
  const asking = (entry: string): Promise<ComposeFacts> =>
    plan(
      `additional_packages = [("^A", {"*": ["m-setup"]})]\nextra_files = [("^A$", {"*": [${entry}]})]`,
      [{ id: 'A' }],
      {
        'x/y': '1',
      },
    );
  const outside = await asking('{"scm": "file", "repo": "", "file": "../../etc/passwd"}');
  assert.match(outside.errors[0] ?? '', /No such file or directory/);
  const target = await asking('{"scm": "file", "repo": "", "file": "x/y", "target": "../../.."}');
  assert.match(target.errors[0] ?? '', /leads out of the tree/);
  const git = await asking('{"scm": "git", "repo": "https://x.invalid/y", "file": "z"}');
  assert.match(git.errors[0] ?? '', /scm "git" are not fetched/);
});

test('two variants that would lie in one directory are refused', async () => {
  const twice = await plan('additional_packages = [("^A", {"*": ["m-setup"]})]', [{ id: 'A' }, { id: 'A' }]);
  assert.notDeepEqual([twice.output, ...twice.errors].join(''), '');
  assert.deepEqual(twice.rpms, {});
});

test('thousands of groups, some of them twice, are taken in their order', async () => {
  const groupOf = (id: string, name: string): string =>
    `<group><id>${id}</id><name>${id}</name><packagelist><packagereq type="mandatory">${name}</packagereq></packagelist></group>`;
  const many = Array.from({ length: 5_000 }, (_none, at) => groupOf(`g${at % 4_990}`, 'm-nothing'));
  const comps = `<comps>${many.join('')}${groupOf('last', 'm-setup')}</comps>`;
  const facts = await plan('comps_file = "comps.xml"\n', [{ id: 'A' }], { 'comps.xml': comps });
  assert.deepEqual(namesIn(facts, 'A/x86_64/os'), ['m-setup']);
  assert.equal(facts.comps['A/x86_64/os']?.match(/<group>/g)?.length, 5_001);
});

test('a variant that takes everything leaves the others what they ask for', async () => {
  const facts = await plan('additional_packages = [("^All$", {"*": ["*"]}), ("^B$", {"*": ["m-setup"]})]\n', [
    { id: 'All' },
    { id: 'B' },
  ]);
  assert.ok(namesIn(facts, 'All/x86_64/os').length > 20);
  assert.deepEqual(namesIn(facts, 'B/x86_64/os'), ['m-setup']);
});
