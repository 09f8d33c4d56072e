import { posix } from 'node:path';
import { ReactorError } from '../../model/errors.ts';
import { isDictionary, itemsOf, textsOf, type ConfigDictionary, type ConfigValue } from './config-value.ts';
import { refuseNotNative } from './find-not-native.ts';
import { pathInRepository, pathOfGitPlace, type GitPlace } from './git-place.ts';
import type { ConfigFiles, LoadedConfig } from './load-config.ts';
import { directoryOptions } from './read-beside-sources.ts';

/** As the reference composer documents it. */
const DEFAULT_BRANCH = 'master';

/** Options that may name a file of elsewhere. */
const fileOptions = ['variants_file', 'comps_file', 'gather_prepopulate'] as const;

/** A configuration whose options name files by paths only, and what of git stands behind some of these. */
export interface PlainScm {
  readonly loaded: LoadedConfig;
  readonly places: readonly GitPlace[];
}

/**
 * Replaces the `scm` dictionaries of a configuration by paths: of `file` to files beside it, of `git` to paths that
 * `pathOfGitPlace` makes. Throws `main.config_invalid` for an incomplete one, `main.not_native` for other kinds and for
 * commands to be run after the checkout. Source: main compose contract 2 and 7.
 */
export function plainScm(files: Pick<ConfigFiles, 'prefix'>, loaded: LoadedConfig): PlainScm {
  const places: GitPlace[] = [];
  const context: ScmContext = { prefix: files.prefix, directory: loaded.directory, places };
  const config = new Map(loaded.config);
  for (const option of fileOptions) replace(context, config, option, 'file');
  for (const option of directoryOptions) replace(context, config, option, 'dir');
  const extraFiles = config.get('extra_files');
  if (extraFiles !== undefined) config.set('extra_files', withPlainEntries(context, extraFiles));
  return { loaded: { ...loaded, config }, places };
}

interface ScmContext {
  readonly prefix: string;
  readonly directory: string;
  /** Those found so far. */
  readonly places: GitPlace[];
}

function replace(
  context: ScmContext,
  config: Map<string, ConfigValue>,
  option: string,
  key: 'file' | 'dir',
): void {
  const value = config.get(option);
  if (!isDictionary(value)) return;
  refuseForeign(value, option);
  const [name] = textsOf(value.get(key));
  if (name === undefined) {
    throw invalid(
      `The option ${option} does not say which ${key} it takes.`,
      option,
      `Give it the key "${key}".`,
    );
  }
  config.set(option, pathOf(context, value, { name, where: option }));
}

/** The entries of extra files of git as such of `file`; others as they are. */
function withPlainEntries(context: ScmContext, value: ConfigValue): ConfigValue {
  if (isDictionary(value) && value.has('scm')) {
    const scm = value.get('scm');
    // Whoever reads them says what is wrong with these.
    if (scm !== 'git' && scm !== 'file') return value;
    refuseForeign(value, 'extra_files');
    if (scm === 'file' || !value.has('repo')) return value;
    const pathsOf = (key: string): string[] =>
      textsOf(value.get(key)).map((name) => pathOf(context, value, { name, where: 'extra_files' }));
    return new Map<string | number, ConfigValue>([
      ['scm', 'file'],
      ['repo', ''],
      ['file', pathsOf('file')],
      ['dir', pathsOf('dir')],
      ['target', value.get('target') ?? ''],
    ]);
  }
  if (isDictionary(value)) {
    return new Map(Array.from(value, ([key, member]) => [key, withPlainEntries(context, member)]));
  }
  const items = itemsOf(value);
  return items === null ? value : items.map((member) => withPlainEntries(context, member));
}

/** Returns a path that is relative to the directory of the configuration, as options have it. */
function pathOf(
  { prefix, directory, places }: ScmContext,
  scm: ConfigDictionary,
  { name, where }: { readonly name: string; readonly where: string },
): string {
  const repository = textOf(scm, 'repo');
  if (scm.get('scm') === 'file') {
    if (repository !== '') {
      throw invalid(
        `The option ${where} names a repository for the scm "file".`,
        where,
        'Leave the key "repo" empty.',
      );
    }
    return name.startsWith(prefix) ? posix.relative(directory, name.slice(prefix.length)) : name;
  }
  if (repository === '') {
    throw invalid(
      `The option ${where} names no repository.`,
      where,
      'Give it the key "repo", the URL of one.',
    );
  }
  const path = pathInRepository(name);
  if (path === null) {
    throw invalid(
      `"${name}" of ${where} leads out of its repository.`,
      where,
      'Paths are those in the repository.',
    );
  }
  const place = { url: repository, revision: textOf(scm, 'branch') || DEFAULT_BRANCH, path };
  places.push(place);
  return posix.relative(directory, pathOfGitPlace(place));
}

/** Throws `main.not_native` for what is not fetched, or would run a command. */
function refuseForeign(scm: ConfigDictionary, option: string): void {
  const kind = textOf(scm, 'scm');
  if (kind !== 'git' && kind !== 'file') {
    refuseNotNative([{ option, reason: `the scm "${kind}" is not fetched, only "git" and "file"` }]);
  }
  if (textOf(scm, 'command') !== '') {
    refuseNotNative([{ option, reason: 'commands of a configuration are not run after a checkout' }]);
  }
}

function textOf(scm: ConfigDictionary, key: string): string {
  const value = scm.get(key);
  return typeof value === 'string' ? value : '';
}

function invalid(sentence: string, where: string, hint: string): ReactorError {
  return new ReactorError('main.config_invalid', sentence, { where, hint });
}
