import type { SourceType } from '../source-types.ts';
import type { Database } from '../database/database.ts';
import type { Log } from '../log.ts';
import type { ComposeRequest, ComposeResult } from '../model/compose.ts';
import type { ServerPaths } from '../model/server-paths.ts';
import type { BlockCache } from '../rpm/repodata/block-cache.ts';
import type { CacheRegistry } from '../cache/cache-registry.ts';
import type { PackageStore } from '../cache/package-store.ts';
import type { PlacingThread } from './build/placing-thread.ts';
import type { Cts } from '../upstream/cts.ts';
import type { ImageKoji } from './images/image-koji.ts';
import type { OutputSettings, PlanContext } from './plan.ts';
import type { StorageWatch } from './storage/storage-watch.ts';
import type { SelectContext, SelectPackages, SourcePackage } from './selection.ts';
import { metadataKeyOf, type MetadataKeys, type SignedPlace } from './signing/metadata-key.ts';
import type { TargetDirUrls } from '../model/target-dir-urls.ts';

/** What the composer works with; made once per process. */
export interface ComposerContext {
  readonly database: Database;
  readonly log: Log;
  /** Of this service. */
  readonly version: string;
  readonly sources: Readonly<Partial<Record<SourceType, SelectPackages>>>;
  readonly output: OutputSettings;
  /** The keys that sign metadata, and which signs what. */
  readonly metadataKeys: MetadataKeys;
  readonly blocks: BlockCache;
  readonly placing: PlacingThread;
  readonly localPathOf: (rpm: SourcePackage, signal: AbortSignal) => Promise<string>;
  /** What it makes of every source. */
  readonly results: readonly ComposeResult[];
  /** Where programs are looked for, as `PATH` says it. */
  readonly searched: string;
  /** What main composes are registered with; null where there is none. */
  readonly cts: Cts | null;
  /** What makes images of main composes; null where nothing does. */
  readonly imageKoji: ImageKoji | null;
  /** Downloaded packages. */
  readonly store: PackageStore;
  /** Every cache of the process. */
  readonly caches: CacheRegistry;
  /** Name of a target directory to its path; `default` is always there. */
  readonly targetDirs: Readonly<Record<string, string>>;
  /** How they are. */
  readonly storage: Pick<StorageWatch, 'trouble' | 'isOurs'>;
  /** Public URLs of the target directories. */
  readonly targetDirUrls: TargetDirUrls;
  /** What clients must not read of. */
  readonly serverPaths: ServerPaths;
  /** Further composes that a process may have at a time because others make them, or their images; 0 where none do. */
  readonly waitingPlaces: number;
  /** Seconds a compose may take. */
  readonly composeTimeout: number;
  /** The body of a rule's request, checked as POST checks it. Throws what the check throws. */
  readonly parseRequest: (body: unknown) => ComposeRequest;
}

/** What planning needs of it, for a compose that will lie in a place. */
export function planContext(
  context: Pick<ComposerContext, 'sources' | 'output' | 'metadataKeys'> &
    Partial<Pick<ComposerContext, 'version' | 'results'>>,
  place: SignedPlace,
  select: SelectContext,
): PlanContext {
  const key = metadataKeyOf(context.metadataKeys, place);
  return {
    ...select,
    sources: context.sources,
    output: context.output,
    ...(context.results === undefined ? {} : { results: context.results }),
    ...(context.version === undefined ? {} : { version: context.version }),
    ...(key === null ? {} : { signedBy: key.fingerprint }),
  };
}
