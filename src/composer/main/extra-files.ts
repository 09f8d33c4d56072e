import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import { ReactorError } from '../../model/errors.ts';
import { matchNamePattern } from '../../model/name-pattern.ts';
import { isPathBelow } from '../../model/names.ts';
import { readPayloadFiles } from '../../rpm/payload-files.ts';
import { valuesByVariantAndArch } from './config-mappings.ts';
import { isDictionary, textsOf, type ConfigDictionary } from './config-value.ts';
import { formatText } from './format-text.ts';
import { readText, type ConfigFiles, type LoadedConfig } from './load-config.ts';
import type { TreeFile } from '../selection.ts';
import type { Variant, Variants } from './variants.ts';

/** A file for a tree, by its path in it. */
interface ExtraFile {
  readonly path: string;
  readonly content: Buffer;
}

/**
 * Finds an RPM of a name glob, and of an arch unless it is null, among the packages of the compose; returns what reads its
 * file, or null.
 */
export type FindPackage = (nameGlob: string, arch: string | null) => (() => Promise<Buffer>) | null;

export interface ExtraFilesContext {
  readonly files: ConfigFiles;
  readonly loaded: LoadedConfig;
  readonly variants: Variants;
  readonly findPackage: FindPackage;
}

/**
 * Reads the files that the option `extra_files` puts into trees, out of the configuration itself and of packages of the
 * compose, with the digests that `media_checksums` names; others are refused. Null without the option. Throws `main.extra_file_invalid`, `main.not_native`, `main.config_missing` and the codes
 * of `readPayloadFiles`.
 * Source: main compose contract 7.
 */
export async function readExtraFiles(context: ExtraFilesContext): Promise<readonly TreeFile[] | null> {
  const { config } = context.loaded;
  if (!config.has('extra_files')) return null;
  const mapping = config.get('extra_files');
  const digests = textsOf(config.get('media_checksums') ?? ['md5', 'sha1', 'sha256']);
  const found: TreeFile[] = [];
  const variants = [...context.variants.values()].filter(({ isEmpty }) => !isEmpty);
  for (const variant of variants) {
    for (const arch of [...variant.arches, 'src']) {
      for (const entry of valuesByVariantAndArch(mapping, variant.uid, arch).filter(isDictionary)) {
        checkEntry(context, entry, variant, arch);
      }
    }
  }
  for (const variant of variants) {
    for (const arch of [...variant.arches, 'src']) {
      const entries = valuesByVariantAndArch(mapping, variant.uid, arch).filter(isDictionary);
      const byPath = new Map<string, Buffer>();
      for (const entry of entries) {
        for (const { path, content } of await readEntry(context, entry, variant, arch)) {
          byPath.set(path, content);
        }
      }
      for (const [path, bytes] of byPath) {
        found.push({ variant: variant.uid, arch, path, bytes, checksums: checksumsOf(bytes, digests) });
      }
    }
  }
  return found;
}

function checksumsOf(bytes: Buffer, digests: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    digests.map((digest) => [digest, createHash(digest).update(bytes).digest('hex')]),
  );
}

/** Refuses an entry that is not complete, or whose package does not exist. */
function checkEntry(
  context: ExtraFilesContext,
  entry: ConfigDictionary,
  variant: Variant,
  arch: string,
): void {
  if (!entry.has('repo') && entry.has('file')) {
    throw new ReactorError('main.extra_file_invalid', "'repo'", {
      hint: 'An entry of extra_files with the key file needs the key repo, which may be empty for the scm "file".',
      where: `extra_files, ${variant.uid}.${arch}`,
    });
  }
  if (entry.get('scm') === 'rpm') packageOf(context, entry, variant, arch);
}

async function readEntry(
  context: ExtraFilesContext,
  entry: ConfigDictionary,
  variant: Variant,
  arch: string,
): Promise<ExtraFile[]> {
  const scm = entry.get('scm');
  if (scm !== 'file' && scm !== 'rpm') {
    throw new ReactorError('main.not_native', `extra_files of the scm "${String(scm)}" are not fetched.`, {
      hint: 'Keep the files in the configuration and take them with the scm "file".',
      where: `extra_files, ${variant.uid}.${arch}`,
    });
  }
  const target = String(entry.get('target') ?? '').replace(/^\/+/, '');
  const place = (name: string): string => {
    const path = posix.join(target, name);
    if (isPathBelow(path) && !isReserved(path)) return path;
    throw new ReactorError(
      'main.extra_file_invalid',
      `"${target}/${name}" leads out of the tree, or over what is written there anyway.`,
      {
        where: `extra_files, ${variant.uid}.${arch}`,
      },
    );
  };
  if (scm === 'rpm') return readPackage(packageOf(context, entry, variant, arch), entry, place);
  const read = (path: string): Buffer => Buffer.from(readBytes(context, path));
  const single = textsOf(entry.get('file')).map((file) => {
    const path = pathOf(context, file);
    return { path: place(posix.basename(path)), content: read(path) };
  });
  const whole = textsOf(entry.get('dir')).flatMap((directory) => {
    const path = pathOf(context, directory);
    return (context.files.list(path) ?? []).toSorted().map((name) => ({
      path: place(name),
      content: read(posix.join(path, name)),
    }));
  });
  return [...single, ...whole];
}

function readBytes({ files }: ExtraFilesContext, path: string): Uint8Array {
  const bytes = isPathBelow(path) ? files.read(path) : null;
  return bytes ?? Buffer.from(readText(files, path));
}

/** The path below the configuration that an absolute or relative one names. */
function pathOf({ files, loaded }: ExtraFilesContext, path: string): string {
  if (path.startsWith(files.prefix)) return posix.normalize(path.slice(files.prefix.length));
  return posix.join(loaded.directory, path);
}

/** The package of the compose that an entry names, with `%(…)s` for what it is for. */
function packageOf(
  context: ExtraFilesContext,
  entry: ConfigDictionary,
  variant: Variant,
  arch: string,
): { readonly name: string; readonly read: () => Promise<Buffer> } {
  const where = `extra_files, ${variant.uid}.${arch}`;
  const name = formatText(
    String(entry.get('repo') ?? ''),
    new Map([
      ['variant_id', variant.id],
      ['variant_uid', variant.uid],
      ['variant_id_lower', variant.id.toLowerCase()],
      ['variant_uid_lower', variant.uid.toLowerCase()],
      ['arch', arch],
    ]),
  );
  if (name.includes('/')) {
    throw new ReactorError('main.not_native', 'extra_files of RPMs elsewhere are not fetched.', {
      hint: 'Name a package of the compose.',
      where,
    });
  }
  const dot = name.lastIndexOf('.');
  const read =
    context.findPackage(name, null) ??
    (dot > 0 ? context.findPackage(name.slice(0, dot), name.slice(dot + 1)) : null);
  if (read !== null) return { name, read };
  throw new ReactorError('main.extra_file_invalid', `No package matching ${name} in the package set.`, {
    where,
  });
}

/** The files of a package that an entry names by globs, or all below a directory. */
async function readPackage(
  { name, read }: { readonly name: string; readonly read: () => Promise<Buffer> },
  entry: ConfigDictionary,
  place: (name: string) => string,
): Promise<ExtraFile[]> {
  const globs = textsOf(entry.get('file')).map((glob) => ({
    isMatch: matchNamePattern(`/${glob.replace(/^\/+/, '')}`),
    depth: glob.replace(/^\/+/, '').split('/').length,
  }));
  const directories = textsOf(entry.get('dir')).map(
    (directory) => `/${directory.replace(/^\/+|\/+$/g, '')}/`,
  );
  const nameOf = (path: string): string | null => {
    // A star of a path does not stand for a slash.
    const isNamed = globs.some(({ isMatch, depth }) => path.split('/').length === depth + 1 && isMatch(path));
    if (isNamed) return posix.basename(path);
    const directory = directories.find((one) => path.startsWith(one));
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
