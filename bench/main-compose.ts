import { execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { tmpdir } from 'node:os';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { sharedPath } from '../tests/shared.ts';
import { startPostgresql } from '../tests/services/postgresql.ts';
import type { Claim } from './main-claims.ts';
import { measureVector } from './main-vector.ts';

const EVERYTHING = 'Everything';

const LARGE = {
  claim: 'large',
  variants: ['BaseOS', 'AppStream', 'CRB', EVERYTHING],
  arches: ['x86_64', 'aarch64'],
  packages: 20_000,
} as const;

/** A compose like those of ELN, in small. */
const ELN = {
  claim: 'eln',
  variants: ['BaseOS', 'AppStream', 'CRB', 'Extras', 'Buildroot'],
  arches: ['aarch64', 's390x', 'x86_64'],
  packages: 300,
} as const;

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function makeTree(folder: string, packages: number): string {
  const tree = join(folder, 'tree');
  // The universe that Pungi's figures were recorded of.
  const program = [
    new URL('gen_two_arches.py', import.meta.url).pathname,
    sharedPath('bench', 'gen_repo.py'),
  ];
  const options = ['--packages', String(packages), '--rpms', '--koji-layout', '--sources', '--jobs', '2'];
  execFileSync('python3', [...program, ...options, '--out', tree], { stdio: 'ignore' });
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
  readonly variants: readonly string[];
  readonly arches: readonly string[];
  readonly input: PackageInput;
  /** A package that no variant asks for. */
  readonly drop: string;
}

/**
 * A configuration of variants, each leaning on those before it; the packages are dealt out. `Everything` has all of them and
 * leans on none.
 */
function writeConfiguration(directory: string, { tree, variants, arches, input, drop }: Configured): void {
  const names = namesOf(tree).filter((name) => name !== drop);
  const chain = variants.filter((uid) => uid !== EVERYTHING);
  const lists = variants.map((uid, at) => {
    const own = uid === EVERYTHING ? ['*'] : names.filter((_name, index) => index % chain.length === at);
    return `("^${uid}$", {"*": [${own.map((name) => `"${name}"`).join(', ')}]})`;
  });
  const lookasides = chain.flatMap((user, at) =>
    chain.slice(0, at).map((provider) => `("${user}", "${provider}")`),
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
    'greedy_method = "build"',
    `multilib = [("^.*$", {"x86_64": ["devel"]})]`,
    'check_deps = False',
    'hashed_directories = True',
    'skip_phases = ["createiso", "repoclosure"]',
    `variant_as_lookaside = [${lookasides.join(', ')}]`,
    `additional_packages = [${lists.join(',\n')}]`,
    '',
  ];
  writeFileSync(join(directory, 'bench.conf'), lines.join('\n'));
  const inside = `<arches>${arches.map((arch) => `<arch>${arch}</arch>`).join('')}</arches>`;
  const elements = variants.map(
    (uid) => `<variant id="${uid}" name="${uid}" type="variant">${inside}</variant>`,
  );
  writeFileSync(join(directory, 'variants.xml'), `<variants>\n${elements.join('\n')}\n</variants>\n`);
}

interface MeasuredTree {
  readonly tree: string;
  readonly variants: readonly string[];
  readonly arches: readonly string[];
  readonly input: PackageInput;
  /** What figures of it are noted as; null where it is not what is claimed of. */
  readonly claim: Claim | null;
}

/**
 * Composes a tree in processes that have nothing but what lies on the disk: one that knows no package, and one that has read
 * all of them before.
 */
async function measureTree({ tree: whole, variants, arches, input, claim }: MeasuredTree): Promise<void> {
  const folder = mkdtempSync(join(dirname(whole), 'bench-main-'));
  const isKoji = input === 'koji';
  const tree = isKoji ? whole : withoutLast(whole, folder);
  const configurations = join(folder, 'configurations');
  const git = (...args: string[]): string =>
    execFileSync('git', ['-c', 'user.name=b', '-c', 'user.email=b@example.com', ...args], {
      cwd: configurations,
      encoding: 'utf8',
    }).trim();
  const commit = (drop: string): string => {
    writeConfiguration(configurations, { tree, variants, arches, input, drop });
    git('add', '.');
    git('commit', '--quiet', '--allow-empty', '-m', 'bench');
    return git('rev-parse', 'HEAD');
  };
  const hub = isKoji ? await startHub(tree) : null;
  const postgresql = await startPostgresql();
  try {
    mkdirSync(configurations);
    git('init', '--quiet');
    const commits = { whole: commit(''), less: commit(namesOf(whole).at(-1) ?? '') };
    writeFileSync(
      join(configurations, 'koji.conf'),
      `[bench]\nserver = ${hub?.url ?? ''}\ntopdir = ${tree}\n`,
    );
    const data = join(folder, 'data');
    const stages = { tree, folder: configurations, data, isKoji, claim, ...commits };
    const addLast = async (): Promise<void> => {
      if (hub === null) restoreLast(whole, tree);
      else await hub.tagLast();
    };
    for (const isLast of [false, true]) {
      const name = isLast ? 'headers known, another process' : 'first';
      const child = fork(
        new URL('main-stages-process.ts', import.meta.url),
        [JSON.stringify({ ...stages, name, isLast })],
        { env: { ...process.env, ODCS_TEST_DATABASE_URL: postgresql.url } },
      );
      child.on('message', () => void addLast().then(() => child.send('done')));
      const [code] = await once(child, 'exit');
      if (code !== 0) throw new Error(`${name} ended with ${code}`);
      forgetSets(data);
    }
  } finally {
    hub?.end();
    await postgresql.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Forgets indexes to gather from, so that only what was read of packages is known. */
function forgetSets(data: string): void {
  const known = join(data, 'cache', 'koji');
  if (!existsSync(known)) return;
  for (const name of readdirSync(known).filter((entry) => entry.startsWith('sets-'))) {
    rmSync(join(known, name), { recursive: true });
  }
}

/** Directory of the last build of a tree. */
function lastBuild(tree: string): string {
  const lines = readFileSync(join(tree, 'builds.jsonl'), 'utf8').trim().split('\n');
  const builds = lines.map((line) => buildSchema.parse(JSON.parse(line))).filter(({ latest }) => latest);
  return dirname(dirname(builds.at(-1)?.rpms[0]?.path ?? ''));
}

const buildSchema = z.object({ latest: z.boolean(), rpms: z.array(z.object({ path: z.string() })) });

/** Returns a copy of a repository, in links, without its last build. */
function withoutLast(tree: string, folder: string): string {
  const treeCopy = join(folder, 'tree');
  execFileSync('cp', ['-al', tree, treeCopy]);
  rmSync(join(treeCopy, 'repodata'), { recursive: true });
  rmSync(join(treeCopy, lastBuild(tree)), { recursive: true });
  execFileSync('createrepo_c', ['-q', treeCopy]);
  return treeCopy;
}

/** Puts the last build into the copy of a repository. */
function restoreLast(tree: string, treeCopy: string): void {
  const build = lastBuild(tree);
  execFileSync('cp', ['-al', join(tree, build), join(treeCopy, build)]);
  execFileSync('createrepo_c', ['-q', '--update', '--skip-stat', treeCopy]);
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
 * of four variants out of a repository, or with `--koji` out of a tag; a tree that is given has `repodata`. A small one of
 * five variants and three arches follows, or is all with `--eln`. `--vector NAME` composes one of the recorded configurations
 * instead.
 */
export async function run(argv: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      packages: { type: 'string' },
      short: { type: 'boolean', default: false },
      tree: { type: 'string', default: '' },
      arches: { type: 'string' },
      koji: { type: 'boolean', default: false },
      eln: { type: 'boolean', default: false },
      vector: { type: 'string', default: '' },
    },
  });
  if (values.vector !== '') return measureVector(values.vector, say);
  const isLarge = !values.eln;
  const shape = values.eln ? ELN : { ...LARGE, packages: values.short ? 1500 : LARGE.packages };
  const arches = values.arches?.split(' ') ?? shape.arches;
  const isWhole = !values.short && values.packages === undefined && values.arches === undefined;
  const input: PackageInput = values.koji ? 'koji' : 'repositories';
  if (values.tree !== '') return measureTree({ ...shape, arches, claim: null, input, tree: values.tree });
  const packages = Number(values.packages ?? shape.packages);
  await measureMade({ ...shape, arches, packages, input, claim: isWhole ? shape.claim : null });
  if (isWhole && isLarge) await measureMade({ ...ELN, input });
}

/** Makes a tree and composes it. */
async function measureMade(measured: Omit<MeasuredTree, 'tree'> & { readonly packages: number }) {
  const folder = mkdtempSync(join(tmpdir(), 'bench-main-tree-'));
  try {
    const tree = makeTree(folder, measured.packages);
    execFileSync('createrepo_c', ['-q', tree]);
    await measureTree({ ...measured, tree });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
