import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { command } from '../../src/commands/definition.ts';
import { ReactorError } from '../../src/model/errors.ts';
import { filesOf, readVectors } from '../composer/main/recorded-vectors.ts';

const folder = mkdtempSync(join(tmpdir(), 'definition-command-'));
after(() => rmSync(folder, { recursive: true }));

/** Runs the command; returns its exit code and what it printed. */
async function run(...argv: string[]): Promise<{ code: number; out: string; told: string }> {
  let out = '';
  let told = '';
  const code = await command.run({
    argv,
    stdout: (text) => (out += text),
    stderr: (text) => (told += text),
    environment: { ODCS_DATA_DIR: join(folder, 'data'), ODCS_REPO_ROOTS: '/' },
    isTerminal: false,
    signal: new AbortController().signal,
  });
  return { code, out, told };
}

/** Writes a recorded configuration into a directory; returns the path of its main file. */
function writeRecorded(name: string): string {
  const vector = readVectors().find((recorded) => recorded.name === name);
  assert.ok(vector);
  for (const path of Object.keys(vector.files)) {
    const place = join(folder, name, path);
    mkdirSync(dirname(place), { recursive: true });
    writeFileSync(place, filesOf(vector).read(path) ?? '');
  }
  return join(folder, name, 'fixture.conf');
}

test('a configuration is imported, checked, planned, explained and compared', async () => {
  const output = join(folder, 'definitions');
  const imported = await run('import', writeRecorded('repos-source-lists'), '--name', 'web', '--to', output);
  assert.equal(imported.code, 0);
  assert.equal(imported.out, `${join(output, 'web.yaml')}\n`);
  const file = join(output, 'web.yaml');
  const checked = await run('check', output);
  assert.equal(checked.code, 0, checked.out);
  assert.match(checked.out, /^web: .*no mistake found\.$/m);
  const planned = await run('plan', file);
  assert.match(planned.out, /^\w+\.x86_64 {2}binary {2}m-\S+\.rpm$/m);
  const explained = await run('explain', file, 'm-libc', '--json');
  assert.equal(explained.code, 0);
  const [line = ''] = explained.out.split('\n');
  assert.equal(JSON.parse(line).arch, 'x86_64');
  const text = readFileSync(file, 'utf8').replace('name: web', 'name: less');
  writeFileSync(join(output, 'less.yaml'), text.replace(/groups:\n(?: +- .*\n)+/, 'packages: [m-libc]\n'));
  const compared = await run('diff', file, join(output, 'less.yaml'));
  assert.match(compared.out, /^\+ \w+\.x86_64 m-\S+\.rpm$/m);
});

test('files of trees, module defaults and product certificates are imported, too', async () => {
  const output = join(folder, 'with-files');
  const { code, told } = await run('import', writeRecorded('extra-files-ok'), '--to', output);
  assert.deepEqual([code, told], [0, '']);
  assert.equal((await run('check', output)).code, 0);
  rmSync(join(output, 'fixture-files'), { recursive: true });
  const { code: bad, out } = await run('check', output);
  assert.equal(bad, 1);
  assert.match(out, /definition\.file_missing/);
});

test('what a definition cannot say is told, and a mistake ends check with 1', async () => {
  const configuration = writeRecorded('two-variants');
  const fetched =
    'extra_files = [("^.*$", {"*": [{"scm": "cvs", "repo": "x", "file": "a"}]})]\nproduct_id = {"scm": "cvs", "repo": "x", "dir": "y"}\n';
  writeFileSync(configuration, `${readFileSync(configuration, 'utf8')}${fetched}`);
  const { code, told } = await run('import', configuration, '--json');
  assert.equal(code, 0);
  assert.match(told, /^left out: product_id \(its files are fetched from elsewhere\)$/m);
  assert.match(told, /^left out: extra_files \(some are fetched from elsewhere\)$/m);
  writeFileSync(join(folder, 'bad.yaml'), 'version: 1\nnam: bad\n');
  const checked = await run('check', join(folder, 'bad.yaml'));
  assert.equal(checked.code, 1);
  assert.match(checked.out, /bad\.yaml:2:1: There is no "nam" in the definition; did you mean "name"\?/);
  await assert.rejects(
    run('check'),
    (error) => error instanceof ReactorError && error.code === 'definition.usage',
  );
  const unknown = await run('frobnicate');
  assert.deepEqual([unknown.code, unknown.out], [2, '']);
});
