import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { command } from '../../src/commands/pungi-koji.ts';
import { compareRecorded } from '../composer/main/compare-recorded.ts';
import { filesOf, readVectors, universe, type MainVector } from '../composer/main/recorded-vectors.ts';
import { startMainHub, vectorOf } from '../composer/sources/raw-config/recorded-configuration.ts';

const folder = mkdtempSync(join(tmpdir(), 'pungi-koji-'));
after(() => rmSync(folder, { recursive: true }));
const hub = await startMainHub({ after });
const profile = join(folder, 'koji.conf');
writeFileSync(profile, `[fixture]\nserver = ${hub.url}\ntopdir = ${join(universe, 'koji-topdir')}\n`);

interface Run {
  readonly code: number;
  readonly printed: string;
  /** Where the configuration lies, and where the compose is made. */
  readonly directory: string;
  readonly target: string;
}

async function call(argv: readonly string[], signal = new AbortController().signal) {
  let printed = '';
  const code = await command.run({
    argv,
    stdout: (text) => (printed += text),
    stderr: (text) => (printed += text),
    environment: { ODCS_KOJI_CONFIG: profile, ODCS_DATA_DIR: join(folder, 'data') },
    isTerminal: false,
    signal,
  });
  return { code, printed };
}

let runs = 0;

/** Writes the configuration of a record, as its files name their own directory. */
function prepare(vector: MainVector): Pick<Run, 'directory' | 'target'> {
  runs += 1;
  const directory = join(folder, `run-${runs}`);
  const target = join(directory, 'target');
  mkdirSync(target, { recursive: true });
  for (const path of Object.keys(vector.files)) {
    const place = join(directory, path);
    mkdirSync(dirname(place), { recursive: true });
    const text = Buffer.from(filesOf(vector).read(path) ?? '').toString('utf8');
    writeFileSync(place, text.replaceAll('@RUN@', directory));
  }
  return { directory, target };
}

/** Runs the command of a record. */
async function runRecorded(vector: MainVector): Promise<Run> {
  const { directory, target } = prepare(vector);
  const place = vector.name === 'compose-dir' ? join(target, 'mycompose') : target;
  mkdirSync(place, { recursive: true });
  const option = vector.name === 'compose-dir' ? '--compose-dir' : '--target-dir';
  const config = ['--config', join(directory, 'fixture.conf')];
  const { code, printed } = await call([...config, option, place, ...vector.args]);
  return { code, printed, directory, target };
}

function today(): string {
  const now = new Date();
  return new Date(now.getTime() - now.getTimezoneOffset() * 60_000)
    .toISOString()
    .slice(0, 10)
    .replaceAll('-', '');
}

/** A text with the placeholders of the records. */
function asRecorded(text: string, { directory, target }: Run): string {
  return text
    .replaceAll(`${target}/`, '@TARGET@/')
    .replaceAll(`${directory}/`, '@RUN@/')
    .replaceAll(`${universe}/koji-topdir`, '@TOPDIR@')
    .replaceAll(universe, '@UNI@')
    .replaceAll(today(), '@DATE@');
}

/** Lines of errors, each once; what the log of the reference composer alone says of single RPMs is left out. */
function errorsOf(entries: readonly string[]): string[] {
  const told = entries.filter((entry) => !entry.startsWith('[ERROR   ] RPM {') && !entry.startsWith('...'));
  const lines = told
    .flatMap((entry) => entry.split('\n'))
    .map((line) => line.replace(/^\[ERROR +\] GATHER/, 'GATHER'));
  return [...new Set(lines)].sort();
}

/** Warnings, each once, as far as both composers give them (docs/main-composes.md says where they differ). */
function warningsOf(entries: readonly string[]): string[] {
  const told = entries.filter((entry) => !entry.startsWith("[WARNING ] Can't find a SRPM for "));
  return [...new Set(told.map((entry) => entry.replace('rpm: @TOPDIR@/', 'rpm: ')))].sort();
}

/** Entries of the log of a run, without their times. */
function readLog(run: Run, name: string): string[] {
  const path = join(run.target, name, 'logs/global/pungi.global.log');
  const entries = asRecorded(readFileSync(path, 'utf8'), run)
    .trimEnd()
    .split(/\n(?=\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \[|@DATE@)/);
  return entries.map((entry) => entry.replace(/^\S+ \S+ /, ''));
}

function loggedErrors(run: Run, name: string): string[] {
  return readLog(run, name).filter((entry) => /^\[(?:ERROR|CRITICAL)/.test(entry));
}

function listTarget(run: Run): string[] {
  return readdirSync(run.target, { withFileTypes: true })
    .map((entry) =>
      entry.isSymbolicLink() ? `${entry.name} -> ${readlinkSync(join(run.target, entry.name))}` : entry.name,
    )
    .map((entry) => asRecorded(entry, run))
    .sort();
}

/** Recorded with a repaired detection of release packages that no release of the reference composer has. */
const elsewhere = new Set([
  'system-release-detected',
  'system-release-detected-matching',
  'system-release-detected-everything',
]);

for (const vector of readVectors().filter(({ name }) => !elsewhere.has(name))) {
  const { name, result } = vector;
  test(`ends as recorded of "${name}": exit code, texts, tree and links`, async () => {
    const run = await runRecorded(vector);
    assert.equal(run.code, result.exit, run.printed);
    assert.deepEqual(listTarget(run), result.target ?? []);
    if (result.target === undefined) {
      const recorded = [result.output ?? ''].flat().join('\n');
      const withoutTime = (text: string): string => text.trim().replace(/^\d{4}-\S+ \S+ /, '');
      assert.equal(withoutTime(asRecorded(run.printed, run)), withoutTime(recorded));
      return;
    }
    const made = result.target.find((entry) => !entry.includes('->')) ?? '';
    const own = made.replaceAll('@DATE@', today());
    const top = join(run.target, own);
    assert.equal(readFileSync(join(top, 'STATUS'), 'utf8').trim(), result.status);
    assert.deepEqual(errorsOf(loggedErrors(run, own)), errorsOf(result.errors));
    const warnings = readLog(run, own).filter((entry) => entry.startsWith('[WARNING'));
    assert.deepEqual(warningsOf(warnings), warningsOf(result.warnings));
    assert.ok(!existsSync(join(top, '.building')));
    if (result.exit !== 0) return;
    assert.equal(await compareRecorded(vector, top, { date: today(), respin: 0 }), 'equal');
    assert.deepEqual(readdirSync(top).sort(), ['COMPOSE_ID', 'STATUS', 'compose', 'logs', 'work']);
  });
}

test('the respin counts up while the directory is there, and the link follows', async () => {
  const vector = vectorOf('latest-link-status');
  const { directory, target } = prepare(vector);
  const argv = ['--config', join(directory, 'fixture.conf'), '--target-dir', target, '--nightly'];
  for (const respin of [0, 1]) {
    const { code, printed } = await call(argv);
    assert.equal(code, 0, printed);
    const id = `Fix-40-${today()}.n.${respin}`;
    assert.equal(readFileSync(join(target, id, 'COMPOSE_ID'), 'utf8'), id);
    assert.equal(readlinkSync(join(target, 'latest-Fix-40')), id);
  }
  const { code } = await call([...argv, '--no-latest-link']);
  assert.equal(code, 0);
  assert.equal(readlinkSync(join(target, 'latest-Fix-40')), `Fix-40-${today()}.n.1`);
});

test('a directory that was named before keeps its id, and one that is finished is left alone', async () => {
  const vector = vectorOf('compose-dir');
  const { directory, target } = prepare(vector);
  const place = join(target, 'odcs-7');
  mkdirSync(join(place, 'work/global'), { recursive: true });
  const compose = { date: '20260102', id: 'Fix-40-20260102.n.9', respin: 9, type: 'nightly' };
  writeFileSync(
    join(place, 'work/global/composeinfo-base.json'),
    JSON.stringify({ header: {}, payload: { compose } }),
  );
  const argv = ['--config', join(directory, 'fixture.conf'), '--compose-dir', place, '--no-latest-link'];
  const { code, printed } = await call(argv);
  assert.equal(code, 0, printed);
  assert.deepEqual(readdirSync(target), ['odcs-7']);
  assert.ok(!existsSync(join(place, 'COMPOSE_ID')));
  const info = JSON.parse(readFileSync(join(place, 'compose/metadata/composeinfo.json'), 'utf8'));
  assert.equal(info.payload.compose.id, compose.id);
  const again = await call(argv);
  assert.equal(again.code, 1);
  assert.match(again.printed, /is finished and cannot change/);
});

test('what is not made here is refused before anything is written', async () => {
  const vector = vectorOf('two-variants');
  const { directory, target } = prepare(vector);
  const config = join(directory, 'fixture.conf');
  writeFileSync(config, `${readFileSync(config, 'utf8')}buildinstall_method = "lorax"\n`);
  const argv = ['--config', config, '--target-dir', target, '--test'];
  const refused = await call(argv);
  assert.equal(refused.code, 1);
  assert.match(refused.printed, /buildinstall_method \(installer images need lorax/);
  assert.deepEqual(readdirSync(target), []);
  const skipped = await call([...argv, '--skip-phase', 'buildinstall']);
  assert.equal(skipped.code, 0, skipped.printed);
});

test('composes that the command line names stand in the metadata', async () => {
  const { directory, target } = prepare(vectorOf('two-variants'));
  const place = ['--config', join(directory, 'fixture.conf'), '--target-dir', target, '--test'];
  const parents = ['--parent-compose-id', 'Base-1-20260101.n.0', '--parent-compose-id=Base-2-20260101.n.0'];
  const { code, printed } = await call([...place, ...parents, '--respin-of', 'Fix-40-20260101.t.1']);
  assert.equal(code, 0, printed);
  const path = join(target, `Fix-40-${today()}.t.0`, 'compose/metadata/composeinfo.json');
  const { compose } = JSON.parse(readFileSync(path, 'utf8')).payload;
  assert.deepEqual(compose.parent_compose_ids, ['Base-1-20260101.n.0', 'Base-2-20260101.n.0']);
  assert.equal(compose.respin_of, 'Fix-40-20260101.t.1');
});

/** A script that writes down what it is told, and where it is run. */
function writeScript(directory: string, exit = 0): { readonly path: string; readonly told: () => string[] } {
  const [path, log] = [join(directory, `tell-${exit}.sh`), join(directory, `told-${exit}`)];
  const text = `#!/bin/sh\n{ printf '%s %s ' "$1" "$PWD"; cat; echo; } >> ${log}\nexit ${exit}\n`;
  writeFileSync(path, text, { mode: 0o755 });
  return { path, told: () => readFileSync(log, 'utf8').trim().split('\n') };
}

test('notification scripts are told each status, one that fails is told of, and a start that fails, too', async () => {
  const { directory, target } = prepare(vectorOf('two-variants'));
  const config = join(directory, 'fixture.conf');
  writeFileSync(
    config,
    `${readFileSync(config, 'utf8')}translate_paths = [("${target}", "https://c.example.org")]\n`,
  );
  const [script, failing] = [writeScript(directory), writeScript(directory, 3)];
  const scripts = ['--notification-script', script.path, '--notification-script', failing.path];
  const argv = ['--config', config, '--target-dir', target, '--test', ...scripts];
  const { code, printed } = await call(argv);
  assert.equal(code, 0, printed);
  assert.match(printed, /\[WARNING \] Failed to invoke notification script\./);
  const id = `Fix-40-${today()}.t.0`;
  const told = script.told().map((line) => /^(\S+) (\S+) (.*)$/.exec(line) ?? []);
  assert.deepEqual(
    told.map(([, message, place]) => [message, place]),
    [1, 2].map(() => ['status-change', join(target, id, 'compose')]),
  );
  const data = told.map(([, , , text = '']) => JSON.parse(text));
  assert.deepEqual(
    data.map(({ status }) => status),
    ['STARTED', 'FINISHED'],
  );
  assert.deepEqual(
    [data[0].compose_id, data[0].release_short, data[0].location],
    [id, 'Fix', `https://c.example.org/${id}/compose`],
  );
  assert.equal(failing.told().length, 2);
  assert.deepEqual(readdirSync(join(target, id, 'compose')).sort(), ['AppStream', 'BaseOS', 'metadata']);

  await call(argv, AbortSignal.abort(new Error('stopped')));
  writeFileSync(config, 'release_name = 3\n');
  assert.equal((await call(argv)).code, 1);
  const last = script
    .told()
    .map((line) => /"status":"(\w+)"|^fail-to-start.*"detail":".*'release_short'/.exec(line));
  assert.deepEqual(
    last.map((found) => found?.[1] ?? (found === null ? 'nothing' : 'fail-to-start')),
    ['STARTED', 'FINISHED', 'STARTED', 'TERMINATED', 'fail-to-start'],
  );
});

for (const [type, isAbsolute] of [
  ['symlink', false],
  ['abspath-symlink', true],
] as const) {
  test(`with the link type ${type} packages are links to where they were read`, async () => {
    const vector = vectorOf('two-variants');
    const { directory, target } = prepare(vector);
    const config = join(directory, 'fixture.conf');
    writeFileSync(config, `${readFileSync(config, 'utf8')}link_type = "${type}"\n`);
    const { code, printed } = await call(['--config', config, '--target-dir', target, '--test']);
    assert.equal(code, 0, printed);
    const top = join(target, `Fix-40-${today()}.t.0`);
    const packages = readdirSync(top, { recursive: true, encoding: 'utf8' }).filter((path) =>
      path.endsWith('.rpm'),
    );
    assert.ok(packages.length > 0);
    for (const path of packages) {
      assert.equal(readlinkSync(join(top, path)).startsWith('/'), isAbsolute);
      assert.ok(realpathSync(join(top, path)).startsWith(realpathSync(join(universe, 'koji-topdir'))), path);
    }
  });
}

test('a wrong command line ends with 2 and says what is wrong', async () => {
  const refusals = [
    [['--config', 'x'], /^pungi-koji: error: one of the arguments --target-dir --compose-dir is required$/m],
    [['--target-dir', '/'], /^pungi-koji: error: please specify a config$/m],
    [['--test', '--ci', '--config', 'x', '--target-dir', '/'], /not allowed with argument/],
    [['--config', 'x', '--target-dir', '/', '--koji-event', 'x'], /--koji-event: invalid int value: 'x'/],
    [['--frobnicate'], /--frobnicate/],
  ] as const;
  for (const [argv, sentence] of refusals) {
    const { code, printed } = await call(argv);
    assert.equal(code, 2, printed);
    assert.match(printed, sentence);
  }
  const nowhere = await call(['--config', 'x', '--target-dir', join(folder, 'nowhere')]);
  assert.equal(nowhere.code, 1);
  assert.match(nowhere.printed, /The target directory does not exist or is not a directory/);
});

test('a run that is stopped is TERMINATED', async () => {
  const { directory, target } = prepare(vectorOf('two-variants'));
  const config = ['--config', join(directory, 'fixture.conf'), '--target-dir', target, '--test'];
  const { code } = await call(config, AbortSignal.abort(new Error('stopped')));
  assert.equal(code, 1);
  assert.equal(readFileSync(join(target, `Fix-40-${today()}.t.0/STATUS`), 'utf8').trim(), 'TERMINATED');
});
