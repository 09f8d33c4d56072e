import { posix } from 'node:path';
import { ReactorError } from '../../model/errors.ts';
import { isPathBelow } from '../../model/names.ts';
import { MOST_TOKENS, syntaxError, tooManyTokens } from './config-tokens.ts';
import { valueOfJson, type Config, type ConfigValue } from './config-value.ts';
import { parseConfig, type ParsedConfig } from './parse-config.ts';

/** Files of a configuration directory by their paths below it. */
export interface ConfigFiles {
  /** Returns the content of a file, null where there is none. */
  read(path: string): Uint8Array | null;
  /** Lists the paths of all files below a directory, relative to it; null where there is none. */
  list(directory: string): readonly string[] | null;
  /** What stands before the paths in error texts: the directory, with a slash. */
  readonly prefix: string;
}

/** The most bytes of one file, and of all files that one configuration imports. */
const SIZE_LIMIT = 10 * 1024 * 1024;
const IMPORT_LIMIT = 200;

/** A configuration and the files it was read from, in the order of their opening. */
export interface LoadedConfig {
  readonly config: Config;
  /** Directory of the main file, below which its paths lie; empty for the top. */
  readonly directory: string;
  readonly files: readonly string[];
}

/**
 * Loads a configuration with what it imports. Throws `main.config_syntax`, `main.config_missing`,
 * `main.config_too_large`, `main.config_import`. Source: main compose contract 2.
 */
export function loadConfig(files: ConfigFiles, path: string): LoadedConfig {
  const opened: string[] = [];
  const text = readText(files, path);
  const directory = posix.dirname(path) === '.' ? '' : posix.dirname(path);
  if (path.endsWith('.json'))
    return { config: configOfJson(text, files.prefix + path), directory, files: [path] };
  let size = 0;
  let tokens = 0;
  const load = (
    file: string,
    seen: ReadonlyMap<string, ConfigValue>,
    chain: readonly string[],
  ): ParsedConfig => {
    if (chain.includes(file)) {
      throw importError(
        `${[...chain, file].join(' imports ')}: a file cannot import itself.`,
        files.prefix + file,
      );
    }
    opened.push(file);
    if (opened.length > IMPORT_LIMIT) {
      throw importError(`The configuration imports more than ${IMPORT_LIMIT} files.`, files.prefix + file);
    }
    const content = file === path ? text : readText(files, file);
    size += content.length;
    if (size > SIZE_LIMIT) throw tooLarge(files.prefix + file);
    const parsed = parseConfig(content, files.prefix + file, seen, (name, globals) =>
      load(importedPath(files, file, name), globals, [...chain, file]),
    );
    tokens += parsed.tokens;
    if (tokens > MOST_TOKENS) throw tooManyTokens(files.prefix + file);
    return parsed;
  };
  return { config: load(path, new Map(), []).values, directory, files: opened };
}

function importedPath(files: ConfigFiles, importer: string, name: string): string {
  const path = posix.join(posix.dirname(importer), `${name}.conf`);
  if (!name.startsWith('/') && isPathBelow(path)) return path;
  throw importError(`The import "${name}" leads out of the configuration.`, files.prefix + importer);
}

/** Reads a text file of a configuration. Throws `main.config_missing`, `main.config_too_large`. */
export function readText(files: ConfigFiles, path: string): string {
  const bytes = isPathBelow(path) ? files.read(path) : null;
  if (bytes === null) {
    throw new ReactorError(
      'main.config_missing',
      `[Errno 2] No such file or directory: '${files.prefix}${path}'`,
      {
        where: files.prefix + path,
        hint: 'Paths are relative to the directory of the main configuration file and stay below it.',
      },
    );
  }
  if (bytes.byteLength > SIZE_LIMIT) throw tooLarge(files.prefix + path);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}

function configOfJson(text: string, where: string): Config {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw syntaxError(`This is no JSON: ${String(cause)}`, where, 'ValueError');
  }
  const value = valueOfJson(json);
  if (!(value instanceof Map))
    throw syntaxError('A configuration in JSON is one object.', where, 'ValueError');
  return new Map(Array.from(value, ([key, member]) => [String(key), member]));
}

function importError(sentence: string, where: string): ReactorError {
  return new ReactorError('main.config_import', sentence, {
    where,
    hint: 'Imports name files of the same configuration without their suffix: from common import *',
  });
}

function tooLarge(where: string): ReactorError {
  return new ReactorError('main.config_too_large', 'The configuration is larger than 10 MiB.', { where });
}
