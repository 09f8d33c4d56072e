import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { command } from '../../src/commands/rules.ts';
import { runCommand } from './run-command.ts';

const directory = mkdtempSync(join(tmpdir(), 'odcs-cases-'));
after(() => rmSync(directory, { recursive: true, force: true }));
writeFileSync(
  join(directory, 'images.yaml'),
  `version: 1
name: images
owner: x
description: What images need
on:
  - event: repo.changed
    match: { repo: "/srv/*" }
settle: 1m
max_wait: 5m
series: images
compose: { source: { type: repo, source: "\${event.repo}", packages: [bash] } }
`,
);

const changed = (repo: string, at = '2026-11-30T10:00:00Z') =>
  `{ topic: repo.changed, at: "${at}", body: { repo: "${repo}" } }`;

/** Runs one case of the rule `images`; returns the exit code and what was printed. */
async function judge(expected: string, messages: readonly string[] = [changed('/srv/a')]) {
  const lines = ['cases:', '  - name: it', `    messages: [${messages.join(', ')}]`, `    ${expected}`];
  writeFileSync(join(directory, 'images.test.yaml'), `${lines.join('\n')}\n`);
  const { code, out } = await runCommand(command, ['test', directory]);
  return { code, out };
}

test('a case whose answers and windows are as expected is ok', async () => {
  const windows = `windows: [{ series: images, messages: 2, outcome: asks, group: {}, compose: { source: { source: /srv/a, packages: [bash] } } }]`;
  const run = await judge(`answers: [yes, no, yes]\n    ${windows}`, [
    changed('/srv/b'),
    changed('/etc'),
    changed('/srv/a', '2026-11-30T10:00:30Z'),
  ]);
  assert.deepEqual(run, { code: 0, out: 'ok     images: it\n1 cases, 0 failed.\n' });
});

for (const [title, expected, told] of [
  ['another answer', 'answers: [no]', /the answer is yes, expected no\. images fires/],
  ['too few answers', 'answers: []', /There are 1 messages, and answers to 0/],
  ['no window', 'windows: []', /There are 1 windows, expected 0\. Asks for series images/],
  ['another series', 'windows: [{ series: other }]', /series is "images", expected "other"/],
  ['another number of messages', 'windows: [{ messages: 2 }]', /messages is 1, expected 2/],
  ['another outcome', 'windows: [{ outcome: fails }]', /outcome is "asks", expected "fails"/],
  ['another request', 'windows: [{ compose: { source: { type: tag } } }]', /compose is .*expected/],
  ['packages in another list', 'windows: [{ compose: { source: { packages: [bash, ed] } } }]', /compose is/],
] as const) {
  test(`a case that expects ${title} fails with 1 and says what is otherwise`, async () => {
    const { code, out } = await judge(expected);
    assert.equal(code, 1);
    assert.match(out, told);
    assert.match(out, /1 cases, 1 failed/);
  });
}

test('windows are as far apart as the messages say', async () => {
  const twice = [changed('/srv/a'), changed('/srv/a', '2026-11-30T12:00:00Z')];
  const { code, out } = await judge('windows: [{ outcome: asks }, { outcome: repeats }]', twice);
  assert.equal(code, 0, out);
});

test('a message that nobody translates fails its case', async () => {
  const { code, out } = await judge('answers: [other_kind]', ['{ topic: weather, body: {} }']);
  assert.equal(code, 1);
  assert.match(out, /Message 1 has a topic that nobody translates/);
});

test('recorded messages are read from files beside the cases', async () => {
  mkdirSync(join(directory, 'messages'), { recursive: true });
  const message = { bus: 'webhook', topic: 'repo.changed', body: { repo: '/srv/a' } };
  writeFileSync(join(directory, 'messages/a.json'), JSON.stringify(message));
  assert.equal((await judge('answers: [yes]', ['{ file: messages/a.json }'])).code, 0);
  await assert.rejects(judge('answers: [yes]', ['{ file: messages/b.json }']), {
    code: 'message.unreadable',
  });
});

test('a mistake in a file of cases is told with its place', async () => {
  const { code, out } = await judge('anwsers: [yes]');
  assert.equal(code, 1);
  assert.match(out, /images\.test\.yaml:4:5: .*did you mean "answers"\? \[rule_cases\.key_unknown\]/);
});

test('JSON has a line for each case', async () => {
  await judge('answers: [no]');
  const { code, out } = await runCommand(command, ['test', join(directory, 'images.test.yaml'), '--json']);
  assert.equal(code, 1);
  assert.match(out, /^\{"file":".*","rule":"images","case":"it","ok":false,"failures":\[".*"\]\}\n$/);
});

test('where there is nothing to test or to check nobody is told that all is well', async () => {
  const empty = join(directory, 'empty');
  mkdirSync(empty);
  for (const place of [empty, join(directory, 'not-there')]) {
    await assert.rejects(runCommand(command, ['test', place]), { code: 'rules.no_cases' });
    await assert.rejects(runCommand(command, ['check', place]), { code: 'rules.none' });
  }
});

test('cases are no rules: check takes a directory that has both', async () => {
  await judge('answers: [yes]');
  const { code, out } = await runCommand(command, ['check', directory], { ODCS_REPO_ROOTS: '/srv' });
  assert.equal(code, 0, out);
  assert.match(out, /1 rule in/);
});
