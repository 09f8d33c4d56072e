import { posix } from 'node:path';
import { ReactorError } from '../../model/errors.ts';
import type { RepositoryModuleDocument } from '../../rpm/modules-yaml.ts';
import { readModuleDefaults, readModuleObsoletes } from '../modules/module-defaults.ts';
import { readText, type ConfigFiles, type LoadedConfig } from './load-config.ts';
import { findProductId } from './product-ids.ts';
import { compareVariants, type Variants } from './variants.ts';

/** What a configuration brings for the repositories of its compose, beside packages and comps. */
export interface BesidePackages {
  /** Defaults and obsoletes of modules, whether any variant has those or not. */
  readonly moduleDocuments: readonly RepositoryModuleDocument[];
  /** Product certificates, by uid and arch. */
  readonly productIds: ReadonlyMap<string, ReadonlyMap<string, Uint8Array>>;
}

/**
 * Reads module defaults, obsoletes and product certificates. Throws `main.product_id`, `main.config_invalid` for what is
 * no directory of the configuration, `main.config_too_large`, and what `readModuleDefaults` throws.
 * Source: main compose contract 5 and 7.
 */
export function readBesidePackages(
  files: ConfigFiles,
  loaded: LoadedConfig,
  variants: Variants,
): BesidePackages {
  const textsOf = (option: string) => {
    const directory = directoryOf(loaded, option);
    return listDirectory(files, directory)
      .filter((name) => name.endsWith('.yaml'))
      .map((name) => ({ path: name, text: readText(files, posix.join(directory ?? '', name)) }));
  };
  const overriding = readModuleDefaults(textsOf('module_defaults_override_dir'));
  const isOverridden = new Set(overriding.map(({ module }) => module));
  const defaults = readModuleDefaults(textsOf('module_defaults_dir'));
  return {
    moduleDocuments: [
      ...defaults.filter(({ module }) => !isOverridden.has(module)),
      ...overriding,
      ...readModuleObsoletes(textsOf('module_obsoletes_dir')),
    ],
    productIds: readProductIds(files, loaded, variants),
  };
}

function readProductIds(
  files: ConfigFiles,
  loaded: LoadedConfig,
  variants: Variants,
): ReadonlyMap<string, ReadonlyMap<string, Uint8Array>> {
  const { config } = loaded;
  const directory = directoryOf(loaded, 'product_id');
  const byVariant = new Map<string, Map<string, Uint8Array>>();
  if (directory === null) return byVariant;
  const names = listDirectory(files, directory);
  const filled = [...variants.values()].filter(({ isEmpty }) => !isEmpty).sort(compareVariants);
  for (const { uid, arches } of filled) {
    const byArch = new Map<string, Uint8Array>();
    byVariant.set(uid, byArch);
    for (const arch of arches) {
      const name = findProductId(names, uid, arch, {
        isMissingFine: config.get('product_id_allow_missing') === true,
        isPrefixFine: config.get('product_id_allow_name_prefix') !== false,
      });
      if (name !== null) byArch.set(arch, Buffer.from(readText(files, posix.join(directory, name))));
    }
  }
  return byVariant;
}

/** The path of the directory that an option names; null where it names none. */
function directoryOf({ config, directory }: LoadedConfig, option: string): string | null {
  const value = config.get(option);
  if (value === undefined || value === null) return null;
  if (typeof value === 'string') return posix.join(directory, value);
  throw new ReactorError(
    'main.config_invalid',
    `The option ${option} names no directory of the configuration.`,
    {
      hint: 'Files from elsewhere (scm dictionaries) are not fetched; keep them beside the configuration.',
    },
  );
}

/** The names of the files right in a directory, sorted. */
function listDirectory(files: ConfigFiles, directory: string | null): readonly string[] {
  if (directory === null) return [];
  return (files.list(directory) ?? []).filter((name) => !name.includes('/')).toSorted();
}
