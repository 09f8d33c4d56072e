import { join } from 'node:path';
import type { Clock } from '../clock.ts';
import type { Config } from '../config.ts';
import type { Database } from '../database/database.ts';
import type { DatabaseHandle } from '../database/database-handle.ts';
import type { Log } from '../log.ts';
import { type SourceType, sourceDefinitions } from '../source-types.ts';
import { hubOfRequest, pickHub, splitHub, withoutHub, type HubName } from '../model/hub-name.ts';
import { repositoryPolicy } from '../upstream/http/fetch-policy.ts';
import { parseHostList } from '../upstream/http/host-list.ts';
import { HttpClient } from '../upstream/http/http-client.ts';
import { connectBodhiAdvisories } from '../upstream/bodhi-advisories.ts';
import { connectErrataAdvisories } from '../upstream/errata-advisories.ts';
import { repositoryReader } from '../upstream/read-repository-url.ts';
import { CacheRegistry, type Cache } from '../cache/cache-registry.ts';
import { documentTypes } from './documents/document-types.ts';
import { openOriginFetcher } from './fetch-origin.ts';
import { openModules } from './modules/open-modules.ts';
import { PackageStore } from '../cache/package-store.ts';
import { restrictionsCache } from './repositories/read-restrictions.ts';
import type { OutputSettings } from './plan.ts';
import { placeOpener } from './repositories/open-place.ts';
import type { MetadataKeys } from './signing/metadata-key.ts';
import type { SelectPackages, SourcePackage } from './selection.ts';
import type { OpenedBy, SourceContext } from './sources/source-definition.ts';
import type { Koji } from './koji/koji.ts';
import { bodhiEvents, errataEvents } from './koji/advisory-events.ts';
import { openAdvisoryFinder, type AdvisoryFinder } from './koji/advisory-finder.ts';
import { configuredProfiles, fileServersOf, openKojis } from './koji/open-koji.ts';
import { openImageKoji, type ImageKoji } from './images/image-koji.ts';
import { warmBuild } from './koji/warm-build.ts';

/** What composes are made of, as the settings say. Dispose of it when done. */
export interface OpenedSources extends Disposable {
  readonly sources: Readonly<Partial<Record<SourceType, SelectPackages>>>;
  readonly output: OutputSettings;
  readonly metadataKeys: MetadataKeys;
  readonly store: PackageStore;
  readonly localPathOf: (rpm: SourcePackage, signal: AbortSignal) => Promise<string>;
  /** Reads what a build says of its packages, for the arches and signing keys of the settings; null without Koji. */
  readonly warm: ((nvr: string, signal: AbortSignal) => Promise<number>) | null;
  /** What makes images of main composes; null where nothing does. */
  readonly imageKoji: ImageKoji | null;
  /** Where the files of Kojis are mounted. */
  readonly kojiTopDirs: readonly string[];
  /** Name of a target directory to its path. */
  readonly targetDirs: Readonly<Record<string, string>>;
  /** Every cache that was opened. */
  readonly caches: CacheRegistry;
}

export interface SourceResources {
  readonly clock: Clock;
  readonly log: Log;
  /** Where composes of composes look theirs up; without one that source type is not offered. */
  readonly database: Pick<Database, 'kysely'> | null;
}

/** A source type, and how it is opened. */
export interface OpenableSource extends OpenedBy {
  readonly type: SourceType;
}

/** The job of the compose comes again by itself. */
const METADATA_TRIES = 2;
const GIB = 1024 ** 3;

/** Opens every source type that the settings offer. Throws what opening Koji throws. */
export async function openSources(
  config: Config,
  { clock, log, database }: SourceResources,
  definitions: readonly OpenableSource[] = sourceDefinitions,
): Promise<OpenedSources> {
  using stack = new DisposableStack();
  const targetDirs = { ...config.extra_target_dirs, default: config.target_dir };
  const caches = new CacheRegistry();
  const store = caches.register(
    new PackageStore(join(config.target_dir, '.packages'), config.packages_kept_gib * GIB),
  );
  const kojiServers = fileServersOf(config);
  const policy = repositoryPolicy(
    parseHostList(config.repo_hosts),
    kojiServers.map(({ topUrl }) => topUrl),
  );
  const fetcher = stack.use(openOriginFetcher({ store, clock, policy, kojiServers }));
  const http = stack.use(new HttpClient({ policy, tries: METADATA_TRIES }));
  const readUrl = repositoryReader(http);
  const openPlace = placeOpener({ kysely: database?.kysely ?? null, targetDirs });
  const kojis = openKojis(config, { store, clock, log, readUrl, openPlace });
  for (const [hub, koji] of kojis) caches.register(ofHubOnly(hub, stack.use(koji)));
  caches.register(restrictionsCache);
  const advisories = findAdvisories(config, { kysely: database?.kysely ?? null, clock, caches });
  const ofHub = (koji: Koji | null, settings: Config): SourceContext => ({
    config,
    koji,
    advisories: koji === kojis.get(null) ? advisories : null,
    modules: koji === null ? null : openModules(settings, koji),
    kysely: database?.kysely ?? null,
    http,
    readUrl,
    openPlace,
    targetDirs,
    documentTypes,
    caches,
  });
  const contexts = new Map<HubName, SourceContext>([[null, ofHub(kojis.get(null) ?? null, config)]]);
  // MBS knows the modules of the default hub only.
  for (const [hub, koji] of kojis)
    if (hub !== null) contexts.set(hub, ofHub(koji, { ...config, mbs_url: '' }));
  const sources = await openDefinitions(definitions, contexts);
  const opened = stack.move();
  return {
    sources,
    output: { delivery: config.delivery, compression: config.repodata_compression },
    metadataKeys: config,
    store,
    localPathOf: (rpm, signal) => fetcher.localPathOf(rpm, signal),
    warm: kojis.size === 0 ? null : warmer(config, kojis),
    imageKoji: openImageKoji(config, {
      koji: kojis.get(null),
      profile: configuredProfiles(config).get(null),
    }),
    kojiTopDirs: [...kojis.values()].flatMap(({ source }) =>
      source.kind === 'directory' ? [source.files.where] : [],
    ),
    targetDirs,
    caches,
    [Symbol.dispose]: () => opened.dispose(),
  };
}

/** Opens what finds advisories, where the settings say. Bodhi and Errata Tool know the builds of the default hub only. */
function findAdvisories(
  { updateinfo, bodhi_url: bodhiUrl, errata_url: errataUrl }: Config,
  context: {
    readonly kysely: DatabaseHandle | null;
    readonly clock: Clock;
    readonly caches: CacheRegistry;
  },
): AdvisoryFinder | null {
  const { kysely, clock, caches } = context;
  switch (updateinfo) {
    case 'none':
      return null;
    case 'bodhi': {
      const source = connectBodhiAdvisories(bodhiUrl);
      return caches.register(openAdvisoryFinder({ source, events: bodhiEvents, kysely, clock }));
    }
    case 'errata': {
      const source = connectErrataAdvisories(errataUrl);
      return caches.register(openAdvisoryFinder({ source, events: errataEvents, kysely, clock }));
    }
    default:
      return updateinfo satisfies never;
  }
}

/** The caches of the Koji of a hub, which people tell from those of the default one. */
function ofHubOnly(hub: HubName, koji: Koji): Cache {
  const named = (name: string): string => (hub === null ? name : `${name} of ${hub}`);
  return {
    measure: () => koji.measure().map((size) => ({ ...size, name: named(size.name) })),
    prune: (now) => koji.prune(now),
  };
}

type Kojis = ReadonlyMap<HubName, Koji>;

function warmer({ arches, sigkeys }: Config, kojis: Kojis): OpenedSources['warm'] {
  const wanted = { sigkeys, arches: new Set([...arches, 'noarch', 'src']) };
  return async (nvr, signal) => {
    const { hub, name } = splitHub(nvr);
    return warmBuild(pickHub(kojis, hub), { nvr: name, ...wanted }, signal);
  };
}

/** Opens those source types that the settings offer, of Koji for each hub. Throws what opening one throws. */
async function openDefinitions(
  definitions: readonly OpenableSource[],
  contexts: ReadonlyMap<HubName, SourceContext>,
): Promise<OpenedSources['sources']> {
  const sources: Partial<Record<SourceType, SelectPackages>> = {};
  for (const { type, isOfHub = false, open } of definitions) {
    const selects = new Map<HubName, SelectPackages>();
    for (const [hub, context] of contexts) {
      const select = hub === null || isOfHub ? await open(context) : null;
      if (select !== null) selects.set(hub, select);
    }
    const only = selects.get(null);
    if (only !== undefined) sources[type] = isOfHub ? selectFromHub(selects) : only;
  }
  return sources;
}

/** Lets each request be selected from the hub that it names. Throws `koji.hubs_mixed`, `koji.hub_unknown`. */
function selectFromHub(hubs: ReadonlyMap<HubName, SelectPackages>): SelectPackages {
  return async (context, request) => {
    const hub = hubOfRequest(request);
    const select = pickHub(hubs, hub);
    if (hub === null) return select(context, request);
    const { selection, reader } = await select(context, withoutHub(request));
    if (request.sourceType === 'module') return { selection, reader };
    const pins = { ...selection.pins, source: request.source.join(' ') };
    return { selection: { ...selection, pins }, reader };
  };
}
