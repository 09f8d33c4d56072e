import { posix } from 'node:path';
import { ReactorError } from '../../model/errors.ts';
import type { ProductmdRelease } from '../../rpm/productmd-variant.ts';
import type { ProductmdProduct } from '../../rpm/productmd-release.ts';
import {
  isDictionary,
  itemsOf,
  valueOfJson,
  type Config,
  type ConfigKey,
  type ConfigValue,
} from '../main/config-value.ts';
import { loadConfig, type ConfigFiles } from '../main/load-config.ts';

const MAIN_FILE = 'pungi.conf';
const IMPORTED_FILE = 'raw_config.conf';

/** The parts of a configuration as Pungi gets it. */
export interface ConfigParts {
  /** Files of the repository by path, relative to the directory of the configuration. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** The main file, one of them. */
  readonly file: string;
  /** What stands before paths in error texts. */
  readonly prefix: string;
  /** The wrapper, filled in; null without one. */
  readonly wrapper: string | null;
  /** The configuration of the compose that is made again, as JSON; null for one that is made anew. */
  readonly dump: string | null;
}

/**
 * Returns the configuration as ODCS gives it to Pungi: what the wrapper says, which imports the main file as `raw_config`; of a
 * compose that is made again its own configuration, and over it what the wrapper says today. Throws what
 * `loadConfig` throws, and `pungi.dump_invalid`. Source: ODCS contract 17.
 */
export function joinConfig(parts: ConfigParts): Config {
  const { dump, wrapper, prefix } = parts;
  if (dump === null) return loadWhole(parts, wrapper);
  const values = configOfDump(dump);
  if (wrapper === null) return values;
  const contents = new Map([
    [MAIN_FILE, Buffer.from(wrapper)],
    [IMPORTED_FILE, Buffer.from('')],
  ]);
  return new Map([...values, ...loadConfig(filesOf(contents, prefix), MAIN_FILE).config]);
}

function loadWhole({ files, file, prefix }: ConfigParts, wrapper: string | null): Config {
  const main = files.get(file);
  // JSON is told by its name, which a copy would not have.
  if (main === undefined || (wrapper === null && file.endsWith('.json'))) {
    return loadConfig(filesOf(files, prefix), file).config;
  }
  const contents = new Map(files);
  contents.set(wrapper === null ? MAIN_FILE : IMPORTED_FILE, main);
  if (wrapper !== null) contents.set(MAIN_FILE, Buffer.from(wrapper));
  return loadConfig(filesOf(contents, prefix), MAIN_FILE).config;
}

function filesOf(contents: ReadonlyMap<string, Uint8Array>, prefix: string): ConfigFiles {
  return {
    prefix,
    read: (path) => contents.get(posix.normalize(path)) ?? null,
    list: () => null,
  };
}

function configOfDump(dump: string): Config {
  let value: ConfigValue = null;
  try {
    value = valueOfJson(JSON.parse(dump));
  } catch {
    // The error below says so.
  }
  if (isDictionary(value)) return new Map(Array.from(value, ([key, member]) => [String(key), member]));
  throw new ReactorError('pungi.dump_invalid', 'The stored configuration of the compose is no JSON object.', {
    hint: 'Ask for a new compose of its commit.',
  });
}

/** Writes a configuration as JSON, in which tuples are lists, as ODCS did. */
export function formatConfig(config: Config): string {
  return `${JSON.stringify(jsonOf(config))}\n`;
}

function jsonOf(value: ConfigValue): unknown {
  if (isDictionary(value)) {
    return Object.fromEntries(Array.from(value, ([key, member]) => [keyOf(key), jsonOf(member)]));
  }
  return itemsOf(value)?.map(jsonOf) ?? value;
}

function keyOf(key: ConfigKey): string {
  return key === null ? 'null' : String(key);
}

/** Returns the release that a configuration names. Throws `main.config_invalid` where it names none. */
export function releaseOfConfig(config: Config): ProductmdRelease {
  return {
    ...productOf(config, 'release'),
    isInternal: config.get('release_internal') === true,
    baseProduct: config.has('base_product_name') ? productOf(config, 'base_product') : null,
    treeinfoVersion: null,
  };
}

function productOf(config: Config, prefix: 'release' | 'base_product'): ProductmdProduct {
  const text = (part: string): string => {
    const value = config.get(`${prefix}_${part}`);
    if (typeof value === 'string' && value !== '') return value;
    throw new ReactorError('main.config_invalid', `Configuration is not valid: it has no ${prefix}_${part}.`);
  };
  const type = config.get(`${prefix}_type`);
  return {
    name: text('name'),
    short: text('short'),
    version: text('version'),
    type: typeof type === 'string' ? type.toLowerCase() : 'ga',
  };
}
