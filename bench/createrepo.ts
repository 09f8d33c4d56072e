import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { ensurePackages } from '../tests/services/debian-packages.ts';
import { sharedPath } from '../tests/shared.ts';
import type { BenchTask, BenchAnswer } from './createrepo-task.ts';
import { beginNow, noteFigure, takenSince } from './figures.ts';
import { measureProgram, type MeasuredProgram } from './measure-program.ts';

type Measured = Pick<MeasuredProgram, 'wallMs' | 'cpuMs' | 'peakMib'>;

/** One line of the table. */
interface Row {
  readonly id: string;
  readonly what: string;
  readonly ours: Measured;
  readonly peers: Peers;
}

interface Universe {
  readonly root: string;
  /** File names of the RPMs before the new build, and of the new build. */
  readonly old: readonly string[];
  readonly fresh: readonly string[];
  /** Names of the packages the new build replaces. */
  readonly replaced: ReadonlySet<string>;
}

function readLines(path: string): Record<string, unknown>[] {
  return readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map((line): Record<string, unknown> => JSON.parse(line));
}

/** One new build in the middle of the alphabet, so that half of the metadata lies behind it. */
function generate(root: string, count: number): Universe {
  const options = ['--packages', String(count), '--seed', '1', '--rpms', '--bump', '40', '--out', root];
  execFileSync('python3', [sharedPath('bench/gen_repo.py'), ...options], { stdio: 'ignore' });
  const names = readLines(join(root, 'packages.jsonl'));
  const nameOf = (record: Record<string, unknown>) => basename(String(record['location']));
  const lines = names.map((record) => `${String(record['sha256'])} ${nameOf(record)}\n`);
  writeFileSync(join(root, 'digests'), lines.join(''));
  const old = names.map(nameOf).sort();
  const middle = old[Math.floor(old.length / 2)] ?? '';
  const bumped = readLines(join(root, 'bump.jsonl'));
  const sources = [...new Set(bumped.map((record) => String(record['sourcerpm'])))].sort();
  const source = sources.find((file) => file > middle) ?? sources[0];
  const fresh = bumped.filter((record) => record['sourcerpm'] === source);
  const all = new Set(fresh.map((record) => `${String(record['name'])}.${String(record['arch'])}`));
  const replaced = names.filter((record) => all.has(`${String(record['name'])}.${String(record['arch'])}`));
  return { root, old, fresh: fresh.map(nameOf), replaced: new Set(replaced.map(nameOf)) };
}

function linkTree(universe: Universe, files: readonly string[], into: string): string {
  mkdirSync(into);
  for (const file of files) linkSync(join(universe.root, 'rpms', file), join(into, file));
  return into;
}

function runTask(root: string, task: BenchTask): { answer: BenchAnswer; peakMib: number } {
  const file = join(root, 'task.json');
  writeFileSync(file, JSON.stringify(task));
  const { stdout, peakMib } = measureProgram(process.execPath, [
    join(import.meta.dirname, 'createrepo-task.ts'),
    file,
  ]);
  const answer: BenchAnswer = JSON.parse(stdout);
  return { answer, peakMib };
}

function medianOf(rounds: number, run: (round: number) => Measured): Measured {
  const results = Array.from({ length: rounds }, (_, round) => run(round));
  const sorted = results.toSorted((left, right) => left.cpuMs - right.cpuMs);
  const median = sorted[Math.floor(sorted.length / 2)];
  if (median === undefined) throw new Error('No rounds.');
  return median;
}

const NO_DATABASE = '--no-database';

/** The peer as it is by default, which before its version 1 writes databases beside the XML, and without them. */
interface Peers {
  readonly usual: Measured;
  readonly bare: Measured;
}

interface Comparison {
  readonly root: string;
  /** Packages. */
  readonly count: number;
  readonly rounds: number;
  /** The createrepo_c to be held against, and what it shall pack with where its own choice is not meant. */
  readonly peer: string;
  readonly peerOptions: readonly string[];
}

function compare({ root, count, rounds, peer, peerOptions }: Comparison): Row[] {
  const universe = generate(join(root, 'universe'), count);
  const tree = linkTree(universe, universe.old, join(root, 'tree'));
  const peerCold = (options: readonly string[]): Measured =>
    medianOf(rounds, () => measureProgram(peer, ['-q', '--workers', '2', ...peerOptions, ...options, tree]));
  const digests = join(universe.root, 'digests');
  const cold = (task: Omit<Extract<BenchTask, { kind: 'cold' }>, 'kind' | 'directory'>): Measured =>
    medianOf(rounds, (round) => {
      const directory = join(root, `cold-${task.compression}-${String(task.digests !== undefined)}-${round}`);
      linkTree(universe, universe.old, directory);
      const { answer, peakMib } = runTask(root, { kind: 'cold', directory, ...task });
      rmSync(directory, { recursive: true });
      return { ...answer.whole, peakMib };
    });
  const peers = { usual: peerCold([]), bare: peerCold([NO_DATABASE]) };
  const all = `repodata of ${count.toLocaleString('en')} packages`;
  const rows: Row[] = [
    {
      id: 'createrepo.known',
      what: `${all}, zstd, digests known`,
      ours: cold({ compression: 'zstd', digests }),
      peers,
    },
    { id: 'createrepo', what: `${all}, zstd`, ours: cold({ compression: 'zstd' }), peers },
    { id: 'createrepo.gzip', what: `${all}, gzip`, ours: cold({ compression: 'gzip' }), peers },
  ];

  const changed = [...universe.old.filter((file) => !universe.replaced.has(file)), ...universe.fresh];
  const update = (name: string, options: readonly string[]): Measured => {
    // What it updates from was written with the same options.
    measureProgram(peer, ['-q', '--workers', '2', ...peerOptions, ...options, tree]);
    return medianOf(rounds, (round) => {
      const begin = beginNow();
      const next = linkTree(universe, changed, join(root, `next-${name}-${round}`));
      execFileSync('cp', ['-r', join(tree, 'repodata'), join(next, 'repodata')]);
      const linked = takenSince(begin);
      const words = ['-q', ...peerOptions, ...options, '--update', '--skip-stat', next];
      const { wallMs, cpuMs, peakMib } = measureProgram(peer, words);
      rmSync(next, { recursive: true });
      return { wallMs: wallMs + linked.wallMs, cpuMs: cpuMs + linked.cpuMs, peakMib };
    });
  };
  const updates = { usual: update('usual', []), bare: update('bare', [NO_DATABASE]) };
  const { answer, peakMib } = runTask(root, {
    kind: 'incremental',
    universe: universe.root,
    root,
    old: universe.old,
    changed,
    rounds: Math.max(3, rounds),
  });
  const task = `repodata after one changed build of ${count.toLocaleString('en')} packages`;
  return [
    ...rows,
    {
      id: 'createrepo.changed',
      what: `${task}, fresh links`,
      ours: { ...answer.whole, peakMib },
      peers: updates,
    },
    {
      id: 'createrepo.changed.unlinked',
      what: `${task}, ours without the links`,
      ours: { ...(answer.withoutLinks ?? answer.whole), peakMib },
      peers: updates,
    },
  ];
}

function print(rows: readonly Row[]): void {
  const line = (cells: readonly string[]) => {
    const [what = '', ...numbers] = cells;
    return `${what.padEnd(76)}${numbers.map((cell) => cell.padStart(10)).join('')}\n`;
  };
  const three = ['CPU', 'wall', 'MB'];
  process.stdout.write(line(['', ...three, 'peer CPU', 'wall', 'MB', 'no db CPU', 'wall', 'MB']));
  const cellsOf = ({ cpuMs, wallMs, peakMib }: Measured): string[] => [
    `${(cpuMs / 1000).toFixed(3)} s`,
    `${(wallMs / 1000).toFixed(3)} s`,
    peakMib.toFixed(0),
  ];
  for (const { what, ours, peers } of rows) {
    process.stdout.write(line([what, ...cellsOf(ours), ...cellsOf(peers.usual), ...cellsOf(peers.bare)]));
  }
}

/** Notes what a release claims; the other rows are for whoever works on it. */
function note(rows: readonly Row[], peer: string): void {
  for (const { id, what, ours, peers } of rows) {
    if (!['createrepo', 'createrepo.changed'].includes(id)) continue;
    const word = id === 'createrepo' ? peer : `${peer} --update --skip-stat`;
    noteFigure({
      id,
      what,
      ours: pick(ours),
      peers: [
        { name: word, ...pick(peers.usual) },
        { name: 'told to write no databases', ...pick(peers.bare) },
      ],
    });
  }
}

function pick({ wallMs, cpuMs, peakMib }: Measured): Measured {
  return { wallMs, cpuMs, peakMib };
}

/**
 * Measures createrepo against createrepo_c over 20,000 generated packages (2,000 with --short, others with
 * --packages N): all of them, and after one build changed against `createrepo_c --update --skip-stat`,
 * each as it is by default and with `--no-database`. Medians
 * of 3 (1 with --short or --once). `--peer PATH` names another createrepo_c than the one installed, and
 * `--peer-compression zstd` how it packs.
 */
export function run(argv: readonly string[]): Promise<void> {
  ensurePackages(['createrepo-c', 'python3']);
  const root = mkdtempSync(join(tmpdir(), 'bench-createrepo-'));
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        short: { type: 'boolean', default: false },
        once: { type: 'boolean', default: false },
        packages: { type: 'string' },
        peer: { type: 'string', default: 'createrepo_c' },
        'peer-compression': { type: 'string' },
      },
    });
    const { packages, 'peer-compression': packing } = values;
    const rows = compare({
      root,
      count: packages === undefined ? (values.short ? 2000 : 20_000) : Number(packages),
      rounds: values.once || values.short ? 1 : 3,
      peer: values.peer,
      peerOptions: packing === undefined ? [] : [`--general-compress-type=${packing}`],
    });
    print(rows);
    note(rows, values.peer);
  } finally {
    rmSync(root, { recursive: true });
  }
  return Promise.resolve();
}
