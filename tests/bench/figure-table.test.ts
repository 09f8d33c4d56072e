// Runs once: nothing here has a database.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { formatTable, lastRecord, placeTable, ratioOf, type FigureRecord } from '../../bench/figure-table.ts';
import { beginNow, FIGURES_FILE, figureSchema, takenSince } from '../../bench/figures.ts';
import { measureProgram, together } from '../../bench/measure-program.ts';

const root = resolve(import.meta.dirname, '../..');

const record: FigureRecord = {
  commit: '0123456789abcdef',
  date: '2026-11-30T10:00:00Z',
  node: '24.0.0',
  cpus: { model: 'a processor', count: 2 },
  load: { begin: 0.2, end: 1.96 },
  isShort: false,
  figures: [
    {
      id: 'createrepo',
      what: 'repodata of 20,000 packages',
      ours: { cpuMs: 2_500, wallMs: 1_700, peakMib: 317.4 },
      peers: [
        { name: 'createrepo_c', cpuMs: 20_000, wallMs: 11_800, peakMib: 73 },
        { name: 'told to write no databases', wallMs: 4_800 },
      ],
    },
    { id: 'event', what: 'event to its compose', ours: { wallMs: 9.96, wallMs99: 56 }, peers: [] },
    {
      id: 'file',
      what: 'a file',
      ours: { perSecond: 1_234.4 },
      peers: [{ name: 'nginx', perSecond: 2_468.8, isRecorded: true }],
    },
  ],
};

test('the table shows CPU before wall, each peer, and how many times ours it took', () => {
  assert.deepEqual(formatTable(record).split('\n'), [
    '| what | ours | peer, same run | times ours |',
    '|---|---|---|---|',
    '| repodata of 20,000 packages | 2.50 s CPU, 1.70 s wall, 317 MiB | createrepo_c 20.0 s CPU, 11.8 s wall, 73 MiB; told to write no databases 4.80 s | 8.0; 2.8 |',
    '| event to its compose | 10.0 ms, 99 of 100 within 56 ms |  |  |',
    '| a file | 1,234 a second | nginx (recorded) 2,469 a second | 0.5 |',
    '',
  ]);
});

test('what has no unit in common has no ratio', () => {
  assert.equal(ratioOf({ cpuMs: 1 }, { wallMs: 1 }), null);
});

test('the table replaces the one between its marks and nothing else', () => {
  const [from, to] = [
    '<!-- figures: `npm run bench -- table` writes this from the last line of bench/history.jsonl -->',
    '<!-- end of figures -->',
  ];
  const placed = placeTable(`before\n${from}\nold\n${to}\nafter\n`, record);
  assert.ok(
    placed.startsWith(
      `before\n${from}\nMeasured at 0123456 on 2026-11-30, 2 x a processor, Node 24.0.0, load 0.2 to 2.0:\n\n| what`,
    ),
  );
  assert.ok(placed.endsWith(`\n${to}\nafter\n`));
  assert.doesNotMatch(placed, /^old$/m);
  assert.equal(placeTable(placed, record), placed);
  assert.throws(() => placeTable('no marks', record), /belongs between/);
});

test('the last line of a history is read, and anything else refused', () => {
  const lines = [JSON.stringify({ ...record, commit: 'older' }), JSON.stringify(record), ''].join('\n');
  assert.deepEqual(lastRecord(lines), record);
  assert.throws(() => lastRecord(''), /empty/);
  assert.throws(() => lastRecord('{"commit":"x"}'));
});

test('a benchmark in a process of its own hands over what it noted', () => {
  const folder = mkdtempSync(join(tmpdir(), 'odcs-figures-'));
  try {
    const file = join(folder, 'figures.jsonl');
    const figures = JSON.stringify(join(root, 'bench/figures.ts'));
    execFileSync(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        `const { noteFigure } = await import(${figures}); noteFigure({ id: 'a', what: 'b', ours: { wallMs: 1 }, peers: [] });`,
      ],
      { env: { ...process.env, [FIGURES_FILE]: file } },
    );
    const noted = figureSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
    assert.deepEqual(noted, { id: 'a', what: 'b', ours: { wallMs: 1 }, peers: [] });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a program is measured with its children, and what fails is no measure', () => {
  const begin = beginNow();
  const spent = measureProgram('bash', ['-c', 'for ((at = 0; at < 200000; at++)); do :; done; echo done']);
  assert.equal(spent.stdout, 'done\n');
  assert.ok(spent.cpuMs > 0 && spent.peakMib > 1);
  assert.ok(takenSince(begin).cpuMs < spent.cpuMs, 'it is not the CPU of this process');
  assert.deepEqual(together([spent, spent]).cpuMs, 2 * spent.cpuMs);
  assert.throws(() => measureProgram('bash', ['-c', 'echo why >&2; exit 3']), /why/);
});

test('an unknown benchmark is refused with those there are', () => {
  const { status, stderr } = spawnSync(process.execPath, [join(root, 'bench/main.ts'), 'nothing'], {
    encoding: 'utf8',
  });
  assert.equal(status, 2);
  assert.match(stderr, /compose\|composers\|createrepo\|gather/);
});
