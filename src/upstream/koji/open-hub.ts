import { readFileSync } from 'node:fs';
import { KojiHub, type KojiHubOptions } from './hub.ts';
import type { KojiProfile } from './koji-profile.ts';

/** The hub of a profile, trusted as the profile says. Throws `koji.hub_url_invalid`. */
export function openHub(profile: KojiProfile, options: Partial<KojiHubOptions> = {}): KojiHub {
  const authorities =
    profile.serverCa === null ? {} : { authorities: readFileSync(profile.serverCa, 'utf8') };
  return new KojiHub({ url: profile.server, ...authorities, ...options });
}
