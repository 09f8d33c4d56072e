import { posix } from 'node:path';
import { ReactorError } from '../../model/errors.ts';
import { valuesByVariantAndArch } from './config-mappings.ts';
import { isDictionary, textsOf, type ConfigDictionary } from './config-value.ts';
import type { ConfigFiles, LoadedConfig } from './load-config.ts';
import type { BesideSources, ExtraFiles, ExtraFilesByTree } from './main-definition.ts';
import type { Variants } from './variants.ts';

/** The digests that lists of extra files tell where nothing else is said. Source: main compose contract 7. */
export const defaultDigests = ['md5', 'sha1', 'sha256'] as const;

/** Options that name a directory of files for trees or repodata. */
export const directoryOptions = [
  'module_defaults_dir',
  'module_defaults_override_dir',
  'module_obsoletes_dir',
  'product_id',
] as const;

/**
 * Reads what a configuration says of files beside packages. Throws `main.config_invalid` for a directory of elsewhere, and
 * `main.extra_file_invalid`, `main.not_native` for extra files. Source: main compose contract 5 and 7.
 */
export function readBesideSources(
  files: Pick<ConfigFiles, 'prefix'>,
  loaded: LoadedConfig,
  variants: Variants,
): BesideSources {
  const { config } = loaded;
  const certificates = directoryOf(loaded, 'product_id');
  return {
    moduleDefaults: directoryOf(loaded, 'module_defaults_dir'),
    moduleDefaultOverrides: directoryOf(loaded, 'module_defaults_override_dir'),
    moduleObsoletes: directoryOf(loaded, 'module_obsoletes_dir'),
    productCertificates:
      certificates === null
        ? null
        : {
            directory: certificates,
            isMissingFine: config.get('product_id_allow_missing') === true,
            isPrefixFine: config.get('product_id_allow_name_prefix') !== false,
          },
    extraFiles: config.has('extra_files') ? readExtraFilesOption(files, loaded, variants) : null,
    extraFileDigests: textsOf(config.get('media_checksums') ?? [...defaultDigests]),
  };
}

/** The path of the directory that an option names; null where it names none. */
function directoryOf(
  { config, directory }: LoadedConfig,
  option: (typeof directoryOptions)[number],
): string | null {
  const value = config.get(option);
  if (value === undefined || value === null) return null;
  if (typeof value === 'string') return posix.join(directory, value);
  throw new ReactorError(
    'main.config_invalid',
    `The option ${option} names no directory of the configuration.`,
    {
      hint: 'Name a path, or a dictionary with scm, repo, branch and dir.',
    },
  );
}

/** Reads the option `extra_files`. Throws `main.extra_file_invalid`, `main.not_native`. */
function readExtraFilesOption(
  files: Pick<ConfigFiles, 'prefix'>,
  { config, directory }: LoadedConfig,
  variants: Variants,
): ExtraFilesByTree {
  const mapping = config.get('extra_files');
  const pathOf = (path: string): string =>
    path.startsWith(files.prefix)
      ? posix.normalize(path.slice(files.prefix.length))
      : posix.join(directory, path);
  const filled = [...variants.values()].filter(({ isEmpty }) => !isEmpty);
  return new Map(
    filled.map(({ uid, arches }) => [
      uid,
      new Map(
        [...arches, 'src'].map((arch) => [
          arch,
          valuesByVariantAndArch(mapping, uid, arch)
            .filter(isDictionary)
            .map((entry) => readEntry(entry, pathOf, `extra_files, ${uid}.${arch}`)),
        ]),
      ),
    ]),
  );
}

function readEntry(entry: ConfigDictionary, pathOf: (path: string) => string, where: string): ExtraFiles {
  if (!entry.has('repo') && entry.has('file')) {
    throw new ReactorError('main.extra_file_invalid', "'repo'", {
      hint: 'An entry of extra_files with the key file needs the key repo, which may be empty for the scm "file".',
      where,
    });
  }
  const scm = entry.get('scm');
  const listed = {
    files: textsOf(entry.get('file')),
    directories: textsOf(entry.get('dir')),
    target: String(entry.get('target') ?? '').replace(/^\/+/, ''),
  };
  if (scm === 'file') {
    const { files, directories, target } = listed;
    return { packageGlob: null, files: files.map(pathOf), directories: directories.map(pathOf), target };
  }
  const repo = String(entry.get('repo') ?? '');
  if (scm === 'rpm' && !repo.includes('/')) return { packageGlob: repo, ...listed };
  const [what, hint] =
    scm === 'rpm'
      ? ['RPMs elsewhere', 'Name a package of the compose.']
      : [
          `the scm "${String(scm)}"`,
          'Keep the files in the configuration and take them with the scm "file".',
        ];
  throw new ReactorError('main.not_native', `extra_files of ${what} are not fetched.`, { hint, where });
}
