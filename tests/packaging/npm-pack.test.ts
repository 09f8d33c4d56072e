import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { globSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { z } from 'zod';
import { readLockFile } from '../../supply-chain/lock-file.ts';

const root = resolve(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'odcs-package-'));
const modules = join(folder, 'lib/node_modules');
const installed = join(modules, 'odcs-reactor');
after(() => rmSync(folder, { recursive: true, force: true }));

function run(command: string, words: readonly string[], cwd: string) {
  return spawnSync(command, words, { cwd, encoding: 'utf8', timeout: 240_000 });
}

const odcsReactor = (...words: readonly string[]) =>
  run(process.execPath, [join(installed, 'bin/odcs-reactor.mjs'), ...words], folder);

const filesIn = (directory: string): readonly string[] =>
  readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)));

/** Packs the program and puts it, with what it needs and nothing else, where `npm i -g` puts it. */
before(() => {
  const packed = run('npm', ['pack', '--silent', '--pack-destination', folder], root);
  assert.equal(packed.status, 0, packed.stderr);
  mkdirSync(installed, { recursive: true });
  const tarball = join(folder, packed.stdout.trim());
  assert.equal(run('tar', ['-xzf', tarball, '--strip-components=1'], installed).status, 0);
  for (const { name, path, dev, optional } of readLockFile(join(root, 'package-lock.json')).packages) {
    if (dev === true || optional === true || path !== `node_modules/${name}`) continue;
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(join(root, path), join(modules, name));
  }
});

test('the package has what it names and nothing else', () => {
  const { files } = z
    .object({ files: z.array(z.string()) })
    .parse(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')));
  const named = new Set([...files, 'LICENSE', 'README.md', 'package.json']);
  const others = filesIn(installed).filter((file) => !named.has(file.split('/')[0] ?? ''));
  assert.deepEqual(others, []);
});

test('it has all sources and migrations as JavaScript, and none as TypeScript', () => {
  const sources = globSync(['src/**/*.ts', 'migrations/*.ts'], { cwd: root })
    .filter((file) => file !== 'src/commands/generate.ts' && !file.endsWith('.d.ts'))
    .map((file) => file.replace(/\.ts$/, '.js'))
    .concat(globSync('src/**/*.mjs', { cwd: root }));
  const compiled = filesIn(join(installed, 'dist')).filter((file) => /\.m?[jt]s$/.test(file));
  assert.ok(sources.length > 500);
  assert.deepEqual(compiled.toSorted(), sources.toSorted());
});

test('no address in it names a source', () => {
  const dist = join(installed, 'dist');
  const naming = filesIn(dist).filter(
    (file) =>
      /\.m?js$/.test(file) && /new URL\(\s*['"`][^'"`]*\.ts/.test(readFileSync(join(dist, file), 'utf8')),
  );
  assert.deepEqual(naming, []);
});

test('nothing of the build is left in the checkout', () => {
  assert.deepEqual(
    readdirSync(root).filter((name) => name === 'dist'),
    [],
  );
});

test('it needs no interpreter and nothing of development', () => {
  const manifest = z
    .object({ dependencies: z.record(z.string(), z.string()), optionalDependencies: z.never().optional() })
    .parse(JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')));
  assert.ok(!Object.keys(manifest.dependencies).some((name) => name.startsWith('node-')));
});

test('installed without development packages it says its version', () => {
  const { status, stdout } = odcsReactor('--version');
  assert.deepEqual([status, stdout], [0, 'odcs-reactor 0.1.0\n']);
});

test('every command of it can be loaded', () => {
  const { status, stdout, stderr } = odcsReactor('man', 'rules');
  assert.equal(status, 0, stderr);
  assert.match(stdout, /backtest/);
});

test('what its completion asks is answered', () => {
  const { status, stdout, stderr } = odcsReactor(
    'completion',
    'offer',
    '--',
    'compose',
    'list',
    '--state',
    'd',
  );
  assert.deepEqual([status, stdout], [0, 'done\t\n'], stderr);
});

test('its threads, migrations and RPMs are found: the demo runs', () => {
  const { status, stdout, stderr } = odcsReactor('demo', '--json');
  assert.equal(status, 0, stderr);
  assert.match(stdout.trim().split('\n').at(-1) ?? '', /"composes":\[/);
});

test('the metadata of a tree are written by its threads', () => {
  const tree = join(folder, 'tree');
  mkdirSync(tree);
  for (const file of globSync('examples/demo/base/*.rpm', { cwd: root })) {
    symlinkSync(join(root, file), join(tree, file.split('/').at(-1) ?? ''));
  }
  const { status, stderr } = odcsReactor('createrepo', tree, '--workers', '2');
  assert.equal(status, 0, stderr);
  assert.ok(filesIn(tree).includes('repodata/repomd.xml'));
});
