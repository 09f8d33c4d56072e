import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
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
  const told = entries.filter((one) => !one.startsWith('[ERROR   ] RPM {') && !one.startsWith('...'));
  const lines = told
    .flatMap((one) => one.split('\n'))
    .map((line) => line.replace(/^\[ERROR +\] GATHER/, 'GATHER'));
  return [...new Set(lines)].sort();
}

function loggedErrors(run: Run, name: string): string[] {
  const path = join(run.target, name, 'logs/global/pungi.global.log');
  const entries = asRecorded(readFileSync(path, 'utf8'), run)
    .trimEnd()
    .split(/\n(?=\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \[|@DATE@)/);
  return entries
    .map((entry) => entry.replace(/^\S+ \S+ /, ''))
    .filter((entry) => /^\[(?:ERROR|CRITICAL)/.test(entry));
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
