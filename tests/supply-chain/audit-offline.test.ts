import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, test } from 'node:test';
import { readLockFile } from '../../supply-chain/lock-file.ts';
import { compareVersions, isInRange } from '../../supply-chain/version-range.ts';

const root = resolve(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'odcs-audit-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const hono = readLockFile(join(root, 'package-lock.json')).packages.find(({ name }) => name === 'hono');
const version = hono?.version ?? '';

function write(name: string, content: unknown): string {
  const file = join(folder, name);
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return file;
}

function audit(file: string): { readonly status: number | null; readonly output: string } {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(root, 'supply-chain/audit-offline.ts'), file],
    { encoding: 'utf8' },
  );
  return { status, output: stdout + stderr };
}

const osvOf = (id: string, events: readonly object[], name = 'hono'): object => ({
  id,
  summary: 'Made up',
  affected: [{ package: { ecosystem: 'npm', name }, ranges: [{ type: 'SEMVER', events }] }],
});

test('an OSV advisory about a locked version is told, with exit code 1', () => {
  const { status, output } = audit(write('hit.json', osvOf('MADE-UP-1', [{ introduced: '0' }])));
  assert.match(output, new RegExp(`^hono@${version.replaceAll('.', '\\.')}: MADE-UP-1 Made up$`, 'm'));
  assert.equal(status, 1);
});

test('an OSV advisory that was fixed in the locked version is not', () => {
  const fixed = write('miss.json', osvOf('MADE-UP-2', [{ introduced: '0' }, { fixed: version }]));
  assert.deepEqual(audit(fixed), {
    status: 0,
    output: `1 advisories, ${readLockFile(join(root, 'package-lock.json')).packages.length} packages, 0 matches\n`,
  });
});

test('the last affected version is affected; others of its ecosystem and withdrawn ones are no matter', () => {
  const lines = [
    osvOf('MADE-UP-3', [{ introduced: '1.0.0' }, { last_affected: version }]),
    { ...osvOf('MADE-UP-4', [{ introduced: '0' }]), withdrawn: '2026-01-01T00:00:00Z' },
    { id: 'MADE-UP-5', affected: [{ package: { ecosystem: 'PyPI', name: 'hono' }, versions: [version] }] },
  ];
  const { output } = audit(write('lines.jsonl', lines.map((line) => JSON.stringify(line)).join('\n')));
  assert.deepEqual(output.match(/MADE-UP-\d/g), ['MADE-UP-3']);
});

test('an unpacked export is read as a directory', () => {
  const directory = join(folder, 'export');
  mkdirSync(directory);
  writeFileSync(join(directory, 'a.json'), JSON.stringify(osvOf('MADE-UP-6', [{ introduced: '0' }])));
  writeFileSync(join(directory, 'b.json'), JSON.stringify(osvOf('MADE-UP-7', [{ introduced: '0' }], 'none')));
  const { status, output } = audit(directory);
  assert.deepEqual([status, output.match(/MADE-UP-\d/g)], [1, ['MADE-UP-6']]);
});

test('the report of npm is read likewise', () => {
  const report = (range: string): object => ({
    hono: [{ id: 7, title: 'Made up', vulnerable_versions: range }],
  });
  assert.equal(audit(write('npm-hit.json', report(`<=${version}`))).status, 1);
  assert.equal(audit(write('npm-miss.json', report(`<${version} || >=900.0.0`))).status, 0);
});

test('what is no advisory is no clean bill: exit code 2', () => {
  assert.equal(audit(write('broken.json', '{')).status, 2);
  assert.equal(audit(write('odd.json', { hono: [{ id: 1, vulnerable_versions: '^1.0.0' }] })).status, 2);
  assert.equal(audit(join(folder, 'missing.json')).status, 2);
});

test('versions are ordered by precedence', () => {
  const ordered = [
    '1.0.0-alpha',
    '1.0.0-alpha.1',
    '1.0.0-alpha.beta',
    '1.0.0-2.x',
    '1.0.0',
    '1.0.1',
    '1.2.0',
    '10.0.0',
  ];
  const expected = ['1.0.0-2.x', ...ordered.filter((version) => version !== '1.0.0-2.x')];
  assert.deepEqual([...ordered].reverse().sort(compareVersions), expected);
  assert.ok(isInRange('1.5.0', '>= 1.0.0 < 2.0.0'));
  assert.ok(!isInRange('2.0.0', '>=1.0.0, <2.0.0'));
  assert.ok(isInRange('3.0.0', '*'));
});
