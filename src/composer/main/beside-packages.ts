import { posix } from 'node:path';
import type { RepositoryModuleDocument } from '../../rpm/modules-yaml.ts';
import { readModuleDefaults, readModuleObsoletes } from '../modules/module-defaults.ts';
import { readText, type ConfigFiles } from './load-config.ts';
import type { BesideSources, MainDefinition } from './main-definition.ts';
import { findProductId } from './product-ids.ts';
import { compareVariants } from './variants.ts';

/** What a definition brings for the repositories of its compose, beside packages and comps. */
export interface BesidePackages {
  /** Defaults and obsoletes of modules, whether any variant has those or not. */
  readonly moduleDocuments: readonly RepositoryModuleDocument[];
  /** Product certificates, by uid and arch. */
  readonly productIds: ReadonlyMap<string, ReadonlyMap<string, Uint8Array>>;
}

/**
 * Reads module defaults, obsoletes and product certificates from the files beside a definition. Throws `main.product_id`,
 * `main.config_too_large`, and what `readModuleDefaults` throws. Source: main compose contract 5 and 7.
 */
export function readBesidePackages(
  files: ConfigFiles,
  definition: Pick<MainDefinition, 'beside' | 'variants'>,
): BesidePackages {
  const { beside } = definition;
  const textsOf = (directory: string | null) =>
    listDirectory(files, directory)
      .filter((name) => name.endsWith('.yaml'))
      .map((name) => ({ path: name, text: readText(files, posix.join(directory ?? '', name)) }));
  const overriding = readModuleDefaults(textsOf(beside.moduleDefaultOverrides));
  const isOverridden = new Set(overriding.map(({ module }) => module));
  const defaults = readModuleDefaults(textsOf(beside.moduleDefaults));
  return {
    moduleDocuments: [
      ...defaults.filter(({ module }) => !isOverridden.has(module)),
      ...overriding,
      ...readModuleObsoletes(textsOf(beside.moduleObsoletes)),
    ],
    productIds: readProductIds(files, definition),
  };
}

function readProductIds(
  files: ConfigFiles,
  { beside: { productCertificates }, variants }: Pick<MainDefinition, 'beside' | 'variants'>,
): ReadonlyMap<string, ReadonlyMap<string, Uint8Array>> {
  const byVariant = new Map<string, Map<string, Uint8Array>>();
  if (productCertificates === null) return byVariant;
  const { directory } = productCertificates;
  const names = listDirectory(files, directory);
  const filled = [...variants.values()].filter(({ isEmpty }) => !isEmpty).sort(compareVariants);
  for (const { uid, arches } of filled) {
    const byArch = new Map<string, Uint8Array>();
    byVariant.set(uid, byArch);
    for (const arch of arches) {
      const name = findProductId(names, uid, arch, productCertificates);
      if (name !== null) byArch.set(arch, Buffer.from(readText(files, posix.join(directory, name))));
    }
  }
  return byVariant;
}

/** The names of the files right in a directory, sorted. */
function listDirectory(files: ConfigFiles, directory: string | null): readonly string[] {
  if (directory === null) return [];
  return (files.list(directory) ?? []).filter((name) => !name.includes('/')).toSorted();
}

/** Lists the paths of all files beside a definition that its compose reads, comps left out. */
export function listBesideFiles(files: ConfigFiles, beside: BesideSources): string[] {
  const { moduleDefaults, moduleDefaultOverrides, moduleObsoletes, productCertificates } = beside;
  const right = [moduleDefaults, moduleDefaultOverrides, moduleObsoletes].flatMap((directory) =>
    listDirectory(files, directory)
      .filter((name) => name.endsWith('.yaml'))
      .map((name) => posix.join(directory ?? '', name)),
  );
  const certificates = listDirectory(files, productCertificates?.directory ?? null)
    .filter((name) => name.endsWith('.pem'))
    .map((name) => posix.join(productCertificates?.directory ?? '', name));
  const own = [...(beside.extraFiles?.values() ?? [])]
    .flatMap((byArch) => [...byArch.values()].flat())
    .filter(({ packageGlob }) => packageGlob === null)
    .flatMap((entry) => [
      ...entry.files,
      ...entry.directories.flatMap((directory) =>
        (files.list(directory) ?? []).map((name) => posix.join(directory, name)),
      ),
    ]);
  return [...new Set([...right, ...certificates, ...own])].sort();
}
