import { z } from 'zod';
import { setting } from './setting.ts';

/** The settings of the service that gives main composes their ids. */
export const ctsSettings = {
  cts_url: setting(
    z.string().regex(/^(?:$|https?:\/\/[^@]+$)/, 'is no http(s) URL without a user'),
    '',
    'ODCS_CTS_URL',
    'Compose Tracking Service that main composes are registered with, and get their ids from; empty means none.',
  ),
  cts_oidc_token_url: setting(
    z.string(),
    '',
    'ODCS_CTS_OIDC_TOKEN_URL',
    'Where the service asks for its token for that; empty registers without one.',
  ),
  cts_oidc_client_id: setting(z.string(), '', 'ODCS_CTS_OIDC_CLIENT_ID', 'Who the service is there.'),
  cts_oidc_client_secret: setting(z.string(), '', 'ODCS_CTS_OIDC_CLIENT_SECRET', 'Its secret there.', {
    isSecret: true,
  }),
} as const;
