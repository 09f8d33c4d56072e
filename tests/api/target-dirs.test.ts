import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { changeCompose } from './compose-rows.ts';
import { openTestApi } from './open-test-api.ts';

const api = await openTestApi();
const teamDir = mkdtempSync(join(tmpdir(), 'odcs-team-'));
after(async () => {
  await api[Symbol.asyncDispose]();
  rmSync(teamDir, { recursive: true, force: true });
});

const extra_target_dirs = { team: teamDir, private: '/srv/private' };
const call = api.withSettings({
  extra_target_dirs,
  extra_target_dir_urls: { team: 'https://team.example.com/composes/' },
});

async function givenComposeIn(target_dir: string): Promise<number> {
  const body = { source: { type: 'tag', source: 'f26' }, target_dir };
  const { json, status, text } = await call('POST', '/api/1/composes/', { body });
  assert.equal(status, 200, text);
  const id = Number(json['id']);
  await changeCompose(api, id, { state: 'done' });
  return id;
}

const placeOf = ({ target_dir, toplevel_url, result_repo, result_repofile }: Record<string, unknown>) => ({
  target_dir,
  toplevel_url,
  result_repo,
  result_repofile,
});

test('files of a compose are shown only where its target directory has a URL', async () => {
  const id = await givenComposeIn('team');
  const directory = join(teamDir, `odcs-${id}`);
  mkdirSync(join(directory, 'logs/global'), { recursive: true });
  writeFileSync(join(directory, 'STATUS'), 'FINISHED\n');
  const path = `/api/1/composes/${id}/advisories`;
  assert.equal((await call('GET', path)).status, 200);
  const withoutUrl = api.withSettings({ extra_target_dirs });
  assert.equal((await withoutUrl('GET', path)).status, 404);
});

test('a compose in an extra target directory with a URL has that URL, in the list too', async () => {
  const id = await givenComposeIn('team');
  const toplevel_url = `https://team.example.com/composes/odcs-${id}`;
  const expected = {
    target_dir: 'team',
    toplevel_url,
    result_repo: `${toplevel_url}/compose/Temporary`,
    result_repofile: `${toplevel_url}/compose/Temporary/odcs-${id}.repo`,
  };
  assert.deepEqual(placeOf((await call('GET', `/api/1/composes/${id}`)).json), expected);
  const { text } = await call('GET', '/api/1/composes/?per_page=1');
  const { items } = JSON.parse(text) as { items: Record<string, unknown>[] };
  assert.deepEqual(items.map(placeOf), [expected]);
});

test('a compose in an extra target directory without a URL has empty URLs', async () => {
  const id = await givenComposeIn('private');
  assert.deepEqual(placeOf((await call('GET', `/api/1/composes/${id}`)).json), {
    target_dir: 'private',
    toplevel_url: '',
    result_repo: '',
    result_repofile: '',
  });
});

test('the target directory of a compose is unknown once it is no longer configured', async () => {
  const id = await givenComposeIn('team');
  assert.deepEqual(placeOf((await api.call('GET', `/api/1/composes/${id}`)).json), {
    target_dir: 'unknown',
    toplevel_url: '',
    result_repo: '',
    result_repofile: '',
  });
});

test('what lies in a target directory that is no longer configured cannot be made again, only live longer', async () => {
  const id = await givenComposeIn('team');
  const { status, json } = await api.call('PATCH', `/api/1/composes/${id}`, { body: { sigkeys: ['abc'] } });
  assert.deepEqual(
    [status, json['message']],
    [400, 'The target directory "team" is no longer configured, so that nothing can be composed into it.'],
  );
  const extended = await api.call('PATCH', `/api/1/composes/${id}`, { body: {} });
  assert.deepEqual([extended.status, extended.json['id']], [200, id]);
});

test('the page of a compose shows the .repo file of a public target directory, and of no other', async () => {
  const id = await givenComposeIn('team');
  const folder = join(teamDir, `odcs-${id}`, 'compose', 'Temporary');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `odcs-${id}.repo`), '# told by the file itself\n');
  const page = await call('GET', `/console/composes/${id}`);
  assert.match(page.text, /told by the file itself/);
  assert.match(page.text, /https:\/\/team\.example\.com\/composes\/odcs-/);
  const hidden = await api.withSettings({ extra_target_dirs })('GET', `/console/composes/${id}`);
  assert.doesNotMatch(hidden.text, /told by the file itself/);
  assert.match(hidden.text, /lies in the target directory team, which has no public address/);
});
