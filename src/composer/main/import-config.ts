import { posix } from 'node:path';
import { ReactorError } from '../../model/errors.ts';
import { listBesideFiles } from './beside-packages.ts';
import {
  isDictionary,
  itemsOf,
  type Config,
  type ConfigDictionary,
  type ConfigValue,
} from './config-value.ts';
import { findNotNative, type NotNative } from './find-not-native.ts';
import { gitPlaceOf, type GitPlace } from './git-place.ts';
import { loadConfig, type ConfigFiles } from './load-config.ts';
import type { MainDefinition } from './main-definition.ts';
import { plainScm } from './plain-scm.ts';
import { orderVariants } from './order-variants.ts';
import { directoryOptions } from './read-beside-sources.ts';
import { readDefinition } from './read-definition.ts';
import { validateConfig } from './validate-config.ts';

/** A configuration of Pungi as a definition. */
export interface ImportedConfig {
  readonly definition: MainDefinition;
  /** The path of the comps file, null where there is none. */
  readonly comps: string | null;
  /** Paths of the other files of the configuration that the definition names, but for those of git repositories. */
  readonly files: readonly string[];
  /** What the definition does not have of the configuration, and why. */
  readonly leftOut: readonly NotNative[];
  readonly warnings: readonly string[];
}

/** Said of a compose elsewhere. */
const saidElsewhere: Readonly<Record<string, string>> = {
  compose_type: 'requests say of which type a compose is',
};

/**
 * Returns the places in git repositories that a configuration takes files from, as far as a definition can say that. Throws
 * what `loadConfig` and `plainScm` throw.
 */
export function listPlacesOfConfig(files: ConfigFiles, path: string): readonly GitPlace[] {
  const loaded = loadConfig(files, path);
  return plainScm(files, { ...loaded, config: withoutForeign(loaded.config) }).places;
}

/**
 * Reads a configuration of Pungi as a definition; among `files` is what was fetched for it. Throws `main.config_invalid` with every fault, `main.lookaside_cycle`, and what `loadConfig` and
 * `readDefinition` throw.
 */
export function importConfig(files: ConfigFiles, path: string): ImportedConfig {
  const written = loadConfig(files, path);
  const { config, directory } = written;
  const { warnings, errors } = validateConfig(config);
  if (errors.length > 0) {
    throw new ReactorError('main.config_invalid', 'Configuration is not valid', {
      where: files.prefix + path,
      hint: errors.join('\n'),
    });
  }
  const { loaded } = plainScm(files, { ...written, config: withoutForeign(config) });
  const placeOf = (option: string): string | null => {
    const name = loaded.config.get(option);
    return typeof name === 'string' ? posix.join(directory, name) : null;
  };
  const compsPath = placeOf('comps_file');
  const paths = {
    variants: files.prefix + (placeOf('variants_file') ?? ''),
    comps: files.prefix + (compsPath ?? ''),
  };
  const definition = readDefinition(files, loaded, paths);
  orderVariants(definition.variants.values(), definition.variantLookasides);
  const beyond = Object.entries(saidElsewhere).flatMap(([option, reason]) =>
    config.has(option) ? [{ option, reason }] : [],
  );
  return {
    definition,
    comps: compsPath,
    files: listBesideFiles(files, definition.beside).filter((file) => gitPlaceOf(file) === null),
    leftOut: [
      ...findNotNative(config, { ctsUrl: '', makesImages: true }),
      ...findForeignFiles(config),
      ...beyond,
    ],
    warnings,
  };
}

/** Whether an scm dictionary names what is not fetched, or a command. */
function isForeign(scm: ConfigDictionary): boolean {
  const kind = scm.get('scm');
  return (kind !== 'file' && kind !== 'git') || (scm.get('command') ?? '') !== '';
}

/** Whether an entry of extra files is of what is not fetched, or of RPMs elsewhere. */
function hasForeignEntry(value: ConfigValue | undefined): boolean {
  if (isDictionary(value) && value.has('scm')) {
    const isOfPackage = value.get('scm') === 'rpm' && !String(value.get('repo') ?? '').includes('/');
    return !isOfPackage && isForeign(value);
  }
  const members = isDictionary(value) ? [...value.values()] : (itemsOf(value) ?? []);
  return members.some(hasForeignEntry);
}

/** Options whose files are fetched from elsewhere by the reference composer. */
function findForeignFiles(config: Config): NotNative[] {
  const foreign = ['comps_file', 'gather_prepopulate', ...directoryOptions].filter((option) => {
    const value = config.get(option);
    return isDictionary(value) && isForeign(value);
  });
  return [
    ...foreign.map((option) => ({ option, reason: 'its files are fetched from elsewhere' })),
    ...(hasForeignEntry(config.get('extra_files'))
      ? [{ option: 'extra_files', reason: 'some are fetched from elsewhere' }]
      : []),
  ];
}

/** A configuration without the options whose files are not fetched. */
function withoutForeign(config: Config): Config {
  const foreign = findForeignFiles(config);
  return new Map([...config].filter(([name]) => !foreign.some(({ option }) => option === name)));
}
