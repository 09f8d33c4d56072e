import { readFileSync } from 'node:fs';
import type { Config } from '../../config.ts';
import { messageOf, ReactorError } from '../../model/errors.ts';
import type { ReadUrl } from '../../rpm/repodata/location.ts';
import { configuredPolicy } from '../http/fetch-policy.ts';
import { parseHostList } from '../http/host-list.ts';
import { HttpClient, type TlsIdentity } from '../http/http-client.ts';
import { openJsonReader } from '../http/read-json.ts';
import { repositoryReader } from '../read-repository-url.ts';
import { connectPulp2 } from './pulp-2.ts';
import { connectPulp3 } from './pulp-3.ts';
import type { Pulp } from './pulp.ts';

/** The settings that say where Pulp is and who asks. */
export type PulpConfig = Pick<
  Config,
  | 'pulp_server_url'
  | 'pulp_version'
  | 'pulp_content_url'
  | 'pulp_username'
  | 'pulp_password'
  | 'pulp_certificate'
  | 'pulp_ca'
  | 'repo_hosts'
>;

/** Pulp, and the way to the metadata of its repositories. */
export interface OpenedPulp {
  readonly pulp: Pulp;
  /** Reads metadata of what Pulp publishes: from itself, where the settings say, or a host of `repo_hosts`. */
  readonly readUrl: ReadUrl;
}

/** Who asks waits for it in a job, which comes again by itself. */
const TRIES = 2;

/**
 * Opens the Pulp of the settings; null where they name none. Throws `config.invalid_value`, `config.unreadable`. The
 * password goes to Pulp alone: its API is followed nowhere.
 */
export function openPulp(config: PulpConfig): OpenedPulp | null {
  const { pulp_server_url: server, pulp_content_url: content, pulp_username: user } = config;
  if (server === '') return null;
  for (const [name, url] of Object.entries({ pulp_server_url: server, pulp_content_url: content })) {
    if (url !== '') checkUrl(name, url);
  }
  const tls = tlsOfPulp(config);
  const credentials = Buffer.from(`${user}:${config.pulp_password}`).toString('base64');
  const json = openJsonReader(server, 'Pulp', {
    tls,
    redirects: 'refuse',
    ...(user === '' ? {} : { headers: { authorization: `Basic ${credentials}` } }),
  });
  const own = originsOfPulp(config);
  const client = new HttpClient({
    policy: configuredPolicy([server, content], parseHostList(config.repo_hosts)),
    tries: TRIES,
    tls: (origin) => (own.has(origin) ? tls : undefined),
  });
  const clientBase = content === '' ? null : content.replace(/\/+$/, '');
  // ODCS gives http, for build roots that do not know the authority of Pulp.
  const plainBase = json.base.replace(/^https:/i, 'http:');
  const pulp =
    config.pulp_version === 2 ? connectPulp2(json, clientBase ?? plainBase) : connectPulp3(json, clientBase);
  return { pulp, readUrl: repositoryReader(client) };
}

/** Returns where Pulp and its content are, and only there the service shows its certificate. */
export function originsOfPulp(
  config: Pick<PulpConfig, 'pulp_server_url' | 'pulp_content_url'>,
): ReadonlySet<string> {
  return new Set(
    [config.pulp_server_url, config.pulp_content_url].flatMap((url) => URL.parse(url)?.origin ?? []),
  );
}

/** Returns who the service is to Pulp, and whom it takes for it. Throws `config.unreadable`. */
export function tlsOfPulp({
  pulp_ca: authorities,
  pulp_certificate: certificate,
}: Pick<PulpConfig, 'pulp_ca' | 'pulp_certificate'>): TlsIdentity {
  return {
    ...(authorities === '' ? {} : { authorities: readPem('pulp_ca', authorities) }),
    ...(certificate === '' ? {} : { certificate: readPem('pulp_certificate', certificate) }),
  };
}

function checkUrl(name: string, text: string): void {
  const url = URL.parse(text);
  const isHttp = url?.protocol === 'http:' || url?.protocol === 'https:';
  if (isHttp && url.username === '' && url.password === '') return;
  throw new ReactorError('config.invalid_value', `The setting "${name}" must be an http(s) URL.`, {
    hint: 'A user and a password have settings of their own.',
    fate: 'halt',
  });
}

function readPem(name: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new ReactorError(
      'config.unreadable',
      `The file of "${name}" cannot be read: ${messageOf(error)}.`,
      {
        where: file,
        fate: 'halt',
        cause: error,
      },
    );
  }
}
