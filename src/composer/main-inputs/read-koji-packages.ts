import { createHash } from 'node:crypto';
import { inTurns } from '../../in-turns.ts';
import { archListsOf } from '../../model/arches.ts';
import type { ComposeRequest } from '../../model/compose.ts';
import { ReactorError } from '../../model/errors.ts';
import type { KojiEvent } from '../../upstream/koji/hub-events.ts';
import type { KojiModuleBuild } from '../../upstream/koji/hub-modules.ts';
import { kojiModuleHub } from '../modules/koji-module-hub.ts';
import { indexCopies } from '../koji/index-copies.ts';
import { fileSourcesOfSet, prepareSet, type PreparedSet } from '../koji/koji-gather-index.ts';
import type { IndexedCopy } from '../koji/koji-index.ts';
import {
  makePackageSet,
  type KojiCopy,
  readExtraContent,
  type ExtraContent,
  type KojiPackage,
  type PackageSetQuery,
} from '../koji/koji-package-set.ts';
import type { PinnedContent } from '../koji/koji-tag-reader.ts';
import { kojiReader, packageOfSet } from '../koji/koji-selection.ts';
import type { Koji } from '../koji/koji.ts';
import { mapBounded } from '../koji/map-bounded.ts';
import { arePinsTrue, resolveEvent } from '../koji/pin.ts';
import { chooseCopies, dropAbsent, requireSigned, type SigningWish } from '../koji/signing.ts';
import { hasMultilib, type MainDefinition, type PackageInput } from '../main/main-definition.ts';
import { chooseWantedRpms, type MainPackageSet } from '../main/main-packages.ts';
import { wantedNamesOf } from '../main/variant-inputs.ts';
import {
  artifactNamesOf,
  modulesByArch,
  resolveVariantModules,
  type DescribedModule,
} from '../main/variant-modules.ts';
import { archesOfVariants } from '../main/variants.ts';
import type { SelectContext } from '../selection.ts';
import { describeModules } from './describe-modules.ts';
import type { MainInput, PinnedInput } from './main-input.ts';
import { readPackage } from './read-package.ts';
import {
  digestOfRepositories,
  listLookasides,
  pinRepositories,
  type PinnedRepositories,
  type RepositoryResources,
} from './open-repositories.ts';

type KojiInput = Extract<PackageInput, { kind: 'koji' }>;

/** What tags are read with. */
export interface KojiResources extends RepositoryResources {
  /** Null where none is configured. */
  readonly koji: Koji | null;
}

/** One tag that a compose reads. */
interface WantedTag {
  readonly tag: string;
  readonly isInherited: boolean;
  /** The modules whose tag it is; null for one of the compose. */
  readonly modules: {
    readonly builds: readonly KojiModuleBuild[];
    readonly variants: ReadonlySet<string>;
  } | null;
}

const TAGS_AT_ONCE = 4;

/**
 * Pins what a compose of Koji tags gathers from, all at one event: the request's, the configuration's, or the last one.
 * Throws `koji.*`, `module.*`, `rpm.*` and what the lookaside repositories throw. Source: main compose contract 5.
 */
export async function pinKojiPackages(
  resources: KojiResources,
  context: SelectContext,
  request: Pick<ComposeRequest, 'kojiEvent'>,
  definition: MainDefinition,
  input: KojiInput,
): Promise<PinnedInput> {
  const koji = kojiOf(resources, input);
  const { signal } = context;
  const wanted = request.kojiEvent ?? input.event;
  const event = await resolveEvent(koji.hub, wanted, { signal });
  const hub = kojiModuleHub(koji.hub, event.id, { signal });
  const modules = await resolveVariantModules(hub, definition, event.at / 1000);
  const tags = await readTags(koji, signal, input, { event, isLast: wanted === null }, modules.byVariant);
  const query = {
    builds: input.builds,
    scratchTasks: input.scratchTasks,
    arches: archesOf(definition),
    onlyNames: null,
  };
  const extra = await readExtraContent(koji.hub, query, signal);
  const places = { lookasides: listLookasides(definition), others: [] };
  const repositories = await pinRepositories(resources, places, signal);
  const digestWith = (ofRepositories: string | null): string | null =>
    ofRepositories === null ? null : digestOfContent(tags, extra, modules.byVariant, ofRepositories);
  return {
    digest: digestWith(repositories.digest),
    event: event.id,
    parts: [],
    async isTrue() {
      const pins = tags.map(({ pin }) => pin);
      if ((await arePinsTrue(koji.hub, pins, { signal })) && (await hub.isTrue())) return true;
      for (const { tag } of tags) koji.tags.forget(tag);
      return false;
    },
    use: (work) =>
      useKoji(
        { resources, koji, context, definition, query, tags, extra, modules, repositories, digestWith },
        work,
      ),
  };
}

interface PinnedKoji {
  readonly resources: KojiResources;
  readonly koji: Koji;
  readonly context: SelectContext;
  readonly definition: MainDefinition;
  readonly query: PackageSetQuery;
  readonly tags: readonly PinnedTag[];
  readonly extra: ExtraContent;
  readonly modules: Awaited<ReturnType<typeof resolveVariantModules>>;
  readonly repositories: PinnedRepositories;
  readonly digestWith: (ofRepositories: string | null) => string | null;
}

async function useKoji<Result>(
  pinned: PinnedKoji,
  work: (input: MainInput) => Promise<Result>,
): Promise<Result> {
  const { resources, koji, context, definition, repositories } = pinned;
  const { signal } = context;
  const described = await describeVariants(koji, pinned.modules.byVariant, signal);
  const tags = await chooseTags(pinned, described);
  const wish = wishOf(definition);
  const copies = tags.flatMap((tag) => tag.copies);
  const isAll = definition.plainMethod !== 'deps';
  await requireSigned(koji.hub, copies, wish, isAll ? null : wantedNamesOf(definition));
  const present = await Promise.all(
    tags.map(async (tag) => ({ ...tag, copies: await dropAbsent(koji.source.files, tag.copies) })),
  );
  const indexed = await indexCopies(
    koji.indexContext(context),
    present.flatMap((tag) => tag.copies),
  );
  // A better copy of another may be signed or written without a word of the hub.
  const areFinal = copies.every((copy) => isFinalCopy(copy, wish));
  const inputOf = (set: PreparedSet, ofRepositories: string | null): MainInput => {
    let at = 0;
    const sets = present.map(({ tag, variants, copies: own }): MainPackageSet => {
      const part = indexed.slice(at, at + own.length);
      at += own.length;
      return { name: tag, variants, ids: idsOf(set, part) };
    });
    return {
      packages: {
        index: set.index,
        files: fileSourcesOfSet(koji.index, set),
        sets,
        lookasides: repositories.lookasides,
        modules: modulesByArch(definition, described),
        archRestrictionsOf: (id) => set.byPkgid.get(set.index.pkgidOf(id))?.facts ?? null,
      },
      describe: (id) => packageOfSet(koji, set, id),
      reader: kojiReader(koji, [set.byPkgid]),
      readPackage: (rpm) => readPackage(resources.readUrl, rpm, signal),
      warnings: pinned.modules.warnings,
      parts: null,
      requireSigned: (names) => requireSigned(koji.hub, copies, wish, names),
      digestRead: () => (areFinal ? pinned.digestWith(ofRepositories) : null),
      listRemarks: () => [],
    };
  };
  if (repositories.lookasides.size > 0) {
    const loaded = await repositories.loadOwn();
    const set = await inTurns(prepareSet(koji.index, indexed, loaded));
    return work(inputOf(set, digestOfRepositories(loaded.repositories)));
  }
  // The index of the last compose of these tags is brought to what they hold now.
  const wanted = { name: nameOf(definition, pinned.tags), copies: indexed, lookaside: [] };
  return koji.sets.use(wanted, signal, async (setOf) => work(inputOf(await setOf(''), repositories.digest)));
}

/** Equal for composes whose packages are nearly the same. */
function nameOf(definition: MainDefinition, tags: readonly PinnedTag[]): string {
  const own = tags.filter(({ modules }) => modules === null).map(({ tag }) => tag);
  return ['main', ...own, ...archesOf(definition)].join(' ');
}

/** Whether no other copy of a package can be chosen later. */
function isFinalCopy({ package: kojiPackage, sigkey, isUnsigned }: KojiCopy, { keys }: SigningWish): boolean {
  return kojiPackage.kind === 'scratch' || (!isUnsigned && sigkey === (keys[0] ?? null));
}

/** Throws `main.not_native` where the service does not read the Koji of the configuration. */
function kojiOf({ koji, config }: KojiResources, { profile }: KojiInput): Koji {
  if (koji !== null && (profile === null || profile === config.koji_profile)) return koji;
  const own = koji === null ? 'no Koji' : `the Koji of the profile "${config.koji_profile}"`;
  throw new ReactorError(
    'main.not_native',
    `The configuration is made of the Koji of the profile "${profile ?? ''}"; this service reads ${own}.`,
    { hint: 'koji_profile of the configuration and of the service have to be the same.' },
  );
}

function wishOf({ sigkeys }: MainDefinition): SigningWish {
  const keys = sigkeys.flatMap((key) => (key === null || key === '' ? [] : key.toLowerCase()));
  return { keys: [...new Set(keys)], isUnsignedFine: sigkeys.some((key) => key === null || key === '') };
}

type ModulesByVariant = ReadonlyMap<string, readonly KojiModuleBuild[]>;
type DescribedByVariant = ReadonlyMap<string, readonly DescribedModule[]>;

/** Returns the modules of each variant with their documents, by uid. */
async function describeVariants(
  koji: Koji,
  byVariant: ModulesByVariant,
  signal: AbortSignal,
): Promise<DescribedByVariant> {
  const builds = [...byVariant.values()].flat();
  if (builds.length === 0) return new Map();
  const known = await describeModules(koji, builds, signal);
  const describedOf = (build: KojiModuleBuild): DescribedModule[] => {
    const described = known.get(build);
    return described === undefined ? [] : [described];
  };
  return new Map(Array.from(byVariant, ([uid, own]) => [uid, own.flatMap(describedOf)]));
}

/** A tag as it was at the event. */
type PinnedTag = WantedTag & PinnedContent;

async function readTags(
  koji: Koji,
  signal: AbortSignal,
  input: KojiInput,
  { event, isLast }: { readonly event: KojiEvent; readonly isLast: boolean },
  modules: ModulesByVariant,
): Promise<readonly PinnedTag[]> {
  const wanted: WantedTag[] = [
    ...listModuleTags(modules, input.areModulesInherited),
    ...input.tags.map((tag) => ({ tag, isInherited: input.isInherited, modules: null })),
  ];
  return mapBounded(wanted, TAGS_AT_ONCE, async (tag) => {
    const asked = { tag: tag.tag, event: event.id, inherit: tag.isInherited, isLast };
    return { ...tag, ...(await koji.tags.read(asked, koji.clock.now(), signal)) };
  });
}

/** The copies of a tag. */
interface ChosenTag {
  readonly tag: string;
  readonly variants: ReadonlySet<string> | null;
  readonly copies: readonly KojiCopy[];
}

async function chooseTags(
  { koji, definition, query, tags, extra }: PinnedKoji,
  described: DescribedByVariant,
): Promise<readonly ChosenTag[]> {
  const byBuild = new Map([...described.values()].flat().map((module) => [module.build, module]));
  const wish = wishOf(definition);
  const names = wantedNamesOf(definition);
  return mapBounded(tags, TAGS_AT_ONCE, async ({ tag, content, packages: kept, modules: own }) => {
    const beside = own === null ? extra : { builds: [], scratch: [] };
    const documents = own?.builds.flatMap((build) => byBuild.get(build) ?? []);
    const packages = makePackageSet(content, beside, query, kept).filter(acceptsArtifacts(documents));
    const chosen = definition.plainMethod === 'nodeps' ? chooseWanted(packages, names) : packages;
    const copies = await chooseCopies(chosen, wish, koji.source.files, await koji.index.knownCopies());
    return { tag, variants: own?.variants ?? null, copies };
  });
}

/** Returns a text that is equal only for equal tags, extra builds, modules and repositories. */
function digestOfContent(
  tags: readonly PinnedTag[],
  extra: ExtraContent,
  modules: ModulesByVariant,
  repositories: string,
): string {
  const hash = createHash('sha256');
  const add = (...parts: readonly (string | number)[]): void => void hash.update(`${parts.join(' ')}\n`);
  for (const { tag, content } of tags) {
    add('tag', tag);
    for (const { id, volume } of content.builds.values()) add(id, volume);
    add(...content.rpms.map(({ id }) => id));
  }
  hash.update(JSON.stringify(extra, (_key, value: unknown) => (value instanceof Map ? [...value] : value)));
  for (const [uid, builds] of modules) add('modules', uid, ...builds.map(({ build: { id } }) => id));
  return hash.update(repositories).digest('hex');
}

/** The tag of every module once, whatever variants have it. */
function listModuleTags(modules: ModulesByVariant, isInherited: boolean): WantedTag[] {
  const byTag = new Map<string, { builds: KojiModuleBuild[]; variants: Set<string> }>();
  for (const [uid, builds] of modules) {
    for (const build of builds) {
      const known = byTag.get(build.contentTag) ?? { builds: [build], variants: new Set<string>() };
      known.variants.add(uid);
      byTag.set(build.contentTag, known);
    }
  }
  return Array.from(byTag, ([tag, own]) => ({ tag, isInherited, modules: own }));
}

function acceptsArtifacts(
  described: readonly DescribedModule[] | undefined,
): (kojiPackage: KojiPackage) => boolean {
  if (described === undefined) return () => true;
  const names = artifactNamesOf(described.flatMap(({ documents }) => [...documents.values()]));
  return ({ rpm }) => rpm.arch === 'src' || names.has(`${rpm.name}.${rpm.arch}`);
}

function archesOf(definition: MainDefinition): ReadonlySet<string> {
  const arches = new Set(['src']);
  for (const arch of archesOfVariants(definition.variants)) {
    const { native, multilib } = archListsOf(arch);
    for (const packageArch of [...native, ...(hasMultilib(definition, arch) ? multilib : [])])
      arches.add(packageArch);
  }
  return arches;
}

function chooseWanted(packages: readonly KojiPackage[], names: ReadonlySet<string>): KojiPackage[] {
  const listed = packages.map((kojiPackage) => {
    const { name, arch } = kojiPackage.rpm;
    return {
      name,
      arch,
      packageName: kojiPackage.kind === 'build' ? kojiPackage.build.packageName : name,
      kojiPackage,
    };
  });
  return chooseWantedRpms(listed, names).map(({ kojiPackage }) => kojiPackage);
}

/** The numbers of copies in the index of a set, where a lookaside repository may have the same files. */
function idsOf({ index, repository }: PreparedSet, copies: readonly IndexedCopy[]): number[] {
  const ids = copies.flatMap(({ facts }) =>
    index.packagesByPkgid(facts.pkgid).filter((id) => index.columns.repository.at(id) === repository),
  );
  return [...new Set(ids)];
}
