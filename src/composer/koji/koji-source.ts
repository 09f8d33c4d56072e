import { inTurns, rest } from '../../in-turns.ts';
import { instrument } from '../../instrument.ts';
import { archListsOf } from '../../model/arches.ts';
import type { ComposeRequest } from '../../model/compose.ts';
import { ReactorError } from '../../model/errors.ts';
import { gatherMethodOf, multilibMethodsOf, packagesOf } from '../../model/request-rules.ts';
import { listComps } from '../documents/comps-document.ts';
import { listUnmatched, listUnresolved } from '../gather/gather-complaints.ts';
import { gatherPackageSet, type ArchResult } from '../gather/gather-package-set.ts';
import { newSelection, type SelectContext, type Selected, type SelectPackages } from '../selection.ts';
import { indexCopies } from './index-copies.ts';
import type { Koji } from './koji.ts';
import { collectTrees, kojiReader } from './koji-selection.ts';
import { fileSourcesOfSet, type PreparedSet } from './koji-gather-index.ts';
import {
  makePackageSet,
  readExtraContent,
  type KojiCopy,
  type KojiPackage,
  type PackageSetQuery,
} from './koji-package-set.ts';
import { isPinTrue, resolveEvent, type KojiPin } from './pin.ts';
import { chooseCopies, dropAbsent, readSigningWish, requireSigned, type SigningWish } from './signing.ts';

/**
 * The source types `tag` and `build`: builds of a Koji tag with those the request adds, or only those; scratch
 * builds beside them. Its select throws `koji.*`, `rpm.*` and what gather throws.
 * Source: Pungi contract 2.1 and 2.3; ODCS contract 15.
 */
export function kojiSource(koji: Koji): SelectPackages {
  return async (context, request) => {
    const tag = tagOf(request);
    for (let attempt = 1; ; attempt += 1) {
      const isLast = attempt === MOST_READS;
      const selected = await selectOnce(koji, context, request, tag).catch((error: unknown) => {
        // The tag may have been kept from before a build was moved to another volume.
        const isMoved = error instanceof ReactorError && error.code === 'koji.file_missing';
        if (isMoved && attempt === 1 && tag !== null) return null;
        throw error;
      });
      if (selected !== null) {
        const { ready, pin } = selected;
        if (pin === null || (await isPinTrue(koji.hub, pin, { signal: context.signal }))) return ready;
        if (isLast) {
          context.log.warn({ tag, attempt }, 'the tag changed at every reading; the last one is composed');
          return {
            ...ready,
            selection: { ...ready.selection, remarks: [...ready.selection.remarks, UNSTABLE] },
          };
        }
      }
      context.log.info({ tag, attempt }, 'the tag changed while it was read');
      koji.tags.forget(tag ?? '');
    }
  };
}

/** An event that is younger than a minute may have earlier ones appear below it while the tag is read. */
const MOST_READS = 3;
const UNSTABLE = `The tag changed while it was read, ${MOST_READS} times: what became visible meanwhile may be missing.`;

async function selectOnce(
  koji: Koji,
  context: SelectContext,
  request: ComposeRequest,
  tag: string | null,
): Promise<{ readonly ready: Selected; readonly pin: KojiPin | null }> {
  const query = packageSetQuery(request);
  context.progress('resolve', 0, 1, 'step');
  const { packages, event, pin } = await instrument('plan.read', { tag: tag ?? '' }, () =>
    readPackages(koji, context, request, tag, query),
  );
  const wish = readSigningWish(request.sigkeys);
  await rest();
  const copies = await chooseCopies(packages, wish, koji.source.files, await koji.index.knownCopies());
  await refuseEarly(koji, request, copies, wish);
  await rest();
  const indexed = await indexCopies(koji.indexContext(context), await dropAbsent(koji.source.files, copies));
  await rest();
  const wanted = { name: setName(request, tag), copies: indexed, lookaside: request.lookasideRepos };
  const ready = await koji.sets.use(wanted, context.signal, async (setOf) => {
    const sets = new Map<string, PreparedSet>();
    for (const arch of request.arches) sets.set(arch, await setOf(arch));
    const results = await gatherAll(koji, context, request, sets);
    await refuseGathered(koji, results, copies, wish);
    await rest();
    return selectionOf(koji, request, event, [...sets.values()], results);
  });
  return { ready, pin };
}

/** Source type `tag` has one tag, `build` none. Throws `koji.one_tag`, `koji.builds_missing`. */
function tagOf(request: ComposeRequest): string | null {
  if (request.sourceType === 'build') {
    if ((request.builds ?? []).length === 0 && (request.scratchBuildTasks ?? []).length === 0) {
      throw new ReactorError('koji.builds_missing', 'A compose of source type "build" names its builds.', {
        hint: 'Put the NVRs into "builds".',
      });
    }
    return null;
  }
  const [tag] = request.source;
  if (tag === undefined || request.source.length > 1) {
    throw new ReactorError('koji.one_tag', 'A compose of source type "tag" has exactly one Koji tag.');
  }
  return tag;
}

function packageSetQuery(request: ComposeRequest): PackageSetQuery {
  const arches = new Set(['src']);
  for (const arch of request.arches) {
    const { native, multilib } = archListsOf(arch);
    for (const one of native) arches.add(one);
    if (multilibMethodsOf(request, arch).length > 0) for (const one of multilib) arches.add(one);
  }
  const packages = packagesOf(request);
  return {
    builds: request.builds ?? [],
    scratchTasks: (request.scratchBuildTasks ?? []).map(Number),
    arches,
    onlyNames: gatherMethodOf(request) === 'nodeps' && packages !== null ? new Set(packages) : null,
  };
}

interface ReadPackages {
  readonly packages: readonly KojiPackage[];
  readonly event: number;
  readonly pin: KojiPin | null;
}

async function readPackages(
  koji: Koji,
  context: SelectContext,
  request: ComposeRequest,
  tag: string | null,
  query: PackageSetQuery,
): Promise<ReadPackages> {
  const { signal } = context;
  if (tag === null) {
    const event = await resolveEvent(koji.hub, request.kojiEvent, { signal });
    const extra = await readExtraContent(koji.hub, query, signal);
    return { packages: makePackageSet(null, extra, query), event: event.id, pin: null };
  }
  const inherit = !request.flags.includes('no_inheritance');
  const wish = { tag, event: request.kojiEvent, inherit };
  const read = await koji.tags.read(wish, koji.clock.now(), signal);
  const extra = await readExtraContent(koji.hub, query, signal);
  const packages = makePackageSet(read.content, extra, query, read.packages);
  return { packages, event: read.pin.event.id, pin: read.pin };
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

function setName(request: ComposeRequest, tag: string | null): string {
  const flags = request.flags.includes('no_inheritance') ? 'alone' : 'inherited';
  const arches = [...packageSetQuery(request).arches].sort().join(' ');
  return [tag ?? '', flags, arches, request.sigkeys.join(' '), gatherMethodOf(request) === 'nodeps'].join(
    '\n',
  );
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

async function selectionOf(
  koji: Koji,
  request: ComposeRequest,
  event: number,
  sets: readonly PreparedSet[],
  results: readonly ArchResult[],
): Promise<Selected> {
  const trees = await inTurns(collectTrees(koji, sets, results));
  const selection = newSelection({
    pins: { source: request.source.join(' '), kojiEvent: event },
    trees,
    documents: listComps(trees, packagesOf(request)),
    unresolved: listUnresolved(results),
    unmatched: listUnmatched(results),
  });
  return {
    selection,
    reader: kojiReader(
      koji,
      sets.map(({ byPkgid }) => byPkgid),
    ),
  };
}
