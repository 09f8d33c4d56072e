import { z } from 'zod';
import { ReactorError } from './model/errors.ts';
import { setting } from './setting.ts';
import type { Config, SettingName } from './settings.ts';

const text = z.string();
const list = z.array(z.string());
/** Role entries of `allowed_clients`: what one user or group may ask for. Source: ODCS contract 10. */
const grants = z.record(z.string(), z.record(z.string(), list));
const clients = z.object({ users: grants.default({}), groups: grants.default({}) });
const people = z.object({ users: list.default([]), groups: list.default([]) });

/** The settings that say who callers are and what they may ask for. */
export const identitySettings = {
  allowed_clients: setting(
    clients,
    { users: {}, groups: {} },
    'ODCS_ALLOWED_CLIENTS',
    'Who may ask for composes, with limits per user or group.',
  ),
  admins: setting(
    people,
    { users: [], groups: [] },
    'ODCS_ADMINS',
    'Who may delete composes and cancel those of others.',
  ),
  embargo: setting(
    people.extend({ tags: list.default([]) }),
    { tags: [], users: [], groups: [] },
    'ODCS_EMBARGO',
    'Koji tags (names or patterns) whose builds are under embargo, and who may read events that name them, beside admins.',
  ),
  auth_backend: setting(
    z.enum(['noauth', 'kerberos', 'ssl', 'kerberos_or_ssl', 'openidc', 'oidc_or_kerberos']),
    'noauth',
    'ODCS_AUTH_BACKEND',
    'How callers are known: by headers of the proxy in trusted_proxies, or by tokens and certificates that are checked here (oidc_issuer, tls_client_ca).',
  ),
  trusted_proxies: setting(
    list,
    ['127.0.0.1', '::1'],
    'ODCS_TRUSTED_PROXIES',
    'Addresses whose authentication and forwarding headers are believed.',
  ),
  kerberos_realms: setting(
    list,
    [],
    'ODCS_KERBEROS_REALMS',
    'Realms whose users are known; empty takes the name before the @ of any realm, as ODCS does.',
  ),
  auth_openidc_userinfo_uri: setting(
    text,
    '',
    'ODCS_AUTH_OPENIDC_USERINFO_URI',
    'Where the groups of an OIDC user are asked for.',
  ),
  auth_openidc_required_scopes: setting(
    list,
    [],
    'ODCS_AUTH_OPENIDC_REQUIRED_SCOPES',
    'Scopes every OIDC token must carry.',
  ),
  auth_ldap_server: setting(
    text,
    '',
    'ODCS_AUTH_LDAP_SERVER',
    'LDAP server that knows the groups of Kerberos users.',
  ),
  auth_ldap_group_base: setting(text, '', 'ODCS_AUTH_LDAP_GROUP_BASE', 'Where groups lie in the LDAP tree.'),
  auth_ldap_groups: setting(
    z.record(
      text,
      text.refine((filter) => filter.includes('{}'), 'a filter has {} where the name of the user belongs'),
    ),
    {},
    'ODCS_AUTH_LDAP_GROUPS',
    'More places where groups lie in the LDAP tree, each with the filter that finds those of a user: {} stands for the name.',
  ),
  auth_ldap_bind_dn: setting(
    text,
    '',
    'ODCS_AUTH_LDAP_BIND_DN',
    'Who the service is at the LDAP server; empty asks without a name.',
  ),
  auth_ldap_bind_password: setting(
    text,
    '',
    'ODCS_AUTH_LDAP_BIND_PASSWORD',
    'Password of auth_ldap_bind_dn.',
    { isSecret: true },
  ),
  auth_ldap_starttls: setting(
    z.boolean(),
    false,
    'ODCS_AUTH_LDAP_STARTTLS',
    'Whether an ldap:// connection is encrypted before anything is asked.',
  ),
  auth_ldap_ca: setting(
    text,
    '',
    'ODCS_AUTH_LDAP_CA',
    'Certificates the LDAP server is checked against, PEM; empty means those of Node.',
  ),
  oidc_base_namespace: setting(
    text,
    'https://pagure.io/odcs/',
    'ODCS_OIDC_BASE_NAMESPACE',
    'Prefix of the OIDC scopes new-compose, renew-compose and delete-compose.',
  ),
  tls_certificate: setting(
    text,
    '',
    'ODCS_TLS_CERTIFICATE',
    'Certificate of the HTTP server with those between it and its authority, PEM; empty means HTTP without TLS.',
  ),
  tls_key: setting(text, '', 'ODCS_TLS_KEY', 'Key of tls_certificate, PEM.'),
  tls_client_ca: setting(
    text,
    '',
    'ODCS_TLS_CLIENT_CA',
    'Authorities whose client certificates are verified by this service itself, without a proxy, PEM.',
  ),
  tls_client_crl: setting(
    text,
    '',
    'ODCS_TLS_CLIENT_CRL',
    'Client certificates that were revoked, PEM; with it each authority of tls_client_ca needs a list.',
  ),
  oidc_issuer: setting(
    text,
    '',
    'ODCS_OIDC_ISSUER',
    'Issuer whose signed bearer tokens (JWT) are verified by this service itself, without a proxy; the URL in their claim iss.',
  ),
  oidc_audiences: setting(
    list,
    [],
    'ODCS_OIDC_AUDIENCES',
    'Audiences one of which a bearer token has to be for; needed with oidc_issuer and oidc_introspection_uri.',
  ),
  oidc_jwks_uri: setting(
    text,
    '',
    'ODCS_OIDC_JWKS_URI',
    'Where the keys of oidc_issuer are; empty reads that from its .well-known/openid-configuration.',
  ),
  oidc_introspection_uri: setting(
    text,
    '',
    'ODCS_OIDC_INTROSPECTION_URI',
    'Where bearer tokens are asked about (RFC 7662), instead of oidc_issuer, by a provider whose tokens are not signed.',
  ),
  oidc_client_id: setting(text, '', 'ODCS_OIDC_CLIENT_ID', 'Who the service is at oidc_introspection_uri.'),
  oidc_client_secret: setting(text, '', 'ODCS_OIDC_CLIENT_SECRET', 'Secret of oidc_client_id.', {
    isSecret: true,
  }),
  oidc_user_claim: setting(
    text.min(1),
    'sub',
    'ODCS_OIDC_USER_CLAIM',
    'Claim of a bearer token that names the user.',
  ),
  oidc_groups_claim: setting(
    text,
    'groups',
    'ODCS_OIDC_GROUPS_CLAIM',
    'Claim of a bearer token that lists the groups; where a token has none, auth_openidc_userinfo_uri is asked.',
  ),
  oidc_ca: setting(
    text,
    '',
    'ODCS_OIDC_CA',
    'Certificates the OIDC provider is checked against, PEM; empty means those of Node.',
  ),
} as const;

/** Backends of callers who bring bearer tokens. */
const bearerBackends: readonly Config['auth_backend'][] = ['openidc', 'oidc_or_kerberos'];

/**
 * Throws `config.invalid_value` where settings of identity do not go together; `whereOf` says where a setting was
 * given.
 */
export function checkIdentitySettings(config: Config, whereOf: (name: SettingName) => string): void {
  const refuse = (name: SettingName, sentence: string, hint?: string): never => {
    throw new ReactorError('config.invalid_value', `The setting "${name}" ${sentence}`, {
      where: whereOf(name),
      fate: 'halt',
      ...(hint === undefined ? {} : { hint }),
    });
  };
  if ((config.tls_certificate === '') !== (config.tls_key === '')) {
    refuse('tls_certificate', 'and "tls_key" need each other.');
  }
  if (config.tls_client_ca !== '') {
    if (config.tls_certificate === '') refuse('tls_client_ca', 'needs "tls_certificate".');
    if (config.auth_backend !== 'ssl' && config.auth_backend !== 'kerberos_or_ssl') {
      refuse('tls_client_ca', 'needs the "auth_backend" ssl or kerberos_or_ssl.');
    }
  }
  if (config.tls_client_crl !== '' && config.tls_client_ca === '') {
    refuse('tls_client_crl', 'needs "tls_client_ca".');
  }
  for (const name of ['oidc_issuer', 'oidc_jwks_uri', 'oidc_introspection_uri'] as const) {
    if (config[name] === '' || isSafeUrl(config[name])) continue;
    refuse(name, 'must be an https:// URL.', 'http:// is taken from this machine only.');
  }
  const { oidc_issuer: issuer, oidc_introspection_uri: introspection } = config;
  if (issuer !== '' && introspection !== '') {
    refuse(
      'oidc_introspection_uri',
      'and "oidc_issuer" exclude each other.',
      'Set the one that fits the tokens.',
    );
  }
  if (config.oidc_jwks_uri !== '' && issuer === '') refuse('oidc_jwks_uri', 'needs "oidc_issuer".');
  const bearing = issuer === '' ? (introspection === '' ? null : 'oidc_introspection_uri') : 'oidc_issuer';
  if (bearing === null) return;
  if (config.oidc_audiences.length === 0) {
    refuse(bearing, 'needs "oidc_audiences".', 'Tokens for anybody else must not be taken here.');
  }
  if (!bearerBackends.includes(config.auth_backend)) {
    refuse(bearing, 'needs the "auth_backend" openidc or oidc_or_kerberos.');
  }
}

/** Whether what is read from a URL comes from its host: over TLS, or from this machine. */
function isSafeUrl(text: string): boolean {
  const url = URL.parse(text);
  if (url?.protocol === 'https:') return true;
  return url?.protocol === 'http:' && /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname);
}
