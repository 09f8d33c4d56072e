import type { Command as Parser, OptionValues } from '@commander-js/extra-typings';
import type { ActionContext } from './command.ts';
import { readProfile } from './profile.ts';
import { createServiceClient, type ServiceClient } from './service-client.ts';

/** The options of every command that asks a service, as they were given. */
export interface ServiceOptions {
  readonly server?: string | undefined;
  readonly token?: string | undefined;
  readonly profile?: string | undefined;
  readonly json?: true | undefined;
}

const DEFAULT_SERVER = 'http://127.0.0.1:5005';

/** Adds the options that say which service is asked, and as whom, for results that are files of their own format. */
export function serverOptions<Args extends unknown[], Options extends OptionValues>(
  parser: Parser<Args, Options>,
) {
  return parser
    .optionsGroup('Options of all:')
    .option('--server <url>', `the service (also ODCS_SERVER); ${DEFAULT_SERVER} by default`)
    .option('--token <token>', 'sent as a bearer token (also ODCS_TOKEN)')
    .option(
      '--profile <name>',
      'server and token of ~/.config/odcs-reactor/profiles.yaml (also ODCS_PROFILE)',
    );
}

/** Adds the options that say which service is asked, as whom, and whether for a program. */
export function serviceOptions<Args extends unknown[], Options extends OptionValues>(
  parser: Parser<Args, Options>,
) {
  return serverOptions(parser).option('--json', 'JSON instead of text');
}

/**
 * Opens the client of the service that is meant: of --server, else ODCS_SERVER, else of the profile that --profile,
 * ODCS_PROFILE or the file of profiles names. The token of a profile goes to the server of that profile only. Throws
 * `profile.unknown`, `profile.unreadable`.
 */
export function openService(
  { environment, signal }: Pick<ActionContext, 'environment' | 'signal'>,
  options: ServiceOptions,
): ServiceClient {
  const server = options.server ?? environment['ODCS_SERVER'];
  const token = options.token ?? environment['ODCS_TOKEN'];
  if (server !== undefined) return createServiceClient({ url: server, token }, signal);
  const profile = readProfile(environment, options.profile ?? environment['ODCS_PROFILE']);
  if (profile === null) return createServiceClient({ url: DEFAULT_SERVER, token }, signal);
  return createServiceClient({ url: profile.server, token: token ?? profile.token }, signal);
}
