import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { tmpdir } from 'node:os';
import { parseArgs } from 'node:util';
import { openTestComposer } from '../tests/composer/open-test-composer.ts';
import { defaultRequest } from '../tests/default-request.ts';
import { formatBlock, measureLongestBlock } from '../tests/longest-block.ts';
import { sharedPath } from '../tests/shared.ts';

const VARIANTS = ['BaseOS', 'AppStream', 'CRB', 'Everything'] as const;

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Says wall and CPU seconds of a step, the most memory of the process so far, and how long its event loop was held. */
async function measure<T>(name: string, step: () => Promise<T>): Promise<T> {
  const cpu = process.cpuUsage();
  const begin = performance.now();
  const { value: result, block } = await measureLongestBlock(step);
  const { user, system } = process.cpuUsage(cpu);
  const wall = ((performance.now() - begin) / 1000).toFixed(2);
  const spent = ((user + system) / 1e6).toFixed(2);
  const peak = Math.round(process.resourceUsage().maxRSS / 1024);
  say(
    `${name.padEnd(32)} ${wall.padStart(7)} s wall ${spent.padStart(7)} s CPU ${peak} MB peak  longest block ${formatBlock(block)}`,
  );
  return result;
}

function makeTree(folder: string, packages: number): string {
  const tree = join(folder, 'tree');
  const options = ['--packages', String(packages), '--rpms', '--koji-layout', '--sources', '--jobs', '2'];
  execFileSync('python3', [sharedPath('bench', 'gen_repo.py'), ...options, '--out', tree], {
    stdio: 'ignore',
  });
  return tree;
}

/** Names of binary packages below a top directory, debug packages left out. */
function namesOf(tree: string): string[] {
  const names = new Set<string>();
  for (const path of readdirSync(join(tree, 'packages'), { recursive: true, encoding: 'utf8' })) {
    const name = /([^/]+)-[^-/]+-[^-/]+\.(?:x86_64|noarch)\.rpm$/.exec(path)?.[1];
    if (name !== undefined && !/-debug(?:info|source)$/.test(name)) names.add(name);
  }
  return [...names].sort();
}

/** A configuration of four variants, each leaning on those before it; the packages are dealt out. */
function writeConfiguration(directory: string, tree: string, arches: readonly string[], drop: string): void {
  const names = namesOf(tree).filter((name) => name !== drop);
  const lists = VARIANTS.map((uid, at) => {
    const own = names.filter((_name, index) => index % VARIANTS.length === at);
    return `("^${uid}$", {"*": [${own.map((name) => `"${name}"`).join(', ')}]})`;
  });
  const lookasides = VARIANTS.flatMap((user, at) =>
    VARIANTS.slice(0, at).map((provider) => `("${user}", "${provider}")`),
  );
  const repositories = arches.map((arch) => `"${arch}": ["file://${tree}"]`).join(', ');
  const lines = [
    'release_name = "Bench"',
    'release_short = "Bench"',
    'release_version = "1"',
    'variants_file = "variants.xml"',
    'pkgset_source = "repos"',
    `pkgset_repos = {${repositories}}`,
    'gather_method = "deps"',
    'check_deps = False',
    'hashed_directories = True',
    'skip_phases = ["createiso", "repoclosure"]',
    `variant_as_lookaside = [${lookasides.join(', ')}]`,
    `additional_packages = [${lists.join(',\n')}]`,
    '',
  ];
  writeFileSync(join(directory, 'bench.conf'), lines.join('\n'));
  const inside = `<arches>${arches.map((arch) => `<arch>${arch}</arch>`).join('')}</arches>`;
  const variants = VARIANTS.map(
    (uid) => `<variant id="${uid}" name="${uid}" type="variant">${inside}</variant>`,
  );
  writeFileSync(join(directory, 'variants.xml'), `<variants>\n${variants.join('\n')}\n</variants>\n`);
}

async function measureTree(tree: string, arches: readonly string[]): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-main-'));
  const git = (...args: string[]): string =>
    execFileSync('git', ['-c', 'user.name=b', '-c', 'user.email=b@example.com', ...args], {
      cwd: folder,
      encoding: 'utf8',
    }).trim();
  const commit = (drop: string): string => {
    writeConfiguration(folder, tree, arches, drop);
    git('add', '.');
    git('commit', '--quiet', '--allow-empty', '-m', 'bench');
    return git('rev-parse', 'HEAD');
  };
  try {
    git('init', '--quiet');
    mkdirSync(folder, { recursive: true });
    const first = commit('');
    await using composer = await openTestComposer({
      repo_roots: [dirname(tree), tree],
      raw_config_urls: { bench: { url: folder, config_filename: 'bench.conf' } },
    });
    const make = async (name: string, revision: string) => {
      const compose = await measure(name, () =>
        composer.compose({ ...defaultRequest, sourceType: 'raw_config', source: [`bench#${revision}`] }),
      );
      if (compose.state !== 'done') throw new Error(compose.stateReason ?? compose.state);
      return compose;
    };
    const { id } = await make('first', first);
    const rpms = readFileSync(join(composer.targetDir, `odcs-${id}`, 'compose/metadata/rpms.json'), 'utf8');
    say(`${rpms.match(/"path"/g)?.length ?? 0} entries in rpms.json`);
    await make('nothing changed', first);
    await make('one package changed', commit(namesOf(tree).at(-1) ?? ''));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * `node bench/main.ts main [--packages N | --short | --tree DIR] [--arches "x86_64 aarch64"]`: a main compose of four
 * variants out of repositories; a tree that is given has `repodata`.
 */
export async function run(argv: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      packages: { type: 'string', default: '20000' },
      short: { type: 'boolean', default: false },
      tree: { type: 'string', default: '' },
      arches: { type: 'string', default: 'x86_64 aarch64' },
    },
  });
  const arches = values.arches.split(' ');
  if (values.tree !== '') {
    await measureTree(values.tree, arches);
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), 'bench-main-tree-'));
  try {
    const tree = makeTree(folder, values.short ? 1500 : Number(values.packages));
    execFileSync('createrepo_c', ['-q', tree]);
    await measureTree(tree, arches);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
