import { readUntilTrue } from '../koji/read-until-true.ts';
import { createHash } from 'node:crypto';
import type { Config } from '../../config.ts';
import { inTurns } from '../../in-turns.ts';
import { instrument } from '../../instrument.ts';
import { ReactorError } from '../../model/errors.ts';
import type { ComposeRequest } from '../../model/compose.ts';
import { matchNamePattern } from '../../model/name-pattern.ts';
import { packagesOf } from '../../model/request-rules.ts';
import { readBesidePackages, type BesidePackages } from '../main/beside-packages.ts';
import { readExtraFiles } from '../main/extra-files.ts';
import type { ConfigFiles } from '../main/load-config.ts';
import type { SelectedLists } from '../gather/selected-lists.ts';
import type { DocumentType } from '../documents/document-type.ts';
import { makesImages } from '../images/image-koji.ts';
import { configuredProfiles } from '../koji/open-koji.ts';
import { uniteDocuments } from '../documents/unite-documents.ts';
import { gatherMain, type MainGather } from '../main/gather-main.ts';
import type { KnownTrees } from '../main/known-trees.ts';
import type { MainDefinition } from '../main/main-definition.ts';
import { checkLabel } from '../main/main-identity.ts';
import { selectMain } from '../main/main-selection.ts';
import { checkRepoclosure } from '../main/repoclosure.ts';
import { archesOfVariants } from '../main/variants.ts';
import type { RepoclosureCheck, SelectContext, Selected, SelectionPins } from '../selection.ts';
import type { PartContext } from '../parts/find-part.ts';
import { resolveImageSources } from './resolve-image-sources.ts';
import type { MainInput, PinnedInput } from './main-input.ts';
import { pinKojiPackages, type KojiResources } from './read-koji-packages.ts';
import { pinPartPackages } from './read-part-packages.ts';
import { pinRepositoryPackages } from './read-repository-packages.ts';

/** What the inputs of a definition are read with. */
export interface MainResources extends KojiResources {
  readonly config: Config;
  readonly documentTypes: readonly DocumentType[];
  /** Trees that were gathered before. */
  readonly trees: KnownTrees;
  /** What was selected before. */
  readonly lists: SelectedLists;
  /** Where composes that are parts are looked up; null where nothing is published. */
  readonly composes: PartContext | null;
}

/** A definition, and how the compose says where it is from. */
export interface SourcedDefinition {
  readonly source: string;
  /** Digest of all that was read for it, files beside packages included; null where that cannot be told. */
  readonly digest: string | null;
  readonly definition: MainDefinition;
  /** What reading it warns of. */
  readonly warnings: readonly string[];
  /** Sentences about this reading of it. */
  readonly remarks?: readonly string[];
  /** Those that it names and that lie beside it. */
  readonly files: ConfigFiles;
  /** Composes that are taken instead of those that series show now, by series. */
  readonly pinned?: ReadonlyMap<string, number>;
}

/**
 * Refuses a request whose label is none, or that names content beside its definition. Throws `main.label_invalid`,
 * `main.content_named`.
 */
export function checkMainRequest(request: ComposeRequest): void {
  refuseOwnContent(request);
  if (request.label !== null) checkLabel(request.label);
}

/**
 * Selects the main compose of a definition; tags that change meanwhile are read again. Throws `main.*`, `koji.*`, `repo.*`,
 * `rpm.*`, `module.*`.
 */
export async function selectDefinition(
  resources: MainResources,
  context: SelectContext,
  request: ComposeRequest,
  written: SourcedDefinition,
): Promise<Selected> {
  refuseImages(resources.config, context, written.definition);
  const sourced = await withCommits(resources.config, context, written);
  const beside = readBesidePackages(sourced.files, sourced.definition);
  const { packages } = sourced.definition;
  const tags = packages.kind === 'koji' ? packages.tags : [];
  // Where they never hold the inputs are not told: the same may bring another selection.
  return readUntilTrue(context, tags, async () => {
    const pinned = await pinInput(resources, context, request, sourced);
    const pins = pinsOf(sourced, pinned);
    const digest = digestOf(sourced, pinned.digest);
    if (context.noteInputs !== undefined && digest !== null && (await pinned.isTrue())) {
      await context.noteInputs({ digest, pins });
    }
    const selected = await pinned.use((input) =>
      select(resources, context, { ...sourced, beside }, { pins, input }),
    );
    return { selected, isTrue: pinned.isTrue };
  });
}

/** Returns the definition with the descriptions of its images at commits, which its digest tells then. Throws `git.*`. */
async function withCommits(
  { git_allowed_urls: allowed }: Config,
  { signal }: SelectContext,
  sourced: SourcedDefinition,
): Promise<SourcedDefinition> {
  const { definition, digest, remarks = [] } = sourced;
  if (definition.imageTasks.length === 0) return sourced;
  const resolved = await resolveImageSources({ allowed, signal }, definition.imageTasks);
  return {
    ...sourced,
    definition: { ...definition, imageTasks: resolved.tasks },
    digest: digest === null ? null : [digest, ...resolved.remarks].join(' '),
    remarks: [...remarks, ...resolved.remarks],
  };
}

/** Throws `main.images_unavailable`, `koji.login_by_kerberos`, `main.images_private` where Koji cannot make the images of a definition. */
function refuseImages(
  config: Config,
  { isPrivate = false }: SelectContext,
  { imageTasks }: MainDefinition,
): void {
  if (imageTasks.length === 0) return;
  if (!makesImages(config)) {
    const profile = configuredProfiles(config).get(null);
    if (profile?.isByKerberos === true) {
      throw new ReactorError(
        'koji.login_by_kerberos',
        `The Koji profile "${profile.name}" logs in by Kerberos, and the settings name no keytab, so that Koji makes no images for the service.`,
        {
          where: profile.files.join(', '),
          hint: 'Set koji_login_keytab and koji_login_principal, or koji_login_certificate, or leave the images out.',
        },
      );
    }
    throw new ReactorError(
      'main.images_unavailable',
      'The definition has images, which Koji makes only for who is logged in.',
      { hint: 'Set koji_profile and koji_login_certificate or koji_login_keytab, or leave the images out.' },
    );
  }
  if (isPrivate) {
    throw new ReactorError(
      'main.images_private',
      'Koji cannot read the repositories of a private compose to make images of it.',
      { hint: 'Leave readers out, or the images.' },
    );
  }
}

/** Throws `main.content_named` for a request that names content beside its configuration. */
function refuseOwnContent(request: ComposeRequest): void {
  const named = {
    packages: packagesOf(request),
    builds: request.builds,
    modules: request.modules,
    modular_koji_tags: request.modularKojiTags,
    scratch_modules: request.scratchModules,
    scratch_build_tasks: request.scratchBuildTasks,
    lookaside_repos: request.lookasideRepos,
  };
  const fields = Object.entries(named).flatMap(([field, value]) => ((value ?? []).length > 0 ? [field] : []));
  if (fields.length === 0) return;
  throw new ReactorError(
    'main.content_named',
    `A compose of a configuration holds what the configuration says; the request names ${fields.join(', ')}.`,
    { hint: 'Leave them out, or name them in the configuration.' },
  );
}

function digestOf({ digest }: SourcedDefinition, ofInput: string | null): string | null {
  if (digest === null || ofInput === null) return null;
  return createHash('sha256')
    .update(JSON.stringify([digest, ofInput]))
    .digest('hex');
}

function pinsOf({ source, definition }: SourcedDefinition, { parts, event }: PinnedInput): SelectionPins {
  return {
    source: [source, ...parts].join(' '),
    kojiEvent: event,
    arches: archesOfVariants(definition.variants).join(' '),
    sigkeys: definition.sigkeys.map((key) => key ?? '').join(' '),
  };
}

async function pinInput(
  resources: MainResources,
  context: SelectContext,
  request: ComposeRequest,
  { definition, pinned = new Map() }: SourcedDefinition,
): Promise<PinnedInput> {
  const { packages } = definition;
  switch (packages.kind) {
    case 'koji':
      return pinKojiPackages(resources, context, request, definition, packages);
    case 'repositories':
      return pinRepositoryPackages(resources, context, definition, packages);
    case 'composes':
      return pinPartPackages(resources, context, definition, packages, pinned);
    default:
      return packages satisfies never;
  }
}

async function select(
  { documentTypes, trees, lists }: MainResources,
  { signal, progress }: SelectContext,
  sourced: SourcedDefinition & { readonly beside: BesidePackages },
  { pins, input }: { readonly pins: SelectionPins; readonly input: MainInput },
): Promise<Selected> {
  const { definition, warnings, remarks = [], beside, files: ownFiles } = sourced;
  const { packages, describe, reader, parts } = input;
  progress('gather', 0, 1, 'step');
  const gathered = await instrument('plan.gather', { method: 'main' }, () =>
    gatherMain({ definition, packages, signal, known: trees }),
  );
  await input.requireSigned(namesOf(input, gathered));
  const files = await readExtraFiles({
    files: ownFiles,
    definition,
    findPackage: (glob, arch) => findPackage(input, glob, arch),
  });
  const repoclosures = await listRepoclosures(definition, input, gathered);
  const ofMain = selectMain({
    definition,
    packages,
    gathered,
    pins,
    ...beside,
    moduleDocuments: [...beside.moduleDocuments, ...(parts?.moduleDocuments ?? [])],
    files,
    describe,
    lists,
  });
  const selection = await inTurns(ofMain);
  const inputs = digestOf(sourced, input.digestRead());
  const brought = await uniteDocuments(documentTypes, selection.trees, parts?.documents ?? []);
  return {
    selection: {
      ...selection,
      documents: [...selection.documents, ...brought.documents],
      repoclosures,
      unresolved: repoclosures.flatMap(({ variant, arch, unresolved }) =>
        unresolved.map(({ nevra, dependencies }) => ({ variant, arch, package: nevra, dependencies })),
      ),
      warnings: [...warnings, ...input.warnings, ...selection.warnings],
      remarks: [...remarks, ...input.listRemarks(), ...brought.remarks],
    },
    reader,
    ...(inputs === null ? {} : { inputs }),
  };
}

/** The first package of the sets of a compose that a glob names, as what reads its file. */
function findPackage(
  { packages: { index, sets }, describe, readPackage }: MainInput,
  nameGlob: string,
  arch?: string,
): (() => Promise<Buffer>) | null {
  const isMatch = matchNamePattern(nameGlob);
  for (const { ids } of sets) {
    const found = ids.find(
      (id) => isMatch(index.nameOf(id)) && (arch === undefined || index.archOf(id) === arch),
    );
    if (found !== undefined) return () => readPackage(describe(found));
  }
  return null;
}

function namesOf({ packages: { index } }: MainInput, { trees }: MainGather): ReadonlySet<string> {
  const binaries = [...trees.values()].flatMap((byArch) =>
    [...byArch.values()].flatMap((tree) => tree.binary),
  );
  return new Set(binaries.map((id) => index.nameOf(id)));
}

/** What the repoclosure of the configuration finds. Throws `main.repoclosure` for a tree whose repoclosure is fatal. */
async function listRepoclosures(
  definition: MainDefinition,
  { packages }: MainInput,
  { trees }: MainGather,
): Promise<RepoclosureCheck[]> {
  if (definition.output.skippedPhases.has('repoclosure')) return [];
  const reports = await checkRepoclosure({ definition, packages, trees });
  const sentences = reports
    .filter(({ strictness }) => strictness === 'fatal')
    .flatMap(({ variant, arch, unresolved }) =>
      unresolved.map(
        (broken) => `${broken.nevra} in ${variant}.${arch} requires ${broken.dependencies.join(', ')}`,
      ),
    );
  if (sentences.length > 0) {
    throw new ReactorError(
      'main.repoclosure',
      `Nothing provides what packages require: ${sentences.join('; ')}.`,
    );
  }
  return reports.map(({ strictness: _strictness, ...check }) => check);
}
