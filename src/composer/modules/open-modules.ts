import type { Config } from '../../config.ts';
import { connectMbs } from '../../upstream/mbs.ts';
import type { Koji } from '../koji/koji.ts';
import type { ModuleResources } from './select-modules.ts';

/** Opens what modules are looked up with; without `mbs_url` they come from Koji tags only. */
export function openModules(
  config: Pick<Config, 'mbs_url' | 'base_module_names' | 'git_allowed_urls'>,
  koji: Koji,
): ModuleResources {
  return {
    mbs: config.mbs_url === '' ? null : connectMbs({ url: config.mbs_url }),
    koji,
    baseModuleNames: config.base_module_names,
    gitAllowedUrls: config.git_allowed_urls,
  };
}
