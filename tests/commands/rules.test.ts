import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { after, test } from 'node:test';
import { command } from '../../src/commands/rules.ts';
import { ruleDirectory } from '../rules/engine.ts';
import { ruleText } from '../rules/rule-text.ts';
import { sharedPath } from '../shared.ts';
import { runCommand } from './run-command.ts';

const rule = ruleText('- event: koji.tag\n  match: { tag: "f42*" }', 'group_by: [tag]\nsettle: 1m\n').replace(
  'source: f44',
  'source: "${tag}"',
);
const directory = ruleDirectory({ 'nightly.yaml': rule });
const narrower = ruleDirectory({ 'nightly.yaml': rule.replace('f42*', 'f42-updates') });
after(() => {
  directory.remove();
  narrower.remove();
});
const messages = sharedPath('koji', 'messages');

async function run(...argv: string[]): Promise<{ readonly code: number; readonly output: string }> {
  let output = '';
  const code = await command.run({
    argv,
    stdout: (text) => {
      output += text;
    },
    stderr: () => undefined,
    environment: {},
    isTerminal: false,
    signal: AbortSignal.timeout(10_000),
  });
  return { code, output };
}

test('check tells mistakes with their place and fails', async () => {
  const broken = ruleDirectory({ 'nightly.yaml': rule.replace('tag:', 'tagg:') });
  const { code, output } = await run('check', broken.path);
  broken.remove();
  assert.equal(code, 1);
  assert.match(
    output,
    /nightly\.yaml:7:14: koji\.tag has no field "tagg"; did you mean "tag"\? \[rule\.field_unknown\]/,
  );
});

/** Faults that once passed the check, each by itself. */
const passedOnce: readonly [string, string, RegExp][] = [
  ['flags: [no_dep]', '  flags: [no_dep]\n', /did you mean "no_deps"/],
  ['a life over the cap', '  seconds_to_live: 99999999\n', /longer than max_seconds_to_live/],
  ['an unknown result', '  results: [isos]\n', /"results" is never "isos"/],
];
for (const [what, line, told] of passedOnce) {
  test(`check refuses ${what}`, async () => {
    const broken = ruleDirectory({ 'nightly.yaml': rule.replace('compose:\n', `compose:\n${line}`) });
    const { code, output } = await run('check', broken.path);
    broken.remove();
    assert.equal(code, 1);
    assert.match(output, told);
  });
}

test('check refuses a directory that is not there, and one without rules', async () => {
  const empty = ruleDirectory({});
  await assert.rejects(run('check', join(empty.path, 'nothing')), { code: 'rules.none' });
  await assert.rejects(run('check', empty.path), { code: 'rules.none' });
  empty.remove();
});

test('check warns of a source type that a composer of these settings does not make', async () => {
  const ofPulp = ruleDirectory({ 'nightly.yaml': rule.replace('type: tag', 'type: pulp') });
  const config = join(ofPulp.path, 'odcs.conf');
  writeFileSync(config, JSON.stringify({ target_dir: ofPulp.path, data_dir: ofPulp.path }));
  const without = await runCommand(command, ['check', ofPulp.path]);
  assert.deepEqual([without.code, without.told], [0, '']);
  const { code, told } = await runCommand(command, ['check', ofPulp.path, '--config', config]);
  ofPulp.remove();
  assert.equal(code, 0);
  assert.match(
    told,
    /^warning: nightly: a composer with these settings makes no composes of source type "pulp"/,
  );
});

test('check refuses a hub that the settings do not name, and takes one that they do', async () => {
  const ofBrew = ruleDirectory({ 'nightly.yaml': rule.replace('"${tag}"', '"brew:${tag}"') });
  const config = join(ofBrew.path, 'odcs.conf');
  writeFileSync(config, JSON.stringify({ koji_profile: 'koji', koji_hubs: { brew: 'brew' } }));
  const without = await run('check', ofBrew.path);
  const withHub = await run('check', ofBrew.path, '--config', config);
  ofBrew.remove();
  assert.equal(without.code, 1);
  assert.match(
    without.output,
    /nightly\.yaml:\d+:\d+: No Koji hub is called "brew" here\. \[request\.unknown_hub\]/,
  );
  assert.deepEqual(withHub, { code: 0, output: withHub.output });
});

test('the shipped rules pass the check', async () => {
  const directory = resolve(import.meta.dirname, '../../rules');
  const { code, output } = await run('check', directory);
  assert.equal(code, 0);
  assert.match(output, new RegExp(`^${readdirSync(directory).length} rules .*no mistake found`, 'm'));
});

test('a recorded message is explained field by field', async () => {
  const name = readdirSync(messages).find((file) => file.includes('buildsys.tag'));
  const { output } = await run('explain', 'nightly', join(messages, name ?? ''), '--rules', directory.path);
  assert.match(output, /^nightly (fires|does not fire)/);
  assert.match(output, /[+-] tag: wanted f42\*, got /);
});

test('a backtest of recorded messages tells windows and requests', async () => {
  const { output } = await run('backtest', 'nightly', messages, '--rules', directory.path, '--json');
  const result = JSON.parse(output);
  assert.ok(result.answers.yes > 40 && result.answers.no > 0);
  assert.ok(result.windows.length > 5 && result.windows.length < result.answers.yes);
  assert.equal(result.windows[0].asked.body.source.source, result.windows[0].group.tag);
  const timeline = await run('timeline', 'nightly', messages, '--rules', directory.path);
  assert.equal(timeline.output.split('\n').length, result.windows.length + 2);
});

test('a diff names only messages that are answered differently', async () => {
  const { output } = await run('diff', directory.path, narrower.path, messages, '--json');
  const lines = output
    .trimEnd()
    .split('\n')
    .map((line): unknown => JSON.parse(line));
  assert.ok(lines.length > 0);
  assert.ok(lines.every((line) => JSON.stringify(line).includes('"before":"yes","after":"no"')));
  assert.equal((await run('diff', directory.path, directory.path, messages, '--json')).output, '');
});

test('a rule that is not there is an error that names those that are', async () => {
  await assert.rejects(
    run('backtest', 'nightley', messages, '--rules', directory.path),
    /no rule "nightley"/,
  );
});
