import { KojiHub, type KojiHubOptions } from './hub.ts';
import { readTlsIdentity, type KojiProfile } from './koji-profile.ts';

/** Opens the hub of a profile, trusted as the profile says. Throws `koji.hub_url_invalid`, `koji.profile_unreadable`. */
export function openHub(profile: KojiProfile, options: Partial<KojiHubOptions> = {}): KojiHub {
  return new KojiHub({ url: profile.server, ...readTlsIdentity(profile), ...options });
}
