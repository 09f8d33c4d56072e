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
import { checkRepoAccess } from '../../upstream/repo-access.ts';
import type { PackageStore } from '../package-store.ts';
import { Koji } from './koji.ts';

export type KojiSettings = Pick<
  Config,
  'koji_profile' | 'koji_config' | 'data_dir' | 'delivery' | 'repo_roots' | 'repo_hosts'
>;

/** The profile that the settings name; null where Koji is not used. Throws `koji.profile_*`. */
export function configuredProfile(config: KojiSettings, home: string = homedir()): KojiProfile | null {
  if (config.koji_profile === '') return null;
  return readKojiProfile(config.koji_profile, profilePlaces(home, config.koji_config), home);
}

/** Returns the file server of the configured Koji; null where there is none. Throws what reading the profile throws. */
export function fileServerOf(
  config: KojiSettings,
): { readonly topUrl: string; readonly tls: TlsIdentity } | null {
  const profile = configuredProfile(config);
  if (profile === null || profile.topUrl === null) return null;
  return { topUrl: profile.topUrl, tls: readTlsIdentity(profile) };
}

/**
 * Opens the Koji that the settings name; null where none is used. Its index lies in the data directory. Throws
 * what `readKojiProfile` and `Koji` throw.
 */
export function openKoji(
  config: KojiSettings,
  means: {
    readonly store: PackageStore;
    readonly clock: Clock;
    readonly log: Log;
    readonly readUrl: ReadUrl;
  },
): Koji | null {
  const profile = configuredProfile(config);
  if (profile === null) return null;
  const policy = { repoRoots: config.repo_roots, repoHosts: config.repo_hosts, isLoopbackClient: true };
  return new Koji({
    profile,
    store: means.store,
    indexDirectory: join(config.data_dir, 'cache'),
    clock: means.clock,
    lookaside: { open: (place) => checkRepoAccess(place, policy), readUrl: means.readUrl },
    hosts: parseHostList(config.repo_hosts),
    isReference: config.delivery === 'reference',
    hub: {
      onRetry: (err, waitMs) => means.log.warn({ err, waitMs }, 'a call to the Koji hub is tried again'),
    },
  });
}
