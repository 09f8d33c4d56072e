// Runs once: the service under test has a database of its own.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  cpSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { after, test } from 'node:test';
import { z } from 'zod';
import { createDemoRepository } from '../../../src/commands/demo/demo-files.ts';
import { startServe } from '../serve-process.ts';

const root = resolve(import.meta.dirname, '../../..');
const folder = mkdtempSync(join(tmpdir(), 'new-source-type-'));
const copy = join(folder, 'program');
const main = join(copy, 'src/main.ts');
after(() => rmSync(folder, { recursive: true, force: true }));

/** Follows `docs/sources.md`: the files it shows are written, the line is added, and nothing else is done. */
function followPage(): readonly string[] {
  const page = readFileSync(join(root, 'docs/sources.md'), 'utf8');
  const shown = [...page.matchAll(/`(composer\/sources\/[\w/.-]+\.ts)`:\n\n```ts\n(.*?)^```/gms)];
  const registry = 'composer/sources/registered-sources.ts';
  const touched = shown.map(([, file = '', text = '']) => {
    const path = join(copy, 'src', file);
    if (file === registry) {
      assert.match(text, /^[^\n]+\n$/, 'one line');
      appendFileSync(path, text);
    } else {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text, { flag: 'wx' });
    }
    return file;
  });
  assert.equal(touched.filter((file) => file === registry).length, 1);
  return touched;
}

cpSync(join(root, 'src'), join(copy, 'src'), { recursive: true });
for (const name of ['package.json', 'tsconfig.json'])
  writeFileSync(join(copy, name), readFileSync(join(root, name)));
for (const name of ['node_modules', 'migrations', 'examples'])
  symlinkSync(join(root, name), join(copy, name));
const touched = followPage();

function run(...argv: readonly string[]): { readonly output: string; readonly status: number | null } {
  const { stdout, stderr, status } = spawnSync(process.execPath, [main, ...argv], {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'] ?? '', ODCS_REPO_ROOTS: join(folder, 'repository') },
  });
  return { output: `${stdout}${stderr}`, status };
}

test('a new type is one folder and one line of a registry', () => {
  const folders = touched.map(dirname).filter((place) => place !== 'composer/sources');
  assert.deepEqual([...new Set(folders)], ['composer/sources/initials']);
  assert.deepEqual(
    globSync('**/*.ts', { cwd: join(copy, 'src/composer/sources/initials') }).length,
    touched.length - 1,
  );
});

test('the compiler asks for nothing more', () => {
  const config = {
    extends: './tsconfig.json',
    include: ['src'],
    compilerOptions: { typeRoots: [join(root, 'node_modules/@types')] },
  };
  writeFileSync(join(copy, 'tsconfig.src.json'), JSON.stringify(config));
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  const { stdout, status } = spawnSync(process.execPath, [compiler, '-p', 'tsconfig.src.json'], {
    cwd: copy,
    encoding: 'utf8',
  });
  assert.equal(stdout, '');
  assert.equal(status, 0);
});

test('the help of the command names it', () => {
  assert.match(run('compose', '--help').output, /^ +initials +letters that names of packages begin with$/m);
});

test('rules of it are checked by what its definition says', () => {
  const write = (name: string, source: string): string => {
    const directory = join(folder, name);
    mkdirSync(directory);
    writeFileSync(
      join(directory, 'letters.yaml'),
      [
        'version: 1',
        'name: letters',
        'owner: somebody',
        'description: Packages by their letters.',
        'on: [{ event: repo.changed }]',
        'settle: 1s',
        'max_wait: 5s',
        'series: letters',
        `compose: { source: { type: initials, source: ${source} } }`,
        '',
      ].join('\n'),
    );
    return directory;
  };
  const good = run('rules', 'check', write('good', 'e'));
  assert.equal(good.status, 0, good.output);
  const wrong = run('rules', 'check', write('wrong', 'editors'));
  assert.notEqual(wrong.status, 0, wrong.output);
  assert.match(wrong.output, /"editors" is no letter/);
});

const composeSchema = z.object({
  id: z.number(),
  source_type: z.number(),
  state_name: z.string(),
  state_reason: z.string().nullable(),
});

test('the service says that it makes it, describes it, refuses wrong words and composes', async () => {
  const repository = createDemoRepository(join(folder, 'repository'));
  await repository.add('base', new Date('2026-11-22T10:00:00Z'));
  mkdirSync(join(folder, 'composes'));
  const serve = await startServe(
    {
      ODCS_DATA_DIR: join(folder, 'data'),
      ODCS_TARGET_DIR: join(folder, 'composes'),
      ODCS_REPO_ROOTS: repository.directory,
    },
    { program: main },
  );
  try {
    const get = async (path: string): Promise<unknown> => (await fetch(`${serve.url}${path}`)).json();
    const ask = (source: string): Promise<Response> =>
      fetch(`${serve.url}/api/1/composes/`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ source: { type: 'initials', source }, arches: ['x86_64'] }),
      });
    const about = z.object({ source_types: z.array(z.string()) }).parse(await get('/api/1/about/'));
    assert.ok(about.source_types.includes('initials'), about.source_types.join());
    assert.match(JSON.stringify(await get('/api/1/openapi.json')), /"definition","initials"/);
    assert.match(JSON.stringify(await get('/api/1/openapi.json')), /definition 9, initials 10/);

    const refused = await ask('editors');
    assert.equal(refused.status, 400);
    assert.match(await refused.text(), /is no letter/);

    let shown = composeSchema.parse(await (await ask('e c')).json());
    while (!['done', 'failed'].includes(shown.state_name)) {
      shown = composeSchema.parse(await get(`/api/1/composes/${shown.id}?wait=5`));
    }
    assert.equal(shown.state_name, 'done', shown.state_reason ?? '');
    assert.equal(shown.source_type, 10);
    const packages = join(folder, `composes/odcs-${shown.id}/compose/Temporary/x86_64/os/Packages`);
    const letters = globSync('*/*.rpm', { cwd: packages }).map((path) => path.slice(0, 3));
    assert.deepEqual([...new Set(letters)].sort(), ['c/c', 'e/e']);
    assert.match(
      await (await fetch(`${serve.url}/api/1/metrics/`)).text(),
      /composes_total\{source_type="initials"/,
    );
  } finally {
    await serve.end('SIGTERM');
  }
});
