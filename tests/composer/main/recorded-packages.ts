import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { addRecords, type LocatedRecord } from '../../../src/composer/gather/add-records.ts';
import type { ArchRestrictions } from '../../../src/composer/gather/gather-package-set.ts';
import { GatherIndex } from '../../../src/composer/gather/gather-index.ts';
import { fileSourcesOf, loadRepositories } from '../../../src/composer/gather/load-repositories.ts';
import type { MainDefinition } from '../../../src/composer/main/main-definition.ts';
import {
  chooseWantedRpms,
  type MainPackages,
  type MainPackageSet,
} from '../../../src/composer/main/main-packages.ts';
import { gatherRepositorySet } from '../../../src/composer/main/repository-set.ts';
import {
  artifactNamesOf,
  modulesByArch,
  resolveVariantModules,
  type DescribedModule,
} from '../../../src/composer/main/variant-modules.ts';
import type { ModuleHub } from '../../../src/composer/modules/resolve-koji-modules.ts';
import { matchNamePattern } from '../../../src/model/name-pattern.ts';
import { readModuleStream, type ModuleStream } from '../../../src/rpm/modulemd.ts';
import type { KojiModuleBuild } from '../../../src/upstream/koji/hub-modules.ts';
import { wantedNamesOf } from '../../../src/composer/main/variant-inputs.ts';
import { archRestrictionsOf } from '../../../src/rpm/header/arch-restrictions.ts';
import { readRpmFile } from '../../../src/rpm/header/read-rpm-header.ts';
import { sigkeyOf } from '../../../src/rpm/header/sigkey.ts';
import { decodeRaw } from '../../../src/rpm/header/header-blob.ts';
import { rawFilesOf } from '../../../src/rpm/header/rpm-files.ts';
import { encodeRecord } from '../../../src/rpm/record-bytes.ts';
import { recordOf } from '../../../src/rpm/record-of.ts';
import { universe } from './recorded-vectors.ts';

const rpmSchema = z.object({ name: z.string(), version: z.string(), release: z.string(), arch: z.string() });
const stateSchema = z.object({
  builds: z.record(
    z.string(),
    z.object({ package_name: z.string(), version: z.string(), release: z.string() }),
  ),
  rpms: z.record(z.string(), z.array(rpmSchema)),
  tags: z.record(z.string(), z.array(z.string())),
  inheritance: z.record(z.string(), z.array(z.string())),
  module_builds: z.array(
    z.object({
      build_id: z.number(),
      package_name: z.string(),
      version: z.string(),
      release: z.string(),
      nvr: z.string(),
      completion_ts: z.number(),
      extra: z.object({
        typeinfo: z.object({
          module: z.object({
            name: z.string(),
            stream: z.string(),
            version: z.coerce.string(),
            context: z.string(),
            content_koji_tag: z.string(),
            modulemd_str: z.string(),
          }),
        }),
      }),
    }),
  ),
  module_tags: z.record(z.string(), z.array(z.string())),
});
/** When the event of the records was, in seconds. */
const EVENT_TIME = 1_794_000_000;
const state = stateSchema.parse(JSON.parse(readFileSync(join(universe, 'koji-state.json'), 'utf8')));

/** An RPM file of the recorded hub, or of a recorded repository. */
interface RecordedRpm {
  readonly located: LocatedRecord;
  readonly restrictions: ArchRestrictions;
  readonly sigkey: string | null;
}

const read = new Map<string, RecordedRpm>();

function readRpm(path: string): RecordedRpm {
  const known = read.get(path);
  if (known !== undefined) return known;
  const { header, pkgid, size } = readRpmFile(path, {});
  const files = rawFilesOf(header).map((file) => decodeRaw(file.path));
  const located = { record: encodeRecord(recordOf(header)), pkgid, href: path, size, files };
  const made = { located, restrictions: archRestrictionsOf(header), sigkey: sigkeyOf(header) };
  read.set(path, made);
  return made;
}

interface TaggedRpm {
  readonly name: string;
  readonly arch: string;
  readonly packageName: string;
  readonly paths: { readonly plain: string; readonly signed: (sigkey: string) => string };
}

/** What `listTaggedRPMS(latest=True)` has of a tag: of every package the build tagged last in the nearest tag. */
export function rpmsOfTag(tag: string, isInherited: boolean): TaggedRpm[] {
  const nvrs = new Map<string, string>();
  const visit = (name: string): void => {
    const own = new Map<string, string>();
    for (const nvr of state.tags[name] ?? []) own.set(state.builds[nvr]?.package_name ?? '', nvr);
    for (const [packageName, nvr] of own) if (!nvrs.has(packageName)) nvrs.set(packageName, nvr);
    if (isInherited) for (const parent of state.inheritance[name] ?? []) visit(parent);
  };
  visit(tag);
  return [...nvrs.values()].flatMap(rpmsOfBuild);
}

function rpmsOfBuild(nvr: string): TaggedRpm[] {
  const build = state.builds[nvr];
  if (build === undefined) throw new Error(`the record has no build ${nvr}`);
  const { package_name: packageName, version, release } = build;
  return (state.rpms[nvr] ?? []).map((rpm) => {
    const file = `${rpm.name}-${rpm.version}-${rpm.release}.${rpm.arch}.rpm`;
    const directory = join(universe, 'koji-topdir/packages', packageName, version, release);
    return {
      name: rpm.name,
      arch: rpm.arch,
      packageName,
      paths: {
        plain: join(directory, rpm.arch, file),
        signed: (sigkey) => join(directory, 'data/signed', sigkey, rpm.arch, file),
      },
    };
  });
}

/** The recorded packages of a compose, as its definition chooses them. */
export interface RecordedPackages extends MainPackages {
  readonly sigkeyOf: (id: number) => string | null;
  /** Names of RPMs whose signed copies are missing, by id of the unsigned one. */
  readonly unsigned: ReadonlyMap<number, string>;
  /** The file of a package. */
  readonly pathOf: (id: number) => string;
  /** What the finding of modules warned of. */
  readonly warnings: readonly string[];
}

/** Reads what a compose gathers from. */
export async function readPackages(definition: MainDefinition): Promise<RecordedPackages> {
  const lookasideLocations = [
    ...new Set(
      [...definition.settings.values()].flatMap((arches) =>
        [...arches.values()].flatMap((settings) => settings.lookasideRepositories),
      ),
    ),
  ];
  const { packages } = definition;
  if (packages.kind === 'composes') throw new Error('no record is made of composes');
  const locations =
    packages.kind === 'repositories' ? [...new Set([...packages.locations.values()].flat())] : [];
  const loaded = await loadRepositories({}, [
    ...lookasideLocations.map((location) => ({ location, isLookaside: true })),
    ...locations.map((location) => ({ location, isLookaside: false })),
  ]);
  const { index } = loaded;
  const files = fileSourcesOf(loaded);
  const lookasides = new Map(lookasideLocations.map((location, at) => [location, at]));
  const common = { index, files, lookasides, modules: new Map() };
  const pathOf = (id: number): string => {
    const { href } = index.locationOf(id);
    return href.startsWith('/') ? href : join(index.repositoryOf(id).name.replace('file://', ''), href);
  };
  const about = {
    pathOf,
    archRestrictionsOf: (id: number) => readRpm(pathOf(id)).restrictions,
    sigkeyOf: (id: number) => readRpm(pathOf(id)).sigkey,
  };
  if (packages.kind === 'repositories') {
    const byArch = new Map(
      Array.from(packages.locations, ([arch, list]) => [
        arch,
        list.map((location) => lookasideLocations.length + locations.indexOf(location)),
      ]),
    );
    const set = await gatherRepositorySet({}, definition, { index, files, byArch });
    return { ...common, ...about, sets: [set], unsigned: new Map(), warnings: [] };
  }
  const resolved = await resolveVariantModules(moduleHub, definition, EVENT_TIME);
  const described = new Map(
    Array.from(resolved.byVariant, ([uid, builds]) => [uid, builds.map(describeModule)]),
  );
  const modules = modulesByArch(definition, described);
  return {
    ...common,
    ...about,
    modules,
    warnings: resolved.warnings,
    ...readTags(definition, packages, index, described),
  };
}

/** Reads the documents of a module build from the recorded top directory. */
function describeModule(build: KojiModuleBuild): DescribedModule {
  const { packageName, version, release } = build.build;
  const directory = ['koji-topdir', 'packages', packageName, version, release, 'files', 'module'];
  const documents = new Map<string, ModuleStream>();
  for (const name of listRecorded(...directory)) {
    const arch = /^modulemd\.(\w+)\.txt$/.exec(name)?.[1];
    if (arch === undefined || arch === 'src') continue;
    const text = readFileSync(join(universe, ...directory, name), 'utf8');
    documents.set(arch, readModuleStream(text, name));
  }
  return { build, documents };
}

/** The module builds of the record, as a hub answers them. */
const moduleHub: ModuleHub = {
  listTaggedModules: async (tag) =>
    (await moduleHub.searchOrder(tag)).flatMap((tagName) =>
      (state.module_tags[tagName] ?? []).flatMap((nvr) =>
        state.module_builds
          .filter((build) => build.nvr === nvr)
          .map((build) => ({
            id: build.build_id,
            name: build.package_name,
            kojiStream: build.version,
            version: build.release.split('.', 1)[0] ?? '',
            tagName,
          })),
      ),
    ),
  searchOrder: (tag) => Promise.resolve([tag, ...(state.inheritance[tag] ?? [])]),
  searchBuilds(pattern) {
    const isMatch = matchNamePattern(pattern);
    return Promise.resolve(
      state.module_builds.filter(({ nvr }) => isMatch(nvr)).map(({ build_id: id }) => id),
    );
  },
  getModuleBuilds: (ids) =>
    Promise.resolve(
      ids.map((id) => {
        const row = state.module_builds.find((build) => build.build_id === id);
        if (row === undefined) return null;
        const { module } = row.extra.typeinfo;
        return {
          name: module.name,
          stream: module.stream,
          version: module.version,
          context: module.context,
          build: {
            id: row.build_id,
            packageName: row.package_name,
            version: row.version,
            release: row.release,
            epoch: null,
            nvr: row.nvr,
            state: 'complete',
            volume: 'DEFAULT',
            isDraft: false,
            taskId: null,
            tagName: null,
            tagEvent: null,
          },
          contentTag: module.content_koji_tag,
          modulemd: module.modulemd_str,
          completedAt: row.completion_ts,
        };
      }),
    ),
};

function readTags(
  definition: MainDefinition,
  input: Extract<MainDefinition['packages'], { kind: 'koji' }>,
  index: GatherIndex,
  described: ReadonlyMap<string, readonly DescribedModule[]>,
): { readonly sets: MainPackageSet[]; readonly unsigned: ReadonlyMap<number, string> } {
  const repository = index.addRepository({ name: 'koji', isLookaside: false });
  const ids = new Map<string, number>();
  const unsigned = new Map<number, string>();
  const wanted = wantedNamesOf(definition);
  const keys = definition.sigkeys.flatMap((key) => (key === null || key === '' ? [] : key.toLowerCase()));
  const isUnsignedFine = definition.sigkeys.some((key) => key === null || key === '');
  const moduleTags = new Map<string, { readonly module: DescribedModule; readonly variants: Set<string> }>();
  for (const [uid, modules] of described) {
    for (const module of modules) {
      const known = moduleTags.get(module.build.contentTag) ?? { module, variants: new Set<string>() };
      known.variants.add(uid);
      moduleTags.set(module.build.contentTag, known);
    }
  }
  const readTag = (
    tag: string,
    isInherited: boolean,
    variants: ReadonlySet<string> | null,
    accepts: (rpm: TaggedRpm) => boolean,
  ): MainPackageSet => {
    const rpms = rpmsOfTag(tag, isInherited).filter(accepts);
    const chosen = definition.plainMethod === 'nodeps' ? chooseWantedRpms(rpms, wanted) : rpms;
    const paths = chosen.map((rpm) => {
      const signed = keys.map(rpm.paths.signed).find(existsSync);
      return { rpm, path: signed ?? rpm.paths.plain, isMissing: signed === undefined && !isUnsignedFine };
    });
    const fresh = paths.filter(({ path }) => !ids.has(path));
    const added = addRecords(
      index,
      repository,
      fresh.map(({ path }) => readRpm(path).located),
    );
    fresh.forEach(({ path, rpm, isMissing }, at) => {
      const id = added[at] ?? -1;
      ids.set(path, id);
      if (isMissing) unsigned.set(id, rpm.name);
    });
    return { name: tag, ids: paths.map(({ path }) => ids.get(path) ?? -1), variants };
  };
  const ofModules = Array.from(moduleTags, ([tag, { module, variants }]) => {
    const names = artifactNamesOf(module.documents.values());
    return readTag(
      tag,
      input.areModulesInherited,
      variants,
      ({ name, arch }) => arch === 'src' || names.has(`${name}.${arch}`),
    );
  });
  const sets = [...ofModules, ...input.tags.map((tag) => readTag(tag, input.isInherited, null, () => true))];
  return { sets, unsigned };
}

/** Names of the files below a directory of the records. */
export function listRecorded(...parts: string[]): string[] {
  return readdirSync(join(universe, ...parts));
}
