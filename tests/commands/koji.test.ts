import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { command } from '../../src/commands/koji.ts';
import { sharedPath } from '../shared.ts';
import { startFileServer } from '../upstream/koji/file-server.ts';
import { startHubServer } from '../upstream/koji/hub-server.ts';
import { StateHub } from '../upstream/koji/state-hub.ts';

const folder = mkdtempSync(join(tmpdir(), 'koji-check-'));
const state = new StateHub();
const server = await startHubServer(state.answer);
const topDir = sharedPath('pungi', 'koji-topdir');
const files = await startFileServer(topDir);
const profiles = join(folder, 'koji.conf');
writeFileSync(
  profiles,
  `[mounted]\nserver = ${server.url}\ntopdir = ${topDir}\n` +
    `[remote]\nserver = ${server.url}\ntopurl = ${files.url}\n` +
    `[wrong]\nserver = ${server.url}\ntopdir = ${folder}\n` +
    `[gone]\nserver = http://127.0.0.1:1/kojihub\ntopdir = ${topDir}\n`,
);

after(async () => {
  await server.close();
  await files.close();
  rmSync(folder, { recursive: true });
});

async function check(...argv: string[]): Promise<{ code: number; text: string }> {
  return checkWith({}, ...argv);
}

async function checkWith(
  settings: Readonly<Record<string, string>>,
  ...argv: string[]
): Promise<{ code: number; text: string }> {
  let text = '';
  const code = await command.run({
    argv: ['check', ...argv],
    stdout: (piece) => (text += piece),
    stderr: (piece) => (text += piece),
    environment: { ODCS_KOJI_CONFIG: profiles, HOME: folder, ...settings },
    isTerminal: false,
    signal: new AbortController().signal,
  });
  return { code, text };
}

test('a Koji that is well is said to be, from a top directory and over HTTP', async () => {
  for (const profile of ['mounted', 'remote']) {
    const { code, text } = await check('--profile', profile, '--tag', 'f-small');
    assert.equal(code, 0, text);
    assert.match(text, /^ok  profile {2}"\w+" from /m);
    assert.match(text, /^ok  hub {6}http:\S+ answers; its last event is 4242$/m);
    assert.match(text, /^ok  tag {6}f-small holds 12 RPMs of 6 builds$/m);
    assert.match(text, /^ok  files {4}\S+ has all 12 RPMs tried$/m);
  }
});

test('what is wrong is told apart: hub, tag, files, keys, profile', async () => {
  const gone = await check('--profile', 'gone', '--tag', 'f-small');
  assert.equal(gone.code, 1);
  assert.match(gone.text, /^NOT hub {6}The Koji hub cannot be reached: .*ECONNREFUSED/m);
  const tag = await check('--profile', 'mounted', '--tag', 'nope');
  assert.equal(tag.code, 1);
  assert.match(tag.text, /^NOT tag {6}Unknown Koji tag nope\./m);
  const wrong = await check('--profile', 'wrong', '--tag', 'f-small');
  assert.match(wrong.text, /^NOT files {4}\S+ lacks 12 of 12 RPMs tried, such as packages\//m);
  const keys = await check('--profile', 'mounted', '--tag', 'f-small', '--sigkey', 'aabbccdd');
  assert.match(keys.text, /^NOT keys {5}aabbccdd signs 0 of 12 RPMs tried$/m);
  const profile = await check('--profile', 'nope');
  assert.match(profile.text, /^NOT profile {2}There is no Koji profile "nope"\./m);
  assert.match(profile.text, /There are: mounted, remote, wrong, gone\./);
});

test('the same as one JSON document', async () => {
  const { text } = await check('--profile', 'mounted', '--json');
  const { findings }: { findings: { what: string; isWell: boolean | null }[] } = JSON.parse(text);
  assert.deepEqual(
    findings.map(({ what, isWell }) => [what, isWell]),
    [
      ['profile', true],
      ['hub', true],
      ['files', null],
    ],
  );
});

test('all configured Kojis are checked, and a tag in the one that it names', async () => {
  const settings = { ODCS_KOJI_PROFILE: 'mounted', ODCS_KOJI_HUBS: '{"brew": "remote", "centos": "gone"}' };
  const { code, text } = await checkWith(settings, '--tag', 'brew:f-small');
  assert.equal(code, 1, 'one of them is away');
  const [ours = '', brew = '', centos = ''] = text.split('\nkoji:');
  assert.match(ours, /^ok {2}hub /m);
  assert.doesNotMatch(ours, /f-small/);
  assert.match(brew, /^brew\nok {2}profile {2}"remote"/);
  assert.match(brew, /^ok {2}tag {6}f-small holds 12 RPMs of 6 builds$/m);
  assert.match(centos, /^centos\n(?:.*\n)*NOT hub /);
  await assert.rejects(checkWith(settings, '--tag', 'other:f-small'), { code: 'koji.hub_unknown' });
});
