import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { loadRepositories } from '../src/composer/gather/load-repositories.ts';
import { noteFigure, type PeerTaken } from './figures.ts';
import { ensurePackages } from '../tests/services/debian-packages.ts';
import { makeUniverse } from '../tests/universe-repository.ts';

const REQUESTED = 200;
const measured = z.object({
  seconds: z.number(),
  cpu: z.number(),
  packages: z.number(),
  peakMb: z.number(),
  sat: z.number().optional(),
});
type Measured = z.infer<typeof measured>;

interface Row {
  readonly what: string;
  readonly seconds: number;
  /** Seconds of CPU, which a busy machine does not inflate; null where they were not measured. */
  readonly cpu: number | null;
  readonly packages: number;
  readonly peakMb: number | null;
}

function measure(program: string, args: readonly string[]): Measured {
  const run = spawnSync(program, args, { encoding: 'utf8' });
  if (run.status !== 0) throw new Error(`${program} ${args.join(' ')}: ${run.stderr}`);
  return measured.parse(JSON.parse(run.stdout));
}

function medianOf(rounds: number, once: () => Measured): Measured {
  const all = Array.from({ length: rounds }, once).sort((a, b) => a.seconds - b.seconds);
  const median = all[rounds >> 1];
  if (median === undefined) throw new Error('nothing was measured');
  return median;
}

/** Asks for random binary packages that every peer can install, the same for every run. */
async function writeRequest(directory: string): Promise<void> {
  const { index } = await loadRepositories({}, [{ location: join(directory, 'repo'), isLookaside: false }]);
  const names = new Set<string>();
  let state = 12_345;
  while (names.size < REQUESTED) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const id = state % index.count;
    if (['x86_64', 'noarch'].includes(index.archOf(id))) names.add(index.nameOf(id));
  }
  writeFileSync(join(directory, 'request.json'), JSON.stringify([...names]));
}

function dnf(
  directory: string,
  request: readonly string[],
  isCached: boolean,
): { seconds: number; packages: number } {
  const args = [
    `--repofrompath=universe,file://${join(directory, 'repo')}`,
    '--repo=universe',
    '--nogpgcheck',
    '--releasever=42',
    '--forcearch=x86_64',
    `--installroot=${join(directory, 'root')}`,
    `--setopt=cachedir=${join(directory, 'dnf-cache')}`,
    '--setopt=install_weak_deps=False',
    ...(isCached ? ['-C', 'install', '--assumeno', ...request] : ['makecache']),
  ];
  const begin = performance.now();
  const run = spawnSync('dnf', args, { encoding: 'utf8', maxBuffer: 2 ** 28 });
  const seconds = (performance.now() - begin) / 1000;
  const found = /Install\s+(\d+) Packages/.exec(run.stdout);
  return { seconds, packages: Number(found?.[1] ?? 0) };
}

function takenOf({ seconds, cpu, peakMb }: Measured): Omit<PeerTaken, 'name'> {
  return { wallMs: seconds * 1000, cpuMs: cpu * 1000, peakMib: peakMb };
}

function inUnits(seconds: number | null): string {
  if (seconds === null) return '';
  return seconds < 1 ? `${(seconds * 1000).toFixed(1)} ms` : `${seconds.toFixed(2)} s`;
}

function print(rows: readonly Row[]): void {
  const lines = rows.map(({ what, seconds, cpu, packages, peakMb }) => {
    const memory = peakMb === null ? '' : `${Math.round(peakMb)} MB`;
    const numbers = [inUnits(seconds), inUnits(cpu), String(packages), memory].map((text) =>
      text.padStart(10),
    );
    return `${what.padEnd(34)}${numbers.join('')}`;
  });
  const head = ['wall', 'CPU', 'packages', 'peak'].map((text) => text.padStart(10)).join('');
  process.stdout.write(`${'gather of 200 requested'.padEnd(34)}${head}\n${lines.join('\n')}\n`);
}

/**
 * Gather of 200 requested packages: ours from memory, from the saved index and from primary.xml; libsolv and dnf
 * beside it. `--packages N` (60000), `--short` (20,000 packages, without dnf), `--keep DIR`.
 */
export async function run(argv: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      packages: { type: 'string' },
      short: { type: 'boolean', default: false },
      keep: { type: 'string' },
    },
  });
  ensurePackages(['dnf', 'python3-solv']);
  const packages = Number(values.packages ?? (values.short ? 20_000 : 60_000));
  const directory = values.keep ?? join(tmpdir(), `odcs-bench-gather-${process.pid}`);
  mkdirSync(directory, { recursive: true });
  try {
    if (!existsSync(join(directory, 'repo'))) await makeUniverse(directory, packages, 1);
    await writeRequest(directory);
    const rounds = values.short ? 3 : 5;
    const once = join(import.meta.dirname, 'gather-once.ts');
    const solv = join(import.meta.dirname, 'gather_libsolv.py');
    const ours = (mode: string): Measured => measure(process.execPath, [once, mode, directory]);
    const peer = (mode: string): Measured => measure('/usr/bin/python3', [solv, mode, directory]);
    const xml = medianOf(rounds, () => ours('xml'));
    const cache = medianOf(rounds, () => ours('cache'));
    const memory = ours('memory');
    const solvXml = medianOf(3, () => peer('xml'));
    const solvFile = medianOf(rounds, () => peer('solv'));
    const rows: Row[] = [
      { what: 'ours, index in memory', ...memory },
      { what: 'libsolv, SAT alone', ...solvFile, seconds: solvFile.sat ?? 0, cpu: null },
      { what: 'ours, from the saved index', ...cache },
      { what: 'libsolv, .solv file + SAT', ...solvFile },
      { what: 'ours, from primary.xml.gz', ...xml },
      { what: 'libsolv, primary.xml.gz + SAT', ...solvXml },
    ];
    let dnfSeconds: number | null = null;
    if (!values.short) {
      const request = z
        .array(z.string())
        .parse(JSON.parse(readFileSync(join(directory, 'request.json'), 'utf8')));
      dnf(directory, request, false);
      const timed = [1, 2, 3].map(() => dnf(directory, request, true)).sort((a, b) => a.seconds - b.seconds);
      const median = timed[1];
      if (median !== undefined)
        rows.push({ what: 'dnf -C install --assumeno', ...median, cpu: null, peakMb: null });
      dnfSeconds = median?.seconds ?? null;
    }
    print(rows);
    const out = `of ${REQUESTED} packages out of ${packages.toLocaleString('en')}`;
    noteFigure({
      id: 'gather.saved',
      what: `gather ${out}, from the kept index`,
      ours: takenOf(cache),
      peers: [
        { name: 'libsolv from its .solv file', ...takenOf(solvFile) },
        ...(dnfSeconds === null ? [] : [{ name: 'dnf', wallMs: dnfSeconds * 1000 }]),
      ],
    });
    noteFigure({
      id: 'gather.xml',
      what: 'the same from primary.xml',
      ours: takenOf(xml),
      peers: [{ name: 'libsolv', ...takenOf(solvXml) }],
    });
  } finally {
    if (values.keep === undefined) rmSync(directory, { recursive: true, force: true });
  }
}
