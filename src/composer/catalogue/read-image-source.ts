import { ReactorError } from '../../model/errors.ts';
import {
  mostArchesOfImage,
  mostPackagesOfImage,
  readHeldPackages,
  type HeldPackages,
  type Image,
} from '../../model/image.ts';
import type { ImageSource, ImageValidator, ImageValidators } from '../../model/image-source.ts';
import { isName } from '../../model/names.ts';
import { unreadableImageFile, type PackageLists } from '../../rpm/image-packages.ts';
import type { HttpClient } from '../../upstream/http/http-client.ts';
import { describeFailure, HttpFailure, type HttpPeer } from '../../upstream/http/http-failure.ts';
import { readBytes } from '../../upstream/http/read-body.ts';
import { listOfFile, type ListQuestion } from './list-of-file.ts';

/** What an image is known to hold, and what was said of the files that say so. */
export interface KnownImage extends Pick<Image, 'packages'> {
  readonly validators: ImageValidators | null;
}

/** What a look at the source of an image found. */
export interface ReadImage {
  readonly packages: Image['packages'];
  readonly validators: ImageValidators;
  /** Whether any file is another one than at the last look. */
  readonly isNew: boolean;
}

const ANSWER_WITHIN = 60_000;
/** Bytes; the lock file of an image with 20,000 packages in two arches has fewer. */
const LARGEST = 32 * 1024 * 1024;

const peer: HttpPeer = {
  name: "The server of the image's file",
  codes: {
    unreachable: 'image.source_unreachable',
    refused: 'image.source_refused',
    missing: 'image.source_missing',
  },
};

/**
 * Reads what an image holds from its lock file or bills of materials; of a file that the server says is still the one
 * that was read before, `known` is taken. Throws `image.source_unreachable`, `image.source_refused`,
 * `image.source_missing`, `image.file_unreadable`, `image.package_unreadable`, `repo.not_allowed`, `http.*` and the
 * reason of the signal.
 */
export async function readImageSource(
  source: ImageSource,
  {
    client,
    known,
    signal,
  }: { readonly client: HttpClient; readonly known: KnownImage; readonly signal: AbortSignal },
): Promise<ReadImage> {
  const packages: Record<string, HeldPackages> = {};
  const validators: Record<string, ImageValidator> = {};
  let isNew = false;
  for (const { url, kind, arch } of filesOf(source)) {
    const before = known.validators?.[url];
    const file = await fetchFile(client, { url, before, signal });
    if (file === null) {
      validators[url] = before ?? {};
      Object.assign(packages, arch === null ? known.packages : { [arch]: known.packages[arch] ?? {} });
      continue;
    }
    isNew = true;
    validators[url] = file.validator;
    const lists = await listOfFile({ kind, arch: arch ?? '', bytes: file.bytes, where: url }, signal);
    Object.assign(packages, heldOf(lists, url));
  }
  return { packages, validators, isNew };
}

interface SourceFile extends Pick<ListQuestion, 'kind'> {
  readonly url: string;
  /** Whose packages it lists; null where it says so itself. */
  readonly arch: string | null;
}

function filesOf(source: ImageSource): readonly SourceFile[] {
  switch (source.kind) {
    case 'lock':
      return [{ url: source.url, kind: 'lock', arch: null }];
    case 'sboms':
      return Object.entries(source.urls).map(([arch, url]) => ({ url, kind: 'sbom', arch }));
    default:
      return source satisfies never;
  }
}

/** Returns null where the server says that the file is the same as before. */
async function fetchFile(
  client: HttpClient,
  {
    url,
    before = {},
    signal,
  }: { readonly url: string; readonly before: ImageValidator | undefined; readonly signal: AbortSignal },
): Promise<{ readonly bytes: Uint8Array; readonly validator: ImageValidator } | null> {
  const headers = {
    ...(before.etag === undefined ? {} : { 'if-none-match': before.etag }),
    ...(before.modified === undefined ? {} : { 'if-modified-since': before.modified }),
  };
  try {
    return await client.fetch({ url, headers, signal, timeoutMs: ANSWER_WITHIN }, async (answer) => {
      const { etag, 'last-modified': modified } = answer.headers;
      const validator = {
        ...(typeof etag === 'string' ? { etag } : {}),
        ...(typeof modified === 'string' ? { modified } : {}),
      };
      return { bytes: await readBytes(answer, { limit: LARGEST }), validator };
    });
  } catch (thrown) {
    signal.throwIfAborted();
    const isUnchanged =
      thrown instanceof HttpFailure && thrown.status === 304 && Object.keys(headers).length > 0;
    if (isUnchanged) return null;
    throw describeFailure(thrown, peer, url);
  }
}

/** Holds the lists of a file to what an image may hold. */
function heldOf(lists: PackageLists, where: string): Record<string, HeldPackages> {
  const arches = Object.entries(lists);
  if (arches.length === 0 || arches.length > mostArchesOfImage) {
    throw unreadableImageFile(
      where,
      `it lists ${arches.length} arches, and 1 to ${mostArchesOfImage} are read`,
    );
  }
  return Object.fromEntries(
    arches.map(([arch, list]) => {
      if (!isName('arch', arch))
        throw unreadableImageFile(where, `${JSON.stringify(arch.slice(0, 100))} is no arch`);
      if (list.length > mostPackagesOfImage) {
        throw unreadableImageFile(where, `it lists more than ${mostPackagesOfImage} packages for ${arch}`);
      }
      return [arch, readList(list, where)];
    }),
  );
}

function readList(list: readonly string[], where: string): HeldPackages {
  try {
    return readHeldPackages(list);
  } catch (error) {
    if (!(error instanceof ReactorError)) throw error;
    const { code, message, hint } = error;
    throw new ReactorError(code, message, { where, ...(hint === undefined ? {} : { hint }), cause: error });
  }
}
