import { join } from 'node:path';
import type { Cache, CacheSize } from '../../cache/cache-registry.ts';
import type { Clock } from '../../clock.ts';
import { ReactorError } from '../../model/errors.ts';
import type { HostList } from '../../upstream/http/host-list.ts';
import type { TlsIdentity } from '../../upstream/http/http-client.ts';
import { readTlsIdentity, type KojiProfile } from '../../upstream/koji/koji-profile.ts';
import { KojiHub, type KojiHubOptions } from '../../upstream/koji/hub.ts';
import type { PackageStore } from '../../cache/package-store.ts';
import type { SelectContext } from '../selection.ts';
import type { IndexContext, KojiFileSource } from './index-copies.ts';
import { openTopDir } from './koji-files.ts';
import { openKojiHttpFiles } from './koji-http-files.ts';
import { KojiIndex } from './koji-index.ts';
import { KojiTagReader } from './koji-tag-reader.ts';
import { PreparedSets, type LookasideAccess } from './prepared-sets.ts';

export interface KojiOptions {
  readonly profile: KojiProfile;
  /** Where downloaded packages are kept. */
  readonly store: PackageStore;
  /** Where what was read of packages is kept. */
  readonly indexDirectory: string;
  readonly clock: Clock;
  readonly lookaside: LookasideAccess;
  /** Where redirects of the file server may lead beside itself. */
  readonly hosts?: HostList;
  /** Whether repodata points to the files of Koji instead of holding them. */
  readonly isReference: boolean;
  readonly hub?: Partial<KojiHubOptions>;
}

/** One Koji with all that a composer needs of it. Dispose of it when done. */
export class Koji implements Disposable, Cache {
  readonly hub: KojiHub;
  readonly source: KojiFileSource;
  readonly index: KojiIndex;
  readonly tags: KojiTagReader;
  readonly sets: PreparedSets;
  readonly clock: Clock;
  /** URL of the top directory that repodata points to; null where files are placed. */
  readonly referenceUrl: string | null;

  /**
   * Opens the files of a profile, mounted or over HTTP, its hub and the index. Throws `koji.files_unknown`,
   * `koji.reference_without_url`, `koji.hub_url_invalid`.
   */
  constructor(options: KojiOptions) {
    const { profile, clock } = options;
    const tls = readTlsIdentity(profile);
    this.clock = clock;
    this.source = openSource(options, tls);
    this.referenceUrl = options.isReference ? referenceUrlOf(profile) : null;
    this.hub = new KojiHub({ url: profile.server, ...tls, ...options.hub });
    const directory = join(options.indexDirectory, 'koji');
    this.index = new KojiIndex(directory, clock.now());
    this.tags = new KojiTagReader(this.hub);
    this.sets = new PreparedSets(this.index, directory, options.lookaside);
  }

  measure(): readonly CacheSize[] {
    return [this.index, this.sets, this.tags].flatMap((cache) => cache.measure());
  }

  async prune(now: Date): Promise<number> {
    return (await this.index.prune(now)) + (await this.sets.prune(now));
  }

  /** What indexing copies for a compose works with. */
  indexContext(context: Pick<SelectContext, 'signal' | 'progress'>): IndexContext {
    return {
      hub: this.hub,
      source: this.source,
      index: this.index,
      now: this.clock.now(),
      signal: context.signal,
      progress: (done, total) => context.progress('read packages', done, total, 'packages'),
    };
  }

  [Symbol.dispose](): void {
    this.hub.close();
    this.index.close();
    if (this.source.kind === 'http') this.source.files.close();
  }
}

function openSource(options: KojiOptions, tls: TlsIdentity): KojiFileSource {
  const { topDir, topUrl, name, files } = options.profile;
  // A mounted directory is preferred; one that is named and not mounted is no mistake where there is a URL.
  if (topDir !== null) {
    try {
      return { kind: 'directory', files: openTopDir(topDir) };
    } catch (error) {
      if (topUrl === null) throw error;
    }
  }
  if (topUrl !== null) {
    const hosts = options.hosts === undefined ? {} : { hosts: options.hosts };
    return { kind: 'http', files: openKojiHttpFiles({ topUrl, tls, ...hosts }), store: options.store };
  }
  throw new ReactorError('koji.files_unknown', `The Koji profile "${name}" does not say where files are.`, {
    where: files.join(', '),
    hint: 'Add topdir (where it is mounted here) or topurl to it.',
    fate: 'halt',
  });
}

function referenceUrlOf(profile: KojiProfile): string {
  if (profile.topUrl !== null) return profile.topUrl;
  throw new ReactorError(
    'koji.reference_without_url',
    `Composes that refer to the files of Koji need topurl in the Koji profile "${profile.name}".`,
    { where: profile.files.join(', '), fate: 'halt' },
  );
}
