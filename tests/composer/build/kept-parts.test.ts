import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { buildCompose } from '../../../src/composer/build/build.ts';
import { PlacingThread } from '../../../src/composer/build/placing-thread.ts';
import { planCompose, type OutputSettings, type ReadyPlan } from '../../../src/composer/plan.ts';
import {
  newSelection,
  temporaryVariant,
  type PackageReader,
  type SelectedPackage,
  type SelectedTree,
  type SourcePackage,
} from '../../../src/composer/selection.ts';
import { sourcePackage } from '../../../src/composer/source-package.ts';
import { createLog } from '../../../src/log.ts';
import { contentOfPkgid, pkgidOfContent } from '../../../src/model/content-id.ts';
import type { ProductmdVariant } from '../../../src/rpm/productmd-variant.ts';
import { BlockCache } from '../../../src/rpm/repodata/block-cache.ts';
import { identifyPieces } from '../../../src/rpm/repodata/join-pieces.ts';
import { defaultRequest } from '../../default-request.ts';

const folder = mkdtempSync(join(tmpdir(), 'kept-parts-'));
const placing = new PlacingThread();
const { signal } = new AbortController();
after(async () => {
  await placing[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

const variants = ['Base', 'App'].map((uid): ProductmdVariant => ({
  ...temporaryVariant,
  uid,
  id: uid,
  name: uid,
}));

/** Makes a file and the package that it is. */
function packageOf(name: string, version: string, arch: string): SourcePackage {
  const fileName = `${name}-${version}-1.${arch}.rpm`;
  const path = join(folder, fileName);
  const content = `${name} ${version} ${arch}`;
  writeFileSync(path, content);
  const { mtimeMs, ino } = statSync(path);
  return sourcePackage({
    name,
    epoch: '0',
    version,
    release: '1',
    arch,
    sourceRpm: arch === 'src' ? null : `${name}-${version}-1.src.rpm`,
    fileName,
    payload: contentOfPkgid(hash('sha256', content)),
    sigkey: null,
    size: content.length,
    origin: { kind: 'file', path, stamp: { modified: Math.floor(mtimeMs), inode: ino } },
  });
}

function select(...packages: readonly SourcePackage[]): SelectedPackage[] {
  return packages.map((rpm) => ({ package: rpm, why: `${rpm.name} is input` }));
}

const reader: PackageReader = {
  loadFragments: (packages) =>
    Promise.resolve(
      packages.map((rpm) => {
        const piece = Buffer.from(`<package name="${rpm.nevra}">\n</package>\n`);
        const pkgid = pkgidOfContent(rpm.payload);
        const locationOffset = piece.indexOf('\n') + 1;
        return identifyPieces({ pkgid, primary: piece, filelists: piece, other: piece, locationOffset });
      }),
    ),
};

function plan(trees: readonly SelectedTree[], output: OutputSettings): Promise<ReadyPlan> {
  const pins = { source: 'bench', kojiEvent: null };
  const release = {
    name: 'Small',
    short: 'Small',
    version: '1',
    type: 'ga',
    isInternal: false,
    baseProduct: null,
    treeinfoVersion: null,
  };
  const selection = { ...newSelection({ pins, trees, release }), variants };
  const context = { log: createLog('silent'), signal, progress: () => undefined, output };
  const request = { ...defaultRequest, sourceType: 'tag' as const, source: ['bench'] };
  return planCompose({ ...context, sources: { tag: () => Promise.resolve({ selection, reader }) } }, request);
}

async function build(made: ReadyPlan, name: string, output: OutputSettings): Promise<string> {
  const directory = join(folder, name);
  mkdirSync(directory);
  const { release } = made.selection;
  assert.ok(release);
  const identity = { name: 'odcs-1', date: '20261122', type: 'test', respin: 0, label: null, timestamp: 1 };
  await buildCompose(
    {
      signal,
      progress: () => undefined,
      output,
      blocks: new BlockCache(),
      placing,
      localPathOf: () => Promise.reject(new Error('nothing is remote')),
    },
    {
      plan: made,
      identity: { ...identity, release },
      place: { toplevelUrl: 'http://localhost/composes/odcs-1' },
      shown: directory,
    },
    directory,
  );
  return directory;
}

function contentOf(directory: string): Map<string, string> {
  const files = readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  return new Map(files.sort().map((file) => [file.slice(directory.length), readFileSync(file, 'latin1')]));
}

function inodesOf(directory: string, tree: string): number[] {
  const repodata = join(directory, 'compose', tree, 'repodata');
  return readdirSync(repodata)
    .filter((name) => name !== 'repomd.xml')
    .sort()
    .map((name) => statSync(join(repodata, name)).ino);
}

/** Trees of two variants; those of Base are the same lists whenever they are asked for. */
const base: SelectedTree = {
  variant: 'Base',
  arch: 'x86_64',
  binary: select(packageOf('bash', '5', 'x86_64'), packageOf('tool-libs', '1', 'x86_64')),
  debug: [],
  source: select(packageOf('bash', '5', 'src')),
};
const appSources = select(packageOf('tool', '1', 'src'));

function appOf(version: string): SelectedTree {
  const binary = select(packageOf('tool', version, 'x86_64'), packageOf('more', '1', 'x86_64'));
  return { variant: 'App', arch: 'x86_64', binary, debug: [], source: appSources };
}

/** Returns trees of the same packages in lists, and as packages, that nobody knows. */
function unknown(trees: readonly SelectedTree[]): SelectedTree[] {
  const anew = (list: readonly SelectedPackage[]): SelectedPackage[] =>
    list.map(({ package: rpm, why }) => ({ package: { ...rpm }, why }));
  return trees.map((tree) => ({
    ...tree,
    binary: anew(tree.binary),
    debug: anew(tree.debug),
    source: anew(tree.source),
  }));
}

test('a compose that has lists in common with an earlier one is what it would be without', async () => {
  const output: OutputSettings = { delivery: 'link', compression: 'zstd' };
  const first = await build(await plan([base, appOf('1')], output), 'first', output);
  const second = [base, appOf('2')];
  const planned = await plan(second, output);
  const anew = await plan(unknown(second), output);
  assert.deepEqual(planned.manifest, anew.manifest);
  const next = await build(planned, 'next', output);
  assert.deepEqual(contentOf(next), contentOf(await build(anew, 'anew', output)));
  for (const tree of ['Base/x86_64/os', 'Base/source/tree', 'App/source/tree']) {
    assert.deepEqual(inodesOf(next, tree), inodesOf(first, tree), tree);
  }
  assert.notDeepEqual(inodesOf(next, 'App/x86_64/os'), inodesOf(first, 'App/x86_64/os'));
});

test('a list that differs beside those that are kept is written as it is now', async () => {
  const output: OutputSettings = { delivery: 'link', compression: 'zstd' };
  const app = appOf('1');
  const other: SelectedTree = { ...base, arch: 'aarch64', binary: select(packageOf('arm', '1', 'aarch64')) };
  const tool = packageOf('tool', '1', 'src');
  const extra = select(packageOf('extra', '1', 'src'));
  const changes: readonly (readonly SelectedTree[])[] = [
    [base, other, app],
    [base, other, { ...app, source: extra }],
    [base, other, { ...app, source: extra, debug: select(packageOf('tool-debuginfo', '1', 'x86_64')) }],
    [base, { ...other, source: select(tool) }, app],
    [base, app],
    [base, { ...app, binary: select(packageOf('new', '1', 'x86_64')), debug: app.binary }],
  ];
  for (const [at, trees] of changes.entries()) {
    const planned = await plan(trees, output);
    const anew = await plan(unknown(trees), output);
    assert.deepEqual(planned.manifest, anew.manifest);
    const known = contentOf(await build(planned, `change ${at}`, output));
    assert.deepEqual(known, contentOf(await build(anew, `change ${at} anew`, output)));
  }
});

test('lists that are another variant’s, or laid out or packed otherwise, are written as such', async () => {
  const output: OutputSettings = { delivery: 'link', compression: 'zstd' };
  const trees = [base, appOf('1')];
  await build(await plan(trees, output), 'zstd', output);
  const gzip: OutputSettings = { ...output, compression: 'gzip' };
  const swapped = trees.map((tree) => ({ ...tree, variant: tree.variant === 'Base' ? 'App' : 'Base' }));
  for (const [name, wanted, how] of [
    ['gzip', trees, gzip],
    ['reference', trees, { ...output, delivery: 'reference' }],
    ['swapped', swapped, output],
  ] as const) {
    const planned = await plan(wanted, how);
    const anew = await plan(unknown(wanted), how);
    assert.deepEqual(planned.manifest, anew.manifest, name);
    const known = contentOf(await build(planned, name, how));
    assert.deepEqual(known, contentOf(await build(anew, `${name} anew`, how)), name);
  }
});

test('copies have nothing in common with other composes', async () => {
  const output: OutputSettings = { delivery: 'copy', compression: 'zstd' };
  const planned = await plan([base, appOf('1')], output);
  const first = await build(planned, 'copy', output);
  const next = await build(planned, 'copied again', output);
  const tree = 'Base/x86_64/os';
  const known = new Set(inodesOf(first, tree));
  assert.ok(inodesOf(next, tree).every((inode) => !known.has(inode)));
});

test('the thread that places files is told of one package more alone with those of its run', async () => {
  const output: OutputSettings = { delivery: 'link', compression: 'zstd' };
  const packages = Array.from({ length: 1_500 }, (_, at) => packageOf(`many${at}`, '1', 'x86_64'));
  const tree: SelectedTree = { ...base, binary: select(...packages), source: [] };
  await build(await plan([tree], output), 'many', output);
  const before = countTold();
  const more = { ...tree, binary: [...tree.binary, ...select(packageOf('many', '2', 'x86_64'))] };
  const directory = await build(await plan([more], output), 'many and one more', output);
  const told = countTold() - before;
  assert.ok(told > 0 && told < 1_000, `${told} told`);
  const placed = readdirSync(join(directory, 'compose/Base/x86_64/os/Packages/m'));
  assert.deepEqual(placed.sort(), more.binary.map((selected) => selected.package.fileName).sort());
});

/** Files that the thread was told of and remembers. */
function countTold(): number {
  return placing.measure().find(({ name }) => name === 'places of files')?.entries ?? 0;
}
