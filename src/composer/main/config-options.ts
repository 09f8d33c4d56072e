import { imagePhases, type ImagePhase } from '../../model/image-task.ts';

/** What an option of a configuration may hold. */
export type OptionShape =
  | { readonly kind: 'text' | 'flag' | 'number' | 'texts' | 'anything' | 'texts or text' }
  | { readonly kind: 'one of'; readonly values: readonly string[] }
  /** `[(uid_regex, {arch: value or list})]` */
  | { readonly kind: 'by variant and arch'; readonly of: OptionShape }
  /** `{arch: value or list}` */
  | { readonly kind: 'by arch'; readonly of: OptionShape }
  | { readonly kind: 'sigkeys' | 'method' | 'pairs' | 'scm' }
  /** `{uid_regex: [image]}` */
  | { readonly kind: 'images'; readonly phase: ImagePhase };

const text: OptionShape = { kind: 'text' };
const flag: OptionShape = { kind: 'flag' };
const number: OptionShape = { kind: 'number' };
const texts: OptionShape = { kind: 'texts' };
const anything: OptionShape = { kind: 'anything' };
const scm: OptionShape = { kind: 'scm' };
const textOrTexts: OptionShape = { kind: 'texts or text' };
const oneOf = (...values: readonly string[]): OptionShape => ({ kind: 'one of', values });
const byVariantAndArch = (of: OptionShape): OptionShape => ({ kind: 'by variant and arch', of });
const byArch = (of: OptionShape): OptionShape => ({ kind: 'by arch', of });

/** The options that shape a compose here, in the order their faults are listed. Source: main compose contract 2.1. */
export const honouredOptions: Readonly<Record<string, OptionShape>> = {
  release_name: text,
  release_short: text,
  release_version: text,
  release_type: text,
  release_internal: flag,
  release_discinfo_description: text,
  treeinfo_version: text,
  compose_type: oneOf('production', 'development', 'test', 'ci', 'nightly'),
  base_product_name: text,
  base_product_short: text,
  base_product_version: text,
  base_product_type: text,
  variants_file: scm,
  comps_file: scm,
  comps_filter_environments: flag,
  module_defaults_dir: scm,
  module_defaults_override_dir: scm,
  module_obsoletes_dir: scm,
  tree_arches: texts,
  tree_variants: texts,
  koji_profile: text,
  koji_event: number,
  pkgset_source: oneOf('koji', 'repos'),
  pkgset_koji_tag: textOrTexts,
  pkgset_koji_builds: textOrTexts,
  pkgset_koji_scratch_tasks: textOrTexts,
  pkgset_koji_module_tag: textOrTexts,
  pkgset_koji_module_builds: anything,
  pkgset_scratch_modules: anything,
  pkgset_koji_inherit: flag,
  pkgset_koji_inherit_modules: flag,
  pkgset_repos: byArch(text),
  pkgset_exclusive_arch_considers_noarch: flag,
  pkgset_allow_reuse: flag,
  sigkeys: { kind: 'sigkeys' },
  signed_packages_retries: number,
  signed_packages_wait: number,
  gather_method: { kind: 'method' },
  gather_source_mapping: text,
  gather_prepopulate: scm,
  gather_fulltree: flag,
  gather_selfhosting: flag,
  hashed_directories: flag,
  greedy_method: oneOf('none', 'all', 'build'),
  check_deps: flag,
  require_all_comps_packages: flag,
  additional_packages: byVariantAndArch(text),
  filter_packages: byVariantAndArch(text),
  filter_modules: byVariantAndArch(text),
  filter_system_release_packages: flag,
  multilib: byVariantAndArch(oneOf('none', 'all', 'runtime', 'devel', 'kernel', 'yaboot', 'file')),
  multilib_whitelist: byArch(text),
  multilib_blacklist: byArch(text),
  gather_lookaside_repos: byVariantAndArch(text),
  variant_as_lookaside: { kind: 'pairs' },
  link_type: oneOf('hardlink', 'copy', 'hardlink-or-copy', 'symlink', 'abspath-symlink'),
  createrepo_checksum: oneOf('md5', 'sha1', 'sha256', 'sha512'),
  createrepo_use_xz: flag,
  createrepo_database: flag,
  createrepo_extra_args: texts,
  createrepo_extra_modulemd: anything,
  createrepo_deltas: anything,
  createrepo_enable_cache: { kind: 'anything' },
  createrepo_c: flag,
  createrepo_num_threads: number,
  createrepo_num_workers: number,
  product_id: scm,
  product_id_allow_missing: flag,
  product_id_allow_name_prefix: flag,
  extra_files: byVariantAndArch(anything),
  media_checksums: texts,
  repoclosure_strictness: byVariantAndArch(oneOf('off', 'lenient', 'fatal')),
  repoclosure_backend: oneOf('dnf', 'yum'),
  gather_backend: oneOf('yum', 'dnf'),
  skip_phases: texts,
  translate_paths: { kind: 'pairs' },
  failable_deliverables: anything,
  cts_url: text,
  ...Object.fromEntries(
    imagePhases.map((phase): [string, OptionShape] => [phase, { kind: 'images', phase }]),
  ),
};

/** Options without which there is no compose. */
export const requiredOptions = [
  'release_name',
  'release_short',
  'release_version',
  'variants_file',
  'pkgset_source',
  'gather_method',
] as const;

/** Options of what is not made here: a deliverable, a service or a switch of the reference composer. */
export const otherOptions: ReadonlySet<string> = new Set(
  `buildinstall_method buildinstall_skip buildinstall_topdir buildinstall_kickstart buildinstall_use_guestmount
  buildinstall_packages buildinstall_allow_reuse lorax_options lorax_extra_sources lorax_use_koji_plugin
  disc_types bootable create_jigdo createiso_skip createiso_max_size createiso_max_size_is_strict
  createiso_break_hardlinks createiso_use_xorrisofs iso_level iso_hfs_ppc64le_compatible image_name_format
  image_volid_formats image_volid_layered_product_formats volume_id_substitutions restricted_volid
  extra_isos live_images live_images_no_rename live_images_ksurl live_images_target live_images_release
  live_images_version live_target signing_key_id signing_key_password_file signing_command live_media
  live_media_ksurl live_media_target live_media_release live_media_version image_build image_build_ksurl
  image_build_target image_build_release image_build_version osbuild_target osbuild_release
  osbuild_version kiwibuild_description_scm kiwibuild_description_path kiwibuild_target kiwibuild_release
  kiwibuild_version kiwibuild_type kiwibuild_type_attr kiwibuild_bundle_name_format kiwibuild_repo_releasever
  kiwibuild_use_buildroot_repo imagebuilder_target imagebuilder_release imagebuilder_version imagebuilder_types
  imagebuilder_seed imagebuilder_scratch osbs_registries osbs_allow_reuse ostree ostree_installer ostree_container ostree_use_koji_plugin ostree_installer_use_koji_plugin
  ostree_installer_overwrite ostree_container_use_koji_plugin runroot_method runroot_tag runroot_channel runroot_weights
  runroot_ssh_username runroot_ssh_hostnames runroot_ssh_init_template runroot_ssh_install_packages_template
  runroot_ssh_run_template global_ksurl global_target global_release global_version media_checksum_one_file
  media_checksum_base_filename pdc_url pdc_develop pdc_insecure mbs_api_url old_composes_per_release_type
  dogpile_cache_expiration_time gather_allow_reuse gather_profiler
  cts_keytab cts_oidc_token_url cts_oidc_client_id koji_cache fus_use_koji
  pkgset_inherit_exclusive_arch_to_noarch symlink_isos_to`.split(/\s+/),
);

/** Options that the reference composer knew once, and what it says of each. */
export const removedOptions: ReadonlyMap<string, string> = new Map([
  [
    'runroot',
    "remove it. Please specify 'runroot_method' if you want to enable runroot, otherwise run things locally",
  ],
  ['release_is_layered', 'remove it. Please use base_product_* options instead'],
  ['create_optional_isos', 'remove it. This option is ignored'],
  ['product_type', 'remove it. It was never used'],
  ['gather_source', 'remove it'],
  ['keep_original_comps', 'remove <groups> tag from respective variant in variants XML'],
]);

/** What an option that is set asks of others. Source: main compose contract 2. */
export interface OptionRule {
  readonly option: string;
  readonly kind: 'requires' | 'conflicts with';
  /** Whether the rule is asked of this value; null where the option is not set. */
  readonly applies: (value: unknown) => boolean;
  readonly others: readonly string[];
}

const isSet = (value: unknown): boolean => value !== null && value !== '' && value !== false;
const isNotSet = (value: unknown): boolean => !isSet(value);
const is =
  (wanted: string) =>
  (value: unknown): boolean =>
    value === wanted;

export const optionRules: readonly OptionRule[] = [
  ...(['base_product_name', 'base_product_short', 'base_product_version'] as const).flatMap(
    (option, _at, all): OptionRule[] => {
      const others = all.filter((other) => other !== option);
      return [
        { option, kind: 'requires', applies: isSet, others },
        { option, kind: 'conflicts with', applies: isNotSet, others },
      ];
    },
  ),
  { option: 'pkgset_source', kind: 'requires', applies: is('koji'), others: ['koji_profile'] },
  { option: 'pkgset_source', kind: 'requires', applies: is('repos'), others: ['pkgset_repos'] },
  { option: 'pkgset_source', kind: 'conflicts with', applies: is('koji'), others: ['pkgset_repos'] },
  {
    option: 'pkgset_source',
    kind: 'conflicts with',
    applies: is('repos'),
    others: ['pkgset_koji_tag', 'pkgset_koji_inherit'],
  },
  { option: 'product_id', kind: 'conflicts with', applies: isNotSet, others: ['product_id_allow_missing'] },
];
