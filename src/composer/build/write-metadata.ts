import { inTurns, rest } from '../../in-turns.ts';
import {
  formatComposeinfo,
  formatForeignRepoFile,
  formatModules,
  formatRepoFile,
  pungiComposeId,
  type ComposeIdentity,
  type RepoSection,
} from '../../rpm/productmd.ts';
import { withModulemdPaths, type ModulemdPath } from '../../rpm/productmd-modules.ts';
import { formatRpms } from '../../rpm/productmd-rpms.ts';
import { METADATA_KEY_FILE } from '../signing/sign-metadata.ts';
import { treePlaces, type VariantArches } from '../../rpm/productmd-variant.ts';
import { TEMPORARY } from '../../model/compose.ts';
import { listRpms, readMissingKeys } from './list-rpms.ts';
import { formatReasons } from './write-reasons.ts';
import { writeAdvisories } from './write-advisories.ts';
import { formatTreeSummary, TREE_SUMMARY_FILE } from './format-tree-summary.ts';
import { writeRepoclosureLogs } from './write-repoclosure-logs.ts';
import type { Pen } from '../pen.ts';
import type { PlacingThread } from './placing-thread.ts';
import type { ComposePlan, OutputSettings } from '../plan.ts';
import type { Selection } from '../selection.ts';

/**
 * The public URL of the compose's directory, or the name of the target directory that has no public address, or the path of
 * the directory of a compose that no service shows.
 */
export type ComposePlace =
  { readonly toplevelUrl: string } | { readonly privateIn: string } | { readonly directory: string };

/** What the metadata of a compose says. */
export interface MetadataInput {
  readonly plan: ComposePlan;
  readonly identity: ComposeIdentity;
  readonly place: ComposePlace;
  readonly delivery: OutputSettings['delivery'];
  /** Whether its metadata are signed. */
  readonly isSigned: boolean;
  readonly modulemdPaths: readonly ModulemdPath[];
  /** Reads the sigkeys of placed RPMs away from the event loop. */
  readonly placing: Pick<PlacingThread, 'readSigkeys'>;
  readonly signal: AbortSignal;
}

/**
 * Writes everything of a compose that is neither package nor repodata, and returns what was guessed in it. Where a selection
 * does not know the sigkeys of its packages, they are read from those placed in it. Source: pungi contract 4.
 */
export async function writeMetadata(input: MetadataInput, pen: Pen): Promise<readonly string[]> {
  const { plan, identity, place, modulemdPaths } = input;
  const keys = await readMissingKeys(input, pen.path('compose'));
  const { selection } = plan;
  const listed = await inTurns(listRpms(plan, keys));
  const guesses = await pen.writePieces('compose/metadata/rpms.json', (append) =>
    inTurns(formatRpms(identity, listed, append)),
  );
  await pen.writePieces('logs/global/why.json', (append) => inTurns(formatReasons(selection, append)));
  const isRelease = selection.release !== null;
  const ofService: Record<string, () => string> =
    'directory' in place
      ? {}
      : {
          'pungi-stdout.log': () => `Compose ${identity.name} is finished.\n`,
          'pungi-stderr.log': () =>
            [...selection.warnings, ...guesses].map((warning) => `warning: ${warning}\n`).join(''),
          [`compose/${TEMPORARY}/${identity.name}.repo`]: () =>
            formatRepo(identity.name, { ...input, place }),
        };
  const files: Record<string, () => string> = {
    'compose/metadata/composeinfo.json': () => formatComposeinfo(identity, listVariants(selection)),
    'compose/metadata/modules.json': () =>
      formatModules(identity, withModulemdPaths(selection.modulesJson, modulemdPaths)),
    'work/global/composeinfo-base.json': () => formatComposeinfo(identity, []),
    'work/global/fingerprint': () => `${plan.fingerprint}\n`,
    ...ofService,
    ...(isRelease
      ? {
          COMPOSE_ID: () => pungiComposeId(identity),
          [TREE_SUMMARY_FILE]: () => formatTreeSummary(selection),
        }
      : {}),
    // Who reads it knows by that whether there will be more.
    STATUS: () => (selection.imageTasks.length === 0 ? 'FINISHED\n' : 'STARTED\n'),
  };
  await writeAdvisories(selection, pen);
  writeRepoclosureLogs(pen, { selection, composeId: pungiComposeId(identity), place });
  for (const [path, format] of Object.entries(files)) {
    await rest();
    pen.writeFile(path, format());
  }
  return guesses;
}

/** Returns the variants of a selection with the arches that they have trees for, sorted. */
export function listVariants({ variants, trees }: Selection): VariantArches[] {
  return variants.map((variant) => ({
    ...variant,
    arches: trees
      .filter((tree) => tree.variant === variant.uid)
      .map((tree) => tree.arch)
      .sort(),
  }));
}

/** Without a public address there is nothing dnf could read: the file says so instead of leading nowhere. */
function formatRepo(
  name: string,
  {
    plan: { selection },
    place,
    isSigned,
  }: MetadataInput & { readonly place: Exclude<ComposePlace, { readonly directory: string }> },
): string {
  const comments = [...selection.notes, ...selection.warnings];
  if (selection.foreign.length > 0) {
    const sections = selection.foreign.map(({ id, url, maySkip }) => ({ id, baseurl: url, maySkip }));
    return formatForeignRepoFile(sections, comments);
  }
  if ('toplevelUrl' in place) {
    const sections = listSections(name, selection, place.toplevelUrl);
    const signed = isSigned ? { gpgkey: `${place.toplevelUrl}/${METADATA_KEY_FILE}` } : {};
    return formatRepoFile(
      name,
      sections.map((section) => ({ ...section, ...signed })),
      comments,
    );
  }
  const sentence = `This compose lies in the target directory ${place.privateIn}, which has no public address.`;
  return formatRepoFile(name, [], [sentence, ...comments]);
}

/** The one repository is called as its compose, others carry their variant. Source: pungi contract 4.9. */
function listSections(name: string, { variants }: Selection, toplevelUrl: string): RepoSection[] {
  return variants
    .filter(({ emptyArches }) => emptyArches.length === 0)
    .map((variant) => ({
      id: variant.uid === TEMPORARY ? name : `${name}-${variant.uid}`,
      baseurl: `${toplevelUrl}/compose/${treePlaces(variant, '$basearch').binary.repository}`,
    }));
}
