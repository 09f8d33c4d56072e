import { z } from 'zod';
import { setting } from './setting.ts';

/** A directory, or a URL without a user and a password. */
const repositoryPlace = /^(?:\/|https?:\/\/[^/?#@\s]+(?:\/|$))[^\s?#]*$/;

/** The settings that say where updates, advisories and content sets are looked up, and what is watched. */
export const upstreamSettings = {
  watched_repositories: setting(
    z.array(z.string().regex(repositoryPlace, 'is no absolute path and no http(s) URL')),
    [],
    'ODCS_WATCHED_REPOSITORIES',
    'Repositories, paths or URLs, whose repomd.xml is looked at for changes; each is an event repo.changed.',
  ),
  watched_repositories_seconds: setting(
    z.number().int().positive(),
    60,
    'ODCS_WATCHED_REPOSITORIES_SECONDS',
    'Seconds between two looks at each of watched_repositories.',
  ),
  bodhi_url: setting(z.string(), '', 'ODCS_BODHI_URL', 'Bodhi, whose updates are looked up.'),
  updateinfo: setting(
    z.enum(['none', 'bodhi', 'errata']),
    'none',
    'ODCS_UPDATEINFO',
    'Where advisories about builds of Koji tags are looked up: nowhere, in Bodhi or in Errata Tool, whose answers then are part of composes.',
  ),
  errata_url: setting(z.string(), '', 'ODCS_ERRATA_URL', 'Errata Tool, whose advisories are looked up.'),
  pulp_server_url: setting(
    z.string(),
    '',
    'PULP_SERVER_URL',
    'Pulp, whose repositories composes of type pulp name, up to /pulp; empty means they are not made.',
  ),
  pulp_version: setting(z.literal([2, 3]), 2, 'ODCS_PULP_VERSION', 'Version of the API of that Pulp.'),
  pulp_content_url: setting(
    z.string(),
    '',
    'ODCS_PULP_CONTENT_URL',
    'What the relative URLs of repositories lie below for clients; empty means pulp_server_url over http (Pulp 2), or what Pulp says (Pulp 3).',
  ),
  pulp_username: setting(
    z.string(),
    '',
    'PULP_USERNAME',
    'Who the service is at Pulp; empty asks without a name.',
  ),
  pulp_password: setting(z.string(), '', 'PULP_PASSWORD', 'Password of pulp_username.', { isSecret: true }),
  pulp_certificate: setting(
    z.string(),
    '',
    'ODCS_PULP_CERTIFICATE',
    'Client certificate for Pulp and its content with its key, one PEM file.',
  ),
  pulp_ca: setting(
    z.string(),
    '',
    'ODCS_PULP_CA',
    'Certificates Pulp is checked against, PEM; empty means those of the system.',
  ),
} as const;
