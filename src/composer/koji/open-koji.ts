import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../../clock.ts';
import type { Config } from '../../config.ts';
import type { Log } from '../../log.ts';
import type { ReadUrl } from '../../rpm/repodata/location.ts';
import { parseHostList } from '../../upstream/http/host-list.ts';
import type { TlsIdentity } from '../../upstream/http/http-client.ts';
import {
  profilePlaces,
  readKojiProfile,
  readTlsIdentity,
  type KojiProfile,
} from '../../upstream/koji/koji-profile.ts';
import type { HubName } from '../../model/hub-name.ts';
import type { OpenPlace } from '../repositories/open-place.ts';
import type { PackageStore } from '../../cache/package-store.ts';
import { Koji } from './koji.ts';

export type KojiSettings = Pick<
  Config,
  'koji_profile' | 'koji_hubs' | 'koji_config' | 'data_dir' | 'delivery' | 'repo_roots' | 'repo_hosts'
>;

/** Returns the profiles that the settings name, by hub; none where Koji is not used. Throws `koji.profile_*`. */
export function configuredProfiles(
  config: Pick<KojiSettings, 'koji_profile' | 'koji_hubs' | 'koji_config'>,
  home: string = homedir(),
): ReadonlyMap<HubName, KojiProfile> {
  if (config.koji_profile === '') return new Map();
  const names: readonly (readonly [HubName, string])[] = [
    [null, config.koji_profile],
    ...Object.entries(config.koji_hubs),
  ];
  const places = profilePlaces(home, config.koji_config);
  return new Map(names.map(([hub, name]) => [hub, readKojiProfile(name, places, home)]));
}

/** A server that hands out the files of a Koji. */
export interface KojiFileServer {
  readonly topUrl: string;
  readonly tls: TlsIdentity;
}

/** Returns the file servers of the configured Kojis. Throws what reading the profiles throws. */
export function fileServersOf(config: KojiSettings): readonly KojiFileServer[] {
  return [...configuredProfiles(config).values()].flatMap((profile) =>
    profile.topUrl === null ? [] : [{ topUrl: profile.topUrl, tls: readTlsIdentity(profile) }],
  );
}

interface KojiResources {
  readonly store: PackageStore;
  readonly clock: Clock;
  readonly log: Log;
  readonly readUrl: ReadUrl;
  readonly openPlace: OpenPlace;
}

/**
 * Opens the Kojis that the settings name, by hub. Their indexes lie in the data directory, one for each. Throws what
 * `readKojiProfile` and `Koji` throw.
 */
export function openKojis(config: KojiSettings, resources: KojiResources): ReadonlyMap<HubName, Koji> {
  const policy = { repoRoots: config.repo_roots, repoHosts: config.repo_hosts, isLoopbackClient: true };
  const cache = join(config.data_dir, 'cache');
  const open = (hub: HubName, profile: KojiProfile): Koji =>
    new Koji({
      profile,
      store: resources.store,
      indexDirectory: hub === null ? cache : join(cache, 'hubs', hub),
      clock: resources.clock,
      lookaside: { open: (place) => resources.openPlace(place, policy), readUrl: resources.readUrl },
      hosts: parseHostList(config.repo_hosts),
      isReference: config.delivery === 'reference',
      hub: {
        onRetry: (err, waitMs) =>
          resources.log.warn({ err, waitMs, hub }, 'a call to the Koji hub is tried again'),
      },
    });
  return new Map([...configuredProfiles(config)].map(([hub, profile]) => [hub, open(hub, profile)]));
}
