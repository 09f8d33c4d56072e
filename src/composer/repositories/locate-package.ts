import { lstatSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ReactorError } from '../../model/errors.ts';
import { urlBelow } from '../../rpm/repodata/url-below.ts';
import { checkLead } from '../../upstream/http/fetch-policy.ts';
import type { HostList } from '../../upstream/http/host-list.ts';
import { resolveRepoFile } from '../../upstream/repo-access.ts';

/** Where the metadata of repositories may lead. */
export interface Leads {
  readonly repoRoots: readonly string[];
  /** Directories of composes, whose files are not everybody's: repositories elsewhere do not lead there. */
  readonly targetDirs: readonly string[];
  readonly hosts: HostList;
  /**
   * Directories that packages of repositories turned out to lie in, by the repository and their name: kept for one compose,
   * so that only files and no directories are looked at again. Left out where every file is looked at by itself.
   */
  readonly directories?: Map<string, string>;
}

/** What a repository says of where a package lies. */
export interface NamedLocation {
  /** The directory or URL of the repository, as `checkRepoAccess` returned it. */
  readonly repository: string;
  readonly href: string;
  /** `xml:base`, where there is one. */
  readonly base: string | undefined;
}

/** Where that is: a file of this machine or a URL. */
export type LocatedPackage =
  { readonly kind: 'file'; readonly path: string } | { readonly kind: 'http'; readonly url: string };

const isUrl = (text: string): boolean => /^https?:\/\//i.test(text);
const isFileUrl = (text: string): boolean => /^file:/i.test(text);

/**
 * Returns where a package lies. A location is judged by where it leads, not by its text, and as what it is: the word
 * of an upstream, which no person on this machine has spoken. A repository behind HTTP leads to no file; a local one
 * leads to files its asker may read, and to hosts that are allowed. Throws `repo.outside`, `repo.not_allowed`,
 * `repo.file_missing`.
 */
export function locatePackage(named: NamedLocation, leads: Leads): LocatedPackage {
  const { repository, href, base } = named;
  const home = isUrl(repository) ? new URL(repository) : null;
  const place = isUrl(href) || isFileUrl(href) ? href : (base ?? '');
  if (home === null && !isUrl(place)) return { kind: 'file', path: localPathOf(named, leads) };
  if (isFileUrl(place)) throw leadsOut(repository, place);
  const root = base === undefined || isUrl(href) ? repository : urlBelow(repository, base);
  const text = root === null ? null : urlBelow(root, href);
  if (text === null) throw leadsOut(repository, href);
  const url = new URL(text);
  checkLead(leads.hosts, url, home);
  return { kind: 'http', url: url.href };
}

function localPathOf({ repository, href, base }: NamedLocation, leads: Leads): string {
  const path = isFileUrl(href) ? pathOf(href) : href;
  const from = base === undefined ? '' : isFileUrl(base) ? pathOf(base) : base;
  const file = from === '' ? path : resolve(repository, from, path);
  const { repoRoots, targetDirs, directories } = leads;
  const closed = { repoRoots, closed: targetDirs };
  if (directories === undefined) return resolveRepoFile(repository, file, closed);
  const named = resolve(repository, file);
  const key = `${repository}\0${dirname(named)}`;
  const directory = directories.get(key);
  if (directory !== undefined && isPlainFile(named)) return `${directory}/${basename(named)}`;
  const real = resolveRepoFile(repository, file, closed);
  // What a link leads to says nothing of the directory that it lies in.
  if (directory === undefined && isPlainFile(named)) directories.set(key, dirname(real));
  return real;
}

/** Whether a file lies there, and no link to one. */
function isPlainFile(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false })?.isFile() === true;
  } catch {
    return false;
  }
}

function pathOf(url: string): string {
  try {
    return fileURLToPath(url);
  } catch (cause) {
    throw new ReactorError('repo.outside', `"${url.slice(0, 200)}" is no file of this machine.`, { cause });
  }
}

function leadsOut(repository: string, place: string): ReactorError {
  return new ReactorError(
    'repo.outside',
    `The metadata refer to ${place.slice(0, 200)}, where this repository may not lead.`,
    { where: repository, hint: 'A repository behind HTTP leads to http(s) URLs only.' },
  );
}
