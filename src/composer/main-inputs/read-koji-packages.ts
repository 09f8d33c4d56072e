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
  readExtraContent,
  type KojiPackage,
  type PackageSetQuery,
} from '../koji/koji-package-set.ts';
import { kojiReader, packageOfSet } from '../koji/koji-selection.ts';
import type { Koji } from '../koji/koji.ts';
import { mapBounded } from '../koji/map-bounded.ts';
import { isPinTrue, resolveEvent, type KojiPin } from '../koji/pin.ts';
import {
  chooseCopies,
  dropAbsent,
  requireSigned,
  type ChosenCopy,
  type SigningWish,
} from '../koji/signing.ts';
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
import type { MainInput } from './main-input.ts';
import { readPackage } from './read-package.ts';
import { listLookasides, openRepositories, type RepositoryMeans } from './open-repositories.ts';

type KojiInput = Extract<PackageInput, { kind: 'koji' }>;

/** What tags are read with. */
export interface KojiMeans extends RepositoryMeans {
  /** Null where none is configured. */
  readonly koji: Koji | null;
}

/** One tag that a compose reads. */
interface WantedTag {
  readonly tag: string;
  readonly isInherited: boolean;
  /** The modules whose tag it is; null for one of the compose. */
  readonly modules: {
    readonly described: readonly DescribedModule[];
    readonly variants: ReadonlySet<string>;
  } | null;
}

const TAGS_AT_ONCE = 4;

/**
 * Reads what a compose of Koji tags gathers from, all at one event: the request's, the configuration's, or the last one.
 * Throws `koji.*`, `module.*`, `rpm.*` and what the lookaside repositories throw. Source: main compose contract 5.
 */
export async function readKojiPackages(
  means: KojiMeans,
  context: SelectContext,
  request: Pick<ComposeRequest, 'kojiEvent'>,
  definition: MainDefinition,
  input: KojiInput,
): Promise<MainInput> {
  const koji = kojiOf(means, input);
  const { signal } = context;
  const event = await resolveEvent(koji.hub, request.kojiEvent ?? input.event, { signal });
  const modules = await readModules(koji, definition, event, signal);
  const read = await readTags(koji, context, definition, input, event, modules.described);
  const wish = wishOf(definition);
  const copies = read.tags.flatMap((tag) => tag.copies);
  const isAll = definition.plainMethod !== 'deps';
  await requireSigned(koji.hub, copies, wish, isAll ? null : wantedNamesOf(definition));
  const present = await Promise.all(
    read.tags.map(async (tag) => ({ ...tag, copies: await dropAbsent(koji.source.files, tag.copies) })),
  );
  const indexed = await indexCopies(
    koji.indexContext(context),
    present.flatMap((tag) => tag.copies),
  );
  const places = { lookasides: listLookasides(definition), others: [] };
  const { loaded, lookasides } = await openRepositories(means, places, signal);
  const set = await inTurns(prepareSet(koji.index, indexed, loaded));
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
      lookasides,
      modules: modulesByArch(definition, modules.described),
      archRestrictionsOf: (id) => set.byPkgid.get(set.index.pkgidOf(id))?.facts ?? null,
    },
    describe: (id) => packageOfSet(koji, set, id),
    reader: kojiReader(koji),
    readPackage: (one) => readPackage(means.readUrl, one, signal),
    event: event.id,
    warnings: modules.warnings,
    parts: null,
    requireSigned: (names) => requireSigned(koji.hub, copies, wish, names),
    async isTrue() {
      const answers = await Promise.all(read.pins.map((pin) => isPinTrue(koji.hub, pin, { signal })));
      if (answers.every(Boolean)) return true;
      for (const { tag } of read.pins) koji.tags.forget(tag);
      return false;
    },
    listRemarks: () => [],
  };
}

/** Throws `main.not_native` where the service does not read the Koji of the configuration. */
function kojiOf({ koji, config }: KojiMeans, { profile }: KojiInput): Koji {
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

interface ReadModules {
  /** By uid. */
  readonly described: ReadonlyMap<string, readonly DescribedModule[]>;
  readonly warnings: readonly string[];
}

async function readModules(
  koji: Koji,
  definition: MainDefinition,
  event: KojiEvent,
  signal: AbortSignal,
): Promise<ReadModules> {
  const hub = kojiModuleHub(koji.hub, event.id, { signal });
  const { byVariant, warnings } = await resolveVariantModules(hub, definition, event.at / 1000);
  const builds = [...byVariant.values()].flat();
  if (builds.length === 0) return { described: new Map(), warnings };
  const known = await describeModules(koji, builds, signal);
  const describedOf = (build: KojiModuleBuild): DescribedModule[] => {
    const described = known.get(build);
    return described === undefined ? [] : [described];
  };
  const described = new Map(Array.from(byVariant, ([uid, own]) => [uid, own.flatMap(describedOf)]));
  return { described, warnings };
}

interface ReadTag {
  readonly tag: string;
  readonly variants: ReadonlySet<string> | null;
  readonly copies: readonly ChosenCopy[];
}

async function readTags(
  koji: Koji,
  { signal }: SelectContext,
  definition: MainDefinition,
  input: KojiInput,
  event: KojiEvent,
  modules: ReadModules['described'],
): Promise<{ readonly tags: readonly ReadTag[]; readonly pins: readonly KojiPin[] }> {
  const wanted: WantedTag[] = [
    ...listModuleTags(modules, input.areModulesInherited),
    ...input.tags.map((tag) => ({ tag, isInherited: input.isInherited, modules: null })),
  ];
  const query: PackageSetQuery = {
    builds: input.builds,
    scratchTasks: input.scratchTasks,
    arches: archesOf(definition),
    onlyNames: null,
  };
  const extra = await readExtraContent(koji.hub, query, signal);
  const wish = wishOf(definition);
  const names = wantedNamesOf(definition);
  const read = await mapBounded(wanted, TAGS_AT_ONCE, async ({ tag, isInherited, modules: own }) => {
    const asked = { tag, event: event.id, inherit: isInherited };
    const { content, pin } = await koji.tags.read(asked, koji.clock.now(), signal);
    const beside = own === null ? extra : { builds: [], scratch: [] };
    const packages = makePackageSet(content, beside, query).filter(acceptsArtifacts(own?.described));
    const chosen = definition.plainMethod === 'nodeps' ? chooseWanted(packages, names) : packages;
    const copies = await chooseCopies(chosen, wish, koji.source.files, koji.index.knownCopies());
    return { pin, read: { tag, variants: own?.variants ?? null, copies } };
  });
  return { tags: read.map((one) => one.read), pins: read.map((one) => one.pin) };
}

/** The tag of every module once, whatever variants have it. */
function listModuleTags(modules: ReadModules['described'], isInherited: boolean): WantedTag[] {
  const byTag = new Map<string, { described: DescribedModule[]; variants: Set<string> }>();
  for (const [uid, described] of modules) {
    for (const module of described) {
      const { contentTag } = module.build;
      const known = byTag.get(contentTag) ?? { described: [module], variants: new Set<string>() };
      known.variants.add(uid);
      byTag.set(contentTag, known);
    }
  }
  return Array.from(byTag, ([tag, own]) => ({ tag, isInherited, modules: own }));
}

function acceptsArtifacts(described: readonly DescribedModule[] | undefined): (one: KojiPackage) => boolean {
  if (described === undefined) return () => true;
  const names = artifactNamesOf(described.flatMap(({ documents }) => [...documents.values()]));
  return ({ rpm }) => rpm.arch === 'src' || names.has(`${rpm.name}.${rpm.arch}`);
}

function archesOf(definition: MainDefinition): ReadonlySet<string> {
  const arches = new Set(['src']);
  for (const arch of archesOfVariants(definition.variants)) {
    const { native, multilib } = archListsOf(arch);
    for (const one of [...native, ...(hasMultilib(definition, arch) ? multilib : [])]) arches.add(one);
  }
  return arches;
}

function chooseWanted(packages: readonly KojiPackage[], names: ReadonlySet<string>): KojiPackage[] {
  const listed = packages.map((one) => {
    const { name, arch } = one.rpm;
    return { name, arch, packageName: one.kind === 'build' ? one.build.packageName : name, one };
  });
  return chooseWantedRpms(listed, names).map(({ one }) => one);
}

/** The numbers of copies in the index of a set, where a lookaside repository may have the same files. */
function idsOf({ index, repository }: PreparedSet, copies: readonly IndexedCopy[]): number[] {
  const ids = copies.flatMap(({ facts }) =>
    index.packagesByPkgid(facts.pkgid).filter((id) => index.columns.repository.at(id) === repository),
  );
  return [...new Set(ids)];
}
