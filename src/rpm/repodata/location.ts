import { realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { messageOf, ReactorError } from '../../model/errors.ts';
import { readRegularFile } from '../regular-file.ts';
import { urlBelow } from './url-below.ts';

/**
 * Reads what lies behind an http(s) URL, at most `limit` bytes; `ledFrom` is the URL of the repository whose metadata,
 * and no person, name it. Throws `repodata.unreachable`, `repodata.unreadable`, `repodata.too_large`, or what its policy
 * throws.
 */
export type ReadUrl = (url: string, limit: number, signal?: AbortSignal, ledFrom?: string) => Promise<Buffer>;

/** What reading a repository needs of the world. Without `readUrl` only local ones are read. */
export interface RepositoryContext {
  readonly readUrl?: ReadUrl;
  readonly signal?: AbortSignal;
}

/** Reads one file below a repository by its relative path, at most `limit` bytes. */
export type ReadBelow = (href: string, limit: number) => Promise<Buffer>;

const plainLocation = /^[A-Za-z0-9_][A-Za-z0-9_+.~^/-]*$/;

/**
 * Refuses a location of metadata that leaves the repository: absolute, with a scheme, with `..`, a backslash or a NUL.
 * Throws `repodata.location_unsafe`.
 */
function checkLocation(href: string, where: string): void {
  if (plainLocation.test(href) && !href.includes('..')) return;
  const isPlain =
    href !== '' && !href.startsWith('/') && !/^[a-z][a-z0-9+.-]*:/i.test(href) && !/[\\\0]/.test(href);
  let decoded = href;
  try {
    decoded = decodeURIComponent(href);
  } catch {
    // A stray percent sign is part of the name.
  }
  const hasParent = href.split('/').includes('..') || decoded.split('/').includes('..');
  if (isPlain && !hasParent) return;
  throw new ReactorError(
    'repodata.location_unsafe',
    `The location "${href.slice(0, 200)}" leaves the repository.`,
    {
      where,
      hint: 'Locations are relative paths below the repository.',
    },
  );
}

function readBelowDirectory(directory: string): ReadBelow {
  return async (href, limit) => {
    checkLocation(href, directory);
    const path = join(directory, href);
    try {
      const root = await realpath(directory);
      const real = await realpath(path);
      if (real !== root && !real.startsWith(root.endsWith(sep) ? root : root + sep)) {
        throw new ReactorError('repodata.location_unsafe', `"${href}" links out of the repository.`, {
          where: path,
        });
      }
      const bytes = await readRegularFile(real, limit);
      if (bytes !== null) return bytes;
    } catch (thrown) {
      if (thrown instanceof ReactorError) throw thrown;
      throw new ReactorError('repodata.unreadable', `Cannot read ${href}: ${messageOf(thrown)}.`, {
        where: path,
        cause: thrown,
        hint: 'Is this a repository, with repodata/repomd.xml in it?',
      });
    }
    throw new ReactorError('repodata.too_large', `The file has more than ${limit} bytes.`, { where: path });
  };
}

function readBelowUrl({ readUrl, signal }: RepositoryContext, base: string, ledFrom?: string): ReadBelow {
  return async (href, limit) => {
    checkLocation(href, base);
    const url = urlBelow(base, href);
    if (url === null || readUrl === undefined) throw unknown(base);
    return readUrl(url, limit, signal, ledFrom);
  };
}

const isHttp = (text: string): boolean => /^https?:\/\//i.test(text);

/** Returns a reader of the files below a directory path, a file:// URL or an http(s) URL. Throws `repodata.location_unknown`. */
export function readBelow(context: RepositoryContext, location: string): ReadBelow {
  if (isHttp(location)) return readBelowUrl(context, location);
  if (/^file:\/\//i.test(location)) return readBelowDirectory(fileURLToPath(location));
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(location)) throw unknown(location);
  return readBelowDirectory(location);
}

/**
 * Returns a reader of the files below the `xml:base` of a record: an http(s) URL, held to where the repository may lead,
 * or a place below the repository itself. Throws `repodata.location_unsafe` for all else.
 */
export function readBelowBase(context: RepositoryContext, location: string, base: string): ReadBelow {
  const isRemote = isHttp(location);
  const place = isRemote ? urlBelow(location, base) : isHttp(base) ? base : null;
  if (place !== null) return readBelowUrl(context, place, isRemote ? location : pathToFileURL(location).href);
  checkLocation(base, location);
  return readBelow(context, join(location, base));
}

function unknown(location: string): ReactorError {
  return new ReactorError('repodata.location_unknown', `"${location}" is no path, file:// or http(s) URL.`);
}
