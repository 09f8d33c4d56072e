import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { command } from '../../src/commands/gather.ts';
import { sharedPath } from '../shared.ts';

const folder = mkdtempSync(join(tmpdir(), 'odcs-gather-'));
after(() => rmSync(folder, { recursive: true, force: true }));

test('every question of a file that can be answered is, and of each other is said why not', async () => {
  const file = join(folder, 'vectors.json');
  const good = { name: 'good', repo: 'edge', packages: ['e-needs-cap'] };
  const questions = [
    good,
    { name: 'no such repository', repo: 'nowhere' },
    { name: 'a method nobody knows', repo: 'edge', flags: { multilib_methods: ['everything'] } },
    'no question',
    { ...good, name: 'good, too' },
  ];
  writeFileSync(file, JSON.stringify(questions));
  let out = '';
  const code = await command.run({
    argv: ['--vector', file, '--repos', sharedPath('pungi', 'repos')],
    stdout: (text) => void (out += text),
    stderr: () => undefined,
    environment: {},
    isTerminal: false,
    signal: new AbortController().signal,
  });
  const answers = out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { name: string; rpms?: string[]; error?: { code: string } });
  assert.equal(code, 1);
  assert.deepEqual(
    answers.map(({ name, error }) => [name, error?.code]),
    [
      ['good', undefined],
      ['no such repository', 'repodata.unreadable'],
      ['a method nobody knows', 'gather.vector_invalid'],
      ['question 4', 'gather.vector_invalid'],
      ['good, too', undefined],
    ],
  );
  assert.ok((answers[0]?.rpms ?? []).length > 0);
  assert.deepEqual(answers[4]?.rpms, answers[0]?.rpms);
});
