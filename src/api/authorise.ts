import type { Config } from '../config.ts';
import type { ApiScope } from '../model/api-token.ts';
import type { ComposeRequest } from '../model/compose.ts';
import type { Identity } from './auth.ts';
import { ApiProblem } from './problem.ts';

type Attribute =
  | 'source_types'
  | 'sources'
  | 'flags'
  | 'results'
  | 'arches'
  | 'compose_types'
  | 'raw_config_keys'
  | 'target_dirs';

/** The single values of a compose that its asker must be allowed. */
export type AskedValues = Readonly<Partial<Record<Attribute, readonly string[]>>>;

/** What of a request needs permission. An absent source is one empty value. Source: ODCS contract 10. */
export function askedValues(request: ComposeRequest): AskedValues {
  const words = request.source.length === 0 ? [''] : request.source;
  return {
    source_types: [request.sourceType],
    sources: words,
    flags: request.flags,
    results: request.results,
    arches: request.arches,
    compose_types: [request.composeType],
    ...(request.sourceType === 'raw_config'
      ? { raw_config_keys: words.map((word) => word.split('#')[0] ?? '') }
      : {}),
    ...(request.targetDir === 'default' ? {} : { target_dirs: [request.targetDir] }),
  };
}

/**
 * Throws `permission.scope_missing` (403) where the caller's token is not for this. Providers of OIDC know the scopes of
 * ODCS only, so that steering rules asks for a scope of the service's own tokens alone. Source: ODCS contract 9.
 */
export function requireScope(
  identity: Identity,
  config: Pick<Config, 'oidc_base_namespace'>,
  scope: ApiScope,
): void {
  if (scope === 'steer-rules' && identity.tokenId === null) return;
  if (identity.scopes === null || identity.scopes.includes(`${config.oidc_base_namespace}${scope}`)) return;
  const needed = identity.tokenId === null ? `${config.oidc_base_namespace}${scope}` : scope;
  throw new ApiProblem(403, 'permission.scope_missing', `Request does not have required scope ${scope}`, {
    hint: `The token needs the scope ${needed}.`,
  });
}

/** Whether the caller is one of `admins`; where callers are not known, everybody is. */
export function isAdmin(identity: Identity, config: Pick<Config, 'admins'>): boolean {
  const { user, groups } = identity;
  if (user === null) return true;
  return config.admins.users.includes(user) || groups.some((group) => config.admins.groups.includes(group));
}

/** Throws `permission.role_missing` (403) unless the caller is an admin. */
export function requireAdmin(identity: Identity, config: Pick<Config, 'admins'>): void {
  if (!isAdmin(identity, config)) refuseRole(identity, 'admins');
}

/** Throws `permission.role_missing` (403) unless the caller may ask for composes at all. */
export function requireAllowedClient(identity: Identity, config: Pick<Config, 'allowed_clients'>): void {
  const { user, groups } = identity;
  if (user === null) return;
  const { allowed_clients: clients } = config;
  const isAllowed =
    Object.hasOwn(clients.users, user) || groups.some((group) => Object.hasOwn(clients.groups, group));
  if (!isAllowed) refuseRole(identity, 'allowed_clients');
}

function refuseRole(identity: Identity, role: string): never {
  throw new ApiProblem(403, 'permission.role_missing', `User ${identity.user} is not in role ${role}.`, {
    hint: `The setting ${role} lists who has that role.`,
  });
}

type Grants = Readonly<Record<string, readonly string[]>>;
type PermissionConfig = Pick<
  Config,
  | 'allowed_clients'
  | 'allowed_source_types'
  | 'allowed_sources'
  | 'allowed_flags'
  | 'allowed_results'
  | 'allowed_arches'
  | 'allowed_compose_types'
  | 'raw_config_urls'
  | 'admins'
>;

/**
 * Throws `permission.value_not_allowed` (403) unless the caller is an admin, or one entry of `allowed_clients` for this caller allows every
 * value: that of the user alone if there is one, else one of its groups. Source: ODCS contract 10 and 25. Unlike there,
 * a list of flags need not name `no_flags`.
 */
export function requirePermission(identity: Identity, config: PermissionConfig, asked: AskedValues): void {
  const { user, groups } = identity;
  if (user === null || isAdmin(identity, config)) return;
  const { users, groups: groupEntries } = config.allowed_clients;
  const own = Object.hasOwn(users, user) ? users[user] : undefined;
  const entries =
    own === undefined
      ? groups.flatMap((group) => (Object.hasOwn(groupEntries, group) ? [groupEntries[group] ?? {}] : []))
      : [own];
  const complaints = entries.map((entry) => complaintsOf(user, entry, config, asked));
  if (complaints.some((list) => list.length === 0)) return;
  const sentences = [...new Set(complaints.flat())];
  throw new ApiProblem(
    403,
    'permission.value_not_allowed',
    sentences.join(' ') || `User ${user} not allowed to operate with any compose.`,
    { hint: 'The setting allowed_clients lists what each user and group may ask for.' },
  );
}

/** One sentence for each attribute with a value that is not allowed. */
function complaintsOf(user: string, entry: Grants, config: PermissionConfig, asked: AskedValues): string[] {
  return Object.entries(asked).flatMap(([attribute, values]) => {
    const allowed = entry[attribute] ?? globalGrant(attribute as Attribute, config);
    if (allowed.length === 1 && allowed[0] === '') return [];
    const bad = values.find((value) => !allowed.includes(value));
    if (bad === undefined) return [];
    return [`User ${user} not allowed to operate with compose with ${attribute}=${bad}.`];
  });
}

function globalGrant(attribute: Attribute, config: PermissionConfig): readonly string[] {
  switch (attribute) {
    case 'source_types':
      return config.allowed_source_types;
    case 'sources':
      return config.allowed_sources;
    case 'flags':
      return config.allowed_flags;
    case 'results':
      return config.allowed_results;
    case 'arches':
      return config.allowed_arches;
    case 'compose_types':
      return config.allowed_compose_types;
    case 'raw_config_keys':
      return Object.keys(config.raw_config_urls);
    case 'target_dirs':
      return [];
    default:
      return attribute satisfies never;
  }
}
