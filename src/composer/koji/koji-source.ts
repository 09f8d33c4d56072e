import { inTurns, rest } from '../../in-turns.ts';
import { instrument } from '../../instrument.ts';
import { archListsOf } from '../../model/arches.ts';
import type { ComposeRequest } from '../../model/compose.ts';
import { ReactorError } from '../../model/errors.ts';
import { gatherMethodOf, multilibMethodsOf, packagesOf } from '../../model/request-rules.ts';
import { listComps } from '../documents/comps-document.ts';
import { listUnmatched, listUnresolved } from '../gather/gather-complaints.ts';
import { gatherPackageSet, type ArchResult } from '../gather/gather-package-set.ts';
import {
  newSelection,
  type SelectContext,
  type Selected,
  type SelectedTree,
  type SelectPackages,
} from '../selection.ts';
import { indexCopies } from './index-copies.ts';
import type { Koji } from './koji.ts';
import { collectTrees, kojiReader, offerPackages, withPrevious } from './koji-selection.ts';
import { fileSourcesOfSet, type PreparedSet } from './koji-gather-index.ts';
import {
  makePackageSet,
  packageOfBuild,
  readExtraContent,
  type KojiCopy,
  type KojiPackage,
  type PackageSetQuery,
} from './koji-package-set.ts';
import { arePinsTrue, resolveEvent, type KojiPin } from './pin.ts';
import { readUntilTrue } from './read-until-true.ts';
import { readTags, refuseEmbargoed, type ReadTags } from './read-tags.ts';
import { waitForSignatures } from './wait-for-signatures.ts';
import { chooseCopies, dropAbsent, readSigningWish, requireSigned, type SigningWish } from './signing.ts';

/**
 * The source types `tag` and `build`: builds of Koji tags with those the request adds, or only those; scratch
 * builds beside them. Its select throws `koji.*`, `rpm.*` and what gather throws.
 * Source: Pungi contract 2.1 and 2.3; ODCS contract 15.
 */
export function kojiSource(koji: Koji): SelectPackages {
  return async (context, request) => {
    const { signal } = context;
    const tags = tagsOf(request);
    const forget = (): void => {
      for (const tag of tags) koji.tags.forget(tag);
    };
    return readUntilTrue(context, tags, async (attempt) => {
      try {
        const { ready, pins } = await waitForSignatures(koji, context, () =>
          selectOnce(koji, context, request, tags),
        );
        const isTrue = async (): Promise<boolean> => {
          const holds = await arePinsTrue(koji.hub, pins, { signal });
          if (!holds) forget();
          return holds;
        };
        return { selected: ready, isTrue };
      } catch (error) {
        // The tag may have been kept from before a build was moved to another volume.
        const isMoved = error instanceof ReactorError && error.code === 'koji.file_missing';
        if (!isMoved || attempt > 1 || tags.length === 0) throw error;
        forget();
        return null;
      }
    });
  };
}

async function selectOnce(
  koji: Koji,
  context: SelectContext,
  request: ComposeRequest,
  tags: readonly string[],
): Promise<{ readonly ready: Selected; readonly pins: readonly KojiPin[] }> {
  const query = packageSetQuery(request);
  context.progress('resolve', 0, 1, 'step');
  const read = await instrument('plan.read', { tags: tags.join(' ') }, () =>
    readPackages(koji, context, request, tags, query),
  );
  await rest();
  const parts: GatheredPart[] = [];
  for (const group of groupArches(request)) {
    const part = await gatherGroup(koji, context, group, read.packages);
    parts.push(read.previous.length === 0 ? part : await addPrevious(koji, context, group, { part, read }));
  }
  await rest();
  return { ready: selectionOf(koji, request, read, parts), pins: read.pins };
}

/** Arches whose packages are to be signed alike. */
interface ArchGroup {
  readonly request: ComposeRequest;
  readonly wish: SigningWish;
}

/** Returns the arches of a request in at most two groups: those whose packages have to be signed as it says, and others. */
function groupArches(request: ComposeRequest): readonly ArchGroup[] {
  const wish = readSigningWish(request.sigkeys);
  const isFree = (arch: string): boolean => request.tagOptions?.unsignedArches.includes(arch) === true;
  const groups = [
    { request: { ...request, arches: request.arches.filter((arch) => !isFree(arch)) }, wish },
    {
      request: { ...request, arches: request.arches.filter(isFree) },
      wish: { ...wish, isUnsignedFine: true },
    },
  ];
  return groups.filter((group) => group.request.arches.length > 0);
}

/** What was gathered for a group of arches. */
interface GatheredPart {
  readonly trees: readonly SelectedTree[];
  readonly byPkgids: readonly PreparedSet['byPkgid'][];
  readonly unresolved: Selected['selection']['unresolved'];
  readonly unmatched: readonly string[];
}

async function gatherGroup(
  koji: Koji,
  context: SelectContext,
  { request, wish }: ArchGroup,
  all: readonly KojiPackage[],
): Promise<GatheredPart> {
  const { arches } = packageSetQuery(request);
  const packages = request.tagOptions === undefined ? all : all.filter(({ rpm }) => arches.has(rpm.arch));
  const copies = await chooseCopies(packages, wish, koji.source.files, await koji.index.knownCopies());
  await refuseEarly(koji, request, copies, wish);
  await rest();
  const indexed = await indexCopies(koji.indexContext(context), await dropAbsent(koji.source.files, copies));
  await rest();
  const wanted = { name: setName(request, wish), copies: indexed, lookaside: request.lookasideRepos };
  return koji.sets.use(wanted, context.signal, async (setOf) => {
    const sets = new Map<string, PreparedSet>();
    for (const arch of request.arches) sets.set(arch, await setOf(arch));
    const results = await gatherAll(koji, context, request, sets);
    await refuseGathered(koji, results, copies, wish);
    await rest();
    const prepared = [...sets.values()];
    return {
      trees: await inTurns(collectTrees(koji, prepared, results)),
      byPkgids: prepared.map(({ byPkgid }) => byPkgid),
      unresolved: listUnresolved(results),
      unmatched: listUnmatched(results),
    };
  });
}

/** Adds what the builds before the newest ones have under the names that were gathered. */
async function addPrevious(
  koji: Koji,
  context: SelectContext,
  { request, wish }: ArchGroup,
  { part, read }: { readonly part: GatheredPart; readonly read: Pick<ReadPackages, 'previous'> },
): Promise<GatheredPart> {
  const { arches } = packageSetQuery(request);
  const names = new Set(
    part.trees.flatMap(({ binary, debug, source }) =>
      [...binary, ...debug, ...source].map(({ package: { name } }) => name),
    ),
  );
  const packages = read.previous.flatMap(({ build, rpms }) =>
    rpms
      .filter(({ name, arch }) => arches.has(arch) && names.has(name))
      .map((rpm) => packageOfBuild(rpm, build)),
  );
  const offered = await offerPackages(koji, context, packages, wish);
  return {
    ...part,
    trees: part.trees.map((tree) => withPrevious(tree, offered.packages, archesOfTree(request, tree.arch))),
    byPkgids: [...part.byPkgids, offered.byPkgid],
  };
}

/** Source type `tag` has tags, `build` none. Throws `koji.tags_too_many`, `koji.builds_missing`. */
function tagsOf(request: ComposeRequest): readonly string[] {
  if (request.sourceType === 'build') {
    if ((request.builds ?? []).length === 0 && (request.scratchBuildTasks ?? []).length === 0) {
      throw new ReactorError('koji.builds_missing', 'A compose of source type "build" names its builds.', {
        hint: 'Put the NVRs into "builds".',
      });
    }
    return [];
  }
  if (request.source.length > MOST_TAGS) {
    throw new ReactorError('koji.tags_too_many', `A compose is made of ${MOST_TAGS} Koji tags at most.`, {
      hint: 'Ask for composes of fewer tags, and for a compose of these.',
    });
  }
  return request.source;
}

const MOST_TAGS = 20;

/** Returns the package arches that the tree of an arch may hold, beside source packages. */
function archesOfTree(request: ComposeRequest, arch: string): ReadonlySet<string> {
  const { native, multilib } = archListsOf(arch);
  return new Set([...native, ...(multilibMethodsOf(request, arch).length > 0 ? multilib : [])]);
}

function packageSetQuery(request: ComposeRequest): PackageSetQuery {
  const arches = new Set(['src', ...request.arches.flatMap((arch) => [...archesOfTree(request, arch)])]);
  const packages = packagesOf(request);
  return {
    builds: request.builds ?? [],
    scratchTasks: (request.scratchBuildTasks ?? []).map(Number),
    arches,
    onlyNames: gatherMethodOf(request) === 'nodeps' && packages !== null ? new Set(packages) : null,
  };
}

interface ReadPackages extends Pick<ReadTags, 'previous' | 'event' | 'pins' | 'warnings' | 'replaced'> {
  readonly packages: readonly KojiPackage[];
}

async function readPackages(
  koji: Koji,
  context: SelectContext,
  request: ComposeRequest,
  tags: readonly string[],
  query: PackageSetQuery,
): Promise<ReadPackages> {
  const { signal } = context;
  if (tags.length === 0) {
    const event = await resolveEvent(koji.hub, request.kojiEvent, { signal });
    const extra = await readExtraContent(koji.hub, query, signal);
    const packages = makePackageSet(null, extra, query);
    return { packages, event: event.id, previous: [], pins: [], warnings: [], replaced: [] };
  }
  const read = await readTags(koji, context, request);
  const extra = await readExtraContent(koji.hub, query, signal);
  refuseEmbargoed(context, extra.builds, read.embargo);
  return { ...read, packages: makePackageSet(read.content, extra, query, read.packages) };
}

/** Requested names must be signed already in the set; without dependencies every package of it. */
async function refuseEarly(
  koji: Koji,
  request: ComposeRequest,
  copies: readonly KojiCopy[],
  wish: SigningWish,
): Promise<void> {
  const names = gatherMethodOf(request) === 'nodeps' ? null : new Set(packagesOf(request) ?? []);
  await requireSigned(koji.hub, copies, wish, names);
}

/** Of the other unsigned packages none may be among the binary ones that were gathered, judged by name. */
async function refuseGathered(
  koji: Koji,
  results: readonly ArchResult[],
  copies: readonly KojiCopy[],
  wish: SigningWish,
): Promise<void> {
  if (!copies.some((copy) => copy.isUnsigned)) return;
  const names = new Set(results.flatMap(({ result }) => result.binary.map((id) => result.index.nameOf(id))));
  await requireSigned(koji.hub, copies, wish, names);
}

function setName(request: ComposeRequest, wish: SigningWish): string {
  const flags = request.flags.includes('no_inheritance') ? 'alone' : 'inherited';
  const arches = [...packageSetQuery(request).arches].sort().join(' ');
  const tags = request.sourceType === 'build' ? '' : request.source.join(' ');
  const chosen =
    request.tagOptions === undefined ? [] : [JSON.stringify(request.tagOptions), wish.isUnsignedFine];
  return [
    tags,
    flags,
    arches,
    request.sigkeys.join(' '),
    gatherMethodOf(request) === 'nodeps',
    ...chosen,
  ].join('\n');
}

async function gatherAll(
  koji: Koji,
  context: SelectContext,
  request: ComposeRequest,
  sets: ReadonlyMap<string, PreparedSet>,
): Promise<ArchResult[]> {
  const inputs = [...sets].map(([arch, set]) => ({
    arch,
    index: set.index,
    files: fileSourcesOfSet(koji.index, set),
    multilibMethods: multilibMethodsOf(request, arch),
  }));
  context.progress('gather', 0, request.arches.length, 'arches');
  const byIndex = new Map([...sets.values()].map((set) => [set.index, set]));
  return gatherPackageSet({ signal: context.signal }, inputs, {
    set: 'everything',
    method: gatherMethodOf(request),
    packages: packagesOf(request),
    archRestrictionsOf: (index, source) =>
      byIndex.get(index)?.byPkgid.get(index.pkgidOf(source))?.facts ?? null,
  });
}

function selectionOf(
  koji: Koji,
  request: ComposeRequest,
  { event, warnings, replaced }: ReadPackages,
  parts: readonly GatheredPart[],
): Selected {
  const byArch = new Map(parts.flatMap(({ trees }) => trees).map((tree) => [tree.arch, tree]));
  const trees = request.arches.flatMap((arch) => byArch.get(arch) ?? []);
  const [first, ...others] = parts;
  const selection = newSelection({
    pins: { source: request.source.join(' '), kojiEvent: event },
    trees,
    documents: listComps(trees, packagesOf(request) ?? []),
    unresolved: parts.flatMap(({ unresolved }) => unresolved),
    unmatched: (first?.unmatched ?? []).filter((name) =>
      others.every(({ unmatched }) => unmatched.includes(name)),
    ),
    warnings,
    replaced,
  });
  return {
    selection,
    reader: kojiReader(
      koji,
      parts.flatMap(({ byPkgids }) => byPkgids),
    ),
  };
}
