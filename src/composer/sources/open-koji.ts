import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../../clock.ts';
import type { Config } from '../../config.ts';
import type { Log } from '../../log.ts';
import { profilePlaces, readKojiProfile, type KojiProfile } from '../../upstream/koji/koji-profile.ts';
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

/**
 * The authorities that the certificate of the configured Koji's file server may come from, by its origin. Throws what
 * reading the profile throws.
 */
export function fileServerAuthorities(config: KojiSettings): ReadonlyMap<string, string> {
  const profile = configuredProfile(config);
  if (profile === null || profile.topUrl === null || profile.serverCa === null) return new Map();
  return new Map([[new URL(profile.topUrl).origin, readFileSync(profile.serverCa, 'utf8')]]);
}

/**
 * Opens the Koji that the settings name; null where none is used. Its index lies in the data directory. Throws
 * what `readKojiProfile` and `Koji` throw.
 */
export function openKoji(
  config: KojiSettings,
  means: { readonly store: PackageStore; readonly clock: Clock; readonly log: Log },
): Koji | null {
  const profile = configuredProfile(config);
  if (profile === null) return null;
  const policy = { repoRoots: config.repo_roots, repoHosts: config.repo_hosts, isLoopbackClient: true };
  return new Koji({
    profile,
    store: means.store,
    indexDirectory: join(config.data_dir, 'cache'),
    clock: means.clock,
    openLookaside: (place) => checkRepoAccess(place, policy),
    isReference: config.delivery === 'reference',
    hub: {
      onRetry: (err, waitMs) => means.log.warn({ err, waitMs }, 'a call to the Koji hub is tried again'),
    },
  });
}
