import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { command } from '../../src/commands/compose.ts';
import { changeCompose, givenCompose } from '../api/compose-rows.ts';
import { listen } from '../api/listen.ts';
import { openTestApi } from '../api/open-test-api.ts';
import { runCommand, type CommandRun } from './run-command.ts';

const api = await openTestApi();
const server = await listen(api.context);
after(async () => {
  await server[Symbol.asyncDispose]();
  await api[Symbol.asyncDispose]();
});

function run(...argv: readonly string[]): Promise<CommandRun> {
  return runCommand(command, argv, { ODCS_SERVER: server.url });
}

test('composes are listed as a table, and by what is asked for', async () => {
  await api.reset();
  const waiting = await givenCompose(api, { owner: 'osbs' });
  const done = await givenCompose(api, { owner: 'osbs', state: 'done', time_done: api.now });
  await givenCompose(api, { owner: 'other', state: 'done', time_done: api.now });
  const all = await run('list');
  assert.match(all.out, /^ID +STATE +SUBMITTED +OWNER +SOURCE\n/);
  assert.equal(all.out.trim().split('\n').length, 4);
  const ofOsbs = await run('list', '--owner', 'osbs', '--json');
  const ids = ofOsbs.out
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { id: number }).id);
  assert.deepEqual(ids, [done, waiting]);
  const both = await run('list', '--owner', 'osbs', '--state', 'done', '--state', 'failed', '--limit', '1');
  assert.match(both.out, new RegExp(`\n${done} +done`));
  const none = await run('list', '--owner', 'nobody');
  assert.deepEqual(
    [none.out, none.told],
    ['', 'There is none. odcs-reactor compose create TYPE SOURCE asks for one.\n'],
  );
});

test('create takes its request of a file, too', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'odcs-body-'));
  const file = join(folder, 'request.json');
  writeFileSync(file, '{"source": {"type": "tag", "source": "f26", "packages": ["ed"]}, "series": "filed"}');
  const { id } = JSON.parse((await run('create', '--body', `@${file}`, '--json')).out) as { id: number };
  assert.equal((await api.call('GET', `/api/1/composes/${id}`)).json['source'], 'f26');
  await assert.rejects(run('create', '--body', `@${folder}/none`), /cannot be read as JSON: ENOENT/);
  await assert.rejects(run('create', '--body', '{'), { code: 'compose.usage' });
  rmSync(folder, { recursive: true });
});

test('cancel stops a compose that waits, and leaves one that has ended alone', async () => {
  const waiting = await givenCompose(api);
  assert.equal((await run('cancel', String(waiting))).code, 0);
  const done = await givenCompose(api, { state: 'done', time_done: api.now });
  await assert.rejects(run('cancel', String(done)), /is done: there is nothing to cancel/);
  const shown = await api.call('GET', `/api/1/composes/${done}`);
  assert.deepEqual([shown.json['state_name'], shown.json['removed_by']], ['done', null]);
});

test('delete wants to be sure', async () => {
  const done = await givenCompose(api, { state: 'done', time_done: api.now });
  await assert.rejects(run('delete', String(done)), { code: 'compose.usage' });
  assert.equal((await api.call('GET', `/api/1/composes/${done}`)).json['removed_by'], null);
  assert.match((await run('delete', String(done), '--yes')).out, /will be processed by backend later/);
});

test('watch follows a compose to its end, stage by stage, and advises where it failed', async () => {
  const id = await givenCompose(api);
  let told = '';
  // Each thing that is told brings the next one.
  const steps = new Map([
    ['wait', () => changeCompose(api, id, { state: 'generating', progress: progress('plan', 1) })],
    ['plan 1/3', () => changeCompose(api, id, { progress: progress('place', 2) })],
    [
      'place 2/3',
      () => changeCompose(api, id, { state: 'failed', state_reason: 'Koji is away.', progress: null }),
    ],
  ]);
  const code = await command.run({
    argv: ['watch', String(id)],
    stdout: () => undefined,
    stderr: (text) => {
      told += text;
      for (const [word, step] of steps) if (text.includes(word)) void step();
    },
    environment: { ODCS_SERVER: server.url },
    isTerminal: false,
    signal: new AbortController().signal,
  });
  assert.equal(code, 1);
  assert.match(told, new RegExp(`^compose ${id}: wait\n`));
  assert.match(told, /generating, plan 1\/3 steps\n[^]*place 2\/3 steps\n[^]*: failed\n/);
  assert.match(told, /failed: Koji is away\.\n {2}try it again: {3}odcs-reactor compose renew/);
});

function progress(stage: string, done: number): string {
  return JSON.stringify({ stage, done, total: 3, unit: 'steps' });
}

test('why tells who asked, and renew makes one that failed again', async () => {
  const id = await givenCompose(api, { state: 'failed', state_reason: 'It broke.' });
  assert.match((await run('why', String(id))).out, /\.\n$/);
  const renewed = JSON.parse((await run('renew', String(id), '--json')).out) as {
    id: number;
    state_name: string;
  };
  assert.notEqual(renewed.id, id);
  assert.equal(renewed.state_name, 'wait');
});

const stages = (open: boolean) =>
  JSON.stringify({
    begun: api.now.toISOString(),
    stages: [
      { stage: 'plan', from: 0, to: 1_500, isFailed: false },
      { stage: 'repodata', from: 1_500, to: open ? null : 2_000, isFailed: !open },
    ],
  });

test('logs tell what happened, stage by stage, and with --follow go on until the end', async () => {
  const id = await givenCompose(api, { state: 'generating', time_started: api.now, stages: stages(true) });
  const now = await run('logs', String(id));
  assert.equal(now.code, 0);
  assert.match(now.out, /asked for tag f26\n/);
  assert.match(
    now.out,
    /Z {2}plan: begun\n\S+Z {2}plan: ended after 1\.5 s\n\S+Z {2}write repodata: begun\n$/,
  );
  let told = '';
  const code = await command.run({
    argv: ['logs', String(id), '--follow'],
    stdout: (text) => {
      told += text;
      if (text.includes('write repodata: begun')) {
        void changeCompose(api, id, {
          state: 'failed',
          state_reason: 'The disk is full.',
          stages: stages(false),
          time_done: api.now,
          warnings: JSON.stringify(['bash is not signed']),
        });
      }
    },
    stderr: () => undefined,
    environment: { ODCS_SERVER: server.url },
    isTerminal: false,
    signal: new AbortController().signal,
  });
  assert.equal(code, 1);
  assert.match(
    told,
    /write repodata: failed after 500 ms\n-\s+bash is not signed\n\S+ {2}failed: The disk is full\.\n$/,
  );
  // Nothing is told twice.
  assert.equal(told.match(/plan: begun/g)?.length, 1);
});

test('one compose is shown as facts, and where it failed with the reason and what to do next', async () => {
  const done = await givenCompose(api, {
    state: 'done',
    time_started: new Date(api.now.getTime() - 26_000),
    time_done: api.now,
  });
  const { out, told } = await run('show', String(done));
  assert.match(out, new RegExp(`^compose ${done} {2}done\n {2}of +tag f26\n {2}packages +httpd\n`));
  assert.match(out, /\n {2}done +\S+Z \(took 26 s\)\n/);
  assert.match(out, /\n {2}repository +http\S+\.repo\n/);
  assert.equal(told, '');
  const failed = await givenCompose(api, { state: 'failed', state_reason: 'It broke.' });
  const ofFailed = await run('show', String(failed));
  assert.match(ofFailed.out, /\n {2}reason +It broke\.\n/);
  assert.match(ofFailed.told, /failed: It broke\.\n {2}try it again: {3}odcs-reactor compose renew \d+\n/);
});

test('what was asked for is printed for people, and as it came for programs', async () => {
  const asked = await run('create', 'tag', 'f26', 'httpd');
  assert.match(asked.out, /^compose \d+ {2}wait\n {2}of +tag f26\n/);
  const shown: unknown = JSON.parse((await run('create', 'tag', 'f26', 'httpd', '--json')).out);
  assert.equal(Object.keys(Object(shown)).length > 40, true);
});

test('a compose that is not there is told of by the service', async () => {
  await assert.rejects(run('show', '999999'), { code: 'service.refused' });
});
