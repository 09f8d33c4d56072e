import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { copyPungiConfigDump, findPungiConfigDump } from '../../../src/database/pungi-config-dumps.ts';
import { transaction } from '../../../src/database/transaction.ts';
import { retireComposes } from '../../../src/composer/retire.ts';
import { cancelCompose, lockToEnd } from '../../../src/lifecycle/cancel-compose.ts';
import type { Compose } from '../../../src/model/compose-json.ts';
import type { ComposeRequest } from '../../../src/model/compose.ts';
import { defaultRequest } from '../../default-request.ts';
import { openTestComposer } from '../open-test-composer.ts';
import { isAlive, writeStandIns } from './stand-in-pungi.ts';

const folder = mkdtempSync(join(tmpdir(), 'pungi-'));
const { pungi } = writeStandIns(folder);
const repository = join(folder, 'configs');
mkdirSync(join(repository, 'sub'), { recursive: true });
const git = (...args: string[]): string =>
  execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.com', ...args], {
    cwd: repository,
    encoding: 'utf8',
  }).trim();
git('init', '--quiet', '--initial-branch=main');

const release = 'release_name = "Fixture"\nrelease_short = "Fix"\nrelease_version = "40"\n';
/** Commits a configuration; returns the hash. */
function commit(text: string): string {
  writeFileSync(join(repository, 'sub/fix.conf'), `${release}from common import *\n${text}\n`);
  writeFileSync(
    join(repository, 'sub/common.conf'),
    'pkgset_source = "repos"\npkgset_repos = {"x86_64": ["/x"]}\n',
  );
  git('add', '.');
  git('commit', '--quiet', '--allow-empty', '-m', 'A configuration');
  return git('rev-parse', 'HEAD');
}

const wrapper = join(folder, 'wrapper.conf');
writeFileSync(wrapper, 'from raw_config import *\nkoji_profile = "of the wrapper"\n');
const entry = { url: repository, config_filename: 'fix.conf', path: 'sub' };
const settings = {
  pungi_koji: pungi,
  pungi_koji_args: ['--quiet'],
  raw_config_pungi_koji_args: { other: ['--nightly'] },
  raw_config_urls: {
    fix: { ...entry, engine: 'pungi' },
    auto: { ...entry, engine: 'auto' },
    native: entry,
    other: { ...entry, engine: 'pungi' },
    wrapped: { ...entry, engine: 'pungi', raw_config_wrapper: wrapper },
    brief: { ...entry, engine: 'pungi', pungi_timeout: 8 },
    absent: { ...entry, engine: 'pungi', raw_config_wrapper: '/nowhere/wrapper.conf' },
  },
};
const composer = await openTestComposer(settings);
after(async () => {
  await composer[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

function ask(name: string, text: string, more: Partial<ComposeRequest> = {}): Promise<Compose> {
  const source = [`${name}#${commit(text)}`];
  return composer.compose({ ...defaultRequest, sourceType: 'raw_config', source, ...more });
}

const fileOf = ({ id }: Compose, name: string): string => join(composer.targetDir, `odcs-${id}`, name);
const read = (compose: Compose, name: string): string => readFileSync(fileOf(compose, name), 'utf8');
const argumentsOf = (compose: Compose): unknown =>
  JSON.parse(/Arguments: (.*)/.exec(read(compose, 'pungi-stderr.log'))?.[1] ?? '[]');

/** Waits until a file of a compose is there. */
async function waitForFile(compose: Compose, name: string): Promise<void> {
  while (!existsSync(fileOf(compose, name))) await pause(20);
}

test('Pungi makes a compose where people see it, with the id, the arguments and the configuration of ODCS', async () => {
  const compose = await ask('fix', 'osbuild = {"^.*$": [("a", None, 3)]}', {
    label: 'RC-1.0',
    composeType: 'production',
    kojiEvent: 7,
    respinOf: 'Fix-40-20261101.0',
    parentPungiComposeIds: ['A-1-20261101.0', 'B-1-20261101.0'],
  });
  assert.equal(compose.state, 'done', compose.stateReason ?? '');
  assert.equal(compose.pungiComposeId, `Fix-40-20261122.${compose.id}`);
  assert.equal(read(compose, 'COMPOSE_ID'), compose.pungiComposeId);
  assert.equal(read(compose, 'STATUS'), 'FINISHED');
  const [config, ...others] = argumentsOf(compose) as string[];
  assert.match(config ?? '', /^--config=.*\/pungi\.json$/);
  assert.deepEqual(others, [
    '--no-latest-link',
    `--compose-dir=${join(composer.targetDir, `odcs-${compose.id}`)}`,
    '--quiet',
    '--production',
    '--label=RC-1.0',
    '--parent-compose-id=A-1-20261101.0',
    '--parent-compose-id=B-1-20261101.0',
    '--respin-of=Fix-40-20261101.0',
    '--koji-event=7',
  ]);
  const dump = JSON.parse((await findPungiConfigDump(composer.context.database.kysely, compose.id)) ?? '');
  assert.deepEqual(dump.osbuild, { '^.*$': [['a', null, 3]] });
  assert.equal(dump.pkgset_source, 'repos');
  assert.match(compose.source, /^fix#[0-9a-f]{40}$/);
  assert.match(compose.warnings.join(), /Pungi makes this compose/);
  const links = join(composer.targetDir, 'production');
  for (const name of [compose.pungiComposeId ?? '', 'latest-Fix-40', 'latest-Fix-40-RC-1.0']) {
    assert.equal(readlinkSync(join(links, name)), `../odcs-${compose.id}`);
  }
  assert.equal(readlinkSync(join(composer.targetDir, `latest-odcs-${compose.id}-1`)), `odcs-${compose.id}`);
});

test('a compose is never taken for another one, and takes old ones of its type for its repodata', async () => {
  const first = await ask('other', '', { composeType: 'nightly' });
  const second = await ask('other', '', { composeType: 'nightly' });
  assert.deepEqual([first.state, second.state, second.reusedId], ['done', 'done', null]);
  const words = argumentsOf(second) as string[];
  assert.deepEqual(
    words.filter((word) => /^--(?:nightly|test|quiet|old)/.test(word)),
    ['--nightly', `--old-composes=${join(composer.targetDir, 'nightly')}`],
  );
  assert.equal(readlinkSync(join(composer.targetDir, 'nightly/latest-Fix-40')), `../odcs-${second.id}`);
  assert.equal(await findPungiConfigDump(composer.context.database.kysely, second.id), null);
});

test('the engine auto leaves to Pungi what is not made here, and native refuses it', async () => {
  const text = 'buildinstall_method = "lorax"\nvariants_file = "v.xml"\ngather_method = "deps"';
  assert.equal((await ask('auto', text)).state, 'done');
  const refused = await ask('native', text);
  assert.match(refused.stateReason ?? '', /not made by this service: buildinstall_method/);
});

test('files that only Pungi fetches are for Pungi; what is wrong for both is told', async () => {
  const valid = 'skip_phases = ["createiso"]\ngather_method = "deps"\n';
  for (const [scm, repository] of [
    ['cvs', 'x'],
    ['git', 'https://not-allowed.example.org/variants.git'],
  ]) {
    const variants = `variants_file = {"scm": "${scm}", "repo": "${repository}", "file": "variants.xml"}`;
    const compose = await ask('auto', `${valid}${variants}`);
    assert.equal(compose.state, 'done', compose.stateReason ?? '');
    const refused = await ask('native', `${valid}${variants}`);
    assert.match(refused.stateReason ?? '', /the scm "cvs" is not fetched|may not be read by this server/);
  }
  const plain = await ask('auto', 'skip_phases = ["createiso"]\nvariants_file = "v.xml"');
  assert.match(plain.stateReason ?? '', /Configuration is not valid/);
});

test('a wrapper speaks the last word, also over the configuration of the compose that is made again', async () => {
  const production = { label: 'RC-1.0', composeType: 'production' };
  const { kysely } = composer.context.database;
  const compose = await ask('wrapped', 'koji_profile = "koji"\nmine = 1', production);
  assert.equal(compose.state, 'done', compose.stateReason ?? '');
  const dump = (await findPungiConfigDump(kysely, compose.id)) ?? '';
  assert.match(dump, /"koji_profile": "of the wrapper"/);
  const source = [`wrapped#${commit('mine = 2')}`];
  const again = await composer.insert({ ...defaultRequest, sourceType: 'raw_config', source, ...production });
  await transaction(composer.context.database, (tx) =>
    copyPungiConfigDump(tx.sql, { from: compose.id, to: again.id }),
  );
  writeFileSync(wrapper, 'from raw_config import *\nkoji_profile = "of tomorrow"\n');
  assert.equal((await composer.run(again.id)).state, 'done');
  const now: unknown = JSON.parse((await findPungiConfigDump(kysely, again.id)) ?? '');
  assert.deepEqual(now, { ...(JSON.parse(dump) as object), koji_profile: 'of tomorrow' });
});

const tracked = 'cts_url = "https://cts.example.org"\ncts_keytab = "/etc/keytab"\n';

test('what a tracking service calls a compose, and what it is called without one, may be taken', async () => {
  const first = await ask('fix', '');
  for (const taken of [first.pungiComposeId, `Fix-40-20261122.t.${first.id + 3}`]) {
    const compose = await ask('fix', `${tracked}stand_in_id = "${taken}"`);
    assert.deepEqual([compose.state, compose.pungiComposeId], ['done', taken], compose.stateReason ?? '');
  }
  const last = await ask('fix', '');
  assert.deepEqual([last.state, last.id], ['done', first.id + 3], last.stateReason ?? '');
  assert.equal(last.pungiComposeId, `Fix-40-20261122.t.${last.id}`);
  assert.equal(readlinkSync(join(composer.targetDir, 'test', last.pungiComposeId)), `../odcs-${last.id}`);
});

test('a compose that a tracking service names is called nothing before', async () => {
  const compose = await ask('fix', `${tracked}stand_in_id = "Fix-40-20261122.t.1"\nstand_in = "killed"`);
  assert.deepEqual([compose.state, compose.pungiComposeId], ['failed', null]);
});

test('packages beside a configuration are refused unless a wrapper may obey them', async () => {
  assert.match((await ask('fix', '', { builds: ['a-1-1'] })).stateReason ?? '', /the request names builds/);
  assert.equal((await ask('wrapped', '', { builds: ['a-1-1'] })).state, 'done');
  assert.match(
    (await ask('absent', '')).stateReason ?? '',
    /The wrapper of the configuration cannot be read/,
  );
});

test('says what ended Pungi, out of its log, and where the log is', async () => {
  const compose = await ask(
    'fix',
    'stand_in = "doomed"\nstand_in_errors = ["First", "Compose run failed: Unresolved dependencies detected"]',
  );
  assert.equal(compose.state, 'failed');
  const url = `http://odcs.example.com/composes/odcs-${compose.id}`;
  assert.equal(
    compose.stateReason,
    'Error while generating compose: Pungi ended with 1: Compose run failed: Unresolved dependencies detected\nFirst ' +
      `Its logs are in ${url}: pungi-stderr.log and logs/global/pungi.global.log.`,
  );
  assert.equal(read(compose, 'STATUS'), 'DOOMED');
});

const endings: Readonly<Record<string, readonly [text: string, more: Partial<ComposeRequest>, RegExp]>> = {
  'a label it does not take': [
    '',
    { composeType: 'production' },
    /Pungi ended with 2: pungi-koji: error: must specify label for a production compose/,
  ],
  'a disk that is full': ['stand_in = "full"', {}, /The disk was full while Pungi ran/],
  'a signal': ['stand_in = "killed"', {}, /Pungi ended with 137/],
  'success, but no compose': ['stand_in = "unfinished"', {}, /without a finished compose \(STATUS STARTED\)/],
  'a production compose without a dump': [
    'stand_in = "without dump"',
    { composeType: 'production', flags: ['no_label'] },
    /left no dump of its configuration/,
  ],
};
for (const [what, [text, more, sentence]] of Object.entries(endings)) {
  test(`a Pungi that ends with ${what} fails its compose with a sentence`, async () => {
    const compose = await ask('fix', text, more);
    assert.equal(compose.state, 'failed');
    assert.match(compose.stateReason ?? '', sentence);
    assert.ok(!compose.stateReason?.includes(folder), compose.stateReason ?? '');
  });
}

test('deliverables that Pungi could not make are warnings of the compose', async () => {
  const compose = await ask('fix', 'stand_in = "incomplete"');
  assert.equal(compose.state, 'done', compose.stateReason ?? '');
  assert.match(compose.warnings.join('\n'), /could not make everything of Server: live-media for x86_64/);
});

/** The processes that the stand-in started, by their files. */
function childrenOf(compose: Compose): number[] {
  return read(compose, 'children').trim().split('\n').map(Number);
}

test('what a Pungi leaves behind ends with it, also what left its group', async () => {
  const compose = await ask('fix', 'stand_in = "leaves children"');
  assert.equal(compose.state, 'done', compose.stateReason ?? '');
  const children = childrenOf(compose);
  assert.equal(children.length, 2);
  assert.deepEqual(children.filter(isAlive), []);
});

async function cancel(id: number): Promise<void> {
  await transaction(composer.context.database, async (tx) => {
    const compose = await lockToEnd(tx, id);
    assert.ok(compose);
    await cancelCompose(tx, compose, 'somebody');
  });
}

test('a cancelled Pungi may end in peace; its logs stay until the compose expires', async () => {
  const source = [`fix#${commit('stand_in = "ends in peace"')}`];
  const compose = await composer.insert({ ...defaultRequest, sourceType: 'raw_config', source });
  const running = composer.run(compose.id);
  await waitForFile(compose, 'logs/global/pungi.global.log');
  await cancel(compose.id);
  const ended = await running;
  assert.deepEqual([ended.state, ended.stateReason], ['failed', 'Canceled by somebody']);
  assert.equal(ended.pungiComposeId, `Fix-40-20261122.t.${compose.id}`);
  assert.equal(read(compose, 'STATUS'), 'TERMINATED');
  await retireComposes(composer.context);
  assert.match(read(compose, 'pungi-stderr.log'), /PHASE: PKGSET/);
  composer.now = new Date(composer.now.getTime() + 7 * 86_400_000);
  await retireComposes(composer.context);
  assert.ok(!existsSync(fileOf(compose, '')));
  composer.now = new Date('2026-11-22T10:00:00Z');
});

test('a Pungi that takes too long is ended with all it started, whatever it says to that', async () => {
  const compose = await ask('brief', 'stand_in = "hangs"');
  assert.match(compose.stateReason ?? '', /more time than allowed by configuration \(8 seconds\)/);
  const children = childrenOf(compose);
  while (children.some(isAlive)) await pause(50);
});
