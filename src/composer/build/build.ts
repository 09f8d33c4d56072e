import { rest } from '../../in-turns.ts';
import { KeptWith } from '../../kept-with.ts';
import { instrument } from '../../instrument.ts';
import { ReactorError } from '../../model/errors.ts';
import type { BlockCache } from '../../rpm/repodata/block-cache.ts';
import { listTrees, locationIn, type Tree } from '../compose-trees.ts';
import { unlessAborted } from '../unless-aborted.ts';
import { runTogether } from '../run-together.ts';
import { KeptRuns } from './kept-runs.ts';
import { cutPlacements, placePackages, type Placement, type PlacementBatch } from './place-packages.ts';
import type { PlacingThread } from './placing-thread.ts';
import type { OutputSettings, ReadyPlan } from '../plan.ts';
import type { Progress, Selection, SourcePackage } from '../selection.ts';
import { Pen } from '../pen.ts';
import { PROVENANCE_FILE, type ComposeMaking } from '../provenance.ts';
import { repomdPaths, signFiles } from './sign-trees.ts';
import { writeProvenance } from './write-provenance.ts';
import { METADATA_KEY_FILE, type MetadataSigner } from '../signing/sign-metadata.ts';
import { listVariants, writeMetadata, type MetadataInput } from './write-metadata.ts';
import { writeTrees } from './write-trees.ts';
import { IMAGES_FILE, writeDiscs, writeImages } from '../discs/write-discs.ts';

export interface BuildContext {
  readonly signal: AbortSignal;
  readonly progress: Progress;
  readonly output: OutputSettings;
  readonly blocks: BlockCache;
  readonly placing: PlacingThread;
  readonly localPathOf: (rpm: SourcePackage, signal: AbortSignal) => Promise<string>;
  /** Where programs are looked for, as `PATH` says it; only DVDs need any. */
  readonly searched?: string;
}

export interface BuildInput extends Pick<MetadataInput, 'identity' | 'place'> {
  readonly plan: ReadyPlan;
  /** How it comes about; left out where no provenance is to be written. */
  readonly making?: ComposeMaking;
  /** What signs its metadata; left out where nothing does. */
  readonly signer?: MetadataSigner;
  /** Where the directory will lie once people see it; left out where no later compose is to link its files. */
  readonly shown?: string;
}

/**
 * Writes the whole compose into `directory`, which nobody sees yet: packages, repodata, metadata, `.repo`,
 * STATUS, signatures; returns what was guessed in its metadata. Packages are placed beside the writing of the rest. Throws what placing and writing throw; nothing is
 * written any more then. Source of the layout: pungi contract 4.
 */
export async function buildCompose(
  context: BuildContext,
  input: BuildInput,
  directory: string,
): Promise<readonly string[]> {
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
  let guesses: readonly string[] = [];
  const write = async (signal: AbortSignal): Promise<void> => {
    // People see one stage at a time.
    const progress: Progress = (...step) => {
      if (isPlaced) context.progress(...step);
    };
    const modulemdPaths = await instrument('repodata', { trees: trees.length }, () =>
      writeTrees({ ...context, signal, progress }, input, pen, trees),
    );
    const isReadingKeys = trees.some((tree) => tree.packages.some((rpm) => rpm.sigkey === undefined));
    if (isReadingKeys) await unlessAborted(signal, placed.promise);
    const { placing } = context;
    const isSigned = input.signer !== undefined;
    const { delivery } = output;
    const metadata = { ...input, delivery, isSigned, modulemdPaths, placing, signal };
    guesses = await instrument('metadata', {}, () => writeMetadata(metadata, pen));
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
    } else if (plan.selection.imageTasks.length > 0) writeImages(pen, input.identity, []);
    if (input.making !== undefined) {
      writeProvenance(plan, input.making, pen, [...images, ...repomds]);
      await sign([PROVENANCE_FILE]);
    }
    if (signer !== undefined) pen.writeFile(METADATA_KEY_FILE, signer.publicKey);
  };
  await runTogether(context.signal, isPlaced ? [write] : [place, write]);
  return guesses;
}

async function placeTrees(
  context: BuildContext,
  { reader: { noteFile }, selection }: ReadyPlan,
  pen: Pen,
  trees: readonly Tree[],
): Promise<void> {
  const batches: PlacementBatch[] = [];
  for (const tree of trees) {
    batches.push(...batchesOf(selection, tree));
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
    batches,
  );
}

/** Batches of a list of packages, and where they lie. */
interface KeptBatches {
  readonly place: string;
  readonly batches: readonly PlacementBatch[];
}

/** Of lists of packages that were placed before. */
const keptBatches = new KeptWith<readonly SourcePackage[], KeptBatches>();

/** Of the runs of all lists. */
const keptRuns = new KeptRuns<readonly PlacementBatch[]>();

/**
 * Returns how the packages of a tree are placed; the same objects for the same list at the same place, and for what a list
 * has in common with one before. Throws what `locatePackages` throws.
 */
function batchesOf(selection: Selection, tree: Tree): readonly PlacementBatch[] {
  const { directory, packagesDirectory } = tree;
  const { areDirectoriesHashed } = selection.layout;
  const place = JSON.stringify([directory, packagesDirectory, areDirectoriesHashed]);
  const kept = keptBatches.get(tree.packages);
  if (kept?.place === place) return kept.batches;
  const packages = [...locatePackages(selection, tree).values()];
  const placementOf = (rpm: SourcePackage): Placement => ({
    package: rpm,
    path: pathOf(tree, locationIn(selection, packagesDirectory, rpm)),
  });
  const batches = keptRuns.list(packages, place, (run) => cutPlacements(run.map(placementOf))).flat();
  keptBatches.set(tree.packages, { place, batches });
  return batches;
}

/** Returns where the packages of a tree lie, one placement per path. Throws `compose.file_name_taken` where two different files would get one name. */
export function listPlacements(selection: Selection, tree: Tree): Placement[] {
  return Array.from(locatePackages(selection, tree), ([location, rpm]) => ({
    package: rpm,
    path: pathOf(tree, location),
  }));
}

function pathOf({ directory }: Pick<Tree, 'directory'>, location: string): string {
  return `compose/${directory}/${location}`;
}

/** Returns the packages of a tree by where they lie in it. Throws `compose.file_name_taken`. */
function locatePackages(selection: Selection, tree: Tree): ReadonlyMap<string, SourcePackage> {
  const { directory, packages, packagesDirectory } = tree;
  const byLocation = new Map<string, SourcePackage>();
  for (const rpm of packages) {
    const location = locationIn(selection, packagesDirectory, rpm);
    const other = byLocation.get(location);
    if (other !== undefined && other.payload !== rpm.payload) {
      throw new ReactorError(
        'compose.file_name_taken',
        `Two different packages are called ${rpm.fileName} and would be one file.`,
        {
          where: `${directory}/${location}`,
          hint: 'Their repository holds them in different directories; give it one of them.',
        },
      );
    }
    byLocation.set(location, rpm);
  }
  return byLocation;
}
