import { ReactorError } from '../../model/errors.ts';
import { imagePhases } from '../../model/image-task.ts';
import { isDictionary, itemsOf, textsOf, type Config, type ConfigValue } from './config-value.ts';

/** A part of a configuration that is not made here, and why. */
export interface NotNative {
  readonly option: string;
  readonly reason: string;
}

/** Phases that make something of their own section. Source: main compose contract 1 and 11. */
const sections: Readonly<Record<string, string>> = {
  extra_isos: 'bootable ISO files need tools that are not run here',
  live_images: 'live images are built by Koji tasks of the reference composer',
  live_media: 'live media are built by Koji tasks of the reference composer',
  image_build: 'images are built by Koji tasks of the reference composer',
  ostree: 'ostree commits need a shared ostree repository and runroot',
  ostree_installer: 'ostree installers need runroot',
  ostree_container: 'ostree containers need runroot',
};

const withoutLogin =
  'Koji makes images only for who is logged in; the setting koji_login_certificate or koji_login_keytab says how';

/** Every phase that may be skipped. Source: main compose contract 1 and 11. */
export const phaseNames: readonly string[] = [
  'init',
  'pkgset',
  'gather',
  'createrepo',
  'extra_files',
  'repoclosure',
  'buildinstall',
  'createiso',
  ...imagePhases,
  ...Object.keys(sections),
];

/** What the service has beside itself. */
export interface NativeServices {
  /** Its compose tracking service; empty where it has none. */
  readonly ctsUrl: string;
  /** Whether Koji makes images for it. */
  readonly makesImages: boolean;
}

/** Other options that ask for what is not done here. */
const options: Readonly<Record<string, (value: ConfigValue, services: NativeServices) => string | null>> = {
  gather_method: (value) => (usesHybrid(value) ? 'the solver of the method hybrid is not built in' : null),
  createrepo_deltas: (value) => (isGiven(value) ? 'delta RPMs are not made' : null),
  createrepo_extra_args: (value) =>
    isGiven(value) ? 'there is no createrepo command to give arguments to' : null,
  createrepo_extra_modulemd: (value) => (isGiven(value) ? 'no further modulemd is taken up' : null),
  createrepo_database: (value) => (value === true ? 'SQLite databases are not written' : null),
  pkgset_scratch_modules: (value) => (isGiven(value) ? 'scratch builds of modules are not read' : null),
  repoclosure_backend: (value) => (value === 'yum' ? 'the back end yum is not built in' : null),
  gather_backend: (value) => (value === 'yum' ? 'the back end yum is not built in' : null),
  cts_url: (value, { ctsUrl }) =>
    isGiven(value) && (typeof value !== 'string' || withoutSlash(value) !== withoutSlash(ctsUrl))
      ? 'no such compose tracking service is asked; the setting cts_url names the one that is'
      : null,
};

function withoutSlash(url: string): string {
  return url.replace(/\/+$/, '');
}

function isGiven(value: ConfigValue): boolean {
  if (isDictionary(value)) return value.size > 0;
  return value !== null && value !== false && value !== '' && itemsOf(value)?.length !== 0;
}

function usesHybrid(value: ConfigValue): boolean {
  if (value === 'hybrid') return true;
  return isDictionary(value) && [...value.values()].some(usesHybrid);
}

/**
 * Finds what a configuration asks for and is not made here: phases that are not skipped, and options that nothing
 * here honours. A compose of such a configuration is refused, for it would lack what was asked for.
 */
export function findNotNative(
  config: Config,
  services: NativeServices = { ctsUrl: '', makesImages: false },
): NotNative[] {
  const skipped = new Set(textsOf(config.get('skip_phases')));
  const found: NotNative[] = [];
  if (config.has('buildinstall_method') && !skipped.has('buildinstall')) {
    found.push({ option: 'buildinstall_method', reason: 'installer images need lorax and runroot' });
  }
  if (!skipped.has('createiso') && !config.has('createiso_skip')) {
    found.push({
      option: 'skip_phases',
      reason:
        'without "createiso" in it every tree is made into an ISO file, which needs tools that are not run here',
    });
  }
  for (const [option, reason] of Object.entries(sections)) {
    const value = config.get(option);
    if (value !== undefined && isGiven(value) && !skipped.has(option)) found.push({ option, reason });
  }
  for (const option of services.makesImages ? [] : imagePhases) {
    const value = config.get(option);
    if (value !== undefined && isGiven(value) && !skipped.has(option))
      found.push({ option, reason: withoutLogin });
  }
  for (const [option, judge] of Object.entries(options)) {
    const value = config.get(option);
    const reason = value === undefined ? null : judge(value, services);
    if (reason !== null) found.push({ option, reason });
  }
  return found;
}

/** Throws `main.not_native` with all that a configuration asks for and is not made here. */
export function refuseNotNative(found: readonly NotNative[]): void {
  if (found.length === 0) return;
  const sentences = found.map(({ option, reason }) => `${option} (${reason})`);
  throw new ReactorError(
    'main.not_native',
    `The configuration asks for what is not made by this service: ${sentences.join('; ')}.`,
    {
      hint: 'Skip such phases and leave such options out, or let Pungi compose it: engine: auto in raw_config_urls.',
    },
  );
}
