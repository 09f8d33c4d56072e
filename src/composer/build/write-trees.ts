import { pathToFileURL } from 'node:url';
import { rest } from '../../in-turns.ts';
import type { PackageLocation } from '../../rpm/package-fragments.ts';
import type { ModulemdPath } from '../../rpm/productmd-modules.ts';
import type { VariantArches } from '../../rpm/productmd-variant.ts';
import type { ExtraRecord } from '../../rpm/repodata/extra-record.ts';
import { linkRepodata, noteRepodata } from '../../rpm/repodata/link-repodata.ts';
import {
  writeRepodata,
  type RepodataOptions,
  type RepodataPackage,
  type WrittenRepodata,
} from '../../rpm/repodata/write-repodata.ts';
import { locationIn, type Tree } from '../compose-trees.ts';
import type { Pen } from '../pen.ts';
import type { OutputSettings } from '../plan.ts';
import { runTogether } from '../run-together.ts';
import type { ComposeDocument, Selection, SourcePackage } from '../selection.ts';
import type { BuildContext, BuildInput } from './build.ts';
import { callByDigest } from './call-by-digest.ts';
import { keepRepodata, keptRepodataOf, type RepodataShape } from './kept-repodata.ts';
import { writeDotFiles } from './write-dot-files.ts';
import { listVariants } from './write-metadata.ts';
import { writeTreeFiles } from './write-tree-files.ts';

/** Repositories that are written side by side: most of the time of an unchanged one is waiting for the disk. */
const TREES_AT_ONCE = 4;

type TreesInput = Pick<BuildInput, 'plan' | 'identity' | 'shown'>;

/** Writes the repositories; those that were written before are linked. Returns where their `modules` records are. */
export async function writeTrees(
  context: BuildContext,
  input: TreesInput,
  pen: Pen,
  trees: readonly Tree[],
): Promise<ModulemdPath[]> {
  const { plan, identity } = input;
  const { selection } = plan;
  const linked = new Map<Tree, WrittenRepodata>();
  await doTogether(context.signal, trees, async (_signal, tree) => {
    const written = await linkTree(context, input, pen, tree);
    if (written !== null) linked.set(tree, written);
  });
  const fragments = await loadFragments(
    context,
    input,
    trees.filter((tree) => !linked.has(tree)),
  );
  const variants = listVariants(selection);
  const total = trees.reduce((sum, tree) => sum + tree.packages.length, 0);
  const modulemdPaths: (ModulemdPath | null)[] = Array.from({ length: trees.length }, () => null);
  let written = 0;
  const tell = (more: number): void => {
    written += more;
    context.progress('repodata', written, total, 'packages');
  };
  const writeTree = async (signal: AbortSignal, tree: Tree): Promise<ModulemdPath | null> => {
    const known = linked.get(tree);
    if (known !== undefined) tell(tree.packages.length);
    const { records } =
      known ?? (await writeAnew({ ...context, signal }, input, pen, tree, { fragments, tell }));
    return finishTree(pen, { tree, variants, identity }, records);
  };
  await doTogether(context.signal, trees, async (signal, tree, at) => {
    modulemdPaths[at] = await writeTree(signal, tree);
  });
  writeTreeFiles(pen, identity, selection);
  context.progress('metadata', total, total, 'packages');
  return modulemdPaths.filter((path) => path !== null);
}

/** Does something with every tree, a few at a time. */
async function doTogether(
  outer: AbortSignal,
  trees: readonly Tree[],
  work: (signal: AbortSignal, tree: Tree, at: number) => Promise<void>,
): Promise<void> {
  const waiting = trees.entries();
  const doNext = async (signal: AbortSignal): Promise<void> => {
    for (const [at, tree] of waiting) {
      signal.throwIfAborted();
      await work(signal, tree, at);
    }
  };
  await runTogether(
    outer,
    Array.from({ length: Math.min(TREES_AT_ONCE, trees.length) }, () => doNext),
  );
}

function optionsOf(
  { output: { compression } }: Pick<BuildContext, 'output'>,
  { plan, identity: { timestamp } }: TreesInput,
  tree: Tree,
): RepodataOptions {
  const { checksum } = plan.selection.layout;
  return { timestamp, compression, checksum, extra: tree.documents.map(toRecord) };
}

function shapeOf(
  { output: { compression, delivery } }: Pick<BuildContext, 'output'>,
  { plan }: TreesInput,
  { packagesDirectory }: Tree,
): RepodataShape {
  return { ...plan.selection.layout, compression, isReference: delivery === 'reference', packagesDirectory };
}

/** Makes the directories of a tree; returns its absolute path. */
function makeDirectories(pen: Pen, { directory, packagesDirectory }: Tree): string {
  for (const part of [packagesDirectory, 'repodata']) {
    if (part !== '') pen.makeDirectory(`compose/${directory}/${part}`);
  }
  return pen.path(`compose/${directory}`);
}

/** Links the repodata of a tree that was written before; null where it has to be written. */
async function linkTree(
  context: BuildContext,
  input: TreesInput,
  pen: Pen,
  tree: Tree,
): Promise<WrittenRepodata | null> {
  // Composes whose packages are copies have nothing in common with others.
  if (context.output.delivery === 'copy') return null;
  const earlier = keptRepodataOf(tree.packages, shapeOf(context, input, tree));
  if (earlier === undefined) return null;
  const written = await linkRepodata(makeDirectories(pen, tree), earlier, optionsOf(context, input, tree));
  await rest();
  if (written !== null) noteWritten(context, input, pen, tree, written);
  return written;
}

function noteWritten(
  context: BuildContext,
  input: TreesInput,
  pen: Pen,
  tree: Tree,
  written: WrittenRepodata,
): void {
  const { shown } = input;
  if (shown === undefined) return;
  const repodata = `${shown}/compose/${tree.directory}/repodata`;
  const noted = noteRepodata(pen.path(`compose/${tree.directory}`), written, repodata);
  keepRepodata(tree.packages, shapeOf(context, input, tree), noted);
}

type Fragments = ReadonlyMap<SourcePackage, RepodataPackage['fragments']>;

/** Loads the metadata of the packages of trees that are written. */
async function loadFragments(
  context: BuildContext,
  { plan }: TreesInput,
  trees: readonly Tree[],
): Promise<Fragments> {
  const every = [...new Set(trees.flatMap((tree) => tree.packages))];
  context.progress('metadata', 0, every.length, 'packages');
  await rest();
  const own = await plan.reader.loadFragments(every, context.signal);
  await rest();
  const { checksum } = plan.selection.layout;
  const loaded = checksum === 'sha256' ? own : await callByDigest({ ...context, checksum }, every, own);
  const fragments = new Map<SourcePackage, RepodataPackage['fragments']>();
  for (const [index, pieces] of loaded.entries()) {
    const rpm = every[index];
    if (rpm !== undefined) fragments.set(rpm, pieces);
  }
  return fragments;
}

async function writeAnew(
  context: BuildContext,
  input: TreesInput,
  pen: Pen,
  tree: Tree,
  { fragments, tell }: { readonly fragments: Fragments; readonly tell: (more: number) => void },
): Promise<WrittenRepodata> {
  const { selection } = input.plan;
  const packages = tree.packages.map((rpm): RepodataPackage => {
    const pieces = fragments.get(rpm);
    if (pieces === undefined) throw new Error(`no metadata was loaded for ${rpm.fileName}`);
    return { fragments: pieces, location: locationOf(selection, tree, rpm, context.output.delivery) };
  });
  await rest();
  let ofTree = 0;
  const written = await writeRepodata(
    {
      blocks: context.blocks,
      signal: context.signal,
      progress(done) {
        tell(done - ofTree);
        ofTree = done;
      },
    },
    makeDirectories(pen, tree),
    packages,
    optionsOf(context, input, tree),
  );
  noteWritten(context, input, pen, tree, written);
  return written;
}

interface FinishedTree extends Pick<BuildInput, 'identity'> {
  readonly tree: Tree;
  readonly variants: readonly VariantArches[];
}

/** Writes the dot files of a tree; returns where its record of modules is. */
function finishTree(
  pen: Pen,
  { tree, variants, identity }: FinishedTree,
  records: WrittenRepodata['records'],
): ModulemdPath | null {
  const { treeArch, arch, variant } = tree;
  if (treeArch !== null) {
    writeDotFiles(pen, tree.directory, identity, { variant, variants, arch: treeArch });
  }
  const modules = records.find(({ type }) => type === 'modules');
  if (modules === undefined || arch === null) return null;
  return { variant: variant.uid, arch, path: `${tree.directory}/${modules.href}` };
}

function toRecord({ type, name, bytes, compression }: ComposeDocument): ExtraRecord {
  return { type, name, content: bytes, compression };
}

function locationOf(
  selection: Selection,
  { packagesDirectory }: Tree,
  rpm: SourcePackage,
  delivery: OutputSettings['delivery'],
): PackageLocation {
  if (delivery !== 'reference') return { href: locationIn(selection, packagesDirectory, rpm) };
  const url = rpm.origin.kind === 'http' ? rpm.origin.url : pathToFileURL(rpm.origin.path).href;
  const slash = url.lastIndexOf('/') + 1;
  return { href: url.slice(slash), base: url.slice(0, slash) };
}
