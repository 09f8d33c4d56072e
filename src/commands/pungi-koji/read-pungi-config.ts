import { basename, dirname, resolve } from 'node:path';
import { configFilesOf } from '../../composer/main-inputs/config-directory.ts';
import { isDictionary, textsOf, type Config, type ConfigValue } from '../../composer/main/config-value.ts';
import { findNotNative, phaseNames, refuseNotNative } from '../../composer/main/find-not-native.ts';
import { fetchGitPlaces, withFetched } from '../../composer/main-inputs/fetch-git-places.ts';
import { plainScm } from '../../composer/main/plain-scm.ts';
import { loadConfig, type ConfigFiles, type LoadedConfig } from '../../composer/main/load-config.ts';
import type { MainDefinition } from '../../composer/main/main-definition.ts';
import { findPhaseFaults } from '../../composer/main/main-identity.ts';
import { validateConfig } from '../../composer/main/validate-config.ts';
import { ReactorError } from '../../model/errors.ts';
import type { PungiOptions } from './pungi-options.ts';

/** A configuration on this machine. */
export interface PungiConfig {
  readonly files: ConfigFiles;
  readonly loaded: LoadedConfig;
  /** As it was written, with its scm dictionaries. */
  readonly written: Config;
  /** Sentences about what was fetched for it. */
  readonly remarks: readonly string[];
  readonly isSkipped: (phase: string) => boolean;
}

/**
 * Reads the configuration that a command line names, with its imports. Throws `main.config_*`; `pungi.config_invalid`,
 * whose message is all that `pungi-koji` prints of a configuration that is not valid; `pungi.phases` for phases that need
 * others; `main.not_native` for what is not made here; and what git throws for what scm dictionaries name.
 */
export async function readPungiConfig(
  { config: path, skippedPhases, justPhases }: PungiOptions,
  signal: AbortSignal,
): Promise<PungiConfig> {
  const place = resolve(path);
  const own = configFilesOf(dirname(place));
  const loaded = loadConfig(own, basename(place));
  const { warnings, errors } = validateConfig(loaded.config);
  if (errors.length > 0) {
    throw new ReactorError('pungi.config_invalid', [...warnings, ...errors].join('\n'));
  }
  const skipped = new Set([...textsOf(loaded.config.get('skip_phases')), ...skippedPhases]);
  const isSkipped = (phase: string): boolean =>
    skipped.has(phase) || (justPhases.length > 0 && !justPhases.includes(phase));
  const [fault] = findPhaseFaults(isSkipped);
  if (fault !== undefined) throw new ReactorError('pungi.phases', fault);
  const config = new Map<string, ConfigValue>([
    ...loaded.config,
    ['skip_phases', phaseNames.filter(isSkipped)],
  ]);
  const unmade = isSkipped('gather') ? [{ option: 'skip_phases', reason: 'a compose has packages' }] : [];
  refuseNotNative([...findNotNative(config), ...unmade]);
  const plain = plainScm(own, { ...loaded, config });
  // Who runs the command says what it reads.
  const allowed = plain.places.map(({ url }) => url);
  const fetched = await fetchGitPlaces({ allowed, signal }, plain.places);
  const files = withFetched(own, fetched);
  return { files, loaded: plain.loaded, written: config, isSkipped, remarks: fetched.remarks };
}

/** Lists the hosts of repositories that a definition reads. */
export function hostsOf({ packages, settings }: MainDefinition): string[] {
  const lookasides = [...settings.values()].flatMap((byArch) =>
    [...byArch.values()].flatMap((inputs) => inputs.lookasideRepositories),
  );
  const own = packages.kind === 'repositories' ? [...packages.locations.values()].flat() : [];
  return [...new Set([...lookasides, ...own].flatMap((url) => URL.parse(url)?.host ?? []))].filter(
    (host) => host !== '',
  );
}

/** Writes a configuration as JSON, for its dump in the logs. */
export function dumpConfig(config: Config): string {
  const plain = (value: ConfigValue): unknown => {
    if (isDictionary(value)) {
      return Object.fromEntries(Array.from(value, ([key, member]) => [String(key), plain(member)]));
    }
    if (Array.isArray(value)) return value.map(plain);
    return typeof value === 'object' && value !== null && 'tuple' in value ? value.tuple.map(plain) : value;
  };
  return `${JSON.stringify(plain(config), null, 4)}\n`;
}
