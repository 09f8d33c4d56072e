import { posix } from 'node:path';
import type { LRUCache } from 'lru-cache';
import type { Config as Settings } from '../../../config.ts';
import type { KojiLoginSettings } from '../../../image-settings.ts';
import type { ComposeRequest } from '../../../model/compose.ts';
import { ReactorError } from '../../../model/errors.ts';
import { readGitTree, type GitContext, type GitTree } from '../../../upstream/git.ts';
import { makesImages } from '../../images/image-koji.ts';
import { digestOfFiles } from '../../main-inputs/config-digest.ts';
import { textsOf } from '../../main/config-value.ts';
import { findNotNative, refuseNotNative, type NativeServices } from '../../main/find-not-native.ts';
import { fetchGitPlaces, withFetched } from '../../main-inputs/fetch-git-places.ts';
import { configFilesOfTree } from '../../main-inputs/config-directory.ts';
import type { SourcedDefinition } from '../../main-inputs/select-definition.ts';
import { describePath, gitPlaceOf } from '../../main/git-place.ts';
import { loadConfig, type LoadedConfig } from '../../main/load-config.ts';
import { findPhaseFaults } from '../../main/main-identity.ts';
import { plainScm } from '../../main/plain-scm.ts';
import { readDefinition } from '../../main/read-definition.ts';
import { validateConfig } from '../../main/validate-config.ts';

/** What configurations are read with. */
export interface ConfigurationResources {
  readonly config: KojiLoginSettings & Pick<Settings, 'cts_url' | 'raw_config_urls' | 'git_allowed_urls'>;
  /** Those that were read last, by place and whole commit. */
  readonly configurations: LRUCache<string, SourcedDefinition>;
}

/** Where a configuration is, as the setting `raw_config_urls` says. */
export interface ConfigurationPlace {
  readonly name: string;
  /** What the setting says of it. */
  readonly entry: Readonly<Record<string, unknown>>;
  readonly url: string;
  readonly revision: string;
  readonly directory: string;
  readonly file: string;
}

/**
 * Reads the configuration that a request names; the source is `NAME#COMMIT` with the whole hash, also where a branch was asked
 * for. Throws `main.config_*`, `main.variants_invalid`, `main.comps_invalid`, `main.extra_file_invalid`, `main.not_native` for
 * what is not made here, and what git throws. Source: ODCS contract 17.
 */
export async function readConfiguration(
  { config, configurations }: ConfigurationResources,
  request: ComposeRequest,
  signal: AbortSignal,
): Promise<SourcedDefinition> {
  const place = placeOf(config, request);
  refuseWrapper(place);
  const { name, url, revision, directory, file } = place;
  const keyOf = (commit: string): string => JSON.stringify([name, url, directory, file, commit]);
  const known = configurations.get(keyOf(revision));
  if (known !== undefined) return known;
  const tree = await readGitTree({ allowed: [url], signal }, { url, revision, directory });
  const key = keyOf(tree.commit);
  const kept = configurations.get(key);
  if (kept !== undefined) return kept;
  const { bytes, ...read } = await readTree(
    { allowed: [url, ...config.git_allowed_urls], signal },
    { ...place, services: servicesOf(config) },
    tree,
  );
  // What is taken of branches of other repositories is looked up each time.
  if (read.remarks.length === 0) configurations.set(key, read, { size: bytes });
  return read;
}

/** Returns what the service has beside itself. */
export function servicesOf(config: KojiLoginSettings & Pick<Settings, 'cts_url'>): NativeServices {
  return { ctsUrl: config.cts_url, makesImages: makesImages(config) };
}

async function readTree(
  git: GitContext,
  { name, file, services }: ConfigurationPlace & { readonly services: NativeServices },
  tree: GitTree,
): Promise<SourcedDefinition & { readonly remarks: readonly string[]; readonly bytes: number }> {
  const own = configFilesOfTree(`${name}/`, tree.files);
  const written = loadConfig(own, file);
  const { warnings } = validate(written);
  refuseNotNative(findNotNative(written.config, services));
  const { loaded, places } = plainScm(own, written);
  const fetched = await fetchGitPlaces(git, places);
  const files = withFetched(own, fetched);
  const definition = readDefinition(files, loaded, {
    variants: placeOfOption(name, loaded, 'variants_file'),
    comps: placeOfOption(name, loaded, 'comps_file'),
  });
  const contents = new Map([...tree.files, ...fetched.contents]);
  const digest = `${name} ${file} ${digestOfFiles(contents)}`;
  const bytes = [...contents.values()].reduce((sum, { length }) => sum + length, 1);
  const { remarks } = fetched;
  return { source: `${name}#${tree.commit}`, digest, definition, files, warnings, remarks, bytes };
}

/** Where the file of an option is, as errors name it. */
function placeOfOption(name: string, { config, directory }: LoadedConfig, option: string): string {
  const value = config.get(option);
  if (typeof value !== 'string') return `${name}/${option}`;
  const path = posix.join(directory, value);
  return gitPlaceOf(path) === null ? `${name}/${value}` : describePath(path);
}

/** A configuration at a commit, as it lies there: nobody has looked yet at what it asks for. */
export interface FoundConfiguration {
  readonly place: ConfigurationPlace;
  /** `NAME#COMMIT` with the whole hash. */
  readonly source: string;
  /** By path, relative to the directory of the configuration. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly loaded: LoadedConfig;
}

/** Fetches a configuration at its commit. Throws `main.config_*` and what git throws. Source: ODCS contract 17. */
export async function findConfiguration(
  place: ConfigurationPlace,
  signal: AbortSignal,
): Promise<FoundConfiguration> {
  const { name, url, revision, directory, file } = place;
  const { commit, files } = await readGitTree({ allowed: [url], signal }, { url, revision, directory });
  const loaded = loadConfig(configFilesOfTree(`${name}/`, files), file);
  return { place, source: `${name}#${commit}`, files, loaded };
}

/** Throws `main.not_native` where a configuration has a wrapper of its own. */
function refuseWrapper({ entry }: ConfigurationPlace): void {
  if (String(entry['raw_config_wrapper'] ?? '') === '') return;
  refuseNotNative([
    { option: 'raw_config_wrapper', reason: 'wrappers around configurations are read by Pungi only' },
  ]);
}

/** Returns where the configuration of a request is. Throws `request.unknown_raw_config`, `main.config_missing`. */
export function placeOf(
  { raw_config_urls: known }: Pick<Settings, 'raw_config_urls'>,
  { source }: Pick<ComposeRequest, 'source'>,
): ConfigurationPlace {
  const [name = '', asked = ''] = (source[0] ?? '').split('#');
  const entry = Object.hasOwn(known, name) ? known[name] : undefined;
  if (entry === undefined) {
    throw new ReactorError(
      'request.unknown_raw_config',
      `Source "${name}" does not exist in server configuration.`,
    );
  }
  const value = (key: string): string => String(entry[key] ?? '');
  const place = { url: value('url'), file: value('config_filename') };
  if (place.url === '' || place.file === '') {
    throw new ReactorError(
      'main.config_missing',
      `The setting raw_config_urls does not say where the configuration ${name} is.`,
      { hint: 'It needs url and config_filename.', fate: 'halt' },
    );
  }
  return { name, entry, ...place, directory: value('path'), revision: value('commit') || asked };
}

function validate({ config }: LoadedConfig): { readonly warnings: readonly string[] } {
  const { warnings, errors } = validateConfig(config);
  const skipped = textsOf(config.get('skip_phases'));
  const faults = [...errors, ...findPhaseFaults((phase) => skipped.includes(phase))];
  if (faults.length === 0) return { warnings };
  throw new ReactorError('main.config_invalid', `Configuration is not valid: ${faults.join('; ')}`);
}
