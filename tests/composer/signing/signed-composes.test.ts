import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createDemoRepository } from '../../../src/commands/demo/demo-files.ts';
import { metadataKeySettings } from '../../../src/metadata-key-settings.ts';
import type { Compose } from '../../../src/model/compose-json.ts';
import type { ComposeRequest } from '../../../src/model/compose.ts';
import { openTestComposer, repoRequest, type TestComposer } from '../open-test-composer.ts';
import { checkWithGpg, makeTestKey, type TestKey } from './test-keys.ts';

const folder = mkdtempSync('/tmp/odcs-sign-');
const good = makeTestKey(folder, 'good');
const next = makeTestKey(folder, 'next');
const expired = makeTestKey(folder, 'expired', { madeAt: '20200101T000000', expires: '1d' });
const locked = makeTestKey(folder, 'locked', { passphrase: 'secret' });
const composer = await openTestComposer();
after(async () => {
  await composer[Symbol.asyncDispose]();
  for (const key of [good, next, expired, locked]) key.end();
  rmSync(folder, { recursive: true, force: true });
});
const repository = createDemoRepository(join(composer.folder, 'repository'));
await repository.add('base', composer.now);

/** A program that signs; `body` is of a shell. */
function writeSigner(name: string, body: string): string {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\n${body}\n`);
  chmodSync(path, 0o755);
  return path;
}

/** Lets keys sign as the settings say. */
function useKeys(settings: {
  readonly keys: Readonly<Record<string, object>>;
  readonly key?: string;
  readonly targetDirs?: Readonly<Record<string, string>>;
  readonly series?: Readonly<Record<string, string>>;
  readonly timeout?: number;
}): void {
  Object.assign(composer.context, {
    metadataKeys: {
      metadata_keys: metadataKeySettings.metadata_keys.schema.parse(settings.keys),
      metadata_key: settings.key ?? '',
      metadata_key_of_target_dirs: settings.targetDirs ?? {},
      metadata_key_of_series: settings.series ?? {},
      metadata_signing_timeout: settings.timeout ?? 60,
    },
  });
}

const gpgKey = ({ fingerprint, publicKey, home }: TestKey) => ({
  fingerprint,
  public_key: publicKey,
  gpg_home: home,
});

function directoryOf({ id, reusedId }: Compose): string {
  return join(composer.targetDir, `odcs-${reusedId ?? id}`);
}

function listRepomds(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('/repomd.xml'))
    .map((name) => join(directory, name));
}

const request = (more: Partial<ComposeRequest> = {}): ComposeRequest =>
  repoRequest(repository.directory, ['ed'], more);

async function failedWith(code: RegExp, run: (composer: TestComposer) => Promise<Compose>): Promise<Compose> {
  const started = performance.now();
  const failed = await run(composer);
  assert.equal(failed.state, 'failed');
  assert.match(failed.stateReason ?? '', code);
  assert.ok(performance.now() - started < 60_000, 'it took too long');
  assert.equal(existsSync(directoryOf(failed)), false, 'something was published');
  return failed;
}

test('the repomd.xml of every repository of every arch is signed, and the .repo file says by which key', async () => {
  useKeys({ keys: { main: gpgKey(good) }, key: 'main' });
  const made = await composer.compose(request({ arches: ['x86_64', 's390x'] }));
  assert.equal(made.state, 'done', made.stateReason ?? '');
  const repomds = listRepomds(directoryOf(made));
  assert.equal(repomds.length, 5, 'binaries and debug of two arches, and sources');
  for (const repomd of repomds) {
    assert.match(checkWithGpg(folder, good.publicKey, repomd), new RegExp(`VALIDSIG ${good.fingerprint}`));
  }
  const repoFile = readFileSync(join(directoryOf(made), `compose/Temporary/odcs-${made.id}.repo`), 'utf8');
  assert.match(
    repoFile,
    new RegExp(
      `^repo_gpgcheck=1\ngpgkey=http://odcs.example.com/composes/odcs-${made.id}/compose/metadata-key.asc$`,
      'm',
    ),
  );
  assert.deepEqual(
    readFileSync(join(directoryOf(made), 'compose/metadata-key.asc')),
    readFileSync(good.publicKey),
  );
});

test('a key of a series goes before that of its target directory, and that before the one of all', async () => {
  useKeys({
    keys: { main: gpgKey(good), other: gpgKey(next) },
    key: 'main',
    targetDirs: { private: 'other' },
    series: { bare: '', special: 'other' },
  });
  const keyOf = async (targetDir: string, series: string): Promise<string> => {
    const made = await composer.compose(request({ targetDir }), { series });
    assert.equal(made.state, 'done', made.stateReason ?? '');
    const root = composer.context.targetDirs[targetDir] ?? '';
    const file = join(root, `odcs-${made.reusedId ?? made.id}`, 'compose/metadata-key.asc');
    if (!existsSync(file)) return 'none';
    return readFileSync(file, 'utf8') === readFileSync(good.publicKey, 'utf8') ? 'good' : 'next';
  };
  assert.equal(await keyOf('default', 'plain'), 'good');
  assert.equal(await keyOf('private', 'plain-2'), 'next');
  assert.equal(await keyOf('default', 'special'), 'next');
  assert.equal(await keyOf('private', 'bare'), 'none');
  const series = (name: string): string =>
    readFileSync(join(composer.targetDir, 'series', name, 'latest.repo'), 'utf8');
  assert.match(
    series('special'),
    /^gpgkey=http:\/\/.*\/series\/special\/latest\/compose\/metadata-key\.asc$/m,
  );
});

test('after a rotation nothing that the old key signed is reused, and the series says the new one', async () => {
  useKeys({ keys: { main: gpgKey(good), fresh: gpgKey(next) }, key: 'main' });
  const old = await composer.compose(request(), { series: 'rotating' });
  const same = await composer.compose(request(), { series: 'rotating' });
  assert.equal(same.reusedId, old.reusedId ?? old.id);
  useKeys({ keys: { main: gpgKey(good), fresh: gpgKey(next) }, key: 'fresh' });
  const rotated = await composer.compose(request(), { series: 'rotating' });
  assert.notEqual(rotated.fingerprint, old.fingerprint);
  const latest = join(composer.targetDir, 'series/rotating/latest/compose');
  assert.deepEqual(readFileSync(join(latest, 'metadata-key.asc')), readFileSync(next.publicKey));
  for (const repomd of listRepomds(directoryOf(rotated))) {
    assert.match(checkWithGpg(folder, next.publicKey, repomd), new RegExp(`VALIDSIG ${next.fingerprint}`));
  }
  useKeys({ keys: {} });
  const bare = await composer.compose(request(), { series: 'rotating' });
  assert.equal(existsSync(join(directoryOf(bare), 'compose/metadata-key.asc')), false);
  assert.match(
    readFileSync(join(composer.targetDir, 'series/rotating/latest.repo'), 'utf8'),
    /^repo_gpgcheck=0$/m,
  );
});

test('a command signs what it reads on its standard input, and is given no secret of the service', async () => {
  const log = join(folder, 'environment.txt');
  const command = writeSigner(
    'sign-good',
    `env > ${log}\nexec gpg --homedir ${good.home} --batch --local-user "$METADATA_KEY_FINGERPRINT" --armor --detach-sign --output -`,
  );
  process.env['ODCS_SECRET_OF_TEST'] = 'hidden';
  useKeys({
    keys: { main: { fingerprint: good.fingerprint, public_key: good.publicKey, command: [command] } },
    key: 'main',
  });
  const made = await composer.compose(request({ flags: ['no_reuse'] }));
  delete process.env['ODCS_SECRET_OF_TEST'];
  assert.equal(made.state, 'done', made.stateReason ?? '');
  assert.equal(listRepomds(directoryOf(made)).length, 3);
  for (const repomd of listRepomds(directoryOf(made))) {
    assert.match(checkWithGpg(folder, good.publicKey, repomd), /GOODSIG/);
  }
  assert.doesNotMatch(readFileSync(log, 'utf8'), /ODCS_/);
});

test('an expired key fails the compose at once, with what to do', async () => {
  useKeys({ keys: { main: gpgKey(expired) }, key: 'main' });
  const { id } = await composer.insert(request());
  await failedWith(/The metadata key "main" has expired\. Extend it/, () =>
    composer.run(id, { isLast: false }),
  );
});

test('a command that signs with an expired key is found out', async () => {
  const command = writeSigner(
    'sign-expired',
    `exec gpg --homedir ${expired.home} --faked-system-time 20200101T010000 --batch --armor --detach-sign --output -`,
  );
  useKeys({
    keys: { main: { fingerprint: expired.fingerprint, public_key: expired.publicKey, command: [command] } },
    key: 'main',
  });
  await failedWith(/The metadata key "main" has expired/, () => composer.compose(request()));
});

test('an agent that asks for a passphrase lets the compose be tried again, and succeed once it has it', async () => {
  useKeys({ keys: { main: gpgKey(locked) }, key: 'main' });
  const { id } = await composer.insert(request());
  await assert.rejects(composer.run(id, { isLast: false }), { code: 'signing.passphrase_wanted' });
  const waiting = await composer.find(id);
  assert.equal(waiting.state, 'generating');
  assert.match(waiting.stateReason ?? '', /asks for the passphrase.*Unlock it/);
  assert.equal(existsSync(directoryOf(waiting)), false);
  // Whoever runs the service unlocks the key.
  locked.gpg(
    ['--pinentry-mode=loopback', '--passphrase=secret', '--armor', '--detach-sign', '--output', '-'],
    'unlock',
  );
  const made = await composer.run(id, { number: 2 });
  assert.equal(made.state, 'done', made.stateReason ?? '');
  for (const repomd of listRepomds(directoryOf(made))) {
    assert.match(checkWithGpg(folder, locked.publicKey, repomd), /GOODSIG/);
  }
});

test('a signer that hangs is ended with all it started, and the compose is tried again', async () => {
  const pids = join(folder, 'pids.txt');
  const command = writeSigner('hang', `echo $$ >> ${pids}\nsleep 1000 &\necho $! >> ${pids}\nwait`);
  useKeys({
    keys: { main: { fingerprint: good.fingerprint, public_key: good.publicKey, command: [command] } },
    key: 'main',
    timeout: 1,
  });
  const { id } = await composer.insert(request({ flags: ['no_reuse'] }));
  await assert.rejects(composer.run(id, { isLast: false }), { code: 'signing.timed_out' });
  await failedWith(/made no signature within 1 seconds/, () => composer.run(id, { number: 2 }));
  for (const pid of readFileSync(pids, 'utf8').trim().split('\n')) {
    await untilEnded(pid);
  }
});

/** Waits for a process that was killed; one that runs on lets the test time out. */
async function untilEnded(pid: string): Promise<void> {
  const isRunning = (): boolean => {
    const stat = existsSync(`/proc/${pid}/stat`) ? readFileSync(`/proc/${pid}/stat`, 'utf8') : '';
    return stat !== '' && !/\) [ZX] /.test(stat);
  };
  const until = performance.now() + 10_000;
  while (isRunning()) {
    assert.ok(performance.now() < until, `${pid} runs on`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test('what is no signature of the key is never published', async () => {
  const cases: readonly (readonly [string, string, RegExp])[] = [
    ['silent', 'cat > /dev/null', /is no armored signature/],
    ['failing', 'echo "no token" >&2; exit 3', /ended with 3: no token/],
    [
      'other-key',
      `exec gpg --homedir ${next.home} --batch --armor --detach-sign --output -`,
      /by a key that is not in its public_key file/,
    ],
    [
      'other-content',
      `echo x | gpg --homedir ${good.home} --batch --armor --detach-sign --output -`,
      /does not fit what was to be signed/,
    ],
    ['endless', 'exec yes', /ended with a signal/],
  ];
  for (const [name, body, sentence] of cases) {
    const command = writeSigner(name, body);
    useKeys({
      keys: { main: { fingerprint: good.fingerprint, public_key: good.publicKey, command: [command] } },
      key: 'main',
    });
    await failedWith(sentence, () => composer.compose(request({ flags: ['no_reuse'] })));
  }
  const settings = { fingerprint: good.fingerprint, public_key: good.publicKey, command: ['/nowhere/sign'] };
  useKeys({ keys: { main: settings }, key: 'main' });
  await failedWith(/is not installed/, () => composer.compose(request({ flags: ['no_reuse'] })));
  useKeys({ keys: { main: { ...settings, public_key: '/nowhere/key.asc' } }, key: 'main' });
  await failedWith(/The public key of the metadata key "main" cannot be read/, () =>
    composer.compose(request({ flags: ['no_reuse'] })),
  );
  useKeys({ keys: { main: { ...gpgKey(good), fingerprint: next.fingerprint } }, key: 'main' });
  await failedWith(/gpg has no secret key/, () => composer.compose(request({ flags: ['no_reuse'] })));
});

test('a compose that is cancelled while it is signed ends, with its signer', async () => {
  const started = join(folder, 'started.txt');
  const command = writeSigner('wait', `echo $$ > ${started}.tmp; mv ${started}.tmp ${started}; sleep 1000`);
  useKeys({
    keys: { main: { fingerprint: good.fingerprint, public_key: good.publicKey, command: [command] } },
    key: 'main',
  });
  const { id } = await composer.insert(request({ flags: ['no_reuse'] }));
  const stop = new AbortController();
  const running = composer.run(id, { signal: stop.signal });
  while (!existsSync(started)) await new Promise((resolve) => setTimeout(resolve, 20));
  stop.abort(new Error('the process stops'));
  await assert.rejects(running, /the process stops/);
  await untilEnded(readFileSync(started, 'utf8').trim());
});
