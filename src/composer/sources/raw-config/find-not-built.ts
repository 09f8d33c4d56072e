import type { Config } from '../../main/config-value.ts';
import type { NotNative } from '../../main/find-not-native.ts';
import type { MainDefinition } from '../../main/main-definition.ts';

/**
 * Finds what is planned natively and not written by builds: they know trees of variants and optionals, of one release, with
 * comps and modules and nothing beside them.
 */
export function findNotBuilt(config: Config, definition: MainDefinition): NotNative[] {
  const found: NotNative[] = [];
  for (const { uid, type } of definition.variants.values()) {
    if (type === 'addon' || type === 'layered-product') {
      found.push({ option: 'variants_file', reason: `the ${type} ${uid} has no place in a build` });
    }
  }
  if (definition.baseProduct !== null) {
    found.push({ option: 'base_product_name', reason: 'metadata of layered products are not written' });
  }
  if (definition.output.checksum !== 'sha256') {
    found.push({ option: 'createrepo_checksum', reason: 'repodata have SHA-256 digests only' });
  }
  for (const option of ['release_discinfo_description', 'treeinfo_version']) {
    if (config.has(option)) found.push({ option, reason: 'trees are called as their release' });
  }
  for (const option of ['extra_files', 'product_id']) {
    if (config.has(option))
      found.push({ option, reason: 'no files beside packages and metadata are written' });
  }
  if (config.has('module_defaults_dir')) {
    const hasModules = [...definition.variants.values()].some(({ modules }) => modules !== null);
    if (hasModules) found.push({ option: 'module_defaults_dir', reason: 'module defaults are not read' });
  }
  return found;
}
