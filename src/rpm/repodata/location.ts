import { readFileSync, realpathSync, statSync } from 'node:fs';
import { join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { messageOf, ReactorError } from '../../model/errors.ts';

/** What reading a repository needs of the world. `fetch` is only called for http and https. */
export interface RepositoryContext {
  readonly fetch?: typeof globalThis.fetch;
  readonly signal?: AbortSignal;
}

/** Reads one file below a repository by its relative path, at most `limit` bytes. */
export type ReadBelow = (href: string, limit: number) => Promise<Buffer>;

const plainLocation = /^[A-Za-z0-9_][A-Za-z0-9_+.~^/-]*$/;

/**
 * Refuses a location that leaves the repository: absolute, with a scheme, with `..`, a backslash or a NUL.
 * Throws `repodata.location_unsafe`.
 */
export function checkLocation(href: string, where: string): void {
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

function tooLarge(where: string, limit: number): ReactorError {
  return new ReactorError('repodata.too_large', `The file has more than ${limit} bytes.`, { where });
}

function readBelowDirectory(directory: string): ReadBelow {
  return async (href, limit) => {
    checkLocation(href, directory);
    const path = join(directory, href);
    try {
      const root = realpathSync(directory);
      const real = realpathSync(path);
      if (real !== root && !real.startsWith(root.endsWith(sep) ? root : root + sep)) {
        throw new ReactorError('repodata.location_unsafe', `"${href}" links out of the repository.`, {
          where: path,
        });
      }
      if (statSync(real).size > limit) throw tooLarge(path, limit);
      return readFileSync(real);
    } catch (thrown) {
      if (thrown instanceof ReactorError) throw thrown;
      throw new ReactorError('repodata.unreadable', `Cannot read ${href}: ${messageOf(thrown)}.`, {
        where: path,
        cause: thrown,
        hint: 'Is this a repository, with repodata/repomd.xml in it?',
      });
    }
  };
}

async function readBody(response: Response, limit: number, where: string): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  if (response.body === null) return Buffer.alloc(0);
  for await (const chunk of response.body) {
    size += chunk.length;
    if (size > limit) throw tooLarge(where, limit);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}

function readBelowUrl(context: RepositoryContext, base: string): ReadBelow {
  const root = base.endsWith('/') ? base : `${base}/`;
  return async (href, limit) => {
    checkLocation(href, root);
    const url = new URL(href, root).href;
    const { signal } = context;
    const send = context.fetch ?? globalThis.fetch;
    let body: Buffer;
    let status: number;
    try {
      const response = await send(url, signal === undefined ? {} : { signal });
      status = response.status;
      body = response.ok ? await readBody(response, limit, url) : Buffer.alloc(0);
      if (!response.ok) await response.body?.cancel();
    } catch (thrown) {
      if (thrown instanceof ReactorError) throw thrown;
      signal?.throwIfAborted();
      throw new ReactorError('repodata.unreachable', `Cannot reach ${url}: ${messageOf(thrown)}.`, {
        where: url,
        fate: 'retry',
        cause: thrown,
      });
    }
    if (status >= 200 && status < 300) return body;
    throw new ReactorError('repodata.unreadable', `The server answers ${status} for ${href}.`, {
      where: url,
      fate: status >= 500 || status === 429 ? 'retry' : 'drop',
    });
  };
}

/** A reader of the files below a directory path, a file:// URL or an http(s) URL. Throws `repodata.location_unknown`. */
export function readBelow(context: RepositoryContext, location: string): ReadBelow {
  if (/^https?:\/\//i.test(location)) return readBelowUrl(context, location);
  if (/^file:\/\//i.test(location)) return readBelowDirectory(fileURLToPath(location));
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(location)) {
    throw new ReactorError('repodata.location_unknown', `"${location}" is no path, file:// or http(s) URL.`);
  }
  return readBelowDirectory(location);
}
