import { ReactorError } from '../../model/errors.ts';
import { checkModuleRequest, formatNsvc, kojiStream, type Nsvc } from '../../model/nsvc.ts';
import { readModuleDocuments, type ModuleStream } from '../../rpm/modulemd.ts';
import {
  getModuleBuilds,
  listModuleArchives,
  type KojiModuleBuild,
  type ModuleArchive,
} from '../../upstream/koji/hub-modules.ts';
import { listTaggedRpms } from '../../upstream/koji/hub-tags.ts';
import type { KojiHub } from '../../upstream/koji/hub.ts';
import type { KojiBuild, KojiRpm } from '../../upstream/koji/koji-build.ts';
import { modulePath } from '../../upstream/koji/koji-path.ts';
import { archListsOf } from '../../model/arches.ts';
import type { KojiFiles } from '../koji/koji-files.ts';
import { mapBounded } from '../koji/map-bounded.ts';

/** An RPM of a module's tag, with its build. */
export interface ModulePackage {
  readonly kind: 'build';
  readonly rpm: KojiRpm;
  readonly build: KojiBuild;
}

/** Everything that one module may bring: its documents by tree arch and the RPMs of its tag. */
export interface ModulePool extends Nsvc {
  readonly kojiTag: string;
  readonly documents: ReadonlyMap<string, ModuleStream>;
  readonly packages: readonly ModulePackage[];
}

export interface PoolContext {
  readonly hub: KojiHub;
  readonly files: KojiFiles;
  readonly signal?: AbortSignal;
}

/** Hubs answer these calls in milliseconds; more at once only queue there. */
const TAGS_AT_ONCE = 6;

/**
 * Reads the modules of a compose out of Koji at an event. Throws `module.invalid`, `koji.module_missing`, `module.no_arch_metadata`,
 * `module.arch_missing`, the codes of `readModuleDocuments`, of the hub and of its files.
 * Source: module contract 4.
 */
export async function loadModulePools(
  context: PoolContext,
  wanted: {
    readonly modules: readonly Nsvc[];
    readonly arches: readonly string[];
    readonly event: { readonly id: number; /** Milliseconds. */ readonly at: number };
  },
): Promise<readonly ModulePool[]> {
  const options = context.signal === undefined ? {} : { signal: context.signal };
  const nvrs = wanted.modules.map((module) => kojiNvr(checkModuleRequest(module)));
  const answers = await getModuleBuilds(context.hub, nvrs, options);
  const builds = wanted.modules.map((module, index) =>
    checkedBuild(module, nvrs[index] ?? '', answers[index] ?? null, wanted.event.at),
  );
  const archives = await listModuleArchives(
    context.hub,
    builds.map(({ build }) => build.id),
    options,
  );
  return mapBounded(builds, TAGS_AT_ONCE, async (build) => {
    const documents = await readDocuments(
      context.files,
      build,
      archives.get(build.build.id) ?? [],
      wanted.arches,
    );
    const { name, stream, version, context: contextName, contentTag } = build;
    const packages = await readTagPackages(context, contentTag, wanted.event.id);
    return { name, stream, version, context: contextName, kojiTag: contentTag, documents, packages };
  });
}

/** The RPMs of a module's tag, without inheritance. Throws `koji.tag_unknown`. */
export async function readTagPackages(
  context: PoolContext,
  tag: string,
  event: number,
): Promise<readonly ModulePackage[]> {
  const { rpms, builds } = await listTaggedRpms(context.hub, {
    tag,
    event,
    inherit: false,
    latest: true,
    signal: context.signal,
  });
  return rpms.flatMap((rpm) => {
    const build = builds.get(rpm.buildId);
    return build === undefined ? [] : [{ kind: 'build', rpm, build }];
  });
}

/** The build of a module: its stream with underscores, its version and context as release. */
function kojiNvr(module: Nsvc): string {
  return `${module.name}-${kojiStream(module.stream)}-${module.version}.${module.context}`;
}

function checkedBuild(
  module: Nsvc,
  nvr: string,
  found: KojiModuleBuild | null,
  eventAt: number,
): KojiModuleBuild {
  const isUsable =
    found !== null &&
    found.stream === module.stream &&
    found.build.state === 'complete' &&
    (found.completedAt === null || found.completedAt * 1000 <= eventAt);
  if (isUsable) return found;
  const why =
    found === null
      ? 'Koji has no module build of that name; scratch modules and modules that are not done have none.'
      : found.build.state !== 'complete'
        ? `The build is ${found.build.state}.`
        : found.stream === module.stream
          ? 'The build was completed after the Koji event of the compose.'
          : `The build is of the stream ${found.stream}.`;
  throw new ReactorError(
    'koji.module_missing',
    `No module build found for '${formatNsvc(module)}' (queried for '${nvr}')`,
    { hint: why },
  );
}

async function readDocuments(
  files: KojiFiles,
  build: KojiModuleBuild,
  archives: readonly ModuleArchive[],
  arches: readonly string[],
): Promise<ReadonlyMap<string, ModuleStream>> {
  const nsvc = formatNsvc(build);
  const byArch = new Map(
    archives.flatMap((archive) => {
      const arch = /^modulemd\.([A-Za-z0-9_]+)\.txt$/.exec(archive.fileName)?.[1];
      return arch === undefined || arch === 'src' ? [] : [[arch, archive]];
    }),
  );
  if (byArch.size === 0) {
    throw new ReactorError(
      'module.no_arch_metadata',
      `Module ${nsvc} has no metadata for any arch in Koji.`,
      {
        hint: 'Its build is from before MBS kept such files; build the module again.',
        where: build.build.nvr,
      },
    );
  }
  const documents = new Map<string, ModuleStream>();
  for (const arch of arches) {
    const rpmArch = [arch, ...archListsOf(arch).native].find((name) => byArch.has(name));
    const archive = rpmArch === undefined ? undefined : byArch.get(rpmArch);
    if (archive === undefined) throw archMissing(nsvc, arch, [...byArch.keys()]);
    const path = modulePath(build.build, archive.fileName);
    const text = Buffer.from(await files.read(path, 0, archive.size)).toString('utf8');
    const stream = readModuleDocuments(text, path).find((document) => document.kind === 'stream');
    if (stream !== undefined) documents.set(arch, stream);
  }
  return documents;
}

function archMissing(nsvc: string, arch: string, present: readonly string[]): ReactorError {
  return new ReactorError(
    'module.arch_missing',
    `Module ${nsvc} does not have metadata for arch ${arch} and is not filtered out via filter_modules option.`,
    { hint: `It was built for ${present.toSorted().join(', ')}; leave ${arch} out of the request.` },
  );
}
