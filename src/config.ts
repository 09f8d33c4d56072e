import { readFileSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import { parse } from 'yaml';
import { checkIdentitySettings } from './identity-settings.ts';
import { ReactorError, messageOf } from './model/errors.ts';
import { settings, type Config, type SettingName } from './settings.ts';

export type { Config } from './settings.ts';

export interface LoadedConfig {
  readonly config: Config;
  /** Where each value comes from: `default`, the file's path, or the variable's name. */
  readonly sources: Readonly<Record<SettingName, string>>;
}

export interface ConfigInput {
  /** Path of a YAML file, or undefined for none. */
  readonly file: string | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Values of command line options; they win over everything. */
  readonly overrides?: Readonly<Partial<Record<SettingName, unknown>>>;
}

const names = Object.keys(settings) as SettingName[];

/**
 * The effective settings: defaults, then the file, then the environment (`ODCS_…`), then the command line.
 * Throws `config.unreadable`, `config.unknown_key` or `config.invalid_value`, each naming the place.
 */
export function loadConfig(input: ConfigInput): LoadedConfig {
  const values: Partial<Record<SettingName, unknown>> = {};
  const sources: Partial<Record<SettingName, string>> = {};
  const fileValues = input.file === undefined ? {} : readConfigFile(input.file);
  for (const name of names) {
    const setting = settings[name];
    values[name] = setting.default;
    sources[name] = 'default';
    const apply = (raw: unknown, where: string): void => {
      const value = Array.isArray(setting.default) && typeof raw === 'string' ? listOf(name, raw) : raw;
      const result = setting.schema.safeParse(value);
      if (!result.success) {
        throw new ReactorError(
          'config.invalid_value',
          `The setting "${name}" is not valid: ${result.error.issues[0]?.message ?? 'wrong type'}.`,
          { where, hint: setting.doc, fate: 'halt' },
        );
      }
      values[name] = result.data;
      sources[name] = where;
    };
    if (name in fileValues) apply(fileValues[name], `${input.file ?? ''}`);
    const variable = input.environment[setting.env];
    if (variable !== undefined && variable !== '') apply(fromText(variable, setting.default), setting.env);
    if (input.overrides?.[name] !== undefined) apply(input.overrides[name], 'command line');
  }
  const config = values as unknown as Config;
  return { config: derive(config, sources), sources: sources as Record<SettingName, string> };
}

/** Settings that follow others: directories are absolute, the public URL follows the address. */
function derive(config: Config, sources: Partial<Record<SettingName, string>>): Config {
  const dataDir = resolve(config.data_dir);
  const targetDir = sources.target_dir === 'default' ? resolve(dataDir, 'composes') : config.target_dir;
  if (!isAbsolute(targetDir)) {
    throw new ReactorError('config.invalid_value', 'The setting "target_dir" must be an absolute path.', {
      where: sources.target_dir ?? '',
      fate: 'halt',
    });
  }
  if (config.koji_profile === '' && Object.keys(config.koji_hubs).length > 0) {
    throw new ReactorError('config.invalid_value', 'The setting "koji_hubs" needs "koji_profile".', {
      where: sources.koji_hubs ?? '',
      hint: 'Name the Koji whose tags are written without a hub.',
      fate: 'halt',
    });
  }
  const homeless = Object.keys(config.extra_target_dir_urls).find(
    (name) => !Object.hasOwn(config.extra_target_dirs, name),
  );
  if (homeless !== undefined) {
    throw new ReactorError(
      'config.invalid_value',
      `The setting "extra_target_dir_urls" names "${homeless}", which is not one of "extra_target_dirs".`,
      { where: sources.extra_target_dir_urls ?? '', fate: 'halt' },
    );
  }
  const { updateinfo } = config;
  if (updateinfo !== 'none' && config[`${updateinfo}_url`] === '') {
    throw new ReactorError(
      'config.invalid_value',
      `The setting "updateinfo: ${updateinfo}" needs "${updateinfo}_url".`,
      { where: sources.updateinfo ?? '', fate: 'halt' },
    );
  }
  checkMetadataKeys(config, sources);
  checkIdentitySettings(config, (name) => sources[name] ?? '');
  checkKojiLogin(config, sources);
  return { ...config, data_dir: dataDir, target_dir: targetDir };
}

/** Throws `config.invalid_value` where a keytab has no principal, or the other way round, or where there is a certificate, too. */
function checkKojiLogin(
  { koji_login_certificate: certificate, koji_login_keytab: keytab, koji_login_principal: principal }: Config,
  sources: Partial<Record<SettingName, string>>,
): void {
  const refuse = (sentence: string): never => {
    throw new ReactorError('config.invalid_value', `The setting "koji_login_keytab" ${sentence}`, {
      where: sources[keytab === '' ? 'koji_login_principal' : 'koji_login_keytab'] ?? '',
      fate: 'halt',
    });
  };
  if ((keytab === '') !== (principal === '')) refuse('and "koji_login_principal" need each other.');
  if (keytab !== '' && certificate !== '') refuse('and "koji_login_certificate" exclude each other.');
}

/** Throws `config.invalid_value` where a key or a target directory is named that is not configured. */
function checkMetadataKeys(config: Config, sources: Partial<Record<SettingName, string>>): void {
  const refuse = (name: SettingName, sentence: string): never => {
    throw new ReactorError('config.invalid_value', `The setting "${name}" ${sentence}`, {
      where: sources[name] ?? '',
      fate: 'halt',
    });
  };
  const checkKey = (name: SettingName, key: string): void => {
    if (key === '' || Object.hasOwn(config.metadata_keys, key)) return;
    refuse(name, `names the key "${key}", which is not one of "metadata_keys".`);
  };
  checkKey('metadata_key', config.metadata_key);
  for (const key of Object.values(config.metadata_key_of_series)) checkKey('metadata_key_of_series', key);
  for (const [targetDir, key] of Object.entries(config.metadata_key_of_target_dirs)) {
    checkKey('metadata_key_of_target_dirs', key);
    if (targetDir === 'default' || Object.hasOwn(config.extra_target_dirs, targetDir)) continue;
    refuse('metadata_key_of_target_dirs', `names "${targetDir}", which is not one of "extra_target_dirs".`);
  }
}

function readConfigFile(file: string): Record<string, unknown> {
  let document: unknown;
  try {
    document = parse(readFileSync(file, 'utf8')) ?? {};
  } catch (error) {
    throw new ReactorError('config.unreadable', `The configuration cannot be read: ${messageOf(error)}`, {
      where: file,
      fate: 'halt',
      cause: error,
    });
  }
  if (typeof document !== 'object' || document === null || Array.isArray(document)) {
    throw new ReactorError('config.unreadable', 'The configuration must be a mapping of settings.', {
      where: file,
      fate: 'halt',
    });
  }
  for (const key of Object.keys(document)) {
    if (!names.some((name) => name === key)) {
      throw new ReactorError('config.unknown_key', `There is no setting "${key}".`, {
        where: file,
        hint: 'odcs-reactor config print --all lists every setting with its meaning.',
        fate: 'halt',
      });
    }
  }
  return { ...document };
}

/** A list written as one text, in the file too: blank or comma separated; `none` is the empty signing key. */
function listOf(name: SettingName, text: string): string[] {
  const words = text.split(/[\s,]+/).filter((word) => word !== '');
  return name === 'sigkeys' ? words.map((word) => (word === 'none' ? '' : word)) : words;
}

/** Writes a list as it can be given in a variable or in the file; as JSON where its members do not allow that. */
export function formatList(name: SettingName, list: readonly string[]): string {
  const words = name === 'sigkeys' ? list.map((key) => (key === '' ? 'none' : key)) : list;
  const isPlain = words.length > 0 && words.every((word) => /^[^\s,"'[\]]+$/.test(word));
  return isPlain ? words.join(' ') : JSON.stringify(list);
}

/** Environment variables are text: objects are JSON. */
function fromText(text: string, like: unknown): unknown {
  if (typeof like === 'number') return Number(text);
  if (typeof like === 'boolean') return /^(1|true|yes|on)$/i.test(text);
  if (Array.isArray(like)) return text;
  if (typeof like === 'object' && like !== null) {
    try {
      return JSON.parse(text);
    } catch {
      return text;
    }
  }
  return text;
}
