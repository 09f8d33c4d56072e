import { posix } from 'node:path';
import { ReactorError } from '../../model/errors.ts';
import { listBesideFiles } from './beside-packages.ts';
import { isDictionary, itemsOf, type Config, type ConfigValue } from './config-value.ts';
import { findNotNative, type NotNative } from './find-not-native.ts';
import { loadConfig, type ConfigFiles } from './load-config.ts';
import type { MainDefinition } from './main-definition.ts';
import { orderVariants } from './order-variants.ts';
import { directoryOptions } from './read-beside-sources.ts';
import { readDefinition } from './read-definition.ts';
import { validateConfig } from './validate-config.ts';

/** A configuration of Pungi as a definition. */
export interface ImportedConfig {
  readonly definition: MainDefinition;
  /** The comps file, null where there is none. */
  readonly comps: Uint8Array | null;
  /** Paths of the other files of the configuration that the definition names. */
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
 * Reads a configuration of Pungi as a definition. Throws `main.config_invalid` with every fault, `main.lookaside_cycle`, and what `loadConfig` and
 * `readDefinition` throw.
 */
export function importConfig(files: ConfigFiles, path: string): ImportedConfig {
  const loaded = loadConfig(files, path);
  const { config, directory } = loaded;
  const { warnings, errors } = validateConfig(config);
  if (errors.length > 0) {
    throw new ReactorError('main.config_invalid', 'Configuration is not valid', {
      where: files.prefix + path,
      hint: errors.join('\n'),
    });
  }
  const placeOf = (option: string): string | null => {
    const name = config.get(option);
    return typeof name === 'string' ? posix.join(directory, name) : null;
  };
  const compsPath = placeOf('comps_file');
  const paths = {
    variants: files.prefix + (placeOf('variants_file') ?? ''),
    comps: files.prefix + (compsPath ?? ''),
  };
  const foreign = findForeignFiles(config);
  const kept = new Map([...config].filter(([name]) => !foreign.some(({ option }) => option === name)));
  const definition = readDefinition(files, { ...loaded, config: kept }, paths);
  orderVariants(definition.variants.values(), definition.variantLookasides);
  const beyond = Object.entries(saidElsewhere).flatMap(([option, reason]) =>
    config.has(option) ? [{ option, reason }] : [],
  );
  return {
    definition,
    comps: compsPath === null ? null : files.read(compsPath),
    files: listBesideFiles(files, definition.beside),
    leftOut: [...findNotNative(config), ...foreign, ...beyond],
    warnings,
  };
}

/** Whether an entry of extra files is of another repository, or of RPMs elsewhere. */
function hasForeignEntry(value: ConfigValue | undefined): boolean {
  if (isDictionary(value) && value.has('scm')) {
    const scm = value.get('scm');
    return scm !== 'file' && (scm !== 'rpm' || String(value.get('repo') ?? '').includes('/'));
  }
  const members = isDictionary(value) ? [...value.values()] : (itemsOf(value) ?? []);
  return members.some(hasForeignEntry);
}

/** Options whose files are fetched from elsewhere by the reference composer. */
function findForeignFiles(config: Config): NotNative[] {
  const directories = directoryOptions.filter((option) => isDictionary(config.get(option)));
  return [
    ...directories.map((option) => ({ option, reason: 'its files are fetched from elsewhere' })),
    ...(hasForeignEntry(config.get('extra_files'))
      ? [{ option: 'extra_files', reason: 'some are fetched from elsewhere' }]
      : []),
  ];
}
