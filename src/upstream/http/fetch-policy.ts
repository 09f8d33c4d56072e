import { ReactorError } from '../../model/errors.ts';
import { hostOf, isLoopback, parseHostList, type HostList } from './host-list.ts';
import { isPrivateAddress } from './private-address.ts';

/** Says what may be fetched; asked for every URL, that of each redirect included. */
export interface FetchPolicy {
  /** Throws `repo.not_allowed`. `path` are the URLs that led to this one, the first one first. */
  check(url: URL, path: readonly URL[]): void;
  /** Whether a name may be resolved to an address of a private network. */
  mayBeAt(host: string, address: string): boolean;
}

/**
 * Returns the policy for one system the settings name: its own origin and, where redirects lead, the usual port of its
 * host or an origin that the settings name too; `hosts` are allowed besides.
 */
export function configuredPolicy(urls: readonly string[], hosts: HostList = parseHostList([])): FetchPolicy {
  const configured = urls.flatMap((text) => URL.parse(text) ?? []);
  const origins = new Set(configured.map(({ origin }) => origin));
  const names = new Set(configured.map(hostOf));
  return {
    check(url, path) {
      if (origins.has(url.origin) || hosts.allows(url, 'upstream')) return;
      if (path.length > 0 && names.has(hostOf(url)) && url.port === '') return;
      refuseHost(url, path);
    },
    mayBeAt: (host, address) => names.has(host) || hosts.mayBeAt(host, address),
  };
}

/**
 * Returns the policy for repositories: what people were let in for by `checkRepoAccess`, what the settings name, and
 * from there where upstreams may lead.
 */
export function repositoryPolicy(hosts: HostList, configured: readonly string[] = []): FetchPolicy {
  const settings = configuredPolicy(configured, hosts);
  const origins = new Set(configured.flatMap((text) => URL.parse(text)?.origin ?? []));
  return {
    check(url, path) {
      if (path.length === 0 && (origins.has(url.origin) || hosts.allows(url, 'local person'))) return;
      if (path.some(({ origin }) => origin === url.origin)) return;
      settings.check(url, path);
    },
    mayBeAt: settings.mayBeAt,
  };
}

/**
 * Returns the policy of a command that a person runs: what they name may be anywhere, redirects lead to hosts they
 * named or to public ones.
 */
export function personalPolicy(): FetchPolicy {
  const named = new Set<string>();
  return {
    check(url, path) {
      const host = hostOf(url);
      if (path.length === 0) named.add(host);
      else if (!named.has(host) && (isLoopback(host) || isPrivateAddress(host))) refuseHost(url, path);
    },
    mayBeAt: (host) => named.has(host),
  };
}

/** Throws `repo.not_allowed` for a URL that a repository, local where it is null, may not lead to. */
export function checkLead(hosts: HostList, url: URL, repository: URL | null): void {
  if (url.origin === repository?.origin || hosts.allows(url, 'upstream')) return;
  refuseHost(url, repository === null ? [] : [repository]);
}

function refuseHost(url: URL, path: readonly URL[]): never {
  const [first] = path;
  const last = path.at(-1);
  const led = last === undefined ? '' : `, where ${last.origin} leads to`;
  throw new ReactorError('repo.not_allowed', `Nothing may be fetched from ${url.host}${led}.`, {
    where: first?.href ?? url.href,
    hint: `The setting repo_hosts lists the hosts; where upstreams lead, ports other than the usual ones are listed as ${hostOf(url)}:PORT.`,
  });
}
