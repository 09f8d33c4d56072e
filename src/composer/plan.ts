import { createHash } from 'node:crypto';
import { rest } from '../in-turns.ts';
import { instrument, instrumentNow } from '../instrument.ts';
import { bitSum, composeResults, type ComposeRequest, type ComposeResult } from '../model/compose.ts';
import { ReactorError } from '../model/errors.ts';
import { fingerprintOf, manifestOf } from '../model/fingerprint.ts';
import { findNotOffered, type Offers } from '../model/offers.ts';
import { multilibMethodsOf, packagesOf } from '../model/request-rules.ts';
import { type SourceType, sourceTypeNames } from '../source-types.ts';
import { knownComposeType } from '../rpm/productmd.ts';
import { listManifestLines } from './manifest-lines.ts';
import { checkPresent } from './requested-packages.ts';
import type { Delegate } from './delegate.ts';
import type { PackageReader, SelectContext, Selection, SelectPackages } from './selection.ts';

export interface PlanContext extends SelectContext {
  /** The source types this composer knows. */
  readonly sources: Readonly<Partial<Record<SourceType, SelectPackages>>>;
  /** The results it makes; repositories alone where this is left out. */
  readonly results?: readonly ComposeResult[];
  /** Settings that shape the output of every compose. */
  readonly output: OutputSettings;
  /** Fingerprint of the key that signs the metadata; left out where none does. */
  readonly signedBy?: string;
  /** Of this service: another one may plan otherwise. */
  readonly version?: string;
}

export interface OutputSettings {
  readonly delivery: 'link' | 'copy' | 'reference';
  readonly compression: 'zstd' | 'gzip';
}

/** What a compose will be, decided: the packages, and the fingerprint of all that shapes its bytes. Plain data. */
export interface ComposePlan {
  readonly request: ComposeRequest;
  readonly selection: Selection;
  /** Sorted lines; what the fingerprint is the hash of. */
  readonly manifest: readonly string[];
  readonly fingerprint: string;
}

/** Characters of what a request reads that its stage names. */
const MOST_TOLD = 200;

/** A plan of this process, with the way to the packages it names. */
export interface ReadyPlan extends ComposePlan {
  readonly reader: PackageReader;
  /** Digest of all that decided it; null where the same may bring another plan. */
  readonly inputs: string | null;
  readonly delegate?: Delegate;
}

/** Returns what a composer can make. */
export function offersOf({
  sources,
  results = ['repository'],
}: Pick<PlanContext, 'sources' | 'results'>): Offers {
  return { sourceTypes: sourceTypeNames.filter((type) => sources[type] !== undefined), results };
}

/**
 * Reads the inputs of a request and decides what its compose holds; writes nothing, so it also serves dry runs
 * and "has anything changed". Throws what the source throws, `compose.source_type_unavailable`,
 * `compose.result_unavailable`, `compose.unresolved_dependencies` (flag check_deps), `compose.packages_missing`.
 */
export async function planCompose(context: PlanContext, request: ComposeRequest): Promise<ReadyPlan> {
  return instrumentPlan(request, () => makePlan(context, request));
}

/** Runs the planning of a request as the stage it is. Throws what `work` throws. */
export function instrumentPlan<T>(request: ComposeRequest, work: () => Promise<T>): Promise<T> {
  return instrument(
    'plan',
    { source_type: request.sourceType, source: request.source.join(' ').slice(0, MOST_TOLD) },
    work,
  );
}

/** Plans as `planCompose` does, as a part of a stage that is begun already. Throws what that throws. */
export async function makePlan(context: PlanContext, request: ComposeRequest): Promise<ReadyPlan> {
  const select = context.sources[request.sourceType];
  const notOffered = findNotOffered(request, offersOf(context));
  if (notOffered !== undefined) {
    throw new ReactorError(notOffered.code, notOffered.message, { hint: notOffered.hint });
  }
  if (select === undefined) throw new Error(`${request.sourceType} is offered, but has no source.`);
  context.progress('plan', 0, 1, 'step');
  const { noteInputs } = context;
  const {
    selection: selected,
    reader,
    inputs,
    delegate,
  } = await select(
    noteInputs === undefined
      ? context
      : {
          ...context,
          noteInputs: ({ digest: own, pins }) =>
            noteInputs({ digest: digestOfInputs(context, request, own), pins }),
        },
    request,
  );
  const remarks = [...selected.remarks, ...remarksOf(request)];
  const selection: Selection = { ...selected, remarks };
  await rest();
  if (delegate !== undefined && request.results.some((result) => result !== 'repository')) {
    throw new ReactorError(
      'compose.result_unavailable',
      'Pungi makes what its configuration says, and no other results.',
      { hint: 'Leave `results` out, and let the configuration say it.' },
    );
  }
  checkDependencies(request, selection);
  if (delegate === undefined) checkPresent(packagesOf(request) ?? [], selection);
  await rest();
  const manifest = instrumentNow('plan.manifest', {}, () =>
    manifestOf({
      variants: selection.variants,
      trees: selection.trees,
      packageLines: listManifestLines(selection, context.output),
      documents: selection.documents.map((document) => ({ ...document, digest: digest(document.bytes) })),
      options: {
        delivery: context.output.delivery === 'reference' ? 'reference' : 'files',
        compression: context.output.compression,
        results: String(bitSum(composeResults, request.results)),
        respin_of: request.respinOf ?? '',
        ...parentOptions(request),
        modules_json: digest(Buffer.from(JSON.stringify(selection.modulesJson))),
        ...foreignOptions(selection),
        ...releaseOptions(request, selection),
        // What another key signed is not this compose, nor is what none did.
        ...(context.signedBy === undefined ? {} : { signed_by: context.signedBy }),
        ...treeOptions(selection),
        ...imageOptions(selection),
        ...Object.fromEntries(
          selection.replaced.map(({ build, instead }) => [`replaced ${build}`, instead ?? 'nothing']),
        ),
        ...delegate?.options,
        notes: digest(Buffer.from([...selection.notes, ...selection.warnings].join('\n'))),
      },
    }),
  );
  await rest();
  return {
    request,
    selection,
    reader,
    manifest,
    fingerprint: fingerprintOf(manifest),
    ...(delegate === undefined ? {} : { delegate }),
    inputs: inputs === undefined ? null : digestOfInputs(context, request, inputs),
  };
}

/** The composes that metadata name as those it is made from. */
function parentOptions({ parentPungiComposeIds }: ComposeRequest): Readonly<Record<string, string>> {
  const parents = parentPungiComposeIds ?? [];
  return parents.length === 0 ? {} : { parents: parents.join(' ') };
}

/** The digest of what a source reads, and of what the request and the settings say beside it. */
function digestOfInputs(
  { output, signedBy, version }: PlanContext,
  request: ComposeRequest,
  ofSource: string,
): string {
  const { sourceType, results, flags, respinOf, composeType, label } = request;
  const settings = [version, output.delivery, output.compression, signedBy];
  const parents = Object.values(parentOptions(request));
  const asked = [
    sourceType,
    bitSum(composeResults, results),
    flags.toSorted(),
    respinOf,
    composeType,
    label,
    parents,
  ];
  return digest(Buffer.from(JSON.stringify([settings, asked, ofSource])));
}

/** What every source leaves undone in the same way. Source: pungi contract 1.2. */
function remarksOf(request: ComposeRequest): readonly string[] {
  const { multilibArches } = request;
  const isInVain =
    multilibArches.length > 0 &&
    multilibArches.every((arch) => multilibMethodsOf(request, arch).length === 0);
  return isInVain
    ? ['32-bit packages are left out: multilib_arches is set, but multilib_method is none.']
    : [];
}

/** Repositories that are only named: where they are, and what their metadata were. */
function foreignOptions({ foreign }: Selection): Readonly<Record<string, string>> {
  return Object.fromEntries(
    foreign.map(({ id, url, maySkip, digests }) => [
      `repository ${id}`,
      [url, maySkip ? 'may skip' : 'must have', ...digests].join(' '),
    ]),
  );
}

/** Metadata repeat them, so that another release, type or label is another compose. */
function releaseOptions(
  { composeType, label }: ComposeRequest,
  { release, variants }: Selection,
): Readonly<Record<string, string>> {
  if (release === null) return {};
  const { name, short, version, type, isInternal, baseProduct, treeinfoVersion } = release;
  const described = variants.map((variant) => [
    variant.uid,
    variant.parent,
    variant.release,
    variant.emptyArches,
    variant.descriptions,
  ]);
  return {
    release: JSON.stringify([name, short, version, type, isInternal, baseProduct, treeinfoVersion]),
    variants: JSON.stringify(described),
    compose_type: knownComposeType(composeType),
    ...(label === null ? {} : { label }),
  };
}

/** What trees hold beside packages and documents, and how they are laid out, where they are not as all trees are. */
function treeOptions({ layout, files, repoclosures }: Selection): Readonly<Record<string, string>> {
  const { areDirectoriesHashed, checksum } = layout;
  return {
    ...(areDirectoriesHashed ? {} : { hashed_directories: 'no' }),
    ...(checksum === 'sha256' ? {} : { checksum }),
    ...(files === null ? {} : { files: String(files.length) }),
    ...Object.fromEntries(
      (files ?? []).map((file) => [
        `file ${file.variant}/${file.arch}/${file.path}`,
        `${digest(file.bytes)} ${Object.keys(file.checksums).join()}`,
      ]),
    ),
    ...(repoclosures.length === 0 ? {} : { repoclosures: digest(Buffer.from(JSON.stringify(repoclosures))) }),
  };
}

/** Equal repositories with other images are another compose. */
function imageOptions({ imageTasks }: Selection): Readonly<Record<string, string>> {
  return Object.fromEntries(
    imageTasks.map((task, at) => [
      `image ${at} ${task.phase} ${task.variant}`,
      digest(Buffer.from(JSON.stringify(task))),
    ]),
  );
}

function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Source: pungi contract 1.10. */
function checkDependencies(request: ComposeRequest, { unresolved }: Selection): void {
  if (!request.flags.includes('check_deps') || unresolved.length === 0) return;
  const sentences = unresolved.map(
    (complaint) =>
      `Unresolved dependencies for ${complaint.variant}.${complaint.arch} in package ${complaint.package}: ${complaint.dependencies.join(', ')}`,
  );
  throw new ReactorError(
    'compose.unresolved_dependencies',
    `Unresolved dependencies detected. ${sentences.join('; ')}`,
    { hint: 'Without the flag check_deps such packages are composed all the same.' },
  );
}
