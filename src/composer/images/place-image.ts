import { createHash } from 'node:crypto';
import { createReadStream, readFileSync, renameSync, rmSync } from 'node:fs';
import { copyFile, link, realpath, rm, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import type { ListedImage } from '../../rpm/productmd-images.ts';
import { fetchPackages } from '../fetch-packages.ts';
import { fileMissing } from '../koji/koji-files.ts';
import type { KojiFileSource } from '../koji/index-copies.ts';
import type { Pen } from '../pen.ts';
import type { ImageKind } from './image-kinds.ts';

/** A file of Koji that becomes an image of a compose. */
export interface FoundImage extends ImageKind {
  readonly variant: string;
  readonly subvariant: string;
  readonly arch: string;
  readonly isBootable: boolean;
  /** Below the top directory of Koji. */
  readonly path: string;
  /** Names of digests. */
  readonly checksums: readonly string[];
}

export interface PlaceImageContext {
  readonly files: KojiFileSource;
  readonly delivery: 'link' | 'copy' | 'reference';
  readonly now: Date;
  readonly signal: AbortSignal;
}

/**
 * Puts an image into a compose, linked where that is possible, in place of what an earlier attempt put there, and its
 * checksums beside it; returns what metadata say of it. Throws `koji.file_missing`, what fetching throws, and the reason of the
 * signal. Source: Pungi's phases of images, and image_checksum.
 */
export async function placeImage(
  context: PlaceImageContext,
  pen: Pen,
  image: FoundImage,
): Promise<ListedImage> {
  const { variant, arch, type, format, subvariant, isBootable, checksums } = image;
  const name = basename(image.path);
  const place = `${variant}/${arch}/${format === 'iso' ? 'iso' : 'images'}`;
  const directory = pen.makeDirectory(`compose/${place}`);
  const target = `${directory}/${name}`;
  await rm(target, { force: true });
  const source = await localPathOf(context, image.path);
  await linkOrCopy(source, target, context.delivery);
  const digests = await digestsOf(target, checksums, context.signal);
  const { size, mtimeMs } = await stat(target);
  for (const [algorithm, digest] of Object.entries(digests)) {
    const lines = [`# ${name}: ${size} bytes`, `${algorithm.toUpperCase()} (${name}) = ${digest}`];
    const file = `${algorithm.toUpperCase()}SUM`;
    replaceFile(pen, `compose/${place}/${name}.${file}`, `${lines.join('\n')}\n`);
    replaceFile(
      pen,
      `compose/${place}/${file}`,
      withLines(pen.path(`compose/${place}/${file}`), name, lines),
    );
  }
  return {
    variant,
    arches: [arch],
    image: {
      arch,
      path: `${place}/${name}`,
      type,
      format,
      subvariant,
      isBootable,
      size,
      mtime: Math.floor(mtimeMs / 1_000),
      checksums: digests,
      volumeId: null,
      implantMd5: null,
    },
  };
}

async function localPathOf({ files, now, signal }: PlaceImageContext, path: string): Promise<string> {
  if (files.kind === 'directory') {
    const local = `${files.files.where}/${path}`;
    try {
      return await realpath(local);
    } catch (cause) {
      throw fileMissing(local, { cause });
    }
  }
  const { http, urlOf } = files.files;
  const wanted = { url: urlOf(path), digest: null, size: null };
  const [stored] = await fetchPackages({ http, store: files.store, now, signal }, [wanted]);
  if (stored === undefined) throw fileMissing(wanted.url, {});
  return stored.path;
}

async function linkOrCopy(
  source: string,
  target: string,
  delivery: PlaceImageContext['delivery'],
): Promise<void> {
  if (delivery === 'link') {
    try {
      await link(source, target);
      return;
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (code !== 'EXDEV' && code !== 'EPERM' && code !== 'EMLINK') throw error;
    }
  }
  await copyFile(source, target);
}

/** Returns digests of a file, hex, by their algorithms. Throws what reading throws, and the reason of the signal. */
export async function digestsOf(
  path: string,
  algorithms: readonly string[],
  signal: AbortSignal,
): Promise<Record<string, string>> {
  const hashes = algorithms.map((algorithm) => [algorithm, createHash(algorithm)] as const);
  for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024, signal })) {
    for (const [, hash] of hashes) hash.update(chunk);
  }
  return Object.fromEntries(hashes.map(([algorithm, hash]) => [algorithm, hash.digest('hex')]));
}

/** The checksums of a directory, with those of a file in place of what they said of it before. */
function withLines(path: string, name: string, lines: readonly string[]): string {
  const known = readIfThere(path)
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith(`# ${name}: `) && !line.includes(` (${name}) = `));
  return `${[...known, ...lines].join('\n')}\n`;
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    throw error;
  }
}

/** Writes a file that may be there already, by a rename: who reads it sees one or the other. */
export function replaceFile(pen: Pen, relative: string, content: string | Uint8Array): void {
  const folder = relative.slice(0, relative.lastIndexOf('/') + 1);
  const made = `${folder}.${basename(relative)}.new`;
  const path = pen.path(made);
  rmSync(path, { force: true });
  pen.writeFile(made, content);
  renameSync(path, pen.path(relative));
}
