import { readdir } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import { parseRange } from '../byte-range.ts';
import { clientOf } from '../client.ts';
import type { ApiContext, ApiRequest, RegisterRoute } from '../context.ts';
import { knownComposeTypes } from '../../rpm/productmd.ts';
import { readFilePart } from '../file-part.ts';
import { escapeHtml, sendPage } from '../html.ts';
import { ApiProblem } from '../problem.ts';
import { openPublished, publishedNames, type Published } from '../published-file.ts';
import type { ReadableFiles } from '../readable-files.ts';
import { openSeriesFile } from '../series-files.ts';

const mount = '/composes';
/** Files up to this size are read at once; writing them piece by piece costs more than their bytes. */
const smallFile = 256 * 1024;

const contentTypes: Readonly<Record<string, string>> = {
  '.xml': 'application/xml',
  '.json': 'application/json',
  '.gz': 'application/gzip',
  '.zst': 'application/zstd',
  '.xz': 'application/x-xz',
  '.rpm': 'application/x-rpm',
  '.iso': 'application/x-iso9660-image',
  '.repo': 'text/plain; charset=utf-8',
  '.log': 'text/plain; charset=utf-8',
  '.txt': 'text/plain; charset=utf-8',
  '.yaml': 'text/plain; charset=utf-8',
  '.conf': 'text/plain; charset=utf-8',
};

/**
 * The default target directory under /composes/: files with ranges and validators, directories as lists. Nothing
 * outside it and no hidden work directory is ever shown. What a series shows
 * is never to be kept without asking whether it is still the same. Source: ODCS contract 16.
 */
export const registerServeFiles: RegisterRoute = (app, context) => {
  const { readable } = context;
  app.get(mount, (request) => toSlash(context, request));
  app.get(`${mount}/*`, async (request) => {
    const names = publishedNames(request.req.path.slice(mount.length));
    const found = names === undefined ? undefined : await openServed(context, readable, names);
    if (names === undefined || found === undefined || found.kind === 'missing') {
      throw new ApiProblem(404, 'file.not_found', `There is no file ${request.req.path}.`);
    }
    const hasSlash = request.req.path.endsWith('/');
    if (found.kind === 'directory') {
      return hasSlash
        ? sendDirectory(context, request, { readable, path: found.path, names })
        : toSlash(context, request);
    }
    if (hasSlash) {
      await found.file.close();
      throw new ApiProblem(404, 'file.not_found', `${request.req.path} is a file, not a directory.`);
    }
    return sendFile(request, found, { name: basename(names.at(-1) ?? ''), isMoving: isMoving(names) });
  });
};

/** Whether a path may show other bytes tomorrow: what a series shows now, and the latest compose of a release. */
function isMoving([first = '', second = '', third]: readonly string[]): boolean {
  if (first === 'series') return third !== 'at';
  return knownComposeTypes.includes(first) && second.startsWith('latest-');
}

/** Opens a published path; below `series/` there are addresses that lie on no disk. */
async function openServed(
  context: ApiContext,
  readable: ReadableFiles,
  names: readonly string[],
): Promise<Published> {
  const { config, database, clock } = context;
  const files = { kysely: database.kysely, targetDir: config.target_dir, readable, now: clock.now() };
  const found = (await openSeriesFile(files, names)) ?? (await openPublished(config.target_dir, names));
  if (found.kind === 'missing' || (await readable.mayRead(found.path))) return found;
  if (found.kind === 'file') await found.file.close();
  return { kind: 'missing' };
}

function toSlash(context: ApiContext, request: ApiRequest): Response {
  const { publicBase } = clientOf(request.req.raw, request.env, context.config);
  const { search } = new URL(request.req.url);
  return new Response(null, {
    status: 308,
    headers: { Location: `${publicBase}${request.req.path}/${search}` },
  });
}

async function sendFile(
  request: ApiRequest,
  { file, size, modified }: Extract<Published, { kind: 'file' }>,
  { name, isMoving }: { readonly name: string; readonly isMoving: boolean },
): Promise<Response> {
  const etag = `"${size.toString(16)}-${modified.getTime().toString(16)}"`;
  const lastModified = modified.toUTCString();
  const headers: Record<string, string> = {
    'Accept-Ranges': 'bytes',
    'Access-Control-Allow-Origin': '*',
    'Content-Type': contentTypeOf(name),
    // Whatever a compose holds, it never acts as a page of this service.
    'Content-Security-Policy': 'sandbox',
    'X-Content-Type-Options': 'nosniff',
    ETag: etag,
    'Last-Modified': lastModified,
    ...(isMoving ? { 'Cache-Control': 'no-cache' } : {}),
  };
  let isHandedOver = false;
  try {
    if (isUnchanged(request, etag, modified)) return new Response(null, { status: 304, headers });
    const condition = request.req.header('If-Range');
    const isRangeFresh = condition === undefined || condition === etag || condition === lastModified;
    const wanted = parseRange(isRangeFresh ? request.req.header('Range') : undefined, size);
    if (wanted.kind === 'unsatisfiable') {
      return new Response(null, { status: 416, headers: { ...headers, 'Content-Range': `bytes */${size}` } });
    }
    const [start, end] = wanted.kind === 'part' ? [wanted.start, wanted.end] : [0, size - 1];
    const length = end - start + 1;
    headers['Content-Length'] = String(length);
    if (wanted.kind === 'part') headers['Content-Range'] = `bytes ${start}-${end}/${size}`;
    const status = wanted.kind === 'part' ? 206 : 200;
    if (request.req.method === 'HEAD') return new Response(null, { status, headers });
    const part = { file, start, length };
    if (length <= smallFile || request.env.outgoing === undefined) {
      return new Response(await readFilePart(part), { status, headers });
    }
    isHandedOver = true;
    request.env.filePart = part;
    return new Response(null, { status, headers });
  } finally {
    if (!isHandedOver) await file.close();
  }
}

/** Names without a dot (STATUS, COMPOSE_ID) are short texts of ours. */
function contentTypeOf(name: string): string {
  const extension = extname(name);
  return extension === ''
    ? 'text/plain; charset=utf-8'
    : (contentTypes[extension] ?? 'application/octet-stream');
}

function isUnchanged(request: ApiRequest, etag: string, modified: Date): boolean {
  const names = request.req.header('If-None-Match');
  if (names !== undefined) {
    return names.split(',').some((name) => ['*', etag].includes(name.trim().replace(/^W\//, '')));
  }
  const since = Date.parse(request.req.header('If-Modified-Since') ?? '');
  return Math.floor(modified.getTime() / 1000) * 1000 <= since;
}

async function sendDirectory(
  context: ApiContext,
  request: ApiRequest,
  {
    readable,
    path,
    names,
  }: { readonly readable: ReadableFiles; readonly path: string; readonly names: readonly string[] },
): Promise<Response> {
  const all = await readdir(path, { withFileTypes: true });
  const showable = new Set(
    await readable.showable(
      names,
      all.map(({ name }) => name),
    ),
  );
  const entries = all.filter(({ name }) => showable.has(name));
  const shown: string[] = [];
  for (const entry of entries.sort((left, right) => (left.name < right.name ? -1 : 1))) {
    const isLink = entry.isSymbolicLink();
    if (entry.name.startsWith('.') || !(entry.isFile() || entry.isDirectory() || isLink)) continue;
    const isDirectory = isLink
      ? await isPublishedDirectory(context, readable, [...names, entry.name])
      : entry.isDirectory();
    if (isDirectory === undefined) continue;
    const label = `${entry.name}${isDirectory ? '/' : ''}`;
    const href = `./${encodeURIComponent(entry.name)}${isDirectory ? '/' : ''}`;
    shown.push(`<li><a href="${escapeHtml(href)}">${escapeHtml(label)}</a></li>`);
  }
  const title = `${decodeURIComponent(request.req.path)}`;
  const up = names.length === 0 ? '' : '<li><a href="../">../</a></li>';
  return sendPage(title, `<h1>${escapeHtml(title)}</h1>\n<ul>${up}\n${shown.join('\n')}\n</ul>`);
}

/** Whether a link leads to a directory; undefined where it leads to nothing that is published, and that may be read. */
async function isPublishedDirectory(
  context: ApiContext,
  readable: ReadableFiles,
  names: readonly string[],
): Promise<boolean | undefined> {
  const found = await openPublished(context.config.target_dir, names);
  if (found.kind === 'file') await found.file.close();
  if (found.kind === 'missing' || !(await readable.mayRead(found.path))) return undefined;
  return found.kind === 'directory';
}
