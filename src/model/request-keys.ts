import { composeFlags, composeResults, multilibMethods } from './compose.ts';

/**
 * Keys of an ODCS request body and what shape their values have, for checking rules before they run.
 * Source: ODCS contract 3 (fields of POST).
 */
export const requestKeys: Readonly<Record<string, 'text' | 'number' | 'list' | 'object' | 'switch'>> = {
  source: 'object',
  seconds_to_live: 'number',
  flags: 'list',
  results: 'list',
  arches: 'list',
  multilib_arches: 'list',
  multilib_method: 'list',
  lookaside_repos: 'list',
  parent_pungi_compose_ids: 'list',
  label: 'text',
  compose_type: 'text',
  respin_of: 'text',
  target_dir: 'text',
  delivery: 'text',
};

/** Keys of the `source` object of a request body. */
export const requestSourceKeys: Readonly<Record<string, 'text' | 'number' | 'list' | 'object' | 'switch'>> = {
  type: 'text',
  source: 'text',
  packages: 'list',
  builds: 'list',
  modular_koji_tags: 'list',
  scratch_modules: 'list',
  scratch_build_tasks: 'list',
  modules: 'list',
  sigkeys: 'list',
  koji_event: 'number',
  module_defaults_url: 'text',
  module_defaults_commit: 'text',
  base_module_br_name: 'text',
  base_module_br_stream: 'text',
  base_module_br_stream_version_lte: 'number',
  base_module_br_stream_version_gte: 'number',
  only: 'list',
  except: 'list',
  unsigned_arches: 'list',
  wait_for_signatures: 'text',
  embargo: 'object',
  previous_builds: 'object',
  released_tag: 'text',
};

/** Every word that the list of a request may have, by key; other lists have names of elsewhere. */
export const requestWords: Readonly<Record<string, readonly string[]>> = {
  flags: Object.keys(composeFlags),
  results: Object.keys(composeResults),
  multilib_method: Object.keys(multilibMethods),
};
