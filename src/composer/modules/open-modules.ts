import type { Config } from '../../config.ts';
import { connectMbs } from '../../upstream/mbs.ts';
import type { SelectPackages } from '../selection.ts';
import type { Koji } from '../sources/koji.ts';
import { moduleSource, withModules, type ModuleMeans } from './module-source.ts';

/** What a service that has Koji offers of modules. */
export interface OpenedModules {
  /** The source type `module`. */
  readonly select: SelectPackages;
  /** Lets another source type take in the `modules` and `scratch_modules` of a request. */
  readonly withModules: (select: SelectPackages) => SelectPackages;
}

/** Opens the module source that the settings describe; without `mbs_url` modules come from Koji tags only. */
export function openModules(
  config: Pick<Config, 'mbs_url' | 'base_module_names' | 'git_allowed_urls'>,
  koji: Koji,
): OpenedModules {
  const means: ModuleMeans = {
    mbs: config.mbs_url === '' ? null : connectMbs({ url: config.mbs_url }),
    koji,
    baseModuleNames: config.base_module_names,
    gitAllowedUrls: config.git_allowed_urls,
  };
  return { select: moduleSource(means), withModules: (select) => withModules(select, means) };
}
