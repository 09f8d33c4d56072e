import { indexModuleBuilds } from '../src/composer/modules/newest-builds.ts';
import { resolveModulesIn, type ModuleWish } from '../src/composer/modules/resolve-modules.ts';
import type { ModuleBuild } from '../src/upstream/mbs.ts';
import { moduleRequest, startModuleComposer } from '../tests/composer/modules/make-compose.ts';

const NAMES = 250;
const PLATFORMS = ['f41', 'f42'];

/** Builds like Fedora's: 250 modules, 2 streams, 2 platforms, 5 versions; each requires up to four others. */
function makeBuilds(): ModuleBuild[] {
  const builds: ModuleBuild[] = [];
  for (let name = 0; name < NAMES; name += 1) {
    for (const stream of ['1', '2']) {
      for (const platform of PLATFORMS) {
        for (let version = 0; version < 5; version += 1)
          builds.push(makeBuild(builds.length, name, stream, platform, version));
      }
    }
  }
  return builds;
}

function makeBuild(id: number, name: number, stream: string, platform: string, version: number): ModuleBuild {
  const requires = [2, 3, 5, 7]
    .map((factor) => Math.floor(name / factor))
    .filter((other) => other !== name && other > 0);
  const number = platform.slice(1);
  const wholeVersion = `${number}2025010${version}120000`;
  const context = (id * 2654435761).toString(16).slice(-8).padStart(8, '0');
  const lines = [...new Set(requires)].map((other) => `      module-${other}: ["${1 + (other % 2)}"]`);
  return {
    id,
    name: `module-${name}`,
    stream,
    version: wholeVersion,
    context,
    state: version === 4 && name % 10 === 0 ? 'done' : 'ready',
    isScratch: false,
    kojiTag: `module-${id}`,
    baseModules: [{ name: 'platform', stream: platform, streamVersion: Number(number) * 10_000 }],
    modulemd: [
      '---',
      'document: modulemd',
      'version: 2',
      'data:',
      `  name: module-${name}`,
      `  stream: "${stream}"`,
      `  version: ${wholeVersion}`,
      `  context: "${context}"`,
      '  summary: A module of the benchmark',
      '  description: >-',
      ...Array.from(
        { length: 10 },
        () => '    A paragraph that is as long as those that packagers write, wrapped at eighty.',
      ),
      '  license:',
      '    module: [MIT]',
      '  xmd:',
      '    mbs:',
      '      buildrequires:',
      '        platform: {context: "00000000", filtered_rpms: [], stream: f42, version: "1"}',
      '  dependencies:',
      '  - buildrequires:',
      `      platform: [${platform}]`,
      '    requires:',
      `      platform: [${platform}]`,
      ...lines,
      '  profiles:',
      '    default:',
      '      rpms: [main]',
      '  components:',
      '    rpms:',
      ...Array.from({ length: 12 }, (_, index) => [
        `      component-${index}:`,
        '        rationale: A dependency of the main one.',
        '        ref: 0000000000000000000000000000000000000000',
        '        arches: [aarch64, i686, ppc64le, s390x, x86_64]',
      ]).flat(),
      '...',
      '',
    ].join('\n'),
  };
}

function wishFor(names: readonly number[]): ModuleWish {
  return {
    words: names.map((name) => `module-${name}:1`),
    withDependencies: true,
    includeDone: false,
    baseModuleNames: ['platform', 'bootstrap'],
    baseModule: { name: 'platform', stream: 'f42', streamVersionLte: null, streamVersionGte: null },
  };
}

/** Plans and writes the fixture's damson with the three modules it needs, MBS and Koji over HTTP; target 1 s warm. */
async function composeFixture(): Promise<string[]> {
  const endings: (() => unknown)[] = [];
  const composer = await startModuleComposer({ after: (ending) => void endings.push(ending) });
  const request = moduleRequest('damson:1 apple:main:4220250103000000:b0c0ffee', {
    arches: ['x86_64', 'aarch64'],
  });
  const times: number[] = [];
  for (let round = 0; round < 9; round += 1) {
    const start = performance.now();
    await composer.build(await composer.plan(request));
    times.push(performance.now() - start);
  }
  for (const end of endings) await end();
  const [first = 0, ...warm] = times;
  const median = warm.toSorted((left, right) => left - right)[4] ?? 0;
  return [
    `compose of 4 modules for 2 arches: cold ${first.toFixed(0)} ms, median of 8 warm ${median.toFixed(0)} ms`,
  ];
}

/** Resolves requests of one, ten and fifty modules over 5,000 builds, without network; target 100 ms. */
export async function run(): Promise<void> {
  const builds = makeBuilds();
  const started = performance.now();
  const lookUp = indexModuleBuilds(builds);
  const report = [
    `${builds.length} module builds, indexed in ${(performance.now() - started).toFixed(1)} ms`,
  ];
  for (const count of [1, 10, 50]) {
    const wish = wishFor(Array.from({ length: count }, (_, index) => NAMES - 1 - index * 4));
    const times: number[] = [];
    let size = 0;
    for (let round = 0; round < 15; round += 1) {
      const start = performance.now();
      size = resolveModulesIn(wish, lookUp).modules.length;
      times.push(performance.now() - start);
    }
    const [first = 0] = times;
    const median = times.toSorted((left, right) => left - right)[7] ?? 0;
    report.push(
      `${count} requested, ${size} in the answer: first ${first.toFixed(1)} ms, median of 15 ${median.toFixed(1)} ms`,
    );
  }
  report.push(...(await composeFixture()));
  report.push(`peak memory ${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MB`);
  process.stdout.write(`${report.join('\n')}\n`);
}
