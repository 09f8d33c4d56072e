import { posix } from 'node:path';
import { ReactorError } from '../../model/errors.ts';
import { findNotNative, type NotNative } from './find-not-native.ts';
import { loadConfig, type ConfigFiles } from './load-config.ts';
import type { MainDefinition } from './main-definition.ts';
import { orderVariants } from './order-variants.ts';
import { readDefinition } from './read-definition.ts';
import { validateConfig } from './validate-config.ts';

/** A configuration of Pungi as a definition. */
export interface ImportedConfig {
  readonly definition: MainDefinition;
  /** The comps file, null where there is none. */
  readonly comps: Uint8Array | null;
  /** What the definition does not have of the configuration, and why. */
  readonly leftOut: readonly NotNative[];
  readonly warnings: readonly string[];
}

/** Options that shape a compose and that definitions have no words for. */
const beyondDefinitions: Readonly<Record<string, string>> = {
  extra_files: 'definitions put no files beside packages',
  product_id: 'definitions name no product certificates',
  module_defaults_dir: 'definitions name no module defaults',
  module_obsoletes_dir: 'definitions name no obsoletes of modules',
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
  const definition = readDefinition(files, loaded, {
    variants: files.prefix + (placeOf('variants_file') ?? ''),
    comps: files.prefix + (compsPath ?? ''),
  });
  orderVariants(definition.variants.values(), definition.variantLookasides);
  const beyond = Object.entries(beyondDefinitions).flatMap(([option, reason]) =>
    config.has(option) ? [{ option, reason }] : [],
  );
  return {
    definition,
    comps: compsPath === null ? null : files.read(compsPath),
    leftOut: [...findNotNative(config), ...beyond],
    warnings,
  };
}
