import { execFileSync, spawnSync } from 'node:child_process';
import { linkSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { sharedPath } from '../tests/shared.ts';
import type { BenchTask, BenchAnswer } from './createrepo-task.ts';

interface Measured {
  readonly seconds: number;
  readonly peak: number;
}

/** One line of the table; ratio is the peer's seconds by ours. */
interface Row {
  readonly what: string;
  readonly seconds: number;
  readonly peakMegabytes: number;
  /** createrepo_c as it is by default, which before its version 1 writes databases beside the XML. */
  readonly peer: Measured;
  readonly ratio: number;
  /** The same told to write no databases. */
  readonly bare: Measured;
  readonly bareRatio: number;
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

/** Runs a program; answers wall seconds and peak memory as the kernel counts it. */
function measure(
  command: string,
  words: readonly string[],
): { seconds: number; peak: number; stdout: string } {
  const ran = spawnSync('/usr/bin/time', ['-f', '%e %M', command, ...words], {
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
  if (ran.status !== 0) throw new Error(`${command} failed: ${ran.stderr}`);
  const [seconds, kilobytes] = (ran.stderr.trim().split('\n').at(-1) ?? '').split(' ').map(Number);
  return { seconds: seconds ?? 0, peak: (kilobytes ?? 0) / 1024, stdout: ran.stdout };
}

function runTask(root: string, task: BenchTask): { answer: BenchAnswer; peak: number } {
  const file = join(root, 'task.json');
  writeFileSync(file, JSON.stringify(task));
  const { stdout, peak } = measure(process.execPath, [join(import.meta.dirname, 'createrepo-task.ts'), file]);
  const answer: BenchAnswer = JSON.parse(stdout);
  return { answer, peak };
}

function best<Result>(
  rounds: number,
  run: (round: number) => Result,
  secondsOf: (result: Result) => number,
): Result {
  const results = Array.from({ length: rounds }, (_, round) => run(round));
  const sorted = results.toSorted((left, right) => secondsOf(left) - secondsOf(right));
  const median = sorted[Math.floor(sorted.length / 2)];
  if (median === undefined) throw new Error('No rounds.');
  return median;
}

const NO_DATABASE = '--no-database';

/** The peer as it is by default, and told to write no databases. */
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
    best(
      rounds,
      () => measure(peer, ['-q', '--workers', '2', ...peerOptions, ...options, tree]),
      ({ seconds }) => seconds,
    );
  const digests = join(universe.root, 'digests');
  const rows: Row[] = [];
  const add = (what: string, ours: Measured, theirs: Peers): void => {
    const { seconds, peak } = ours;
    rows.push({
      what: `${count} packages, ${what}`,
      seconds,
      peakMegabytes: peak,
      peer: theirs.usual,
      ratio: theirs.usual.seconds / seconds,
      bare: theirs.bare,
      bareRatio: theirs.bare.seconds / seconds,
    });
  };
  const cold = (task: Omit<Extract<BenchTask, { kind: 'cold' }>, 'kind' | 'directory'>) =>
    best(
      rounds,
      (round) => {
        const directory = join(
          root,
          `cold-${task.compression}-${String(task.digests !== undefined)}-${round}`,
        );
        linkTree(universe, universe.old, directory);
        const { answer, peak } = runTask(root, { kind: 'cold', directory, ...task });
        rmSync(directory, { recursive: true });
        return { seconds: answer.seconds, peak };
      },
      ({ seconds }) => seconds,
    );
  const peers = { usual: peerCold([]), bare: peerCold([NO_DATABASE]) };
  add('all, zstd, digests known', cold({ compression: 'zstd', digests }), peers);
  add('all, zstd, hashed', cold({ compression: 'zstd' }), peers);
  add('all, gzip, hashed', cold({ compression: 'gzip' }), peers);

  const changed = [...universe.old.filter((file) => !universe.replaced.has(file)), ...universe.fresh];
  const update = (name: string, options: readonly string[]): Measured => {
    // What it updates from was written with the same options.
    measure(peer, ['-q', '--workers', '2', ...peerOptions, ...options, tree]);
    return best(
      rounds,
      (round) => {
        const start = performance.now();
        const next = linkTree(universe, changed, join(root, `next-${name}-${round}`));
        execFileSync('cp', ['-r', join(tree, 'repodata'), join(next, 'repodata')]);
        const linked = (performance.now() - start) / 1000;
        const words = ['-q', ...peerOptions, ...options, '--update', '--skip-stat', next];
        const { seconds, peak } = measure(peer, words);
        rmSync(next, { recursive: true });
        return { seconds: seconds + linked, peak };
      },
      ({ seconds }) => seconds,
    );
  };
  const updates = { usual: update('usual', []), bare: update('bare', [NO_DATABASE]) };
  const { answer, peak } = runTask(root, {
    kind: 'incremental',
    universe: universe.root,
    root,
    old: universe.old,
    changed,
    rounds: Math.max(3, rounds),
  });
  add(
    'one build changed, fresh link tree, as the service does it',
    { seconds: answer.seconds, peak },
    updates,
  );
  add('the same without the links', { seconds: answer.withoutLinks ?? answer.seconds, peak }, updates);
  return rows;
}

function print(rows: readonly Row[]): void {
  const line = (cells: readonly string[]) => {
    const [what = '', ...numbers] = cells;
    return `${what.padEnd(66)}${numbers.map((cell) => cell.padStart(10)).join('')}\n`;
  };
  process.stdout.write(line(['', 'ours', 'MB', 'peer', 'MB', 'ratio', 'no db', 'MB', 'ratio']));
  const cellsOf = ({ seconds, peak }: Measured, ratio: number): string[] => [
    `${seconds.toFixed(2)} s`,
    peak.toFixed(0),
    `${ratio.toFixed(1)}x`,
  ];
  for (const { what, seconds, peakMegabytes, peer, ratio, bare, bareRatio } of rows) {
    const ours = [what, `${seconds.toFixed(3)} s`, peakMegabytes.toFixed(0)];
    process.stdout.write(line([...ours, ...cellsOf(peer, ratio), ...cellsOf(bare, bareRatio)]));
  }
}

/**
 * Measures createrepo against createrepo_c over 20,000 generated packages (2,000 with --short, others with
 * --packages N): all of them, and after one build changed against `createrepo_c --update --skip-stat`,
 * each as it is by default and with `--no-database`. Medians
 * of 3 (1 with --short or --once). `--peer PATH` names another createrepo_c than the one installed, and
 * `--peer-compression zstd` how it packs.
 */
export function run(argv: readonly string[]): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), 'bench-createrepo-'));
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        short: { type: 'boolean', default: false },
        once: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
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
    if (values.json) process.stdout.write(`${JSON.stringify(rows)}\n`);
    else print(rows);
  } finally {
    rmSync(root, { recursive: true });
  }
  return Promise.resolve();
}
