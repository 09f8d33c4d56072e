import { execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { tmpdir } from 'node:os';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { openTestComposer } from '../tests/composer/open-test-composer.ts';
import { defaultRequest } from '../tests/default-request.ts';
import { sharedPath } from '../tests/shared.ts';
import { measureVector } from './main-vector.ts';
import { openPhaseTable } from './phases.ts';

const VARIANTS = ['BaseOS', 'AppStream', 'CRB', 'Everything'] as const;

function say(text: string): void {
  process.stdout.write(`${text}\n`);
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

/** Where the packages come from: the tree as a repository, or the tag of a hub that serves it. */
type PackageInput = 'repositories' | 'koji';

interface Configured {
  readonly tree: string;
  readonly arches: readonly string[];
  readonly input: PackageInput;
  /** A package that no variant asks for. */
  readonly drop: string;
}

/** A configuration of four variants, each leaning on those before it; the packages are dealt out. */
function writeConfiguration(directory: string, { tree, arches, input, drop }: Configured): void {
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
    ...(input === 'koji'
      ? ['koji_profile = "bench"', 'pkgset_source = "koji"', 'pkgset_koji_tag = "bench"']
      : ['pkgset_source = "repos"', `pkgset_repos = {${repositories}}`]),
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

async function measureTree(
  tree: string,
  arches: readonly string[],
  input: PackageInput = 'repositories',
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-main-'));
  const git = (...args: string[]): string =>
    execFileSync('git', ['-c', 'user.name=b', '-c', 'user.email=b@example.com', ...args], {
      cwd: folder,
      encoding: 'utf8',
    }).trim();
  const commit = (drop: string): string => {
    writeConfiguration(folder, { tree, arches, input, drop });
    git('add', '.');
    git('commit', '--quiet', '--allow-empty', '-m', 'bench');
    return git('rev-parse', 'HEAD');
  };
  const hub = input === 'koji' ? await startHub(tree) : null;
  try {
    git('init', '--quiet');
    mkdirSync(folder, { recursive: true });
    const first = commit('');
    const profile = join(folder, 'koji.conf');
    writeFileSync(profile, `[bench]\nserver = ${hub?.url ?? ''}\ntopdir = ${tree}\n`);
    const { definitions, measure } = openPhaseTable(say);
    await using composer = await openTestComposer(
      {
        ...(hub === null ? {} : { koji_profile: 'bench', koji_config: profile }),
        repo_roots: [dirname(tree), tree],
        raw_config_urls: { bench: { url: folder, config_filename: 'bench.conf' } },
      },
      definitions,
    );
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
    if (hub !== null) {
      await hub.tagLast();
      await make('one build more', first);
    }
    await make('one package less', commit(namesOf(tree).at(-1) ?? ''));
  } finally {
    hub?.end();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface BenchHub {
  readonly url: string;
  readonly tagLast: () => Promise<void>;
  readonly end: () => void;
}

/** Starts a hub that has the tree in a tag, all but its last build. */
async function startHub(tree: string): Promise<BenchHub> {
  const child = fork(new URL('koji-hub-process.ts', import.meta.url), [tree]);
  const [ready] = await once(child, 'message');
  return {
    url: readySchema.parse(ready).hub,
    async tagLast() {
      child.send('tag');
      await once(child, 'message');
    },
    end: () => void child.kill(),
  };
}

const readySchema = z.object({ hub: z.string() });

/**
 * `node bench/main.ts main [--packages N | --short | --tree DIR] [--arches "x86_64 aarch64"] [--koji]`: a main compose
 * of four variants out of a repository, or with `--koji` out of a tag; a tree that is given has `repodata`. `--vector NAME`
 * composes one of the recorded configurations instead.
 */
export async function run(argv: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      packages: { type: 'string', default: '20000' },
      short: { type: 'boolean', default: false },
      tree: { type: 'string', default: '' },
      arches: { type: 'string', default: 'x86_64 aarch64' },
      koji: { type: 'boolean', default: false },
      vector: { type: 'string', default: '' },
    },
  });
  if (values.vector !== '') return measureVector(values.vector, say);
  const arches = values.arches.split(' ');
  const input = values.koji ? 'koji' : 'repositories';
  if (values.tree !== '') return measureTree(values.tree, arches, input);

  const folder = mkdtempSync(join(tmpdir(), 'bench-main-tree-'));
  try {
    const tree = makeTree(folder, values.short ? 1500 : Number(values.packages));
    execFileSync('createrepo_c', ['-q', tree]);
    await measureTree(tree, arches, input);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
