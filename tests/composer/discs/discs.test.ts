import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { startReactor } from '../../../src/app/reactor.ts';
import { createDemoRepository } from '../../../src/commands/demo/demo-files.ts';
import { hasDiscPrograms } from '../../../src/composer/discs/disc-programs.ts';
import { retireComposes } from '../../../src/composer/retire.ts';
import { runCompose } from '../../../src/composer/run-compose.ts';
import { loadConfig } from '../../../src/config.ts';
import { transaction } from '../../../src/database/transaction.ts';
import { cancelCompose, lockToEnd } from '../../../src/lifecycle/cancel-compose.ts';
import { extendCompose } from '../../../src/lifecycle/compose-life.ts';
import { createLog } from '../../../src/log.ts';
import type { Compose } from '../../../src/model/compose-json.ts';
import { parseRenewRequest, requestDefaults } from '../../../src/model/compose-request.ts';
import { renewedRequest } from '../../../src/model/renewed-request.ts';
import { makeDataDirectory } from '../../database/embedded-snapshot.ts';
import { ensurePackages } from '../../services/debian-packages.ts';
import { makeDnfHost } from '../../services/dnf-host.ts';
import { openTestComposer, repoRequest } from '../open-test-composer.ts';
import { isAlive } from '../pungi/stand-in-pungi.ts';
import { postCompose, waitForEnd, type ShownCompose } from '../service-calls.ts';

// Runs once: no database decides what a DVD holds.
const packages = ensurePackages(['dnf', 'isomd5sum', 'libarchive-tools', 'xorriso']);
const needsPackages = packages.ready ? {} : { skip: packages.reason };
const folder = mkdtempSync('/tmp/odcs-discs-');
const repository = createDemoRepository(join(folder, 'repository'));
await repository.add('base', new Date());
const targetDir = join(folder, 'composes');
const { config } = loadConfig({
  file: undefined,
  environment: {},
  overrides: {
    data_dir: await makeDataDirectory(join(folder, 'data')),
    target_dir: targetDir,
    arches: ['x86_64'],
    port: 0,
  },
});
const reactor = await startReactor({ config, log: createLog('silent') });
const composer = await openTestComposer();
after(async () => {
  await reactor.stop();
  await composer[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});
const asked = { source: { type: 'repo', source: repository.directory, packages: ['ed'] }, results: ['iso'] };

async function compose(body: object = asked): Promise<ShownCompose> {
  const made = await waitForEnd(reactor.url, (await postCompose(reactor.url, body)).id);
  assert.equal(made.state_name, 'done', made.state_reason ?? '');
  return made;
}

/** Runs a program; returns what it wrote. */
function run(words: readonly string[]): string {
  const [name = '', ...rest] = words;
  const { status, stdout, stderr } = spawnSync(name, rest, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  assert.equal(status, 0, `${words.join(' ')}: ${stdout}${stderr}`);
  return stdout;
}

const imageSchema = z.object({
  arch: z.string(),
  path: z.string(),
  size: z.number(),
  volume_id: z.string(),
  implant_md5: z.string(),
  checksums: z.object({ sha256: z.string() }),
});
const imagesSchema = z.object({
  header: z.object({ type: z.literal('productmd.images'), version: z.literal('1.2') }),
  payload: z.object({
    compose: z.object({ id: z.string() }),
    images: z.object({ Temporary: z.object({ x86_64: z.array(imageSchema) }) }),
  }),
});

test('a compose with the result iso has a DVD of each tree, which checks itself', needsPackages, async () => {
  const { id } = await compose();
  const top = join(targetDir, `odcs-${id}/compose`);
  const { payload } = imagesSchema.parse(JSON.parse(readFileSync(join(top, 'metadata/images.json'), 'utf8')));
  const [source, binary, ...others] = payload.images.Temporary.x86_64;
  assert.ok(binary !== undefined && source !== undefined);
  assert.equal(others.length, 0);
  const composeId = payload.compose.id;
  assert.equal(binary.path, `Temporary/x86_64/iso/${composeId}-Temporary-x86_64-dvd1.iso`);
  assert.equal(source.path, `Temporary/source/iso/${composeId}-Temporary-source-dvd1.iso`);
  assert.deepEqual([binary.arch, binary.volume_id], ['x86_64', `odcs-${id}-1 Temporary.x86_64`]);
  assert.deepEqual([source.arch, source.volume_id], ['src', `odcs-${id}-1 Temporary.src`]);
  for (const image of [binary, source]) {
    const path = join(top, image.path);
    run(['checkisomd5', path]);
    assert.match(run(['checkisomd5', '--md5sumonly', path]), new RegExp(`${image.implant_md5}$`, 'm'));
    const bytes = readFileSync(path);
    assert.equal(bytes.length, image.size);
    assert.equal(createHash('sha256').update(bytes).digest('hex'), image.checksums.sha256);
    const name = image.path.slice(image.path.lastIndexOf('/') + 1);
    const sums = `# ${name}: ${image.size} bytes\nSHA256 (${name}) = ${image.checksums.sha256}\n`;
    assert.equal(readFileSync(`${path}.SHA256SUM`, 'utf8'), sums);
    assert.equal(readFileSync(join(path, '../SHA256SUM'), 'utf8'), sums);
  }

  const extracted = join(folder, 'extracted');
  mkdirSync(extracted);
  run(['bsdtar', '-xf', join(top, binary.path), '-C', extracted]);
  const listed = readFileSync(join(top, `${binary.path}.manifest`), 'utf8')
    .trimEnd()
    .split('\n');
  const held = run(['find', extracted, '-mindepth', '1', '-printf', '/%P\\n']).trimEnd().split('\n');
  assert.deepEqual(held.toSorted(), listed.toSorted());
  assert.match(
    readFileSync(join(extracted, '.treeinfo'), 'utf8'),
    /^\[media\]\ndiscnum = 1\ntotaldiscs = 1$/m,
  );
  assert.equal(readFileSync(join(extracted, '.discinfo'), 'utf8').split('\n')[3], '1');
  const host = makeDnfHost(join(folder, 'host'));
  host.useRepoFile(`[dvd]\nname=dvd\nbaseurl=file://${extracted}\ngpgcheck=0\n`);
  const installed = await host.run(['install', '--downloadonly', 'ed']);
  assert.equal(installed.status, 0, installed.output);
  assert.match(installed.output, /ed +x86_64 +1\.20\.2-1/);
});

test('one with a DVD shows another with one, and none without', needsPackages, async () => {
  const about = z.object({ results: z.array(z.string()) });
  const { results } = about.parse(await (await fetch(`${reactor.url}/api/1/about/`)).json());
  assert.deepEqual(results, ['iso', 'repository']);
  const first = await compose({ ...asked, label: 'RC-1.0' });
  const plain = await compose({ ...asked, results: [] });
  const again = await compose({ ...asked, label: 'RC-2.0' });
  assert.equal(again.toplevel_url, first.toplevel_url);
  assert.notEqual(plain.toplevel_url, first.toplevel_url);
  const placeOf = ({ toplevel_url: url }: ShownCompose): string =>
    join(targetDir, url.slice(url.lastIndexOf('/') + 1));
  assert.ok(!existsSync(join(placeOf(plain), 'compose/metadata/images.json')));
  assert.ok(existsSync(join(placeOf(first), 'compose/Temporary/x86_64/iso')));
});

const withDisc = repoRequest(repository.directory, ['ed'], { results: ['repository', 'iso'] });

/** The DVD of a compose that this process makes. */
function discOf({ id }: Compose): string | undefined {
  const place = join(composer.targetDir, `odcs-${id}/compose/Temporary/x86_64/iso`);
  return existsSync(place) ? readdirSync(place).find((name) => name.endsWith('.iso')) : undefined;
}

test(
  'a DVD goes with its compose, stays where that lives longer, and is made anew with it',
  needsPackages,
  async () => {
    const { database } = composer.context;
    const began = composer.now;
    const laterBy = (seconds: number): Date => new Date(began.getTime() + seconds * 1000);
    const brief = { ...withDisc, secondsToLive: 3_600 };
    const first = await composer.compose(brief);
    assert.equal(first.state, 'done', first.stateReason ?? '');
    const plain = await composer.compose({ ...brief, flags: ['no_reuse'] });
    await transaction(database, (tx) =>
      extendCompose(tx.sql, first, { until: laterBy(3 * 3_600), now: tx.now }),
    );

    composer.now = laterBy(2 * 3_600);
    await retireComposes(composer.context);
    assert.equal((await composer.find(plain.id)).state, 'removed');
    assert.ok(!existsSync(join(composer.targetDir, `odcs-${plain.id}`)));
    assert.match(discOf(first) ?? '', /-dvd1\.iso$/);

    composer.now = laterBy(4 * 3_600);
    await retireComposes(composer.context);
    const gone = await composer.find(first.id);
    assert.equal(gone.state, 'removed');
    assert.ok(!existsSync(join(composer.targetDir, `odcs-${first.id}`)));
    const renewal = parseRenewRequest({}, requestDefaults(composer.config), undefined);
    const again = await composer.compose(renewedRequest(gone, renewal));
    assert.equal(again.state, 'done', again.stateReason ?? '');
    assert.match(discOf(again) ?? '', /-dvd1\.iso$/);
    composer.now = began;
  },
);

/** A directory with a program of this name that does what the script says, and no others of a DVD. */
function givenProgram(name: string, script: string): string {
  const place = mkdtempSync(join(folder, 'bin-'));
  writeFileSync(join(place, name), `#!/bin/bash\n${script}\n`);
  chmodSync(join(place, name), 0o755);
  return place;
}

/** The same, with all that a system has. */
function withTools(place: string): string {
  return `${place}:${process.env['PATH'] ?? ''}`;
}

async function composeWith(searched: string, composeTimeout = 60): Promise<Compose> {
  const { id } = await composer.insert(withDisc);
  const { signal } = new AbortController();
  const context = { ...composer.context, searched, composeTimeout };
  await runCompose(context, id, { signal, number: 1, isLast: true });
  const ended = await composer.find(id);
  assert.equal(ended.state, 'failed');
  for (const shown of [`odcs-${id}`, `.odcs-${id}.1.building`]) {
    assert.ok(!existsSync(join(composer.targetDir, shown)), shown);
  }
  return ended;
}

test('a DVD that cannot be made fails its compose, whose repositories nobody sees then', async () => {
  const missing = await composeWith(givenProgram('other', ''));
  assert.match(missing.stateReason ?? '', /There is no program xorriso where composes are made\. Install/);
  const broken = await composeWith(
    withTools(givenProgram('xorriso', 'echo "xorriso : FAILURE : no" >&2; exit 5')),
  );
  assert.match(broken.stateReason ?? '', /xorriso ended with 5: xorriso : FAILURE : no/);
  const full = await composeWith(
    withTools(givenProgram('xorriso', 'echo "write: No space left on device" >&2; exit 32')),
  );
  assert.match(full.stateReason ?? '', /disk of the target directory is full/);
});

test('a program that hangs ends with the time of its compose', async () => {
  const pid = join(folder, 'hanging');
  const late = await composeWith(
    withTools(givenProgram('xorriso', `echo $$ > ${pid}; trap : TERM; while :; do sleep 0.1; done`)),
    3,
  );
  assert.match(late.stateReason ?? '', /more time than allowed by configuration \(3 seconds\)/);
  while (isAlive(Number(readFileSync(pid, 'utf8')))) await pause(20);
});

test('a cancelled compose ends the program that makes its DVD at once, without asking it first', async () => {
  const [pid, asked] = [join(folder, 'cancelled'), join(folder, 'asked')];
  const script = `trap 'touch ${asked}' TERM; echo $$ > ${pid}.new; mv ${pid}.new ${pid}; while :; do sleep 0.1; done`;
  const { id } = await composer.insert(withDisc);
  const context = { ...composer.context, searched: withTools(givenProgram('xorriso', script)) };
  const running = runCompose(context, id, { signal: new AbortController().signal, number: 1, isLast: true });
  while (!existsSync(pid)) await pause(20);
  await transaction(composer.context.database, async (tx) => {
    const locked = await lockToEnd(tx, id);
    assert.ok(locked !== undefined);
    assert.equal(await cancelCompose(tx, locked, 'alice'), 'requested');
  });
  await running;
  assert.equal(isAlive(Number(readFileSync(pid, 'utf8'))), false);
  assert.equal(existsSync(asked), false);
  const ended = await composer.find(id);
  assert.deepEqual([ended.state, ended.stateReason], ['failed', 'Canceled by alice']);
  assert.deepEqual(
    readdirSync(composer.targetDir).filter((name) => name.includes(`odcs-${id}`)),
    [],
  );
});

test('DVDs are offered where all their programs are', needsPackages, async () => {
  const whole = process.env['PATH'] ?? '';
  assert.equal(await hasDiscPrograms(whole), true);
  assert.equal(await hasDiscPrograms(givenProgram('xorriso', '')), false);
});
