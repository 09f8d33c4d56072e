import type { Config } from '../config.ts';
import type { StompBroker } from './stomp-connection.ts';

/** Returns the files a connection to UMB proves itself with, as the settings name them. */
export function umbCredentials(
  config: Pick<Config, 'umb_certificate' | 'umb_key' | 'umb_ca'>,
): Pick<StompBroker, 'certificate' | 'key' | 'ca'> {
  return { certificate: config.umb_certificate, key: config.umb_key, ca: config.umb_ca };
}
