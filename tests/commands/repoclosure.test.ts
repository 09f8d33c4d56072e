import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { z } from 'zod';
import { command } from '../../src/commands/repoclosure.ts';
import { sharedPath } from '../shared.ts';

async function run(argv: readonly string[]): Promise<{ readonly code: number; readonly out: string }> {
  let out = '';
  const code = await command.run({
    argv,
    stdout: (text) => void (out += text),
    stderr: () => undefined,
    environment: {},
    isTerminal: false,
    signal: new AbortController().signal,
  });
  return { code, out };
}

interface Asked {
  readonly repo: string;
  readonly lookaside?: string;
  readonly arch: string;
}

/** What dnf finds: a line for each package with what it lacks, sorted. */
function linesOfDnf({ repo, lookaside, arch }: Asked): string[] {
  const script = join(import.meta.dirname, 'dnf_repoclosure.py');
  const args = [script, arch, repo, ...(lookaside === undefined ? [] : [lookaside])];
  const found = execFileSync('/usr/bin/python3', args, { encoding: 'utf8' });
  return found.split('\n').filter(Boolean).sort();
}

/** A line for each package with what it lacks, sorted. */
function sectionsOf(text: string): string[] {
  return [...text.matchAll(/^package: (\S+) from .*\n {2}unresolved deps.*\n((?: {4}.*\n)*)/gm)]
    .map(([, nevra, lacks = '']) => `${nevra} ${lacks.trim().split(/\n\s*/).sort().join(', ')}`)
    .sort();
}

const recorded = (...parts: string[]) => sharedPath('pungi', ...parts);
const questions: readonly (Asked & { readonly lacks: boolean })[] = [
  { repo: recorded('main', 'repos', 'm40'), arch: 'x86_64', lacks: true },
  { repo: recorded('main', 'repos', 'm40'), arch: 'aarch64', lacks: true },
  { repo: recorded('main', 'repos', 'look2'), arch: 'x86_64', lacks: true },
  {
    repo: recorded('main', 'repos', 'look2'),
    lookaside: recorded('main', 'repos', 'm40'),
    arch: 'x86_64',
    lacks: false,
  },
  { repo: recorded('repos', 'edge'), arch: 'x86_64', lacks: true },
];

for (const { lacks, ...asked } of questions) {
  const aside = asked.lookaside === undefined ? '' : ' beside a lookaside';
  const name = asked.repo.split('/').slice(-2).join('/');
  test(`finds what dnf finds missing in ${name} for ${asked.arch}${aside}`, async () => {
    const lookaside = asked.lookaside === undefined ? [] : ['--lookaside', asked.lookaside];
    const { code, out } = await run(['--repo', asked.repo, ...lookaside, '--arch', asked.arch]);
    assert.deepEqual(sectionsOf(out), linesOfDnf(asked));
    assert.equal(sectionsOf(out).length > 0, lacks);
    assert.equal(code, lacks ? 1 : 0);
  });
}

test('tells several arches as one JSON document', async () => {
  const repo = recorded('main', 'repos', 'm40');
  const { code, out } = await run(['--repo', repo, '--arch', 'x86_64', '--arch', 'aarch64', '--json']);
  assert.equal(code, 1);
  const lacking = z.object({
    nevra: z.string(),
    repository: z.string(),
    dependencies: z.array(z.string()),
  });
  const report = z.strictObject({
    arch: z.string(),
    checked: z.number(),
    unresolved: z.array(lacking.strict()),
  });
  const reports = z.array(report).parse(JSON.parse(out));
  assert.deepEqual(
    reports.map(({ arch }) => arch),
    ['x86_64', 'aarch64'],
  );
  assert.ok(reports.every(({ checked }) => checked > 10));
  const broken = reports[0]?.unresolved.find(({ nevra }) => nevra === 'm-broken-1.0-1.x86_64');
  assert.deepEqual(broken?.dependencies, ['m-does-not-exist >= 3']);
});

test('a repository has to be named', async () => {
  assert.deepEqual(await run(['--json']), { code: 2, out: '' });
});
