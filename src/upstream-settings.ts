import { z } from 'zod';
import { setting } from './setting.ts';

/** The settings that say where updates, advisories and content sets are looked up. */
export const upstreamSettings = {
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
