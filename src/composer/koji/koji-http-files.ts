import { configuredPolicy } from '../../upstream/http/fetch-policy.ts';
import type { HostList } from '../../upstream/http/host-list.ts';
import type { HttpClientOptions, TlsIdentity } from '../../upstream/http/http-client.ts';
import type { HttpPeer } from '../../upstream/http/http-failure.ts';
import { HttpFiles, type FileStart } from '../../upstream/http/http-files.ts';
import { urlOfPath } from '../../upstream/koji/koji-path.ts';
import { mapBounded } from './map-bounded.ts';
import type { KojiFiles } from './koji-files.ts';

export interface KojiHttpFilesOptions extends Pick<HttpClientOptions, 'tries' | 'times' | 'sleep'> {
  readonly topUrl: string;
  /** Whole files at once. */
  readonly parallel?: number;
  /** Beginnings of files at once, and looks at them. */
  readonly parallelHeaders?: number;
  readonly tls?: TlsIdentity;
  /** Where redirects may lead beside the server's own host. */
  readonly hosts?: HostList;
}

/** Files behind Koji's HTTP server; whole ones are fetched by their URL. */
export interface KojiHttpFiles extends KojiFiles, Disposable {
  readonly parallelHeaders: number;
  readonly http: HttpFiles;
  urlOf(path: string): string;
  /** The first bytes of a file, with what the server says of all of it. Throws as `read` does. */
  start(path: string, length: number, signal?: AbortSignal): Promise<FileStart>;
  close(): void;
}

const PARALLEL = 8;
/**
 * A header is small: what it takes is the way to the server and back. A whole tag from a server 30 ms away is read in the time
 * that as many connections take.
 */
const PARALLEL_HEADERS = 32;

/** Who is spoken to where Koji's files are fetched. */
export const kojiFilesPeer: HttpPeer = {
  name: "Koji's file server",
  codes: {
    unreachable: 'koji.files_unreachable',
    refused: 'koji.files_refused',
    missing: 'koji.file_missing',
  },
  hints: {
    refused: 'Look whether topurl of the Koji profile is right and may be read without logging in.',
    missing: 'The file was removed since the hub listed it, or topurl belongs to another hub.',
  },
};

/**
 * Opens the HTTP server of a Koji. One that answers no ranges is read from the start of each file and cut off.
 * Source: Koji contract 5.
 */
export function openKojiHttpFiles(options: KojiHttpFilesOptions): KojiHttpFiles {
  const { topUrl, tls, hosts, ...more } = options;
  const { parallel = PARALLEL, parallelHeaders = PARALLEL_HEADERS, ...patience } = more;
  const http = new HttpFiles({
    ...patience,
    peer: kojiFilesPeer,
    policy: configuredPolicy([topUrl], hosts),
    parallel,
    connections: Math.max(parallel, parallelHeaders),
    ...(tls === undefined ? {} : { tls: (origin) => (origin === new URL(topUrl).origin ? tls : undefined) }),
  });
  const urlOf = (path: string): string => urlOfPath(topUrl, path);
  return {
    where: topUrl,
    parallelHeaders,
    http,
    urlOf,
    localPath: () => null,
    look: (paths, signal) => mapBounded(paths, parallelHeaders, (path) => http.look(urlOf(path), signal)),
    read: (path, offset, length, signal) => http.read(urlOf(path), offset, length, signal),
    start: (path, length, signal) => http.start(urlOf(path), length, signal),
    close: () => http.close(),
    [Symbol.dispose]: () => http.close(),
  };
}
