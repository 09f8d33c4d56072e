import { clientCertificateOf } from './client-certificate.ts';
import { clientOf } from './client.ts';
import type { ApiContext, ApiEnv, ApiRequest } from './context.ts';
import { bearerTokenOf, identifyByBearer } from './identify-by-bearer.ts';
import { readApiToken } from './identify-by-token.ts';
import { ApiProblem } from './problem.ts';

/** Who asks. */
export interface Identity {
  /** Null where callers are not known at all (noauth). */
  readonly user: string | null;
  readonly groups: readonly string[];
  /** What the caller's token is for; null where tokens are not used. */
  readonly scopes: readonly string[] | null;
  /** The token of this service that the caller bears; null where it was known otherwise. */
  readonly tokenId: number | null;
}

/** What a proxy says of an OIDC token; with neither the caller came by Kerberos. */
const oidcHeaders = ['OIDC-Access-Token', 'OIDC_access_token', 'OIDC-Claim-Scope', 'OIDC_CLAIM_scope'];

const unknownIdentity: Identity = { user: null, groups: [], scopes: null, tokenId: null };

/** The owner of what this caller asks for. Source: ODCS contract 2. */
export function ownerOf(identity: Identity): string {
  return identity.user ?? 'unknown';
}

/** The name under which this caller ends composes. Source: ODCS contract 2, `removed_by`. */
export function actorOf(identity: Identity): string {
  return identity.user ?? 'anonymous';
}

/**
 * Returns who makes this request, from a token of this service, from a bearer token of the OIDC provider, or else from
 * the headers of a trusted proxy. Asked only where something changes: reading needs no user. Throws `auth.…` with status
 * 401, or 400 for a user that is not `name@REALM`, and `oidc.unanswered` (503). Source: ODCS contract 9.
 */
export async function identify(context: ApiContext, request: ApiRequest): Promise<Identity> {
  const { config } = context;
  const token = await readApiToken(context, request);
  if (token !== null) {
    const scopes = token.scopes.map((scope) => `${config.oidc_base_namespace}${scope}`);
    return { user: token.owner, groups: token.groups, scopes, tokenId: token.id };
  }
  const { isTrustedProxy } = clientOf(request.req.raw, request.env, config);
  const header = (...names: string[]): string => {
    if (!isTrustedProxy) return '';
    return names.map((name) => request.req.header(name) ?? '').find((value) => value !== '') ?? '';
  };
  const remoteUser = header('X-Remote-User');
  const kerberos = (): Promise<Identity> => identifyKerberos(context, remoteUser, header('X-Remote-Groups'));
  const ssl = (): Identity =>
    config.tls_client_ca === '' ? identifySsl(header) : identifyByCertificate(request.env);
  switch (config.auth_backend) {
    case 'noauth':
      return unknownIdentity;
    case 'kerberos':
      return kerberos();
    case 'ssl':
      return ssl();
    case 'kerberos_or_ssl':
      return remoteUser === '' ? ssl() : kerberos();
    case 'openidc':
      if (context.bearers !== null) return identifyByBearer(context, context.bearers, request);
      return identifyOpenidc(context, remoteUser, header);
    case 'oidc_or_kerberos':
      if (context.bearers !== null && bearerTokenOf(request) !== undefined) {
        return identifyByBearer(context, context.bearers, request);
      }
      if (context.bearers !== null || header(...oidcHeaders) === '') return kerberos();
      return identifyOpenidc(context, remoteUser, header);
    default:
      return config.auth_backend satisfies never;
  }
}

function refuse(code: string, message: string): never {
  throw new ApiProblem(401, code, message, {
    hint: 'The proxy in front of the service has to authenticate the caller.',
  });
}

async function identifyKerberos(
  context: ApiContext,
  remoteUser: string,
  groupsHeader: string,
): Promise<Identity> {
  if (remoteUser === '') refuse('auth.user_missing', 'REMOTE_USER is not present in request.');
  const [name, realm, ...rest] = remoteUser.split('@');
  if (!name || realm === undefined || rest.length > 0) {
    throw new ApiProblem(400, 'auth.user_malformed', `REMOTE_USER is not a name@REALM: ${remoteUser}`);
  }
  const realms = context.config.kerberos_realms;
  if (realms.length > 0 && !realms.includes(realm)) {
    throw new ApiProblem(401, 'auth.realm_refused', `Users of the realm ${realm} are not known here.`, {
      hint: 'The setting kerberos_realms lists the realms.',
    });
  }
  // Names of groups may hold blanks.
  const told = groupsHeader
    .split(/[,;]/)
    .map((group) => group.trim())
    .filter((group) => group !== '');
  const groups = told.length > 0 ? told : await context.userGroups.ofUser(name);
  return { user: name, groups, scopes: null, tokenId: null };
}

function identifySsl(header: (...names: string[]) => string): Identity {
  const verified = header('X-SSL-Client-Verify');
  if (verified !== 'SUCCESS') {
    refuse('auth.certificate_unverified', `Cannot verify client: ${verified === '' ? 'None' : verified}`);
  }
  const subject = header('X-SSL-Client-S-DN');
  if (subject === '') {
    refuse('auth.certificate_nameless', 'Unable to get user information (DN) from client certificate');
  }
  return { user: subject, groups: [], scopes: null, tokenId: null };
}

/** Source: ODCS contract 9, where Apache verifies the certificate. */
function identifyByCertificate(bindings: ApiEnv['Bindings'] | undefined): Identity {
  const certificate = clientCertificateOf(bindings);
  const hint = 'Send a certificate of an authority in the setting tls_client_ca.';
  if (certificate.kind === 'unverified') {
    throw new ApiProblem(401, 'auth.certificate_unverified', `Cannot verify client: ${certificate.why}`, {
      hint,
    });
  }
  const { subject } = certificate;
  if (subject === '') {
    const sentence = 'Unable to get user information (DN) from client certificate';
    throw new ApiProblem(401, 'auth.certificate_nameless', sentence, { hint });
  }
  return { user: subject, groups: [], scopes: null, tokenId: null };
}

async function identifyOpenidc(
  context: ApiContext,
  remoteUser: string,
  header: (...names: string[]) => string,
): Promise<Identity> {
  const { config } = context;
  if (remoteUser === '') refuse('auth.user_missing', 'REMOTE_USER is not present in request.');
  const token = header('OIDC-Access-Token', 'OIDC_access_token');
  if (token === '') refuse('auth.token_missing', 'Missing token passed to ODCS.');
  const claim = header('OIDC-Claim-Scope', 'OIDC_CLAIM_scope');
  if (claim === '') refuse('auth.scope_missing', 'Missing OIDC_CLAIM_scope.');
  const scopes = claim.split(/\s+/).filter((scope) => scope !== '');
  for (const scope of config.auth_openidc_required_scopes) {
    if (!scopes.includes(scope)) refuse('auth.scope_missing', `Required OIDC scope ${scope} not present.`);
  }
  const groups = await context.userGroups.ofToken(token);
  return { user: remoteUser, groups, scopes, tokenId: null };
}
