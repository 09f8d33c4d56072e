import type { Config } from '../config.ts';
import type { RepositoryChanges } from '../listeners/reconcile/repository.ts';
import { readBelow } from '../rpm/repodata/location.ts';
import { configuredPolicy } from '../upstream/http/fetch-policy.ts';
import { parseHostList } from '../upstream/http/host-list.ts';
import { HttpClient } from '../upstream/http/http-client.ts';
import { originsOfPulp, tlsOfPulp, type PulpConfig } from '../upstream/pulp/open-pulp.ts';
import { repositoryReader } from '../upstream/read-repository-url.ts';

/** The repositories that are looked at for changes, and the connections to them. */
export interface WatchedRepositories extends Disposable {
  /** By path or URL, as the settings call them. */
  readonly changes: ReadonlyMap<string, RepositoryChanges>;
}

const REPOMD = 'repodata/repomd.xml';
/** A list of files; what is larger is none. */
const LARGEST = 4 * 1024 * 1024;
/** The next look comes soon: a server that is away must not hold up the end of the process. */
const ANSWER_WITHIN = 20_000;
const TRIES = 2;

/**
 * Opens the repositories that the settings name for watching: these origins, and where redirects lead the hosts of
 * `repo_hosts`. What lies at Pulp is read with its certificate. Throws `config.unreadable`.
 */
export function openWatchedRepositories(
  config: PulpConfig & Pick<Config, 'watched_repositories'>,
): WatchedRepositories {
  const places = config.watched_repositories;
  const ofPulp = originsOfPulp(config);
  const isAtPulp = places.some((place) => ofPulp.has(URL.parse(place)?.origin ?? ''));
  const tls = isAtPulp ? tlsOfPulp(config) : {};
  const client = new HttpClient({
    policy: configuredPolicy(places, parseHostList(config.repo_hosts)),
    tries: TRIES,
    tls: (origin) => (ofPulp.has(origin) ? tls : undefined),
  });
  const readUrl = repositoryReader(client, ANSWER_WITHIN);
  return {
    changes: new Map(
      places.map((place) => [place, { readRepomd: () => readBelow({ readUrl }, place)(REPOMD, LARGEST) }]),
    ),
    [Symbol.dispose]: () => client.close(),
  };
}
