import { pathToFileURL } from 'node:url';
import { rest } from '../../in-turns.ts';
import { instrument } from '../../instrument.ts';
import { ReactorError } from '../../model/errors.ts';
import type { PackageLocation } from '../../rpm/package-fragments.ts';
import type { ModulemdPath } from '../../rpm/productmd-modules.ts';
import type { BlockCache } from '../../rpm/repodata/block-cache.ts';
import type { ExtraRecord } from '../../rpm/repodata/extra-record.ts';
import { writeRepodata, type RepodataPackage } from '../../rpm/repodata/write-repodata.ts';
import { listTrees, locationIn, type Tree } from '../compose-trees.ts';
import { unlessAborted } from '../unless-aborted.ts';
import { runTogether } from '../run-together.ts';
import { placePackages, type Placement } from './place-packages.ts';
import type { PlacingThread } from './placing-thread.ts';
import type { OutputSettings, ReadyPlan } from '../plan.ts';
import type { ComposeDocument, Progress, Selection, SourcePackage } from '../selection.ts';
import { Pen } from '../pen.ts';
import { PROVENANCE_FILE, type ComposeMaking } from '../provenance.ts';
import { repomdPaths, signFiles } from './sign-trees.ts';
import { writeProvenance } from './write-provenance.ts';
import { METADATA_KEY_FILE, type MetadataSigner } from '../signing/sign-metadata.ts';
import { listVariants, writeMetadata, type MetadataInput } from './write-metadata.ts';
import { callByDigest } from './call-by-digest.ts';
import { writeDotFiles } from './write-dot-files.ts';
import { writeTreeFiles } from './write-tree-files.ts';
import { IMAGES_FILE, writeDiscs, writeImages } from '../discs/write-discs.ts';

export interface BuildContext {
  readonly signal: AbortSignal;
  readonly progress: Progress;
  readonly output: OutputSettings;
  readonly blocks: BlockCache;
  readonly placing: PlacingThread;
  readonly localPathOf: (one: SourcePackage, signal: AbortSignal) => Promise<string>;
  /** Where programs are looked for, as `PATH` says it; only DVDs need any. */
  readonly searched?: string;
}

export interface BuildInput extends Pick<MetadataInput, 'identity' | 'place'> {
  readonly plan: ReadyPlan;
  /** How it comes about; left out where no provenance is to be written. */
  readonly making?: ComposeMaking;
  /** What signs its metadata; left out where nothing does. */
  readonly signer?: MetadataSigner;
}

/**
 * Writes the whole compose into `directory`, which nobody sees yet: packages, repodata, metadata, `.repo`,
 * STATUS, signatures. Packages are placed beside the writing of the rest. Throws what placing and writing throw; nothing is
 * written any more then. Source of the layout: pungi contract 4.
 */
export async function buildCompose(
  context: BuildContext,
  input: BuildInput,
  directory: string,
): Promise<void> {
  const { output } = context;
  const { plan } = input;
  const pen = new Pen(directory);
  const trees = listTrees(plan.selection);
  await rest();
  const placed = Promise.withResolvers<void>();
  let isPlaced = output.delivery === 'reference';
  const markPlaced = (): void => {
    isPlaced = true;
    placed.resolve();
  };
  if (isPlaced) markPlaced();
  const place = async (signal: AbortSignal): Promise<void> => {
    await instrument('place', { delivery: output.delivery }, () =>
      placeTrees({ ...context, signal }, plan, pen, trees),
    );
    markPlaced();
  };
  const write = async (signal: AbortSignal): Promise<void> => {
    // People see one stage at a time.
    const progress: Progress = (...step) => {
      if (isPlaced) context.progress(...step);
    };
    const modulemdPaths = await instrument('repodata', { trees: trees.length }, () =>
      writeTrees({ ...context, signal, progress }, input, pen, trees),
    );
    const isReadingKeys = trees.some((tree) => tree.packages.some((one) => one.sigkey === undefined));
    if (isReadingKeys) await unlessAborted(signal, placed.promise);
    const { placing } = context;
    const isSigned = input.signer !== undefined;
    const { delivery } = output;
    const metadata = { ...input, delivery, isSigned, modulemdPaths, placing, signal };
    await instrument('metadata', {}, () => writeMetadata(metadata, pen));
    const { signer } = input;
    const sign = async (paths: readonly string[]): Promise<void> => {
      if (signer === undefined) return;
      await instrument('sign', { files: paths.length }, () => signFiles({ signer, signal }, pen, paths));
    };
    const repomds = repomdPaths(trees);
    await sign(repomds);
    const images: string[] = [];
    if (plan.request.results.includes('iso')) {
      await unlessAborted(signal, placed.promise);
      const variants = listVariants(plan.selection);
      const discs = { ...context, searched: context.searched ?? '', signal };
      const listed = await instrument('discs', { trees: trees.length }, () =>
        writeDiscs(discs, { ...input, variants, trees }, pen),
      );
      writeImages(pen, input.identity, listed);
      images.push(IMAGES_FILE);
    }
    if (input.making !== undefined) {
      writeProvenance(plan, input.making, pen, [...images, ...repomds]);
      await sign([PROVENANCE_FILE]);
    }
    if (signer !== undefined) pen.writeFile(METADATA_KEY_FILE, signer.publicKey);
  };
  await runTogether(context.signal, isPlaced ? [write] : [place, write]);
}

async function placeTrees(
  context: BuildContext,
  { reader: { noteFile }, selection }: ReadyPlan,
  pen: Pen,
  trees: readonly Tree[],
): Promise<void> {
  const placements: Placement[] = [];
  for (const tree of trees) {
    for (const one of listPlacements(selection, tree)) placements.push(one);
    await rest();
  }
  await placePackages(
    {
      signal: context.signal,
      localPathOf: context.localPathOf,
      delivery: context.output.delivery === 'copy' ? 'copy' : 'link',
      placing: context.placing,
      ...(noteFile === undefined ? {} : { noteFile }),
      progress: (done, total) => context.progress('place', done, total, 'packages'),
    },
    pen,
    placements,
  );
}

/** Returns where the packages of a tree lie, one placement per path. Throws `compose.file_name_taken` where two different files would get one name. */
export function listPlacements(selection: Selection, tree: Tree): Placement[] {
  const { directory, packages, packagesDirectory } = tree;
  const byLocation = new Map<string, SourcePackage>();
  for (const one of packages) {
    const location = locationIn(selection, packagesDirectory, one);
    const other = byLocation.get(location);
    if (other !== undefined && other.payload !== one.payload) {
      throw new ReactorError(
        'compose.file_name_taken',
        `Two different packages are called ${one.fileName} and would be one file.`,
        {
          where: `${directory}/${location}`,
          hint: 'Their repository holds them in different directories; give it one of them.',
        },
      );
    }
    byLocation.set(location, one);
  }
  return Array.from(byLocation, ([location, one]) => ({
    package: one,
    path: `compose/${directory}/${location}`,
  }));
}

/** Repositories that are written side by side: most of the time of an unchanged one is waiting for the disk. */
const TREES_AT_ONCE = 4;

/** Writes the repositories; returns where their `modules` records are. */
async function writeTrees(
  context: BuildContext,
  { plan, identity }: Pick<BuildInput, 'plan' | 'identity'>,
  pen: Pen,
  trees: readonly Tree[],
): Promise<ModulemdPath[]> {
  const { delivery, compression } = context.output;
  const every = [...new Set(trees.flatMap((tree) => tree.packages))];
  context.progress('metadata', 0, every.length, 'packages');
  const { selection } = plan;
  const { checksum } = selection.layout;
  await rest();
  const own = await plan.reader.loadFragments(every, context.signal);
  await rest();
  const loaded = checksum === 'sha256' ? own : await callByDigest({ ...context, checksum }, every, own);
  const variants = listVariants(selection);
  const fragments = new Map<SourcePackage, RepodataPackage['fragments']>();
  for (const [index, pieces] of loaded.entries()) {
    const one = every[index];
    if (one !== undefined) fragments.set(one, pieces);
  }
  const total = trees.reduce((sum, tree) => sum + tree.packages.length, 0);
  const modulemdPaths: (ModulemdPath | null)[] = Array.from({ length: trees.length }, () => null);
  let written = 0;
  const writeTree = async (signal: AbortSignal, tree: Tree): Promise<ModulemdPath | null> => {
    const directory = pen.makeDirectory(`compose/${tree.directory}`);
    const packages = tree.packages.map((one): RepodataPackage => {
      const pieces = fragments.get(one);
      if (pieces === undefined) throw new Error(`no metadata was loaded for ${one.fileName}`);
      return { fragments: pieces, location: locationOf(selection, tree, one, delivery) };
    });
    await rest();
    for (const part of [tree.packagesDirectory, 'repodata']) {
      if (part !== '') pen.makeDirectory(`compose/${tree.directory}/${part}`);
    }
    let ofTree = 0;
    const { records } = await writeRepodata(
      {
        blocks: context.blocks,
        signal,
        progress(done) {
          written += done - ofTree;
          ofTree = done;
          context.progress('repodata', written, total, 'packages');
        },
      },
      directory,
      packages,
      { timestamp: identity.timestamp, compression, checksum, extra: tree.documents.map(toRecord) },
    );
    const modules = records.find(({ type }) => type === 'modules');
    const { treeArch, arch, variant } = tree;
    if (treeArch !== null) {
      writeDotFiles(pen, tree.directory, identity, { variant, variants, arch: treeArch });
    }
    if (modules === undefined || arch === null) return null;
    return { variant: variant.uid, arch, path: `${tree.directory}/${modules.href}` };
  };
  const waiting = trees.entries();
  const writeNext = async (signal: AbortSignal): Promise<void> => {
    for (const [at, tree] of waiting) modulemdPaths[at] = await writeTree(signal, tree);
  };
  await runTogether(
    context.signal,
    Array.from({ length: Math.min(TREES_AT_ONCE, trees.length) }, () => writeNext),
  );
  writeTreeFiles(pen, identity, selection);
  context.progress('metadata', total, total, 'packages');
  return modulemdPaths.filter((one) => one !== null);
}

function toRecord({ type, name, bytes, compression }: ComposeDocument): ExtraRecord {
  return { type, name, content: bytes, compression };
}

function locationOf(
  selection: Selection,
  { packagesDirectory }: Tree,
  one: SourcePackage,
  delivery: OutputSettings['delivery'],
): PackageLocation {
  if (delivery !== 'reference') return { href: locationIn(selection, packagesDirectory, one) };
  const url = one.origin.kind === 'http' ? one.origin.url : pathToFileURL(one.origin.path).href;
  const slash = url.lastIndexOf('/') + 1;
  return { href: url.slice(slash), base: url.slice(0, slash) };
}
