import { LRUCache } from 'lru-cache';
import { createHash } from 'node:crypto';
import type { Config } from '../config.ts';
import type { Log } from '../log.ts';
import { LdapGroups } from './ldap/ldap-groups.ts';
import { openProviderClient } from './oidc/provider-client.ts';
import { readUserGroups } from './oidc/user-info.ts';

/** Returns the groups of callers. What it was told is kept for a minute; a failure is logged and means no groups. */
export interface UserGroups extends Disposable {
  /** Returns of how many callers the groups are kept. */
  measure(): readonly { readonly name: string; readonly entries: number; readonly bytes: null }[];
  /** Returns the groups that LDAP has for a user; none without a server. */
  ofUser(user: string): Promise<readonly string[]>;
  /** Returns the groups that the OIDC provider has for the bearer of a token; none without a provider. */
  ofToken(token: string): Promise<readonly string[]>;
}

const KEPT_MS = 60_000;
const MOST_KEPT = 5_000;

type GroupSettings = Pick<
  Config,
  | 'auth_ldap_server'
  | 'auth_ldap_group_base'
  | 'auth_ldap_groups'
  | 'auth_ldap_bind_dn'
  | 'auth_ldap_bind_password'
  | 'auth_ldap_starttls'
  | 'auth_ldap_ca'
  | 'auth_openidc_userinfo_uri'
  | 'oidc_ca'
>;

/** How ODCS finds the groups of a user. Source: ODCS contract 9. */
const MEMBERS = 'memberUid={}';

/** Returns where groups lie, each place with the filter that finds those of a user. */
function filtersOf({
  auth_ldap_group_base: base,
  auth_ldap_groups: groups,
}: Pick<Config, 'auth_ldap_group_base' | 'auth_ldap_groups'>): ReadonlyMap<string, string> {
  const filters = new Map(Object.entries(groups));
  if ((base !== '' || filters.size === 0) && !filters.has(base)) filters.set(base, MEMBERS);
  return filters;
}

/** Opens what the settings name; nothing is asked before a caller comes. Source: ODCS contract 9. */
export function openUserGroups(config: GroupSettings, log: Log): UserGroups {
  const { auth_ldap_server: server, auth_openidc_userinfo_uri: userinfo } = config;
  const ldap = new LdapGroups({
    url: server,
    filters: filtersOf(config),
    login:
      config.auth_ldap_bind_dn === ''
        ? null
        : { dn: config.auth_ldap_bind_dn, password: config.auth_ldap_bind_password },
    isStartTls: config.auth_ldap_starttls,
    authority: config.auth_ldap_ca,
  });
  const provider = openProviderClient([userinfo], config.oidc_ca);
  const caches: { readonly size: number }[] = [];
  const keep = (ask: (key: string, secret: string) => Promise<readonly string[]>, sentence: string) => {
    const kept = new LRUCache<string, readonly string[], string>({
      max: MOST_KEPT,
      ttl: KEPT_MS,
      ignoreFetchAbort: true,
      fetchMethod: (key, _old, { context }) => ask(key, context),
    });
    caches.push(kept);
    return async (key: string, secret = ''): Promise<readonly string[]> => {
      try {
        return (await kept.fetch(key, { context: secret })) ?? [];
      } catch (error) {
        log.warn({ err: error }, sentence);
        return [];
      }
    };
  };
  const askLdap = keep((user) => ldap.groupsOf(user), 'LDAP does not tell the groups of a user');
  const askProvider = keep(
    (_hash, token) => readUserGroups(provider, userinfo, token),
    'The OIDC provider does not tell the groups of a user',
  );
  return {
    measure: () => [
      { name: 'groups of users', entries: caches.reduce((sum, { size }) => sum + size, 0), bytes: null },
    ],
    ofUser: async (user) => (server === '' ? [] : askLdap(user)),
    // Kept under its hash: a token is a secret.
    ofToken: async (token) =>
      userinfo === '' ? [] : askProvider(createHash('sha256').update(token).digest('base64url'), token),
    [Symbol.dispose]() {
      ldap[Symbol.dispose]();
      provider[Symbol.dispose]();
    },
  };
}
