import type { Config } from '../../config.ts';
import type { BearerVerifier } from './bearer.ts';
import { openIntrospection } from './introspect.ts';
import { openSignedVerifier } from './verify-signed.ts';

/** Opens what the settings name: keys of an issuer, or a provider that is asked; null where bearer tokens are for a proxy. */
export function openBearerVerifier(config: Config): BearerVerifier | null {
  if (config.oidc_issuer !== '') return openSignedVerifier(config);
  return config.oidc_introspection_uri === '' ? null : openIntrospection(config);
}
