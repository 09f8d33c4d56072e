import assert from 'node:assert/strict';
import { cpSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { isKnownPlan, planUnlessKnown } from '../../../../src/composer/known-plan.ts';
import { runRequest } from '../../../../src/composer/run-request.ts';
import { findComposeRequest } from '../../../../src/database/compose-requests.ts';
import { transaction } from '../../../../src/database/transaction.ts';
import { placeComposeRequest } from '../../../../src/lifecycle/place-request.ts';
import type { Compose } from '../../../../src/model/compose-json.ts';
import type { ComposeRequest } from '../../../../src/model/compose.ts';
import { defaultRequest } from '../../../default-request.ts';
import { universe } from '../../main/recorded-vectors.ts';
import { openTestComposer } from '../../open-test-composer.ts';
import { makeConfigurationRepository, startMainHub, vectorOf } from './recorded-configuration.ts';

const hub = await startMainHub({ after });
const repository = makeConfigurationRepository({ after });
const plain = await openTestComposer();
const profile = join(plain.folder, 'koji.conf');
writeFileSync(profile, `[fixture]\nserver = ${hub.url}\ntopdir = ${join(universe, 'koji-topdir')}\n`);
const copies = join(plain.folder, 'universe');
cpSync(join(universe, 'repos'), join(copies, 'repos'), { recursive: true });
const composer = await openTestComposer({
  koji_profile: 'fixture',
  koji_config: profile,
  repo_roots: [universe, copies],
  raw_config_urls: { fixture: { url: repository.url, config_filename: 'fixture.conf', path: 'configs' } },
});
const { context } = composer;
after(async () => {
  await composer[Symbol.asyncDispose]();
  await plain[Symbol.asyncDispose]();
});

const requestOf = (commit: string, more: Partial<ComposeRequest> = {}): ComposeRequest => ({
  ...defaultRequest,
  sourceType: 'raw_config',
  source: [`fixture#${commit}`],
  ...more,
});

async function make(commit: string): Promise<Compose> {
  const compose = await composer.compose(requestOf(commit));
  assert.equal(compose.state, 'done', compose.stateReason ?? '');
  return compose;
}

/** Whether a compose would be planned, or is known by its inputs; the stages that planning went through. */
async function planAgain(commit: string, more: Partial<ComposeRequest> = {}) {
  const stages: string[] = [];
  const { signal } = new AbortController();
  const place = { series: null, targetDir: 'default' };
  const select = { log: context.log, signal, progress: (stage: string) => void stages.push(stage) };
  const plan = await planUnlessKnown(context, place, select, requestOf(commit, more));
  return { isKnown: isKnownPlan(plan), stages, pins: isKnownPlan(plan) ? plan.pins : plan.selection.pins };
}

/** A configuration of repositories that may be damaged. */
function commitOfCopies(version: string): string {
  return repository.commit(vectorOf('repos-source-lists'), (text) =>
    text.replaceAll(universe, copies).replace('"40"', `"${version}"`),
  );
}

test('a compose of tags that did not change is known by what it is made of, and nothing is gathered', async () => {
  const commit = repository.commit(vectorOf('two-variants'));
  const first = await make(commit);
  const { isKnown, stages, pins } = await planAgain(commit);
  assert.deepEqual([isKnown, stages.includes('gather'), pins.kojiEvent], [true, false, 1000]);
  const again = await make(commit);
  assert.deepEqual(
    [again.reusedId, again.fingerprint, again.pungiComposeId, again.source, again.arches, again.sigkeys],
    [first.id, first.fingerprint, first.pungiComposeId, first.source, first.arches, first.sigkeys],
  );
});

test('no metadata but repomd.xml is read of repositories that did not change', async () => {
  const commit = commitOfCopies('43');
  const first = await make(commit);
  for (const path of readdirSync(copies, { recursive: true, encoding: 'utf8' })) {
    if (/-(?:primary|filelists|other)\.xml/.test(path)) truncateSync(join(copies, path));
  }
  assert.equal((await make(commit)).reusedId, first.id);
  rmSync(copies, { recursive: true });
  cpSync(join(universe, 'repos'), join(copies, 'repos'), { recursive: true });
});

test('another configuration, type, label or event is planned, and the same one at another commit is not', async () => {
  const vector = vectorOf('two-variants');
  const commit = repository.commit(vector, (text) => text.replace('"40"', '"44"'));
  await make(commit);
  const filtered = repository.commit(vector, (text) =>
    `${text}filter_packages = [("^.*$", {"*": ["m-vim"]})]\n`.replace('"40"', '"44"'),
  );
  const back = repository.commit(vector, (text) => text.replace('"40"', '"44"'));
  assert.notEqual(back, commit);
  const answers = [
    await planAgain(filtered),
    await planAgain(commit, { composeType: 'nightly' }),
    await planAgain(commit, { label: 'RC-1.0' }),
    await planAgain(commit, { flags: ['no_reuse'] }),
    await planAgain(back),
  ];
  assert.deepEqual(
    answers.map(({ isKnown }) => isKnown),
    [false, false, false, false, true],
  );
});

test('a copy that may be signed better later, or was guessed, is looked at each time', async () => {
  const lesser = repository.commit(vectorOf('sigkeys-unsigned-elsewhere'), (text) =>
    text.replace('"540FF9E7"]', '"540FF9E7", None]').replace('"40"', '"45"'),
  );
  const first = await make(lesser);
  assert.equal((await planAgain(lesser)).isKnown, false);
  assert.equal((await make(lesser)).reusedId, first.id);
});

test('a compose that is gone from its disk, or has ended its life, is made anew', async () => {
  const commit = commitOfCopies('46');
  const first = await make(commit);
  rmSync(join(composer.targetDir, `odcs-${first.id}`), { recursive: true });
  const second = await make(commit);
  assert.equal(second.reusedId, null);
  composer.now = new Date(composer.now.getTime() + defaultRequest.secondsToLive * 1000 + 1000);
  assert.equal((await make(commit)).reusedId, null);
});

test('a rule is told that nothing changed without a plan', async () => {
  const commit = commitOfCopies('47');
  const ask = async () => {
    const body = { source: { type: 'raw_config', source: `fixture#${commit}` } };
    const wish = { rule: 'nightly', series: 'main', body, causes: [], minEvent: null };
    const { id } = await transaction(context.database, (tx) =>
      placeComposeRequest(
        tx,
        { ...wish, priority: 'normal', chain: [], unchanged: 'skip', notBefore: null },
        'queue',
      ),
    );
    await runRequest(context, id, { signal: new AbortController().signal, number: 1, isLast: true });
    const row = await findComposeRequest(context.database.kysely, id);
    assert.ok(row);
    return row;
  };
  const first = await ask();
  assert.equal(first.state, 'composed', first.reason ?? '');
  for (const path of readdirSync(copies, { recursive: true, encoding: 'utf8' })) {
    if (/-(?:primary|filelists|other)\.xml/.test(path)) truncateSync(join(copies, path));
  }
  const again = await ask();
  assert.deepEqual([again.state, again.compose_id], ['unchanged', first.compose_id], again.reason ?? '');
});
