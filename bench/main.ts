import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { FIGURES_FILE, figureSchema, type Figure } from './figures.ts';
import { keepYoungSmall, letYoungGrow } from '../src/young-memory.ts';
import { formatTable, lastRecord, placeTable, type FigureRecord } from './figure-table.ts';

/** Each prints what it measured, and notes its figures. */
const benchmarks: Readonly<Record<string, () => Promise<{ run(argv: readonly string[]): Promise<void> }>>> = {
  compose: () => import('./compose.ts'),
  composers: () => import('./composers.ts'),
  createrepo: () => import('./createrepo.ts'),
  gather: () => import('./gather.ts'),
  koji: () => import('./koji.ts'),
  'http-headers': () => import('./http-headers.ts'),
  main: () => import('./main-compose.ts'),
  lock: () => import('./lock.ts'),
  listeners: () => import('./listeners.ts'),
  rules: () => import('./rules.ts'),
  crowd: () => import('./crowd.ts'),
  modules: () => import('./modules.ts'),
  growth: () => import('./growth.ts'),
  api: () => import('./api.ts'),
  import: () => import('./import.ts'),
};

const root = join(import.meta.dirname, '..');
const HISTORY = join(root, 'bench', 'history.jsonl');

const usage = `usage: node bench/main.ts ${Object.keys(benchmarks).join('|')} [--json] [arguments]
       node bench/main.ts all [--short] [--json] [--append] [--only NAME,NAME]
       node bench/main.ts table

all     runs them one after the other and shows every figure beside its peer;
        --append adds them to bench/history.jsonl, as is done for a release
table   writes the table of README.md from the last line of bench/history.jsonl
--json  prints the figures, and whatever else is said to standard error
`;

interface Collected {
  readonly code: number;
  readonly figures: readonly Figure[];
}

/** Runs a benchmark in a process of its own, so that its memory is its own, and returns what it noted. */
async function collect(name: string, argv: readonly string[], stdout: 'inherit' | 2): Promise<Collected> {
  const directory = mkdtempSync(join(tmpdir(), 'bench-figures-'));
  try {
    const file = join(directory, 'figures.jsonl');
    const child = spawn(process.execPath, [import.meta.filename, name, ...argv], {
      stdio: ['inherit', stdout, 'inherit'],
      env: { ...process.env, [FIGURES_FILE]: file },
    });
    const [code] = await once(child, 'exit');
    const lines = existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
    return {
      code: typeof code === 'number' ? code : 1,
      figures: lines.map((line) => figureSchema.parse(JSON.parse(line))),
    };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** What a long run of each asks for beyond its defaults. */
const longer: Readonly<Record<string, readonly string[]>> = { main: ['--koji'] };

async function runAll(argv: readonly string[]): Promise<void> {
  const isShort = argv.includes('--short');
  const isJson = argv.includes('--json');
  const only = argv.includes('--only') ? argv[argv.indexOf('--only') + 1]?.split(',') : undefined;
  const begin = loadavg()[0] ?? 0;
  const figures: Figure[] = [];
  for (const name of only ?? Object.keys(benchmarks)) {
    process.stderr.write(`\n##### ${name}\n`);
    const collected = await collect(name, isShort ? ['--short'] : (longer[name] ?? []), 2);
    figures.push(...collected.figures);
    if (collected.code !== 0) process.exitCode = 1;
  }
  const record: FigureRecord = {
    commit: execFileSync('git', ['rev-parse', 'HEAD'], { cwd: root, encoding: 'utf8' }).trim(),
    date: new Date().toISOString(),
    node: process.versions.node,
    cpus: { model: cpus()[0]?.model.trim() ?? 'unknown', count: cpus().length },
    load: { begin, end: loadavg()[0] ?? 0 },
    isShort,
    figures,
  };
  process.stdout.write(isJson ? `${JSON.stringify(record)}\n` : `\n${formatTable(record)}`);
  if (argv.includes('--append') && process.exitCode === undefined) {
    appendFileSync(HISTORY, `${JSON.stringify(record)}\n`);
  }
}

const [name = '', ...argv] = process.argv.slice(2);
const load = Object.hasOwn(benchmarks, name) ? benchmarks[name] : undefined;
if (name === 'all') await runAll(argv);
else if (name === 'table') {
  const readme = join(root, 'README.md');
  writeFileSync(readme, placeTable(readFileSync(readme, 'utf8'), lastRecord(readFileSync(HISTORY, 'utf8'))));
} else if (load === undefined) {
  process.stderr.write(usage);
  process.exitCode = 2;
} else if (argv.includes('--json')) {
  const rest = argv.filter((word) => word !== '--json');
  const { code, figures } = await collect(name, rest, 2);
  process.stdout.write(`${JSON.stringify(figures)}\n`);
  process.exitCode = code;
} else {
  // As the command line does.
  keepYoungSmall();
  const benchmark = await load();
  letYoungGrow();
  await benchmark.run(argv);
}
