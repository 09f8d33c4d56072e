import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import { ReactorError } from '../../model/errors.ts';
import { matchNamePattern } from '../../model/name-pattern.ts';
import { isPathBelow } from '../../model/names.ts';
import { readPayloadFiles } from '../../rpm/payload-files.ts';
import { formatText } from './format-text.ts';
import { readText, type ConfigFiles } from './load-config.ts';
import type { ExtraFiles, MainDefinition } from './main-definition.ts';
import type { TreeFile } from '../selection.ts';
import type { Variant } from './variants.ts';

/** A file for a tree, by its path in it. */
interface ExtraFile {
  readonly path: string;
  readonly content: Buffer;
}

/**
 * Finds an RPM of a name glob, and of an arch unless it is null, among the packages of the compose; returns what reads its
 * file, or null.
 */
export type FindPackage = (nameGlob: string, arch?: string) => (() => Promise<Buffer>) | null;

export interface ExtraFilesContext {
  /** Those beside the definition. */
  readonly files: ConfigFiles;
  readonly definition: Pick<MainDefinition, 'beside' | 'variants'>;
  readonly findPackage: FindPackage;
}

/**
 * Reads the files that a definition puts into trees, from beside it and out of packages of the compose, with their digests.
 * Null where it does not speak of any. Throws `main.extra_file_invalid`, `main.config_missing` and the codes of
 * `readPayloadFiles`. Source: main compose contract 7.
 */
export async function readExtraFiles(context: ExtraFilesContext): Promise<readonly TreeFile[] | null> {
  const { extraFiles, extraFileDigests } = context.definition.beside;
  if (extraFiles === null) return null;
  const trees = [...context.definition.variants.values()].flatMap((variant) =>
    [...(extraFiles.get(variant.uid) ?? [])].map(([arch, entries]) => ({ variant, arch, entries })),
  );
  for (const { variant, arch, entries } of trees) {
    for (const { packageGlob } of entries) {
      if (packageGlob !== null) packageOf(context, packageGlob, { variant, arch });
    }
  }
  const found: TreeFile[] = [];
  for (const { variant, arch, entries } of trees) {
    const byPath = new Map<string, Buffer>();
    for (const entry of entries) {
      for (const { path, content } of await readEntry(context, entry, { variant, arch })) {
        byPath.set(path, content);
      }
    }
    for (const [path, bytes] of byPath) {
      const checksums = checksumsOf(bytes, extraFileDigests);
      found.push({ variant: variant.uid, arch, path, bytes, checksums });
    }
  }
  return found;
}

function checksumsOf(bytes: Buffer, digests: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    digests.map((digest) => [digest, createHash(digest).update(bytes).digest('hex')]),
  );
}

interface NamedTree {
  readonly variant: Variant;
  readonly arch: string;
}

async function readEntry(
  context: ExtraFilesContext,
  entry: ExtraFiles,
  tree: NamedTree,
): Promise<ExtraFile[]> {
  const { target, packageGlob } = entry;
  const place = (name: string): string => {
    const path = posix.join(target, name);
    if (isPathBelow(path) && !isReserved(path)) return path;
    throw new ReactorError(
      'main.extra_file_invalid',
      `"${target}/${name}" leads out of the tree, or over what is written there anyway.`,
      { where: whereOf(tree) },
    );
  };
  if (packageGlob !== null) return readPackage(packageOf(context, packageGlob, tree), entry, place);
  const { files } = context;
  const single = entry.files.map((path) => ({
    path: place(posix.basename(path)),
    content: readBytes(files, path),
  }));
  const whole = entry.directories.flatMap((directory) =>
    (files.list(directory) ?? []).toSorted().map((name) => ({
      path: place(name),
      content: readBytes(files, posix.join(directory, name)),
    })),
  );
  return [...single, ...whole];
}

function readBytes(files: ConfigFiles, path: string): Buffer {
  const bytes = isPathBelow(path) ? files.read(path) : null;
  return Buffer.from(bytes ?? readText(files, path));
}

function whereOf({ variant, arch }: NamedTree): string {
  return `extra_files, ${variant.uid}.${arch}`;
}

/** The package of the compose that an entry names, with `%(…)s` for what it is for. */
function packageOf(
  context: ExtraFilesContext,
  packageGlob: string,
  tree: NamedTree,
): { readonly name: string; readonly read: () => Promise<Buffer> } {
  const { variant, arch } = tree;
  const name = formatText(
    packageGlob,
    new Map([
      ['variant_id', variant.id],
      ['variant_uid', variant.uid],
      ['variant_id_lower', variant.id.toLowerCase()],
      ['variant_uid_lower', variant.uid.toLowerCase()],
      ['arch', arch],
    ]),
  );
  const dot = name.lastIndexOf('.');
  const read =
    context.findPackage(name) ??
    (dot > 0 ? context.findPackage(name.slice(0, dot), name.slice(dot + 1)) : null);
  if (read !== null) return { name, read };
  throw new ReactorError('main.extra_file_invalid', `No package matching ${name} in the package set.`, {
    where: whereOf(tree),
  });
}

/** The files of a package that an entry names by globs, or all below a directory. */
async function readPackage(
  { name, read }: { readonly name: string; readonly read: () => Promise<Buffer> },
  entry: ExtraFiles,
  place: (name: string) => string,
): Promise<ExtraFile[]> {
  const globs = entry.files.map((glob) => ({
    isMatch: matchNamePattern(`/${glob.replace(/^\/+/, '')}`),
    depth: glob.replace(/^\/+/, '').split('/').length,
  }));
  const directories = entry.directories.map((directory) => `/${directory.replace(/^\/+|\/+$/g, '')}/`);
  const nameOf = (path: string): string | null => {
    // A star of a path does not stand for a slash.
    const isNamed = globs.some(({ isMatch, depth }) => path.split('/').length === depth + 1 && isMatch(path));
    if (isNamed) return posix.basename(path);
    const directory = directories.find((prefix) => path.startsWith(prefix));
    return directory === undefined ? null : path.slice(directory.length);
  };
  const files = await readPayloadFiles(await read(), name, (path) => nameOf(path) !== null);
  return files.map(({ path, content }) => ({ path: place(nameOf(path) ?? posix.basename(path)), content }));
}

/** What a tree has anyway: a file of that name would be in the way of it. */
const reserved = new Set([
  '.treeinfo',
  '.discinfo',
  'media.repo',
  'extra_files.json',
  'Packages',
  'repodata',
  'addons',
]);

function isReserved(path: string): boolean {
  return reserved.has(path.split('/', 1)[0] ?? '');
}
