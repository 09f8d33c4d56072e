import { inTurns, rest, type Turns } from '../../in-turns.ts';
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
import { formatRpms, type ListedRpm, type ListedRpms } from '../../rpm/productmd-rpms.ts';
import { METADATA_KEY_FILE } from '../signing/sign-metadata.ts';
import { treePlaces, type VariantArches } from '../../rpm/productmd-variant.ts';
import { TEMPORARY } from '../../model/compose.ts';
import { writeAdvisories } from './write-advisories.ts';
import { formatTreeSummary, TREE_SUMMARY_FILE } from './format-tree-summary.ts';
import { writeRepoclosureLogs } from './write-repoclosure-logs.ts';
import { locationIn, treeDirectories } from '../compose-trees.ts';
import { pathBelow, type Pen } from '../pen.ts';
import type { PlacingThread } from './placing-thread.ts';
import type { ComposePlan, OutputSettings } from '../plan.ts';
import type { SelectedPackage, Selection } from '../selection.ts';

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

/** RPMs whose sigkeys are read between two looks at the signal. */
const KEYS_AT_ONCE = 1_000;
/** RPMs that are listed before others may have their turn. */
const VISITED_TOGETHER = 2_048;

/**
 * Writes everything of a compose that is neither package nor repodata. Where a selection does not
 * know the sigkeys of its packages, they are read from those placed in it. Source: pungi contract 4.
 */
export async function writeMetadata(input: MetadataInput, pen: Pen): Promise<void> {
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
    STATUS: () => 'FINISHED\n',
  };
  await writeAdvisories(selection, pen);
  writeRepoclosureLogs(pen, { selection, composeId: pungiComposeId(identity), place });
  for (const [path, format] of Object.entries(files)) {
    await rest();
    pen.writeFile(path, format());
  }
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

/** Every package of a plan with its path below `compose/`, arch by arch. */
function* visitRpms(plan: Pick<ComposePlan, 'selection'>) {
  const { selection } = plan;
  const variants = new Map(selection.variants.map((variant) => [variant.uid, variant]));
  for (const tree of selection.trees) {
    const { arch } = tree;
    const variant = variants.get(tree.variant);
    if (variant === undefined) throw new Error(`no variant is called ${tree.variant}`);
    const places = treeDirectories(variant, arch);
    for (const category of ['binary', 'debug', 'source'] as const) {
      for (const { package: one } of tree[category]) {
        const { repository } = places[category];
        const location = locationIn(selection, variant.type === 'addon' ? '' : 'Packages', one);
        yield { variant: variant.uid, arch, category, package: one, path: `${repository}/${location}` };
      }
    }
  }
}

/** The sigkeys by path of those packages whose source did not know them; what is not placed has none. */
async function readMissingKeys(
  { plan, delivery, placing, signal }: MetadataInput,
  root: string,
): Promise<ReadonlyMap<string, string | null>> {
  const missing = new Set<string>();
  for (const { package: one, path } of visitRpms(plan)) if (one.sigkey === undefined) missing.add(path);
  const keys = new Map<string, string | null>();
  if (delivery === 'reference') return keys;
  const paths = [...missing];
  for (let at = 0; at < paths.length; at += KEYS_AT_ONCE) {
    signal.throwIfAborted();
    const some = paths.slice(at, at + KEYS_AT_ONCE);
    const found = await placing.readSigkeys(some.map((path) => pathBelow(root, path)));
    some.forEach((path, index) => keys.set(path, found[index] ?? null));
  }
  return keys;
}

/** Returns the RPMs of a plan with their paths; `keys` are those that only the files tell, by path. */
export function* listRpms(
  plan: Pick<ComposePlan, 'selection'>,
  keys: ReadonlyMap<string, string | null>,
): Turns<ListedRpms> {
  let seen = 0;
  const listed = new Map<string, Map<string, ListedRpm[]>>();
  for (const { variant, arch, category, package: one, path } of visitRpms(plan)) {
    seen += 1;
    if (seen % VISITED_TOGETHER === 0) yield;
    const sigkey = one.sigkey === undefined ? (keys.get(path) ?? null) : one.sigkey;
    const arches = listed.get(variant) ?? new Map<string, ListedRpm[]>();
    listed.set(variant, arches);
    const rpms = arches.get(arch);
    if (rpms === undefined) arches.set(arch, [{ package: one, sigkey, path, category }]);
    else rpms.push({ package: one, sigkey, path, category });
  }
  return listed;
}

/** Writes why each package is in, by arch and over all variants: what people ask of a compose that is larger than they thought. */
function* formatReasons({ trees }: Selection, write: (piece: string) => void): Turns<void> {
  write('{\n');
  const arches = [...Map.groupBy(trees, ({ arch }) => arch)];
  for (const [number, [arch, own]] of arches.entries()) {
    const reasons = new Map<string, SelectedPackage>();
    for (const tree of own) {
      for (const list of [tree.binary, tree.debug, tree.source]) {
        for (const one of list) reasons.set(one.package.fileName, one);
      }
    }
    yield;
    write(` ${JSON.stringify(arch)}: {`);
    let begin = '\n';
    let seen = 0;
    for (const [file, one] of reasons) {
      write(`${begin}  ${JSON.stringify(file)}: ${JSON.stringify(one.why)}`);
      begin = ',\n';
      seen += 1;
      if (seen % VISITED_TOGETHER === 0) yield;
    }
    write(`${reasons.size === 0 ? '' : '\n '}}${number < arches.length - 1 ? ',' : ''}\n`);
  }
  write(arches.length === 0 ? '\n}\n' : '}\n');
}
